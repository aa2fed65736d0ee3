"""The clusters that the automatic search for an artery looked at: a table, their curves, and where they lie.

They outlive the run that found them: while the artery in use is the user's own, those of the last search stay, so that
each of them can still become the artery.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from PyPeTLib.aif import SIDES, Candidate
from PyPeTLib.arrays import Mask
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.pipeline import PipelineResult
from PyPeTLib.preprocess.resample import resample_map
from PyPeTSlicer import curves as run_curves
from PyPeTSlicer import segments
from PyPeTSlicer.mark_segments import Mark
from PyPeTSlicer.probe_nodes import CurveTable, Line, draw
from PyPeTSlicer.review import charts, marks
from PyPeTSlicer.review.subject import Subject
from PyPeTSlicer.segments import SegmentChoice

TABLE, CURVES, CHART, PLACES, SHOWN = (
    "Candidates",
    "CandidateCurves",
    "CandidateChart",
    "CandidatePlaces",
    "CandidateShown",
)
"""Roles of the nodes."""

CANDIDATE = "Candidate"
"""Id of the segment that is drawn; those of the single candidates end with their rank: ``Candidate 1``."""

COLOUR = (0.8, 0.2, 1.0)

_IN_SHORT = (0, 8, 4, 3, 5, 2)
"""Columns of the table that fit into the panel."""

_CENTRES = "PyPeT.Centres"
"""Attribute of the table: centres of the candidates in RAS mm."""

_ROW = "PyPeT.Row"
"""Attribute of the table: the row that is shown."""

_SEARCH = "PyPeT.Search"
"""Attribute of the table: the run whose search found them."""


def keep(subject: Subject) -> None:
    """Write down what the last search found, if it is in memory: that of the run, or of an earlier one."""
    search = subject.search
    if search is None or _are_kept(subject, search.number):
        return
    result = search.result
    found = found_by_search(result)

    def mark(row: int, name: str) -> Mark:
        return Mark(mask=mask_on_input(result, found[row][1]), name=name, colour=COLOUR)

    # one mask after the other: each is as large as the series
    every = range(len(found))
    marks.marked(
        subject, PLACES, _("AIF candidate places"), lambda: ((id_of(row), mark(row, id_of(row))) for row in every)
    )
    marks.marked(subject, SHOWN, _("AIF candidate"), lambda: [(CANDIDATE, mark(0, _("Candidate")))])
    subject.node(CURVES, "vtkMRMLTableNode", _("AIF candidate curves"), lambda node: _fill_curves(node, result, found))
    subject.node(TABLE, "vtkMRMLTableNode", _("AIF candidates"), lambda node: _fill_table(node, result, found))
    subject.existing(TABLE).SetAttribute(_SEARCH, search.number)
    show_candidate(subject, 0)


def _are_kept(subject: Subject, number: str) -> bool:
    """Whether what the search of this number found is there already."""
    nodes = [subject.existing(role) for role in (TABLE, CURVES, PLACES, SHOWN)]
    return all(node is not None for node in nodes) and nodes[0].GetAttribute(_SEARCH) == number


def found_by_search(result: PipelineResult) -> list[tuple[str, Candidate]]:
    """Side and candidate, best first; of both sides one after the other, where each has its own artery."""
    both = result.hemispheres
    if both is not None:
        sides = [side for side in SIDES if side != both.borrowed]
        return [(side, candidate) for side in sides for candidate in getattr(both, side).candidates]
    return [("", candidate) for candidate in result.aif.candidates] if result.aif is not None else []


def mask_on_input(result: PipelineResult, candidate: Candidate) -> Mask:
    """The voxels of a candidate on the grid of the input series, shape (x, y, z)."""
    working, series = result.working.grid, result.series.grid
    mask = np.zeros(series.shape, bool)
    if working.shape == series.shape:
        mask[tuple(candidate.places.T)] = True
        return mask
    # slices are the same on both grids, so those of the candidate will do
    first = int(candidate.places[:, 2].min())
    depth = int(candidate.places[:, 2].max()) + 1 - first
    coarse = np.zeros((*working.shape[:2], depth), bool)
    coarse[tuple((candidate.places - [0, 0, first]).T)] = True
    mask[..., first : first + depth] = resample_map(
        coarse, _slices(working, first, depth), _slices(series, first, depth), order=1
    )
    return mask


def _slices(grid: Grid, first: int, depth: int) -> Grid:
    affine = grid.affine.copy()
    affine[:3, 3] += first * affine[:3, 2]
    return Grid((*grid.shape[:2], depth), affine)


def count(subject: Subject) -> int:
    """How many candidates there are; 0 where no search was kept."""
    table = subject.existing(TABLE)
    return 0 if table is None or subject.existing(PLACES) is None else int(table.GetNumberOfRows())


def row_shown(subject: Subject) -> int:
    """The row of the candidate that is shown."""
    return int(subject.existing(TABLE).GetAttribute(_ROW) or 0)


def title(subject: Subject) -> str:
    """What the table shows, and whether it belongs to the artery in use."""
    search = subject.existing(TABLE).GetAttribute(_SEARCH)
    if search == subject.number:
        return str(_("Candidates, best first"))
    return str(_("Candidates of the last automatic search; the artery in use is another one"))


def id_of(row: int) -> str:
    """Id of the segment of a candidate."""
    return f"{CANDIDATE} {row + 1}"


def rows(subject: Subject) -> list[tuple[str, ...]]:
    """The candidates in words, best first: rank, verdict, arrival, peak, width, volume; of a new run they are kept."""
    keep(subject)
    if not count(subject):
        return []
    table = subject.existing(TABLE)
    return [tuple(table.GetCellText(row, column) for column in _IN_SHORT) for row in range(count(subject))]


def show_candidate(subject: Subject, row: int) -> tuple[float, float, float]:
    """Draw a candidate and its curve in place of the one that is shown.

    Parameters
    ----------
    subject : Subject
    row : int
        From 0.

    Returns
    -------
    tuple of float
        Its centre in RAS mm, for the views to go to.

    Raises
    ------
    InputError
        If there is no such candidate.
    """
    _check(subject, row)
    table, places, shown = (subject.existing(role) for role in (TABLE, PLACES, SHOWN))
    image = slicer.vtkOrientedImageData()
    if shown is not None and places.GetBinaryLabelmapRepresentation(id_of(row), image):
        marks.replace_mark(shown, CANDIDATE, image)
    table.SetAttribute(_ROW, str(row))
    _draw_curve(subject, row)
    return marks.in_world(subject, json.loads(table.GetAttribute(_CENTRES))[row])


def mask_of_candidate(subject: Subject, row: int) -> Mask:
    """The voxels of a candidate on the RAS+ grid of the input series, shape (x, y, z).

    Raises
    ------
    InputError
        If there is no such candidate.
    """
    _check(subject, row)
    choice = SegmentChoice(segmentation=subject.existing(PLACES), segment_id=id_of(row))
    return segments.mask_of(choice, marks.orientation_of(subject), subject.proxy)


def _check(subject: Subject, row: int) -> None:
    if not 0 <= row < count(subject):
        raise InputError(_("There is no such candidate. Run with “find automatically” for the artery to find some."))


def _fill_table(node: Any, result: PipelineResult, found: list[tuple[str, Candidate]]) -> None:
    unit = run_curves.unit_of(result)
    header = [
        _("Rank"),
        _("Centre R, A, S [mm]"),
        _("Volume [mm³]"),
        _("Peak [{unit}]").format(unit=unit),
        _("Arrival [s]"),
        _("Width [s]"),
        _("Fit r²"),
        _("Score"),
        _("Verdict"),
    ]
    rows = []
    for row, (side, candidate) in enumerate(found):
        facts = (candidate.volume, candidate.peak, candidate.arrival, candidate.width)
        rows.append(
            (
                f"{row + 1} {side}".strip(),
                ", ".join(f"{value:.1f}" for value in candidate.centre),
                *(f"{value:.4g}" for value in facts),
                f"{candidate.fit_r_squared:.3f}",
                f"{candidate.score:.3g}",
                candidate.verdict,
            )
        )
    run_curves.fill_rows(node, header, rows)
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    node.SetAttribute(_CENTRES, json.dumps([[round(value, 3) for value in c.centre] for _side, c in found]))


def _fill_curves(node: Any, result: PipelineResult, found: list[tuple[str, Candidate]]) -> None:
    unit = run_curves.unit_of(result)
    columns = {id_of(row): candidate.curve for row, (_side, candidate) in enumerate(found)}
    if len(result.concentration.curves):
        columns[run_curves.BRAIN] = result.concentration.curves.mean(axis=0, dtype=np.float64)
    table = CurveTable(node, run_curves.TIME, "s")
    table.shape(result.working.frame_times, dict.fromkeys(columns, unit))
    for name, values in columns.items():
        table.put(name, values)
    table.publish()


def _draw_curve(subject: Subject, row: int) -> None:
    """The curve of a candidate beside that of the best one and of the brain."""
    curves = subject.existing(CURVES)
    if curves is None:
        return
    chart = subject.existing(CHART)
    if chart is None and subject.result is None:
        return
    if chart is None or chart.GetAttribute(_SEARCH) != subject.existing(TABLE).GetAttribute(_SEARCH):
        chart = _chart(subject)
    lines = [Line(column=id_of(row), colour=charts.ORANGE, style="points")]
    if row > 0:
        lines.append(Line(column=id_of(0), colour=charts.RED))
    if curves.GetTable().GetColumnByName(run_curves.BRAIN) is not None:
        lines.append(Line(column=run_curves.BRAIN, colour=charts.BLUE))
    draw(chart, curves, run_curves.TIME, lines)
    chart.SetTitle(_("Candidate {rank} (not scaled)").format(rank=row + 1))


def _chart(subject: Subject) -> Any:
    unit = subject.existing(CURVES).GetColumnUnitLabel(id_of(0))

    def fill(node: Any) -> None:
        node.SetXAxisTitle(_("Time [s]"))
        node.SetYAxisTitle(_("Contrast [{unit}]").format(unit=unit))
        node.SetLegendVisibility(True)
        node.SetAttribute(_SEARCH, subject.existing(TABLE).GetAttribute(_SEARCH))

    return subject.node(CHART, "vtkMRMLPlotChartNode", _("AIF candidate plot"), fill)

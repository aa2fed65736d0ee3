"""Step AIF: where artery and vein lie, their curves, and every cluster that the search looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
from slicer.i18n import tr as _

from PyPeTLib.aif import ArterialInputFunction
from PyPeTLib.arrays import Volume
from PyPeTLib.assembly import unravelled
from PyPeTLib.pipeline import PipelineResult
from PyPeTSlicer import curves as run_curves
from PyPeTSlicer import mark_segments
from PyPeTSlicer.drawn_segments import Segments
from PyPeTSlicer.review import candidates, images, marks, timelines
from PyPeTSlicer.review.subject import Subject
from PyPeTSlicer.segments import AIF, BRAIN, VOF
from PyPeTSlicer.views import Arrangement, Plot, Slice, Table

PEAK = "ArterialPeak"
"""Role of the concentration at the artery's peak."""

PLACE = "PyPeT.Place"
"""Attribute with the place in RAS mm, before a parent transform, that a step opens at."""

BRIGHTEST = 0.6
"""Share of the artery's peak that is shown white, so that vessels which share their voxels with tissue can be seen."""


def unavailable(subject: Subject) -> str:
    """Why the step cannot be opened; empty where it can."""
    result = subject.result
    if result is not None and result.aif is None:
        return str(_("There is no artery: none was found, or there is no bolus. Give one, and run again."))
    if result is None and run_curves.MEASURED not in _columns(subject.curves):
        return str(_("This run has no arterial input function."))
    return timelines.missing(subject, PEAK)


def arrangement(subject: Subject) -> Arrangement:
    """The vessels on the concentration in two planes, their curves, and the candidates with the curve of one."""
    peak = images.still(
        subject,
        PEAK,
        _("concentration at the artery's peak"),
        lambda: _peak_image(timelines.result_of(subject)),
        lambda: _window(timelines.result_of(subject)),
    )
    if subject.result is not None:
        peak.SetAttribute(timelines.TITLE, _title(subject.result))
        peak.SetAttribute(PLACE, mark_segments.written(_place(subject.result)))
    candidates.keep(subject)
    listed = candidates.count(subject) > 0
    drawn = [Segments(segmentation=subject.segmentation, outlined=(BRAIN,), filled=(AIF, VOF))]
    shown = subject.existing(candidates.SHOWN)
    # the outline of the artery in use would cover it
    in_use = subject.result is not None and subject.result.searched and candidates.row_shown(subject) == 0
    if listed and shown is not None and not in_use:
        drawn.append(Segments(segmentation=shown, outlined=(candidates.CANDIDATE,)))
    title = peak.GetAttribute(timelines.TITLE)
    place = mark_segments.read(peak.GetAttribute(PLACE))
    slices = (
        Slice(title=title, background=peak, segments=tuple(drawn)),
        Slice(title=_("From the front"), background=peak, orientation="Coronal", segments=tuple(drawn)),
    )
    plots = [] if subject.chart is None else [Plot(title=_("Artery, fit, vein and brain"), chart=subject.chart)]
    chart = subject.existing(candidates.CHART)
    if listed and chart is not None:
        plots.append(Plot(title=_("Chosen candidate"), chart=chart))
    table = (Table(title=candidates.title(subject), table=subject.existing(candidates.TABLE)),) if listed else ()
    # whatever the user has deleted is left out
    shown_rows = [(height, row) for height, row in ((0.46, slices), (0.30, tuple(plots)), (0.24, table)) if row]
    return Arrangement(
        rows=tuple(row for _height, row in shown_rows),
        heights=tuple(height for height, _row in shown_rows),
        place=None if place is None else marks.in_world(subject, place),
    )


def peak_frame(result: PipelineResult) -> int:
    """The frame, of those that were analysed, in which the artery holds most contrast."""
    return int(_artery(result).measured.argmax())


def _artery(result: PipelineResult) -> ArterialInputFunction:
    if result.aif is None:
        raise RuntimeError("a run without an artery has no such step; ask unavailable() first")
    return result.aif


def _peak_image(result: PipelineResult) -> Volume:
    """Concentration at the artery's peak, before denoising where the run kept that, shape (x, y, z)."""
    frame, kept = peak_frame(result), result.intermediate
    if kept is None:
        return unravelled(result.concentration.curves[:, frame], result.analysed)
    return unravelled(kept.unsmoothed.curves[:, frame], kept.curves.analysed)


def _window(result: PipelineResult) -> tuple[float, float]:
    peak = float(_artery(result).measured.max())
    if _artery(result).mask is None:
        # the curve need not be one of this brain
        peak = float(np.percentile(_peak_image(result)[result.analysed], 99.9))
    return 0.0, BRIGHTEST * peak


def _place(result: PipelineResult) -> tuple[float, float, float] | None:
    for vessel in (result.aif, result.vof):
        if vessel is not None and vessel.mask is not None:
            return mark_segments.inner_place(vessel.mask, result.working.grid)
    return None


def _title(result: PipelineResult) -> str:
    sources = {
        "automatic": _("AIF found automatically"),
        "mask": _("AIF marked by the user"),
        "curve": _("AIF given as a curve, without a place"),
        "population": _("Standard AIF, without a place"),
    }
    source = sources[_artery(result).source]
    if result.hemispheres is not None:
        source = _("An AIF for each side")
    seconds = float(result.working.frame_times[peak_frame(result)])
    unit = run_curves.unit_of(result)
    return str(_("{source}; contrast at {seconds:.1f} s [{unit}]")).format(source=source, seconds=seconds, unit=unit)


def _columns(table: Any) -> list[str]:
    content = table.GetTable() if table is not None else None
    return [] if content is None else [content.GetColumnName(index) for index in range(content.GetNumberOfColumns())]

"""Step Quality: everything that speaks against trusting the maps, and the voxels that have none."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from PyPeTLib.pipeline import PipelineResult
from PyPeTLib.quality import Flag
from PyPeTSlicer import curves as run_curves
from PyPeTSlicer.drawn_segments import Segments
from PyPeTSlicer.mark_segments import Mark
from PyPeTSlicer.review import images, marks, timelines
from PyPeTSlicer.review.mask import IMAGE
from PyPeTSlicer.review.subject import Subject, without_summary
from PyPeTSlicer.segments import BRAIN
from PyPeTSlicer.views import Arrangement, Cell, Slice, Table
from PyPeTSlicer.words import for_panel

FLAGS, EXCLUDED = "Flags", "Excluded"
"""Roles of the nodes."""

NOT_ANALYSED, NO_VALUE = "NotAnalysed", "NoValue"
"""Ids of the segments."""

_COLOURS = {NOT_ANALYSED: (1.0, 0.25, 0.1), NO_VALUE: (1.0, 0.8, 0.0)}


def unavailable(subject: Subject) -> str:
    """Why the step cannot be opened; empty where it can."""
    return without_summary() if subject.summary is None and not subject.has(FLAGS) else ""


def arrangement(subject: Subject) -> Arrangement:
    """The excluded voxels on the image; the flags and the summary."""
    shown = [(0.5, _images(subject))]
    if subject.has(FLAGS):
        flags = subject.node(FLAGS, "vtkMRMLTableNode", _("flags"), lambda node: _fill(node, subject))
        shown.append((0.22, (Table(title=flags.GetAttribute(timelines.TITLE), table=flags),)))
    if subject.summary is not None:
        shown.append((0.28, (Table(title=_("Summary"), table=subject.summary),)))
    shown = [(height, row) for height, row in shown if row]
    return Arrangement(rows=tuple(row for _height, row in shown), heights=tuple(height for height, _row in shown))


def excluded(result: PipelineResult) -> dict[str, Mark]:
    """Voxels of the brain without maps, on the grid of the input series: left out at once, or found to have no flow."""
    brain, analysed = result.on_input_grid(result.brain.mask), result.on_input_grid(result.analysed)
    masks = {
        NOT_ANALYSED: (brain & ~analysed, _("Not analysed")),
        NO_VALUE: (brain & analysed & ~result.maps.quality_mask, _("Without a value in every map")),
    }
    return {key: Mark(mask=mask, name=name, colour=_COLOURS[key]) for key, (mask, name) in masks.items()}


def rows(flags: tuple[Flag, ...]) -> list[tuple[str, ...]]:
    """What the table of flags says: severity, value, threshold, message, code; the worst first."""
    order = ("failure", "warning", "note")
    names = {"failure": _("Failure"), "warning": _("Warning"), "note": _("Note")}
    ordered = sorted(flags, key=lambda flag: order.index(flag.severity.value))
    return [
        (
            str(names[flag.severity.value]),
            f"{flag.value:.3g} {flag.unit}".strip(),
            f"{flag.threshold:.3g} {flag.unit}".strip(),
            for_panel(flag.message),
            flag.code,
        )
        for flag in ordered
    ]


def _images(subject: Subject) -> tuple[Cell, ...]:
    if subject.sequence is None:
        return ()
    outline = Segments(segmentation=subject.segmentation, outlined=(BRAIN,))
    if not (subject.has(EXCLUDED) and subject.has(IMAGE)):
        return (Slice(title=_("Brain mask"), background=timelines.input_proxy(subject), segments=(outline,)),)
    image = images.baseline(subject, IMAGE, _("mask image"))
    left_out = marks.marked(
        subject, EXCLUDED, _("excluded voxels"), lambda: excluded(timelines.result_of(subject)).items()
    )
    drawn = (outline, Segments(segmentation=left_out, filled=(NOT_ANALYSED, NO_VALUE)))
    shown = subject.map_node("cbf")
    views: list[Cell] = [
        Slice(title=_("Without maps: red not analysed, yellow without a value"), background=image, segments=drawn)
    ]
    if shown is not None:
        views.append(Slice(title=_("Flow in the brain mask"), background=shown, segments=(outline,)))
    return tuple(views)


def _fill(node: Any, subject: Subject) -> None:
    flags = timelines.result_of(subject).flags
    listed = rows(flags) or [("", "", "", str(_("No flag was raised.")), "")]
    header = (_("Severity"), _("Value"), _("Threshold"), _("Finding"), _("Code"))
    run_curves.fill_rows(node, header, listed)
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    node.SetAttribute(timelines.TITLE, _("Flags: {count}").format(count=len(flags)))

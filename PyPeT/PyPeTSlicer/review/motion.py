"""Step Motion: the series before and after its correction, and how far the head moved."""

from __future__ import annotations

import numpy as np
from slicer.i18n import tr as _

from PyPeTLib.arrays import Curve
from PyPeTLib.pipeline import PipelineResult
from PyPeTSlicer.review import charts, timelines
from PyPeTSlicer.review.charts import Drawing, Line
from PyPeTSlicer.review.subject import Subject
from PyPeTSlicer.views import Arrangement, Plot, Slice

CHART, SHIFT, TURN = "MotionChart", "MotionShift", "MotionTurn"

_AFTER = "PyPeT.After"
"""Attribute of the chart: title of the view of the corrected series."""

_APPLIED = "PyPeT.Applied"

_LEAST = 0.5
"""Millimetres that the axes span at least."""


def unavailable(subject: Subject) -> str:
    """Why the step cannot be opened; empty where it can."""
    if not subject.config.motion.correct:
        return str(_("Motion correction was switched off for this run."))
    reason = timelines.missing(subject, CHART, SHIFT, TURN)
    if reason or subject.result is not None:
        return reason
    is_applied = subject.existing(CHART).GetAttribute(_APPLIED)
    return timelines.missing(subject, timelines.WORKING) if is_applied else ""


def arrangement(subject: Subject) -> Arrangement:
    """Before and after, above displacement, translation and rotation."""
    before = timelines.input_proxy(subject)
    after = timelines.working_proxy(subject)
    timelines.same_window(after, before)
    far = charts.chart(subject, CHART, _("displacement"), lambda: _displacement(timelines.result_of(subject)))
    shift = charts.chart(subject, SHIFT, _("translation"), lambda: _shift(timelines.result_of(subject)))
    turn = charts.chart(subject, TURN, _("rotation"), lambda: _turn(timelines.result_of(subject)))
    if subject.result is not None:
        far.SetAttribute(_AFTER, _after_title(subject.result))
        far.SetAttribute(_APPLIED, "1" if subject.result.motion.applied else "")
    return Arrangement(
        rows=(
            (
                Slice(title=_("Before"), background=before),
                Slice(title=far.GetAttribute(_AFTER), background=after),
            ),
            (
                Plot(title=_("Displacement"), chart=far),
                Plot(title=_("Translation"), chart=shift),
                Plot(title=_("Rotation"), chart=turn),
            ),
        ),
        heights=(0.6, 0.4),
    )


def _after_title(result: PipelineResult) -> str:
    motion = result.motion
    if motion.applied:
        moved = int(np.count_nonzero(motion.estimate.frames_moved))
        title = _("After: {count} frames moved back").format(count=moved)
    else:
        title = _("After: the same, the head moved less than {threshold:g} mm").format(
            threshold=motion.all_frames.threshold
        )
    left_out = motion.all_frames.reliable.size - motion.kept.size
    return str(title + _("; {count} left out").format(count=left_out) if left_out else title)


def _displacement(result: PipelineResult) -> Drawing:
    """How far each frame lies from the reference pose and from the frame before."""
    motion, times = result.motion, result.series.frame_times
    every = motion.all_frames
    left_out = np.setdiff1d(np.arange(times.size), motion.kept)
    lines = [
        Line(name=_("From the reference"), x=times, y=every.displacement, colour=charts.BLUE, marked=True),
        Line(name=_("Framewise (sum of all six)"), x=times, y=every.framewise_displacement, colour=charts.ORANGE),
        Line(
            name=_("Corrected above"),
            x=[times[0], times[-1]],
            y=[every.threshold] * 2,
            colour=charts.GREY,
            dashed=True,
        ),
        Line(name=_("Left out"), x=times[left_out], y=every.displacement[left_out], colour=charts.RED, points=True),
    ]
    return Drawing(
        title=_("Up to {far:.2f} mm from the reference").format(far=every.displacement[motion.kept].max()),
        x_title=_("Time [s]"),
        y_title=_("Displacement [mm]"),
        lines=lines,
        least=_LEAST,
    )


def _shift(result: PipelineResult) -> Drawing:
    """Where the middle of the head goes."""
    names = (_("Right"), _("Anterior"), _("Superior"))
    values = result.motion.all_frames.translations
    return _along_axes(_("Translation of the head"), _("Translation [mm]"), names, result, values)


def _turn(result: PipelineResult) -> Drawing:
    """How the head turns about its middle."""
    names = (_("Nodding"), _("Tilting"), _("Turning"))
    values = result.motion.all_frames.rotations
    return _along_axes(_("Rotation of the head"), _("Rotation [°]"), names, result, values)


def _along_axes(
    title: str, y_title: str, names: tuple[str, str, str], result: PipelineResult, values: Curve
) -> Drawing:
    """A line for each of the axes right, anterior and superior, from values of shape (t, 3)."""
    colours = (charts.RED, charts.GREEN, charts.BLUE)
    times = result.series.frame_times
    lines = [
        Line(name=name, x=times, y=column, colour=colour)
        for name, column, colour in zip(names, values.T, colours, strict=True)
    ]
    return Drawing(title=title, x_title=_("Time [s]"), y_title=y_title, lines=lines, least=_LEAST)

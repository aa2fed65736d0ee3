"""Step Input: the series as it was analysed, the projection of its middle third, and its mean signal."""

from __future__ import annotations

import numpy as np
from slicer.i18n import tr as _

from PyPeTLib.arrays import Volume
from PyPeTLib.projection import Projection, Slab, middle_third
from PyPeTLib.series import Modality
from PyPeTSlicer.review import charts, images, timelines
from PyPeTSlicer.review.bolus import brain_signal
from PyPeTSlicer.review.charts import Drawing, Line
from PyPeTSlicer.review.subject import Subject
from PyPeTSlicer.views import Arrangement, Plot, Slice

PROJECTION, CHART = "InputProjection", "InputChart"

_EVEN = 0.02
"""Share by which the intervals of a series differ that is called even."""

_TISSUE = 50.0
"""HU of brain, above which vessels rise."""


def unavailable(subject: Subject) -> str:
    """Why the step cannot be opened; empty where it can."""
    return timelines.missing(subject, PROJECTION, CHART)


def arrangement(subject: Subject) -> Arrangement:
    """The series beside its projection, above the mean signal of the brain."""
    series = timelines.working_proxy(subject)
    projected, projected_title = images.projections(
        subject,
        PROJECTION,
        _("projection"),
        source=lambda: (_slab(subject), lambda index: timelines.analysed_frame(subject, index)),
        window=lambda values: _window(subject, values),
    )
    chart = charts.chart(subject, CHART, _("signal"), lambda: _signal(subject))
    return Arrangement(
        rows=(
            (
                Slice(title=_("Series as analysed"), background=series),
                Slice(title=projected_title, background=projected),
            ),
            (Plot(title=_("Signal of the brain"), chart=chart),),
        ),
        heights=(0.65, 0.35),
    )


def _slab(subject: Subject) -> Slab:
    """The middle third: brightest voxels in CT, in MR the darkest of the brain, for air is darker than a vessel."""
    result = timelines.result_of(subject)
    is_mr = subject.modality is Modality.DSC
    grid = result.working.grid
    return Slab(
        grid=grid,
        kind=Projection.MINIMUM if is_mr else Projection.MAXIMUM,
        part=middle_third(grid.shape[2]),
        within=result.brain.mask if is_mr else None,
    )


def _window(subject: Subject, values: Volume) -> tuple[float, float]:
    """Black to white: in CT from water to the brightest vessels, not to bone; in MR up to the tissue."""
    result = timelines.result_of(subject)
    inside = result.brain.mask[..., middle_third(result.working.grid.shape[2])].any(axis=2)
    if not inside.any():
        return timelines.signal_window(subject)
    columns = values[inside]
    if subject.modality is Modality.DSC:
        return 0.0, 1.2 * float(np.percentile(columns[:, 0], 95))
    # bone beside the brain is bright, but does not change
    uptake = float(np.percentile(np.ptp(columns, axis=1), 98))
    return 0.0, min(max(_TISSUE + uptake, 120.0), 500.0)


def _signal(subject: Subject) -> Drawing:
    """The mean signal over time, a mark for each frame."""
    result = timelines.result_of(subject)
    times = result.working.frame_times
    steps = np.diff(times)
    left_out = result.series.n_frames - result.working.n_frames
    low, high = float(steps.min()), float(steps.max())
    apart = f"{low:.3g} s" if high - low < _EVEN * high else f"{low:.3g} to {high:.3g} s"
    text = _("{count} frames, {apart} apart").format(count=times.size, apart=apart)
    if left_out:
        text += _("; {count} left out").format(count=left_out)
    unit = "HU" if subject.modality is Modality.CTP else "a.u."
    return Drawing(
        title=text,
        x_title=_("Time [s]"),
        y_title=_("Mean signal of the brain [{unit}]").format(unit=unit),
        lines=(Line(name=_("Brain"), x=times, y=brain_signal(result), colour=charts.BLUE, marked=True),),
    )

"""Step Bolus: the normalised mean curve with the arrival of the bolus, and the brain before and at its peak."""

from __future__ import annotations

import numpy as np
from slicer.i18n import tr as _

from PyPeTLib.arrays import Curve, Volume
from PyPeTLib.contrast import contrast_sign
from PyPeTLib.pipeline import PipelineResult
from PyPeTSlicer.review import charts, images, timelines
from PyPeTSlicer.review.charts import Drawing, Line, upright
from PyPeTSlicer.review.subject import Subject
from PyPeTSlicer.views import Arrangement, Plot, Slice

BEFORE, PEAK, CHART = "BolusBefore", "BolusPeak", "BolusChart"


def unavailable(subject: Subject) -> str:
    """Why the step cannot be opened; empty where it can."""
    result = subject.result
    arrival = subject.curves.GetAttribute("PyPeT.BolusArrival") if subject.curves is not None else None
    if (result is not None and not result.bolus.found) or (result is None and not arrival):
        return str(_("No bolus was found in this run: no rise of the brain's mean signal stands out of the noise."))
    return timelines.missing(subject, BEFORE, PEAK, CHART)


def arrangement(subject: Subject) -> Arrangement:
    """The image before the bolus, that of its peak and all frames, above the curve."""
    before = images.baseline(subject, BEFORE, _("before the bolus"))
    peak = images.still(
        subject, PEAK, _("at the peak"), lambda: _peak_image(subject), lambda: timelines.signal_window(subject)
    )
    series = timelines.working_proxy(subject)
    for image in (before, peak):
        timelines.same_window(image, series)
    chart = charts.chart(subject, CHART, _("bolus"), lambda: _curve(timelines.result_of(subject)))
    if subject.result is not None:
        peak.SetAttribute(timelines.TITLE, _peak_title(subject.result))
    return Arrangement(
        rows=(
            (
                Slice(title=_("Mean before the bolus"), background=before),
                Slice(title=peak.GetAttribute(timelines.TITLE), background=peak),
                Slice(title=_("All frames"), background=series),
            ),
            (Plot(title=_("Bolus"), chart=chart),),
        ),
        heights=(0.55, 0.45),
    )


def brain_signal(result: PipelineResult) -> Curve:
    """Mean signal of the brain in each frame that was analysed, of the last echo, which shows the bolus best."""
    kept = result.intermediate
    if kept is not None:
        return np.asarray(kept.curves.echoes[-1].mean(axis=0, dtype=np.float64))
    echo = result.working.echoes[-1]
    inside = result.analysed
    return np.array([echo.frame(index)[inside].mean(dtype=np.float64) for index in range(echo.n_frames)])


def normalised(result: PipelineResult) -> Curve:
    """The mean curve with its baseline at 0 and its peak at 1, rising with contrast in CT and MR.

    MR frames before the steady state hold no contrast and are 0.
    """
    bolus, signal = result.bolus, brain_signal(result)
    curve = contrast_sign(result.series.modality) * (signal - signal[bolus.baseline].mean())
    curve[: bolus.unsteady_frames] = 0
    peak = float(curve[bolus.baseline.stop - 1 :].max())
    return np.asarray(curve / peak if peak > 0 else curve)


def peak_frame(result: PipelineResult) -> int:
    """The frame, of those that were analysed, in which the brain holds most contrast."""
    # there is a frame behind the baseline: the bolus was found in it
    start = result.bolus.baseline.stop
    return int(start) + int(normalised(result)[start:].argmax())


def _peak_image(subject: Subject) -> Volume:
    return timelines.analysed_frame(subject, peak_frame(timelines.result_of(subject)))


def _peak_title(result: PipelineResult) -> str:
    frame = peak_frame(result)
    return str(_("Peak of the bolus, {time:.1f} s")).format(time=result.working.frame_times[frame])


def _curve(result: PipelineResult) -> Drawing:
    """The normalised curve; the baseline and the arrival are marked."""
    bolus, times, curve = result.bolus, result.working.frame_times, normalised(result)
    low = min(-0.1, float(curve.min()))
    baseline = bolus.baseline
    lines = [
        Line(name=_("Mean of the brain"), x=times, y=curve, colour=charts.BLUE, marked=True),
        upright(_("Bolus arrives"), bolus.time, low, 1.05, charts.RED),
        upright(_("Baseline ends"), times[baseline.stop - 1], low, 1.05, charts.GREY, dashed=True),
    ]
    if baseline.start:
        lines.append(upright(_("Steady state begins"), times[baseline.start], low, 1.05, charts.PURPLE, dashed=True))
    return Drawing(
        title=_("Bolus arrives at {time:.1f} s; baseline of {count} frames").format(
            time=bolus.time, count=baseline.stop - baseline.start
        ),
        x_title=_("Time [s]"),
        y_title=_("Share of the peak"),
        lines=lines,
    )

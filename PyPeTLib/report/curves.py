"""Curves over time: the bolus and the head's motion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from PyPeTLib.pipeline import PipelineResult
from PyPeTLib.report.mosaic import Pixels
from PyPeTLib.series import Modality
from PyPeTLib.version import __version__

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 100
FONT_FAMILY = "DejaVu Sans"
TEXT, NOTE = 13, 11
"""Sizes in points."""
INK, PALE, SHADE = "#222222", "#d9d9d9", "#dbe9f6"
ALARM, FAILURE = "#f4c7c3", "#b00020"
LINES = ("#0072b2", "#d55e00", "#009e73")
"""Colours that colour-blind readers can tell apart (Okabe and Ito 2008)."""
WIDTH = 1500
Box = tuple[float, float, float, float]

FRAME_MARKERS: dict[str, Any] = {"marker": "o", "markersize": 4}


def bolus_figure(result: PipelineResult) -> Pixels:
    """The brain's mean curve with the baseline, the arrival of the bolus and unsteady frames."""
    bolus, times = result.bolus, result.working.frame_times
    figure = new_figure(600)
    state = f"arrival {bolus.time:.1f} s" if bolus.found else "no bolus found"
    write_title(figure, "Bolus in the brain", f"{state} · rule {bolus.rule}")
    axes = new_axes(figure, (0.08, 0.13, 0.89, 0.69), "time [s]", _tracked_label(result))
    shade_frames(axes, times, bolus.baseline, SHADE, f"baseline: {bolus.baseline.stop - bolus.baseline.start} frames")
    if bolus.unsteady_frames:
        shade_frames(axes, times, slice(0, bolus.unsteady_frames), ALARM, "not in steady state, left out")
    steady = slice(bolus.unsteady_frames, None)
    axes.plot(times[steady], bolus.tracked[steady], color=LINES[0], label="mean curve", **FRAME_MARKERS)
    if bolus.found:
        axes.axvline(bolus.time, color=LINES[1], linewidth=1.6, label=f"arrival of the bolus: {bolus.time:.1f} s")
    else:
        write_sentence(axes, "No bolus: the brain's mean signal does not change beyond its noise.")
        at_least(axes, _noise_span(result))
    write_legend(axes)
    return drawn(figure)


def motion_figure(result: PipelineResult) -> Pixels:
    """Translations, rotations and displacement of the head over time."""
    motion, times = result.motion.all_frames, result.series.frame_times
    largest = float(motion.displacement.max())
    figure = new_figure(900)
    state = "corrected" if result.motion.applied else "frames left as they are"
    write_title(figure, "Motion of the head", f"largest displacement {largest:.2f} mm · {state}")
    middle = [new_axes(figure, (0.08, bottom, 0.89, 0.22), "", "") for bottom in (0.66, 0.375)]
    last = new_axes(figure, (0.08, 0.09, 0.89, 0.22), "time [s]", "displacement [mm]")
    for axes in middle:
        axes.tick_params(labelbottom=False)
    for axes, curves, label, names in (
        (middle[0], motion.translations, "translation [mm]", ("to the right", "to the front", "to the top")),
        (middle[1], motion.rotations, "rotation [°]", ("pitch (right axis)", "roll (front axis)", "yaw (top axis)")),
    ):
        axes.set_ylabel(label, fontsize=TEXT, color=INK, fontfamily=FONT_FAMILY)
        for curve, name, colour in zip(curves.T, names, LINES, strict=True):
            axes.plot(times, curve, color=colour, label=name, linewidth=1.6)
        at_least(axes, 1.0)
    last.plot(
        times, motion.framewise_displacement, color=LINES[0], label="framewise (from the frame before)", linewidth=1.6
    )
    last.plot(times, motion.displacement, color=LINES[1], label="from the reference pose", linewidth=1.6)
    last.axhline(
        motion.threshold, color=INK, linewidth=1, linestyle=":", label=f"corrected above {motion.threshold:g} mm"
    )
    last.set_ylim(0, max(0.5, 1.15 * max(largest, float(motion.framewise_displacement.max()))))
    doubtful = np.flatnonzero(~motion.reliable)
    for axes in (*middle, last):
        axes.axvline(times[motion.reference], color=PALE, linewidth=6, zorder=0, label="_")
        for frame in doubtful:
            axes.axvline(times[frame], color=ALARM, linewidth=4, zorder=0, label="_")
    last.lines[-1 - doubtful.size].set_label("reference frame")
    if doubtful.size:
        last.lines[-1].set_label(f"{doubtful.size} frame(s) that fit no pose")
    for axes in (*middle, last):
        write_legend(axes)
    return drawn(figure)


def new_figure(height: int) -> Figure:
    """An empty white figure, `WIDTH` pixels wide, outside of pyplot's state."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import

    figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor="white")
    footer = f"PyPeT {__version__} · Research use only"
    figure.text(0.985, 9 / height, footer, fontsize=NOTE, color=INK, ha="right", fontfamily=FONT_FAMILY)
    return figure


def write_title(figure: Figure, title: str, facts: str) -> None:
    """Title and facts at the upper left."""
    height = figure.get_figheight() * DPI
    figure.text(0.016, 1 - 40 / height, title, fontsize=20, color=INK, fontfamily=FONT_FAMILY)
    figure.text(0.016, 1 - 72 / height, facts, fontsize=15, color=INK, fontfamily=FONT_FAMILY)


def new_axes(figure: Figure, box: Box, x_label: str, y_label: str) -> Axes:
    """Axes with a quiet grid whose look does not depend on the user's matplotlib settings."""
    axes = figure.add_axes(box, facecolor="white")
    axes.set_xlabel(x_label, fontsize=TEXT, color=INK, fontfamily=FONT_FAMILY)
    axes.set_ylabel(y_label, fontsize=TEXT, color=INK, fontfamily=FONT_FAMILY)
    style_ticks(axes)
    axes.grid(visible=True, color="#ececec", linewidth=0.8, linestyle="-")
    axes.set_axisbelow(True)
    axes.margins(x=0.01, y=0.08)
    return axes


def style_ticks(axes: Axes) -> None:
    """Ticks and frame of axes in ink."""
    axes.tick_params(labelsize=NOTE, colors=INK)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(INK)


def write_legend(axes: Axes, *others: Axes, columns: int = 5) -> None:
    """One legend above axes, where it covers no curve, also for those that share their place."""
    handles, labels = axes.get_legend_handles_labels()
    for other in others:
        more, names = other.get_legend_handles_labels()
        handles, labels = handles + more, labels + names
    axes.legend(
        handles,
        labels,
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=columns,
        prop={"family": FONT_FAMILY, "size": NOTE},
        labelcolor=INK,
        frameon=False,
        borderpad=0.2,
        borderaxespad=0.2,
    )


def write_sentence(axes: Axes, sentence: str) -> None:
    """A sentence above axes, at the left, that says why they are empty or flat."""
    axes.text(0.0, 1.02, sentence, transform=axes.transAxes, fontsize=TEXT, color=FAILURE, fontfamily=FONT_FAMILY)


def shade_frames(axes: Axes, times: Any, frames: slice, colour: str, label: str) -> None:
    """Shade the time of some frames."""
    edges = np.concatenate([[times[0]], 0.5 * (times[1:] + times[:-1]), [times[-1]]])
    axes.axvspan(edges[frames.start], edges[frames.stop], color=colour, linewidth=0, zorder=0, label=label)


def drawn(figure: Figure) -> Pixels:
    """The figure's pixels, shape (height, width, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow to import

    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels: Pixels = np.asarray(canvas.buffer_rgba(), np.uint8)[..., :3]  # type: ignore[no-untyped-call]
    return pixels


def at_least(axes: Axes, span: float) -> None:
    """Widen the value axis to a span, so that noise does not look like a finding."""
    low, high = axes.get_ylim()
    missing = max(0.0, span - (high - low))
    axes.set_ylim(low - missing / 2, high + missing / 2)


def _noise_span(result: PipelineResult) -> float:
    """Range in which a curve without a bolus looks as flat as it is: some HU, or a tenth of the MR signal."""
    if result.bolus.rule == "contrast-sum":
        return 0.0
    return 5.0 if result.working.modality is Modality.CTP else 0.1 * float(result.concentration.baseline.mean())


def _tracked_label(result: PipelineResult) -> str:
    if result.bolus.rule == "contrast-sum":
        return "summed contrast, baseline subtracted"
    is_ct = result.working.modality is Modality.CTP
    return "mean enhancement [HU]" if is_ct else "mean signal drop [signal units]"

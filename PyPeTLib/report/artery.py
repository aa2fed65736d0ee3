"""The arterial input function: where it lies, its curves, and the clusters that lost against it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from PyPeTLib.aif import ArterialInputFunction, VenousOutputFunction
from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.assembly import unravelled
from PyPeTLib.contrast import concentration
from PyPeTLib.execution import Execution
from PyPeTLib.pipeline import PipelineResult
from PyPeTLib.report.colours import SHADES, grey_entries
from PyPeTLib.report.curves import (
    FRAME_MARKERS,
    INK,
    LINES,
    SHADE,
    TEXT,
    WIDTH,
    at_least,
    drawn,
    new_axes,
    new_figure,
    shade_frames,
    style_ticks,
    write_legend,
    write_sentence,
)
from PyPeTLib.report.montages import MARGIN, BrainSlices, baseline_planes, failures, series_facts
from PyPeTLib.report.mosaic import Pixels, SliceView, ring, view_around
from PyPeTLib.report.page import SMALL, TITLE, Page
from PyPeTLib.series import Modality

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STRIP_HEIGHT = 620
SHORT_STRIP_HEIGHT = 200
PANEL = (320, 400)
"""Width and height in pixels that a picture may have."""
PANEL_STEP = 350
ZOOM_MARGIN_MM = 12.0
LISTED = 6
"""Candidates that are numbered and listed, best first."""
FINE = 16
RING = 3
"""Width in pixels of the line around the AIF's voxels."""
FLAT_SPAN = {Modality.CTP: 5.0, Modality.DSC: 4.0}
"""Range in HU or 1/s in which the brain's curve looks flat if it is mere noise."""
AIR = 0.15
"""MR signal below this share of the brain's is noise, whose concentration means nothing."""
VEIN = "#56b4e9"
"""Sky blue of the same palette as `LINES`."""
BRIGHTEST = 0.6
"""Share of the AIF's peak that is shown white, so that partial volume of arteries stays visible."""


def aif_figure(result: PipelineResult) -> Pixels:
    """Pictures of the AIF's place above its curves, shape (height, width, 3)."""
    curves = curve_figure(result)
    return np.vstack([place_page(result).rgb, curves])


def place_page(result: PipelineResult) -> Page:
    """Where the AIF was taken: the brain from above, its slice, a close view, and the list of candidates."""
    aif = result.aif
    placed = aif is not None and aif.mask is not None
    page = Page(WIDTH, STRIP_HEIGHT if placed else SHORT_STRIP_HEIGHT)
    page.text(MARGIN, MARGIN, "Arterial input function", size=TITLE)
    source = "none" if aif is None else aif.source
    page.text(MARGIN, MARGIN + TITLE + 14, f"Source: {source} · {series_facts(result)}")
    if aif is not None and aif.mask is not None:
        _draw_place(page, result, aif, aif.mask)
        return page
    whence = "A standard bolus took the artery's place" if source == "population" else "The curve was given"
    sentence = f"{whence}; it has no place in the image." if aif else " ".join(failures(result))
    for i, line in enumerate(page.lines(sentence, WIDTH - 2 * MARGIN)):
        page.text(MARGIN, 120 + 30 * i, line, colour="yellow" if aif else "red")
    return page


def curve_figure(result: PipelineResult) -> Pixels:
    """The AIF's curves and the brain's mean curve, shape (height, width, 3)."""
    figure = new_figure(540)
    aif, times, unit = result.aif, result.working.frame_times, unit_of(result)
    axes = new_axes(figure, (0.075, 0.14, 0.85, 0.72), "time [s]", f"arterial concentration [{unit}]")
    brain_axes = axes.twinx()
    mean = result.concentration.curves.mean(axis=0, dtype=np.float64)
    shade_frames(axes, times, result.bolus.baseline, SHADE, "baseline")
    brain_axes.plot(times, mean, color=LINES[2], linewidth=1.6, label="mean of the brain (right axis)")
    brain_axes.set_ylabel(f"brain concentration [{unit}]", fontsize=TEXT, color=LINES[2])
    style_ticks(brain_axes)
    brain_axes.spines["right"].set_visible(True)
    vessels = [vessel.measured for vessel in (aif, result.vof) if vessel is not None and aif is not None]
    _align_zeros([(brain_axes, mean), *([(axes, max(vessels, key=np.max))] if vessels else [])])
    if aif is None:
        axes.set_yticks([])
        write_sentence(brain_axes, "There is no arterial input function.")
        at_least(brain_axes, FLAT_SPAN[result.working.modality])
    else:
        _draw_artery(axes, aif, times, result.config.aif.curve)
        if result.vof is not None:
            axes.plot(times, result.vof.measured, color=VEIN, linewidth=1.4, label=_vein_label(aif, result.vof))
    if result.bolus.found:
        label = f"bolus arrives in the brain: {result.bolus.time:.1f} s"
        axes.axvline(result.bolus.time, color=INK, linewidth=1.2, linestyle="--", label=label)
    write_legend(axes, brain_axes, columns=3)
    return drawn(figure)


def unit_of(result: PipelineResult) -> str:
    """Unit of concentration."""
    return "HU" if result.working.modality is Modality.CTP else "1/s"


def _draw_place(page: Page, result: PipelineResult, aif: ArterialInputFunction, mask: Mask) -> None:
    brain = BrainSlices.on(result.working.grid, result.brain.mask)
    grid = brain.orientation.ras
    artery = brain.orientation.to_ras(mask)
    best = int(artery.sum(axis=(0, 1)).argmax())
    top = int(aif.measured.argmax())
    white = BRIGHTEST * float(aif.measured[top])
    unit = unit_of(result)
    whole = view_around(brain.mask | artery, grid, margin=4.0, width=PANEL[0], height=PANEL[1])
    marked = artery[..., best, None]
    close = view_around(marked, grid, margin=ZOOM_MARGIN_MM, width=PANEL[0], height=PANEL[1])
    peak = unravelled(result.concentration.curves[:, top], result.analysed)
    projected = brain.orientation.to_ras(peak).max(axis=2, keepdims=True)
    plane = _concentration_plane(result, brain, best, top)
    height = f"slice at {whole.heights(np.array([best]))[0]:.1f} mm".replace("-", "−")
    columns = [MARGIN + i * PANEL_STEP for i in range(4)]
    row = 150
    above: Mask = np.any(artery, axis=2, keepdims=True)
    _panel(page, whole, projected, above, (columns[0], row), "brain, maximum of slices", white)
    _number_candidates(page, whole, aif, (columns[0], row))
    _panel(page, whole, plane, marked, (columns[1], row), height, white)
    _panel(page, close, plane, marked, (columns[2], row), "close view of it", white)
    _list_candidates(page, aif, columns[3], row, unit)
    foot = (
        f"Concentration at {result.working.frame_times[top]:.1f} s, 0 to {white:.0f} {unit}. Yellow: the AIF, "
        f"{int(artery.sum())} voxel(s), {int(marked.sum())} of them in this slice."
    )
    page.text(MARGIN, page.height - 16, foot, size=SMALL, anchor="ls")


def _panel(
    page: Page, view: SliceView, plane: Volume, marked: Mask, corner: tuple[int, int], caption: str, white: float
) -> None:
    """One grey picture with its sides and a ring around the marked voxels; ``plane`` has shape (x, y, 1)."""
    column, row = corner
    tile = view.enlarged(grey_entries(view.cells(plane)[0], 0.0, white))
    first, shades, _ = SHADES["yellow"]
    tile[ring(view.mask_pixels(marked), RING)] = first + shades - 1
    page.put(tile[0], column, row)
    page.text(column + 2, row - 8, "R", anchor="ls")
    page.text(column + view.columns - 2, row - 8, "L", anchor="rs")
    page.text(column + view.columns // 2, row - 8, caption, size=FINE, anchor="ms")


def _number_candidates(page: Page, view: SliceView, aif: ArterialInputFunction, corner: tuple[int, int]) -> None:
    taken: list[tuple[float, float]] = []
    for number, candidate in enumerate(aif.candidates[:LISTED], start=1):
        x, y, _ = view.place(candidate.centre)
        x, y = corner[0] + x + 8, corner[1] + y - 8
        while any(abs(x - other_x) < SMALL and abs(y - other_y) < SMALL for other_x, other_y in taken):
            y += 4
        taken.append((x, y))
        colour = "yellow" if number == 1 else "cyan"
        page.text(x, y, str(number), size=SMALL, colour=colour, anchor="lm", plate=True)


def _list_candidates(page: Page, aif: ArterialInputFunction, column: int, row: int, unit: str) -> None:
    room = page.width - column - MARGIN
    if not aif.candidates:
        page.text(column, row, "The voxels were given as a mask.", size=SMALL)
        return
    page.text(
        column, row - 8, f"{len(aif.candidates)} candidates: centre, peak, time of half peak", size=FINE, anchor="ls"
    )
    row += 10
    for number, candidate in enumerate(aif.candidates[:LISTED], start=1):
        colour = "yellow" if number == 1 else "cyan"
        facts = f"{_where(candidate.centre)} · {candidate.peak:.0f} {unit} · {candidate.arrival:.1f} s"
        page.text(column, row, f"{number}", size=SMALL, colour=colour)
        page.text(column + 24, row, facts, size=FINE)
        lines = page.lines(candidate.verdict, room - 24, FINE)
        for line in lines:
            row += 22
            page.text(column + 24, row, line, size=FINE, colour=colour)
        row += 30


def _where(centre: tuple[float, float, float]) -> str:
    """A place in the patient as letters and mm: ``L 10, P 5, S 16 mm``."""
    parts = (f"{names[value < 0]} {abs(value):.0f}" for value, names in zip(centre, ("RL", "AP", "SI"), strict=True))
    return ", ".join(parts) + " mm"


def _concentration_plane(result: PipelineResult, brain: BrainSlices, height: int, frame: int) -> Volume:
    """Concentration, not smoothed, in one slice at one frame, shape (x, y, 1); 0 where MR shows air."""
    working = result.working
    start = baseline_planes(result, brain.orientation, np.array([height]))[..., 0]
    signal = brain.orientation.to_ras(working.frame(frame))[:, :, height]
    bright = np.ones(start.shape, bool)
    if working.modality is Modality.DSC:
        bright = start > AIR * float(result.concentration.baseline.mean())
    pair = np.stack([start[bright], signal[bright]], axis=1)
    content = concentration(
        pair,
        dataclasses.replace(result.bolus, baseline=slice(0, 1), unsteady_frames=0),
        working.modality,
        echo_time=working.acquisition.echo_time,
        execution=Execution(threads=1),
    )
    return unravelled(content.curves[:, 1], bright)[..., None]


def _align_zeros(drawn_curves: list[tuple[Axes, Curve]]) -> None:
    """Give all value axes their zero at the same height."""
    peaks = [max(float(curve.max()), 1e-6) for _, curve in drawn_curves]
    below = max(0.06, *(1.1 * float(-curve.min()) / peak for (_, curve), peak in zip(drawn_curves, peaks, strict=True)))
    for (axes, _), peak in zip(drawn_curves, peaks, strict=True):
        axes.set_ylim(-min(below, 1.0) * peak, 1.08 * peak)


def _vein_label(aif: ArterialInputFunction, vof: VenousOutputFunction) -> str:
    ratio = "" if aif.venous_ratio is None else f", area {aif.venous_ratio:.2f} times the AIF's"
    scaled = f", AIF scaled by {aif.scale:.2f}" if aif.scale != 1 else ""
    return f"VOF, {vof.source}{ratio}{scaled}"


def _draw_artery(axes: Axes, aif: ArterialInputFunction, times: Curve, used: str) -> None:
    deconvolved = {kind: " (deconvolved with)" if kind == used else "" for kind in ("measured", "fitted")}
    if aif.fit is None:
        deconvolved["measured"] = " (deconvolved with)"
    else:
        fine = np.linspace(times[0], times[-1], 500)
        label = f"gamma variate, r² {aif.fit.r_squared:.3f}{deconvolved['fitted']}"
        axes.plot(fine, aif.fit(fine), color=LINES[1], linewidth=1.8, label=label)
        onset = f"arterial onset: {aif.fit.t0:.1f} s"
        axes.axvline(aif.fit.t0, color=LINES[1], linewidth=1.2, linestyle=":", label=onset)
    axes.plot(
        times,
        aif.measured,
        color=LINES[0],
        linestyle="none",
        label=f"AIF, {aif.source}{deconvolved['measured']}",
        **FRAME_MARKERS,
    )

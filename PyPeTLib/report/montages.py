"""Pages of slices: one for each map, the summary of all maps, and the brain mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import IntArray, Mask, Volume
from PyPeTLib.assembly import MAPS
from PyPeTLib.geometry import Grid, Reorientation, nearest_ras
from PyPeTLib.maps import ParameterMap
from PyPeTLib.pipeline import PipelineResult
from PyPeTLib.quality import Severity
from PyPeTLib.report.colours import SHADES, ColourScale, colour_scale, grey_entries, map_entries
from PyPeTLib.report.mosaic import (
    Pixels,
    SliceView,
    chosen_slices,
    mosaic,
    outline,
    rows_and_columns,
    view_around,
)
from PyPeTLib.report.page import BODY, SMALL, TITLE, Page, horizontal_bar, vertical_bar
from PyPeTLib.series import Modality
from PyPeTLib.version import __version__

MODALITIES = {Modality.CTP: "CT perfusion", Modality.DSC: "DSC-MRI"}
FOOTER = f"PyPeT {__version__} · Research use only"

MOST_SLICES = 20
SUMMARY_LEVELS = (0.3, 0.5, 0.7)
"""Heights of the summary's slices as shares of the brain's slices: about basal ganglia, ventricles, above them."""

CT_WINDOW = (0.0, 80.0)
"""Brain window in HU."""
MARGIN = 24
GAP = 14
STRIP = 30
"""Room for the sides and the height above each tile."""
MOSAIC_WIDTH = 1440
LARGEST_TILE = 480
NARROWEST_PAGE = 1000
BAR_WIDTH = 170


@dataclass(frozen=True, kw_only=True, eq=False)
class BrainSlices:
    """The brain on one grid, with its axes in RAS+ order."""

    orientation: Reorientation
    mask: Mask

    @classmethod
    def on(cls, grid: Grid, mask: Mask) -> BrainSlices:
        """The brain mask of a grid of any orientation."""
        orientation = nearest_ras(grid)
        return cls(orientation=orientation, mask=orientation.to_ras(mask))

    def view(self, n_columns: int, *, margin: float, width: int = MOSAIC_WIDTH) -> SliceView:
        """View of the brain that lets so many tiles stand side by side."""
        return view_around(
            self.mask, self.orientation.ras, margin=margin, width=min(LARGEST_TILE, width // n_columns - GAP)
        )


@dataclass(frozen=True, kw_only=True)
class Heading:
    """What stands above and below the pictures of a page; warnings in yellow, failures in red."""

    title: str
    facts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    footnote: str = ""


def series_facts(result: PipelineResult) -> str:
    """Modality and name of the series."""
    return f"{MODALITIES[result.series.modality]} · {result.series.name}"


def failures(result: PipelineResult) -> tuple[str, ...]:
    """What the flags tell that say why there are no values."""
    return tuple(flag.text for flag in result.flags if flag.severity is Severity.FAILURE)


def map_page(result: PipelineResult, name: str, brain: BrainSlices) -> Page:
    """A montage of one map: up to 20 slices of the brain in its colours, with the colour bar."""
    shown = result.maps[name]
    scale = colour_scale(shown)
    slices = chosen_slices(brain.mask, MOST_SLICES)
    _, n_columns = rows_and_columns(slices.size)
    view = brain.view(n_columns, margin=3.0)
    picture, corners = mosaic(map_tiles(shown, scale, brain, view, slices), n_columns, gap=GAP, strip=STRIP)
    page, left, top = framed(_map_heading(result, shown, scale, brain, slices), picture, right=BAR_WIDTH)
    label_tiles(page, view, slices, [(left + x, top + y) for x, y in corners])
    if not shown.valid.any():
        return page
    column, height = left + picture.shape[1] + 30, min(picture.shape[0] - 120, 900)
    row = top + (picture.shape[0] - height) // 2 + 20
    page.text(column, row - 16, shown.unit, anchor="ld")
    vertical_bar(page, scale, column, row, height)
    if not shown.calibrated:
        page.text(column, row + height + 24, "uncalibrated", size=SMALL, colour="yellow")
    return page


def summary_page(result: PipelineResult, brain: BrainSlices) -> Page:
    """The five maps of every run in three slices, with the flags of the run; further maps have pages of their own."""
    held = chosen_slices(brain.mask, brain.mask.shape[2])
    slices = np.unique(held[[int(level * (held.size - 1) + 0.5) for level in SUMMARY_LEVELS]])
    maps = [result.maps[name] for name in MAPS if name in result.maps]
    view = brain.view(len(maps), margin=3.0)
    scales = [colour_scale(shown) for shown in maps]
    tiles = [map_tiles(shown, scale, brain, view, slices) for shown, scale in zip(maps, scales, strict=True)]
    picture, corners = mosaic(
        np.stack(tiles, axis=1).reshape(-1, view.rows, view.columns), len(maps), gap=GAP, strip=STRIP
    )
    above, below = 76, 80
    picture = np.pad(picture, ((above, below), (0, 0)))
    heading = Heading(
        title="Summary",
        facts=(series_facts(result), _aif_fact(result)),
        warnings=tuple(f.text for f in result.flags if f.severity is Severity.WARNING),
        failures=failures(result),
    )
    page, left, top = framed(heading, picture)
    label_tiles(page, view, np.repeat(slices, len(maps)), [(left + x, top + above + y) for x, y in corners])
    for i, (shown, scale) in enumerate(zip(maps, scales, strict=True)):
        column = left + i * (view.columns + GAP)
        middle = column + view.columns // 2
        page.text(middle, top + 36, shown.quantity.symbol, size=TITLE, anchor="ms")
        note = "" if shown.calibrated else ", uncalibrated"
        page.text(middle, top + 68, shown.unit + note, size=SMALL, colour="yellow" if note else "white", anchor="ms")
        if shown.valid.any():
            bar_top = top + picture.shape[0] - below + 16
            horizontal_bar(page, scale, column + 14, bar_top, view.columns - 28)
    return page


def mask_page(result: PipelineResult) -> Page:
    """The outline of the brain mask on the image before the bolus, in slices over the whole volume."""
    working = result.working
    brain = BrainSlices.on(working.grid, result.brain.mask)
    slices = chosen_slices(np.ones_like(brain.mask), MOST_SLICES)
    _, n_columns = rows_and_columns(slices.size)
    view = brain.view(n_columns, margin=14.0)
    planes = baseline_planes(result, brain.orientation, slices)
    if working.modality is Modality.CTP:
        low, high = CT_WINDOW
        window = f"window {low:g} to {high:g} HU"
    else:
        inside = planes[brain.mask[..., slices]]
        low, high = 0.0, float(np.percentile(inside if inside.size else planes, 99.5))
        window = f"window {low:.3g} to {high:.3g} (signal)"
    tiles = view.enlarged(grey_entries(view.cells(planes)[0], low, high))
    edge = outline(view.mask_pixels(brain.mask[..., slices]))
    analysed = brain.orientation.to_ras(result.analysed)
    left_out = int(np.count_nonzero(brain.mask & ~analysed))
    inner = outline(view.mask_pixels(analysed[..., slices])) if left_out else np.zeros_like(edge)
    for pixels, colour in ((inner, "yellow"), (edge, "cyan")):
        first, shades, _ = SHADES[colour]
        tiles[pixels] = first + shades - 1
    picture, corners = mosaic(tiles, n_columns, gap=GAP, strip=STRIP)
    baseline = result.bolus.baseline
    heading = Heading(
        title="Brain mask",
        facts=(
            series_facts(result),
            f"{result.brain.volume(working.grid):.0f} ml · method {result.brain.method} · mean of frames "
            f"{baseline.start + 1} to {baseline.stop} of {working.n_frames} · {window}",
        ),
        warnings=(*result.brain.notes, *_left_out(left_out, int(np.count_nonzero(brain.mask)))),
        footnote="Cyan: outline of the mask.",
    )
    page, left, top = framed(heading, picture)
    label_tiles(page, view, slices, [(left + x, top + y) for x, y in corners])
    return page


def baseline_planes(result: PipelineResult, orientation: Reorientation, slices: IntArray) -> Volume:
    """Mean signal before the bolus in some slices, shape (x, y, n), axes in RAS+ order."""
    # a new array, since the mean itself may be kept by the caller
    return np.ascontiguousarray(orientation.to_ras(result.baseline_image)[..., slices])


def framed(heading: Heading, picture: Pixels, *, right: int = 0) -> tuple[Page, int, int]:
    """A page with heading and footer around a picture, and the place of the picture's upper left corner."""
    width = max(NARROWEST_PAGE, picture.shape[1] + right + 2 * MARGIN)
    room = width - 2 * MARGIN
    probe = Page(1, 1)
    lines = [(line, BODY, "white") for fact in heading.facts for line in probe.lines(fact, room)]
    lines += [(line, BODY, "red") for text in heading.failures for line in probe.lines(text, room)]
    lines += [(line, BODY, "yellow") for text in heading.warnings for line in probe.lines(text, room)]
    top = MARGIN + TITLE + 14 + 30 * len(lines) + 10
    page = Page(width, top + picture.shape[0] + 60)
    page.text(MARGIN, MARGIN, heading.title, size=TITLE)
    for i, (line, size, colour) in enumerate(lines):
        page.text(MARGIN, MARGIN + TITLE + 14 + 30 * i, line, size=size, colour=colour)
    left = MARGIN + (room - right - picture.shape[1]) // 2
    page.put(picture, left, top)
    page.text(MARGIN, page.height - 18, heading.footnote, size=SMALL, anchor="ls")
    page.text(width - MARGIN, page.height - 18, FOOTER, size=SMALL, anchor="rs")
    return page, left, top


def label_tiles(page: Page, view: SliceView, slices: IntArray, corners: list[tuple[int, int]]) -> None:
    """Write the sides and the height of the slice above each tile."""
    for (column, row), height in zip(corners, view.heights(slices), strict=True):
        page.text(column + 4, row - 8, "R", anchor="ls")
        page.text(column + view.columns - 4, row - 8, "L", anchor="rs")
        text = f"{height:.1f} mm".replace("-", "−")
        page.text(column + view.columns // 2, row - 8, text, size=SMALL, anchor="ms")


def map_tiles(shown: ParameterMap, scale: ColourScale, brain: BrainSlices, view: SliceView, slices: IntArray) -> Pixels:
    """Slices of a map as palette entries, shape (n, rows, columns)."""
    to_ras = brain.orientation.to_ras
    values, valid = view.cells(to_ras(shown.values)[..., slices], to_ras(shown.valid)[..., slices])
    inside = view.cells(brain.mask[..., slices].astype(np.float32), brain.mask[..., slices])[1]
    return view.enlarged(map_entries(values, valid, inside, scale))


def _map_heading(
    result: PipelineResult, shown: ParameterMap, scale: ColourScale, brain: BrainSlices, slices: IntArray
) -> Heading:
    made = [f"method {shown.provenance['method']}"] if "method" in shown.provenance else []
    if "reference" in shown.provenance:
        made.append(f"counted from {str(shown.provenance['reference']).replace('-', ' ')}")
    if scale.fitted:
        made.append("window fitted to this map")
    held = int(np.count_nonzero(brain.mask.any(axis=(0, 1))))
    made.append(f"{slices.size} of {held} slices")
    codes = [flag.code for flag in result.flags if flag.severity is Severity.WARNING]
    warnings = [f"Warnings: {', '.join(codes)}"] if codes else []
    if not shown.calibrated:
        warnings.insert(0, "Uncalibrated: values are relative, their absolute scale is arbitrary.")
    quantity = shown.quantity
    state = "" if shown.calibrated else ", uncalibrated"
    return Heading(
        title=f"{quantity.symbol}: {quantity.title[:1].lower()}{quantity.title[1:]} [{shown.unit}{state}]",
        facts=(series_facts(result), " · ".join(made)),
        warnings=tuple(warnings),
        failures=failures(result),
        footnote="Dark grey: brain without a value.",
    )


def _left_out(voxels: int, of: int) -> tuple[str, ...]:
    if not voxels:
        return ()
    share = f"{voxels / of:.1%}"
    return (f"{share} of the mask lies outside the analysed part (yellow): out of view or spoilt by motion.",)


def _aif_fact(result: PipelineResult) -> str:
    if result.aif is None:
        return "no arterial input function"
    unit = "HU" if result.series.modality is Modality.CTP else "1/s"
    top = int(result.aif.measured.argmax())
    return (
        f"arterial input function: {result.aif.source}, peak {result.aif.measured[top]:.0f} {unit} "
        f"at {result.working.frame_times[top]:.1f} s"
    )

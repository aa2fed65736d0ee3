"""A page of where the lesions lie: their outlines on the maps that show them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import IntArray, Mask
from PyPeTLib.lesions import Lesions
from PyPeTLib.maps import ParameterMap
from PyPeTLib.pipeline import PipelineResult
from PyPeTLib.quality import Severity
from PyPeTLib.report.colours import SHADES, colour_scale
from PyPeTLib.report.montages import (
    BAR_WIDTH,
    GAP,
    STRIP,
    BrainSlices,
    Heading,
    failures,
    framed,
    label_tiles,
    map_tiles,
    series_facts,
)
from PyPeTLib.report.mosaic import Pixels, SliceView, chosen_slices, mosaic, outline, ring, rows_and_columns
from PyPeTLib.report.page import BODY, SMALL, Page, vertical_bar

MOST_SLICES = 10

MAGENTA = (255, 0, 255)
"""Of the core's outline: no map has this colour."""

LEGEND = 44
"""Room for the legend above the pictures."""

_WHITE = SHADES["white"][1] - 1


@dataclass(frozen=True, kw_only=True, eq=False)
class _Edges:
    """Pixels of outlines, shape (n, rows, columns)."""

    hypoperfused: Mask
    core: Mask
    around: Mask


def lesion_page(result: PipelineResult, lesions: Lesions, brain: BrainSlices) -> Pixels:
    """Slices that hold lesion, on the map of the core and the map of hypoperfusion, with both outlines.

    Without a lesion the page shows slices of the whole brain and says that none was found.

    Parameters
    ----------
    result : PipelineResult
    lesions : Lesions
        On the grid of the maps.
    brain : BrainSlices
        The brain on that grid.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        Colours: the core's is none of the palette.
    """
    to_ras = brain.orientation.to_ras
    late, core = to_ras(lesions.hypoperfused | lesions.core), to_ras(lesions.core)
    slices, held = lesion_slices(late, core, brain.mask)
    names = dict.fromkeys((lesions.options.core_map, lesions.options.hypoperfusion_map))
    maps = [result.maps[name] for name in names if name in result.maps]
    _, columns = rows_and_columns(slices.size)
    side_by_side = slices.size == 1
    view = brain.view(len(maps) if side_by_side else columns, margin=3.0)
    edges = _edges(view, late[..., slices], core[..., slices])
    tiles = [_outlined(map_tiles(shown, colour_scale(shown), brain, view, slices), edges) for shown in maps]
    order = _order(len(maps), slices.size, columns)
    stacked = np.concatenate([*tiles, np.zeros_like(tiles[0][:1])])
    across = len(maps) if side_by_side else columns
    picture, corners = mosaic(stacked[order], across, gap=GAP, strip=STRIP)
    picture = np.pad(picture, ((LEGEND, 0), (0, 0)))
    page, left, top = framed(_heading(result, lesions, maps, (slices.size, held)), picture, right=BAR_WIDTH)
    filled = np.flatnonzero(order < len(maps) * slices.size)
    places = [(left + corners[i][0], top + LEGEND + corners[i][1]) for i in filled]
    of_map, of_slice = np.divmod(order[filled], slices.size)
    label_tiles(page, view, slices[of_slice], places)
    for (column, row), which in zip(places, of_map, strict=True):
        page.text(column + 4, row + 4, maps[which].quantity.symbol, size=SMALL, plate=True)
    swatch = _legend(page, lesions, left, top)
    _bars(page, maps, left + picture.shape[1] + 30, top + LEGEND, picture.shape[0] - LEGEND)
    coloured = page.rgb.copy()
    for (column, row), where in zip(places, of_slice, strict=True):
        coloured[row : row + view.rows, column : column + view.columns][edges.core[where]] = MAGENTA
    coloured[swatch] = MAGENTA
    return coloured


def lesion_slices(late: Mask, core: Mask, brain: Mask) -> tuple[IntArray, int]:
    """Slices to show, and how many hold lesion; the one with the largest core is always among them.

    Parameters
    ----------
    late, core, brain : ndarray of bool, shape (x, y, z)
        Without any lesion, slices of the brain are chosen.
    """
    held = int(np.count_nonzero(late.any(axis=(0, 1))))
    slices = chosen_slices(late if held else brain, MOST_SLICES)
    areas = np.count_nonzero(core, axis=(0, 1))
    largest = int(areas.argmax())
    if areas[largest] and largest not in slices:
        slices = slices.copy()
        slices[np.abs(slices - largest).argmin()] = largest
    return slices, held


def _order(n_maps: int, n_slices: int, columns: int) -> IntArray:
    """Which tile stands where: below a row of one map the same slices of the next; the last tile is an empty one."""
    rows = -(-n_slices // columns)
    places = np.full((rows, n_maps, columns), n_maps * n_slices, np.intp)
    for which in range(n_maps):
        row = np.full(rows * columns, n_maps * n_slices, np.intp)
        row[:n_slices] = which * n_slices + np.arange(n_slices)
        places[:, which] = row.reshape(rows, columns)
    return places.ravel()


def _edges(view: SliceView, late: Mask, core: Mask) -> _Edges:
    late_pixels, core_pixels = view.mask_pixels(late), view.mask_pixels(core)
    edge, inner = outline(late_pixels), outline(core_pixels, 3)
    # a dark seam sets white off from the bright colours of a map
    return _Edges(hypoperfused=edge & ~inner, core=inner, around=ring(late_pixels, 1))


def _outlined(tiles: Pixels, edges: _Edges) -> Pixels:
    tiles = tiles.copy()
    tiles[edges.around] = 0
    tiles[edges.hypoperfused] = _WHITE
    return tiles


def _legend(page: Page, lesions: Lesions, left: int, top: int) -> tuple[slice, slice]:
    """Colours of the outlines with volumes; returns where magenta is to stand."""
    late = f"hypoperfused, core included: {lesions.hypoperfused_volume:.1f} ml"
    page.put(np.full((6, 34), _WHITE, np.uint8), left, top + 10)
    page.text(left + 44, top + 13, late, anchor="lm")
    column = round(left + 44 + page.length(late, BODY)) + 50
    page.text(column + 44, top + 13, f"core (estimate): {lesions.core_volume:.1f} ml", anchor="lm")
    return slice(top + 10, top + 16), slice(column, column + 34)


def _bars(page: Page, maps: list[ParameterMap], column: int, top: int, height: int) -> None:
    """A colour bar for each map, one below the other."""
    part = height // max(1, len(maps))
    for place, shown in enumerate(maps):
        row = top + place * part
        page.text(column, row + STRIP, shown.quantity.symbol, anchor="ls")
        page.text(column, row + STRIP + 24, shown.unit, size=SMALL, anchor="ls")
        length = min(part - STRIP - 90, 400)
        if shown.valid.any() and length > 0:
            vertical_bar(page, colour_scale(shown), column, row + STRIP + 44, length)
            if not shown.calibrated:
                page.text(column, row + STRIP + length + 60, "uncalibrated", size=SMALL, colour="yellow")


def _heading(result: PipelineResult, lesions: Lesions, maps: list[ParameterMap], slices: tuple[int, int]) -> Heading:
    shown, held = slices
    options = lesions.options
    told = f"{shown} of {held} slices with lesion" if held else f"{shown} slices of the brain"
    rules = (
        f"Hypoperfused: {options.hypoperfusion_rule} · core: {options.core_rule}",
        f"thresholds {options.preset}{', changed' if options.changed else ''} · clusters below "
        f"{options.smallest_cluster:g} ml left out · {told}",
    )
    codes = [flag.code for flag in result.flags if flag.severity is Severity.WARNING]
    warnings = [f"Warnings: {', '.join(codes)}"] if codes else []
    relative = [one.quantity.symbol for one in maps if not one.calibrated]
    if relative:
        warnings.insert(0, f"Uncalibrated: values of {', '.join(relative)} are relative, their scale is arbitrary.")
    if not held:
        warnings.insert(0, "No lesion found by these thresholds.")
    return Heading(
        title="Lesions" if held else "Lesions: no lesion found",
        facts=(series_facts(result), *rules),
        warnings=tuple(warnings),
        failures=failures(result),
        footnote="Outlines by thresholds. Dark grey: brain without a value.",
    )

"""Pictures of synthetic PET: contrasts, real and predicted PET and errors side by side; methods against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import IntArray, Mask, Volume
from PyPeTLib.geometry import Grid
from PyPeTLib.maps import QUANTITIES, ParameterMap
from PyPeTLib.report.colours import (
    SHADES,
    ColourScale,
    OpenScale,
    colour_scale,
    grey_entries,
    map_entries,
)
from PyPeTLib.report.curves import FONT_FAMILY, INK, LINES, NOTE, TEXT, drawn, new_axes, new_figure, write_title
from PyPeTLib.report.montages import GAP, STRIP, Heading, framed, label_tiles
from PyPeTLib.report.mosaic import Pixels, SliceView, chosen_slices, mosaic, outline, ring, view_around
from PyPeTLib.report.page import BODY, SMALL, Box, Page, horizontal_bar, recoloured

SYNTHETIC = "Synthetic PET, computed from MRI · research use only. A lesion that the MRI does not show cannot appear."

MOST_SLICES = 5
WIDTH, LARGEST_TILE = 1750, 340
"""Pixels of all columns together, and of one."""

MAGENTA = (255, 0, 255)
"""Of the outline in the predicted PET: no map has this colour."""

_ABOVE, _BELOW, _LEGEND = 66, 92, 40
_WHITE = SHADES["white"][1] - 1
_TABLES = {"absolute error": "inferno", "signed error": "coolwarm"}
"""Colour tables of columns that have their own."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SynthesisPicture:
    """What is shown of one head; all volumes on one RAS+ grid.

    Attributes
    ----------
    name : str
        Of the head.
    method : str
        What predicted, such as ``"P = 64"``.
    grid : Grid
    mask : ndarray of bool, shape (x, y, z)
        The brain.
    contrasts : mapping of str to ndarray
    predicted : ndarray
    pet : ndarray, optional
        The real one; the errors are shown with it.
    unit : str
        Of both; ``""`` where it is not told.
    low_predicted, low_real : ndarray of bool, optional
        Hypometabolic regions, to be outlined.
    facts : tuple of str
        Lines for the head of the page, such as figures of agreement.
    warnings : tuple of str
    """

    name: str
    method: str
    grid: Grid
    mask: Mask
    contrasts: Mapping[str, Volume]
    predicted: Volume
    pet: Volume | None = None
    unit: str = ""
    low_predicted: Mask | None = None
    low_real: Mask | None = None
    facts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class _Column:
    """One volume in all slices; a scale for colours, a window for greys."""

    title: str
    below: str
    values: Volume
    scale: ColourScale | None = None
    window: tuple[float, float] = (0.0, 1.0)
    outlined: bool = False

    def tiles(self, view: SliceView, mask: Mask, slices: IntArray) -> Pixels:
        planes, inside = self.values[..., slices], mask[..., slices]
        if self.scale is None:
            return view.enlarged(grey_entries(view.cells(planes)[0], *self.window))
        values, valid = view.cells(planes, inside)
        return view.enlarged(map_entries(values, valid, valid, self.scale))


def synthesis_page(shown: SynthesisPicture) -> Pixels:
    """The MRI contrasts, the real and the predicted PET and their errors in axial slices, side by side.

    Both PETs share one scale, both errors have one range. Regions that are hypometabolic against the other side are
    outlined in both PETs: those of the real one in white, those of the predicted one in magenta. Without a real PET
    there are no errors. The patient's right is on the left.

    Parameters
    ----------
    shown : SynthesisPicture

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
    """
    columns = _columns(shown)
    slices = _slices(shown)
    view = view_around(
        shown.mask, shown.grid, margin=3.0, width=min(LARGEST_TILE, (WIDTH - GAP * len(columns)) // len(columns))
    )
    stacked = np.stack([column.tiles(view, shown.mask, slices) for column in columns], axis=1)
    edges = _Edges(shown, view, slices)
    for place, column in enumerate(columns):
        if column.outlined:
            edges.draw_real(stacked[:, place])
    picture, corners = mosaic(stacked.reshape(-1, view.rows, view.columns), len(columns), gap=GAP, strip=STRIP)
    above = _ABOVE + (_LEGEND if edges.any else 0)
    page, left, top = framed(_heading(shown, slices), np.pad(picture, ((above, _BELOW), (0, 0))))
    places = [(left + x, top + above + y) for x, y in corners]
    label_tiles(page, view, np.repeat(slices, len(columns)), places)
    swatch = edges.legend(page, left, top) if edges.any else None
    boxes = _bars(page, columns, view, left, (top + above, top + above + picture.shape[0] + 14))
    pixels = recoloured(page, boxes)
    if swatch is not None:
        pixels[swatch] = MAGENTA
    for i, (x, y) in enumerate(places):
        if columns[i % len(columns)].outlined:
            pixels[y : y + view.rows, x : x + view.columns][edges.inner[i // len(columns)]] = MAGENTA
    return pixels


def fidelity_figure(values: Mapping[str, Mapping[str, Sequence[float]]], *, subjects: int, notes: str = "") -> Pixels:
    """Figures of agreement by method: a box and every subject as a point, one plot for each figure.

    Parameters
    ----------
    values : mapping of str to mapping of str to sequence of float
        Title of the figure, such as ``"PSNR [dB] ↑"``; then the method, in the order to show; then each subject's.
    subjects : int
    notes : str
        A sentence below the title, such as what the data are.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
    """
    figure = new_figure(560)
    write_title(figure, f"Predicted against real PET, {subjects} subjects", notes)
    width = 0.97 / max(1, len(values))
    for place, (title, methods) in enumerate(values.items()):
        axes = new_axes(figure, (0.02 + place * width + 0.024, 0.24, width - 0.036, 0.54), "", "")
        axes.set_title(title, fontsize=TEXT, color=INK, fontfamily=FONT_FAMILY)
        for at, found in enumerate(methods.values()):
            held = np.asarray([value for value in found if np.isfinite(value)], np.float64)
            # side by side in a fixed order, so that equal values are seen as several
            spread = 0.05 * ((np.arange(held.size) % 5) - 2)
            axes.scatter(at + spread, held, s=22, color=LINES[0], alpha=0.6, linewidths=0)
            if held.size >= 3:
                low, middle, high = np.percentile(held, (25, 50, 75))
                axes.bar(at, high - low, 0.6, bottom=low, facecolor="none", edgecolor=INK, linewidth=1.2)
                axes.plot((at - 0.3, at + 0.3), (middle, middle), color=LINES[1], linewidth=2.6)
        axes.set_xlim(-0.6, len(methods) - 0.4)
        axes.set_xticks(range(len(methods)), list(methods), rotation=40, ha="right", fontfamily=FONT_FAMILY)
        axes.tick_params(labelsize=NOTE)
    figure.text(
        0.016,
        10 / 560,
        "Points: subjects. Box: quartiles; thick line: median.",
        fontsize=NOTE,
        color=INK,
        fontfamily=FONT_FAMILY,
    )
    return drawn(figure)


def _columns(shown: SynthesisPicture) -> list[_Column]:
    unit = shown.unit or "unit not told"
    columns = []
    for name, values in shown.contrasts.items():
        low, high = (float(end) for end in np.percentile(values[shown.mask], (1, 99.5)))
        low = min(0.0, low)
        text = f"{low:.3g} to {high:.3g}".replace("-", "−")
        columns.append(_Column(title=name, below=text, values=values, window=(low, high)))
    held = [shown.predicted[shown.mask]] + ([] if shown.pet is None else [shown.pet[shown.mask]])
    scale = _fitted(np.concatenate(held))
    if shown.pet is not None:
        columns.append(_Column(title="real PET", below=unit, values=shown.pet, scale=scale, outlined=True))
    columns.append(_Column(title="predicted PET", below=unit, values=shown.predicted, scale=scale, outlined=True))
    if shown.pet is not None:
        error = shown.predicted - shown.pet
        size = np.abs(error)
        most = _fitted(size[shown.mask]).high
        both = ColourScale(low=0.0, high=most, ticks=(0.0, most / 2, most), fitted=True)
        # an odd number of bands, so that no error has the middle colour
        signed = OpenScale(low=-most, high=most, bands=63, ticks=(-most, 0.0, most), fitted=True)
        columns.append(_Column(title="absolute error", below=unit, values=size, scale=both))
        columns.append(_Column(title="signed error", below="predicted − real", values=error, scale=signed))
    return columns


def _fitted(values: Volume) -> ColourScale:
    """A scale from 0 up to a round number that 98 % of the values keep within."""
    shown = ParameterMap(
        quantity=QUANTITIES["peak_height"], values=values, valid=np.ones(values.shape, bool), calibrated=False
    )
    return colour_scale(shown)


def _slices(shown: SynthesisPicture) -> IntArray:
    """Evenly spaced slices from the top down without the outermost ones, the one with most of the lesion among them."""
    held = chosen_slices(shown.mask, shown.mask.shape[2])
    room = max(1, round(0.12 * held.size)) if held.size > MOST_SLICES + 2 else 0
    inner = held[room : held.size - room]
    slices = inner[np.unique(np.round(np.linspace(0, inner.size - 1, min(MOST_SLICES, inner.size))).astype(np.intp))]
    low = shown.low_predicted if shown.low_real is None else shown.low_real
    if low is not None and low.any():
        largest = int(np.count_nonzero(low, axis=(0, 1)).argmax())
        if largest not in slices:
            slices = slices.copy()
            slices[np.abs(slices - largest).argmin()] = largest
    return slices[::-1]


class _Edges:
    """Outlines of the hypometabolic regions in the slices that are shown."""

    def __init__(self, shown: SynthesisPicture, view: SliceView, slices: IntArray) -> None:
        nothing = np.zeros(shown.mask.shape, bool)
        real = nothing if shown.low_real is None else shown.low_real
        predicted = nothing if shown.low_predicted is None else shown.low_predicted
        pixels = view.mask_pixels(real[..., slices])
        # one outside its region and one inside, so that both are seen where the regions are alike
        self._outer, self._seam = ring(pixels, 2), ring(pixels, 4)
        self.inner = outline(view.mask_pixels(predicted[..., slices]), 2)
        self._volumes = [
            None if mask is None else float(np.count_nonzero(mask)) * shown.grid.voxel_volume / 1000
            for mask in (shown.low_real, shown.low_predicted)
        ]

    @property
    def any(self) -> bool:
        """Whether regions were given at all."""
        return any(volume is not None for volume in self._volumes)

    def draw_real(self, tiles: Pixels) -> None:
        """Outline the regions of the real PET in tiles (n, rows, columns)."""
        # a dark seam sets white off from the bright colours
        tiles[self._seam] = 0
        tiles[self._outer] = _WHITE

    def legend(self, page: Page, left: int, top: int) -> Box | None:
        """Colours of the outlines with volumes; returns where magenta is to stand."""
        page.text(left, top + 18, "lower than the other side:", anchor="lm")
        column = left + round(page.length("lower than the other side:", BODY)) + 24
        swatch = None
        for name, volume in zip(("real", "predicted"), self._volumes, strict=True):
            if volume is None:
                continue
            place = slice(top + 15, top + 21), slice(column, column + 34)
            if name == "real":
                page.pixels[place] = _WHITE
            else:
                swatch = place
            text = f"{name} PET, {volume:.1f} ml" if volume else f"{name} PET: nothing found"
            page.text(column + 44, top + 18, text, anchor="lm")
            column += 44 + round(page.length(text, BODY)) + 50
        return swatch


def _bars(
    page: Page, columns: Sequence[_Column], view: SliceView, left: int, rows: tuple[int, int]
) -> list[tuple[Box, str]]:
    """Titles above the columns and their scales below; returns the boxes that have colours of their own."""
    top, bottom = rows
    boxes = []
    across = view.columns + GAP
    for place, column in enumerate(columns):
        x = left + place * across
        middle = x + view.columns // 2
        size = next((size for size in (26, 22, 19, 16) if page.length(column.title, size) < view.columns), 14)
        page.text(middle, top - 26, column.title, size=size, anchor="ms")
        if column.scale is None:
            page.text(middle, bottom + 4, "window", size=SMALL, anchor="ma")
            page.text(middle, bottom + 28, column.below, size=SMALL, anchor="ma")
            continue
        # room for the labels of both ends beside those of the next bar
        inset = view.columns // (5 if column.scale.low < 0 else 8)
        horizontal_bar(page, column.scale, x + inset, bottom, view.columns - 2 * inset)
        page.text(middle, bottom + 66, column.below, size=SMALL, anchor="ms")
        if column.title in _TABLES:
            strip = slice(x, x + view.columns)
            boxes += [((slice(top, bottom + 18), strip), _TABLES[column.title])]
    return boxes


def _heading(shown: SynthesisPicture, slices: IntArray) -> Heading:
    held = int(np.count_nonzero(shown.mask.any(axis=(0, 1))))
    scales = ["One scale for both PETs and one range for both errors, fitted to this head"]
    footnote = "The patient's right is on the left."
    if shown.pet is None:
        scales = ["Scale fitted to this head"]
    else:
        footnote += " Signed error: red where the predicted PET is higher than the real one, blue where it is lower."
    return Heading(
        title=f"{shown.name}: PET predicted from MRI, {shown.method}",
        facts=(*shown.facts, " · ".join([*scales, f"{slices.size} of {held} slices"])),
        warnings=(SYNTHETIC, *shown.warnings),
        footnote=footnote,
    )

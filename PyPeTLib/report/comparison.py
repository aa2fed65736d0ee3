"""Pictures of a comparison: both maps and their difference side by side, and how their values agree."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.compare.agreement import bland_altman, joint_histogram
from PyPeTLib.compare.metrics import METRICS
from PyPeTLib.compare.model import Comparison
from PyPeTLib.compare.rows import in_unit
from PyPeTLib.geometry import Grid, Reorientation, nearest_ras
from PyPeTLib.maps import QUANTITIES, ParameterMap
from PyPeTLib.report.colours import ColourScale, OpenScale, colour_scale, map_entries
from PyPeTLib.report.curves import INK, LINES, drawn, new_axes, new_figure, write_legend, write_title
from PyPeTLib.report.montages import GAP, STRIP, Heading, framed, label_tiles
from PyPeTLib.report.mosaic import Pixels, SliceView, chosen_slices, mosaic, view_around
from PyPeTLib.report.page import SMALL, TITLE, horizontal_bar, recoloured

MOST_SLICES = 4
TILE = 400
"""Pixels that a slice is wide, about."""

_HEADS = ("Generated", "Reference", "Generated − reference")
_ABOVE, _BELOW = 76, 90
_TOLD = ("ncc", "concordance", "ssim_brain", "mae", "bias")
"""Figures above the picture."""
_WAYS = {"relative": "(x − mean)/mean", "ratio": "x/mean"}


@dataclass(frozen=True, kw_only=True, eq=False)
class _Planes:
    """What is shown of a comparison: its volumes with their axes in RAS+ order, the slices and their view."""

    comparison: Comparison
    orientation: Reorientation
    slices: np.ndarray[tuple[int], np.dtype[np.intp]]
    view: SliceView

    def tiles(self, values: Volume, valid: Mask, scale: ColourScale) -> Pixels:
        """Pictures of the slices of a volume in the order of the comparison's axes."""
        to_ras, chosen = self.orientation.to_ras, (..., self.slices)
        held = to_ras(self.comparison.generated_valid | self.comparison.reference_valid)[chosen]
        cells, inside = self.view.cells(to_ras(values)[chosen], to_ras(valid)[chosen])
        brain = self.view.cells(held.astype(np.float32), held)[1]
        return self.view.enlarged(map_entries(cells, inside, brain, scale))


def comparison_page(comparison: Comparison) -> Pixels:
    """Generated map, reference and their difference side by side, in up to four slices.

    Both maps share one scale. The difference has colours of its own, red where the generated map is higher, and is
    shown where both hold values; dark grey is where one of both holds none. The patient's right is on the left.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
    """
    planes = _planes(comparison)
    view, slices = planes.view, planes.slices
    scale = map_scale(comparison)
    apart = difference_scale(comparison, scale)
    columns = (
        planes.tiles(comparison.generated, comparison.generated_valid, scale),
        planes.tiles(comparison.reference, comparison.reference_valid, scale),
        planes.tiles(comparison.difference, comparison.mask, apart),
    )
    tiles = np.stack(columns, axis=1).reshape(-1, view.rows, view.columns)
    picture, corners = mosaic(tiles, len(columns), gap=GAP, strip=STRIP)
    page, left, top = framed(_heading(comparison, scale), np.pad(picture, ((_ABOVE, _BELOW), (0, 0))))
    corners = [(left + x, top + _ABOVE + y) for x, y in corners]
    label_tiles(page, view, np.repeat(slices, len(columns)), corners)
    across, row = view.columns + GAP, top + _ABOVE + picture.shape[0] + 18
    for i, head in enumerate(_HEADS):
        page.text(left + i * across + view.columns // 2, top + 40, head, size=TITLE - 4, anchor="ms")
    inset = view.columns // 10
    horizontal_bar(page, scale, left + inset, row, 2 * view.columns + GAP - 2 * inset)
    horizontal_bar(page, apart, left + 2 * across + inset, row, view.columns - 2 * inset)
    unit = _unit(comparison)
    for middle in (left + view.columns + GAP // 2, left + 2 * across + view.columns // 2):
        page.text(middle, row + 66, unit, size=SMALL, anchor="ms")
    right = slice(left + 2 * across, left + 2 * across + view.columns)
    boxes = [(slice(y, y + view.rows), right) for x, y in corners if x == right.start]
    return recoloured(page, [(box, "coolwarm") for box in (*boxes, (slice(row, row + 18), right))])


def agreement_figure(comparison: Comparison) -> Pixels:
    """Joint histogram with the line of equal values, and Bland-Altman plot with bias and limits of agreement.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
    """
    figure = new_figure(720)
    symbol, unit = QUANTITIES[comparison.quantity].symbol, _unit(comparison)
    write_title(figure, f"{symbol}: agreement of the values", f"{comparison.coverage.voxels} voxels · {unit}")
    left = new_axes(figure, (0.065, 0.11, 0.40, 0.73), f"reference [{unit}]", f"generated [{unit}]")
    joint = joint_histogram(comparison)
    shown = np.ma.masked_equal(joint.counts, 0)
    drawn_counts = left.pcolormesh(joint.edges, joint.edges, np.ma.log10(shown), cmap="viridis", rasterized=True)
    ends = joint.edges[[0, -1]]
    left.plot(ends, ends, color=LINES[1], linewidth=1.4, label="equal values")
    left.set_xlim(*ends)
    left.set_ylim(*ends)
    write_legend(left)
    bar = figure.colorbar(drawn_counts, ax=left, pad=0.02, fraction=0.05)
    bar.set_label("voxels (power of ten)", color=INK)
    plot = bland_altman(comparison)
    right = new_axes(figure, (0.56, 0.11, 0.42, 0.73), f"mean of both [{unit}]", f"generated − reference [{unit}]")
    right.scatter(plot.means, plot.differences, s=3, color=LINES[0], alpha=0.25, linewidths=0, rasterized=True)
    right.axhline(0, color=INK, linewidth=0.8)
    right.axhline(plot.bias, color=LINES[1], linewidth=1.6, label=f"bias {_plain(plot.bias)}")
    if np.isfinite(plot.lower):
        label = f"95 % limits {_plain(plot.lower)} to {_plain(plot.upper)}"
        right.axhline(plot.lower, color=LINES[1], linewidth=1.2, linestyle="--", label=label)
        right.axhline(plot.upper, color=LINES[1], linewidth=1.2, linestyle="--", label="_")
    write_legend(right)
    return drawn(figure)


def map_scale(comparison: Comparison) -> ColourScale:
    """One scale for both maps: the quantity's window in its unit, else the range that both fill together."""
    quantity = QUANTITIES[comparison.quantity]
    values = np.concatenate(
        [
            comparison.generated[comparison.generated_valid],
            comparison.reference[comparison.mask],
        ]
    )
    # relative values have the steps of x/mean
    below = 1.0 if comparison.normalisation == "relative" else 0.0
    own_unit = comparison.normalisation == "absolute" and comparison.unit == quantity.unit
    if not own_unit and not below and float(np.percentile(values, 2)) < 0:
        return _around_zero(values)
    shown = ParameterMap(
        quantity=quantity if own_unit else QUANTITIES["peak_height"],
        values=values + np.float32(below),
        valid=np.ones(values.shape, bool),
        calibrated=own_unit,
    )
    scale = colour_scale(shown)
    if not below:
        return scale
    ticks = tuple(round(tick - below, 6) for tick in scale.ticks)
    return replace(scale, low=scale.low - below, high=round(scale.high - below, 6), ticks=ticks)


def difference_scale(comparison: Comparison, scale: ColourScale) -> ColourScale:
    """A scale from as far below 0 as above.

    Up to a round number that 98 % of the differences keep within, but not beyond half the width of the maps' own
    scale: large vessels, where maps differ most, would leave no colours for the tissue.
    """
    return _around_zero(comparison.difference[comparison.mask], most=(scale.high - scale.low) / 2)


def _around_zero(values: Volume, most: float = float("inf")) -> ColourScale:
    fitted = colour_scale(
        ParameterMap(
            quantity=QUANTITIES["peak_height"],
            values=np.abs(values),
            valid=np.ones(values.shape, bool),
            calibrated=False,
        )
    )
    high = min(fitted.high, most)
    return OpenScale(low=-high, high=high, bands=63, ticks=(-high, -high / 2, 0.0, high / 2, high), fitted=True)


def _planes(comparison: Comparison) -> _Planes:
    x, y, z = comparison.generated.shape
    orientation = nearest_ras(Grid((x, y, z), comparison.affine))
    held = orientation.to_ras(comparison.generated_valid | comparison.mask)
    return _Planes(
        comparison=comparison,
        orientation=orientation,
        slices=chosen_slices(orientation.to_ras(comparison.mask), MOST_SLICES + 2)[1:-1]
        if np.count_nonzero(comparison.mask.any(axis=(0, 1))) > MOST_SLICES + 2
        else chosen_slices(orientation.to_ras(comparison.mask), MOST_SLICES),
        view=view_around(held, orientation.ras, margin=3.0, width=TILE),
    )


def _heading(comparison: Comparison, scale: ColourScale) -> Heading:
    quantity = QUANTITIES[comparison.quantity]
    figures = [
        f"{METRICS[name].title} "
        + in_unit(comparison.metrics[name], METRICS[name].unit(comparison.unit), 3).replace("-", "−")
        for name in _TOLD
    ]
    limits = [_plain(comparison.metrics[name]) for name in ("limit_lower", "limit_upper")]
    window = "one scale for both maps, " + ("fitted to them" if scale.fitted else "that of this quantity")
    names = [name for name in (comparison.generated_name, comparison.reference_name) if name]
    return Heading(
        title=f"{quantity.symbol} beside a reference [{_unit(comparison)}]",
        facts=(
            *([" against ".join(names)] if names else []),
            " · ".join([*figures, f"95 % limits of agreement {limits[0]} to {limits[1]}"]),
            " ".join(note for note in comparison.notes if note not in comparison.doubts),
            f"{window[0].upper()}{window[1:]}.",
        ),
        warnings=comparison.doubts,
        footnote="Dark grey: one of both maps holds no value.",
    )


def _plain(value: float) -> str:
    return in_unit(value, "1", 3).replace("-", "−")


def _unit(comparison: Comparison) -> str:
    if comparison.normalisation in _WAYS:
        return _WAYS[comparison.normalisation]
    return comparison.unit or "unit not told"

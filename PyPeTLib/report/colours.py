"""One palette for all pictures of slices, and how values become its entries.

Pictures hold palette entries (uint8), which makes them small and quick to write: shades of grey, shades of a few
signal colours for text and outlines, and a colour table for maps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.maps import ParameterMap
from PyPeTLib.report.mosaic import Pixels

GREYS = 56
NO_VALUE = 9
"""Entry for brain without a value: a dark grey that no map's colour resembles."""

SHADES: dict[str, tuple[int, int, tuple[int, int, int]]] = {
    "white": (0, GREYS, (255, 255, 255)),
    "yellow": (56, 8, (255, 214, 64)),
    "cyan": (64, 8, (64, 224, 255)),
    "red": (72, 8, (255, 84, 72)),
}
"""First entry, number of shades from black to full, and full colour."""

FIRST_COLOUR = 80
COLOURS = 256 - FIRST_COLOUR

TMAX_MARKS = (4.0, 6.0, 8.0, 10.0)
"""Tmax thresholds in s that stroke software shows."""
TMAX_WINDOW = (2.0, 12.0)
"""Seconds. A viewer makes 255 steps of a window; the distance of two thresholds is a whole number of these, 51."""
TMAX_BANDS = 10
"""One a second."""

_ROUND = (1, 1.2, 1.4, 1.6, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 10)
"""First digits of windows' widths."""

SMOOTH_BANDS = 64
"""Steps that the eye does not tell apart; more of them only make larger files."""


def palette() -> Pixels:
    """The palette, shape (256, 3)."""
    import matplotlib as mpl  # noqa: PLC0415 - slow to import, and only figures need it

    table = np.zeros((256, 3), np.uint8)
    for first, count, full in SHADES.values():
        table[first : first + count] = np.round(np.linspace(0, 1, count)[:, None] * full)
    # the ends of the table are so dark that they resemble the background
    shades = mpl.colormaps["turbo"](np.linspace(0.04, 0.96, COLOURS))
    table[FIRST_COLOUR:] = np.round(255 * shades[:, :3])
    return table


@dataclass(frozen=True, kw_only=True)
class ColourScale:
    """The window of a map and its colours.

    Attributes
    ----------
    low, high : float
        Values outside get the colour of the nearer end.
    bands : int
        Number of equal steps of colour.
    ticks : tuple of float
        Values written beside the colour bar.
    fitted : bool
        Whether the window follows the map's own values, so that pictures of two maps cannot be compared.
    """

    low: float
    high: float
    bands: int = SMOOTH_BANDS
    ticks: tuple[float, ...] = ()
    fitted: bool = False

    def entries(self, values: Volume) -> Pixels:
        """Palette entries of values."""
        place = (values - self.low) * np.float32(self.bands / (self.high - self.low))
        band = np.clip(place, 0, self.bands - 1).astype(np.uint8)
        colours = FIRST_COLOUR + np.arange(self.bands) * (COLOURS - 1) // (self.bands - 1)
        entries: Pixels = colours.astype(np.uint8)[band]
        return entries

    def label(self, tick: float) -> str:
        """A tick's text; the ends stand for everything beyond them."""
        text = f"{tick:g}".replace("-", "−")
        # nothing is below 0 where the scale begins there
        return f"≥{text}" if tick == self.high else f"≤{text}" if tick == self.low > 0 else text


class OpenScale(ColourScale):
    """A scale whose ends both stand for everything beyond them."""

    def label(self, tick: float) -> str:
        """What stands at a tick of the colour bar."""
        text = f"{tick:g}".replace("-", "−")
        return f"≥{text}" if tick == self.high else f"≤{text}" if tick == self.low else text


def colour_scale(shown: ParameterMap) -> ColourScale:
    """Window and ticks of a map.

    The quantity's window holds for absolute values. Values without a scale, and times to peak that the window misses
    because the scan began long before the bolus, get the range that the map itself fills, up to a round number. Tmax
    gets bands between its thresholds.
    """
    name = shown.name
    if name == "tmax":
        low, high = TMAX_WINDOW
        return ColourScale(low=low, high=high, bands=TMAX_BANDS, ticks=(low, *TMAX_MARKS, high))
    low, high = shown.quantity.window
    values = shown.values[shown.valid]
    values = values[np.isfinite(values)]
    fitted = False
    if values.size and not shown.calibrated:
        low, high = 0.0, _rounded(float(np.percentile(values, 98)))
        fitted = True
    elif values.size and name == "ttp" and np.mean((values < low) | (values > high)) > 0.1:
        ends = np.percentile(values, [2, 98])
        low = float(np.floor(ends[0]))
        high = low + max(_rounded(float(np.ceil(ends[1])) - low), 1.0)
        fitted = True
    return ColourScale(low=low, high=high, ticks=_ticks(low, high), fitted=fitted)


def grey_entries(values: Volume, low: float, high: float) -> Pixels:
    """Palette entries that show a window of values in shades of grey."""
    shade = np.clip((values - low) * np.float32((GREYS - 1) / max(high - low, 1e-6)), 0, GREYS - 1)
    entries: Pixels = np.round(shade).astype(np.uint8)
    return entries


def map_entries(values: Volume, valid: Mask, brain: Mask, scale: ColourScale) -> Pixels:
    """Palette entries of a map: its colours where valid, dark grey elsewhere in the brain, black outside."""
    finite = np.isfinite(values)
    entries = np.where(brain, np.uint8(NO_VALUE), np.uint8(0))
    return np.where(valid & finite, scale.entries(np.where(finite, values, np.float32(0))), entries)


def _rounded(value: float) -> float:
    """A value up to the next number that parts into a few round steps; 1 where it is not above 0."""
    if value <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return next(float(f"{lead * power:.2g}") for lead in _ROUND if value <= lead * power * (1 + 1e-6))


def _ticks(low: float, high: float) -> tuple[float, ...]:
    """The ends and round numbers between them that keep clear of the ends."""
    span = high - low
    power = 10.0 ** np.floor(np.log10(span / 4))
    step = min((power * factor for factor in (1, 2, 5, 10)), key=lambda size: abs(span / size - 5))
    inner = step * np.arange(np.ceil(low / step), np.floor(high / step) + 1)
    clear = inner[(inner > low + 0.35 * step) & (inner < high - 0.35 * step)]
    return (low, *(float(f"{tick:.6g}") for tick in clear), high)

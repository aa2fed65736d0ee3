"""Writes the colour tables of the Slicer module, from knots and formulas; each can be made again anywhere.

Perfusion   the colours of the report's pictures (turbo).
ASIST       the a-LUT that the Acute Stroke Imaging Standardization Group Japan recommends for perfusion maps:
            256 levels of which each colour is a chain of straight lines (https://asist.umin.jp/data/alut.csv).
Even        equal steps of lightness and of hue in OKLab, from dark blue to light yellow, for readers who see colours
            differently, for printing in grey, and for judging how large a difference is.
Relative    two arms of equal lightness, blue and orange, from a light grey in the middle.
Tmax        ten bands of 1 s from 2 to 12 s; one table for each of the first three.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np

from PyPeTLib.report.colours import TMAX_BANDS

FOLDER = Path(__file__).parents[2] / "PyPeT" / "Resources" / "ColorTables"

SMOOTH = 256

CENTRED = 255
"""An odd number: one colour is the middle."""

TURBO_ENDS = (0.04, 0.96)
"""The ends of turbo are left out: they resemble the background."""

EVEN_LIGHTNESS = (0.30, 0.945)
"""Of OKLab: the lower end is still seen on black, the upper one has still a hue."""

EVEN_KNOTS = ((-0.020, -0.125), (0.085, -0.130), (0.140, -0.045), (0.095, 0.055), (0.015, 0.100), (-0.040, 0.110))
"""The way through the hues, as a and b of OKLab: blue, violet, rose, orange, yellow, light yellow."""

ARM_LIGHTNESS = (0.54, 0.94)
ARMS = ((-0.030, -0.160), (0.095, 0.098))
"""The ends of the arms below and above the middle, as a and b of OKLab: blue and orange-brown."""

ASIST_BANDS_FROM = 40
"""First level of the bands: those below are nearly black, as the background is."""

EVEN_BANDS_FROM = 12
"""The darkest levels look alike to readers without red or blue cones."""


def srgb_of(oklab):
    """Colours from 0 to 1 for lightness, a and b of OKLab, shape (n, 3); an error where a screen has no such colour.

    Source: Ottosson, "A perceptual color space for image processing", 2020, https://bottosson.github.io/posts/oklab/
    """
    cones = oklab @ np.array(
        [[1.0, 1.0, 1.0], [0.3963377774, -0.1055613458, -0.0894841775], [0.2158037573, -0.0638541728, -1.2914855480]]
    )
    linear = cones**3 @ np.array(
        [
            [4.0767416621, -1.2684380046, -0.0041960863],
            [-3.3077115913, 2.6097574011, -0.7034186147],
            [0.2309699292, -0.3413193965, 1.7076147010],
        ]
    )
    if linear.min() < -1e-3 or linear.max() > 1 + 1e-3:
        worst = int(np.argmax(np.maximum(-linear, linear - 1).max(axis=1)))
        raise ValueError(f"colour {worst} of {len(oklab)}, OKLab {np.round(oklab[worst], 3)}, is out of sRGB")
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def smooth_way(knots, count):
    """Places at equal distances along a smooth curve through knots in a plane, shape (count, 2)."""
    from scipy.interpolate import CubicSpline  # noqa: PLC0415 - two of the tables need it

    knots = np.asarray(knots, float)
    at = np.r_[0, np.cumsum(np.linalg.norm(np.diff(knots, axis=0), axis=1))]
    fine = CubicSpline(at, knots)(np.linspace(0, at[-1], 20 * count))
    walked = np.r_[0, np.cumsum(np.linalg.norm(np.diff(fine, axis=0), axis=1))]
    wanted = np.linspace(0, walked[-1], count)
    return np.stack([np.interp(wanted, walked, axis) for axis in fine.T], axis=1)


def turbo(count=SMOOTH):
    """The colours of the report."""
    return mpl.colormaps["turbo"](np.linspace(*TURBO_ENDS, count))[:, :3]


def asist():
    """The a-LUT: black, purple, blue, green, yellow, orange, red."""
    level = np.arange(SMOOTH)
    red = np.maximum(np.minimum(4 * level, 100 - level), 4 * (level - 128))
    green = np.minimum(3 * (level - 45), 4 * (255 - level))
    blue = np.minimum(3 * (level - 1), 255 - 5 * (level - 86))
    return np.clip(np.stack([red, green, blue], axis=1), 0, 255) / 255


def even():
    """Lightness and hue in equal steps."""
    lightness = np.linspace(*EVEN_LIGHTNESS, SMOOTH)
    return srgb_of(np.column_stack([lightness, smooth_way(EVEN_KNOTS, SMOOTH)]))


def relative():
    """Blue below, light grey in the middle, orange above; equally light at equal distances from the middle."""
    away = np.linspace(-1, 1, CENTRED)
    below, above = (np.array(end) for end in ARMS)
    plane = np.where(away[:, None] < 0, -away[:, None] * below, away[:, None] * above)
    dark, light = ARM_LIGHTNESS
    return srgb_of(np.column_stack([light + (dark - light) * np.abs(away), plane]))


def bands(colours, first=0):
    """Colours of the Tmax bands: of a smooth table, at equal distances."""
    return colours[np.round(np.linspace(first, len(colours) - 1, TMAX_BANDS)).astype(int)]


TABLES = {
    "PyPeT-Perfusion": turbo,
    "PyPeT-ASIST": asist,
    "PyPeT-Even": even,
    "PyPeT-Relative": relative,
    "PyPeT-Tmax": lambda: turbo(TMAX_BANDS),
    "PyPeT-Tmax-ASIST": lambda: bands(asist(), ASIST_BANDS_FROM),
    "PyPeT-Tmax-Even": lambda: bands(even(), EVEN_BANDS_FROM),
}
"""Name to the function that makes the colours, shape (n, 3), from 0 to 1."""


def text(name):
    """A table as Slicer reads it: index, name, red, green, blue, opacity."""
    colours = np.round(255 * TABLES[name]()).astype(int)
    lines = [f"{i} {i} {r} {g} {b} 255" for i, (r, g, b) in enumerate(colours)]
    return "\n".join(["# made by Testing/Pictures/colour_tables.py", *lines]) + "\n"


def main() -> int:
    """Write all tables."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in TABLES:
        (FOLDER / f"{name}.txt").write_text(text(name), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

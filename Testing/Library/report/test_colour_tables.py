"""The colour tables of the Slicer module, as colours: what each promises of lightness, neutrality and colour vision."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from PyPeTLib.report.colours import FIRST_COLOUR, TMAX_BANDS, TMAX_MARKS, TMAX_WINDOW, ColourScale, palette

FOLDER = Path(__file__).parents[3] / "PyPeT" / "Resources" / "ColorTables"
SMOOTH = ["PyPeT-Perfusion", "PyPeT-ASIST", "PyPeT-Even", "PyPeT-Relative"]
BANDS = ["PyPeT-Tmax", "PyPeT-Tmax-ASIST", "PyPeT-Tmax-Even"]

VISION = {
    "all": np.eye(3),
    "no red cones": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green cones": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "no blue cones": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
"""What is left of linear red, green and blue, after Machado et al. 2009, doi:10.1109/TVCG.2009.113."""

STEP = 16
"""Colours are compared so many levels apart; nearer ones differ by less than the rounding to 8 bits is sure of."""


def colours_of(name):
    rows = [line.split() for line in (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()]
    return np.array([row[2:5] for row in rows if row[0] != "#"], float)


def cielab(colours, vision="all"):
    """Lightness, a and b of CIELAB for sRGB colours from 0 to 255 as they are seen; they are made in another space."""
    shares = colours / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(VISION[vision]).T, 0, 1)
    primaries = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
    ratio = seen @ np.array(primaries).T / [0.95047, 1, 1.08883]
    root = np.where(ratio > 216 / 24389, np.cbrt(ratio), ratio * 841 / 108 + 4 / 29)
    return np.stack([116 * root[:, 1] - 16, 500 * (root[:, 0] - root[:, 1]), 200 * (root[:, 1] - root[:, 2])], axis=1)


def distances(colours, vision):
    """Differences between all colours as they are seen."""
    seen = cielab(colours, vision)
    return np.linalg.norm(seen[:, None] - seen, axis=-1)


@pytest.mark.parametrize("name", SMOOTH + BANDS)
def test_tables_are_complete_and_their_colours_differ(name):
    colours = colours_of(name)
    assert len(colours) == (TMAX_BANDS if name in BANDS else 255 if name == "PyPeT-Relative" else 256)
    assert ((colours >= 0) & (colours <= 255) & (colours == np.round(colours))).all()
    assert len(np.unique(colours, axis=0)) >= 0.9 * len(colours)


@pytest.mark.parametrize("vision", VISION)
def test_the_even_table_is_even_and_safe(vision):
    colours = colours_of("PyPeT-Even")
    lightness = cielab(colours, vision)[::STEP, 0]
    assert (np.diff(lightness) > 2.5).all(), "lighter all the way"
    apart = distances(colours[::STEP], vision)
    assert np.diagonal(apart, 1).min() > 3.5, "next steps differ"
    assert apart[np.triu_indices_from(apart, 2)].min() > 7, "no colour comes twice"
    if vision == "all":
        steps = np.diff(lightness)
        assert steps.max() < 1.15 * steps.mean()
        assert steps.min() > 0.85 * steps.mean()


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("name", ["PyPeT-Tmax-Even", "PyPeT-Tmax"])
def test_tmax_bands_differ_from_each_other(name, vision):
    apart = distances(colours_of(name), vision)
    assert apart[np.triu_indices_from(apart, 1)].min() > 7


@pytest.mark.parametrize("name", BANDS)
def test_next_tmax_bands_differ_much_to_the_usual_eye(name):
    assert np.diagonal(distances(colours_of(name), "all"), 1).min() > 12


@pytest.mark.parametrize("vision", VISION)
def test_relative_maps_are_neutral_at_zero_and_their_sides_differ(vision):
    colours = colours_of("PyPeT-Relative")
    middle = colours[len(colours) // 2]
    assert np.ptp(middle) <= 2
    seen = cielab(colours, vision)
    below, above = seen[:127][::-1], seen[128:]
    assert (np.diff(below[::STEP, 0]) < 0).all()
    assert (np.diff(above[::STEP, 0]) < 0).all()
    if vision == "all":
        assert np.abs(below[:, 0] - above[:, 0]).max() < 5, "equally light at equal distances from 0"
    # a quarter of the window away from 0, the two sides are no longer mistaken for each other
    assert np.linalg.norm(below - above, axis=1)[32:].min() > 15


def test_the_a_lut_is_that_of_asist_japan():
    """Levels of the table as its authors publish it, https://asist.umin.jp/data/alut.csv: knots and between them."""
    published = {0: (0, 0, 0), 20: (80, 0, 57), 46: (54, 3, 135), 86: (14, 123, 255), 100: (0, 165, 185)}
    published |= {128: (0, 249, 45), 137: (36, 255, 0), 191: (252, 255, 0), 192: (255, 252, 0), 255: (255, 0, 0)}
    published |= {10: (40, 0, 27), 33: (67, 0, 96), 70: (30, 75, 207), 110: (0, 195, 135), 150: (88, 255, 0)}
    published |= {210: (255, 180, 0), 240: (255, 60, 0)}
    colours = colours_of("PyPeT-ASIST")
    for level, colour in published.items():
        assert tuple(colours[level]) == colour, level


def test_bands_of_the_report_and_of_the_module_have_the_same_colours():
    middles = np.linspace(*TMAX_WINDOW, TMAX_BANDS + 1, dtype=np.float32)[:-1] + 0.5
    scale = ColourScale(low=TMAX_WINDOW[0], high=TMAX_WINDOW[1], bands=TMAX_BANDS)
    shown = palette()[scale.entries(middles)].astype(float)
    assert scale.entries(middles).min() == FIRST_COLOUR
    assert np.abs(shown - colours_of("PyPeT-Tmax")).max() <= 6


def test_thresholds_are_whole_steps_of_a_viewer():
    low, high = TMAX_WINDOW
    for mark in TMAX_MARKS:
        assert 255 * (mark - low) % (high - low) == 0

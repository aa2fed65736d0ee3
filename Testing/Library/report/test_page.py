"""Text and pictures on a page, and PNG files."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from PyPeTLib.errors import InputError
from PyPeTLib.report.colours import FIRST_COLOUR, SHADES, ColourScale, palette
from PyPeTLib.report.page import Page, horizontal_bar, vertical_bar, write_png


def box_of(pixels) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(pixels)
    return columns.min(), columns.max(), rows.min(), rows.max()


def test_text_stands_at_its_anchor():
    page = Page(300, 100)
    page.text(290, 60, "mm", anchor="rs", size=30)
    left, right, top, bottom = box_of(page.pixels > 20)
    assert 285 <= right <= 291
    assert left > 200
    assert top > 30
    assert bottom == 59


def test_text_that_leaves_the_page_is_cut_off():
    page = Page(60, 20)
    page.text(-20, -8, "RESEARCH USE ONLY", size=30)
    assert page.pixels.any()


def test_text_has_only_shades_of_its_colour():
    page = Page(200, 60)
    page.text(10, 10, "Tmax", colour="yellow")
    first, count, _ = SHADES["yellow"]
    used = np.unique(page.pixels[page.pixels > 0])
    assert used.min() >= first
    assert used.max() == first + count - 1


def test_text_over_a_map_keeps_the_colours_around_its_strokes():
    page = Page(200, 60)
    page.put(np.full((60, 200), FIRST_COLOUR + 9, np.uint8), 0, 0)
    page.text(10, 10, "R", size=30)
    assert set(np.unique(page.pixels)) - {FIRST_COLOUR + 9} <= set(
        range(SHADES["white"][1] // 2 - 1, SHADES["white"][1])
    )


def test_lines_fit_the_width_and_lose_no_word():
    page = Page(10, 10)
    text = "In 15% of the brain the scan ends before the bolus has passed: CBV and MTT read low there."
    lines = page.lines(text, 400, 22)
    assert " ".join(lines) == text
    assert max(page.length(line, 22) for line in lines) <= 400


def test_bars_run_from_the_low_end_to_the_high_end():
    scale = ColourScale(low=0, high=12, ticks=(0, 6, 12))
    page = Page(200, 400)
    vertical_bar(page, scale, 20, 50, 300)
    assert (page.pixels[50, 21], page.pixels[349, 21]) == (255, FIRST_COLOUR)
    page = Page(400, 100)
    horizontal_bar(page, scale, 50, 20, 300)
    assert (page.pixels[21, 50], page.pixels[21, 349]) == (FIRST_COLOUR, 255)


def test_labels_of_a_narrow_bar_leave_each_other_room():
    scale = ColourScale(low=0, high=1400, ticks=tuple(range(0, 1401, 100)))
    page = Page(400, 100)
    horizontal_bar(page, scale, 50, 20, 300)
    inked = np.flatnonzero((page.pixels[46:] > 0).any(axis=0))
    # all fifteen labels would run into one another; digits of one label are a pixel or two apart
    labels = np.split(inked, np.flatnonzero(np.diff(inked) >= 7) + 1)
    assert 4 <= len(labels) <= 7
    assert max(part[-1] - part[0] for part in labels) < page.length("≥1400", 18)


@pytest.mark.parametrize("shape", [(30, 40), (30, 40, 3)])
def test_png_holds_the_picture_and_nothing_else(shape, tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    path = tmp_path / "picture.png"
    write_png(path, picture)
    first = path.read_bytes()
    write_png(path, picture)
    assert path.read_bytes() == first
    with Image.open(path) as image:
        assert image.info.keys() <= {"transparency"}
        shown = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(shown, picture if picture.ndim == 3 else palette()[picture])
    assert b"tEXt" not in first
    assert b"tIME" not in first


def test_a_figure_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cbf\.png"):
        write_png(tmp_path / "lost" / "cbf.png", np.zeros((4, 4), np.uint8))

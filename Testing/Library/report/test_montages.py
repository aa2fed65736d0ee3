"""Pages of slices: where things lie on them, and what they say by colour."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from PyPeTLib.maps import PerfusionMaps
from PyPeTLib.report.colours import FIRST_COLOUR, NO_VALUE, SHADES
from PyPeTLib.report.montages import BrainSlices, Heading, framed, map_page, mask_page, summary_page


def brain_of(result) -> BrainSlices:
    return BrainSlices.on(result.series.grid, result.on_input_grid(result.brain.mask))


def count(page, colour: str) -> int:
    """Pixels in the full shade of a signal colour."""
    first, shades, _ = SHADES[colour]
    return int(np.count_nonzero(page.pixels == first + shades - 1))


def with_map(result, name: str, **changes):
    shown = dataclasses.replace(result.maps[name], **changes)
    maps = PerfusionMaps(maps={**result.maps.maps, name: shown}, quality_mask=result.maps.quality_mask)
    return dataclasses.replace(result, maps=maps)


def one_slice(result):
    """The brain in its fifth slice only."""
    mask = np.zeros_like(result.brain.mask)
    mask[..., 4] = result.brain.mask[..., 4]
    return BrainSlices.on(result.series.grid, mask)


def tile_of(page) -> np.ndarray:
    """The pixels of a page's only tile: left of the gap before the colour bar."""
    coloured = np.flatnonzero((page.pixels >= FIRST_COLOUR).any(axis=0))
    gap = np.flatnonzero(np.diff(coloured) > 20)[0]
    return page.pixels[:, coloured[0] : coloured[gap] + 1]


def half_of(result, side: int) -> np.ndarray:
    """Brain voxels on one side of the patient: 1 the right, −1 the left."""
    grid = result.series.grid
    x = (np.arange(grid.shape[0]) * grid.affine[0, 0] + grid.affine[0, 3])[:, None, None]
    return result.brain.mask & (side * (x - grid.affine[0, 3] - grid.affine[0, 0] * (grid.shape[0] - 1) / 2) > 0)


@pytest.mark.parametrize("side", [1, -1])
def test_a_finding_on_the_patients_right_is_on_the_left_of_each_tile(ct_result, side):
    values = np.where(half_of(ct_result, side), 1000, 0).astype(np.float32)
    result = with_map(ct_result, "cbf", values=values, valid=ct_result.brain.mask)
    tile = tile_of(map_page(result, "cbf", one_slice(result)))
    high = np.median(np.nonzero(tile == 255)[1])
    low = np.median(np.nonzero(tile == FIRST_COLOUR)[1])
    assert (low - high) * side > 0.3 * tile.shape[1]


def test_lesion_on_the_left_is_seen_on_the_viewers_right(ct_result):
    tile = tile_of(map_page(ct_result, "tmax", one_slice(ct_result)))
    _, late = np.nonzero(tile > FIRST_COLOUR + 0.6 * (255 - FIRST_COLOUR))
    _, coloured = np.nonzero(tile >= FIRST_COLOUR)
    assert late.size > 500
    assert np.median(late) > np.median(coloured) + 0.1 * np.ptp(coloured)


def test_invalid_voxels_carry_no_colour(ct_result):
    nowhere = np.zeros_like(ct_result.brain.mask)
    result = with_map(ct_result, "mtt", values=np.full(nowhere.shape, 9, np.float32), valid=nowhere)
    page = map_page(result, "mtt", brain_of(result))
    assert not (page.pixels >= FIRST_COLOUR).any()
    assert np.count_nonzero(page.pixels == NO_VALUE) > 10_000


def test_nan_is_shown_as_no_value(ct_result):
    brain = ct_result.brain.mask
    result = with_map(ct_result, "cbv", values=np.full(brain.shape, np.nan, np.float32), valid=brain)
    page = map_page(result, "cbv", brain_of(result))
    assert not (page.pixels[:, : page.width - 190] >= FIRST_COLOUR).any()


def test_uncalibrated_maps_say_so_in_yellow(dsc_result):
    assert not dsc_result.maps["cbf"].calibrated
    flagless = dataclasses.replace(dsc_result, flags=())
    brain = brain_of(dsc_result)
    assert count(map_page(flagless, "cbf", brain), "yellow") > 100
    assert count(map_page(flagless, "mtt", brain), "yellow") == 0
    assert count(map_page(with_map(flagless, "cbf", calibrated=True), "cbf", brain), "yellow") == 0


def test_without_a_bolus_maps_are_empty_and_say_why_in_red(no_bolus_result):
    brain = brain_of(no_bolus_result)
    for page in (
        *(map_page(no_bolus_result, name, brain) for name in no_bolus_result.maps),
        summary_page(no_bolus_result, brain),
    ):
        assert not (page.pixels >= FIRST_COLOUR).any()
        assert count(page, "red") > 100


def test_summary_shows_three_slices_of_each_map(ct_result):
    brain = brain_of(ct_result)
    page = summary_page(ct_result, brain)
    view = brain.view(len(ct_result.maps), margin=3.0)
    rows = (page.pixels >= FIRST_COLOUR).any(axis=1)
    columns = (page.pixels >= FIRST_COLOUR).any(axis=0)
    # three rows of slices and the colour bars; as many columns as maps
    assert np.count_nonzero(np.diff(rows.astype(int)) == 1) == 4
    assert np.count_nonzero(np.diff(columns.astype(int)) == 1) == len(ct_result.maps)
    assert page.width > len(ct_result.maps) * view.columns


@pytest.mark.parametrize("modality", ["ctp", "dsc"])
def test_mask_page_outlines_the_mask(modality, ct_result, dsc_result):
    result = ct_result if modality == "ctp" else dsc_result
    few, many = np.zeros_like(result.brain.mask), result.brain.mask
    middle = tuple(n // 2 for n in few.shape)
    few[middle] = True
    counts = [
        count(mask_page(dataclasses.replace(result, brain=dataclasses.replace(result.brain, mask=m))), "cyan")
        for m in (few, many)
    ]
    assert counts[0] >= 4
    assert counts[1] > 1000


def test_what_is_not_analysed_is_told_on_the_page_of_the_mask(ct_result, partly_analysed_result):
    assert (ct_result.analysed == ct_result.brain.mask).all()
    assert count(mask_page(ct_result), "yellow") == 0
    assert count(mask_page(partly_analysed_result), "yellow") > 100


def test_notes_of_the_mask_stand_on_its_page(ct_result):
    noted = dataclasses.replace(
        ct_result, brain=dataclasses.replace(ct_result.brain, notes=("The vertex is cut off.",))
    )
    assert count(mask_page(ct_result), "yellow") == 0
    assert count(mask_page(noted), "yellow") > 50


def test_long_headings_are_broken_into_lines():
    picture = np.zeros((50, 300), np.uint8)
    heading = Heading(title="Title", failures=("The maps hold no usable values. " * 12,))
    page, left, top = framed(heading, picture)
    assert page.width - (left + 300) == pytest.approx(left, abs=1)
    assert not (page.pixels[top : top + 50] > 0).any()
    assert not (page.pixels[:, -20:] > 0).any()
    assert count(page, "red") > 1000

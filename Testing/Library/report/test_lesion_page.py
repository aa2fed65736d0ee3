"""Where the lesions lie, as a page shows it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PIL import Image

from PyPeTLib.lesions import Lesions, find_lesions
from PyPeTLib.pipeline import PipelineResult
from PyPeTLib.report import write_figures
from PyPeTLib.report.colours import SHADES
from PyPeTLib.report.lesions import LEGEND, MAGENTA, lesion_page, lesion_slices
from PyPeTLib.report.montages import BrainSlices


@pytest.fixture(scope="module")
def lesions(ct_result) -> Lesions:
    return find_lesions(ct_result)


def page_of(result: PipelineResult, lesions: Lesions):
    return lesion_page(result, lesions, BrainSlices.on(result.series.grid, result.on_input_grid(result.brain.mask)))


def with_box(lesions: Lesions, result: PipelineResult, *, slices: slice, right: bool) -> Lesions:
    """A hypoperfused box with a core in it, on one side of the middle."""
    late, core = np.zeros_like(lesions.core), np.zeros_like(lesions.core)
    orientation = BrainSlices.on(result.series.grid, lesions.core).orientation
    n_x, n_y, _ = late.shape
    # axes in RAS+ order are views of the masks
    # the first axis runs to the right
    x = 3 * n_x // 4 if right else n_x // 4
    orientation.to_ras(late)[x - 6 : x + 6, n_y // 2 - 6 : n_y // 2 + 6, slices] = True
    orientation.to_ras(core)[x - 3 : x + 3, n_y // 2 - 3 : n_y // 2 + 3, slices] = True
    assert core.any()
    return dataclasses.replace(lesions, core=core, hypoperfused=late)


def magenta(page) -> np.ndarray:
    return (page == MAGENTA).all(axis=-1)


def test_the_patients_right_is_on_the_viewers_left_on_both_maps(ct_result, lesions):
    pieces = {}
    for right in (True, False):
        marked = magenta(page_of(ct_result, with_box(lesions, ct_result, slices=slice(4, 5), right=right)))
        first = int(marked.any(axis=1).argmax())
        columns = np.flatnonzero(marked[first + LEGEND // 2 :].any(axis=0))
        # one slice: the map of the core and that of hypoperfusion side by side
        pieces[right] = np.split(columns, np.flatnonzero(np.diff(columns) > 200) + 1)
        assert len(pieces[right]) == 2
    for ours, theirs in zip(pieces[True], pieces[False], strict=True):
        assert ours.max() + 50 < theirs.min()


def test_core_is_outlined_in_magenta_and_hypoperfused_tissue_in_white(ct_result, lesions):
    assert lesions.core.any()
    whole = page_of(ct_result, lesions)
    no_core = page_of(ct_result, dataclasses.replace(lesions, core=np.zeros_like(lesions.core)))
    assert magenta(whole).sum() > magenta(no_core).sum() > 0
    # the legend alone
    assert np.ptp(np.flatnonzero(magenta(no_core).any(axis=1))) < LEGEND
    white = (whole == SHADES["white"][2]).all(axis=-1)
    assert white.sum() > 500


def test_without_a_lesion_the_page_says_so_and_shows_the_brain(ct_result, lesions):
    nothing = np.zeros_like(lesions.core)
    page = page_of(ct_result, dataclasses.replace(lesions, core=nothing, hypoperfused=nothing))
    yellow = (page == SHADES["yellow"][2]).all(axis=-1)
    assert yellow.sum() > 100
    assert page.shape[0] > 600


def test_the_slice_of_the_largest_core_is_always_shown():
    late, core = np.zeros((4, 4, 40), bool), np.zeros((4, 4, 40), bool)
    late[..., 2:38] = True
    core[1, 1, 7] = True
    slices, held = lesion_slices(late, core, np.ones_like(late))
    assert held == 36
    assert len(slices) == len(set(slices)) == 10
    assert 7 in slices
    assert (np.diff(slices) > 0).all()
    assert set(lesion_slices(late & False, late & False, late)[0]) <= set(range(2, 38))


@pytest.mark.parametrize("fixture", ["dsc_result", "downsampled_result"])
def test_the_page_is_a_file_among_the_figures_only_where_lesions_are_given(fixture, request, tmp_path):
    result = request.getfixturevalue(fixture)
    paths = write_figures(result, tmp_path, lesions=find_lesions(result))
    path = tmp_path / "lesions.png"
    assert path in paths
    assert path.stat().st_size < 600_000
    with Image.open(path) as image:
        assert image.mode == "RGB"
        assert 1000 <= image.width <= 2400
    first = path.read_bytes()
    write_figures(result, tmp_path, lesions=find_lesions(result))
    assert path.read_bytes() == first

"""Slices on pixels: sides, proportions, means, and the way back from millimetres."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.geometry import Grid, nearest_ras
from PyPeTLib.report.mosaic import chosen_slices, mosaic, outline, ring, rows_and_columns, view_around

SHAPE = (20, 24, 5)


def grid_of(directions: tuple[float, float, float], shape=SHAPE) -> Grid:
    """A grid whose axes run along the world's, each forward or backward, with the given voxel sizes."""
    affine = np.diag([*directions, 1.0])
    affine[:3, 3] = [-0.5 * n * d for n, d in zip(shape, directions, strict=True)]
    return Grid(shape, affine)


def whole_view(grid: Grid, **changes):
    return view_around(np.ones(grid.shape, bool), grid, **{"margin": 0.0, "width": 200, **changes})


@pytest.mark.parametrize("directions", [(1, 1, 5), (-1, 1, 5), (-1, -1, 5), (1, -1, -5)])
def test_patients_right_is_on_the_viewers_left_and_the_front_is_up(directions):
    native = grid_of(directions)
    orientation = nearest_ras(native)
    volume = np.zeros(SHAPE, np.float32)
    # the voxel nearest to a point far to the right, to the front and at the top
    voxel = np.rint(np.linalg.inv(native.affine) @ [8.0, 10.0, 10.0, 1.0])[:3].astype(int)
    volume[tuple(voxel)] = 1
    view = whole_view(orientation.ras)
    pixels = view.enlarged(view.cells(orientation.to_ras(volume))[0])
    slices, rows, columns = np.nonzero(pixels)
    assert columns.max() < view.columns / 4
    assert rows.max() < view.rows / 4
    assert set(slices) == {view.place((8.0, 10.0, 10.0))[2]}


def test_a_point_in_mm_falls_on_the_pixels_of_its_voxel():
    grid = Grid((20, 24, 5), [[2, 0, 0, -13], [0, 1.5, 0, 7], [0, 0, 4, -30], [0, 0, 0, 1]])
    rng = np.random.default_rng(0)
    mask = np.zeros(grid.shape, bool)
    mask[3:17, 5:21, 1:4] = True
    view = view_around(mask, grid, margin=2.0, width=150)
    for voxel in rng.integers([3, 5, 1], [17, 21, 4], (20, 3)):
        volume = np.zeros(grid.shape, np.float32)
        volume[tuple(voxel)] = 1
        column, row, k = view.place(tuple((grid.affine @ [*voxel, 1.0])[:3]))
        assert view.enlarged(view.cells(volume)[0])[k, int(row), int(column)] == 1


@pytest.mark.parametrize(("sizes", "width"), [((1, 1, 5), 200), ((1, 2, 5), 100), ((2, 1, 5), 60), ((1, 1, 5), 13)])
def test_pixels_are_square_in_mm(sizes, width):
    grid = grid_of(sizes)
    view = whole_view(grid, width=width)
    in_mm = (SHAPE[1] * sizes[1]) / (SHAPE[0] * sizes[0])
    assert view.rows == pytest.approx(view.columns * in_mm, abs=1)


def test_with_a_height_the_view_fits_into_both():
    view = whole_view(grid_of((1, 1, 5)), width=200, height=120)
    assert (view.columns, view.rows) == (100, 120)


def test_view_holds_the_mask_with_its_margin():
    mask = np.zeros(SHAPE, bool)
    mask[4:10, 6:9, 2] = True
    view = view_around(mask, grid_of((1, 1, 5)), margin=3.0, width=100)
    assert (view.x, view.y) == (slice(1, 13), slice(3, 12))


def test_more_voxels_than_pixels_show_the_mean_of_valid_voxels_only():
    grid = grid_of((1, 1, 5), (40, 40, 1))
    rng = np.random.default_rng(1)
    values = rng.normal(5, 1, (40, 40, 1)).astype(np.float32)
    valid = np.ones(values.shape, bool)
    valid[::2] = False
    spoiled = np.where(valid, values, np.float32(np.nan))
    shown, inside = whole_view(grid, width=10).cells(spoiled, valid)
    expected = values[1::2].reshape(10, 2, 10, 4).mean(axis=(1, 3))
    assert inside.all()
    np.testing.assert_allclose(shown[0], expected.T[::-1, ::-1], rtol=1e-5)


def test_cells_with_less_than_half_valid_voxels_are_not_valid():
    valid = np.zeros((40, 40, 1), bool)
    valid[::4] = True
    shown, inside = whole_view(grid_of((1, 1, 5), (40, 40, 1)), width=10).cells(np.ones(valid.shape, np.float32), valid)
    assert not inside.any()
    assert not shown.any()


def test_voxels_become_blocks_of_equal_size():
    grid = grid_of((1, 1, 5))
    view = whole_view(grid, width=100)
    numbers = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)
    pixels = view.enlarged(view.cells(numbers)[0])
    _, counts = np.unique(pixels, return_counts=True)
    assert set(counts) == {25}
    assert counts.size == numbers.size


def test_heights_are_those_of_the_slice_centres_on_oblique_grids():
    tilt = np.deg2rad(20)
    turn = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([1, 1, 5])
    affine[:3, 3] = [3, -8, 40]
    heights = whole_view(Grid(SHAPE, affine)).heights(np.array([0, 3]))
    expected = [(affine @ [9.5, 11.5, k, 1.0])[2] for k in (0, 3)]
    np.testing.assert_allclose(heights, expected)


def test_slices_are_spread_over_those_that_hold_the_mask():
    mask = np.zeros((4, 4, 40), bool)
    mask[1, 1, 5:35] = True
    chosen = chosen_slices(mask, 20)
    assert chosen.size == 20
    assert (chosen[0], chosen[-1]) == (5, 34)
    assert set(np.diff(chosen)) == {1, 2}
    np.testing.assert_array_equal(chosen_slices(mask, 30), np.arange(5, 35))
    np.testing.assert_array_equal(chosen_slices(np.zeros((2, 2, 3), bool), 20), [0, 1, 2])


@pytest.mark.parametrize(("n", "expected"), [(1, (1, 1)), (4, (1, 4)), (6, (2, 3)), (12, (3, 4)), (20, (4, 5))])
def test_mosaic_leaves_few_places_empty(n, expected):
    assert rows_and_columns(n) == expected


def test_mosaic_puts_each_tile_at_its_corner():
    tiles = np.arange(1, 6, dtype=np.uint8)[:, None, None] * np.ones((5, 3, 4), np.uint8)
    picture, corners = mosaic(tiles, 3, gap=2, strip=5)
    assert picture.shape == (5 + 3 + 2 + 5 + 3, 3 * 4 + 2 * 2)
    for number, (column, row) in enumerate(corners, start=1):
        assert (picture[row : row + 3, column : column + 4] == number).all()
    assert np.count_nonzero(picture) == tiles.size


def test_ring_lies_outside_and_outline_inside():
    mask = np.zeros((1, 30, 30), bool)
    mask[0, 10:20, 10:20] = True
    around, edge = ring(mask, 3), outline(mask, 2)
    assert not (around & mask).any()
    assert np.count_nonzero(around) == 16**2 - 10**2
    assert not (edge & ~mask).any()
    assert np.count_nonzero(edge) == 10**2 - 6**2


def test_a_mask_that_fills_the_picture_has_no_outline_at_its_border():
    assert not outline(np.ones((1, 8, 8), bool)).any()

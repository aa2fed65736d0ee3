"""Erosion, closing and filling in mm."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.masking import erode_mm
from PyPeTLib.masking.morphology import (
    close_in_plane,
    close_upright,
    components_of_size,
    fill_slices,
    largest_component,
    smooth_slices,
)


def disc(shape, spacing, radius):
    x, y, _ = np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in shape), indexing="ij")
    return np.hypot(x * spacing[0], y * spacing[1]) < radius


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 5.0), (0.5, 0.8, 2.0), (2.0, 1.0, 10.0)])
@pytest.mark.parametrize("mm", [1.0, 2.0, 3.0])
def test_a_cylinder_loses_so_many_mm_in_its_slices(spacing, mm):
    shape = (int(60 / spacing[0]), int(60 / spacing[1]), 3)
    grid = Grid(shape, np.diag([*spacing, 1.0]))
    eroded = erode_mm(disc(shape, spacing, 25.0), grid, mm)
    radius = np.sqrt(eroded[:, :, 1].sum() * spacing[0] * spacing[1] / np.pi)
    assert radius == pytest.approx(25.0 - mm, abs=0.5 * max(spacing[:2]))
    assert (eroded.sum(axis=(0, 1)) == eroded[:, :, 0].sum()).all()


def test_erosion_in_3d_also_works_from_above_and_below():
    mask = np.zeros((30, 30, 12), dtype=bool)
    mask[5:25, 5:25, 2:10] = True
    grid = Grid(mask.shape, np.diag([1.0, 1.0, 2.0, 1.0]))
    flat, solid = erode_mm(mask, grid, 2.0), erode_mm(mask, grid, 2.0, in_plane=False)
    assert flat[15, 15, 2]
    assert not solid[15, 15, 2]
    assert solid[15, 15, 4]
    assert not (solid & ~flat).any()


def test_where_the_image_ends_is_no_surface():
    mask = np.ones((10, 10, 3), dtype=bool)
    mask[:3] = False
    eroded = erode_mm(mask, Grid(mask.shape, np.eye(4)), 1.0)
    assert not eroded[:4].any()
    assert eroded[4:].all()
    assert erode_mm(np.ones_like(mask), Grid(mask.shape, np.eye(4)), 3.0).all()


def test_no_erosion_and_an_empty_mask():
    mask = disc((12, 12, 2), (1, 1, 1), 4)
    grid = Grid(mask.shape, np.eye(4))
    same = erode_mm(mask, grid, 0.0)
    np.testing.assert_array_equal(same, mask)
    assert same is not mask
    assert not erode_mm(np.zeros_like(mask), grid, 2.0).any()


@pytest.mark.parametrize("mm", [-1.0, float("nan")])
def test_erosion_by_less_than_nothing_is_refused(mm):
    with pytest.raises(InputError, match="0 mm or more"):
        erode_mm(np.ones((3, 3, 3), dtype=bool), Grid((3, 3, 3), np.eye(4)), mm)


def test_clefts_up_to_twice_the_radius_are_closed_in_mm():
    mask = np.ones((40, 40, 2), dtype=bool)
    mask[10:12, 20:] = False
    mask[25:30, 20:] = False
    closed = close_in_plane(mask, (1.0, 1.0, 5.0), 1.6)
    assert closed[10:12].all()
    assert not closed[25:30, 25:].all()
    assert not close_in_plane(mask, (2.0, 2.0, 5.0), 1.6)[10:12, 20:].any()


def test_gaps_between_slices_are_closed_up_to_a_height():
    mask = np.ones((2, 2, 9), dtype=bool)
    mask[0, :, 3:5] = False
    mask[1, :, 2:6] = False
    closed = close_upright(mask, 5.0, 10.0)
    assert closed[0].all()
    assert not closed[1, :, 2:6].any()
    mask[:, :, 7:] = False
    assert not close_upright(mask, 5.0, 10.0)[:, :, 7:].any()


def test_holes_are_filled_slice_by_slice():
    mask = disc((20, 20, 3), (1, 1, 1), 8)
    mask[9:12, 9:12, 0] = False
    mask[9:12, :, 1] = False
    filled = fill_slices(mask)
    assert filled[9:12, 9:12, 0].all()
    assert not filled[9:12, :, 1].any()
    np.testing.assert_array_equal(filled[:, :, 2], mask[:, :, 2])


def test_smoothing_takes_single_voxels_away_and_fills_notches():
    mask = np.zeros((12, 12, 1), dtype=bool)
    mask[2:10, 2:10] = True
    mask[10, 5], mask[2, 6] = True, False
    smooth = smooth_slices(mask)
    assert not smooth[10, 5, 0]
    assert smooth[2, 6, 0]
    assert smooth[3:9, 3:9].all()


def test_components():
    mask = np.zeros((10, 10, 2), dtype=bool)
    mask[0:4, 0:4], mask[6:8, 6:8], mask[4, 4, 0] = True, True, True
    assert largest_component(mask).sum() == 32
    # corners connect pieces of bone
    assert components_of_size(mask, 33).sum() == 33
    assert components_of_size(mask, 2).sum() == 33 + 8

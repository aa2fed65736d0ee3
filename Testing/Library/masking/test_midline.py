"""The midsagittal plane of brain masks whose halves are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from PyPeTLib.geometry import Grid
from PyPeTLib.masking import midsagittal_plane
from PyPeTLib.phantom import make_head

HEADS = [{"affine": kind} for kind in ("ras", "oblique", "tilted", "las")] + [{"slab": 4, "affine": "oblique"}]
FURTHER = pytest.mark.accuracy
"""One head of a kind is enough for the oldest versions: that the others come out as well, the newest ones tell."""


@pytest.mark.parametrize("changes", HEADS, ids=str)
@pytest.mark.parametrize("seed", [0, pytest.param(3, marks=FURTHER)])
def test_tissue_falls_on_its_own_side(seed, changes):
    head = make_head("ctp", seed=seed, shape=(80, 80, 14), noise=None, dt=3.0, n_frames=8, **changes)
    plane = midsagittal_plane(head.masks["intracranial"], head.series.grid)
    tissue = head.masks["tissue"]
    lesion_on_right = head.lesion_side == "right"
    is_right = head.masks["healthy_side"] != lesion_on_right
    found = plane.distance(head.series.grid) > 0
    agree = (found == is_right)[tissue].mean()
    print(f"{changes} seed {seed}: {agree:.1%} of the tissue on its side")
    assert agree > 0.985
    assert np.abs(plane.distance(head.series.grid)[tissue & (found != is_right)]).max() < 4.5


def egg(angles, *, bite=False):
    """A lopsided egg, symmetric about its own x = 0, turned by angles in degrees, on a grid of its own."""
    grid = Grid((90, 100, 30), np.array([[2.0, 0, 0, -89], [0, 2.0, 0, -99], [0, 0, 5.0, -72.5], [0, 0, 0, 1]]))
    places = np.moveaxis(np.indices(grid.shape), 0, -1) @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    turn = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    x, y, z = np.moveaxis((places - [4.0, 0, 0]) @ turn, -1, 0)
    mask = (x / (60 - 0.15 * y)) ** 2 + (y / 80) ** 2 + (z / 62) ** 2 < 1
    if bite:
        mask &= ~((np.abs(y) < 25) & (x > 40))
    return mask, grid, turn[:, 0]


@pytest.mark.parametrize("angles", [(0, 0, 0), (0, 0, 12), (0, 7, 0), (10, -6, 9)], ids=str)
def test_the_plane_turns_with_the_head(angles):
    mask, grid, normal = egg(angles)
    plane = midsagittal_plane(mask, grid)
    # from side to side the section of the egg is nearly round, so its roll is what is known least
    assert np.degrees(np.arccos(min(1.0, plane.normal @ normal))) < 2.2
    assert plane.normal @ [4.0, 0, 0] - plane.offset == pytest.approx(0, abs=1.0)


def test_a_missing_part_of_one_side_moves_the_plane_little():
    mask, grid, normal = egg((0, 4, 8), bite=True)
    plane = midsagittal_plane(mask, grid)
    assert np.degrees(np.arccos(min(1.0, plane.normal @ normal))) < 2.5
    assert plane.normal @ [4.0, 0, 0] - plane.offset == pytest.approx(0, abs=2.5)


def test_a_single_slice_will_do():
    mask, grid, _ = egg((0, 0, 8))
    alone = np.zeros_like(mask)
    alone[..., 14] = mask[..., 14]
    plane = midsagittal_plane(alone, grid)
    assert np.degrees(np.arctan2(plane.normal[1], plane.normal[0])) == pytest.approx(8, abs=1.5)
    assert plane.normal[2] == pytest.approx(0, abs=1e-3)


def test_distance_is_in_millimetres_and_positive_on_the_right():
    mask, grid, _ = egg((0, 0, 0))
    distance = midsagittal_plane(mask, grid).distance(grid)
    assert distance.shape == mask.shape
    assert np.diff(distance[:, 50, 15]).mean() == pytest.approx(2.0, abs=0.01)

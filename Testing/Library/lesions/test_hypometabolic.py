"""Regions below their other side: made heads that are healthy, folded or have a lesion of known place and depth."""

import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.lesions.hypometabolic import (
    HypometabolicOptions,
    find_hypometabolic,
    rule,
)
from PyPeTLib.masking import MidsagittalPlane, Mirror

SIZE, VOXEL = 32, 5.0
RADIUS = 24.0
DEEP = {"left": (-36.0, 5, 10), "right": (36.0, 5, 10)}


def grid_of(turn=0.0, size=SIZE, voxel=VOXEL):
    """Turned about the vertical axis by some radians."""
    c, s = np.cos(turn), np.sin(turn)
    affine = np.eye(4)
    affine[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) * voxel
    affine[:3, 3] = -affine[:3, :3] @ np.full(3, (size - 1) / 2)
    return Grid((size, size, size), affine)


def places_of(grid):
    return np.tensordot(grid.affine[:3, :3], np.indices(grid.shape), 1) + grid.affine[:3, 3, None, None, None]


MIDDLE = MidsagittalPlane(normal=np.array([1.0, 0, 0]), offset=0.0)


def mirror_of(grid):
    return Mirror(plane=MIDDLE, grid=grid)


def head(grid, *, side="", centres=(), deficit=0.5, apart=0.0, noise=0.03, seed=0):
    """A brain with folds, those of both sides ``apart`` mm from each other, and the mask of brain and lesion."""
    rng = np.random.default_rng(seed)
    x, y, z = places_of(grid)
    mask = (x / 68) ** 2 + (y / 74) ** 2 + (z / 66) ** 2 < 1
    later = y + np.where(x > 0, apart, 0)
    folds = np.sin(np.abs(x) / 7) * np.sin(later / 7) * np.sin(z / 7)
    pet = 0.7 + 0.35 * folds
    lesion = np.zeros_like(mask)
    for cx, cy, cz in (*centres, *([DEEP[side]] if side else ())):
        lesion |= (x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2 < RADIUS**2
    pet = ndimage.gaussian_filter(np.where(lesion, 1 - deficit, 1) * pet * mask, 4.0 / grid.voxel_sizes[0])
    pet = np.where(mask, np.maximum(pet + noise * rng.standard_normal(mask.shape), 0), 0)
    return pet.astype(np.float32), mask, lesion & mask


@pytest.fixture(scope="module")
def grid():
    return grid_of()


@pytest.mark.parametrize("apart", [0.0, 5.0])
def test_healthy_heads_have_no_region(grid, apart):
    pet, mask, _ = head(grid, apart=apart)
    found = find_hypometabolic(pet, mask, mirror_of(grid))
    assert not found.mask.any()
    assert (found.volume_ml, found.left_ml, found.right_ml, found.side) == (0, 0, 0, "")
    assert np.isnan(found.deficit)


def test_sides_that_differ_by_some_mm_do_not_count():
    """The head has places far below the ones opposite, and none far below all of the neighbourhood there."""
    grid = grid_of()
    pet, mask, _ = head(grid, apart=6.0, noise=0)
    alone = find_hypometabolic(pet, mask, mirror_of(grid), HypometabolicOptions(reach=0, smoothing=0, smallest=1))
    assert alone.volume_ml > 20
    assert not find_hypometabolic(pet, mask, mirror_of(grid)).mask.any()


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("deficit", [0.35, 0.6])
def test_a_lesion_is_found_where_it_is(grid, side, deficit):
    pet, mask, lesion = head(grid, side=side, deficit=deficit, apart=4.0, seed=1)
    found = find_hypometabolic(pet, mask, mirror_of(grid))
    assert found.side == side
    assert 2 * (found.mask & lesion).sum() / (found.mask.sum() + lesion.sum()) > 0.7
    truth = lesion.sum() * grid.voxel_volume / 1000
    assert found.volume_ml == pytest.approx(truth, rel=0.5)
    assert found.volume_ml == pytest.approx(found.mask.sum() * grid.voxel_volume / 1000)
    assert getattr(found, f"{side}_ml") == found.volume_ml
    # smoothing lets the neighbourhood in, so the deficit is blunted, never deeper
    assert -deficit - 0.02 < found.deficit < -0.55 * deficit
    assert found.difference[found.mask].max() < 0


def test_a_flipped_head_has_the_flipped_region(grid):
    pet, mask, _ = head(grid, side="left", apart=4.0)
    found = find_hypometabolic(pet, mask, mirror_of(grid))
    other = find_hypometabolic(pet[::-1], mask[::-1], mirror_of(grid))
    np.testing.assert_array_equal(other.mask, found.mask[::-1])
    assert (other.left_ml, other.right_ml) == (found.right_ml, found.left_ml)
    assert other.deficit == pytest.approx(found.deficit, rel=1e-4)


def test_the_scale_of_the_image_does_not_matter(grid):
    pet, mask, _ = head(grid, side="right")
    found = find_hypometabolic(pet, mask, mirror_of(grid))
    np.testing.assert_array_equal(find_hypometabolic(4096 * pet, mask, mirror_of(grid)).mask, found.mask)


def test_oblique_voxels_find_the_same(grid):
    oblique = grid_of(turn=0.3)
    volumes = []
    for one in (grid, oblique):
        pet, mask, _ = head(one, side="left", apart=4.0, noise=0)
        volumes.append(find_hypometabolic(pet, mask, mirror_of(one)))
    assert {found.side for found in volumes} == {"left"}
    assert volumes[1].volume_ml == pytest.approx(volumes[0].volume_ml, rel=0.15)


def test_lesions_of_both_sides_alike_are_not_seen_and_those_apart_are(grid):
    alike, mask, _ = head(grid, centres=[DEEP["left"], DEEP["right"]])
    assert not find_hypometabolic(alike, mask, mirror_of(grid)).mask.any()
    apart, _, _ = head(grid, centres=[(-34, 35, 10), (34, -35, 10)])
    found = find_hypometabolic(apart, mask, mirror_of(grid))
    assert found.side == "both"
    assert min(found.left_ml, found.right_ml) > 10


def test_little_uptake_has_no_large_shares(grid):
    """Where CSF takes up a hundredth, half of it is no deficit."""
    pet, mask, _ = head(grid, noise=0)
    x, y, z = places_of(grid)
    ventricles = (np.abs(np.abs(x) - 30) < 14) & (np.abs(y) < 40) & (np.abs(z) < 25)
    pet = np.where(ventricles, np.where(x > 0, 0.005, 0.02), pet).astype(np.float32)
    options = HypometabolicOptions(smoothing=0)
    assert not find_hypometabolic(pet, mask, mirror_of(grid), options).mask.any()


def test_the_reach_is_a_ball_in_mm():
    """A row of voxels is low; with the lowest around the opposite ones low too up to the reach, it is not found."""
    flat = Grid((21, 21, 11), np.array([[4.0, 0, 0, -40], [0, 4, 0, -40], [0, 0, 8, -40], [0, 0, 0, 1]]))
    mask = np.ones(flat.shape, bool)
    options = HypometabolicOptions(smoothing=0, reach=8.0, smallest=0.0, threshold=0.1, extent=1)

    def found(step):
        pet = np.ones(flat.shape, np.float32)
        pet[3, 10, 5] = 0.5
        pet[tuple(np.add((17, 10, 5), step))] = 0.5
        return find_hypometabolic(pet, mask, mirror_of(flat), options).mask[3, 10, 5]

    for near in ((0, 0, 0), (2, 0, 0), (-2, 0, 0), (0, -2, 0), (1, 1, 0), (0, 0, 1), (0, 0, -1)):
        assert not found(near), near
    for far in ((3, 0, 0), (2, 1, 0), (0, -3, 0), (0, 1, 1), (0, 0, 2), (0, 0, -2)):
        assert found(far), far


def test_small_regions_are_left_out(grid):
    pet, mask, _ = head(grid, side="left")
    found = find_hypometabolic(pet, mask, mirror_of(grid))
    none = find_hypometabolic(pet, mask, mirror_of(grid), HypometabolicOptions(smallest=2 * found.volume_ml))
    assert found.mask.any()
    assert not none.mask.any()


def test_no_value_is_no_deficit(grid):
    pet, mask, lesion = head(grid)
    pet = pet.copy()
    pet[head(grid, side="left")[2]] = np.nan
    assert not find_hypometabolic(pet, mask, mirror_of(grid)).mask.any()
    assert not find_hypometabolic(pet, mask & np.isfinite(pet), mirror_of(grid)).mask.any()
    assert not lesion.any()


def test_what_cannot_be_compared_is_refused(grid):
    pet, mask, _ = head(grid)
    mirror = mirror_of(grid)
    with pytest.raises(InputError, match="not on one grid"):
        find_hypometabolic(pet[:-1], mask, mirror)
    with pytest.raises(InputError, match="not on one grid"):
        find_hypometabolic(pet, mask, mirror_of(grid_of(size=20)))
    for nothing in (np.where(mask, np.nan, 0), pet):
        with pytest.raises(InputError, match="holds no values"):
            find_hypometabolic(nothing, mask & np.isnan(nothing), mirror)
    with pytest.raises(InputError, match="mean of 0 in the brain"):
        find_hypometabolic(np.zeros_like(pet), mask, mirror)
    with pytest.raises(InputError, match="threshold"):
        HypometabolicOptions(threshold=0)


def test_the_rule_tells_every_option():
    for field in dataclasses.fields(HypometabolicOptions):
        changed = dataclasses.replace(HypometabolicOptions(), **{field.name: 0.77})
        assert rule(changed) != rule(HypometabolicOptions())
        assert "77" in rule(changed)
    assert "smoothing" not in rule(HypometabolicOptions(smoothing=0))

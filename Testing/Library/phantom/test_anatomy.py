"""Tissue shares of the head without vessels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from PyPeTLib.geometry import Grid
from PyPeTLib.phantom.anatomy import CLASSES, HeadShape, draw_anatomy


def grid_of(shape) -> Grid:
    spacing = np.array([200, 200, 115]) / shape
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -(np.array(shape) - 1) / 2 * spacing
    return Grid(shape, affine)


@pytest.fixture(scope="module")
def shape() -> HeadShape:
    return HeadShape(np.random.default_rng(1))


@pytest.fixture(scope="module")
def anatomy(shape):
    return draw_anatomy(shape, grid_of((100, 100, 23)))


def test_shares_add_up_to_one(anatomy):
    assert set(anatomy.shares) == set(CLASSES)
    np.testing.assert_allclose(sum(anatomy.shares.values()), 1, atol=1e-5)
    assert min(share.min() for share in anatomy.shares.values()) >= -1e-6


def test_volumes_are_those_of_an_adult_head(anatomy):
    ml = 2 * 2 * 5 / 1000
    volumes = {name: anatomy.shares[name].sum() * ml for name in CLASSES}
    assert 1150 < anatomy.intracranial.sum() * ml < 1400
    assert 400 < volumes["grey"] < 650
    assert 350 < volumes["white"] < 600
    assert 150 < volumes["csf"] < 350


def test_pia_leaves_the_agreed_rim_of_csf(anatomy):
    inside, hull = anatomy.intracranial >= 0.5, anatomy.hull >= 0.5
    assert not (hull & ~inside).any()
    assert 2 * hull.sum() / (inside.sum() + hull.sum()) == pytest.approx(0.945, abs=0.008)


def test_skull_closes_at_the_vertex_and_opens_at_the_base(anatomy):
    solid = anatomy.shares["bone"] + anatomy.shares["scalp"]
    assert anatomy.intracranial[:, :, -1].max() == 0
    assert anatomy.intracranial[:, :, 0].max() == 1
    # in the middle slices bone surrounds the brain without a gap
    for k in range(10, 19):
        bone = anatomy.shares["bone"][:, :, k] > 0.2
        filled = ndimage.binary_fill_holes(bone)
        assert ((anatomy.intracranial[:, :, k] < 0.5) | filled).all()
        assert solid[:, :, k].max() > 0.9
    # the opening of the base is much narrower than the skull
    areas = [(anatomy.intracranial[:, :, k] >= 0.5).sum() for k in (0, 12)]
    assert 0 < areas[0] < 0.15 * areas[1]


def test_scalp_is_outside_of_bone_and_thin_everywhere(anatomy):
    head = anatomy.shares["air"] < 0.5
    rim = head & ~ndimage.binary_erosion(head, structure=np.ones((3, 3, 1)))
    assert anatomy.shares["scalp"][rim].mean() > 0.5


def test_coarse_grids_keep_the_volumes(shape, anatomy):
    coarse = draw_anatomy(shape, grid_of((40, 40, 12)))
    for name in ("bone", "csf", "grey", "white"):
        fine_volume = anatomy.shares[name].mean()
        assert coarse.shares[name].mean() == pytest.approx(fine_volume, rel=0.1), name


def test_surface_points_lie_at_their_depth(shape):
    directions = np.random.default_rng(0).standard_normal((200, 3))
    points = shape.surface(directions, depth=4.0)
    np.testing.assert_allclose(shape.outside_inner_table(points), -4.0, atol=0.05)
    np.testing.assert_allclose(np.cross(points, directions), 0, atol=1e-9)


def test_seeds_give_different_heads(anatomy):
    other = draw_anatomy(HeadShape(np.random.default_rng(2)), grid_of((100, 100, 23)))
    differing = np.abs(other.shares["grey"] - anatomy.shares["grey"]) > 0.3
    assert differing.mean() > 0.05

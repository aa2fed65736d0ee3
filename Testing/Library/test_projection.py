"""Intensity projections: the values of numpy, the place of the slab."""

import numpy as np
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.projection import Projection, Slab, middle_third

SHAPE = (7, 6, 12)
TILTED = np.array([[0.8, 0.1, 0.3, -40.0], [-0.1, 0.9, 0.5, 20.0], [0.0, -0.4, 4.9, 7.0], [0, 0, 0, 1.0]])


@pytest.fixture
def volume():
    return np.random.default_rng(3).normal(40, 10, SHAPE).astype(np.float32)


@pytest.fixture
def within():
    inside = np.random.default_rng(4).random(SHAPE) < 0.5
    inside[0] = False
    return inside


def slab(kind=Projection.MAXIMUM, part=slice(4, 8), within=None):
    return Slab(grid=Grid(SHAPE, TILTED), kind=kind, part=part, within=within)


@pytest.mark.parametrize(
    ("n_slices", "expected"), [(12, (4, 8)), (10, (3, 6)), (16, (5, 10)), (3, (1, 2)), (2, (0, 1)), (1, (0, 1))]
)
def test_the_middle_third_lies_in_the_middle(n_slices, expected):
    part = middle_third(n_slices)
    assert (part.start, part.stop) == expected


def test_the_extreme_of_each_column_is_kept(volume):
    for kind, extreme in ((Projection.MAXIMUM, np.max), (Projection.MINIMUM, np.min)):
        projected = slab(kind).project(volume)
        np.testing.assert_array_equal(projected[..., 0], extreme(volume[..., 4:8], axis=2))
        assert projected.dtype == np.float32
        assert projected.shape == slab().projected.shape == (7, 6, 1)


def test_only_voxels_of_the_mask_count(volume, within):
    # as air in MR: darker than every vessel
    volume[~within] = 0
    projected = slab(Projection.MINIMUM, within=within).project(volume)[..., 0]
    masked = np.ma.masked_array(volume[..., 4:8], ~within[..., 4:8])
    np.testing.assert_array_equal(projected, masked.min(axis=2).filled(0))
    assert (projected[within[..., 4:8].any(axis=2)] > 0).all()
    # a column without a voxel that counts is empty, in whatever direction
    for kind in Projection:
        assert (slab(kind, within=within).project(volume)[0] == 0).all()


def test_negative_values_are_kept_by_a_maximum_within_a_mask(volume):
    everywhere = np.ones(SHAPE, bool)
    projected = slab(within=everywhere).project(-volume)
    np.testing.assert_array_equal(projected, slab().project(-volume))
    assert (projected < 0).all()


def test_the_projection_is_as_thick_as_the_slab_and_in_its_middle():
    part = slice(3, 8)
    grid, projected = Grid(SHAPE, TILTED), slab(part=part).projected
    np.testing.assert_allclose(projected.voxel_sizes[:2], grid.voxel_sizes[:2])
    assert projected.voxel_sizes[2] == pytest.approx(5 * grid.voxel_sizes[2])
    # the outer corners of the slab are those of the projection
    for corner in ((-0.5, -0.5), (6.5, 5.5)):
        for own, whole in ((-0.5, 2.5), (0.5, 7.5)):
            np.testing.assert_allclose(
                projected.affine @ [*corner, own, 1], grid.affine @ [*corner, whole, 1], atol=1e-9
            )


def test_projecting_leaves_the_volume_as_it_is_and_takes_its_views(volume):
    seen = volume[::-1].transpose(1, 0, 2)
    before = volume.copy()
    turned = Slab(grid=Grid((6, 7, 12), np.eye(4)), kind=Projection.MAXIMUM, part=slice(0, 12))
    np.testing.assert_array_equal(turned.project(seen)[..., 0], before.max(axis=2)[::-1].T)
    np.testing.assert_array_equal(volume, before)


@pytest.mark.parametrize("part", [slice(4, 4), slice(-2, 3), slice(4, 13), slice(None, 3)])
def test_slices_that_are_not_there_are_refused(part):
    with pytest.raises(InputError, match="there are 12"):
        slab(part=part)


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(InputError, match="mask has shape"):
        slab(within=np.ones((7, 6, 11), bool))

"""Left and right of made-up maps whose asymmetry is known."""

import numpy as np
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.lesions import asymmetry
from PyPeTLib.lesions.symmetry import asymmetry_index
from PyPeTLib.masking import MidsagittalPlane, Mirror

GRID = Grid((24, 20, 6), np.array([[2.0, 0, 0, -23], [0, 2, 0, -20], [0, 0, 4, 0], [0, 0, 0, 1]]))


def mirror(grid=GRID, normal=(1.0, 0, 0)):
    return Mirror(plane=MidsagittalPlane(normal=np.array(normal) / np.linalg.norm(normal), offset=0.0), grid=grid)


def test_sides_that_are_alike_have_no_asymmetry():
    values = np.abs(np.arange(24) - 11.5)[:, None, None] + np.arange(20)[None, :, None] + np.zeros(GRID.shape)
    found = asymmetry(values, np.ones(GRID.shape, bool), mirror())
    assert np.abs(found.index).max() < 1e-3
    assert found.valid.all()
    assert found.means.ratio == pytest.approx(1)


def test_the_index_tells_which_side_has_more():
    values = np.full(GRID.shape, 30.0)
    values[:12] = 50
    found = asymmetry(values, np.ones(GRID.shape, bool), mirror())
    # 2 (50 − 30)/80, on both sides; the low side lies below the opposite
    np.testing.assert_allclose(found.index, 50, rtol=1e-5)
    np.testing.assert_allclose(found.difference[12:], -0.5, rtol=1e-5)
    assert (found.means.left, found.means.right) == pytest.approx((50, 30))
    assert found.means.index == pytest.approx(50)
    assert found.means.left_volume == pytest.approx(12 * 20 * 6 * 0.016)
    flipped = asymmetry(values[::-1], np.ones(GRID.shape, bool), mirror())
    np.testing.assert_allclose(flipped.index, -50, rtol=1e-5)


def test_an_oblique_plane_mirrors_obliquely():
    grid = Grid((40, 40, 3), np.array([[1.0, 0, 0, -19.5], [0, 1, 0, -19.5], [0, 0, 5, 0], [0, 0, 0, 1]]))
    tilted = mirror(grid, (1.0, 0.4, 0))
    height = tilted.side()
    within = np.hypot(*np.meshgrid(np.arange(40) - 19.5, np.arange(40) - 19.5, indexing="ij")) < 17
    valid = np.broadcast_to(within[..., None], grid.shape)
    found = asymmetry(np.where(height > 0, 20.0, 60.0), valid, tilted)
    deep = found.valid & (np.abs(height) > 3)
    np.testing.assert_allclose(found.index[deep], 100, rtol=1e-4)
    assert deep.sum() > 0.7 * valid.sum()


def test_voxels_without_a_value_opposite_are_left_out():
    values, valid = np.full(GRID.shape, 40.0), np.ones(GRID.shape, bool)
    valid[:6] = False
    values[:6] = np.nan
    values[20:] = 1000
    found = asymmetry(values, valid, mirror())
    assert not found.valid[:6].any()
    assert not found.valid[18:].any()
    assert (found.means.left, found.means.right) == pytest.approx((40, 40))
    assert np.isfinite(found.index).all()


def test_zeros_and_negative_values_have_no_index():
    values = np.full(GRID.shape, 5.0)
    values[3], values[5] = -2, 0
    values[8] = values[15] = 0
    found = asymmetry(values, np.ones(GRID.shape, bool), mirror())
    assert not found.valid[[3, 20, 8, 15]].any()
    # one side of nothing is an asymmetry of all
    np.testing.assert_allclose(found.index[[5, 18]], -200)
    assert np.isnan(asymmetry_index(0, 0))


def test_smoothing_averages_valid_voxels_alone():
    rng = np.random.default_rng(3)
    values = np.where(np.arange(24)[:, None, None] < 12, 55.0, 45.0) + rng.normal(0, 8, GRID.shape)
    valid = np.ones(GRID.shape, bool)
    valid[10:14] = False
    values[10:14] = 1e6
    rough, smooth = (asymmetry(values, valid, mirror(), smoothing=mm) for mm in (0.0, 6.0))
    assert smooth.index[smooth.valid].std() < 0.3 * rough.index[rough.valid].std()
    assert smooth.index[smooth.valid].mean() == pytest.approx(20, abs=3)


def test_what_cannot_be_compared_is_refused():
    values, valid = np.ones(GRID.shape), np.ones(GRID.shape, bool)
    with pytest.raises(InputError, match="one grid"):
        asymmetry(values[:-1], valid[:-1], mirror())
    with pytest.raises(InputError, match="no values"):
        asymmetry(values, ~valid, mirror())
    with pytest.raises(InputError, match="0 mm or more"):
        asymmetry(values, valid, mirror(), smoothing=-1.0)

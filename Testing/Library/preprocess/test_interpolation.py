"""Trilinear interpolation and the lattices that it is used on."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from PyPeTLib.preprocess.interpolation import inside_volume, lattice_places, sample


def _volume(shape: tuple[int, int, int]) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 100, shape).astype(np.float32)


@pytest.mark.parametrize("shape", [(6, 7, 8), (1, 7, 8), (2, 2, 2), (5, 1, 9)])
def test_agrees_with_scipy_inside_and_outside(shape):
    volume = _volume(shape)
    places = np.random.default_rng(1).uniform(-2, 10, (3, 5000)).astype(np.float32)

    expected = ndimage.map_coordinates(volume, places[::-1], order=1, mode="nearest")

    np.testing.assert_allclose(sample(volume, *places), expected, atol=2e-3)


def test_voxel_centres_keep_their_values():
    volume = _volume((5, 6, 7))

    np.testing.assert_allclose(sample(volume, *lattice_places(np.eye(4), (7, 6, 5))), volume, atol=1e-4)


def test_lattice_places_are_the_transform_of_the_indices():
    transform = np.eye(4)
    transform[:3] = np.random.default_rng(2).normal(0, 1, (3, 4))

    x, y, z = lattice_places(transform, (4, 5, 6), slice(2, 5))

    assert x.shape == (3, 5, 4)
    i, j, k = 3, 1, 4
    assert [axis[k - 2, j, i] for axis in (x, y, z)] == pytest.approx(transform[:3] @ [i, j, k, 1], abs=1e-5)


def test_inside_reaches_to_the_outer_faces():
    at = np.array([-0.6, -0.5, 0.0, 3.5, 3.6], dtype=np.float32)
    middle = np.zeros_like(at)

    np.testing.assert_array_equal(inside_volume((1, 1, 4), at, middle, middle), [False, True, True, True, False])
    np.testing.assert_array_equal(inside_volume((4, 1, 1), middle, middle, at), [False, True, True, True, False])

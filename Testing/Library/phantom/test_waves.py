"""Random fields of plane waves."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.geometry import Grid
from PyPeTLib.phantom.waves import Waves

OBLIQUE = np.array([[1.2, 0.3, 0.1, -9.0], [-0.2, 1.1, 0.6, 4.0], [0.1, -0.4, 3.0, 7.0], [0, 0, 0, 1.0]])


def test_field_on_a_grid_is_the_field_at_its_points():
    waves = Waves(np.random.default_rng(0), 10, 30)
    grid = Grid((5, 7, 4), OBLIQUE)
    indices = np.moveaxis(np.indices(grid.shape), 0, -1)
    points = indices @ OBLIQUE[:3, :3].T + OBLIQUE[:3, 3]
    np.testing.assert_allclose(waves.on(grid), waves.at(points), atol=2e-5)


def test_field_has_mean_zero_and_variance_one():
    values = Waves(np.random.default_rng(1), 8, 20).on(Grid((60, 60, 60), np.diag([3.0, 3.0, 3.0, 1.0])))
    assert values.mean() == pytest.approx(0, abs=0.03)
    assert values.var() == pytest.approx(1, abs=0.1)


def test_slope_is_the_length_of_the_gradient():
    waves = Waves(np.random.default_rng(2), 10, 30)
    values, slopes = waves.with_slope_on(Grid((20, 20, 20), np.diag([0.5, 0.5, 0.5, 1.0])))
    gradient = np.sqrt(sum(g**2 for g in np.gradient(values.astype(float), 0.5)))
    inner = (slice(2, -2),) * 3
    np.testing.assert_allclose(slopes[inner], gradient[inner], atol=0.01 * slopes.max())


def test_wavelengths_stay_in_their_range():
    lengths = 2 * np.pi / np.linalg.norm(Waves(np.random.default_rng(3), 12, 18).vectors, axis=1)
    assert 12 <= lengths.min() <= lengths.max() <= 18

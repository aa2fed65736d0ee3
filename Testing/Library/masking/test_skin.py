"""Depth under the skin, against a ball."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.masking.skin import depth_under_skin


@pytest.mark.parametrize("thickness", [2.0, 6.0, 10.0])
def test_depth_in_a_ball_is_that_to_its_surface_even_between_thick_slices(thickness):
    slices = int(140 / thickness) + 1
    axes = [2.0 * np.arange(-40, 41)] * 2 + [thickness * (np.arange(slices) - (slices - 1) / 2)]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    radius = np.sqrt(x**2 + y**2 + z**2)
    signal = radius < 60
    # what is dark inside does not matter, nor does a notch
    signal &= ~((radius > 50) & (radius < 55))
    signal &= ~((np.abs(x) < 7) & (y > 40))
    depth = depth_under_skin(signal, (2.0, 2.0, thickness), 10.0)
    inner = (radius < 50) & (radius > 25) & (np.abs(z) < 50) & ((np.abs(x) > 25) | (y < 20))
    error = (depth - (60 - radius))[inner]
    # about the poles the outline between thick slices is only known to part of their distance
    assert np.percentile(np.abs(error), 90) < 1.5 + 0.35 * thickness
    assert np.abs(error).max() < 5 + 0.35 * thickness
    assert abs(error.mean()) < 1.5
    assert depth[radius > 60 + thickness].max() == 0

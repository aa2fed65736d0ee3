"""Arterial blood relaxes with the square of the concentration; tissue does not."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.contrast import ARTERIAL_RELAXIVITIES, ContrastOptions
from PyPeTLib.errors import InputError

CONSTANTS = {"quadratic-1.5t": (7.62, 0.574), "quadratic-3t": (0.493, 2.62)}
CONCENTRATION = np.array([0.0, 1e-4, 0.1, 1.0, 5.0, 12.0])
"""In mM; a first pass peaks at some 5 to 12."""


def test_linear_leaves_the_curve():
    curve = np.array([-1.0, 0, 30])
    np.testing.assert_array_equal(ARTERIAL_RELAXIVITIES["linear"](curve, 44.0), curve)
    assert ContrastOptions().arterial_relaxivity == "linear"


@pytest.mark.parametrize("name", CONSTANTS)
def test_the_concentration_that_made_the_rate_comes_back_in_the_unit_of_tissue(name):
    a, b = CONSTANTS[name]
    rates = a * CONCENTRATION + b * CONCENTRATION**2
    np.testing.assert_allclose(ARTERIAL_RELAXIVITIES[name](rates, 44.0), 44.0 * CONCENTRATION, rtol=1e-12)


@pytest.mark.parametrize("name", CONSTANTS)
def test_noise_around_the_baseline_keeps_its_sign(name):
    rates = np.array([-2.0, 2.0])
    low, high = ARTERIAL_RELAXIVITIES[name](rates, 44.0)
    assert low == -high < 0


@pytest.mark.parametrize("name", CONSTANTS)
def test_the_peak_shrinks_against_the_tail(name):
    """That is the point of it: a rate read as linear overstates the peak of the AIF."""
    a, b = CONSTANTS[name]
    peak, tail = ARTERIAL_RELAXIVITIES[name](np.array([a * 8 + b * 64, a + b]), 44.0)
    assert peak / tail == pytest.approx(8)
    assert (a * 8 + b * 64) / (a + b) > 8.5


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"quadratic-1.5t.*quadratic-3t"):
        ContrastOptions(arterial_relaxivity="cubic")

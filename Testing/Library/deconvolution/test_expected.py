"""What is expected before a curve is seen."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.deconvolution import DeconvolutionOptions, Problem
from PyPeTLib.deconvolution.expected import LEAST_NOISE, Powers, exponential_covariance, exponential_power


def powers(noise, signal, durations=1.0):
    given = Problem(aif=np.ones(10), times=np.arange(10.0), options=DeconvolutionOptions(), noise=noise, signal=signal)
    return Powers.of(given, np.full(10, durations))


def test_power_spectrum_and_covariance_are_transforms_of_each_other():
    # the transform of m·exp(−|t|/m)/2 is 1/(1/m² + ω²)
    lags = np.arange(0, 100, 0.05)
    covariance = exponential_covariance(lags)[0]
    # both signs of a lag count, lag 0 once
    both = np.where(lags > 0, 2, 1) * covariance
    for angular in (0.0, 0.1, 0.5, 2.0):
        transformed = (both * np.cos(angular * lags)).sum() * 0.05
        assert transformed * exponential_power(np.zeros(1))[0] / 12 == pytest.approx(
            exponential_power(np.array([angular]))[0], rel=2e-3
        )


def test_noise_is_taken_off_the_power_of_the_curves():
    found = powers(3.0, 5.0)
    np.testing.assert_allclose(found.noise, 9.0)
    assert found.signal == pytest.approx(16.0)


def test_curves_without_noise_or_of_noise_alone_are_still_expected_to_hold_some_of_both():
    np.testing.assert_allclose(powers(0.0, 5.0).noise, (LEAST_NOISE * 5.0) ** 2)
    assert powers(5.0, 5.0).signal > 0
    nothing = powers(0.0, 0.0)
    assert (nothing.noise > 0).all()
    assert nothing.signal > 0


def test_the_floor_is_the_same_for_a_second_however_often_it_is_sampled():
    fine, coarse = powers(0.0, 5.0, 0.5), powers(0.0, 5.0, 2.0)
    # the mean of the two samples of a second is as uncertain as the half of one
    np.testing.assert_allclose(fine.noise / 2, 2 * coarse.noise)

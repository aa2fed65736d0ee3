"""What tells an artery's curve from others."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.contrast.features import curve_features, roughness, smooth_in_time
from PyPeTLib.phantom import Bolus

TRIANGLE = np.array([[0, 0, 2, 4, 6, 8, 4, 0, 0, 0]], np.float32)


def test_height_arrival_width_and_peak_of_a_triangle():
    found = curve_features(TRIANGLE, np.arange(10) * 2.0)
    assert found.peak[0] == 8
    assert found.time_of_peak[0] == 10
    assert found.arrival[0] == pytest.approx(6.0)
    assert found.width[0] == pytest.approx(12.0 - 6.0)


def test_uneven_frames_are_measured_in_seconds():
    times = np.array([0, 1, 2, 5, 9, 10, 14, 15, 16, 17.0])
    found = curve_features(TRIANGLE, times)
    assert found.arrival[0] == pytest.approx(5.0)
    assert found.width[0] == pytest.approx(14.0 - 5.0)


def test_arrival_is_finer_than_a_frame():
    shifts = np.linspace(0, 1, 11)
    curves = np.stack([Bolus(arrival=8 + s, second_share=0.0).arterial_at(np.arange(40.0)) for s in shifts])
    found = curve_features(curves.astype(np.float32), np.arange(40.0))
    np.testing.assert_allclose(found.arrival - found.arrival[0], shifts, atol=0.12)


def test_curves_that_never_fall_end_with_the_last_frame():
    rising = np.arange(10, dtype=np.float32)[None]
    found = curve_features(rising, np.arange(10.0))
    assert found.arrival[0] == pytest.approx(4.5)
    assert found.arrival[0] + found.width[0] == pytest.approx(9.0)


def test_features_do_not_depend_on_scale():
    curves = np.abs(np.random.default_rng(0).standard_normal((20, 30))).cumsum(axis=1).astype(np.float32)
    one, other = curve_features(curves, np.arange(30.0)), curve_features(curves * np.float32(64), np.arange(30.0))
    np.testing.assert_allclose(one.arrival, other.arrival)
    np.testing.assert_allclose(one.width, other.width)
    np.testing.assert_allclose(one.peak * 64, other.peak)


def test_smoothing_keeps_the_area_inside_and_flat_ends():
    curves = np.array([[0, 0, 0, 4, 0, 0, 0], [3, 3, 3, 3, 3, 3, 3]], np.float32)
    np.testing.assert_allclose(smooth_in_time(curves), [[0, 0, 1, 2, 1, 0, 0], [3, 3, 3, 3, 3, 3, 3]])


def test_roughness_tells_noise_from_a_bolus():
    curve = Bolus(second_share=0.0).arterial_at(np.arange(45.0))
    noisy = curve + np.random.default_rng(0).normal(0, 30, 45)
    assert roughness(curve) < 0.6
    assert roughness(noisy) > 3 * roughness(curve)
    assert roughness(noisy) == pytest.approx(roughness(7 * noisy))
    assert roughness(np.zeros(9)) == np.inf

"""The uniform grid of the operators."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.deconvolution.sampling import LEAST_STEP, frame_weights, uniform_sampling
from PyPeTLib.phantom import frame_times


@pytest.mark.parametrize("dt", [0.5, 1.0, 1.41, 3.0])
def test_equal_steps_are_left_alone(dt):
    sampling = uniform_sampling(np.arange(20) * dt + 7.0)
    assert sampling.step == pytest.approx(dt)
    np.testing.assert_array_equal(sampling.interpolation, np.eye(20))


def test_jitter_of_a_hundredth_of_a_step_counts_as_equal():
    times = np.arange(30.0) + np.random.default_rng(0).uniform(-0.005, 0.005, 30)
    sampling = uniform_sampling(times)
    assert sampling.size == 30
    assert sampling.step == pytest.approx((times[-1] - times[0]) / 29)


@pytest.mark.parametrize(
    "times",
    [
        frame_times((30, 1.0), (15, 3.0)),
        frame_times((5, 3.0), (20, 1.5), (4, 5.0)),
        np.cumsum(np.random.default_rng(1).uniform(0.7, 2.5, 25)),
    ],
    ids=["30×1 + 15×3", "slow, fast, slow", "random"],
)
def test_uneven_steps_are_interpolated_linearly_at_the_smallest_step(times):
    sampling = uniform_sampling(times)
    assert sampling.step == pytest.approx(np.diff(times).min())
    grid = times[0] + sampling.step * np.arange(sampling.size)
    assert grid[-1] <= times[-1] + 1e-6
    assert times[-1] - grid[-1] < sampling.step
    values = np.sin(times / 3)
    np.testing.assert_allclose(sampling.interpolation @ values, np.interp(grid, times, values), atol=1e-9)
    np.testing.assert_allclose(sampling.interpolation.sum(axis=1), 1.0)


def test_frames_stand_for_the_time_around_them():
    np.testing.assert_array_equal(frame_weights(uniform_sampling(np.arange(20) * 1.41)), np.ones(20))
    weights = frame_weights(uniform_sampling(frame_times((30, 1.0), (15, 3.0))))
    np.testing.assert_allclose(weights[:29], 1.0)
    assert weights[29] == pytest.approx(2.0)
    np.testing.assert_allclose(weights[30:], 3.0)


def test_two_frames_that_nearly_coincide_do_not_make_the_grid_endless():
    times = np.sort(np.append(np.arange(40.0), 20.004))
    sampling = uniform_sampling(times)
    assert sampling.step == LEAST_STEP
    assert sampling.size < 300

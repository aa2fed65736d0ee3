"""Impulse responses on a grid of lags."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.deconvolution.response import LagGrid, LinearSolver, peak_of


@pytest.mark.parametrize("place", [2.0, 2.3, 2.75, 3.49])
def test_the_peak_is_refined_by_a_parabola(place):
    lags = np.arange(8.0)
    response = (5 - (lags - place) ** 2).astype(np.float32)[None]
    found = peak_of(response, first_lag=-1.0, step=0.5)
    assert found.peak[0] == pytest.approx(5.0, rel=1e-6)
    assert found.time_of_peak[0] == pytest.approx(-1.0 + 0.5 * place, abs=1e-6)


def test_a_peak_at_either_end_stays_there():
    rising = np.arange(6, dtype=np.float32)[None]
    assert peak_of(rising, 0.0, 1.0).time_of_peak[0] == 5.0
    falling = peak_of(rising[:, ::-1], 0.0, 1.0)
    assert (falling.time_of_peak[0], falling.delay[0], falling.peak[0]) == (0.0, 0.0, 5.0)


def test_delay_is_where_the_response_last_passes_half_its_maximum_before_the_peak():
    response = np.array([[0, 6, 0, 0, 2, 8, 10, 9, 0]], np.float32)
    # the parabola through 8, 10 and 9 is 10 + 1/24 high; half of that lies between 2 and 8
    half = (10 + 1 / 24) / 2
    assert peak_of(response, 10.0, 2.0).delay[0] == pytest.approx(10 + 2 * (4 + (half - 2) / 6), abs=1e-5)


def test_a_linear_solver_knows_its_lags():
    solver = LinearSolver(np.zeros((4, 3), np.float32), first_lag=-1.0, step=0.5, fit=np.zeros((3, 3), np.float32))
    np.testing.assert_array_equal(solver.lags, [-1.0, -0.5, 0.0, 0.5])


@pytest.mark.parametrize(("step", "fine"), [(0.3, 0.3), (0.5, 0.5), (1.0, 0.5), (1.41, 0.47), (2.0, 0.5), (3.0, 0.5)])
def test_lags_divide_the_step_and_are_at_most_half_a_second_apart(step, fine):
    grid = LagGrid.within(-4.0, 12.0, step, 60.0)
    assert grid.step == pytest.approx(fine)
    assert grid.lags[0] <= -4.0 - 0.49 * fine
    assert grid.lags[-1] >= 12.0 + 0.49 * fine
    np.testing.assert_allclose(grid.lags / grid.step, np.arange(grid.first, grid.last + 1))
    assert step / grid.step == pytest.approx(round(step / grid.step))


def test_lags_stay_within_what_can_be_told_apart():
    grid = LagGrid.within(-60.0, 120.0, 1.0, 44.0)
    assert (grid.lags[0], grid.lags[-1]) == (-44.0, 44.0)

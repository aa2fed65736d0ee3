"""Truncated singular values, and what all linear methods share: signs, lags and the way back to the curve."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.deconvolution import METHODS, DeconvolutionOptions, Problem
from PyPeTLib.deconvolution.driver import signal_level
from PyPeTLib.phantom import make_tiles

TILES = make_tiles("exponential", mtt=[4.0, 8.0], cbv=[4.0], delay=[-1.0, 0.0, 2.5])
CURVES = TILES.curves.astype(np.float32)
LINEAR = METHODS.with_trait("impulse-response")


def problem(times=TILES.times, aif=TILES.aif, **options):
    options = DeconvolutionOptions(**options)
    return Problem(aif=aif, times=times, options=options, signal=signal_level(CURVES))


@pytest.mark.parametrize("method", LINEAR)
def test_the_response_convolved_with_the_aif_gives_the_curve_back(method):
    solver = METHODS[method](problem(earliest_lag=-60.0, latest_lag=120.0))
    response = solver.impulse_response(CURVES[1:2])[0].astype(np.float64)
    every = round(1.0 / (solver.lags[1] - solver.lags[0]))
    lags = solver.lags[::every].round().astype(int)
    at = TILES.times.astype(int)[:, None] - lags
    aif = np.where((at >= 0) & (at < 45), TILES.aif[np.clip(at, 0, 44)], 0.0)
    # the truncation takes detail, not height or place
    again = aif @ response[::every]
    assert np.corrcoef(again, TILES.curves[1])[0, 1] > 0.97
    assert again.sum() == pytest.approx(TILES.curves[1].sum(), rel=0.1)


@pytest.mark.parametrize("method", LINEAR)
def test_responses_are_signed(method):
    noise = np.random.default_rng(0).normal(0, 1, (500, 45)).astype(np.float32)
    response = METHODS[method](problem()).impulse_response(noise)
    # osvd keeps few frequencies of pure noise, the constant among them, for each curve those that make one high peak
    assert (response < 0).mean() == pytest.approx(0.5, abs=0.15 if method == "osvd" else 0.05)


@pytest.mark.parametrize("method", [name for name in LINEAR if name != "osvd"])
def test_responses_are_linear_in_the_curve(method):
    solver = METHODS[method](problem())
    both = solver.impulse_response(CURVES[:1] + 2 * CURVES[5:6])
    apart = solver.impulse_response(CURVES[:1]) + 2 * solver.impulse_response(CURVES[5:6])
    np.testing.assert_allclose(both, apart, atol=1e-4 * np.abs(apart).max())


@pytest.mark.parametrize("method", [name for name in LINEAR if name in METHODS.with_trait("delay-insensitive")])
def test_lags_reach_from_the_earliest_to_the_latest_asked_for(method):
    solver = METHODS[method](problem(earliest_lag=-4.0, latest_lag=12.0))
    lags = solver.lags
    assert np.all(np.diff(lags) == 0.5)
    # one lag more on either side carries the parabola
    assert (lags[0], lags[-1]) == (-4.5, 12.5)


def test_tissue_before_the_artery_has_a_negative_tmax_and_parts_of_a_second_count():
    tiles = make_tiles("box", mtt=[2.0], cbv=[4.0], delay=[-2.0, -1.6, 0.3, 2.7])
    found = METHODS["bsvd"](problem())(tiles.curves.astype(np.float32))
    np.testing.assert_allclose(found.time_of_peak, tiles.delay + 1.0, atol=0.05)


@pytest.mark.parametrize("threshold", [0.05, 0.1, 0.3])
def test_more_truncation_means_a_lower_peak(threshold):
    higher, lower = (METHODS["bsvd"](problem(svd_threshold=t))(CURVES).peak for t in (threshold, 2 * threshold))
    assert (lower < higher).all()


def test_truncation_limits_what_noise_does():
    rng = np.random.default_rng(0)
    noisy = CURVES[1] + rng.normal(0, 2.0, (300, 45)).astype(np.float32)
    spread = [METHODS["bsvd"](problem(svd_threshold=t))(noisy).peak.std() for t in (0.02, 0.1, 0.3)]
    assert spread[0] > 2 * spread[1] > 2 * spread[2]

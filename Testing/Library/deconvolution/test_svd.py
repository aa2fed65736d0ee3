"""The SVD family: operators, signs, lags and the choice of truncation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg

from PyPeTLib.deconvolution import METHODS, DeconvolutionOptions, Problem
from PyPeTLib.deconvolution.svd import CirculantConvolution, LinearSolver, OscillationSolver, peak_of
from PyPeTLib.phantom import make_tiles

TILES = make_tiles("exponential", mtt=[4.0, 8.0], cbv=[4.0], delay=[-1.0, 0.0, 2.5])
CURVES = TILES.curves.astype(np.float32)
LINEAR = METHODS.with_trait("impulse-response")


def problem(times=TILES.times, aif=TILES.aif, **options):
    return Problem(aif=aif, times=times, options=DeconvolutionOptions(**options))


def test_the_dft_route_equals_the_svd_of_the_block_circulant_matrix():
    # dt 0.5 s needs no finer lags, so the operator must be Wu's pseudo-inverse itself
    tiles = make_tiles("exponential", mtt=[4.0], cbv=[4.0], delay=[0.0], times=np.arange(40) * 0.5)
    padded = np.concatenate([tiles.aif, np.zeros(40)])
    matrix = 0.5 * linalg.circulant(padded)
    left, values, right = np.linalg.svd(matrix)
    kept = values > 0.1 * values[0]
    inverse = (right.T[:, kept] / values[kept]) @ left.T[kept]
    convolution = CirculantConvolution.of(problem(tiles.times, tiles.aif))
    ours = convolution.inverse(convolution.moduli > 0.1 * convolution.moduli.max())
    # rows ascend from −40 lags to 39
    np.testing.assert_allclose(ours, np.roll(inverse, 40, axis=0)[:, :40], atol=1e-9)


def test_finer_lags_pass_through_the_coarse_ones():
    convolution = CirculantConvolution.of(problem())
    keep = convolution.moduli > 0.1 * convolution.moduli.max()
    fine = convolution.inverse(keep)
    assert convolution.refinement == 2
    circle = np.fft.irfft(np.where(keep, 1 / convolution.spectrum, 0), 2 * 45)
    response = CURVES[0].astype(np.float64)
    coarse = np.fft.irfft(np.fft.rfft(circle) * np.fft.rfft(response, 90), 90)
    np.testing.assert_allclose(fine[::2] @ response, np.roll(coarse, 45), atol=1e-9)


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
    # osvd keeps few frequencies of pure noise, the constant among them
    assert (response < 0).mean() == pytest.approx(0.5, abs=0.12 if method == "osvd" else 0.05)


@pytest.mark.parametrize("method", ["ssvd", "bsvd", "bsvd-simpson"])
def test_responses_are_linear_in_the_curve(method):
    solver = METHODS[method](problem())
    both = solver.impulse_response(CURVES[:1] + 2 * CURVES[5:6])
    apart = solver.impulse_response(CURVES[:1]) + 2 * solver.impulse_response(CURVES[5:6])
    np.testing.assert_allclose(both, apart, atol=1e-4 * np.abs(apart).max())


@pytest.mark.parametrize("method", ["bsvd", "bsvd-simpson", "osvd"])
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


@pytest.mark.parametrize("threshold", [0.05, 0.1, 0.3])
def test_more_truncation_means_a_lower_peak(threshold):
    higher, lower = (METHODS["bsvd"](problem(svd_threshold=t))(CURVES).peak for t in (threshold, 2 * threshold))
    assert (lower < higher).all()


def test_truncation_limits_what_noise_does():
    rng = np.random.default_rng(0)
    noisy = CURVES[1] + rng.normal(0, 2.0, (300, 45)).astype(np.float32)
    spread = [METHODS["bsvd"](problem(svd_threshold=t))(noisy).peak.std() for t in (0.02, 0.1, 0.3)]
    assert spread[0] > 2 * spread[1] > 2 * spread[2]


def test_oscillation_of_the_answer_stays_within_the_limit():
    # the limit is on ∫|k''|/max k in 1/s, and Wu's index counts 120 samples of 1 s
    for limit in (0.01, 0.02, 0.05):
        solver = OscillationSolver(CirculantConvolution.of(given := problem(oscillation_index=limit)), given)
        levels, _ = solver.levels(CURVES)
        within = [solver._oscillation(CURVES[i : i + 1], level)[0] for i, level in enumerate(levels)]
        assert max(within) <= 120 * limit * (1 + 1e-5)
        assert levels.min() > 3


def test_a_wider_limit_of_oscillation_lets_the_peak_rise():
    flows = [METHODS["osvd"](problem(oscillation_index=limit))(CURVES).peak for limit in (0.01, 0.02, 0.04)]
    assert (flows[0] < flows[1]).all()
    assert (flows[1] < flows[2]).all()


def test_noise_free_data_do_not_let_osvd_through_unregularised():
    truth = TILES.cbf * 1.05 / 0.73 / 6000
    free = METHODS["osvd"](problem(oscillation_index=1.0))(CURVES).peak
    assert (free < 1.3 * truth).all()


def test_a_linear_solver_knows_its_lags():
    solver = LinearSolver(np.zeros((4, 3), np.float32), first_lag=-1.0, step=0.5)
    np.testing.assert_array_equal(solver.lags, [-1.0, -0.5, 0.0, 0.5])

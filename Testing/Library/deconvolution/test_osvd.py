"""Truncation by oscillation."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from PyPeTLib.deconvolution import METHODS, DeconvolutionOptions, Problem
from PyPeTLib.deconvolution.circulant import CirculantConvolution
from PyPeTLib.deconvolution.driver import signal_level
from PyPeTLib.deconvolution.osvd import OscillationSolver, index_for_noise
from PyPeTLib.phantom import gamma_residue, make_tiles
from PyPeTLib.phantom.kinetics import tissue_factor

TILES = make_tiles("exponential", mtt=[4.0, 8.0], cbv=[4.0], delay=[-1.0, 0.0, 2.5])
CURVES = TILES.curves.astype(np.float32)


def problem(noise=0.0, tiles=TILES, **options):
    curves = tiles.curves.astype(np.float32)
    options = DeconvolutionOptions(method="osvd", **options)
    return Problem(aif=tiles.aif, times=tiles.times, options=options, noise=noise, signal=signal_level(curves))


@pytest.mark.parametrize("index", [0.01, 0.02, 0.03])
@pytest.mark.parametrize("residue", ["exponential", "box"])
def test_oscillation_of_the_answer_stays_within_the_limit(residue, index):
    # the limit is on ∫|k''|/max k in 1/s, and Wu's index counts 120 samples of 1 s
    tiles = make_tiles(residue, mtt=[4.0, 8.0], cbv=[4.0], delay=[-1.0, 0.0, 2.5])
    # nearly the whole circle
    solver = METHODS["osvd"](problem(oscillation_index=index, earliest_lag=-60.0, latest_lag=120.0))
    response = solver.impulse_response(tiles.curves.astype(np.float32))
    bends = np.abs(np.diff(response, 2, axis=1)).sum(axis=1) / 0.5
    found = bends / response.max(axis=1) / 120
    print(found)
    assert (found <= 1.05 * index).all()
    assert (found >= 0.7 * index).all()


def test_a_wider_limit_of_oscillation_lets_the_peak_rise():
    flows = [METHODS["osvd"](problem(oscillation_index=limit))(CURVES).peak for limit in (0.01, 0.02, 0.04)]
    assert (flows[0] < flows[1]).all()
    assert (flows[1] < flows[2]).all()


def test_noise_free_data_do_not_let_osvd_through_unregularised():
    truth = tissue_factor(TILES.cbf)
    for index in (0.0, 1.0):
        free = METHODS["osvd"](problem(oscillation_index=index))(CURVES).peak
        assert (free < 1.3 * truth).all()


def test_levels_never_part_a_cosine_from_its_sine_and_reach_the_last_frequency():
    solver = OscillationSolver(CirculantConvolution.of(problem()), 0.03, 0.04)
    kept = CirculantConvolution.of(problem()).ordered(0.03)
    # the constant has no sine, all other frequencies have one
    sizes = [level.n_waves for level in solver._levels]
    assert all(size % 2 == 1 for size in sizes)
    assert sizes[-1] == 2 * kept.size - 1


def test_the_answer_follows_the_data_without_jumps():
    # between two levels the response is interpolated
    rng = np.random.default_rng(0)
    towards = CURVES[1] + np.linspace(0, 1, 400)[:, None] * rng.normal(0, 2.0, 45)
    peaks = METHODS["osvd"](problem())(towards.astype(np.float32)).peak
    steps = np.abs(np.diff(peaks)) / peaks.mean()
    assert steps.max() < 0.02


def test_the_limit_falls_as_noise_rises_whatever_the_unit():
    found = [problem(noise=share * problem().signal) for share in (0.0, 0.05, 0.2)]
    durations = np.ones(45)
    limits = [index_for_noise(one, durations) for one in found]
    assert limits[0] > limits[1] > limits[2] > 0.02
    in_other_unit = [
        Problem(aif=1e4 * one.aif, times=one.times, options=one.options, noise=1e4 * one.noise, signal=1e4 * one.signal)
        for one in found
    ]
    np.testing.assert_allclose([index_for_noise(one, durations) for one in in_other_unit], limits, rtol=1e-12)


def test_a_given_limit_is_not_changed_by_noise():
    quiet, loud = (METHODS["osvd"](problem(noise=n, oscillation_index=0.03))(CURVES).peak for n in (0.0, 3.0))
    np.testing.assert_array_equal(quiet, loud)


@cache
def typical(noise):
    """Curves of many shapes, transit times and delays with noise, as a share of their size; flow; and their problem."""
    tiles = [
        make_tiles(residue, mtt=[3.5, 5.0, 7.0, 10.0, 14.0], cbv=[4.0], delay=[0.0, 0.7, 1.9], times=np.arange(60.0))
        for residue in ("exponential", gamma_residue(3.0), "box")
    ]
    curves = np.concatenate([one.curves for one in tiles])
    size = float(np.sqrt(np.mean(curves**2)))
    curves = np.tile(curves, (8, 1))
    curves += np.random.default_rng(0).normal(0, noise * size, curves.shape) if noise else 0
    flow = np.tile(np.concatenate([tissue_factor(one.cbf) for one in tiles]), 8)
    return curves.astype(np.float32), flow, tiles[0], size


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.15, 0.3])
def test_the_limit_that_noise_chooses_is_about_as_good_as_the_best(noise):
    curves, flow, tiles, size = typical(noise)

    def error(index):
        options = DeconvolutionOptions(oscillation_index=index)
        given = Problem(aif=tiles.aif, times=tiles.times, options=options, noise=noise * size, signal=size)
        return float(np.sqrt(np.mean((METHODS["osvd"](given)(curves).peak / flow - 1) ** 2)))

    chosen, all_errors = error(0.0), [error(index) for index in np.geomspace(0.02, 0.12, 10)]
    print(f"noise {noise}: error of the flow {chosen:.3f}, best {min(all_errors):.3f}, worst {max(all_errors):.3f}")
    assert chosen <= 1.12 * min(all_errors)


def test_short_box_like_residues_keep_the_order_of_their_flows(analyse):
    tiles = make_tiles("box", mtt=[3.0, 4.0, 6.0, 8.0], cbv=[4.0], delay=[0.0, 0.5, 2.0], times=np.arange(60.0))
    flow = analyse(tiles.curves, tiles.aif, tiles.times, "osvd").values["cbf"].reshape(4, 3).mean(axis=1)
    print(f"CBF of boxes of 80, 60, 40 and 30 ml/100g/min: {flow.round(1)}")
    assert (np.diff(flow) < 0).all()

"""Tikhonov's and Wiener's inverse of the circulant convolution, against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg

from PyPeTLib.deconvolution import METHODS, DeconvolutionOptions, Problem
from PyPeTLib.deconvolution.driver import noise_level, signal_level
from PyPeTLib.deconvolution.expected import TYPICAL_TRANSIT_TIME
from PyPeTLib.phantom import frame_times, make_tiles

TILES = make_tiles("exponential", mtt=[4.0, 8.0], cbv=[4.0], delay=[0.0, 2.5])
CURVES = TILES.curves.astype(np.float32)
CONVOLUTION = linalg.circulant(np.concatenate([TILES.aif, np.zeros(45)]))[:45]
"""From responses on the circle of 90 s to the 45 measured frames."""


def problem(noise=0.0, tiles=TILES, offset=0.0, **options):
    options = DeconvolutionOptions(earliest_lag=-60.0, latest_lag=120.0, **options)
    signal = signal_level(tiles.curves.astype(np.float32))
    return Problem(aif=tiles.aif, times=tiles.times, options=options, noise=noise, signal=signal, offset=offset)


def on_circle(responses):
    """Responses at lags −44, −43.5 … 44 s at whole seconds, around the circle from lag 0 on; that at ±45 is lost."""
    whole = responses[:, ::2]
    return np.concatenate([whole[:, 44:], np.zeros((len(whole), 1)), whole[:, :44]], axis=1)


def tikhonovs(curve, level):
    normal = CONVOLUTION.T @ CONVOLUTION + level**2 * np.eye(90)
    return np.linalg.solve(normal, CONVOLUTION.T @ curve)


@pytest.mark.parametrize("rule", ["noise", "gcv", "lcurve"])
def test_the_response_minimises_misfit_and_size(rule):
    solver = METHODS["tikhonov"](problem(1.0, regularisation=rule))
    noisy = (TILES.curves + np.random.default_rng(0).normal(0, 1.0, TILES.curves.shape)).astype(np.float32)
    found = on_circle(solver.impulse_response(noisy).astype(np.float64))
    for curve, response in zip(noisy.astype(np.float64), found, strict=True):
        levels = np.geomspace(1e-3, 3, 3000) * np.linalg.norm(CONVOLUTION, 2)
        # of all λ there must be one that gives this very response
        left, values, right = np.linalg.svd(CONVOLUTION, full_matrices=False)
        mine = right @ response
        theirs = (values / (values**2 + levels[:, None] ** 2)) * (left.T @ curve)
        nearest = levels[np.abs(theirs - mine).sum(axis=1).argmin()]
        expected = tikhonovs(curve, nearest)
        np.testing.assert_allclose(response[:45], expected[:45], atol=3e-3 * expected.max())


def test_wieners_gain_is_the_least_expected_error_of_exponential_responses():
    # responses of exponential covariance in any phase, with noise: no other gain does better, and the one from the
    # covariance matrix on the circle is found
    noise = 1.0
    solver = METHODS["wiener"](problem(noise))
    frequency = 2 * np.pi * np.fft.rfftfreq(90)
    power = 1 / (1 / TYPICAL_TRANSIT_TIME**2 + frequency**2)
    covariance = linalg.circulant(np.fft.irfft(power, 90))
    expected = CONVOLUTION @ covariance @ CONVOLUTION.T
    covariance *= 45 * (problem().signal ** 2 - noise**2) / np.trace(expected)
    joint = covariance @ CONVOLUTION.T
    gain = joint @ np.linalg.inv(CONVOLUTION @ joint + noise**2 * np.eye(45))
    found = on_circle(solver.operator.T)
    np.testing.assert_allclose(found[:, :45], gain[:45].T, atol=2e-3 * np.abs(gain).max())


def test_in_the_middle_of_a_long_window_wieners_gain_is_the_filter_of_each_frequency():
    tiles = make_tiles(mtt=[4.0], cbv=[4.0], delay=[0.0], times=np.arange(300.0))
    solver = METHODS["wiener"](problem(1.0, tiles))
    spectrum = np.fft.rfft(tiles.aif, 600)
    power = 1 / (1 / TYPICAL_TRANSIT_TIME**2 + (2 * np.pi * np.fft.rfftfreq(600)) ** 2)
    size = np.fft.irfft(np.abs(spectrum) ** 2 * power, 600)[0]
    power *= (problem(1.0, tiles).signal ** 2 - 1) / size
    gain = np.fft.irfft(np.conj(spectrum) / (np.abs(spectrum) ** 2 + 1 / power), 600)
    # a spike in the middle of the window, and the response near it
    found = solver.operator[:, 150]
    lags = np.round(solver.lags[::2]).astype(int)
    near = np.abs(lags) <= 100
    np.testing.assert_allclose(found[::2][near], gain[(lags[near] - 150) % 600], atol=2e-3 * np.abs(gain).max())


@pytest.mark.parametrize("method", ["tikhonov", "wiener", "volterra-tikhonov"])
def test_more_noise_means_a_smoother_answer(method):
    flows = [METHODS[method](problem(noise))(CURVES).peak for noise in (0.0, 0.5, 2.0)]
    assert (flows[0] > flows[1]).all()
    assert (flows[1] > flows[2]).all()


@pytest.mark.parametrize("method", ["tikhonov", "wiener"])
@pytest.mark.parametrize("rule", ["noise", "gcv", "lcurve"])
def test_noise_free_curves_do_not_let_the_unregularised_response_through(method, rule):
    tiles = make_tiles("exponential", mtt=[4.0, 8.0, 12.0], cbv=[4.0], delay=[-1.0, 0.0, 2.3], times=np.arange(60.0))
    found = METHODS[method](problem(0.0, tiles, regularisation=rule))(tiles.curves.astype(np.float32))
    flow = found.peak / (tiles.cbf * 1.05 / (0.55 / 0.75) / 6000)
    assert (flow < 1.0).all()
    assert (flow > 0.6).all()


@pytest.mark.parametrize("rule", ["gcv", "lcurve"])
def test_each_curve_gets_a_strength_of_its_own(rule):
    rng = np.random.default_rng(0)
    base = np.repeat(TILES.curves[:1], 300, axis=0)
    noisy = np.concatenate([base + rng.normal(0, noise, base.shape) for noise in (0.1, 3.0)]).astype(np.float32)
    solver = METHODS["tikhonov"](problem(regularisation=rule))
    levels = solver.rule(noisy @ solver.analysis)[:, 0]
    assert np.median(levels[:300]) < np.median(levels[300:])


@pytest.mark.parametrize("rule", ["noise", "gcv", "lcurve"])
@pytest.mark.parametrize("method", ["tikhonov", "wiener"])
def test_uneven_frames_with_noise_read_as_even_ones_do(method, rule):
    found = []
    for times in (frame_times((30, 1.0), (15, 3.0)), np.arange(75.0)):
        tiles = make_tiles("exponential", mtt=[4.0, 8.0], cbv=[4.0], delay=[0.0, 2.5], times=times)
        noisy = np.tile(tiles.curves, (300, 1))
        noisy = (noisy + np.random.default_rng(0).normal(0, 1.0, noisy.shape)).astype(np.float32)
        options = DeconvolutionOptions(regularisation=rule)
        noise, signal = noise_level(noisy), signal_level(tiles.curves.astype(np.float32))
        given = Problem(aif=tiles.aif, times=times, options=options, noise=noise, signal=signal)
        found.append(METHODS[method](given)(noisy).peak.reshape(300, 4).mean(axis=0))
    print(method, rule, found[0] / found[1])
    # fewer frames hold more noise, and rules that see one voxel alone do not know that it is noise
    limit = 0.06 if method == "wiener" else {"noise": 0.06, "gcv": 0.08, "lcurve": 0.15}[rule]
    np.testing.assert_allclose(found[0], found[1], rtol=limit)

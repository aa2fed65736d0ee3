"""Convolution on a circle, for even and uneven frames."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg

from PyPeTLib.deconvolution import METHODS, DeconvolutionOptions, Problem
from PyPeTLib.deconvolution.circulant import CirculantConvolution
from PyPeTLib.phantom import frame_times, make_tiles

TILES = make_tiles("exponential", mtt=[4.0, 8.0], cbv=[4.0], delay=[-1.0, 0.0, 2.5])
UNEVEN = [
    frame_times((30, 1.0), (15, 3.0)),
    frame_times((10, 3.0), (20, 1.5), (10, 3.0)),
    np.cumsum(np.random.default_rng(1).uniform(0.7, 2.5, 45)),
]
every_uneven = pytest.mark.parametrize("times", UNEVEN, ids=["30×1 + 15×3", "slow, fast, slow", "random"])


def convolution(times=TILES.times, aif=TILES.aif, offset=0.0, **options):
    options = DeconvolutionOptions(**options)
    return CirculantConvolution.of(Problem(aif=aif, times=times, options=options, offset=offset))


def test_truncation_equals_the_svd_of_the_block_circulant_matrix():
    # dt 0.5 s needs no finer lags, so the operator must be Wu's pseudo-inverse itself
    tiles = make_tiles("exponential", mtt=[4.0], cbv=[4.0], delay=[0.0], times=np.arange(40) * 0.5)
    matrix = 0.5 * linalg.circulant(np.concatenate([tiles.aif, np.zeros(40)]))
    left, values, right = np.linalg.svd(matrix)
    kept = values > 0.1 * values[0]
    inverse = (right.T[:, kept] / values[kept]) @ left.T[kept]
    ours = convolution(tiles.times, tiles.aif, earliest_lag=-60.0, latest_lag=120.0).truncated(0.1)
    np.testing.assert_allclose(ours.lags, np.arange(-39, 40) * 0.5)
    np.testing.assert_allclose(ours.operator, np.roll(inverse, 39, axis=0)[:79, :40], atol=1e-7)


def test_finer_lags_pass_through_the_coarse_ones():
    solver = convolution(earliest_lag=-60.0, latest_lag=120.0).truncated(0.1)
    assert solver.step == 0.5
    spectrum = np.fft.rfft(TILES.aif, 90)
    kept = np.abs(spectrum) > 0.1 * np.abs(spectrum).max()
    inverse = np.where(kept, 1 / np.where(kept, spectrum, 1), 0)
    coarse = np.fft.irfft(inverse * np.fft.rfft(TILES.curves[0], 90), 90)
    fine = solver.impulse_response(TILES.curves[:1].astype(np.float32))[0]
    np.testing.assert_allclose(fine[::2], np.roll(coarse, 44)[:89], atol=1e-6)


def test_waves_are_orthonormal_on_the_circle_and_convolved_to_waves():
    conv = convolution()
    waves = conv.waves(np.arange(conv.moduli.size))
    circle = np.arange(90.0)
    at = waves.at(circle)
    np.testing.assert_allclose(at.T @ at, np.eye(90), atol=1e-12)
    matrix = linalg.circulant(np.concatenate([TILES.aif, np.zeros(45)]))
    np.testing.assert_allclose(
        matrix @ at, conv.in_tissue(waves, circle) * conv.moduli[waves.frequency], atol=1e-8 * matrix.max()
    )


@every_uneven
def test_a_curve_on_the_grid_passes_through_its_frames(times):
    tiles = make_tiles("gamma", mtt=[3.0, 8.0], cbv=[4.0], delay=[-1.0, 2.0], times=times)
    conv = convolution(tiles.times, tiles.aif)
    onto = conv.onto_grid()
    grid = conv.sampling.grid + times[0]
    exact = make_tiles("gamma", mtt=[3.0, 8.0], cbv=[4.0], delay=[-1.0, 2.0], times=grid).curves
    straight = np.stack([np.interp(grid, times, curve) for curve in tiles.curves])
    found = tiles.curves @ onto.T
    error, of_straight_lines = (np.abs(values - exact).max() / exact.max() for values in (found, straight))
    print(
        f"largest error of a curve on the grid: {100 * error:.2f} %, by straight lines {100 * of_straight_lines:.2f} %"
    )
    assert error < 0.5 * of_straight_lines or error < 0.01
    # and the frames on it are kept as they are
    frame, place = np.nonzero(np.isclose(conv.sampling.frame_times[:, None], conv.sampling.grid, atol=1e-9))
    assert frame.size >= 1
    np.testing.assert_allclose(found[:, place], tiles.curves[:, frame], atol=0.01 * exact.max())


@every_uneven
def test_noise_between_the_frames_is_not_amplified(times):
    aif = make_tiles(times=times).aif
    onto = convolution(times, aif).onto_grid()
    # variance at the grid's points, in that of a frame: where frames grow sparse a few points are uncertain
    variance = (onto**2).sum(axis=1)
    assert np.median(variance) <= 1.0
    assert np.mean(variance) < 1.3
    assert variance.max() < 9.0


def test_even_frames_are_the_grid():
    np.testing.assert_array_equal(convolution().onto_grid(), np.eye(45))


@pytest.mark.parametrize("method", ["bsvd", "bsvd-simpson", "osvd", "tikhonov", "wiener"])
@pytest.mark.parametrize("offset", [0.3, 1.0, -0.7])
def test_an_offset_of_the_tissue_moves_all_lags_by_as_much(method, offset):
    options = DeconvolutionOptions(earliest_lag=-20.0)
    curves = make_tiles("gamma", mtt=[4.0, 8.0], cbv=[4.0], delay=[0.0, 1.3]).curves.astype(np.float32)
    plain, late = (
        METHODS[method](Problem(aif=TILES.aif, times=TILES.times, options=options, signal=10.0, offset=by))(curves)
        for by in (0.0, offset)
    )
    # to what a parabola through lags half a second apart can tell
    np.testing.assert_allclose(late.time_of_peak, plain.time_of_peak + offset, atol=0.02)
    np.testing.assert_allclose(late.delay, plain.delay + offset, atol=0.02)
    np.testing.assert_allclose(late.peak, plain.peak, rtol=5e-3)

"""A method applied to all voxels."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from PyPeTLib.deconvolution import METHODS, DeconvolutionOptions, Estimate, Problem, deconvolve
from PyPeTLib.deconvolution.driver import noise_level, signal_level
from PyPeTLib.errors import CancelledError, InputError
from PyPeTLib.execution import VOXELS_PER_PIECE, Execution
from PyPeTLib.phantom import make_tiles

TILES = make_tiles("exponential", mtt=[4.0, 8.0], cbv=[4.0], delay=[0.0, 2.0])
CURVES = TILES.curves.astype(np.float32)


@pytest.mark.parametrize("method", [name for name in METHODS if "spatial" not in METHODS.entry(name).traits])
def test_pieces_are_put_back_in_their_places(method):
    n = VOXELS_PER_PIECE + 5
    many = np.tile(CURVES, (n // 4 + 1, 1))[:n] * np.linspace(0.5, 2, n, dtype=np.float32)[:, None]
    options = DeconvolutionOptions(method=method)
    whole = deconvolve(many, TILES.aif, TILES.times, options)
    ends = [0, 1, VOXELS_PER_PIECE - 1, VOXELS_PER_PIECE, n - 1]
    noise, signal = noise_level(many), signal_level(many)
    few = METHODS[method](Problem(aif=TILES.aif, times=TILES.times, options=options, noise=noise, signal=signal))(
        many[ends]
    )
    np.testing.assert_allclose(whole.peak[ends], few.peak, rtol=1e-4)


def test_cancelling_stops_the_deconvolution():
    with pytest.raises(CancelledError, match="deconvolution"):
        deconvolve(
            CURVES,
            TILES.aif,
            TILES.times,
            DeconvolutionOptions(),
            Execution(cancelled=lambda: True, stage="deconvolution"),
        )


def test_a_misspelt_method_is_named_with_the_known_ones():
    with pytest.raises(InputError, match=r"'bsdv' is not among the deconvolution methods: .*ssvd.*Did you mean"):
        DeconvolutionOptions(method="bsdv")


@pytest.mark.parametrize(
    ("old", "name"),
    [("SVD", "ssvd"), ("bcSVD1", "bsvd-simpson"), ("bcSVD2", "bsvd"), ("oSVD", "osvd"), ("boxNLR", "box-nlr")],
)
def test_the_names_of_the_original_tool_find_its_methods(old, name):
    assert DeconvolutionOptions(method=old).method == name


@pytest.mark.parametrize("method", METHODS)
def test_every_method_says_what_it_is_and_where_it_comes_from(method):
    entry = METHODS.entry(method)
    assert len(entry.summary) > 20
    assert "doi:10." in entry.source
    assert inspect.getdoc(entry.item)


@pytest.mark.parametrize("method", METHODS)
def test_traits_tell_what_a_method_returns(method):
    row = np.ones((len(CURVES), 1, 1), bool)
    found = deconvolve(CURVES, TILES.aif, TILES.times, DeconvolutionOptions(method=method), mask=row)
    assert ("posterior" in METHODS.entry(method).traits) == ({"peak_sd", "delay_sd", "shape"} <= found.found.keys())
    assert ("volume" in METHODS.entry(method).traits) == (found.volume is not None)
    assert (method == "peak-height") == (found.time_of_peak is None) == (found.delay is None)


@pytest.mark.parametrize("noise", [0.5, 3.0])
@pytest.mark.parametrize("interval", [1.0, 2.0])
def test_noise_is_measured_in_spite_of_the_bolus(noise, interval):
    times = np.arange(0, 60, interval)
    tiles = make_tiles("exponential", times=times, noise=noise)
    assert noise_level(tiles.curves.astype(np.float32)) == pytest.approx(noise, rel=0.12)
    assert noise_level(np.zeros((0, 45), np.float32)) == 0


@pytest.mark.parametrize("method", METHODS.with_trait("delay-insensitive"))
def test_tissue_sampled_later_than_the_artery(method):
    # slice timing: the lags must not take the later sampling for a delay
    times = np.arange(0.0, 60.0, 1.0)
    offsets = np.repeat(np.array([0.0, 0.4, 1.5], np.float32), 2)
    curves = np.concatenate(
        [
            make_tiles("gamma", mtt=[4.0, 8.0], cbv=[4.0], delay=[1.0], times=times + offset).curves
            for offset in (0.0, 0.4, 1.5)
        ]
    ).astype(np.float32)
    aif = make_tiles("gamma", mtt=[4.0], cbv=[4.0], delay=[1.0], times=times).aif
    row = np.ones((6, 1, 1), bool)
    found = deconvolve(curves, aif, times, DeconvolutionOptions(method=method), offsets=offsets, mask=row)
    for name in ("time_of_peak", "delay"):
        lags = getattr(found, name).reshape(3, 2)
        np.testing.assert_allclose(lags[1:], lags[[0, 0]], atol=0.05, err_msg=name)
    np.testing.assert_allclose(found.peak.reshape(3, 2)[1:], found.peak.reshape(3, 2)[[0, 0]], rtol=0.03)


def test_estimates_of_pieces_are_filled_by_name():
    whole = Estimate.empty(Estimate(peak=np.ones(1, np.float32), delay=np.ones(1, np.float32)), 4)
    assert whole.time_of_peak is None
    whole.fill(slice(1, 3), Estimate(peak=np.array([2, 3], np.float32), delay=np.array([5, 6], np.float32)))
    np.testing.assert_array_equal(whole.peak, [0, 2, 3, 0])
    np.testing.assert_array_equal(whole.delay, [0, 5, 6, 0])


def test_peak_height_is_the_highest_value_over_the_area_of_the_aif():
    found = deconvolve(CURVES, TILES.aif, TILES.times, DeconvolutionOptions(method="peak-height"))
    area = float((0.5 * (TILES.aif[1:] + TILES.aif[:-1])).sum())
    np.testing.assert_allclose(found.peak, CURVES.max(axis=1) / area, rtol=1e-5)
    # a lower bound of the flow
    assert (found.peak * 6000 * 0.55 / 0.75 / 1.05 < TILES.cbf).all()

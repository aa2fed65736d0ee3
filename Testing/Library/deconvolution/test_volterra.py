"""Exact integrals of straight pieces."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate

from PyPeTLib.deconvolution import METHODS, DeconvolutionOptions, Problem
from PyPeTLib.deconvolution.driver import signal_level
from PyPeTLib.deconvolution.volterra import convolved_hats
from PyPeTLib.phantom import frame_times, make_tiles
from PyPeTLib.phantom.kinetics import tissue_factor

TIMES = [np.arange(20.0), frame_times((10, 1.0), (6, 2.5)), np.cumsum(np.random.default_rng(0).uniform(0.5, 2, 16))]


@pytest.mark.parametrize("times", TIMES, ids=["even", "uneven", "random"])
@pytest.mark.parametrize("offset", [0.0, 0.35])
def test_elements_are_the_integrals_of_the_two_piecewise_linear_functions(times, offset):
    aif = np.random.default_rng(1).uniform(0.2, 1.0, times.size)
    nodes = np.arange(8.0)
    found = convolved_hats(aif, times, times + offset, nodes)
    fine = np.linspace(0, 9, 9001)
    for j, node in enumerate(nodes):
        hat = np.maximum(1 - np.abs(fine - node), 0)
        for i in (0, 3, 9, times.size - 1):
            at = times[i] + offset - fine
            input_then = np.interp(at, times, aif) * (at >= times[0])
            expected = integrate.trapezoid(hat * input_then, fine)
            assert found[i, j] == pytest.approx(expected, abs=1e-3)


def test_even_frames_give_the_elements_of_the_paper():
    # of hats at the frames: a sixth, four sixths and a sixth of neighbouring samples; half hats at either end
    aif = np.random.default_rng(0).uniform(0, 1, 12)
    found = convolved_hats(aif, np.arange(12.0), np.arange(12.0), np.arange(12.0))
    assert np.abs(np.triu(found, 2)).max() < 1e-12
    assert found[7, 3] == pytest.approx((aif[3] + 4 * aif[4] + aif[5]) / 6)
    assert found[7, 0] == pytest.approx((2 * aif[7] + aif[6]) / 6)
    assert found[7, 7] == pytest.approx((2 * aif[0] + aif[1]) / 6)


def test_flow_is_right_for_exponential_tissue_in_step_with_the_artery():
    tiles = make_tiles("exponential", mtt=[4.0, 6.0, 8.0, 12.0], cbv=[4.0], delay=[0.0], times=np.arange(60.0))
    curves = tiles.curves.astype(np.float32)
    given = Problem(aif=tiles.aif, times=tiles.times, options=DeconvolutionOptions(), signal=signal_level(curves))
    flow = METHODS["volterra-tikhonov"](given)(curves).peak / tissue_factor(tiles.cbf)
    print(f"flow of exponential tissue: {flow.round(3)} of the truth")
    np.testing.assert_allclose(flow, 1.0, atol=0.15)
    # higher than that of the methods that do not know where the response begins
    assert (flow > METHODS["wiener"](given)(curves).peak / tissue_factor(tiles.cbf)).all()


def test_the_flow_does_depend_on_the_delay():
    tiles = make_tiles("exponential", mtt=[4.0], cbv=[4.0], delay=[-1.0, 0.0, 0.5, 2.0], times=np.arange(60.0))
    curves = tiles.curves.astype(np.float32)
    given = Problem(aif=tiles.aif, times=tiles.times, options=DeconvolutionOptions(), signal=signal_level(curves))
    flow = METHODS["volterra-tikhonov"](given)(curves).peak
    assert np.ptp(flow) > 0.2 * flow.mean()
    assert "delay-insensitive" not in METHODS.entry("volterra-tikhonov").traits


@pytest.mark.parametrize("method", ["ssvd", "volterra-tikhonov"])
@pytest.mark.parametrize("offset", [0.4, 1.0])
def test_tissue_sampled_later_than_the_artery_keeps_its_lags(method, offset):
    plain, late = (
        make_tiles("gamma", mtt=[4.0, 8.0], cbv=[4.0], delay=[0.5, 1.5], times=np.arange(60.0) + by).curves
        for by in (0.0, offset)
    )
    tiles = make_tiles(times=np.arange(60.0))
    found = []
    for sampled, by in ((plain, 0.0), (late, offset)):
        curves = sampled.astype(np.float32)
        given = Problem(
            aif=tiles.aif, times=tiles.times, options=DeconvolutionOptions(), signal=signal_level(curves), offset=by
        )
        found.append(METHODS[method](given)(curves))
    # a node a second, and straight lines between the samples of the AIF
    limit = 0.02 if method == "volterra-tikhonov" else 0.25
    np.testing.assert_allclose(found[1].time_of_peak, found[0].time_of_peak, atol=limit)
    np.testing.assert_allclose(found[1].peak, found[0].peak, rtol=0.1)

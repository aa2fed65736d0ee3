"""Neighbours that share delay and residue: what is gained inside a region, and that edges stay."""

import numpy as np
import pytest
from scipy import ndimage

from PyPeTLib.deconvolution import DeconvolutionOptions, deconvolve
from PyPeTLib.deconvolution.neighbourhoods import correlation_area, pooled
from PyPeTLib.errors import InputError
from PyPeTLib.phantom import make_gradient_tiles
from PyPeTLib.phantom.kinetics import Bolus, tissue_curve
from PyPeTLib.quantification import QuantificationOptions

TIMES = np.arange(45.0)
AIF = Bolus().arterial_at(TIMES)
TO_FLOW = QuantificationOptions().tissue_factor * 6000


def section(noise, seed=0):
    """Two halves with other delays and transit times, each with flow that varies from voxel to voxel."""
    size = 32
    flow = np.random.default_rng(9).uniform(30, 60, (size, size))
    right = np.arange(size)[:, None] >= size // 2
    delay = np.where(right, 4.0, 1.0) + np.zeros((size, size))
    transit = np.where(right, 9.0, 4.0) + np.zeros((size, size))
    curves = tissue_curve(Bolus(), flow.ravel(), transit.ravel(), delay.ravel(), "exponential", times=TIMES)
    curves = curves + np.random.default_rng(seed).normal(0, noise, curves.shape)
    return curves.astype(np.float32), flow, delay, np.ones((size, size, 1), bool)


def estimated(curves, mask, method):
    return deconvolve(curves, AIF, TIMES, DeconvolutionOptions(method=method), mask=mask)


def test_neighbours_improve_delay_and_flow_and_leave_the_edge():
    curves, flow, delay, mask = section(3.0)
    alone, together = (estimated(curves, mask, method) for method in ("gamma-bayes", "gamma-bayes-spatial"))
    error = {
        name: (
            np.abs(found.delay.reshape(delay.shape) - delay),
            np.abs(found.peak.reshape(flow.shape) * TO_FLOW - flow),
        )
        for name, found in (("alone", alone), ("together", together))
    }
    assert error["together"][0].mean() < 0.75 * error["alone"][0].mean()
    assert error["together"][1].mean() < 0.95 * error["alone"][1].mean()
    at_edge = np.s_[15:17]
    assert error["together"][0][at_edge].mean() < error["alone"][0][at_edge].mean()


def test_flow_that_varies_from_voxel_to_voxel_is_not_smoothed():
    curves, flow, _, mask = section(1.0)
    found = estimated(curves, mask, "gamma-bayes-spatial").peak.reshape(flow.shape) * TO_FLOW
    for half in (np.s_[2:14], np.s_[18:30]):
        assert np.corrcoef(found[half].ravel(), flow[half].ravel())[0, 1] > 0.9
        assert found[half].std() > 0.8 * flow[half].std()


def test_gradients_lose_little():
    # a plain blur would be rewarded on flat tiles and punished here
    phantom = make_gradient_tiles("exponential", mtt=[6.0], noise=8.0)
    inside = phantom.labels[:, :, :1] >= 0
    images = ndimage.gaussian_filter(phantom.series.array()[:, :, 0] - 36.0, (2, 2, 0), mode="nearest")
    curves = images[inside[:, :, 0]].astype(np.float32)
    truth = phantom.truth["cbf"][:, :, :1][inside]

    def error(method):
        options = DeconvolutionOptions(method=method)
        found = deconvolve(curves, phantom.aif, phantom.series.frame_times, options, mask=inside)
        return np.abs(found.peak * TO_FLOW - truth).mean()

    assert error("gamma-bayes-spatial") < 1.05 * error("gamma-bayes")


def test_the_mask_says_who_is_a_neighbour():
    curves, *_, mask = section(2.0)
    with pytest.raises(InputError, match="needs the mask"):
        deconvolve(curves, AIF, TIMES, DeconvolutionOptions(method="gamma-bayes-spatial"))
    with pytest.raises(InputError, match="1024 curves"):
        deconvolve(curves, AIF, TIMES, DeconvolutionOptions(method="gamma-bayes-spatial"), mask=mask[:5])


def test_slices_do_not_mix():
    curves, _, _, mask = section(2.0)
    other, *_ = section(2.0, seed=4)
    alone = estimated(curves, mask, "gamma-bayes-spatial")
    stacked = np.stack([curves.reshape(32, 32, 45), other.reshape(32, 32, 45)], axis=2).reshape(-1, 45)
    both = estimated(stacked, np.ones((32, 32, 2), bool), "gamma-bayes-spatial")
    # the components are learnt from all curves, so only nearly the same
    found = both.delay.reshape(32, 32, 2)[:, :, 0].ravel()
    assert np.abs(found - alone.delay).mean() < 0.05


def test_the_correlation_area_of_blurred_noise():
    rng = np.random.default_rng(0)
    mask = np.ones((96, 96), bool)
    noise = rng.normal(size=(96, 96, 12))
    white = correlation_area(noise[mask].astype(np.float32), mask)
    blurred = ndimage.gaussian_filter(noise, (1.5, 1.5, 0))
    assert white == pytest.approx(1.0, abs=0.1)
    assert correlation_area(blurred[mask].astype(np.float32), mask) == pytest.approx(4 * np.pi * 1.5**2, rel=0.2)
    assert correlation_area(np.zeros((mask.sum(), 12), np.float32), mask) == 1.0


def test_pooling_averages_like_voxels_only():
    plane = np.ones((24, 24), bool)
    left = np.arange(24)[:, None] < 12
    truth = np.where(left[..., None], [10.0, 0.0, 0.0], [0.0, 10.0, 0.0]) + np.zeros((24, 24, 3))
    noisy = (truth + np.random.default_rng(1).normal(size=truth.shape))[plane].astype(np.float32)
    found = pooled(noisy, plane, 1.0, 1.0, 2.0)
    assert found.voxels.min() > 10
    error = np.abs(found.features - truth[plane])
    assert error.mean() < 0.35 * np.abs(noisy - truth[plane]).mean()
    # what is on the other side of the edge does not come through
    assert np.abs(found.features.reshape(24, 24, 3)[10:12, :, 1]).mean() < 0.7


def test_a_hole_in_the_mask_has_no_neighbours_in_it():
    plane = np.zeros((9, 9), bool)
    plane[4, 4] = True
    found = pooled(np.array([[3.0, 1.0]], np.float32), plane, 1.0, 1.0, 2.0)
    np.testing.assert_allclose(found.features, [[3.0, 1.0]])
    assert found.voxels == pytest.approx([1.0])

"""The curve that a response explains: the AIF convolved with it, whatever the method."""

import numpy as np
import pytest

from PyPeTLib.deconvolution import METHODS, Deconvolution, DeconvolutionOptions, Estimate, modelled_response
from PyPeTLib.deconvolution.modelled import makes_response, response_of

TIMES = np.arange(45) * 1.0
FINE = 0.01


def bolus(times):
    since = np.maximum(times - 8.0, 0)
    return 30.0 * since**3 * np.exp(-since / 1.6)


def exponential_tissue(times, flow=0.01, transit=5.0, delay=1.5):
    fine = np.arange(0, times[-1] + FINE, FINE)
    tissue = np.convolve(bolus(fine - delay), flow * np.exp(-fine / transit))[: fine.size] * FINE
    return np.interp(times, fine, tissue)


def prepared(method, times=TIMES, **options):
    curve = exponential_tissue(times)
    choices = DeconvolutionOptions(method=method, noise=0.1, **options)
    return Deconvolution.of(curve[None].astype(np.float32), bolus(times), times, choices), curve


def every_lag(method):
    """The response at whole frames, over all lags that two curves of this length can have."""
    found, curve = prepared(method, earliest_lag=-60.0, latest_lag=120.0)
    response = response_of(found.solver(), found.problem(), curve)
    at_frames = np.isclose(response.lags % 1.0, 0) | np.isclose(response.lags % 1.0, 1)
    return response, np.rint(response.lags[at_frames]).astype(int), response.values[at_frames]


@pytest.mark.parametrize("method", ["ssvd", "bsvd", "osvd", "tikhonov", "wiener"])
def test_what_is_explained_is_the_sum_that_the_method_takes_for_the_convolution(method):
    response, lags, values = every_lag(method)
    aif = bolus(TIMES)
    expected = np.zeros(TIMES.size)
    for lag, value in zip(lags, values, strict=True):
        since = np.arange(TIMES.size) - lag
        inside = (since >= 0) & (since < TIMES.size)
        expected[inside] += value * aif[since[inside]]
    np.testing.assert_allclose(response.fitted, expected, atol=2e-3 * expected.max())


@pytest.mark.parametrize("rule", ["noise", "gcv", "lcurve"])
def test_straight_pieces_are_integrated_whatever_chooses_the_regularisation(rule):
    found, curve = prepared("volterra-tikhonov", latest_lag=120.0, regularisation=rule)
    response = response_of(found.solver(), found.problem(), curve)
    fine = np.arange(0, TIMES[-1], FINE) + 0.5 * FINE
    values = np.interp(fine, response.lags, response.values)
    aif = np.interp(np.subtract.outer(TIMES, fine), TIMES, bolus(TIMES), left=0.0)
    np.testing.assert_allclose(response.fitted, aif @ values * FINE, atol=2e-3 * curve.max())


@pytest.mark.parametrize("method", [name for name in METHODS if makes_response(name)])
@pytest.mark.parametrize("times", [TIMES, np.concatenate([np.arange(25) * 1.0, 24 + 3 * np.arange(1, 9)])])
def test_a_curve_without_noise_is_explained(method, times):
    found, curve = prepared(method, times)
    response = response_of(found.solver(), found.problem(), curve)
    limit = 0.08 if method in ("box-nlr", "ssvd") else 0.05
    assert np.sqrt(np.mean((response.fitted - curve) ** 2)) < limit * curve.max()
    assert response.residue.max() == pytest.approx(1.0, abs=0.03)
    assert response.peak == pytest.approx(float(found.solver()(curve[None].astype(np.float32)).peak[0]), rel=1e-5)


@pytest.mark.parametrize("method", [name for name in METHODS if makes_response(name)])
def test_tissue_that_was_sampled_later_is_explained_at_its_own_times(method):
    offset = 0.6
    found, _ = prepared(method)
    curve = exponential_tissue(np.append(TIMES, 45.0) + offset)[: TIMES.size]
    response = response_of(found.solver(offset), found.problem(offset), curve)
    assert np.sqrt(np.mean((response.fitted - curve) ** 2)) < 0.08 * curve.max()


@pytest.mark.parametrize("shape", [None, 1.0, 3.3, 50.0])
def test_a_modelled_response_is_that_of_its_parameters(shape):
    found, _ = prepared("gamma-bayes" if shape else "box-nlr")
    one = {"peak": 0.012, "volume": 0.012 * 6.0, "delay": 2.0} | ({"shape": shape} if shape else {})
    response = modelled_response(
        found.problem(), Estimate(**{name: np.array([value], np.float32) for name, value in one.items()})
    )
    assert response.peak == pytest.approx(0.012)
    assert response.values[response.lags < 1.99].max() == 0
    assert response.values.max() == pytest.approx(0.012, rel=2e-2)
    assert np.sum(response.values) * 0.1 == pytest.approx(0.072, rel=2e-2)
    if shape == 1.0:
        np.testing.assert_allclose(
            response.fitted, exponential_tissue(TIMES, 0.012, 6.0, 2.0), atol=0.01 * response.fitted.max()
        )


def test_tissue_without_flow_has_no_response():
    found, curve = prepared("osvd")
    assert response_of(found.solver(), found.problem(), np.zeros_like(curve)) is None
    assert not makes_response("peak-height")
    found, curve = prepared("peak-height")
    assert response_of(found.solver(), found.problem(), curve) is None

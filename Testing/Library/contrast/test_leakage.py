"""Leaked contrast: known K1, K2 and kep come back, and what did not leak stays as it was."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.integrate import quad

from PyPeTLib.contrast import LEAKAGE_CORRECTIONS, correct_leakage
from PyPeTLib.contrast.leakage import leaked_kernels, non_leaking
from PyPeTLib.errors import InputError
from PyPeTLib.execution import VOXELS_PER_PIECE, Execution
from PyPeTLib.quantification import trapezoid_weights

START = 10
"""First frame with contrast."""
EVEN = 1.5 * np.arange(60)
UNEVEN = np.concatenate([np.arange(40.0), 40 + 2.5 * np.arange(20)])
N_LEAKY = 400


def passage(times):
    """ΔR2* in 1/s of brain that does not leak: a first pass, a second one, and what stays in the blood."""

    def bolus(arrival, width):
        x = np.maximum(times - arrival, 0) / (3 * width)
        return x**3 * np.exp(3 - 3 * x)

    return 8 * bolus(14.0, 1.5) + 1.2 * bolus(29.0, 4.0) + 0.6 * (1 - np.exp(-np.maximum(times - 14, 0) / 10))


def leaked(times, rate):
    """∫ Ā exp(−kep (t − τ)) dτ by quadrature on a fine grid, of the curve that is linear between the frames."""
    fine = np.arange(times[0], times[-1] + 0.01, 0.01)
    curve = np.interp(fine, times, passage(times))
    weighted = curve * np.exp(rate * fine)
    area = np.concatenate([[0], np.cumsum(0.005 * (weighted[1:] + weighted[:-1]))])
    return np.interp(times, fine, area * np.exp(-rate * fine))


def brain(times, *, bidirectional, noise=0.0, seed=0, n=4000):
    """Curves of which the first leak, with ``(curves, passed, k1, k2, kep)``."""
    rng = np.random.default_rng(seed)
    k1, k2, kep = rng.uniform(0.5, 1.5, n), np.zeros(n), np.zeros(n)
    k2[:N_LEAKY] = rng.choice([-0.02, -0.01, 0.01, 0.03], N_LEAKY)
    if bidirectional:
        kep[:N_LEAKY] = rng.choice([0.004, 0.013, 0.031], N_LEAKY)
    passed = k1[:, None] * passage(times)
    kernels = {rate: leaked(times, rate) for rate in np.unique(kep)}
    curves = passed - k2[:, None] * np.stack([kernels[rate] for rate in kep])
    return (curves + noise * rng.normal(size=curves.shape)).astype(np.float32), passed, k1, k2, kep


@pytest.mark.parametrize("times", [EVEN, UNEVEN], ids=["even", "uneven"])
@pytest.mark.parametrize("correction", ["bsw", "bidirectional"])
def test_known_constants_come_back_without_noise(correction, times):
    curves, passed, k1, k2, kep = brain(times, bidirectional=correction == "bidirectional")
    fit = correct_leakage(curves, times, START, correction)
    # K1 and K2 count from the mean curve of the brain, whose own scale is arbitrary
    scale = fit.reference.max() / passage(times).max()
    leaky = slice(0, N_LEAKY)
    np.testing.assert_allclose(fit.k1[leaky] * scale, k1[leaky], rtol=0.005)
    np.testing.assert_allclose(fit.k2[leaky] * scale, k2[leaky], rtol=0.01)
    np.testing.assert_allclose(fit.kep[leaky], kep[leaky], rtol=0.02)
    np.testing.assert_allclose(fit.k2[N_LEAKY:], 0, atol=1e-5)
    np.testing.assert_allclose(fit.curves, passed, atol=0.005 * passed.max())


@pytest.mark.parametrize("correction", ["bsw", "bidirectional"])
@pytest.mark.parametrize("sign", [1, -1], ids=["T1", "T2*"])
def test_with_noise_the_bias_of_volume_falls_threefold_and_healthy_voxels_stay(correction, sign):
    curves, passed, _, k2, _ = brain(EVEN, bidirectional=correction == "bidirectional", noise=0.3, seed=1)
    fit = correct_leakage(curves, EVEN, START, correction)
    weights = trapezoid_weights(EVEN)
    before, after = (values @ weights / (passed @ weights) - 1 for values in (curves, fit.curves))
    chosen = np.sign(k2) == sign
    assert abs(before[chosen].mean()) > 0.3
    assert abs(after[chosen].mean()) < abs(before[chosen].mean()) / 3
    assert np.abs(after[chosen]).mean() < np.abs(before[chosen]).mean() / 3
    assert abs(np.mean(after[N_LEAKY:] - before[N_LEAKY:])) < 0.005
    # nor does the fit add noise to their volume
    assert after[N_LEAKY:].std() < 1.05 * before[N_LEAKY:].std()
    assert np.abs(after[N_LEAKY:] - before[N_LEAKY:]).mean() < 0.05


def test_healthy_voxels_change_by_less_than_two_percent_at_the_noise_of_smoothed_curves():
    curves, _, _, _, _ = brain(EVEN, bidirectional=False, noise=0.1, seed=2)
    weights = trapezoid_weights(EVEN)
    before = curves[N_LEAKY:] @ weights
    for correction in ("bsw", "bidirectional"):
        after = correct_leakage(curves, EVEN, START, correction).curves[N_LEAKY:] @ weights
        assert np.abs(after / before - 1).mean() < 0.02


def test_the_wrong_sign_of_the_tail_is_put_right():
    """T1 leakage drives ΔR2* below 0 (the signal overshoots), T2* leakage keeps it up; both are undone."""
    curves, passed, _, k2, _ = brain(EVEN, bidirectional=False)
    assert curves[k2 > 0.02, -5:].max() < 0
    assert (curves[k2 < 0, -5:] > 1.5 * passed[k2 < 0, -5:]).all()
    fit = correct_leakage(curves, EVEN, START, "bsw")
    np.testing.assert_allclose(fit.curves[:, -5:], passed[:, -5:], atol=0.03)


def test_no_return_is_claimed_where_the_data_show_none():
    curves, _, _, _, _ = brain(EVEN, bidirectional=False, noise=0.3, seed=3)
    fit = correct_leakage(curves, EVEN, START, "bidirectional")
    assert (fit.kep[N_LEAKY:] > 0).mean() < 0.1


def test_the_reference_holds_no_leaky_voxel_no_vessel_and_no_fluid():
    curves, _, _, k2, _ = brain(EVEN, bidirectional=False, noise=0.2, seed=4)
    vessels, fluid = 8 * curves[-100:], 0.05 * curves[-100:]
    together = np.concatenate([curves, vessels, fluid])
    chosen = non_leaking(together, START)
    assert not chosen[len(curves) :].any()
    assert not chosen[: len(k2)][k2 > 0].any()
    assert chosen[:N_LEAKY].mean() < 0.05
    assert chosen[N_LEAKY : len(k2)].mean() > 0.4
    reference = together[chosen].mean(axis=0)
    np.testing.assert_allclose(reference / reference.max(), passage(EVEN) / passage(EVEN).max(), atol=0.02)


@pytest.mark.parametrize("rate", [0.0, 0.004, 0.05])
def test_the_integral_is_exact_between_uneven_frames(rate):
    curve = passage(UNEVEN)
    found = leaked_kernels(curve, UNEVEN, START, np.array([rate]))[0]
    frame = 47
    grid = UNEVEN[START - 1 : frame + 1]
    truth = sum(
        quad(lambda t: np.interp(t, UNEVEN, curve) * np.exp(-rate * (UNEVEN[frame] - t)), low, high)[0]
        for low, high in itertools.pairwise(grid)
    )
    assert found[frame] == pytest.approx(truth, rel=1e-9)
    assert not found[:START].any()


def test_none_changes_nothing():
    curves, *_ = brain(EVEN, bidirectional=False)
    assert correct_leakage(curves, EVEN, START, "none") is None
    assert next(iter(LEAKAGE_CORRECTIONS)) == "none"


@pytest.mark.parametrize("correction", ["bsw", "bidirectional"])
def test_threads_do_not_change_a_byte_and_the_curves_are_left_as_they_were(correction):
    few, *_ = brain(EVEN, bidirectional=True, noise=0.3)
    curves = np.tile(few, (VOXELS_PER_PIECE // len(few) + 1, 1))
    before = curves.copy()
    curves.setflags(write=False)
    one, two = (correct_leakage(curves, EVEN, START, correction, Execution(threads=n)) for n in (1, 2))
    assert all(getattr(one, name).tobytes() == getattr(two, name).tobytes() for name in ("curves", "k1", "k2", "kep"))
    np.testing.assert_array_equal(curves, before)


@pytest.mark.parametrize("curves", [np.zeros((500, 60)), -np.ones((500, 60)), np.ones((20, 60))])
def test_curves_without_healthy_brain_are_refused_with_the_option(curves):
    with pytest.raises(InputError, match=r"contrast\.leakage"):
        correct_leakage(curves.astype(np.float32), EVEN, START, "bsw")


def test_a_scan_that_ends_with_the_bolus_is_refused():
    curves, *_ = brain(EVEN, bidirectional=False)
    with pytest.raises(InputError, match="only 6 frames"):
        correct_leakage(curves[:, :16], EVEN[:16], START, "bsw")


@pytest.mark.parametrize("correction", ["bsw", "bidirectional"])
def test_a_little_delay_and_width_is_not_taken_for_leakage(correction):
    curves, *_ = brain(EVEN, bidirectional=False)
    fine = np.arange(0, 100, 0.05)
    kernel = np.exp(-np.arange(0, 15, 0.05) / 1.0)
    later = np.convolve(passage(fine), kernel / kernel.sum())[: fine.size]
    curves[-200:] = np.interp(EVEN, fine + 0.5, later, left=0)
    fit = correct_leakage(curves, EVEN, START, correction)
    weights = trapezoid_weights(EVEN)
    np.testing.assert_allclose(fit.curves[-200:] @ weights, curves[-200:] @ weights, rtol=0.1)


def test_a_voxel_without_contrast_stays_one():
    curves, *_ = brain(EVEN, bidirectional=False)
    curves[-1] = 0
    for correction in ("bsw", "bidirectional"):
        fit = correct_leakage(curves, EVEN, START, correction)
        assert not fit.curves[-1].any()
        assert (fit.k1[-1], fit.k2[-1], fit.kep[-1]) == (0, 0, 0)

"""Signal to concentration."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.contrast import BolusArrival, baseline_signal, between_echoes, concentration
from PyPeTLib.contrast.concentration import SIGNAL_FLOOR
from PyPeTLib.execution import VOXELS_PER_PIECE, Execution
from PyPeTLib.series import Modality

TE = 0.03


def arrival(start=0, stop=4, n=12):
    return BolusArrival(
        found=True,
        frame=stop,
        time=float(stop),
        baseline=slice(start, stop),
        unsteady_frames=start,
        tracked=np.zeros(n),
        rule="sliding-window",
    )


def test_ct_concentration_is_the_signal_above_the_baseline():
    signal = np.array([[30, 32, 34, 32, 40, 90, 35, 20]], np.float32)
    found = concentration(signal, arrival(n=8), Modality.CTP)
    np.testing.assert_allclose(found.curves, [[-2, 0, 2, 0, 8, 58, 3, -12]])
    np.testing.assert_allclose(found.baseline, [32])
    assert found.curves.dtype == np.float32
    assert found.usable.all()


def test_negative_hounsfield_units_are_ordinary_values():
    signal = np.full((1, 8), -80, np.float32)
    signal[0, 5] = -30
    np.testing.assert_allclose(concentration(signal, arrival(n=8), Modality.CTP).curves[0, 5], 50)


@pytest.mark.parametrize("s0", [3.0, 520.0, 40_000.0])
@pytest.mark.parametrize("truth", [2.0, 10.0, 80.0])
def test_relaxation_rates_come_back(truth, s0):
    # the original inverted the image before the logarithm and read 16.5, 45 and 80 of these 2, 10 and 80 1/s
    rates = np.array([0, 0, 0, 0, truth / 4, truth, truth / 2, 0.1 * truth])
    signal = (s0 * np.exp(-TE * rates))[None].astype(np.float32)
    found = concentration(signal, arrival(n=8), Modality.DSC, echo_time=TE)
    np.testing.assert_allclose(found.curves[0], rates, rtol=1e-4, atol=1e-3)
    assert found.n_floored == 0


def test_signal_above_the_baseline_has_a_negative_rate():
    signal = np.array([[100, 100, 100, 100, 110, 50, 100, 120]], np.float32)
    found = concentration(signal, arrival(n=8), Modality.DSC, echo_time=TE).curves[0]
    np.testing.assert_allclose(found[4], -np.log(1.1) / TE, rtol=1e-5)
    assert found[5] > 0 > found[7]


def test_lost_signal_is_raised_to_the_floor_and_counted():
    signal = np.full((2, 10), 500, np.float32)
    signal[0, 5:8] = [0, -20, 4]
    found = concentration(signal, arrival(n=10), Modality.DSC, echo_time=TE)
    np.testing.assert_allclose(found.curves[0, 5:8], -np.log(SIGNAL_FLOOR) / TE, rtol=1e-5)
    assert found.n_floored == 3
    assert np.isfinite(found.curves).all()
    assert found.usable.all()


@pytest.mark.parametrize("level", [0.0, -5.0])
def test_without_a_positive_baseline_a_voxel_is_unusable_and_zero(level):
    signal = np.full((3, 10), 500, np.float32)
    signal[1] = level
    signal[1, 6] = 300
    found = concentration(signal, arrival(n=10), Modality.DSC, echo_time=TE)
    np.testing.assert_array_equal(found.usable, [True, False, True])
    np.testing.assert_array_equal(found.curves[1], 0)


def test_samples_of_unusable_voxels_are_not_counted_as_lost_signal():
    signal = np.full((4, 10), 500, np.float32)
    signal[2:] = 0
    found = concentration(signal, arrival(n=10), Modality.DSC, echo_time=TE)
    np.testing.assert_array_equal(found.usable, [True, True, False, False])
    assert found.n_floored == 0


def test_frames_before_the_steady_state_hold_no_contrast():
    signal = np.full((2, 10), 500, np.float32)
    signal[:, :2] = [700, 600]
    found = concentration(signal, arrival(start=2, stop=6, n=10), Modality.DSC, echo_time=TE)
    np.testing.assert_array_equal(found.curves, 0)
    np.testing.assert_allclose(found.baseline, 500)


def test_dsc_without_an_echo_time_is_refused():
    with pytest.raises(ValueError, match="echo time"):
        concentration(np.ones((1, 10), np.float32), arrival(n=10), Modality.DSC)


@pytest.mark.parametrize("modality", Modality)
def test_the_signal_is_left_as_it_was(modality):
    signal = np.random.default_rng(0).uniform(100, 200, (50, 12)).astype(np.float32)
    before = signal.copy()
    signal.setflags(write=False)
    concentration(signal, arrival(), modality, echo_time=TE)
    np.testing.assert_array_equal(signal, before)


def test_threads_do_not_change_a_byte():
    signal = np.random.default_rng(0).uniform(1, 900, (VOXELS_PER_PIECE * 2 + 7, 12)).astype(np.float32)
    one, three = (
        concentration(signal, arrival(), Modality.DSC, echo_time=TE, execution=Execution(threads=n)) for n in (1, 3)
    )
    assert one.curves.tobytes() == three.curves.tobytes()
    assert one.n_floored == three.n_floored


def test_the_baseline_is_the_mean_before_the_bolus():
    signal = np.arange(24, dtype=np.float32).reshape(2, 12)
    np.testing.assert_allclose(baseline_signal(signal, arrival(start=1, stop=4)), [2, 14])


def two_echoes(rates, recovery, *, times=(0.012, 0.05)):
    """Concentration of each echo of a signal whose T1 weighting brightens by ``recovery``."""
    bright = 800 * recovery[None]
    return [
        concentration(
            (bright * np.exp(-te * rates)).astype(np.float32), arrival(n=rates.size), Modality.DSC, echo_time=te
        )
        for te in times
    ]


def test_two_echoes_give_the_rate_whatever_leaked_contrast_does_to_t1():
    rates = np.array([0, 0, 0, 0, 5, 30, 45, 20, 8, 4, 3, 3.0])
    recovery = np.array([1, 1, 1, 1, 1, 1.02, 1.1, 1.2, 1.3, 1.4, 1.45, 1.5])
    first, second = two_echoes(rates, recovery)
    both = between_echoes(first, second, 0.012, 0.05)
    np.testing.assert_allclose(both.curves[0], rates, atol=2e-3)
    # either echo alone is far off
    assert first.curves[0, -1] < -25
    assert second.curves[0, -1] < -4
    assert both.usable.all()


def test_two_echoes_count_what_either_has_lost_and_leave_out_what_either_lacks():
    signal = np.full((3, 10), 500, np.float32)
    low = signal.copy()
    low[0, 6], low[1] = 1.0, 0.0
    first, second = (
        concentration(s, arrival(n=10), Modality.DSC, echo_time=te) for s, te in ((signal, 0.012), (low, 0.05))
    )
    both = between_echoes(first, second, 0.012, 0.05)
    assert both.n_floored == second.n_floored == 1
    assert both.curves[0, 6] == pytest.approx(-np.log(SIGNAL_FLOOR) / (0.05 - 0.012), rel=1e-5)
    np.testing.assert_array_equal(both.usable, [True, False, True])
    assert not both.curves[1].any()
    np.testing.assert_array_equal(both.baseline, first.baseline)

"""When the bolus arrives, and which frames are free of contrast."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.contrast import BOLUS_RULES, ContrastOptions, find_bolus
from PyPeTLib.phantom import Bolus, frame_times, tissue_curve
from PyPeTLib.series import Modality

MODALITIES = ("ctp", "dsc")
ECHO_TIME = 0.03
LEVEL = {"ctp": 35.0, "dsc": 520.0}
NOISE = {"ctp": 6.0, "dsc": 8.0}

every_modality = pytest.mark.parametrize("modality", MODALITIES)
every_rule = pytest.mark.parametrize("rule", BOLUS_RULES)


def brain(modality, *, arrival=10.0, times=None, lag=0.0, noise=True, seed=0, n=1500):
    """Signal curves of 1 % arteries, 3 % veins and tissue that gets its blood up to 2 s after ``lag``."""
    rng = np.random.default_rng(seed)
    times = np.arange(60.0) if times is None else times
    bolus = Bolus(arrival=arrival)
    transit, volume = rng.uniform(4, 8, n).round(), rng.uniform(2, 5, n)
    delay = lag + rng.uniform(0, 2, n).round(1)
    content = tissue_curve(bolus, 60 * volume / transit, transit, delay, times=times)
    arteries, veins = n // 100, n // 25
    vessel = 1.0 if modality == "ctp" else 0.2
    content[:arteries] = vessel * bolus.arterial_at(times) * rng.uniform(0.5, 1, (arteries, 1))
    content[arteries:veins] = vessel * bolus.venous_at(times) * rng.uniform(0.5, 1, (veins - arteries, 1))
    signal = LEVEL[modality] + content if modality == "ctp" else LEVEL[modality] * np.exp(-ECHO_TIME * content)
    signal = signal + noise * NOISE[modality] * rng.standard_normal(signal.shape)
    return signal.astype(np.float32), times


def find(signal, times, modality, **options):
    return find_bolus(signal, times, Modality(modality), ContrastOptions(**options))


@every_modality
@pytest.mark.parametrize("dt", [1.0, 2.0])
@pytest.mark.parametrize("arrival", [5.0, 12.0, 25.0, 45.0])
def test_arrival_is_found_from_early_to_late(modality, arrival, dt):
    signal, times = brain(modality, arrival=arrival, times=np.arange(0, 80, dt))
    bolus = find(signal, times, modality)
    assert bolus.found
    assert bolus.unsteady_frames == 0
    assert arrival <= bolus.time <= arrival + 2.5
    assert abs(times[bolus.frame] - bolus.time) <= 2 * dt
    # all frames before the arrival, and none with contrast
    assert arrival - 2 * dt <= times[bolus.baseline][-1] <= arrival + 0.5


@every_rule
@every_modality
@pytest.mark.parametrize("lag", [0.0, 3.0])
def test_the_baseline_ends_before_the_arteries_enhance(modality, lag, rule):
    # their early enhancement is what makes the AIF, and hardly shows in the mean of the brain
    for dt in (1.0, 1.5, 2.0):
        for noise in (True, False):
            signal, times = brain(modality, arrival=12.0, lag=lag, times=np.arange(0, 70, dt), noise=noise)
            bolus = find(signal, times, modality, bolus_rule=rule)
            arteries = np.abs(signal[:15].mean(axis=0, dtype=np.float64) - LEVEL[modality])
            assert bolus.found
            assert arteries[bolus.baseline].max() < 0.06 * arteries.max(), f"dt {dt}, noise {noise}: {bolus.baseline}"
            assert bolus.baseline.stop - bolus.baseline.start >= 0.5 * 12 / dt


@every_modality
def test_scale_and_offset_of_the_signal_mean_nothing(modality):
    signal, times = brain(modality)
    first = find(signal, times, modality)
    changes = [(k, 0.0) for k in (0.001, 0.3, 40.0)]
    if modality == "ctp":
        changes += [(1.0, -1000.0), (1.0, 1024.0), (0.5, 3000.0)]
    for factor, offset in changes:
        other = find(signal.astype(np.float64) * factor + offset, times, modality)
        assert (other.frame, other.baseline) == (first.frame, first.baseline), (factor, offset)
        assert other.time == pytest.approx(first.time, abs=0.02)


@every_modality
@pytest.mark.parametrize(
    "times", [frame_times((30, 1.0), (15, 3.0)), frame_times((4, 3.0), (30, 1.0), (10, 2.0))], ids=["late", "early"]
)
def test_uneven_frames(modality, times):
    signal, _ = brain(modality, times=times)
    bolus = find(signal, times, modality)
    assert bolus.found
    assert 10 <= bolus.time <= 12.5
    assert 7 <= times[bolus.baseline][-1] <= 10.5


@every_rule
@every_modality
def test_noise_alone_is_no_bolus(modality, rule):
    found = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        signal = (LEVEL[modality] + NOISE[modality] * rng.standard_normal((400, 45))).astype(np.float32)
        bolus = find(signal, np.arange(45.0), modality, bolus_rule=rule)
        found += bolus.found
        if not bolus.found:
            assert bolus.baseline.stop > bolus.baseline.start
            assert 0 <= bolus.frame < 45
    assert found <= 1


@every_modality
def test_a_wash_out_without_a_wash_in_is_no_bolus(modality):
    # the scan began after the peak: every frame holds contrast, and an honest answer is that nothing arrives
    signal, times = brain(modality, arrival=0.0, times=np.arange(12.0, 60.0))
    assert not find(signal, times, modality).found


@every_modality
def test_the_baseline_is_never_empty_and_never_negative(modality):
    for arrival in (-2.0, 0.0, 1.0):
        signal, times = brain(modality, arrival=arrival)
        bolus = find(signal, times, modality)
        assert 0 <= bolus.baseline.start < bolus.baseline.stop <= times.size
        assert bolus.frame >= 1


@pytest.mark.parametrize("excess", [0.05, 0.15, 0.4])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_mr_frames_before_the_steady_state_are_left_out(count, excess):
    signal, times = brain("dsc")
    signal[:, :count] *= 1 + excess * 0.6 ** np.arange(count, dtype=np.float32)
    bolus = find(signal, times, "dsc")
    assert bolus.unsteady_frames == count
    assert bolus.baseline.start == count
    assert times[bolus.baseline][-1] == pytest.approx(10, abs=1)
    assert (bolus.tracked[:count] == 0).all()
    assert bolus.tracked.size == times.size
    steady = find(*brain("dsc"), "dsc")
    assert bolus.time == pytest.approx(steady.time, abs=0.2)


def test_no_mr_frame_is_left_out_for_noise_alone():
    # a mask of few voxels, or one region's curve, as in the reference data
    rng = np.random.default_rng(0)
    curves = (520 + 8 * rng.standard_normal((400, 1, 40))).astype(np.float32)
    left_out = [find(curve, np.arange(40.0), "dsc").unsteady_frames > 0 for curve in curves]
    assert np.mean(left_out) < 0.02


def test_a_bright_first_ct_frame_stays():
    signal, times = brain("ctp")
    signal[:, 0] += 20
    assert find(signal, times, "ctp").unsteady_frames == 0


@every_modality
def test_a_bolus_that_the_scan_cuts_off_is_found(modality):
    signal, times = brain(modality, arrival=20.0, times=np.arange(28.0))
    bolus = find(signal, times, modality)
    assert bolus.found
    assert 20 <= bolus.time <= 22.5


@every_modality
def test_the_tracked_curve_rises_with_contrast_from_zero(modality):
    signal, times = brain(modality)
    bolus = find(signal, times, modality)
    assert abs(bolus.tracked[bolus.baseline].mean()) < 1e-9 * abs(bolus.tracked).max() + 1e-6
    assert 12 <= times[bolus.tracked.argmax()] <= 22
    assert bolus.tracked.min() > -0.2 * bolus.tracked.max()


def test_contrast_sum_counts_voxels_above_its_threshold():
    signal, times = brain("ctp")
    # bright bone moves the sum, not the frame
    signal = np.concatenate([signal, np.full((30, 60), 900, np.float32)])
    found = find(signal, times, "ctp", bolus_rule="contrast-sum")
    assert found.rule == "contrast-sum"
    assert 10 <= found.time <= 13
    # nothing reaches 3000 HU
    assert not find(signal, times, "ctp", bolus_rule="contrast-sum", contrast_threshold=3000.0).found


def test_contrast_sum_arrives_later_with_a_larger_rise():
    signal, times = brain("ctp", noise=False)
    signal = np.concatenate([signal, np.full((30, 60), 200, np.float32)])
    frames = [find(signal, times, "ctp", bolus_rule="contrast-sum", rise=r).frame for r in (0.01, 0.1, 0.4)]
    assert frames[0] <= frames[1] < frames[2]


def test_a_larger_rise_marks_a_later_arrival():
    signal, times = brain("dsc", noise=False)
    arrivals = [find(signal, times, "dsc", rise=r).time for r in (0.02, 0.1, 0.3)]
    assert arrivals[0] < arrivals[1] < arrivals[2]


def test_arrival_is_not_bound_to_whole_frames():
    arrivals = np.linspace(10.0, 11.0, 6)
    found = [find(*brain("ctp", arrival=a, noise=False), "ctp").time for a in arrivals]
    np.testing.assert_allclose(np.diff(found), 0.2, atol=0.12)
    assert np.ptp(np.array(found) - arrivals) < 0.25

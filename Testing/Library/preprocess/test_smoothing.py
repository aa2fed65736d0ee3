"""Smoothing stays inside the brain, away from vessels, and keeps what curves are made of."""

import numpy as np
import pytest

from PyPeTLib.execution import Execution
from PyPeTLib.preprocess.smoothing import keep_components, smooth_inside, vessel_like

SIZES = (1.0, 1.0, 5.0)


def ball(shape=(30, 30, 6)):
    x, y, z = np.indices(shape)
    return (x - 15) ** 2 + (y - 15) ** 2 + (3 * (z - 3)) ** 2 < 13**2


def test_a_constant_brain_stays_constant_up_to_its_rim():
    mask = ball()
    signal = np.full((mask.sum(), 4), 37.0, np.float32)
    smoothed = smooth_inside(signal, mask, np.ones(len(signal), bool), 3.0, SIZES)
    np.testing.assert_allclose(smoothed, 37.0, rtol=1e-5)


def test_vessels_neither_leak_nor_blur():
    mask = ball()
    places = np.argwhere(mask)
    vessel = (places[:, 0] == 15) & (places[:, 1] == 15)
    signal = np.where(vessel, 300.0, 40.0).astype(np.float32)[:, None].repeat(2, axis=1)
    smoothed = smooth_inside(signal, mask, ~vessel, 2.0, SIZES)
    np.testing.assert_allclose(smoothed[~vessel], 40.0, rtol=1e-5)
    np.testing.assert_array_equal(smoothed[vessel], signal[vessel])


def test_sigma_is_in_millimetres_along_each_axis():
    mask = np.ones((41, 41, 9), bool)
    signal = np.zeros((mask.size, 1), np.float32)
    signal[np.ravel_multi_index((20, 20, 4), mask.shape)] = 1.0
    blurred = smooth_inside(signal, mask, np.ones(mask.size, bool), 2.0, (1.0, 0.5, 1.0)).reshape(mask.shape)
    for axis, size in ((0, 1.0), (1, 0.5), (2, 1.0)):
        profile = blurred.sum(axis=tuple(a for a in range(3) if a != axis))
        place = (np.arange(profile.size) - profile.size // 2) * size
        spread = np.sqrt((profile * place**2).sum() / profile.sum())
        # the kernel ends at three standard deviations, and the volume after four voxels along z
        assert spread == pytest.approx(2.0, rel=0.05 if axis < 2 else 0.2)


def test_zero_millimetres_change_nothing_and_threads_do_not_matter():
    mask = ball()
    signal = np.random.default_rng(0).normal(40, 6, (mask.sum(), 5)).astype(np.float32)
    everywhere = np.ones(len(signal), bool)
    assert smooth_inside(signal, mask, everywhere, 0.0, SIZES) is signal
    one, three = (smooth_inside(signal, mask, everywhere, 2.0, SIZES, Execution(n)) for n in (1, 3))
    assert one.tobytes() == three.tobytes()


def test_vessels_take_up_more_than_tissue():
    shape = np.exp(-0.5 * ((np.arange(40) - 15) / 4) ** 2)
    rng = np.random.default_rng(1)
    uptake = np.concatenate([rng.uniform(0.5, 1.8, 500), [6.0, 10.0]])
    curves = (10 * uptake[:, None] * shape + rng.normal(0, 2, (502, 40))).astype(np.float32)
    np.testing.assert_array_equal(np.flatnonzero(vessel_like(curves, 3.5)), [500, 501])
    assert not vessel_like(curves, 0.0).any()


def test_components_keep_mixtures_and_drop_noise():
    times = np.arange(45)
    shapes = np.stack([np.exp(-0.5 * ((times - place) / 5) ** 2) for place in (14, 18, 24)])
    rng = np.random.default_rng(2)
    truth = rng.uniform(0, 10, (4000, 3)) @ shapes
    noisy = (truth + rng.normal(0, 1.5, truth.shape)).astype(np.float32)
    everywhere = np.ones(len(noisy), bool)
    kept = keep_components(noisy, everywhere, everywhere, 6)
    assert (kept - truth).std() == pytest.approx(1.5 * np.sqrt(6 / 45), rel=0.1)
    assert (kept - truth).mean() == pytest.approx(0, abs=0.01)
    assert keep_components(noisy, everywhere, everywhere, 0) is noisy
    assert keep_components(noisy, everywhere, everywhere, 45) is noisy


def test_a_step_that_no_teacher_shows_is_dropped():
    times = np.arange(45)
    bolus = np.exp(-0.5 * ((times - 16) / 5) ** 2)
    rng = np.random.default_rng(3)
    curves = (rng.uniform(5, 15, (3000, 1)) * bolus + rng.normal(0, 1, (3000, 45))).astype(np.float32)
    curves[:200] += np.where(times >= 30, 40.0, 0.0).astype(np.float32)
    everywhere = np.ones(3000, bool)
    teachers = everywhere.copy()
    teachers[:200] = False
    kept = keep_components(curves, everywhere, teachers, 2)
    assert np.abs(kept[:200, 32:].mean()) < 4.0

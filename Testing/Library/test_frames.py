"""Frames are delivered as float32, however they are held."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.frames import Frames, ScatteredFrames, StoredFrames, all_frames
from PyPeTLib.series import PerfusionSeries

SHAPE = (5, 4, 3, 9)


@pytest.fixture
def stored() -> np.ndarray:
    return np.asfortranarray(np.random.default_rng(0).integers(-1024, 3071, SHAPE).astype(np.int16))


@pytest.fixture
def mask() -> np.ndarray:
    return np.random.default_rng(1).random(SHAPE[:3]) < 0.4


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (1.0, -1024.0), (0.5, 3.0)])
def test_frames_and_curves_are_those_of_the_scaled_array(stored, mask, slope, intercept):
    frames = StoredFrames(stored, slope, intercept)
    expected = (stored * slope + intercept).astype(np.float32)
    assert isinstance(frames, Frames)
    assert frames.shape == SHAPE
    assert frames.stored is stored
    curves = np.empty((np.count_nonzero(mask), SHAPE[3]), np.float32)
    frames.curves(mask, curves)
    np.testing.assert_array_equal(curves, expected[mask])
    np.testing.assert_array_equal(all_frames(frames), expected)
    for index in range(SHAPE[3]):
        frame = frames.frame(index)
        assert frame.dtype == np.float32
        assert frame.flags.f_contiguous
        np.testing.assert_array_equal(frame, expected[..., index])


def test_a_value_too_large_for_float32_becomes_infinite_without_a_warning(stored):
    assert np.isinf(StoredFrames(stored, 1e38).frame(0)).any()


def test_curves_of_any_memory_layout(stored, mask):
    curves = np.empty((np.count_nonzero(mask), SHAPE[3]), np.float32)
    StoredFrames(np.ascontiguousarray(stored)).curves(mask, curves)
    np.testing.assert_array_equal(curves, stored[mask])


def test_scattered_frames_are_the_curves_in_their_places(mask):
    values = np.random.default_rng(2).normal(size=(np.count_nonzero(mask), SHAPE[3])).astype(np.float32)
    frames = ScatteredFrames(values, mask)
    together = all_frames(frames)
    np.testing.assert_array_equal(together[mask], values)
    assert not together[~mask].any()
    fewer = mask & (np.arange(SHAPE[2]) > 0)
    curves = np.empty((np.count_nonzero(fewer), SHAPE[3]), np.float32)
    frames.curves(fewer, curves)
    np.testing.assert_array_equal(curves, together[fewer])


def test_a_series_reads_alike_from_an_array_and_from_what_is_stored(stored, mask):
    facts = {"affine": np.eye(4), "frame_times": np.arange(9.0), "modality": "ctp"}
    held = PerfusionSeries(data=StoredFrames(stored), **facts)
    array = PerfusionSeries(data=stored, **facts)
    assert isinstance(array.data, np.ndarray)
    assert array.data.dtype == np.float32
    for series in (held, array):
        assert series.n_frames == 9
        assert series.grid.shape == SHAPE[:3]
        np.testing.assert_array_equal(series.frame(4), stored[..., 4])
        np.testing.assert_array_equal(series.curves(mask), stored[mask])
        np.testing.assert_array_equal(series.array(), stored)
        np.testing.assert_allclose(series.mean(slice(2, 5)), stored[..., 2:5].mean(axis=3), rtol=1e-6)

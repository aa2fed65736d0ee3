"""Moved frames come back on demand: whole, or only some voxels' curves, and from finer pixels in one step."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from PyPeTLib.execution import Execution
from PyPeTLib.phantom import rigid_matrices
from PyPeTLib.preprocess.motion import correct_motion
from PyPeTLib.preprocess.poses import MotionOptions, estimate_motion
from PyPeTLib.preprocess.resample import ResampleOptions, downsample
from PyPeTLib.preprocess.undoing import MovedFrames
from PyPeTLib.series import PerfusionSeries

AFFINE = np.diag([1.0, 1.0, 4.0, 1.0])


@pytest.fixture(scope="module")
def estimate(moving_heads):
    return estimate_motion(moving_heads["ctp"].series, MotionOptions(), Execution(2))


def posed(estimate, matrix: np.ndarray, n_frames: int):
    """An estimate in which the last frame alone has moved, by this matrix."""
    matrices = np.tile(np.eye(4), (n_frames, 1, 1))
    matrices[-1] = matrix
    displacement = np.r_[np.zeros(n_frames - 1), 5.0]
    return dataclasses.replace(estimate, matrices=matrices, displacement=displacement, reliable=np.ones(n_frames, bool))


def series_of(frame: np.ndarray) -> PerfusionSeries:
    data = np.asfortranarray(frame[..., None] + np.arange(9.0), dtype=np.float32)
    return PerfusionSeries(data=data, affine=AFFINE, frame_times=np.arange(9.0), modality="ctp")


@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
def test_curves_of_a_mask_are_those_of_the_whole_frames(moving_heads, estimate, interpolation):
    head = moving_heads["ctp"]
    frames = MovedFrames(head.series, estimate, Execution(2), interpolation)
    mask = head.masks["csf"]
    curves = np.empty((np.count_nonzero(mask), head.series.n_frames), np.float32)

    frames.curves(mask, curves)

    for index in (0, 6, 12):
        frame = frames.frame(index)
        assert frame.flags.f_contiguous
        np.testing.assert_allclose(curves[:, index], frame[mask], atol=2e-2)


def test_nothing_is_resampled_before_somebody_asks(moving_heads, two_threads, monkeypatch):
    asked = []
    frame = MovedFrames.frame
    monkeypatch.setattr(MovedFrames, "frame", lambda self, index: asked.append(index) or frame(self, index))

    correction = correct_motion(moving_heads["ctp"].series, MotionOptions(), two_threads)

    assert correction.applied
    assert not asked
    correction.series.mean(slice(5, 7))
    assert asked == [5, 6]


def test_a_ramp_stays_exact_through_motion_and_downsampling(estimate):
    matrix = rigid_matrices([[1.3, -0.7, 1.1]], [[1.0, -2.0, 3.0]], [20, 20, 10])[0]
    i, j, k = np.indices((48, 40, 6))
    world = np.stack([i, j, 4 * k], axis=-1).astype(np.float64)
    slope = np.array([1.0, -2.0, 0.5])
    fine = series_of(world @ slope)
    small = downsample(fine, ResampleOptions(max_in_plane=24), Execution(1))
    frames = MovedFrames(small, posed(estimate, matrix, 9), Execution(1), finer=fine)

    got = frames.frame(8)

    index = np.indices(small.grid.shape).reshape(3, -1)
    places = matrix @ small.affine @ np.vstack([index, np.ones(index.shape[1])])
    expected = (slope @ places[:3]).reshape(small.grid.shape) + 8
    inner = (slice(4, -4), slice(4, -4), slice(2, -2))
    np.testing.assert_allclose(got[inner], expected[inner], atol=1e-3)


def test_motion_and_downsampling_together_are_one_after_the_other_at_full_resolution(estimate):
    matrix = rigid_matrices([[1.3, -0.7, 1.1]], [[1.0, -2.0, 3.0]], [20, 20, 10])[0]
    fine = series_of(np.random.default_rng(0).normal(0, 6, (48, 40, 6)))
    pose = posed(estimate, matrix, 9)
    small = downsample(fine, ResampleOptions(max_in_plane=24), Execution(1))

    together = MovedFrames(small, pose, Execution(1), finer=fine).frame(8)

    high = dataclasses.replace(fine, data=MovedFrames(fine, pose, Execution(1)))
    after = downsample(high, ResampleOptions(max_in_plane=24), Execution(1)).frame(8)
    np.testing.assert_allclose(together, after, atol=1e-3)
    twice = MovedFrames(small, pose, Execution(1)).frame(8)
    # interpolating averaged pixels would blur a second time, which shows as less noise
    assert twice.std() < 0.9 * together.std()

"""A second echo goes through downsampling and motion correction as the first does; slice times follow the slices."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from PyPeTLib.execution import Execution
from PyPeTLib.phantom import RigidMotion, make_head
from PyPeTLib.preprocess.motion import correct_motion
from PyPeTLib.preprocess.poses import MotionOptions
from PyPeTLib.preprocess.resample import ResampleOptions, downsample
from PyPeTLib.preprocess.slice_times import slice_offsets
from PyPeTLib.series import Acquisition


def with_second(series, data):
    second = dataclasses.replace(series, data=data, acquisition=Acquisition(echo_time=0.06), name="second")
    return dataclasses.replace(series, second_echo=second)


@pytest.fixture(scope="module")
def head():
    return make_head("dsc", seed=3, shape=(48, 48, 8), n_frames=20, motion=RigidMotion())


def test_downsampling_treats_both_alike(head):
    both = with_second(head.series, head.series.array() * 0.5)
    small = downsample(both, ResampleOptions(max_in_plane=24), Execution())
    assert small.second_echo.grid.matches(small.grid)
    np.testing.assert_allclose(small.second_echo.array(), 0.5 * small.array(), rtol=1e-5)
    assert small.second_echo.acquisition.echo_time == 0.06


@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
def test_the_second_echo_is_moved_by_the_poses_of_the_first(head, interpolation):
    # half the signal, so that what the first becomes tells what the second must become
    both = with_second(head.series, 0.5 * head.series.array())
    options = MotionOptions(interpolation=interpolation)
    alone, together = (correct_motion(series, options, Execution()) for series in (head.series, both))
    assert alone.applied
    assert together.applied
    np.testing.assert_array_equal(together.estimate.matrices, alone.estimate.matrices)
    np.testing.assert_array_equal(together.series.array(), alone.series.array())
    np.testing.assert_allclose(together.series.second_echo.array(), 0.5 * alone.series.array(), rtol=1e-4, atol=1e-2)


def test_slice_offsets_are_those_of_each_voxels_slice(head):
    times = tuple(0.1 * np.arange(8))
    series = dataclasses.replace(head.series, acquisition=Acquisition(echo_time=0.03, slice_times=times))
    mask = head.masks["brain"]
    offsets = slice_offsets(series, mask)
    assert offsets.dtype == np.float32
    volume = np.zeros(mask.shape)
    volume[mask] = offsets
    for k in range(8):
        assert np.allclose(volume[..., k][mask[..., k]], times[k])
    # downsampling leaves the slices, and with them their times, alone
    small = downsample(series, ResampleOptions(max_in_plane=24), Execution())
    assert small.acquisition.slice_times == times
    assert slice_offsets(small, np.ones(small.grid.shape, bool)).size == 24 * 24 * 8


def test_no_offsets_without_slice_times_or_where_all_are_the_same(head):
    mask = head.masks["brain"]
    assert slice_offsets(head.series, mask) is None
    same = dataclasses.replace(head.series, acquisition=Acquisition(echo_time=0.03, slice_times=(0.4,) * 8))
    assert slice_offsets(same, mask) is None

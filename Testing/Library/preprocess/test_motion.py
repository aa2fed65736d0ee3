"""Motion is found, undone once, and left alone where there is none."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from PyPeTLib.execution import Execution
from PyPeTLib.frames import all_frames
from PyPeTLib.preprocess.motion import correct_motion
from PyPeTLib.preprocess.poses import MotionOptions, estimate_motion
from PyPeTLib.preprocess.undoing import MovedFrames, covered_by_all

MODALITIES = ["ctp", "dsc"]


@pytest.mark.parametrize("modality", MODALITIES)
def test_a_still_head_stays_as_it_is_while_the_bolus_passes(still_heads, two_threads, modality):
    series = still_heads[modality].series

    correction = correct_motion(series, MotionOptions(), two_threads)

    assert correction.estimate.displacement.max() < 0.1
    assert not correction.applied
    assert correction.series is series
    assert correction.covered.all()


@pytest.mark.parametrize("modality", MODALITIES)
def test_correction_brings_the_moved_series_near_the_still_one(clean_pairs, two_threads, modality):
    still, moving = clean_pairs[modality]
    linear = correct_motion(moving.series, MotionOptions(), two_threads)
    inside = still.masks["brain"] & linear.covered

    def distance(data: np.ndarray) -> float:
        # the median, since bone beside the brain rings in every interpolation
        return float(np.median(np.abs(data[inside][:, 4:] - still.series.array()[inside][:, 4:])))

    assert linear.applied
    assert distance(linear.series.array()) < 0.6 * distance(moving.series.array())
    np.testing.assert_array_equal(linear.series.array()[..., :4], moving.series.array()[..., :4])
    np.testing.assert_array_equal(linear.series.frame_times, moving.series.frame_times)


def test_cubic_interpolation_keeps_more_detail_of_mr_than_linear(clean_pairs, two_threads):
    still, moving = clean_pairs["dsc"]
    estimate = estimate_motion(moving.series, MotionOptions(), two_threads)
    inside = still.masks["brain"] & covered_by_all(moving.series, estimate, two_threads)

    def distance(interpolation: str) -> float:
        data = all_frames(MovedFrames(moving.series, estimate, two_threads, interpolation))
        return float(np.abs(data - still.series.array())[inside].mean())

    assert distance("cubic") < 0.8 * distance("linear")


def test_covered_voxels_are_those_that_no_frame_moves_out_of_the_field_of_view(moving_heads, two_threads):
    series = moving_heads["ctp"].series
    estimate = estimate_motion(series, MotionOptions(), two_threads)

    covered = covered_by_all(series, estimate, two_threads)

    inside = np.ones(covered.size, dtype=bool)
    index = np.c_[np.argwhere(np.ones_like(covered)), np.ones(covered.size)]
    for matrix in estimate.matrices:
        places = index @ (np.linalg.inv(series.affine) @ matrix @ series.affine).T
        inside &= ((places[:, :3] >= -0.5) & (places[:, :3] <= np.array(covered.shape) - 0.5)).all(axis=1)
    assert 0.5 < covered.mean() < 0.99
    assert np.count_nonzero(covered.ravel() != inside) < 20


def test_switched_off_it_reports_but_does_not_resample(moving_heads, two_threads):
    series = moving_heads["dsc"].series

    correction = correct_motion(series, MotionOptions(correct=False), two_threads)

    assert correction.series is series
    assert not correction.applied
    assert correction.estimate.framewise_displacement.max() > 2


def test_the_number_of_threads_and_the_memory_layout_do_not_matter(moving_heads):
    series = moving_heads["dsc"].series
    time_first = dataclasses.replace(series, data=np.ascontiguousarray(series.array()))

    one = correct_motion(series, MotionOptions(), Execution(threads=1))
    two = correct_motion(series, MotionOptions(), Execution(threads=2))
    other = correct_motion(time_first, MotionOptions(), Execution(threads=2))

    for again in (two, other):
        np.testing.assert_array_equal(again.estimate.matrices, one.estimate.matrices)
        np.testing.assert_array_equal(again.series.array(), one.series.array())
    assert one.series.array()[..., 0].flags.f_contiguous


def test_the_input_is_left_as_it_was(moving_heads, two_threads):
    series = moving_heads["ctp"].series
    before = series.array().copy()

    correct_motion(series, MotionOptions(), two_threads)

    np.testing.assert_array_equal(series.array(), before)


@pytest.mark.parametrize("modality", MODALITIES)
def test_a_damaged_frame_is_left_out_and_the_others_keep_their_poses(moving_heads, two_threads, modality):
    series = moving_heads[modality].series
    data = series.array().copy(order="F")
    data[..., 7] = data.min()
    damaged = dataclasses.replace(series, data=data)

    correction = correct_motion(damaged, MotionOptions(), two_threads)

    kept = np.delete(np.arange(series.n_frames), 7)
    np.testing.assert_array_equal(correction.kept, kept)
    np.testing.assert_array_equal(correction.series.frame_times, series.frame_times[kept])
    whole = correct_motion(series, MotionOptions(), two_threads)
    np.testing.assert_allclose(correction.estimate.matrices, whole.all_frames.matrices[kept], atol=1e-9)
    for place, frame in ((5, 5), (8, 9)):
        np.testing.assert_array_equal(correction.series.frame(place), whole.series.frame(frame))
        np.testing.assert_array_equal(correction.uncorrected.frame(place), series.frame(frame))
    head = moving_heads[modality].masks["brain"]
    np.testing.assert_array_equal(correction.series.curves(head), whole.series.curves(head)[:, kept])

    named = correct_motion(damaged, MotionOptions(leave_out=False), two_threads)
    assert named.series.n_frames == series.n_frames
    assert [frame for frame, fault in enumerate(named.all_frames.faults) if fault] == [7]


def test_of_a_series_with_much_damage_nothing_is_left_out(still_heads, two_threads):
    series = still_heads["ctp"].series
    data = series.array().copy(order="F")
    data[..., 5:11] = -1000
    correction = correct_motion(dataclasses.replace(series, data=data), MotionOptions(), two_threads)
    assert correction.kept.size == series.n_frames
    assert not correction.all_frames.reliable[5:11].any()

"""Motion is found, undone once, and left alone where there is none."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from PyPeTLib.errors import CancelledError, InputError
from PyPeTLib.execution import Execution
from PyPeTLib.preprocess.motion import correct_motion
from PyPeTLib.preprocess.poses import MotionOptions, estimate_motion
from PyPeTLib.preprocess.undoing import apply_motion, covered_by_all

from .conftest import small_head, stepwise_motion

MODALITIES = ["ctp", "dsc"]


def _world(mask: np.ndarray, affine: np.ndarray) -> np.ndarray:
    points = np.argwhere(mask)[::7]
    return np.c_[points, np.ones(len(points))] @ affine.T


def _errors(head, estimate) -> np.ndarray:
    """Mean distance in mm, over the brain, between true and estimated place in each frame."""
    # the phantom leads from a frame to the truth, the estimate from the reference frame to a frame
    truth = np.linalg.inv(head.motion) @ head.motion[estimate.reference]
    points = _world(head.masks["brain"], head.series.affine)
    return np.linalg.norm(points @ (truth - estimate.matrices).transpose(0, 2, 1), axis=2).mean(axis=1)


@pytest.mark.parametrize("modality", MODALITIES)
def test_known_motion_is_recovered_through_the_bolus(moving_heads, two_threads, modality):
    head = moving_heads[modality]

    estimate = estimate_motion(head.series, MotionOptions(), two_threads)

    errors = _errors(head, estimate)
    assert errors.mean() < 0.2
    assert errors.max() < 0.35
    assert estimate.reliable.all()
    assert estimate.moved
    np.testing.assert_array_equal(estimate.frames_moved, np.arange(16) >= 4)


@pytest.mark.parametrize("affine", ["las", "oblique", "sheared"])
def test_world_motion_does_not_depend_on_the_grid(two_threads, affine):
    head = small_head("ctp", affine=affine, motion=stepwise_motion())

    estimate = estimate_motion(head.series, MotionOptions(), two_threads)

    assert _errors(head, estimate).max() < 0.35


def test_numbers_of_the_estimate_describe_its_matrices(moving_heads, two_threads):
    estimate = estimate_motion(moving_heads["ctp"].series, MotionOptions(), two_threads)

    centre = np.append(estimate.centre, 1)
    np.testing.assert_allclose((estimate.matrices @ centre)[:, :3] - estimate.centre, estimate.translations, atol=1e-9)
    traces = np.trace(estimate.matrices[:, :3, :3], axis1=1, axis2=2)
    angles = np.degrees(np.arccos(np.clip((traces - 1) / 2, -1, 1)))
    np.testing.assert_allclose(np.linalg.norm(estimate.rotations, axis=1), angles, atol=1e-4)
    jumps = np.flatnonzero(estimate.framewise_displacement > 2)
    assert jumps.tolist() == [4, 9]
    # the turns of the phantom's first jump, 1, -2 and 2 degrees, lead the other way
    assert estimate.rotations[6] == pytest.approx([-1, 2, -2], abs=0.3)


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
        return float(np.median(np.abs(data[inside][:, 4:] - still.series.data[inside][:, 4:])))

    assert linear.applied
    assert distance(linear.series.data) < 0.6 * distance(moving.series.data)
    np.testing.assert_array_equal(linear.series.data[..., :4], moving.series.data[..., :4])
    np.testing.assert_array_equal(linear.series.frame_times, moving.series.frame_times)


def test_cubic_interpolation_keeps_more_detail_of_mr_than_linear(clean_pairs, two_threads):
    still, moving = clean_pairs["dsc"]
    estimate = estimate_motion(moving.series, MotionOptions(), two_threads)
    inside = still.masks["brain"] & covered_by_all(moving.series, estimate, two_threads)

    def distance(interpolation: str) -> float:
        data = apply_motion(moving.series, estimate, two_threads, interpolation)
        return float(np.abs(data - still.series.data)[inside].mean())

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
    time_first = dataclasses.replace(series, data=np.ascontiguousarray(series.data))

    one = correct_motion(series, MotionOptions(), Execution(threads=1))
    two = correct_motion(series, MotionOptions(), Execution(threads=2))
    other = correct_motion(time_first, MotionOptions(), Execution(threads=2))

    for again in (two, other):
        np.testing.assert_array_equal(again.estimate.matrices, one.estimate.matrices)
        np.testing.assert_array_equal(again.series.data, one.series.data)
    assert one.series.data[..., 0].flags.f_contiguous


def test_the_input_is_left_as_it_was(moving_heads, two_threads):
    series = moving_heads["ctp"].series
    before = series.data.copy()

    correct_motion(series, MotionOptions(), two_threads)

    np.testing.assert_array_equal(series.data, before)


@pytest.mark.parametrize("modality", MODALITIES)
def test_a_damaged_frame_is_flagged_and_takes_the_pose_of_its_neighbour(moving_heads, two_threads, modality):
    head = moving_heads[modality]
    data = head.series.data.copy(order="F")
    data[..., 0] = 0
    data[..., 6] = np.random.default_rng(0).normal(100, 50, data.shape[:3])

    estimate = estimate_motion(dataclasses.replace(head.series, data=data), MotionOptions(), two_threads)

    assert np.flatnonzero(~estimate.reliable).tolist() == [0, 6]
    np.testing.assert_array_equal(estimate.matrices[6], estimate.matrices[5])
    assert _errors(head, estimate)[estimate.reliable].max() < 0.35


def test_a_moved_first_frame_is_not_the_reference(still_heads, two_threads):
    motion = np.tile(np.eye(4), (16, 1, 1))
    motion[0, :3, 3] = [4, -3, 3]
    head = small_head("ctp", motion=motion)

    estimate = estimate_motion(head.series, MotionOptions(), two_threads)

    assert estimate.reference != 0
    assert np.flatnonzero(estimate.frames_moved).tolist() == [0]
    assert _errors(head, estimate).max() < 0.35


def test_intensity_scale_of_mr_does_not_matter(moving_heads, two_threads):
    series = moving_heads["dsc"].series
    scaled = dataclasses.replace(series, data=series.data * np.float32(1e-4))

    one = estimate_motion(series, MotionOptions(), two_threads)
    other = estimate_motion(scaled, MotionOptions(), two_threads)

    np.testing.assert_allclose(other.displacement, one.displacement, atol=0.02)


def test_air_padding_below_the_scale_does_not_matter(moving_heads, two_threads):
    head = moving_heads["ctp"]
    i, j = np.ogrid[: head.series.data.shape[0], : head.series.data.shape[1]]
    outside = (i - 35.5) ** 2 + (j - 35.5) ** 2 > 36**2
    data = head.series.data.copy(order="F")
    data[outside] = -3024

    estimate = estimate_motion(dataclasses.replace(head.series, data=data), MotionOptions(), two_threads)

    assert _errors(head, estimate).max() < 0.35


@pytest.mark.parametrize("modality", MODALITIES)
def test_a_slab_of_four_thick_slices(modality, two_threads):
    head = small_head(modality, shape=(96, 96, 4), spacing=(2.2, 2.2, 8.0), motion=stepwise_motion())

    estimate = estimate_motion(head.series, MotionOptions(), two_threads)

    assert _errors(head, estimate).max() < 1.0


def test_jumps_of_two_centimetres_are_caught(two_threads):
    motion = stepwise_motion()
    motion[10:, :3, 3] += [15, -12, 6]
    head = small_head("dsc", motion=motion)

    estimate = estimate_motion(head.series, MotionOptions(), two_threads)

    assert _errors(head, estimate).max() < 0.5


def test_a_single_slice_moves_within_its_plane(two_threads):
    motion = np.tile(np.eye(4), (16, 1, 1))
    motion[5:, :2, 3] = [3.0, -2.0]
    head = small_head("ctp", shape=(96, 96, 1), spacing=(2.2, 2.2, 8.0), motion=motion)

    estimate = estimate_motion(head.series, MotionOptions(), two_threads)

    assert _errors(head, estimate).max() < 0.35


def test_cancelling_stops_the_estimate(moving_heads):
    with pytest.raises(CancelledError):
        estimate_motion(moving_heads["ctp"].series, MotionOptions(), Execution(threads=2, cancelled=lambda: True))


def test_empty_first_frames_are_refused_with_a_way_out(moving_heads, two_threads):
    data = moving_heads["ctp"].series.data.copy(order="F")
    data[..., :5] = 0

    with pytest.raises(InputError, match=r"constant.*Remove the empty frames"):
        estimate_motion(dataclasses.replace(moving_heads["ctp"].series, data=data), MotionOptions(), two_threads)

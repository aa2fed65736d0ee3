"""The poses of a series are found, and the frames named that no pose makes usable."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from PyPeTLib.errors import CancelledError, InputError
from PyPeTLib.execution import Execution
from PyPeTLib.phantom import rigid_matrices
from PyPeTLib.preprocess.frame_faults import Fault
from PyPeTLib.preprocess.poses import MotionOptions, estimate_motion

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
def test_a_damaged_frame_is_flagged_and_takes_the_pose_of_its_neighbour(moving_heads, two_threads, modality):
    head = moving_heads[modality]
    data = head.series.array().copy(order="F")
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
    scaled = dataclasses.replace(series, data=series.array() * np.float32(1e-4))

    one = estimate_motion(series, MotionOptions(), two_threads)
    other = estimate_motion(scaled, MotionOptions(), two_threads)

    np.testing.assert_allclose(other.displacement, one.displacement, atol=0.02)


def test_air_padding_below_the_scale_does_not_matter(moving_heads, two_threads):
    head = moving_heads["ctp"]
    i, j = np.ogrid[: head.series.array().shape[0], : head.series.array().shape[1]]
    outside = (i - 35.5) ** 2 + (j - 35.5) ** 2 > 36**2
    data = head.series.array().copy(order="F")
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
    data = moving_heads["ctp"].series.array().copy(order="F")
    data[..., :5] = 0

    with pytest.raises(InputError, match=r"constant.*Remove the empty frames"):
        estimate_motion(dataclasses.replace(moving_heads["ctp"].series, data=data), MotionOptions(), two_threads)


def _jumping(reach: tuple[float, ...]) -> np.ndarray:
    """Six frames each in a pose of its own, 20 mm and 15 degrees away but for the factors along the six axes."""
    rng = np.random.default_rng(7)
    way = np.zeros((16, 6))
    for frame in (5, 6, 8, 10, 12, 14):
        directions = rng.standard_normal((2, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        way[frame] = np.array([*(20 * directions[0]), *(15 * directions[1])]) * reach
    return rigid_matrices(way[:, :3], way[:, 3:], [0, 0, 0])


@pytest.mark.parametrize("modality", MODALITIES)
def test_single_frames_far_away_are_found_and_are_no_damage(two_threads, modality):
    head = small_head(modality, motion=_jumping((1, 1, 1, 1, 1, 1)))

    estimate = estimate_motion(head.series, MotionOptions(), two_threads)

    assert _errors(head, estimate).max() < 0.6
    assert estimate.reliable.all()


def test_a_thin_slab_that_jumps_is_found_from_other_starts(two_threads):
    # through the slab it must not move so far that hardly anything is left in view
    way = np.zeros((16, 6))
    way[8:10] = [11, -8, -4, -1.6, 0, -14.5]
    way[12:] = [8, -16, 2, 1.6, 2.7, -11]
    head = small_head(
        "ctp", shape=(96, 96, 4), spacing=(2.2, 2.2, 6.0), motion=rigid_matrices(way[:, :3], way[:, 3:], [0, 0, 0])
    )

    estimate = estimate_motion(head.series, MotionOptions(), two_threads)

    assert _errors(head, estimate).max() < 1.5


def test_the_reference_is_the_mean_of_the_first_frames_that_fit_each_other(moving_heads, two_threads):
    head = moving_heads["ctp"]
    data = head.series.array().copy(order="F")
    data[..., 1] = 0

    estimate = estimate_motion(dataclasses.replace(head.series, data=data), MotionOptions(), two_threads)

    # frame 4 is the first after a jump: it is aligned before it is averaged
    assert estimate.averaged == (0, 2, 3, 4)
    assert estimate.reference in (0, 2, 3)
    np.testing.assert_allclose(estimate.matrices[estimate.reference], np.eye(4), atol=1e-12)
    assert _errors(head, estimate)[estimate.reliable].max() < 0.35


def test_first_frames_that_are_mostly_empty_leave_a_reference(still_heads, two_threads):
    series = still_heads["ctp"].series
    data = series.array().copy(order="F")
    data[..., [0, 1, 3, 4]] = -1000

    estimate = estimate_motion(dataclasses.replace(series, data=data), MotionOptions(), two_threads)

    assert estimate.averaged == (2,)
    assert [frame for frame, fault in enumerate(estimate.faults) if fault is Fault.EMPTY] == [0, 1, 3, 4]
    assert estimate.displacement.max() < 0.1


@pytest.mark.parametrize("modality", MODALITIES)
def test_frames_spoilt_in_different_ways_are_named(moving_heads, two_threads, modality):
    series = moving_heads[modality].series
    data = series.array().copy(order="F")
    # the anatomy smeared over five voxels, slices lost, noise, and the head upside down
    data[..., 2] = np.mean([np.roll(data[..., 2], shift, axis=0) for shift in range(-2, 3)], axis=0)
    data[:, :, :3, 7] = data.min()
    data[..., 11] += np.random.default_rng(0).normal(0, 150, data.shape[:3])
    data[..., 13] = data[..., ::-1, 13]

    estimate = estimate_motion(dataclasses.replace(series, data=data), MotionOptions(), two_threads)

    assert np.flatnonzero(~estimate.reliable).tolist() == [2, 7, 11, 13]
    assert estimate.faults[2] in (Fault.TORN, Fault.UNLIKE)
    assert estimate.faults[7] is Fault.SLICES
    assert estimate.faults[13] is Fault.UNLIKE


def test_a_strong_bolus_is_no_damage(two_threads):
    # the signal of the brain falls by 45 percent, and in single frames
    head = small_head("dsc", echo_time=0.1)

    estimate = estimate_motion(head.series, MotionOptions(), two_threads)

    assert estimate.reliable.all()
    assert not estimate.moved

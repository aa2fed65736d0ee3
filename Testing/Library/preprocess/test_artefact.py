"""What interpolation leaves beside bone is foretold, and a thin artery keeps its peak."""

import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from PyPeTLib.execution import Execution
from PyPeTLib.phantom import RigidMotion, make_head
from PyPeTLib.preprocess.artefact import without_artefact
from PyPeTLib.preprocess.motion import correct_motion
from PyPeTLib.preprocess.poses import MotionOptions
from PyPeTLib.preprocess.refined import refined_curves

MOTION = RigidMotion(drift_mm=1.0, drift_degrees=1.0, jump_mm=2.0, jump_degrees=2.0)
RUN = Execution(2)
SIZE = {"shape": (72, 72, 14), "n_frames": 20, "dt": 2.2, "noise": None}


@pytest.fixture(scope="module")
def still():
    return make_head("ctp", seed=1, **SIZE)


@pytest.fixture(scope="module")
def moved():
    head = make_head("ctp", seed=1, **SIZE, motion=MOTION)
    return head, correct_motion(head.series, MotionOptions(), RUN)


@pytest.fixture(scope="module")
def corrected(moved):
    """The mask, the curves with and without the artefact, and how disturbed they were."""
    head, motion = moved
    mask = head.masks["intracranial"] & motion.covered
    before = motion.series.curves(mask)
    after = before.copy()
    disturbance = without_artefact(after, motion.series, mask, slice(0, 8), motion.estimate, RUN)
    return mask, before, after, disturbance.in_tissue


def spread(errors):
    return float(np.sqrt(np.mean(np.square(errors))))


def test_most_of_the_error_is_taken_away_beside_bone_and_beside_vessels(still, moved, corrected):
    head, motion = moved
    mask, before, after, disturbance = corrected
    truth = still.series.curves(mask)
    frames = motion.estimate.frames_moved
    assert frames.any()
    near_vessel = ndimage.binary_dilation(head.fractions["vessel"] > 0.1, iterations=2)[mask]
    for voxels in (slice(None), near_vessel, disturbance <= 1):
        was, left = (spread((curves - truth)[voxels][:, frames]) for curves in (before, after))
        print("root mean square error in HU, before and after:", np.round([was, left], 2))
        assert left < 0.4 * was


def test_what_is_named_disturbed_is(still, corrected):
    mask, _, after, disturbance = corrected
    truth = still.series.curves(mask)
    error = np.abs(after - truth).max(axis=1)
    assert 0 < np.mean(disturbance > 1) < 0.4
    assert np.median(error[disturbance > 1]) > 3 * np.median(error[disturbance <= 1])


def test_curves_in_smooth_surroundings_stay_as_they_are(corrected):
    _, before, after, disturbance = corrected
    smooth = disturbance == 0
    assert smooth.any()
    np.testing.assert_array_equal(after[smooth], before[smooth])


def test_what_a_damaged_frame_holds_and_the_number_of_threads_do_not_matter(moved, corrected):
    motion = moved[1]
    mask, before, *_ = corrected
    reliable = motion.estimate.reliable.copy()
    reliable[-1] = False
    estimate = dataclasses.replace(motion.estimate, reliable=reliable)
    results = []
    for damage, execution in ((0, Execution(1)), (1e4, RUN)):
        curves = before.copy()
        curves[:, -1] = damage
        without_artefact(curves, motion.series, mask, slice(0, 8), estimate, execution)
        results.append(curves[:, :-1])
    np.testing.assert_allclose(*results, atol=1e-2)


def test_curves_of_arteries_come_out_finer(still, moved):
    head, motion = moved
    arterial = head.fractions["arterial"]
    thin = (arterial > 0.6 * arterial.max()) & motion.covered
    truth = still.series.curves(thin)
    fine = refined_curves(head.series, thin, slice(0, 8), motion.estimate) - truth
    coarse = motion.series.curves(thin) - truth
    spread = [np.sqrt((error**2).mean()) for error in (coarse, fine)]
    print("root mean square error of arterial curves in HU, linear and refined:", np.round(spread, 1))
    assert spread[1] < 0.5 * spread[0]

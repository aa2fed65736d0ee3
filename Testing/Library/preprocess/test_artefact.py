"""What interpolation leaves beside bone is foretold, and a thin artery keeps its peak."""

import numpy as np
import pytest

from PyPeTLib.execution import Execution
from PyPeTLib.phantom import RigidMotion, make_head
from PyPeTLib.preprocess.artefact import predict_artefact
from PyPeTLib.preprocess.motion import correct_motion
from PyPeTLib.preprocess.poses import MotionOptions
from PyPeTLib.preprocess.refined import refined_curves
from PyPeTLib.stages import masked_signal

MOTION = RigidMotion(drift_mm=1.0, drift_degrees=1.0, jump_mm=2.0, jump_degrees=2.0)
RUN = Execution(2)


@pytest.fixture(scope="module")
def still():
    return make_head("ctp", seed=1, shape=(100, 100, 14), noise=None)


@pytest.fixture(scope="module")
def moved():
    head = make_head("ctp", seed=1, shape=(100, 100, 14), noise=None, motion=MOTION)
    return head, correct_motion(head.series, MotionOptions(), RUN)


def test_prediction_takes_most_of_the_error_away(still, moved):
    head, motion = moved
    mask = head.masks["intracranial"] & motion.covered
    artefact = predict_artefact(motion.series, mask, slice(0, 8), motion.estimate, RUN)
    got = masked_signal(motion.series, mask)
    truth = masked_signal(still.series, mask)
    before = (got - truth)[artefact.voxels]
    after = before - artefact.error
    trusted = np.abs(artefact.error).max(axis=1) <= artefact.limit
    frames = motion.estimate.frames_moved
    assert frames.any()
    spread = [np.sqrt((error[:, frames] ** 2).mean()) for error in (before, after, before[trusted], after[trusted])]
    print("root mean square error in HU: all before, after; trusted before, after", np.round(spread, 1))
    assert spread[1] < 0.75 * spread[0]
    # the rest that is trusted is a fraction of what it was over all
    assert spread[3] < 0.35 * spread[0]


def test_frames_that_were_not_resampled_are_not_touched(moved):
    head, motion = moved
    mask = head.masks["intracranial"] & motion.covered
    artefact = predict_artefact(motion.series, mask, slice(0, 8), motion.estimate, RUN)
    assert not artefact.error[:, ~motion.estimate.frames_moved].any()
    assert artefact.largest(int(mask.sum())).shape == (mask.sum(),)


def test_curves_of_arteries_come_out_finer(still, moved):
    head, motion = moved
    arterial = head.fractions["arterial"]
    thin = (arterial > 0.6 * arterial.max()) & motion.covered
    truth = masked_signal(still.series, thin)
    fine = refined_curves(head.series, thin, slice(0, 8), motion.estimate) - truth
    coarse = masked_signal(motion.series, thin) - truth
    spread = [np.sqrt((error**2).mean()) for error in (coarse, fine)]
    print("root mean square error of arterial curves in HU, linear and refined:", np.round(spread, 1))
    assert spread[1] < 0.5 * spread[0]

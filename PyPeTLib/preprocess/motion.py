"""Motion correction: rigid poses of all frames, and a series that shows them undone, without those of no use."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from PyPeTLib.arrays import IntArray, Mask
from PyPeTLib.execution import Execution
from PyPeTLib.preprocess.poses import MotionEstimate, MotionOptions, estimate_motion
from PyPeTLib.preprocess.undoing import MovedFrames, covered_by_all
from PyPeTLib.series import MINIMUM_FRAMES, PerfusionSeries

MOST_LEFT_OUT = 0.3
"""Share of the frames that may be left out; of a series with more damage nothing is left out, and a flag says so."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MotionCorrection:
    """What the motion stage hands on.

    Attributes
    ----------
    series : PerfusionSeries
        The frames that are kept, corrected, or as they were if nothing moved or correction is switched off.
    uncorrected : PerfusionSeries
        The same frames as they were.
    all_frames : MotionEstimate
        Of all frames of the series given.
    kept : ndarray of int
        Those of them that ``series`` holds.
    covered : ndarray of bool, shape (x, y, z)
        Voxels that every frame's field of view covers after the correction.
    applied : bool
        Whether frames were resampled.
    """

    series: PerfusionSeries
    uncorrected: PerfusionSeries
    all_frames: MotionEstimate
    kept: IntArray
    covered: Mask
    applied: bool

    @cached_property
    def estimate(self) -> MotionEstimate:
        """Of the frames that ``series`` holds."""
        return self.all_frames.of(self.kept)


def correct_motion(
    series: PerfusionSeries, options: MotionOptions, execution: Execution, *, finer: PerfusionSeries | None = None
) -> MotionCorrection:
    """Estimate the motion of a series and undo it where it matters; leave out frames that cannot be used.

    The poses are those of the first echo, which the bolus darkens least; a second echo is moved alike.

    Parameters
    ----------
    series : PerfusionSeries
    options : MotionOptions
    execution : Execution
    finer : PerfusionSeries, optional
        What ``series`` was downsampled from: moved frames are then resampled once, from there.

    Returns
    -------
    MotionCorrection

    Raises
    ------
    InputError
        If the series holds no edges to align.
    """
    every = estimate_motion(series, options, execution)
    kept = _kept_frames(every, options)
    source = finer or series
    if kept.size < series.n_frames:
        series, source = series.chosen(kept), source.chosen(kept)
    estimate = every.of(kept)
    if not (options.correct and estimate.moved):
        # no voxel needs memory of its own to say that it is covered
        everywhere = np.broadcast_to(np.True_, series.grid.shape)
        return MotionCorrection(
            series=series, uncorrected=series, all_frames=every, kept=kept, covered=everywhere, applied=False
        )
    first, *later = (
        MovedFrames(echo, estimate, execution, options.interpolation, finer_echo)
        for echo, finer_echo in zip(series.echoes, source.echoes, strict=True)
    )
    second = series.second_echo
    if second is not None:
        second = dataclasses.replace(second, data=later[0])
    return MotionCorrection(
        series=dataclasses.replace(series, data=first, second_echo=second),
        uncorrected=series,
        all_frames=every,
        kept=kept,
        covered=covered_by_all(series, estimate, execution),
        applied=True,
    )


def _kept_frames(estimate: MotionEstimate, options: MotionOptions) -> IntArray:
    """Frames that are used, counted from 0: all, unless a few of them are of no use."""
    usable = np.flatnonzero(estimate.reliable)
    n_frames = estimate.reliable.size
    enough = max(MINIMUM_FRAMES, (1 - MOST_LEFT_OUT) * n_frames)
    return usable if options.leave_out and usable.size >= enough else np.arange(n_frames)

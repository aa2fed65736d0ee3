"""Motion correction: rigid poses of all frames, and a series that shows them undone."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Mask
from PyPeTLib.execution import Execution
from PyPeTLib.preprocess.poses import MotionEstimate, MotionOptions, estimate_motion
from PyPeTLib.preprocess.undoing import MovedFrames, covered_by_all
from PyPeTLib.series import PerfusionSeries


@dataclass(frozen=True, kw_only=True, eq=False)
class MotionCorrection:
    """What the motion stage hands on.

    Attributes
    ----------
    series : PerfusionSeries
        Corrected, or the one given if nothing moved or correction is switched off.
    estimate : MotionEstimate
    covered : ndarray of bool, shape (x, y, z)
        Voxels that every frame's field of view covers after the correction.
    applied : bool
        Whether frames were resampled.
    """

    series: PerfusionSeries
    estimate: MotionEstimate
    covered: Mask
    applied: bool


def correct_motion(
    series: PerfusionSeries, options: MotionOptions, execution: Execution, *, finer: PerfusionSeries | None = None
) -> MotionCorrection:
    """Estimate the motion of a series and undo it where it matters.

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
    estimate = estimate_motion(series, options, execution)
    if not (options.correct and estimate.moved):
        everywhere = np.ones(series.grid.shape, dtype=bool)
        return MotionCorrection(series=series, estimate=estimate, covered=everywhere, applied=False)
    first, *later = (
        MovedFrames(echo, estimate, execution, options.interpolation, source)
        for echo, source in zip(series.echoes, (finer or series).echoes, strict=True)
    )
    second = series.second_echo
    if second is not None:
        second = dataclasses.replace(second, data=later[0])
    return MotionCorrection(
        series=dataclasses.replace(series, data=first, second_echo=second),
        estimate=estimate,
        covered=covered_by_all(series, estimate, execution),
        applied=True,
    )

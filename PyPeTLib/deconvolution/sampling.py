"""The uniform time grid on which AIFs are transformed, and the way to it from the frame times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Curve

JITTER = 0.02
"""Steps that differ by less than this share of their median count as uniform."""

LEAST_STEP = 0.2
"""Smallest step in s of a grid for uneven frames: two frames that nearly coincide shall not make it endless."""


@dataclass(frozen=True, eq=False)
class UniformSampling:
    """Uniform time grid spanning the frames, and linear interpolation onto it as a matrix.

    Attributes
    ----------
    step : float
        Time step in s.
    interpolation : ndarray of float64, shape (n, t)
        Takes values at the frame times to the grid. It is meant for the AIF; tissue curves are never interpolated.
    frame_times : ndarray of float64, shape (t,)
        In s from the first frame: the grid itself where the steps count as equal.
    """

    step: float
    interpolation: Curve
    frame_times: Curve

    @property
    def is_even(self) -> bool:
        """Whether the frame times are the grid."""
        return self.size == self.frame_times.size

    @property
    def grid(self) -> Curve:
        """The grid in s from the first frame."""
        return self.step * np.arange(self.size, dtype=np.float64)

    @property
    def size(self) -> int:
        """Number of grid points."""
        return int(self.interpolation.shape[0])


def uniform_sampling(times: Curve) -> UniformSampling:
    """The frame times themselves where their steps are equal; else a grid with their smallest step."""
    steps = np.diff(times)
    step = float(np.median(steps))
    if np.abs(steps - step).max() <= JITTER * step:
        step = float(steps.mean())
        return UniformSampling(step, np.eye(times.size), step * np.arange(times.size, dtype=np.float64))
    step = max(float(steps.min()), LEAST_STEP)
    size = int(np.floor((times[-1] - times[0]) / step * (1 + 1e-9))) + 1
    grid = times[0] + step * np.arange(size)
    left = np.clip(np.searchsorted(times, grid, side="right") - 1, 0, times.size - 2)
    share = (grid - times[left]) / (times[left + 1] - times[left])
    interpolation = np.zeros((size, times.size))
    rows = np.arange(size)
    interpolation[rows, left] = 1 - share
    interpolation[rows, left + 1] = share
    return UniformSampling(step, interpolation, np.asarray(times - times[0], np.float64))


def frame_weights(sampling: UniformSampling) -> Curve:
    """Time for which each frame stands, in grid steps: from the middle of one interval to that of the next."""
    steps = np.diff(sampling.frame_times) / sampling.step
    return np.asarray(0.5 * (np.append(steps[0], steps) + np.append(steps, steps[-1])), np.float64)

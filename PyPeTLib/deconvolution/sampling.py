"""The uniform time grid on which the operators work, and the way to it from the frame times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Curve

JITTER = 0.02
"""Steps that differ by less than this share of their median count as uniform."""


@dataclass(frozen=True, eq=False)
class UniformSampling:
    """Uniform time grid spanning the frames, and linear interpolation onto it as a matrix.

    Attributes
    ----------
    step : float
        Time step in s.
    interpolation : ndarray of float64, shape (n, t)
        Takes values at the frame times to the grid. Folded into each operator, so tissue curves are never
        interpolated themselves.
    """

    step: float
    interpolation: Curve

    @property
    def size(self) -> int:
        """Number of grid points."""
        return int(self.interpolation.shape[0])


def uniform_sampling(times: Curve) -> UniformSampling:
    """The frame times themselves where their steps are equal; else a grid with their smallest step."""
    steps = np.diff(times)
    step = float(np.median(steps))
    if np.abs(steps - step).max() <= JITTER * step:
        return UniformSampling(float(steps.mean()), np.eye(times.size))
    step = float(steps.min())
    size = int(np.floor((times[-1] - times[0]) / step * (1 + 1e-9))) + 1
    grid = times[0] + step * np.arange(size)
    left = np.clip(np.searchsorted(times, grid, side="right") - 1, 0, times.size - 2)
    share = (grid - times[left]) / (times[left + 1] - times[left])
    interpolation = np.zeros((size, times.size))
    rows = np.arange(size)
    interpolation[rows, left] = 1 - share
    interpolation[rows, left + 1] = share
    return UniformSampling(step, interpolation)

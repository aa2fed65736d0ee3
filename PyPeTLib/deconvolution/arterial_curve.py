"""The arterial input between its samples, for methods that shift and integrate it at will."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy  # its parts are imported when they are first used

from PyPeTLib.aif.gamma_variate import fit_gamma_variate
from PyPeTLib.arrays import Array, Curve

FINE_STEP = 0.1
"""Step in s of the grid on which the input is known."""


class ArterialCurve:
    """Height and running area of an arterial input on a fine grid.

    Straight lines would cut the top off an input sampled every 2 s, and a spline rings where it rises. So the first
    pass is taken from the gamma variate fitted to it, where one fits, and the spline only bridges what is left.

    Attributes
    ----------
    start : float
        Time of the first sample in s; the input is 0 before it.
    height : ndarray of float64, shape (n,)
        From the first sample to the last, `FINE_STEP` apart.
    """

    def __init__(self, aif: Curve, times: Curve) -> None:
        self.start = float(times[0])
        grid = np.arange(self.start, times[-1] + FINE_STEP, FINE_STEP)
        self.height = between_samples(aif, times)(np.minimum(grid, times[-1]))
        steps = 0.5 * (self.height[1:] + self.height[:-1]) * FINE_STEP
        self._area = np.concatenate([[0.0], np.cumsum(steps)])

    def area_until(self, times: Array) -> Array:
        """Area of the input up to any times, in the unit of the input times s."""
        return self._looked_up(self._area, times)

    def height_at(self, times: Array) -> Array:
        """Height of the input at any times."""
        inside = np.asarray(times >= self.start)
        return self._looked_up(self.height, times) * inside

    def _looked_up(self, table: Curve, times: Array) -> Array:
        place = np.clip((times - self.start) / FINE_STEP, 0, table.size - 1.001)
        below = place.astype(np.intp)
        part = place - below
        return np.asarray(table[below] * (1 - part) + table[below + 1] * part)


def between_samples(aif: Curve, times: Curve) -> Callable[[Curve], Curve]:
    """The function that interpolates an arterial input: its gamma variate plus a cubic spline of the rest."""
    first_pass = fit_gamma_variate(aif, times)
    if first_pass is None:
        spline = scipy.interpolate.CubicSpline(times, aif)
        return lambda at: np.asarray(spline(at), np.float64)
    rest = scipy.interpolate.CubicSpline(times, aif - first_pass(times))
    return lambda at: np.asarray(first_pass(at) + rest(at), np.float64)

"""Impulse responses on a grid of lags: their peak, its time, their rise; and methods that are one fixed matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Curve, Volume
from PyPeTLib.deconvolution.methods import Estimate

FINE_LAG = 0.5
"""Largest distance in s of the lags at which an impulse response is evaluated."""


@dataclass(frozen=True, kw_only=True)
class LagGrid:
    """Equally spaced lags, the whole multiples ``first`` to ``last`` of a step in s."""

    step: float
    first: int
    last: int

    @classmethod
    def within(cls, earliest: float, latest: float, step: float, limit: float) -> LagGrid:
        """Lags from the earliest to the latest one in s, and one more on either side for the parabola.

        They are at most `FINE_LAG` apart, divide ``step`` evenly, and stay within ``±limit`` s.
        """
        fine = step / max(1, round(step / FINE_LAG))
        most = round(limit / fine)
        return cls(step=fine, first=max(round(earliest / fine) - 1, -most), last=min(round(latest / fine) + 1, most))

    @property
    def lags(self) -> Curve:
        """The lags in s, ascending."""
        return self.step * np.arange(self.first, self.last + 1, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class LinearSolver:
    """Impulse responses as a product with a fixed matrix.

    Attributes
    ----------
    operator : ndarray of float32, shape (lags, t)
        One row for each lag at which the peak is sought, in ascending order.
    first_lag, step : float
        Lag of the first row and distance of the rows in s.
    fit : ndarray of float32, shape (t, t)
        Takes a tissue curve to the AIF convolved with its whole response, lags outside those of the rows included.
    """

    operator: Volume
    first_lag: float
    step: float
    fit: Volume

    @property
    def lags(self) -> Curve:
        """Lags of the impulse response in s."""
        return self.first_lag + self.step * np.arange(self.operator.shape[0], dtype=np.float64)

    def impulse_response(self, curves: Volume) -> Volume:
        """Impulse responses in 1/s, shape (voxels, lags)."""
        response: Volume = curves @ self.operator.T
        return response

    def fitted(self, curves: Volume) -> Volume:
        """The AIF convolved with the responses, at the times of the tissue's frames, shape (voxels, t)."""
        fitted: Volume = curves @ self.fit.T
        return fitted

    def __call__(self, curves: Volume) -> Estimate:
        """Peak, time of the peak and delay of the impulse responses."""
        return peak_of(self.impulse_response(curves), self.first_lag, self.step)


def peak_of(response: Volume, first_lag: float, step: float) -> Estimate:
    """Maximum of sampled impulse responses and its lag, refined by a parabola through three points.

    The delay is where the response first rises through half its maximum on the way to the peak: for a response
    that jumps, smoothed by a symmetric kernel, that is the place of the jump.
    """
    n_voxels, n_lags = response.shape
    voxels = np.arange(n_voxels)
    top = response.argmax(axis=1)
    inner = np.clip(top, 1, n_lags - 2)
    before, centre, after = (response[voxels, inner + shift] for shift in (-1, 0, 1))
    bend = before - 2 * centre + after
    is_peak = (top == inner) & (bend < 0)
    shift = np.divide(0.5 * (before - after), bend, out=np.zeros_like(bend), where=is_peak)
    peak = np.where(is_peak, centre - 0.25 * (before - after) * shift, response[voxels, top])
    time_of_peak = first_lag + step * (top + shift)

    half = np.float32(0.5) * peak
    low = response < half[:, None]
    low &= np.arange(n_lags) < top[:, None]
    foot = n_lags - 1 - low[:, ::-1].argmax(axis=1)
    rises = low.any(axis=1)
    foot = np.where(rises, np.minimum(foot, n_lags - 2), 0)
    lower, upper = response[voxels, foot], response[voxels, foot + 1]
    part = np.divide(half - lower, upper - lower, out=np.zeros_like(half), where=rises & (upper > lower))
    delay = first_lag + step * (foot + part)
    return Estimate(
        peak=peak.astype(np.float32, copy=False),
        time_of_peak=time_of_peak.astype(np.float32),
        delay=delay.astype(np.float32),
    )

"""Truncation chosen for each voxel: as many frequencies as its response's oscillation allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Curve, IntArray, Volume
from PyPeTLib.deconvolution.circulant import CirculantConvolution, Waves
from PyPeTLib.deconvolution.expected import LEAST_NOISE, Powers
from PyPeTLib.deconvolution.methods import METHODS, Estimate, Problem, Solver
from PyPeTLib.deconvolution.response import peak_of
from PyPeTLib.deconvolution.svd import WU

WU_SAMPLES, WU_STEP = 120, 1.0
"""The response to which Wu's limits of the oscillation index refer: 60 frames padded twofold, 1 s apart."""
LEVEL_RATIO = 1.15
"""Each level has about this many times the frequencies of the one before, and at least one more."""
JUDGED_PER_TURN = 4
"""Points in one turn of the fastest wave at which a response's bend is looked at."""
PEAK_PER_TURN = 8
"""Points in one turn of the fastest wave at which its maximum is sought to judge it."""

INDEX, EXPONENT = 0.042, 0.1
"""Limit of the index where the noise is `LEAST_NOISE` of the curves, and how it falls with the noise."""


@METHODS.register(
    "osvd",
    summary="block-circulant SVD with as many singular values, for each voxel, as its oscillation allows",
    source=WU,
    traits=("impulse-response", "delay-insensitive", "pooled-noise", "lesions"),
)
def osvd(problem: Problem) -> Solver:
    """Block-circulant matrix; the truncation follows the oscillation index of each voxel's response.

    Wu's oscillation index is the summed modulus of the response's second differences over its maximum and its length.
    For one and the same response it changes with the sampling; the limit here is put on the integral of the modulus of
    the second derivative over the maximum [1/s], which does not, and which is Wu's index times 120 at a step of 1 s.
    The option ``oscillation_index`` gives the limit, or lets the measured noise choose it (`index_for_noise`).
    """
    convolution = CirculantConvolution.of(problem)
    index = problem.options.oscillation_index or index_for_noise(problem, convolution.durations)
    return OscillationSolver(convolution, problem.options.osvd_floor, index)


@dataclass(frozen=True, kw_only=True, eq=False)
class Level:
    """The waves up to some frequency, and how the responses that they make are judged.

    Attributes
    ----------
    n_waves : int
    heights, bends : ndarray of float32, shape (points, n_waves)
        To the response, and to its second derivative times the distance of the points, at points close enough for the
        fastest wave.
    """

    n_waves: int
    heights: Volume
    bends: Volume


class OscillationSolver:
    """Nested truncations of one convolution.

    Levels are tried from the smoothest on, each on the voxels that are still open, and grow geometrically. Between the
    last level within the limit and the first beyond it the response is interpolated, so that it follows the data
    without jumps.
    """

    def __init__(self, convolution: CirculantConvolution, floor: float, index: float) -> None:
        self._convolution = convolution
        waves = convolution.waves(convolution.ordered(floor))
        self._analysis = np.ascontiguousarray(convolution.fitted(waves).T, np.float32)
        self._synthesis = np.ascontiguousarray(convolution.at_lags(waves).T, np.float32)
        self._measured = np.ascontiguousarray(convolution.measured(waves).T, np.float32)
        self._levels = [_level(convolution, waves, size) for size in _level_sizes(waves)]
        sizes = [level.n_waves for level in self._levels]
        self._entry = np.searchsorted(sizes, np.arange(sizes[-1]), side="right").astype(np.float32)
        self._limit = np.float32(index * WU_SAMPLES / WU_STEP)

    @property
    def lags(self) -> Curve:
        """Lags of the impulse response in s."""
        return self._convolution.grid.lags

    def impulse_response(self, curves: Volume) -> Volume:
        """Impulse responses in 1/s, shape (voxels, lags), each with its own truncation."""
        return np.asarray(self._truncated(curves) @ self._synthesis, np.float32)

    def fitted(self, curves: Volume) -> Volume:
        """The AIF convolved with the responses, at the times of the tissue's frames, shape (voxels, t)."""
        return np.asarray(self._truncated(curves) @ self._measured, np.float32)

    def _truncated(self, curves: Volume) -> Volume:
        """Coefficients of the responses' waves, each with its own truncation."""
        coefficients = np.asarray(curves @ self._analysis, np.float32)
        last, share = self._truncation(coefficients)
        place = last.astype(np.float32) + share
        coefficients *= np.clip(place[:, None] - self._entry + 1, 0, 1)
        return coefficients

    def levels(self, curves: Volume) -> tuple[IntArray, Volume]:
        """Last level within the limit for each voxel, and the share of the next one that it may take."""
        return self._truncation(curves @ self._analysis)

    def oscillation(self, coefficients: Volume, level: int) -> Volume:
        """Integral of the second derivative's modulus over the maximum in 1/s; infinite without a maximum above 0."""
        at = self._levels[level]
        # one row a point: reducing along few columns is slow
        used = coefficients[:, : at.n_waves].T
        peak = (at.heights @ used).max(axis=0)
        bends = at.bends @ used
        total = np.abs(bends, out=bends).sum(axis=0)
        oscillation: Volume = np.divide(total, peak, out=np.full_like(total, np.inf), where=peak > 0)
        return oscillation

    def _truncation(self, coefficients: Volume) -> tuple[IntArray, Volume]:
        last = np.full(len(coefficients), len(self._levels) - 1, np.intp)
        share = np.zeros(len(coefficients), np.float32)
        still = np.arange(len(coefficients))
        before = self.oscillation(coefficients, 0)
        for level in range(1, len(self._levels)):
            oscillation = self.oscillation(coefficients, level)
            beyond = ~(oscillation <= self._limit)
            stopped = still[beyond]
            last[stopped] = level - 1
            low, high = before[beyond], oscillation[beyond]
            # a response without a peak has no finite oscillation: nothing of it is taken
            between = (low <= self._limit) & np.isfinite(high)
            step = np.where(between, high, 1) - np.where(between, low, 0)
            share[stopped] = np.where(between, (self._limit - np.where(between, low, 0)) / step, 0)
            if beyond.all():
                break
            coefficients = coefficients[~beyond]
            still, before = still[~beyond], oscillation[~beyond]
        return last, share

    def __call__(self, curves: Volume) -> Estimate:
        """Peak, time of the peak and delay of the impulse responses."""
        grid = self._convolution.grid
        return peak_of(self.impulse_response(curves), grid.first * grid.step, grid.step)


def _level_sizes(waves: Waves) -> list[int]:
    """Numbers of waves of the levels, none of which parts a cosine from its sine."""
    ends = np.flatnonzero(np.diff(waves.frequency, append=-1)) + 1
    sizes, count = [int(ends[0])], 1
    while count < ends.size:
        count = min(max(count + 1, int(count * LEVEL_RATIO)), ends.size)
        sizes.append(int(ends[count - 1]))
    return sizes


def _level(convolution: CirculantConvolution, waves: Waves, size: int) -> Level:
    """The level of the first few waves."""
    waves = waves.chosen(np.arange(waves.frequency.size) < size)
    fastest = max(1, int(waves.frequency.max()))
    # one point more than whole numbers in a turn: they fall on all phases of the fastest wave, wherever it begins
    circle, n_bends = convolution.circle, JUDGED_PER_TURN * fastest + 1
    apart = circle / n_bends
    bends = apart * waves.at(apart * np.arange(n_bends, dtype=np.float64)) * waves.angular**2
    every = max(1, int(circle / (PEAK_PER_TURN * fastest) / convolution.grid.step))
    return Level(
        n_waves=size,
        heights=np.ascontiguousarray(convolution.at_lags(waves)[::every], np.float32),
        bends=np.ascontiguousarray(bends, np.float32),
    )


def index_for_noise(problem: Problem, durations: Curve) -> float:
    """Limit of the oscillation index that goes with the noise.

    Which limit gives the least error of the flow was looked up by simulation, on responses of transit times from 3.5
    to 14 s between exponential ones and boxes. The error is flat about its minimum, which moves from .05 to .035 while
    the noise rises from 2 to 40 % of the curves' root mean square, at samples one second apart. Taken are the smoother
    responses whose error is a few per cent larger, as a power of the noise.
    """
    power = Powers.of(problem, durations)
    noise = float(np.mean(power.noise * durations))
    share = np.sqrt(noise / (noise + power.signal))
    return float(INDEX * (share / LEAST_NOISE) ** -EXPONENT)

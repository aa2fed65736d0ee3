"""Deconvolution by truncated singular values.

The impulse response is a fixed matrix times the tissue curve, so all voxels of a piece are one product.
A block-circulant convolution matrix is diagonal in the discrete Fourier basis: its singular values are the
moduli of the transformed AIF, and dropping a value drops a frequency together with its conjugate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg

from PyPeTLib.arrays import Curve, IntArray, Mask, Volume
from PyPeTLib.deconvolution.methods import METHODS, Estimate, Problem, Solver
from PyPeTLib.deconvolution.sampling import UniformSampling, uniform_sampling

OSTERGAARD = "Østergaard et al. 1996, doi:10.1002/mrm.1910360510"
WU = "Wu et al. 2003, doi:10.1002/mrm.10522"
ZANDERIGO = "Zanderigo et al. 2009, doi:10.1109/TBME.2009.2013820"

FINE_LAG = 0.5
"""Largest distance in s of the lags at which an impulse response is evaluated."""
WU_SAMPLES, WU_STEP = 120, 1.0
"""The response to which Wu's limits of the oscillation index refer: 60 frames padded twofold, 1 s apart."""

Spectrum = npt.NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class LinearSolver:
    """Impulse responses as a product with a fixed matrix.

    Attributes
    ----------
    operator : ndarray of float32, shape (lags, t)
        One row for each lag at which the peak is sought, in ascending order.
    first_lag, step : float
        Lag of the first row and distance of the rows in s.
    """

    operator: Volume
    first_lag: float
    step: float

    @property
    def lags(self) -> Curve:
        """Lags of the impulse response in s."""
        return self.first_lag + self.step * np.arange(self.operator.shape[0], dtype=np.float64)

    def impulse_response(self, curves: Volume) -> Volume:
        """Impulse responses in 1/s, shape (voxels, lags)."""
        response: Volume = curves @ self.operator.T
        return response

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


@METHODS.register(
    "ssvd",
    summary="standard SVD: the AIF must arrive before the tissue; sensitive to delay",
    source=OSTERGAARD,
    aliases=("SVD",),
    traits=("impulse-response",),
)
def ssvd(problem: Problem) -> Solver:
    """Lower-triangular convolution matrix, inverted without its small singular values."""
    sampling = uniform_sampling(problem.times)
    aif = sampling.interpolation @ problem.aif
    matrix = sampling.step * linalg.toeplitz(aif, np.zeros_like(aif))
    left, values, right = linalg.svd(matrix)
    inverse = np.where(values > problem.options.ssvd_threshold * values[0], 1 / np.maximum(values, 1e-300), 0)
    operator = (right.T * inverse) @ left.T @ sampling.interpolation
    rows = min(sampling.size, int(problem.options.latest_lag / sampling.step) + 2)
    return LinearSolver(operator[:rows].astype(np.float32), 0.0, sampling.step)


@METHODS.register(
    "bsvd",
    summary="block-circulant SVD: insensitive to delay",
    source=WU,
    aliases=("bcSVD2", "cSVD"),
    traits=("impulse-response", "delay-insensitive"),
)
def bsvd(problem: Problem) -> Solver:
    """Block-circulant matrix of the AIF as it was sampled."""
    return CirculantConvolution.of(problem).truncated(problem.options.svd_threshold)


@METHODS.register(
    "bsvd-simpson",
    summary="block-circulant SVD whose convolution is integrated by Simpson's rule: insensitive to delay",
    source=ZANDERIGO,
    aliases=("bcSVD1",),
    traits=("impulse-response", "delay-insensitive"),
)
def bsvd_simpson(problem: Problem) -> Solver:
    """Block-circulant matrix of the AIF weighted 1:4:1 over neighbouring samples."""
    return CirculantConvolution.of(problem, kernel=(1 / 6, 4 / 6, 1 / 6)).truncated(problem.options.svd_threshold)


@METHODS.register(
    "osvd",
    summary="block-circulant SVD with as many singular values, for each voxel, as its oscillation allows",
    source=WU,
    traits=("impulse-response", "delay-insensitive"),
)
def osvd(problem: Problem) -> Solver:
    """Block-circulant matrix; the truncation follows the oscillation index of each voxel's response."""
    return OscillationSolver(CirculantConvolution.of(problem), problem)


@dataclass(frozen=True, eq=False)
class CirculantConvolution:
    """Convolution with an AIF, zero-padded to twice its length so that nothing wraps around.

    A response of finitely many frequencies is known between the samples too, so it is evaluated at lags of
    half a second or less: its maximum then hardly depends on where between two frames the tissue's bolus falls.

    Attributes
    ----------
    sampling : UniformSampling
    spectrum : ndarray of complex128, shape (size + 1,)
        Discrete Fourier transform of the AIF times the step: its moduli are the singular values.
    refinement : int
        Lags to one step of the sampling.
    window : tuple of float
        Earliest and latest lag of interest in s.
    """

    sampling: UniformSampling
    spectrum: Spectrum
    refinement: int
    window: tuple[float, float]

    @classmethod
    def of(cls, problem: Problem, kernel: tuple[float, float, float] = (0.0, 1.0, 0.0)) -> CirculantConvolution:
        """The convolution with the problem's AIF, its samples weighted with a symmetric kernel."""
        sampling = uniform_sampling(problem.times)
        samples = np.zeros(2 * sampling.size)
        samples[: sampling.size] = sampling.interpolation @ problem.aif
        weighted = kernel[0] * np.roll(samples, -1) + kernel[1] * samples + kernel[2] * np.roll(samples, 1)
        return cls(
            sampling=sampling,
            spectrum=np.fft.rfft(weighted) * sampling.step,
            refinement=max(1, round(sampling.step / FINE_LAG)),
            window=(problem.options.earliest_lag, problem.options.latest_lag),
        )

    @property
    def moduli(self) -> Curve:
        """Singular values, one for each frequency."""
        return np.asarray(np.abs(self.spectrum), np.float64)

    @property
    def lag_step(self) -> float:
        """Distance of the lags in s."""
        return self.sampling.step / self.refinement

    @property
    def rows(self) -> tuple[int, int]:
        """First and last lag of interest in lag steps, within what the padding can tell apart."""
        limit = (self.sampling.size - 1) * self.refinement
        first, last = (round(lag / self.lag_step) for lag in self.window)
        return max(first - 1, -limit), min(last + 1, limit)

    def inverse(self, keep: Mask) -> Curve:
        """Regularised inverse for a set of kept frequencies, one row for each lag of the whole circle.

        Rows ascend from lag ``−size`` steps of the sampling to just below ``size`` steps.
        """
        size = self.sampling.size
        spectrum = np.where(keep, 1 / np.where(keep, self.spectrum, 1), 0)
        if self.refinement > 1:
            # of the highest frequency, one half belongs to its negative twin, which the longer transform has
            spectrum[-1] *= 0.5
        circle = 2 * size * self.refinement
        response = np.fft.irfft(spectrum, circle) * self.refinement
        lags = np.arange(-size * self.refinement, size * self.refinement)
        matrix = response[(lags[:, None] - self.refinement * np.arange(size)) % circle]
        return np.asarray(matrix @ self.sampling.interpolation, np.float64)

    def windowed(self, inverse: Curve) -> LinearSolver:
        """The solver made of the rows of interest of an inverse."""
        first, last = self.rows
        zero = self.sampling.size * self.refinement
        operator = inverse[zero + first : zero + last + 1].astype(np.float32)
        return LinearSolver(operator, first * self.lag_step, self.lag_step)

    def truncated(self, threshold: float) -> LinearSolver:
        """The solver that keeps the frequencies whose singular value exceeds a share of the largest."""
        return self.windowed(self.inverse(self.moduli > threshold * self.moduli.max()))


class OscillationSolver:
    """Truncation chosen for each voxel: as many frequencies as its response's oscillation allows.

    Wu's oscillation index is the summed modulus of the response's second differences over its maximum and its
    length. For one and the same response it changes with the sampling; the limit here is therefore put on the
    integral of the modulus of the second derivative over the maximum (in 1/s), which does not.

    Levels are tried from the smoothest on, each on the voxels that are still open. Between the last level within
    the limit and the first beyond it the response is interpolated, so that it follows the data without jumps.
    """

    def __init__(self, convolution: CirculantConvolution, problem: Problem) -> None:
        moduli = convolution.moduli
        order = np.argsort(-moduli, kind="stable")
        n_levels = max(1, int(np.count_nonzero(moduli > problem.options.osvd_floor * moduli.max())))
        self._solvers: list[LinearSolver] = []
        self._coarse: list[Volume] = []
        self._bends: list[Volume] = []
        for level in range(n_levels):
            keep = np.zeros(moduli.size, bool)
            keep[order[: level + 1]] = True
            inverse = convolution.inverse(keep)
            second = np.roll(inverse, 1, axis=0) - 2 * inverse + np.roll(inverse, -1, axis=0)
            # to judge a response, a point every second is enough
            every = max(1, round(1.0 / convolution.lag_step))
            second = every * second[::every]
            solver = convolution.windowed(inverse)
            self._solvers.append(solver)
            self._coarse.append(np.ascontiguousarray(solver.operator[::every]))
            self._bends.append((second / convolution.lag_step).astype(np.float32))
        self._limit = np.float32(problem.options.oscillation_index * WU_SAMPLES / WU_STEP)

    @property
    def lags(self) -> Curve:
        """Lags of the impulse response in s."""
        return self._solvers[0].lags

    def impulse_response(self, curves: Volume) -> Volume:
        """Impulse responses in 1/s, shape (voxels, lags), each with its own truncation."""
        levels, shares = self.levels(curves)
        responses = np.empty((len(curves), self._solvers[0].operator.shape[0]), np.float32)
        for level in np.unique(levels):
            voxels = np.flatnonzero(levels == level)
            response = self._solvers[level].impulse_response(curves[voxels])
            if level + 1 < len(self._solvers):
                more = self._solvers[level + 1].impulse_response(curves[voxels])
                response += shares[voxels, None] * (more - response)
            responses[voxels] = response
        return responses

    def levels(self, curves: Volume) -> tuple[IntArray, Volume]:
        """Last level within the limit for each voxel, and the share of the next one that it may take."""
        last = np.full(len(curves), len(self._solvers) - 1, np.intp)
        share = np.zeros(len(curves), np.float32)
        still = np.arange(len(curves))
        before = self._oscillation(curves, 0)
        for level in range(1, len(self._solvers)):
            oscillation = self._oscillation(curves[still], level)
            beyond = ~(oscillation <= self._limit)
            stopped = still[beyond]
            last[stopped] = level - 1
            low, high = before[beyond], oscillation[beyond]
            # a response without a peak has no finite oscillation: nothing of it is taken
            between = (low <= self._limit) & np.isfinite(high)
            step = np.where(between, high, 1) - np.where(between, low, 0)
            share[stopped] = np.where(between, (self._limit - np.where(between, low, 0)) / step, 0)
            still, before = still[~beyond], oscillation[~beyond]
            if not still.size:
                break
        return last, share

    def _oscillation(self, curves: Volume, level: int) -> Volume:
        # lags along the first axis: reducing over them runs through memory in order
        peak = (self._coarse[level] @ curves.T).max(axis=0)
        bends = self._bends[level] @ curves.T
        total = np.abs(bends, out=bends).sum(axis=0)
        oscillation: Volume = np.divide(total, peak, out=np.full_like(total, np.inf), where=peak > 0)
        return oscillation

    def __call__(self, curves: Volume) -> Estimate:
        """Peak, time of the peak and delay of the impulse responses."""
        first = self._solvers[0]
        return peak_of(self.impulse_response(curves), first.first_lag, first.step)

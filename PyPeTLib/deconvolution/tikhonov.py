"""Tikhonov's regularisation and Wiener's filter of the circulant convolution.

The tissue curve is a sum of waves of the response on a circle twice as long as the frames last, taken at the measured
times (`circulant`). What lies beyond the last frame is not known and not taken for 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from PyPeTLib.arrays import Curve, Volume
from PyPeTLib.deconvolution.circulant import CirculantConvolution
from PyPeTLib.deconvolution.expected import Powers, exponential_power
from PyPeTLib.deconvolution.methods import METHODS, Estimate, Problem, Solver
from PyPeTLib.deconvolution.parameter_choice import REGULARISATIONS, SingularSystem
from PyPeTLib.deconvolution.response import LagGrid, LinearSolver, peak_of
from PyPeTLib.deconvolution.sampling import frame_weights, uniform_sampling

CALAMANTE = "Calamante et al. 2003, doi:10.1002/mrm.10643"
SAKOGLU = "Sakoglu and Sood 2008, doi:10.1016/j.mri.2007.08.007"

NEGLIGIBLE = 1e-5
"""Singular values below this share of the largest cannot add to a regularised solution."""


@METHODS.register(
    "tikhonov",
    summary="circulant convolution by Tikhonov's method, smooth by as much as the noise asks: insensitive to delay",
    source=CALAMANTE,
    traits=("impulse-response", "delay-insensitive", "pooled-noise", "lesions"),
)
def tikhonov(problem: Problem) -> Solver:
    """The response k [1/s] that minimises ``|A k − c|² + λ²|k|²``.

    A [s times the AIF's unit] is the circulant convolution at the measured times, |k|² the sum of squares over the
    circle's grid, and λ, in the unit of A, follows from the option ``regularisation``. For one λ for all voxels, frames
    are weighted by the time for which they stand.
    """
    convolution = CirculantConvolution.of(problem)
    waves = convolution.waves(np.arange(convolution.moduli.size))
    matrix = convolution.measured(waves)
    covariance = np.diag(exponential_power(waves.angular))
    return regularised(problem, matrix, covariance, convolution.at_lags(waves), convolution.grid)


@METHODS.register(
    "wiener",
    summary="circulant convolution by Wiener's filter for exponential responses: insensitive to delay",
    source=SAKOGLU,
    traits=("impulse-response", "delay-insensitive", "pooled-noise", "lesions"),
)
def wiener(problem: Problem) -> Solver:
    """The response with the least expected squared error.

    Responses are expected to have the power spectrum ``q = s²/(1/m² + ω²)`` of an exponential residue of transit time
    m = 6 s, in any phase, with the scale s that gives tissue curves the measured size; noise has the variance σ². Over
    an endless window that is the filter ``conj(a)/(|a|² + σ²/q)`` of each frequency, with the transformed AIF a. For
    the frames at hand it is ``k = Q Aᵀ (A Q Aᵀ + σ²)⁻¹ c``, Q being diagonal with entries q: the same where the frames
    are many and even, and right where they are not.
    """
    convolution = CirculantConvolution.of(problem)
    waves = convolution.waves(np.arange(convolution.moduli.size))
    matrix = convolution.measured(waves)
    power = exponential_power(waves.angular)
    scale = Powers.of(problem, convolution.durations)
    expected = (matrix * power) @ matrix.T
    factor = scale.signal * len(matrix) / np.trace(expected)
    covariance = factor * expected + np.diag(scale.noise)
    gain = linalg.solve(covariance, factor * matrix * power, assume_a="pos").T
    return convolution.solver(waves, gain)


def regularised(problem: Problem, matrix: Curve, covariance: Curve, at_lags: Curve, grid: LagGrid) -> Solver:
    """Tikhonov's solution by the rule that the options name.

    Parameters
    ----------
    problem : Problem
    matrix : ndarray, shape (t, n)
        Takes the n coefficients of a response to the tissue curve.
    covariance : ndarray, shape (n, n)
        What is expected of the coefficients, up to its scale.
    at_lags : ndarray, shape (lags, n)
        Takes them to the response at the lags of interest.
    grid : LagGrid
    """
    choice = REGULARISATIONS.entry(problem.options.regularisation)
    sampling = uniform_sampling(problem.times)
    weights = frame_weights(sampling)
    powers = Powers.of(problem, sampling.step * weights)
    if "per-voxel" in choice.traits:
        weights = np.ones_like(weights)
    scale = powers.signal * len(matrix) / np.einsum("ti,ij,tj->", matrix, covariance, matrix, optimize=True)
    root = np.sqrt(weights)[:, None]
    left, values, right = linalg.svd(root * matrix, full_matrices=False)
    counts = values > NEGLIGIBLE * values[0]
    left, values, right = left[:, counts], values[counts], right[counts]
    system = SingularSystem(
        values=values,
        power=scale * np.einsum("vi,ij,vj->v", right, covariance, right, optimize=True),
        noise=(weights * powers.noise) @ left**2,
    )
    analysis, synthesis, measured = root * left, right @ at_lags.T, (values[:, None] * left.T) / root.T
    rule = choice.item(system)
    if isinstance(rule, float):
        filtered = analysis * (values / (values**2 + rule**2))
        return LinearSolver(
            operator=(filtered @ synthesis).T.astype(np.float32),
            first_lag=grid.first * grid.step,
            step=grid.step,
            fit=(filtered @ measured).T.astype(np.float32),
        )
    return AdaptiveSolver(
        analysis=analysis.astype(np.float32),
        values=values.astype(np.float32),
        synthesis=synthesis.astype(np.float32),
        measured=measured.astype(np.float32),
        rule=rule,
        grid=grid,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class AdaptiveSolver:
    """Singular system of a convolution and the rule that chooses λ for each curve.

    Attributes
    ----------
    analysis : ndarray of float32, shape (t, values)
        To the coefficients Uᵀc.
    values : ndarray of float32, shape (values,)
    synthesis : ndarray of float32, shape (values, lags)
        From the response's coefficients to its values at the lags.
    measured : ndarray of float32, shape (values, t)
        From the same to the AIF convolved with the response.
    rule : callable
        From coefficients, shape (voxels, values), to λ, shape (voxels, 1).
    grid : LagGrid
    """

    analysis: Volume
    values: Volume
    synthesis: Volume
    measured: Volume
    rule: Callable[[Volume], Volume]
    grid: LagGrid

    @property
    def lags(self) -> Curve:
        """Lags of the impulse response in s."""
        return self.grid.lags

    def impulse_response(self, curves: Volume) -> Volume:
        """Impulse responses in 1/s, shape (voxels, lags)."""
        return np.asarray(self._filtered(curves) @ self.synthesis, np.float32)

    def fitted(self, curves: Volume) -> Volume:
        """The AIF convolved with the responses, at the times of the tissue's frames, shape (voxels, t)."""
        return np.asarray(self._filtered(curves) @ self.measured, np.float32)

    def _filtered(self, curves: Volume) -> Volume:
        """Coefficients of the responses, each with its own λ."""
        coefficients = np.asarray(curves @ self.analysis, np.float32)
        level = self.rule(coefficients)
        coefficients *= self.values / (self.values**2 + level**2)
        return coefficients

    def __call__(self, curves: Volume) -> Estimate:
        """Peak, time of the peak and delay of the impulse responses."""
        return peak_of(self.impulse_response(curves), self.grid.first * self.grid.step, self.grid.step)

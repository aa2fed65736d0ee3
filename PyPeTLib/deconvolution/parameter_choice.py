"""How strongly to regularise by Tikhonov's method, from what the curves tell.

In the singular system ``A = U S Vᵀ`` the solution for λ is ``V f/s Uᵀc`` with the filter ``f = s²/(s² + λ²)``, so all
that the rules need of a curve are the powers ``P = (Uᵀc)²``: sums over them, for a whole grid of λ, are products with
fixed matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Curve, Volume
from PyPeTLib.registry import Registry

LEVELS = 32
"""Values of λ that are compared for each voxel."""
GRID = np.geomspace(0.02, 1.0, LEVELS)
"""They are these shares of the largest singular value."""

TINY = 1e-12
"""Shares of a curve's power below this one count as nothing."""

REGULARISATIONS: Registry[Callable[[SingularSystem], Rule]] = Registry("rules of regularisation")
"""All rules; each prepares, for a singular system, what gives λ for curves.

Rules with the trait ``per-voxel`` tell noise from signal by the misfit: all frames must count alike for them.
"""

Rule = float | Callable[[Volume], Volume]
"""One λ for all voxels; or the way from coefficients Uᵀc, shape (voxels, values), to λ, shape (voxels, 1)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SingularSystem:
    """A convolution's singular values and what is expected along each singular vector; arrays of shape (values,).

    Attributes
    ----------
    values : ndarray of float64
        Singular values, in s times the unit of the AIF; descending.
    power : ndarray of float64
        Expected square of the response's coefficient.
    noise : ndarray of float64
        Variance of a curve's coefficient by its noise.
    """

    values: Curve
    power: Curve
    noise: Curve

    def filters(self, levels: Curve) -> Curve:
        """Filter factors ``s²/(s² + λ²)`` for values of λ, shape (values, levels)."""
        squares = self.values[:, None] ** 2
        return np.asarray(squares / (squares + levels**2), np.float64)


@REGULARISATIONS.register(
    "noise",
    summary="one λ for all voxels, whose expected squared error at the measured noise is least",
    source="Tikhonov's filter with the error of Wiener's: Sakoglu and Sood 2008, doi:10.1016/j.mri.2007.08.007",
)
def least_expected_error(system: SingularSystem) -> Rule:
    """λ that minimises the expected squared error of the response.

    With the expected powers q and noise of variance σ² it is ``Σ (1 − f)²q + σ²f²/s²``: what the filter takes from the
    response, and what it lets through of the noise.
    """
    levels = system.values[0] * np.geomspace(1e-3, 10, 400)
    taken = 1 - system.filters(levels)
    through = system.values[:, None] / (system.values[:, None] ** 2 + levels**2)
    error = system.power @ taken**2 + system.noise @ through**2
    return float(levels[error.argmin()])


@REGULARISATIONS.register(
    "gcv",
    summary="λ for each voxel by generalised cross-validation",
    source="Golub, Heath and Wahba 1979, doi:10.1080/00401706.1979.10489751",
    traits=("per-voxel",),
)
def cross_validation(system: SingularSystem) -> Rule:
    """λ that minimises ``|A k − c|² / (trace of 1 − influence)²`` for each curve."""
    taken = 1 - system.filters(system.values[0] * GRID)
    # the trace as a share of its greatest value, which keeps the figures near 1
    weights = (taken**2 / taken.mean(axis=0) ** 2).astype(np.float32)
    return lambda coefficients: _best(system, -np.log(np.maximum(_shares(coefficients) @ weights, TINY)))


@REGULARISATIONS.register(
    "lcurve",
    summary="λ for each voxel at the corner of the L-curve",
    source="Calamante et al. 2003, doi:10.1002/mrm.10643",
    traits=("per-voxel",),
)
def l_curve(system: SingularSystem) -> Rule:
    """λ at which log|k| against log|A k − c| bends most, for each curve.

    With ``ρ = |A k − c|²``, ``η = |k|²``, ``g = λ²η/ρ`` and ``e = −dlog η/dlog λ``, and because ``dρ = −λ²dη`` along
    the curve (the normal equations), its curvature is ``2g(2 − e(1 + g)) / (e(1 + g²)^1.5)``.
    """
    squares = (system.values[:, None] / system.values[0]) ** 2
    passed = system.filters(system.values[0] * GRID)
    residual, size, fall = (
        weights.astype(np.float32)
        for weights in ((1 - passed) ** 2, passed**2 / squares, 4 * (1 - passed) * passed**2 / squares)
    )
    squared = (GRID**2).astype(np.float32)

    def rule(coefficients: Volume) -> Volume:
        powers = _shares(coefficients)
        eta = np.maximum(powers @ size, TINY)
        ratio = squared * eta / np.maximum(powers @ residual, TINY)
        steepness = np.maximum(powers @ fall, TINY) / eta
        curvature = 2 * ratio * (2 - steepness * (1 + ratio)) / (steepness * (1 + ratio**2) ** 1.5)
        return _best(system, np.asarray(curvature, np.float32))

    return rule


def _shares(coefficients: Volume) -> Volume:
    """Powers of each curve as shares of their sum, so that no unit can overflow."""
    largest = np.abs(coefficients).max(axis=1, keepdims=True)
    scaled = np.divide(coefficients, largest, out=np.zeros_like(coefficients), where=largest > 0)
    np.square(scaled, out=scaled)
    total = scaled.sum(axis=1, keepdims=True)
    shares: Volume = np.divide(scaled, total, out=scaled, where=total > 0)
    return shares


def _best(system: SingularSystem, merit: Volume) -> Volume:
    """λ of the highest merit on the grid, between its points by a parabola; shape (voxels, 1)."""
    voxels = np.arange(len(merit))
    best = merit.argmax(axis=1)
    inner = np.clip(best, 1, LEVELS - 2)
    before, top, after = (merit[voxels, inner + shift] for shift in (-1, 0, 1))
    bend = before - 2 * top + after
    usable = (inner == best) & (bend < 0)
    shift = np.divide(0.5 * (before - after), bend, out=np.zeros_like(bend), where=usable)
    exponent = (best + shift) / (LEVELS - 1)
    return np.asarray(system.values[0] * GRID[0] * (GRID[-1] / GRID[0]) ** exponent, np.float32)[:, None]

"""Block Gauss–Seidel: patch after patch is solved with its neighbours held, until the equations hold.

For patch p: ``w_p ← A_pp⁻¹ (B_p − Σ_{q≠p} A_pq w_q)``. The matrix is symmetric and positive definite, so each step
lowers the objective ``Σ ω (y − ŷ)² + ridge`` and the iteration ends at its only minimum (Golub & Van Loan, Matrix
Computations, 4th ed. 2013, section 11.2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from PyPeTLib.arrays import Curve
from PyPeTLib.synthesis.normal_equations import BlockSystem


@dataclass(frozen=True, kw_only=True, eq=False)
class Solution:
    """Coefficients and the way to them.

    Attributes
    ----------
    weights : ndarray of float64, shape (patches, features, targets)
    residuals : tuple of float
        ``|B − A W| / |B|`` before the first sweep and after each, in the norm of the blocks' own scale.
    objectives : tuple of float
        What is minimised, as a share of its value at coefficients of 0, at the same times.
    converged : bool
        Whether the residual fell below the tolerance.
    """

    weights: Curve
    residuals: tuple[float, ...]
    objectives: tuple[float, ...]
    converged: bool

    @property
    def sweeps(self) -> int:
        """How often all patches were solved."""
        return len(self.residuals) - 1


def gauss_seidel(system: BlockSystem, *, sweeps: int, tolerance: float) -> Solution:
    """Solve a block system, beginning with the solution for the whole head.

    Parameters
    ----------
    system : BlockSystem
    sweeps : int
        The most that are made.
    tolerance : float
        Residual at which to stop.
    """
    n, size, targets = system.right.shape
    weights = np.repeat(system.common[None], n, axis=0)
    own = [linalg.cho_factor(system.dense[p, p], check_finite=False) for p in range(n)]
    # what the neighbours of a patch take from its right side, as one product
    lists = system.neighbours
    taken = [system.dense[p, others].transpose(1, 0, 2).reshape(size, -1) for p, others in enumerate(lists)]
    whole = float(np.abs(system.energy).sum()) or 1.0
    residuals, objectives = [], []

    def note() -> None:
        squared, below, objective = 0.0, 0.0, float(system.energy.sum())
        for p in range(n):
            product = system.dense[p, p] @ weights[p] + taken[p] @ weights[lists[p]].reshape(-1, targets)
            missing = system.right[p] - product
            # in the metric of the patch itself: large features do not drown small ones
            squared += float((missing * linalg.cho_solve(own[p], missing, check_finite=False)).sum())
            below += float((system.right[p] * linalg.cho_solve(own[p], system.right[p], check_finite=False)).sum())
            objective += float((weights[p] * (product - 2 * system.right[p])).sum())
        residuals.append(float(np.sqrt(max(squared, 0.0) / below)) if below else 0.0)
        objectives.append(objective / whole)

    note()
    while residuals[-1] > tolerance and len(residuals) <= sweeps:
        for p in range(n):
            right = system.right[p] - taken[p] @ weights[lists[p]].reshape(-1, targets)
            weights[p] = linalg.cho_solve(own[p], right, check_finite=False)
        note()
    return Solution(
        weights=weights,
        residuals=tuple(residuals),
        objectives=tuple(objectives),
        converged=residuals[-1] <= tolerance,
    )

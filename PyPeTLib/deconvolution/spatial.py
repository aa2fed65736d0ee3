"""Bayesian estimates in which neighbouring voxels share delay and residue, but not flow."""

from __future__ import annotations

import numpy as np

from PyPeTLib.arrays import IntArray, Mask, Volume
from PyPeTLib.deconvolution.bayes import LEAST_NOISE, BayesSolver, Evidence, energy_of
from PyPeTLib.deconvolution.methods import METHODS, Estimate, Problem, Solver
from PyPeTLib.deconvolution.neighbourhoods import correlation_area, pooled
from PyPeTLib.execution import Execution

FEWEST_COMPONENTS, MOST_COMPONENTS = 6, 8
"""So many combinations of temporal components are compared and pooled: more hold noise, in which edges are lost."""
STANDING_OUT = 2.0
"""A component is pooled if its mean square exceeds this many times that of the noise."""
MOST_CURVES = 6
"""A neighbourhood counts for no more independent curves than this: likeness is an assumption."""


@METHODS.register(
    "gamma-bayes-spatial",
    summary="gamma-bayes whose posterior pools the evidence of like neighbours in the slice; insensitive to delay",
    source="PyPeT; edge-avoiding cascade after Dammertz et al. 2010, doi:10.2312/EGGH/HPG10/067-075",
    traits=("delay-insensitive", "transit-times", "volume", "posterior", "pooled-noise", "spatial", "lesions"),
)
def gamma_bayes_spatial(problem: Problem) -> Solver:
    """Like neighbours have one delay, transit time and shape; each voxel keeps its own flow.

    The log-likelihood of an atom ``u`` is a quadratic form of the curve, ``uᵀccᵀu/2σ²``. The prior that like
    neighbours share the atom makes it the sum over them: ``ccᵀ`` is averaged over the neighbourhood and counted as
    often as it holds independent curves. The height stays the voxel's own, ``c·u``.
    """
    return SpatialSolver(problem)


class SpatialSolver(BayesSolver):
    """The posterior of the voxels of a volume."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self._tolerance = problem.options.spatial_tolerance

    def whole(self, curves: Volume, mask: Mask, execution: Execution) -> Estimate:
        """Estimates of all voxels of a mask, slice by slice.

        Parameters
        ----------
        curves : ndarray of float32, shape (voxels, t)
        mask : ndarray of bool, shape (x, y, z)
        execution : Execution
        """
        slice_of = np.nonzero(mask)[2]

        def work(z: int) -> tuple[IntArray, Estimate]:
            voxels = np.flatnonzero(slice_of == z)
            return voxels, self._in_slice(np.ascontiguousarray(curves[voxels]), mask[:, :, z])

        results = execution.map(work, [int(z) for z in np.unique(slice_of)])
        whole = Estimate.empty(results[0][1], len(curves))
        for voxels, estimate in results:
            whole.fill(voxels, estimate)
        return whole

    def _in_slice(self, curves: Volume, plane: Mask) -> Estimate:
        reduced = self.dictionary.reduced(curves)
        energy = energy_of(curves)
        noise = max(float(self.noise), LEAST_NOISE * float(np.sqrt(energy.mean() / curves.shape[1])), 1e-15)
        shared = _shared_components(reduced, noise)
        units = self.dictionary.units @ shared
        upper = np.triu_indices(units.shape[2])
        area = correlation_area(curves, plane)
        around = pooled(reduced @ shared, plane, noise, area, self._tolerance)
        evidence = Evidence(
            products=around.products,
            pairs=units[..., upper[0]] * units[..., upper[1]],
            count=np.clip(around.voxels / area, 1, MOST_CURVES).astype(np.float32),
        )
        return self.estimate(reduced, energy, self.dictionary.nearest_lags(around.features @ shared.T), evidence)


def _shared_components(reduced: Volume, noise: float) -> Volume:
    """Combinations of temporal components in which a slice's curves stand out of the noise, the strongest first.

    Shape (components, shared); those that hold noise alone would only hide edges.
    """
    strength, vectors = np.linalg.eigh(np.asarray(reduced.T @ reduced, np.float64) / len(reduced))
    standing_out = int(np.count_nonzero(strength > STANDING_OUT * noise**2))
    count = min(max(standing_out, FEWEST_COMPONENTS), MOST_COMPONENTS, reduced.shape[1])
    return np.ascontiguousarray(vectors[:, ::-1][:, :count], np.float32)

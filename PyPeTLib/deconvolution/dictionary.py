"""The dictionary of tissue curves for one arterial input: every delay, transit time and shape.

For given delay and residue the height of the impulse response is a scalar product (variable projection), so a whole
piece of voxels is scored against all atoms by matrix products. The atoms are many but much alike: a dozen temporal
components hold them all, and curves are reduced to these first.
"""

from __future__ import annotations

import numpy as np

from PyPeTLib.arrays import Array, Curve, IntArray, Volume
from PyPeTLib.deconvolution.arterial_curve import ArterialCurve
from PyPeTLib.deconvolution.methods import Problem
from PyPeTLib.deconvolution.transit import Residues, tissue_atoms
from PyPeTLib.execution import voxel_slices

LAG_STEP = 0.5
"""Distance of the delays in s; between them the score is a parabola."""
REACH = 7
"""Delays on either side of the best coarse one that are looked at closely."""
COARSE_RESIDUES = 11
"""Every so many residues serve to find where to look: a number prime to the number of shapes meets them all."""
VOXELS_AT_ONCE = 512
LOST = 5e-5
"""Share of the atoms' squares that the temporal components may lose."""
SEEN = 0.05
"""An atom with a lower share of the largest one's norm lies outside the window: it cannot be told from nothing."""


class Dictionary:
    """Unit atoms in temporal components, with their norms and prior.

    Curves are counted from a baseline that is itself measured, in a few noisy frames, so each may be off by a constant.
    Atoms and components are therefore free of their mean over the frames, and the constant does not matter.

    Attributes
    ----------
    lags : ndarray of float64, shape (lags,)
        In s.
    residues : Residues
    components : ndarray of float32, shape (t, components)
        Orthonormal.
    units : ndarray of float32, shape (lags, residues, components)
        Atoms of norm 1.
    norms : ndarray of float32, shape (lags, residues)
        Norms of the atoms whose impulse response has height 1.
    undelayed : ndarray of float32, shape (residues, t)
        Tissue curves without delay, as they are.
    log_prior : ndarray of float32, shape (lags, residues)
        Of delay and residue; the blood volume, their scale, is as likely anywhere.
    """

    def __init__(self, problem: Problem) -> None:
        options = problem.options
        self.residues = Residues.all()
        first = np.floor(options.earliest_lag / LAG_STEP) - REACH
        last = np.ceil(options.latest_lag / LAG_STEP) + REACH
        self.lags: Curve = LAG_STEP * np.arange(first, last + 1)
        arterial = ArterialCurve(problem.aif, problem.times)
        atoms = tissue_atoms(arterial, self.residues, self.lags, problem.tissue_times)
        self.undelayed = atoms[int(np.argmin(np.abs(self.lags)))].astype(np.float32)
        atoms -= atoms.mean(axis=2, keepdims=True)
        norms = np.linalg.norm(atoms, axis=2)
        seen = norms > SEEN * norms.max()
        flat = (atoms / np.maximum(norms, 1e-30)[..., None] * seen[..., None]).reshape(-1, problem.times.size)
        every_second = flat.reshape(*norms.shape, -1)[::2]
        self.components = _components(
            every_second.reshape(-1, problem.times.size),
            np.exp(np.tile(self.residues.log_prior, len(every_second))),
        )
        units = (flat @ self.components).astype(np.float32)
        self.units: Volume = np.ascontiguousarray(units.reshape(*norms.shape, -1))
        self.norms: Volume = np.maximum(norms, 1e-6 * norms.max()).astype(np.float32)
        volume_norms = np.where(seen, norms / self.residues.transit, 1)
        prior = np.where(seen, self.residues.log_prior - np.log(volume_norms / volume_norms.max()), -1e30)
        self.log_prior: Volume = prior.astype(np.float32)

    def reduced(self, curves: Volume) -> Volume:
        """Curves in temporal components, shape (voxels, components)."""
        reduced: Volume = curves @ self.components
        return reduced

    def nearest_lags(self, reduced: Volume) -> IntArray:
        """For each curve the place of the delay around which to look closely, a multiple of two."""
        inner = slice(REACH, self.lags.size - REACH, 2)
        some = self.units[inner, ::COARSE_RESIDUES]
        atoms = some.reshape(-1, some.shape[2]).T
        best = np.empty(len(reduced), np.intp)
        for part in voxel_slices(len(reduced), VOXELS_AT_ONCE):
            best[part] = (reduced[part] @ atoms).argmax(axis=1)
        return np.asarray(REACH + 2 * (best // some.shape[1]), np.intp)


def _components(atoms: Array, weights: Curve) -> Volume:
    """The temporal components that hold all but a negligible part of the atoms, the most probable ones first."""
    weighted = atoms * np.sqrt(weights)[:, None]
    values, vectors = np.linalg.eigh(weighted.T @ weighted)
    kept = np.cumsum(values[::-1]) / values.sum()
    count = int(np.searchsorted(kept, 1 - LOST)) + 1
    return np.ascontiguousarray(vectors[:, ::-1][:, :count], np.float32)

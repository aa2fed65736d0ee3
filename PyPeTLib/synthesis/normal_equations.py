"""The normal equations of a model whose coefficients change over the head, gathered one subject at a time.

The model of a value at voxel v with features f(v) is ``Σ_p φ_p(v) w_p · f(v)``. Least squares with voxel weights ω give
``Σ_q A_pq w_q = B_p`` with ``A_pq = Σ_v ω φ_p φ_q f fᵀ`` and ``B_p = Σ_v ω φ_p f y``: a matrix in blocks, of which only
those of neighbouring patches differ from 0. Their size depends on the model alone, never on the number of subjects.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from PyPeTLib.arrays import Curve, IntArray, Volume
from PyPeTLib.synthesis.lattice import Lattice

_FLOOR = 1e-9
"""Share of its own size that each feature's sum of squares grows by, so that features that never vary do no harm."""


class NormalEquations:
    """Sums over voxels, per cell of the lattice.

    Parameters
    ----------
    lattice : Lattice
    features, targets : int
        How many of each a voxel has.
    """

    def __init__(self, lattice: Lattice, features: int, targets: int) -> None:
        self.lattice = lattice
        cells, corners = lattice.corners.shape
        self.features, self.targets = features, targets
        self.gram = np.zeros((cells, corners * features, corners * features))
        self.cross = np.zeros((cells, corners * features, targets))
        self.energy = np.zeros(targets)
        self.voxels, self.weight = 0, 0.0

    def add(self, places: Volume, features: Volume, targets: Volume, weights: Volume) -> None:
        """Add the voxels of a subject.

        Parameters
        ----------
        places : ndarray, shape (voxels, 3)
            Head coordinates.
        features : ndarray, shape (voxels, features)
        targets : ndarray, shape (voxels, targets)
        weights : ndarray, shape (voxels,)
        """
        roots = np.sqrt(weights.astype(np.float64))[:, None]
        for cell, voxels, shares in self.lattice.hats(places):
            seen = roots[voxels] * features[voxels]
            spread = (shares[:, :, None] * seen[:, None, :]).reshape(len(voxels), -1)
            wanted = roots[voxels] * targets[voxels]
            self.gram[cell] += spread.T @ spread
            self.cross[cell] += spread.T @ wanted
            self.energy += np.square(wanted).sum(axis=0)
        self.voxels += len(places)
        self.weight += float(weights.sum(dtype=np.float64))

    def residual_variances(self, weights: Curve) -> Curve:
        """Mean squared residuals of coefficients, shape (targets,).

        Parameters
        ----------
        weights : ndarray of float64, shape (patches, features, targets)
        """
        squared = self.energy.copy()
        for corners, gram, cross in zip(self.lattice.corners, self.gram, self.cross, strict=True):
            around = weights[corners].reshape(-1, self.targets)
            squared += (around * (gram @ around - 2 * cross)).sum(axis=0)
        return np.maximum(squared, 0) / self.weight

    def system(self, ridge: float, *, symmetric: bool) -> BlockSystem:
        """The equations in blocks, with a ridge that draws every patch to the one solution for the whole head.

        Parameters
        ----------
        ridge : float
            How much the whole head's data count in each patch, as a share of the data of a mean patch.
        symmetric : bool
            Add the mirror image of every head: then patches opposite each other are alike.
        """
        n, size = self.lattice.nodes, self.features
        dense = np.zeros((n, n, size, size))
        right = np.zeros((n, size, self.targets))
        for corners, gram, cross in zip(self.lattice.corners, self.gram, self.cross, strict=True):
            k = len(corners)
            dense[np.ix_(corners, corners)] += gram.reshape(k, size, k, size).transpose(0, 2, 1, 3)
            right[corners] += cross.reshape(k, size, self.targets)
        if symmetric:
            opposite = self.lattice.mirrored
            dense = (dense + dense[np.ix_(opposite, opposite)]) / 2
            right = (right + right[opposite]) / 2
        whole, both = dense.sum(axis=(0, 1)), right.sum(axis=0)
        floor = _FLOOR * np.diag(np.diag(whole))
        common = linalg.solve(whole + floor, both, assume_a="pos")
        drawn = ridge * whole / n + floor
        dense[np.arange(n), np.arange(n)] += drawn
        right += drawn @ common
        energy = self.energy + n * np.einsum("fk,fg,gk->k", common, drawn, common)
        return BlockSystem(dense=dense, right=right, energy=energy, common=common, neighbours=_neighbours(self.lattice))


@dataclass(frozen=True, kw_only=True, eq=False)
class BlockSystem:
    """Normal equations of all patches.

    Attributes
    ----------
    dense : ndarray of float64, shape (patches, patches, features, features)
        The blocks ``A_pq``.
    right : ndarray of float64, shape (patches, features, targets)
        ``B_p``.
    energy : ndarray of float64, shape (targets,)
        The objective where all coefficients are 0.
    common : ndarray of float64, shape (features, targets)
        The solution with one set of coefficients for the whole head.
    neighbours : tuple of ndarray of int
        For each patch the others, up to 26, that share voxels with it.
    """

    dense: Curve
    right: Curve
    energy: Curve
    common: Curve
    neighbours: tuple[IntArray, ...]

    def exact(self) -> Curve:
        """Coefficients by a Cholesky factorisation of the whole matrix, shape (patches, features, targets)."""
        n, size, targets = self.right.shape
        matrix = self.dense.transpose(0, 2, 1, 3).reshape(n * size, n * size)
        # scaled to a diagonal of 1, since features differ in size
        scale = 1 / np.sqrt(np.diag(matrix))
        factor = linalg.cho_factor(matrix * scale[:, None] * scale, check_finite=False)
        solution = scale[:, None] * linalg.cho_solve(factor, scale[:, None] * self.right.reshape(n * size, targets))
        found: Curve = solution.reshape(n, size, targets)
        return found


def _neighbours(lattice: Lattice) -> tuple[IntArray, ...]:
    sharing: list[set[int]] = [set() for _ in range(lattice.nodes)]
    for corners in lattice.corners:
        for node in corners:
            sharing[node].update(int(other) for other in corners)
    return tuple(np.array(sorted(others - {node}), np.intp) for node, others in enumerate(sharing))

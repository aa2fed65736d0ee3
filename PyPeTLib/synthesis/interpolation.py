"""Values of a model at voxels: coefficients interpolated between the patches, times features."""

from __future__ import annotations

import numpy as np

from PyPeTLib.arrays import Curve, Volume
from PyPeTLib.synthesis.lattice import Lattice


def modelled(lattice: Lattice, weights: Curve, places: Volume, features: Volume) -> Volume:
    """``Σ_p φ_p(v) w_p · f(v)`` for each voxel and target.

    Parameters
    ----------
    lattice : Lattice
    weights : ndarray, shape (patches, features, targets)
    places : ndarray, shape (voxels, 3)
        Head coordinates.
    features : ndarray of float32, shape (voxels, features)

    Returns
    -------
    ndarray of float32, shape (voxels, targets)
    """
    targets = weights.shape[2]
    values = np.empty((len(places), targets), np.float32)
    # (cells, features, corners · targets): one product gives what each corner says
    by_cell = weights[lattice.corners].transpose(0, 2, 1, 3).astype(np.float32)
    for cell, voxels, shares in lattice.hats(places):
        corners = shares.shape[1]
        said = features[voxels] @ by_cell[cell].reshape(features.shape[1], corners * targets)
        values[voxels] = np.einsum("mc,mct->mt", shares, said.reshape(len(voxels), corners, targets))
    return values

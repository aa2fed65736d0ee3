"""Vessels by the contrast that they take up."""

from __future__ import annotations

import numpy as np

from PyPeTLib.arrays import Mask, Volume


def vessel_like(curves: Volume, ratio: float) -> Mask:
    """Voxels that take up more than ``ratio`` times as much contrast as the median voxel; none if the ratio is 0.

    The uptake is the amplitude of the brain's mean curve in a voxel's curve, which a single noisy frame hardly moves.

    Parameters
    ----------
    curves : ndarray of float32, shape (voxels, t)
        Concentration, not smoothed.
    """
    if ratio <= 0 or not len(curves):
        return np.zeros(len(curves), bool)
    uptake = curves @ curves.mean(axis=0, dtype=np.float64).astype(np.float32)
    return np.asarray(uptake > ratio * max(float(np.median(uptake)), 0.0), bool)

"""The level of the tissue around each voxel."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.geometry import Grid

BLOCKS_PER_SIGMA = 2.0
"""A mean that is blurred anyway is made on blocks of this share of the blur."""

FAINT = 0.02
"""Share of the greatest weight that the mean over all voxels has everywhere: it fills in where none are near."""


def local_mean(values: Volume, where: Mask, sigma: float, grid: Grid) -> Volume:
    """Gaussian mean of some voxels' values, normalised by the kernel's weight on them, at all voxels.

    Parameters
    ----------
    values : ndarray of float32, shape (x, y, z)
    where : ndarray of bool, shape (x, y, z)
        Voxels that count. Far from all of them, their overall mean is given; 0 if there are none.
    sigma : float
        Standard deviation in mm. The mean is made on blocks of half of it, and is constant over each.
    grid : Grid

    Returns
    -------
    ndarray of float32, shape (x, y, z)
    """
    if not where.any():
        return np.zeros(values.shape, np.float32)
    factors = [max(1, round(sigma / BLOCKS_PER_SIGMA / size)) for size in grid.voxel_sizes]
    sigmas = [sigma / (size * factor) for size, factor in zip(grid.voxel_sizes, factors, strict=True)]
    overall = float(values[where].mean(dtype=np.float64))

    def blurred(volume: Volume) -> Volume:
        for axis, factor in enumerate(factors):
            if factor > 1:
                volume = np.add.reduceat(volume, np.arange(0, volume.shape[axis], factor), axis=axis)
        smooth: Volume = ndimage.gaussian_filter(volume, sigmas, mode="constant", output=np.float32)
        return smooth

    weight = blurred(where.astype(np.float32))
    total = blurred(np.where(where, values - np.float32(overall), 0).astype(np.float32, copy=False))
    mean = total / (weight + np.float32(FAINT * weight.max())) + np.float32(overall)
    for axis, factor in enumerate(factors):
        if factor > 1:
            mean = np.repeat(mean, factor, axis=axis)
    x, y, z = values.shape
    return mean[:x, :y, :z]

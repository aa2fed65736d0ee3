"""Grey and white matter, told apart by signal and uptake together."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Array, Curve, Mask, Volume
from PyPeTLib.geometry import Grid

SMOOTHING_MM = 1.5
"""Standard deviation of the in-plane smoothing inside tissue: the cortex is 2 to 4 mm thick."""

BINS = 128


def is_grey(signal: Volume, height: Volume, tissue: Mask, csf: Mask, analysed: Mask, grid: Grid) -> Mask:
    """Which voxels hold grey matter: the brighter class in CT and in T2*-weighted MR, and the one with more blood.

    Signal and height of the curve, each in standard deviations of its own, are added and parted where the two classes
    differ most (Otsu 1979, doi:10.1109/TSMC.1979.4310076). Tissue that touches CSF is cortex: mixed with CSF it looks
    like white matter in CT.

    Parameters
    ----------
    signal, height : ndarray of float32, shape (voxels,)
        Of the analysed voxels.
    tissue, csf : ndarray of bool, shape (voxels,)
    analysed : ndarray of bool, shape (x, y, z)
    grid : Grid

    Returns
    -------
    ndarray of bool, shape (voxels,)
    """
    if np.count_nonzero(tissue) < BINS:
        return np.zeros_like(tissue)
    score: Volume = np.zeros_like(signal)
    for values in (signal, height):
        score += _standardised(_smoothed(values, tissue, analysed, grid), tissue)
    volume = np.zeros(analysed.shape, bool)
    volume[analysed] = csf
    cross = np.zeros((3, 3, 1), bool)
    cross[1], cross[:, 1] = True, True
    touching = ndimage.binary_dilation(volume, cross)[analysed]
    grey: Mask = tissue & ((score > parting_value(score[tissue])) | touching)
    return grey


def parting_value(values: Array) -> float:
    """The value that parts two classes so that their means differ most, each weighted by the size of both.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Not empty.
    """
    low, high = np.percentile(values, (1, 99))
    counts, edges = np.histogram(values, BINS, (float(low), float(max(high, low + 1e-6))))
    centres: Curve = 0.5 * (edges[1:] + edges[:-1])
    below = np.cumsum(counts)[:-1].astype(np.float64)
    above = below[-1] + counts[-1] - below
    total = np.cumsum(counts * centres)
    part = total[:-1]
    apart = part / np.maximum(below, 1) - (total[-1] - part) / np.maximum(above, 1)
    return float(edges[1 + int(np.argmax(below * above * apart**2))])


def _standardised(values: Volume, tissue: Mask) -> Volume:
    low, middle, high = np.percentile(values[tissue], (16, 50, 84))
    spread = np.float32(max(high - low, 1e-6) / 2)
    standardised: Volume = np.clip((values - np.float32(middle)) / spread, -3, 3)
    return standardised


def _smoothed(values: Volume, tissue: Mask, analysed: Mask, grid: Grid) -> Volume:
    """In-plane Gaussian mean over the tissue of the neighbourhood."""

    def inner_mean(numbers: Volume) -> Volume:
        volume = np.zeros(analysed.shape, np.float32)
        volume[analysed] = numbers
        sigmas = [SMOOTHING_MM / size for size in grid.voxel_sizes[:2]]
        blurred: Volume = ndimage.gaussian_filter(volume, [*sigmas, 0], mode="constant", truncate=2.0)
        inside: Volume = blurred[analysed]
        return inside

    total = inner_mean(np.where(tissue, values, 0).astype(np.float32, copy=False))
    weight: Volume = np.maximum(inner_mean(tissue.astype(np.float32)), np.float32(1e-3))
    return total / weight

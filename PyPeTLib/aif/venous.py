"""The venous output function, and how its area compares with the artery's.

Contrast leaves the brain through the superior sagittal and the straight sinus, which are wide enough to hold voxels
that no tissue dilutes. They are sought in the posterior midline: late, strong, large, and inside rather than at a rim.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from PyPeTLib.aif.candidates import connected
from PyPeTLib.aif.manual import vof_from_mask
from PyPeTLib.aif.model import AIFOptions, VenousOutputFunction
from PyPeTLib.arrays import Curve, IntArray, Mask, Volume
from PyPeTLib.contrast import BolusArrival
from PyPeTLib.contrast.features import curve_areas, curve_features, smooth_in_time
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid, places_of
from PyPeTLib.masking import MidsagittalPlane

MIDLINE_MM = 12.0
"""The sinuses of the midline lie within this distance of the midsagittal plane."""
LATER = 1.0
"""A vein arrives at least this long after the earliest arteries, in s."""
STRONG = 0.6
"""Share of the largest area in the region that belongs to the sinus."""
UNDILUTED = 0.85
"""Share of the largest area that a voxel of the curve must have."""
SMALLEST_MM3 = 100.0


def posterior_midline(mask: Mask, grid: Grid, plane: MidsagittalPlane) -> Mask:
    """The part of a mask near the midsagittal plane and in the posterior half of the mask's extent.

    Parameters
    ----------
    mask : ndarray of bool, shape (x, y, z)
    grid : Grid
    plane : MidsagittalPlane
    """
    forward = np.array([0.0, 1.0, 0.0]) - plane.normal[1] * plane.normal
    along = forward / np.linalg.norm(forward) @ grid.affine[:3, :3]
    forth = [np.arange(n) * step for n, step in zip(mask.shape, along, strict=True)]
    across = plane.distances_along(grid)
    # a sagittal plane at a time: all distances together would be larger than the image
    filled = np.flatnonzero(mask.any(axis=(1, 2)))
    of_plane = forth[1][:, None] + forth[2]
    ends = [forth[0][i] + np.array([part.min(), part.max()]) for i in filled for part in (of_plane[mask[i]],)]
    middle = 0.5 * (np.min(ends) + np.max(ends))
    region = np.zeros_like(mask)
    for i in filled:
        near = np.abs(across[0][i] + (across[1][:, None] + across[2])) <= MIDLINE_MM
        region[i] = mask[i] & near & (forth[0][i] + of_plane < middle)
    return region


def select_vof(
    curves: Volume,
    mask: Mask,
    grid: Grid,
    times: Curve,
    bolus: BolusArrival,
    plane: MidsagittalPlane,
    options: AIFOptions,
    earliest: float,
) -> VenousOutputFunction:
    """Find the venous output function in the posterior midline: late, strong, and a large cluster.

    The areas of neighbouring voxels of a slice are averaged before the largest are taken: that prefers the inside of
    the vein, and noise does not lift the choice.

    Parameters
    ----------
    curves : ndarray of float32, shape (voxels, t)
        Concentration of the voxels of ``mask``, not smoothed in space.
    mask : ndarray of bool, shape (x, y, z)
        The brain, its rim included: the sagittal sinus is a part of it.
    grid : Grid
    times : ndarray, shape (t,)
    bolus : BolusArrival
    plane : MidsagittalPlane
    options : AIFOptions
    earliest : float
        Arrival in s, at half the peak, of the artery or of the earliest enhancing voxels.

    Raises
    ------
    InputError
        If there is no such vein.
    """
    region = posterior_midline(mask, grid, plane)[mask]
    voxels = np.flatnonzero(region)
    noise = float(np.median(curves[voxels, bolus.baseline].std(axis=1))) if voxels.size else 0.0
    height = curves[voxels].max(axis=1) if voxels.size else np.zeros(0, np.float32)
    voxels = voxels[height > max(options.minimum_contrast_to_noise * noise, 1e-6)]
    if voxels.size < 3:
        raise InputError("no vein was found: nothing in the posterior midline takes up contrast")
    area = curve_areas(curves[voxels], times)
    strongest = float(np.quantile(area, 0.98))
    if strongest <= 0:
        raise InputError("no vein was found: the signal of the posterior midline ends below where it began")
    voxels = voxels[area > STRONG * strongest]
    smooth = smooth_in_time(curves[voxels])
    voxels = voxels[curve_features(smooth, times).arrival >= earliest + LATER]
    positions = places_of(mask, voxels)
    pool = connected(np.arange(voxels.size), positions, mask.shape) if voxels.size else []
    pool = [cluster for cluster in pool if cluster.size >= 3 and cluster.size * grid.voxel_volume >= SMALLEST_MM3]
    if not pool:
        raise InputError("no vein was found: no large cluster in the posterior midline enhances late and strongly")
    areas = curve_areas(curves[voxels], times)
    volume = np.zeros(mask.shape, np.float32)
    volume[tuple(positions.T)] = areas
    # what surrounds the vein counts as 0 and lowers the mean at its rim
    means = ndimage.uniform_filter(volume, size=(3, 3, 1), mode="constant")[tuple(positions.T)]
    cores = [cluster[_undiluted(means[cluster], grid, options)] for cluster in pool]
    best = max(cores, key=lambda core: float(areas[core].mean()) * min(core.size, 10))
    chosen = np.zeros(mask.shape, bool)
    chosen[tuple(positions[best].T)] = True
    return vof_from_mask(curves[np.sort(voxels[best])], chosen, times, bolus.baseline, source="automatic")


def _undiluted(means: Curve, grid: Grid, options: AIFOptions) -> IntArray:
    count = max(3, round(options.vof_target_volume / grid.voxel_volume))
    highest = np.argsort(-means, kind="stable")[:count]
    core: IntArray = highest[means[highest] >= UNDILUTED * means[highest[0]]]
    return core

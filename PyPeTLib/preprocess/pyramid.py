"""Frames at working resolutions for registration: block means, light smoothing, local contrast for MR.

Volumes are C-ordered ``(z, y, x)``, the transpose of a contiguous frame, while factors keep the order x, y, z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Volume
from PyPeTLib.geometry import Grid

WORKING_SPACING_MM = (2.0, 4.0)
"""Voxel size that the levels of the pyramid aim at, the finest first."""

CONTRAST_WIDTH = 5
"""In-plane width in voxels of the surroundings that define local contrast."""

CONTRAST_FLOOR = 0.1
"""Share of the tissue's signal that is added to the local spread, so that noise in air is no contrast."""

IN_PLANE_KERNEL = 1 / 4
"""Weight of each in-plane neighbour in the smoothing before registration: 1-2-1."""

SLICE_KERNEL = 1 / 6
"""Weight of each neighbouring slice: 1-4-1. Without it, linear interpolation between thick slices reads as pitch."""


@dataclass(frozen=True)
class Level:
    """One resolution of the pyramid: blocks of voxels of the level below, and where their centres lie."""

    factors: tuple[int, int, int]
    grid: Grid


def pyramid_levels(grid: Grid) -> tuple[Level, ...]:
    """Levels from fine to coarse; axes whose voxels are larger than a level's aim stay as they are.

    Parameters
    ----------
    grid : Grid
        Grid of a frame.

    Returns
    -------
    tuple of Level
    """
    levels = []
    for spacing in WORKING_SPACING_MM:
        wanted = [round(spacing / size) for size in grid.voxel_sizes]
        x, y, z = (max(1, min(factor, n // 8)) for factor, n in zip(wanted, grid.shape, strict=True))
        levels.append(Level((x, y, z), block_grid(grid, (x, y, z))))
        grid = levels[-1].grid
    return tuple(levels)


def block_grid(grid: Grid, factors: tuple[int, int, int]) -> Grid:
    """Grid of the blocks of ``factors`` voxels: an incomplete block at the end is left out."""
    x, y, z = (n // factor for n, factor in zip(grid.shape, factors, strict=True))
    to_voxel = np.diag([*factors, 1.0])
    to_voxel[:3, 3] = (np.array(factors) - 1) / 2
    return Grid((x, y, z), grid.affine @ to_voxel)


def block_mean(volume: Volume, factors: tuple[int, int, int]) -> Volume:
    """Mean over blocks of ``factors`` (x, y, z) voxels of a volume ``(z, y, x)``."""
    for axis, factor in ((0, factors[2]), (1, factors[1]), (2, factors[0])):
        if factor > 1:
            whole = volume.shape[axis] // factor * factor
            steps = [[slice(None)] * axis + [slice(start, whole, factor)] for start in range(factor)]
            total = volume[tuple(steps[0])].copy()
            for step in steps[1:]:
                total += volume[tuple(step)]
            volume = total
            volume *= np.float32(1 / factor)
    return volume


def pyramid(frame: Volume, levels: tuple[Level, ...], window: tuple[float, float] | None) -> list[Volume]:
    """Block means of a frame for each level, lightly smoothed against aliasing.

    Parameters
    ----------
    frame : ndarray of float32, shape (x, y, z)
    levels : tuple of Level
    window : tuple of float, optional
        Values are clipped to this range. Without it, as for a signal without an absolute scale, the finest level
        becomes local contrast; the others, which must catch large movements, keep the signal.

    Returns
    -------
    list of ndarray of float32, shape (z, y, x)
    """
    volumes = [_smooth(_clipped_mean(frame, levels[0].factors, window))]
    for level in levels[1:]:
        volumes.append(block_mean(volumes[-1], level.factors))
    if window is None:
        tissue = volumes[0][volumes[0] >= volumes[0].mean()].mean()
        volumes = [each / np.float32(tissue if tissue > 0 else 1) for each in volumes]
        volumes[0] = local_contrast(volumes[0])
    return volumes


def _clipped_mean(frame: Volume, factors: tuple[int, int, int], window: tuple[float, float] | None) -> Volume:
    """Block means of a frame, made layer by layer, so that a large frame needs no second one beside it."""
    depth = factors[2]
    layers = []
    for first in range(0, frame.shape[2] // depth * depth, depth):
        layer = np.ascontiguousarray(frame[..., first : first + depth].T)
        if window is not None:
            layer = np.clip(layer, np.float32(window[0]), np.float32(window[1]))
        layers.append(block_mean(layer, factors))
    return np.concatenate(layers)


def local_contrast(volume: Volume) -> Volume:
    """Distance from the local mean in local standard deviations: blind to local gain and offset.

    A bolus that takes half of the signal of a region leaves its edges where and as strong as they were.

    Parameters
    ----------
    volume : ndarray of float32, shape (z, y, x)
        Relative to the signal of tissue.

    Returns
    -------
    ndarray of float32, shape (z, y, x)
    """
    mean = _local_mean(volume)
    spread: Volume = np.sqrt(np.maximum(_local_mean(volume * volume) - mean * mean, 0))
    contrast: Volume = (volume - mean) / (spread + np.float32(CONTRAST_FLOOR))
    return contrast


def _local_mean(volume: Volume) -> Volume:
    mean: Volume = ndimage.uniform_filter(volume, (1, CONTRAST_WIDTH, CONTRAST_WIDTH), mode="nearest")
    return mean


def _smooth(volume: Volume) -> Volume:
    for axis, side in ((2, IN_PLANE_KERNEL), (1, IN_PLANE_KERNEL), (0, SLICE_KERNEL)):
        if volume.shape[axis] < 3:
            continue
        view = np.moveaxis(volume, axis, 0)
        result = np.empty_like(volume)
        target = np.moveaxis(result, axis, 0)
        np.multiply(view, np.float32(1 - 2 * side), out=target)
        target[:-1] += np.float32(side) * view[1:]
        target[1:] += np.float32(side) * view[:-1]
        target[0] += np.float32(side) * view[0]
        target[-1] += np.float32(side) * view[-1]
        volume = result
    return volume

"""Morphology of masks in millimetres of the grid's real spacing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid

_FAR = 1e6


def erode_mm(mask: Mask, grid: Grid, mm: float, *, in_plane: bool = True) -> Mask:
    """The voxels of a mask that lie deeper than so many mm under its surface.

    Depth counts from a voxel's centre to the surface between voxels, half a voxel before the nearest centre outside.
    The edge of the image is no surface: a slab of a brain is not eroded where it was cut.

    Parameters
    ----------
    mask : ndarray of bool, shape (x, y, z)
    grid : Grid
    mm : float
        0 or more.
    in_plane : bool
        Only count distances within slices, which are mostly much thicker than pixels; otherwise in 3D.

    Returns
    -------
    ndarray of bool, shape (x, y, z)
    """
    if not mm >= 0:
        raise InputError(f"a mask can be eroded by 0 mm or more, not by {mm!r}")
    if mm == 0 or not mask.any():
        return mask.copy()
    box = bounding_box(mask, margin=1)
    sizes = grid.voxel_sizes
    half = min(sizes[:2]) / 2 if in_plane else min(sizes) / 2
    eroded = np.zeros_like(mask)
    eroded[box] = depth_within(mask[box], sizes, in_plane=in_plane) - half > mm
    return eroded


def depth_within(mask: Mask, sizes: Sequence[float], *, in_plane: bool = False) -> Volume:
    """Distance in mm from each voxel of a mask to the nearest centre outside it, 0 outside; large without one."""
    if mask.all():
        return np.full(mask.shape, _FAR, dtype=np.float32)
    if not in_plane:
        depth: Volume = ndimage.distance_transform_edt(mask, sampling=tuple(sizes)).astype(np.float32)
        return depth
    depth = np.empty(mask.shape, dtype=np.float32)
    for z in range(mask.shape[2]):
        layer = mask[:, :, z]
        depth[:, :, z] = _FAR if layer.all() else ndimage.distance_transform_edt(layer, sampling=tuple(sizes[:2]))
    return depth


def dilate_in_plane(mask: Mask, sizes: Sequence[float], mm: float) -> Mask:
    """Voxels no further than so many mm from a mask, shape (x, y) or (x, y, z), within slices."""
    wider: Mask = ndimage.binary_dilation(mask, _disc(mask.ndim, sizes, mm))
    return wider


def erode_in_plane(mask: Mask, sizes: Sequence[float], mm: float) -> Mask:
    """Voxels further than so many mm from all outside a mask, shape (x, y) or (x, y, z), within slices.

    Beyond the edge of the image nothing is outside.
    """
    narrower: Mask = ndimage.binary_erosion(mask, _disc(mask.ndim, sizes, mm), border_value=1)
    return narrower


def close_in_plane(mask: Mask, sizes: Sequence[float], mm: float) -> Mask:
    """Fill clefts up to ``2 mm`` wide in each slice."""
    return erode_in_plane(dilate_in_plane(mask, sizes, mm), sizes, mm) | mask


def _disc(dimensions: int, sizes: Sequence[float], mm: float) -> Mask:
    """Offsets within so many mm in the slice."""
    x, y = (np.arange(-int(mm / size), int(mm / size) + 1) * size for size in sizes[:2])
    disc: Mask = x[:, np.newaxis] ** 2 + y**2 <= mm**2
    return disc if dimensions == 2 else disc[:, :, np.newaxis]


def close_upright(mask: Mask, size: float, mm: float) -> Mask:
    """Fill gaps of up to so many mm between a voxel of the mask below and one above."""
    closed = mask.copy()
    for gap in range(1, int(mm / size) + 1):
        between = mask[:, :, : -gap - 1] & mask[:, :, gap + 1 :]
        for k in range(1, gap + 1):
            closed[:, :, k : k + between.shape[2]] |= between
    return closed


def fill_slices(mask: Mask) -> Mask:
    """Fill what a slice of the mask encloses; holes in 3D are enclosed in each of their slices too."""
    filled = mask.copy()
    if not mask.any():
        return filled
    x, y, slices = bounding_box(mask)
    for z in range(slices.start, slices.stop):
        labels, _ = ndimage.label(np.pad(~mask[x, y, z], 1, constant_values=True))
        filled[x, y, z] = (labels != labels[0, 0])[1:-1, 1:-1]
    return filled


def smooth_slices(mask: Mask) -> Mask:
    """Majority of the 3 × 3 voxels around each one in its slice."""
    smooth = np.zeros_like(mask)
    if not mask.any():
        return smooth
    box = bounding_box(mask, margin=1)
    count = mask[box].astype(np.uint8)
    for axis in (0, 1):
        padding = [(1, 1) if a == axis else (0, 0) for a in range(3)]
        wide = np.moveaxis(np.pad(count, padding, mode="edge"), axis, 0)
        count = np.moveaxis(wide[:-2] + wide[1:-1] + wide[2:], 0, axis)
    smooth[box] = count >= 5
    return smooth


def largest_component(mask: Mask) -> Mask:
    """The largest part of a mask whose voxels touch by their faces."""
    if not mask.any():
        return mask.copy()
    box = bounding_box(mask)
    labels, n = ndimage.label(mask[box])
    largest = np.zeros_like(mask)
    largest[box] = mask[box] if n == 1 else labels == np.argmax(_sizes(labels)[1:]) + 1
    return largest


def components_of_size(mask: Mask, smallest: float) -> Mask:
    """The parts of a mask (touching by faces, edges or corners) with at least so many voxels."""
    labels, _ = ndimage.label(mask, structure=np.ones((3, 3, 3), dtype=bool))
    large = _sizes(labels) >= smallest
    large[0] = False
    kept: Mask = large[labels]
    return kept


def deepest_part(depth: Volume, share: float) -> Mask:
    """The connected voxels round the greatest depth that have at least this share of it."""
    labels, _ = ndimage.label(depth > share * depth.max())
    part: Mask = labels == labels.flat[int(np.argmax(depth))]
    return part


def bounding_box(mask: Mask, margin: int = 0) -> tuple[slice, slice, slice]:
    """The smallest box around a mask that is not empty, with a margin within the image."""
    slices = []
    for axis, n in enumerate(mask.shape):
        used = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        slices.append(slice(max(int(used[0]) - margin, 0), min(int(used[-1]) + 1 + margin, n)))
    return slices[0], slices[1], slices[2]


def _sizes(labels: np.ndarray) -> np.ndarray:
    return np.bincount(labels.ravel())

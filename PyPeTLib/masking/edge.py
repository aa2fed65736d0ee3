"""From the coarse finding to the voxels of the image: where exactly the edge runs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Mask
from PyPeTLib.geometry import Grid
from PyPeTLib.masking.lattice import Lattice
from PyPeTLib.masking.morphology import (
    close_in_plane,
    close_upright,
    depth_within,
    fill_slices,
    largest_component,
    smooth_slices,
)

FORAMEN_CM2 = 8.0
"""Area of a foramen magnum of 30 by 35 mm: below it runs the spinal canal, which is no brain."""

_TOUCHING_CM2 = 2.0


def refined(
    lattice: Lattice, inside: Mask, outside: Mask, is_inside: Callable[[int], Mask], *, bridge: float, upright: bool
) -> Mask:
    """The mask on the image's voxels.

    Parameters
    ----------
    lattice : Lattice
    inside, outside : ndarray of bool
        Blocks that certainly lie inside and outside; the edge runs through the blocks between them.
    is_inside : callable
        From the number of a slice of the image to the voxels (x, y) that are not wall.
    bridge : float
        Width in mm of implants and signal losses to fill.
    upright : bool
        Whether the edge may also run through the slice above or below the certain blocks.

    Returns
    -------
    ndarray of bool, shape (x, y, z)
        One component without holes.
    """
    filled = close_upright(close_in_plane(inside, lattice.sizes, bridge / 2), lattice.sizes[2], 2 * bridge)
    filled &= ~outside
    neighbours = np.ones((3, 3, 3 if upright or lattice.factors[2] > 1 else 1), dtype=bool)
    near = ndimage.binary_dilation(filled, structure=neighbours)
    near &= depth_within(~filled, lattice.sizes) <= depth_within(~outside, lattice.sizes)
    reach = near.astype(np.float32)
    # implants count as inside whatever their signal; half a block of margin keeps the skull out
    foreign = (filled & ~inside).astype(np.float32)
    mask = np.zeros(lattice.fine_shape, dtype=bool)
    if not near.any():
        return mask
    slices = lattice.slices_of(near)
    for z in range(slices.start, slices.stop):
        mask[:, :, z] = is_inside(z) & (lattice.slice_of(reach, z) > 0.25)
        if foreign.any():
            mask[:, :, z] |= lattice.slice_of(foreign, z) > 0.5
    return largest_component(fill_slices(smooth_slices(largest_component(mask))))


def without_neck(inside: Mask, sizes: tuple[float, float, float]) -> Mask:
    """A mask without the slices under the skull base, where only the spinal canal is left."""
    areas = inside.sum(axis=(0, 1)) * sizes[0] * sizes[1] / 100
    wide = np.flatnonzero(areas >= FORAMEN_CM2)
    kept = inside.copy()
    kept[:, :, : wide[0] if wide.size else 0] = False
    return kept


def field_of_view_notes(mask: Mask, grid: Grid) -> list[str]:
    """Sentences on sides where the mask touches the edge of the image within its slices."""
    x, y, z = grid.voxel_sizes
    sides = {
        "left": (mask[0], y * z),
        "right": (mask[-1], y * z),
        "posterior": (mask[:, 0], x * z),
        "anterior": (mask[:, -1], x * z),
    }
    cut = [name for name, (face, area) in sides.items() if np.count_nonzero(face) * area > 100 * _TOUCHING_CM2]
    if not cut:
        return []
    return [f"The brain reaches the edge of the field of view ({', '.join(cut)}): part of it is not imaged."]

"""How deep under the skin a place lies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.masking.morphology import depth_within, fill_slices, largest_component

_PART_MM = 2.5
_REACH_SLICES = 4


def depth_under_skin(signal: Mask, sizes: Sequence[float], hollow: float) -> Volume:
    """Distance to the surface of the head in three dimensions.

    Between thick slices the outline is interpolated, so that the vault slopes where slices alone would make steps.

    Parameters
    ----------
    signal : ndarray of bool, shape (x, y, z)
        What stands out from air; holes do not matter.
    sizes : sequence of float
        Voxel edges in mm.
    hollow : float
        Half the width in mm of dark clefts and hollows, such as skull and sinuses, that belong to the head.

    Returns
    -------
    ndarray of float32, shape (x, y, z)
        In mm, 0 outside. Above the last slice and below the first the head goes on.
    """
    # closed first: the dark skull may part the brain from all of the scalp
    near = depth_within(~signal, sizes, in_plane=True) <= hollow
    head = fill_slices(largest_component(depth_within(near, sizes, in_plane=True) > hollow))
    outline = depth_within(head, sizes, in_plane=True) - depth_within(~head, sizes, in_plane=True)
    # slices without head lie infinitely far outside
    np.clip(outline, -_REACH_SLICES * sizes[2], _REACH_SLICES * sizes[2], out=outline)
    parts = max(1, round(sizes[2] / _PART_MM))
    solid = np.empty((*head.shape[:2], (head.shape[2] - 1) * parts + 1), dtype=bool)
    for part in range(parts):
        share = np.float32(part / parts)
        last = head.shape[2] if part == 0 else -1
        lower, upper = outline[:, :, :last], outline[:, :, 1 if part else 0 :]
        solid[:, :, part::parts] = (1 - share) * lower + share * upper > 0
    depth: Volume = depth_within(solid, (sizes[0], sizes[1], sizes[2] / parts))[:, :, ::parts]
    return depth

"""Brain mask of CT: what the skull encloses."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.masking.edge import field_of_view_notes, refined, without_neck
from PyPeTLib.masking.fronts import competing_fronts, enclosure, sees
from PyPeTLib.masking.lattice import Lattice, make_lattice
from PyPeTLib.masking.model import MASK_METHODS, BrainMask, MaskOptions
from PyPeTLib.masking.morphology import (
    close_in_plane,
    components_of_size,
    deepest_part,
    depth_within,
    largest_component,
)
from PyPeTLib.series import Modality

_BONE_HU = 300.0
"""Above everything soft, bolus included; below bone."""

_DIPLOE_HU = 600.0
"""Spongy bone reaches no more than this; it must not count as inside where dense bone covers it only thinly."""

_AIR_HU = -150.0
_FAT_HU = -50.0
_CLIP_HU = (-200.0, 2000.0)
"""Air counts as little more than fat, so that half a block of bone beside air still stands out; metal as dense bone."""

_METAL_HU = 2500.0
_STREAK_MM = 8.0
"""Half-width of dark streaks of metal."""

_LEAST_BONE_ML = 5.0
_CRUMB = 0.01
"""Pieces of bone smaller than this share of the skull are calcifications, coils and the like."""

_ORBIT_MM = 6.0
"""Half-width of the widest foramen between orbit or face and brain; the foramen magnum is cut by its area."""

_CORE = 0.7
"""Share of the greatest distance to bone, in the middle of the brain, within which all is brain."""

_HIDDEN = 0.9
_HALF_OPEN = 0.5
"""Share of directions with bone: all around in the middle of a skull; half on the line that closes a gap."""


@MASK_METHODS.register(
    "ct-skull",
    summary="what the skull encloses: bone by threshold, openings closed where they are narrowest",
    source="watershed of the distance to bone: Meyer 1994, doi:10.1016/0165-1684(94)90060-4",
    aliases=("ct",),
)
def ct_skull(mean: Volume, grid: Grid, modality: Modality, options: MaskOptions) -> BrainMask:  # noqa: ARG001 - one signature for all methods
    """Intracranial space of a CT.

    Parameters
    ----------
    mean : ndarray of float32, shape (x, y, z)
        Temporal mean in HU, axes nearest to RAS+.
    grid : Grid
    modality : Modality
        Not looked at.
    options : MaskOptions

    Returns
    -------
    BrainMask

    Raises
    ------
    InputError
        If there is no skull, or it encloses nothing.
    """
    tissue, bone = _levels(mean, grid)
    threshold = options.bone_threshold or min((tissue + bone) / 2, _DIPLOE_HU)
    lattice = make_lattice(grid)
    blocks = lattice.reduce(mean, *_CLIP_HU)
    # thin bone fills only part of a block, so walls are sought at half the contrast of the edge
    wall = blocks > (tissue + threshold) / 2
    wall = components_of_size(wall, _CRUMB * int(np.count_nonzero(largest_component(wall))))
    inside, outside = _inside(blocks, wall, lattice)
    streaked = _streaked_slices(mean, lattice)
    inside, outside = _across_streaks(inside, outside, blocks, wall, streaked, lattice)
    if not inside.any():
        raise InputError(
            f"a skull was found (bone of about {bone:.0f} HU), but it encloses no brain in any slice. Check that the "
            "series shows the head and that its values are HU, or give a brain mask with --mask."
        )

    def is_inside(z: int) -> Mask:
        layer = mean[:, :, z]
        within: Mask = layer < threshold
        if not streaked[z // lattice.factors[2]]:
            within &= layer > _AIR_HU
        return within

    mask = refined(lattice, inside, outside, is_inside, bridge=options.bridge, upright=True)
    return BrainMask(
        mask=mask,
        skull=(mean >= threshold) & ~mask,
        threshold=float(threshold),
        method="ct-skull",
        notes=tuple(field_of_view_notes(mask, grid)),
    )


def _levels(mean: Volume, grid: Grid) -> tuple[float, float]:
    """HU of soft tissue and of bone."""
    # every second pixel tells as much
    sample = mean[::2, ::2]
    bone = sample[sample > _BONE_HU]
    if bone.size * 4 * grid.voxel_volume / 1000 < _LEAST_BONE_ML:
        raise InputError(
            f"no skull was found: only {bone.size * 4 * grid.voxel_volume / 1000:.1f} ml lie above {_BONE_HU:.0f} HU "
            f"(values range from {mean.min():.0f} to {mean.max():.0f}). Check that the series is a CT of the head in "
            "HU, or give a brain mask with --mask."
        )
    soft = sample[(sample > 0) & (sample < 100)]
    # the upper decile leaves partial volume behind, of which thick slices are full, and is below metal
    return float(np.median(soft)) if soft.size else 35.0, float(np.percentile(bone, 90))


def _inside(blocks: Volume, wall: Mask, lattice: Lattice) -> tuple[Mask, Mask]:
    """Blocks inside and outside the skull."""
    soft = ~wall & (blocks > _FAT_HU)
    rim = np.zeros_like(wall)
    rim[[0, -1]] = rim[:, [0, -1]] = True
    hidden = enclosure(wall | (rim & soft), lattice.sizes)
    clearance = depth_within(~wall, lattice.sizes)
    depth = np.where(soft & (hidden >= _HIDDEN), clearance, 0)
    if depth.max() <= _ORBIT_MM:
        return np.zeros_like(wall), ~wall
    core = deepest_part(depth, _CORE)
    outside = _open_air(blocks) | (~wall & (hidden < _HALF_OPEN))
    places = np.argwhere(rim & soft)
    outside[tuple(places[~sees(wall, places, np.argwhere(core).mean(axis=0))].T)] = True
    inside, outside = competing_fronts(
        core,
        outside & ~core,
        clearance,
        for_inside=soft & (hidden >= _HALF_OPEN),
        for_outside=~wall,
        stray=_ORBIT_MM,
    )
    return without_neck(inside, lattice.sizes), outside


def _streaked_slices(mean: Volume, lattice: Lattice) -> Mask:
    """Slices of blocks with metal, which throws dark streaks across its slice."""
    metal = mean.max(axis=(0, 1)) > _METAL_HU
    streaked: Mask = np.add.reduceat(metal, np.arange(0, metal.size, lattice.factors[2])) > 0
    return streaked


def _across_streaks(
    inside: Mask, outside: Mask, blocks: Volume, wall: Mask, streaked: Mask, lattice: Lattice
) -> tuple[Mask, Mask]:
    """Blocks inside and outside when dark streaks through the brain count as brain."""
    if not (streaked.any() and inside.any()):
        return inside, outside
    closed = inside.copy()
    closed[:, :, streaked] = close_in_plane(inside[:, :, streaked], lattice.sizes, _STREAK_MM)
    closed &= ~(wall | _open_air(blocks))
    inside = inside | closed
    return inside, outside & ~inside


def _open_air(blocks: Volume) -> Mask:
    """Air that reaches the image's edge within the slices; bubbles inside the skull do not."""
    labels, n = ndimage.label(blocks < _AIR_HU)
    edges = np.concatenate([labels[face].ravel() for face in ((0,), (-1,), (slice(None), 0), (slice(None), -1))])
    open_to_edge = np.zeros(n + 1, dtype=bool)
    open_to_edge[edges] = True
    open_to_edge[0] = False
    air: Mask = open_to_edge[labels]
    return air

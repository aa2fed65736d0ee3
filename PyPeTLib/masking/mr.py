"""Brain mask of MR: the large bright room inside the dark skull."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.masking.edge import field_of_view_notes, refined, without_neck
from PyPeTLib.masking.fronts import competing_fronts
from PyPeTLib.masking.lattice import Lattice, make_lattice
from PyPeTLib.masking.model import MASK_METHODS, BrainMask, MaskOptions
from PyPeTLib.masking.morphology import component_at, depth_within
from PyPeTLib.series import Modality

_SURROUNDINGS_MM = 60.0
_FAINT = 0.1
_DARK = 0.35
_GLARING = 1.5
_MIDDLE_MM = 35.0
_HOLE_ML = 5.0
_ORBIT_MM = 6.0


@MASK_METHODS.register(
    "mr-threshold",
    summary="the widest room brighter than a share of its surroundings, cut off from scalp and face where it is narrow",
    source="watershed of the distance to the dark skull: Meyer 1994, doi:10.1016/0165-1684(94)90060-4",
    aliases=("mr",),
)
def mr_threshold(mean: Volume, grid: Grid, modality: Modality, options: MaskOptions) -> BrainMask:  # noqa: ARG001 - one signature for all methods
    """Intracranial space of a T2*-weighted MR.

    Parameters
    ----------
    mean : ndarray of float32, shape (x, y, z)
        Temporal mean, best of the frames before the bolus; any scale. Axes nearest to RAS+.
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
        If no bright room is wide enough to be a brain.
    """
    lattice = make_lattice(grid)
    blocks = lattice.reduce(mean, 0.0, np.inf)
    thresholds = options.signal_fraction * _surroundings(blocks, lattice)
    bright = _without_holes(blocks > thresholds, lattice)
    clearance = depth_within(bright, lattice.sizes)
    seed = np.unravel_index(int(np.argmax(clearance)), clearance.shape)
    if clearance[seed] <= _ORBIT_MM:
        raise InputError(
            f"no brain was found: no bright region is wider than {2 * clearance[seed]:.0f} mm (values range from "
            f"{mean.min():g} to {mean.max():g}). Check that the series shows the head, or give a brain mask with --mask."
        )
    core = component_at(clearance > 0.7 * clearance[seed], seed)
    nowhere = np.zeros_like(core)
    inside, outside = competing_fronts(
        core, nowhere, clearance, for_inside=bright, for_outside=bright, stray=_ORBIT_MM
    )
    inside = without_neck(inside, lattice.sizes)

    def is_inside(z: int) -> Mask:
        within: Mask = mean[:, :, z] > lattice.slice_of(thresholds, z)
        return within

    mask = refined(lattice, inside, outside, is_inside, bridge=options.bridge)
    return BrainMask(
        mask=mask,
        threshold=float(np.median(thresholds[inside])),
        method="mr-threshold",
        notes=tuple(field_of_view_notes(mask, grid)),
    )


def _surroundings(blocks: Volume, lattice: Lattice) -> Volume:
    """Signal of what is bright around each block: follows the coil's shading, and no scale is assumed."""
    reference = _middle_signal(blocks, lattice)
    bright = (blocks > _DARK * reference).astype(np.float32)
    # fat, eyes and CSF may be several times brighter than brain
    signal = np.minimum(blocks, _GLARING * reference) * bright
    size = tuple(max(1, round(_SURROUNDINGS_MM / edge)) for edge in lattice.sizes)
    share, total = (ndimage.uniform_filter(field, size, mode="nearest") for field in (bright, signal))
    level: Volume = np.where(share > 0.05, total / np.maximum(share, 0.05), reference).astype(np.float32)
    return level


def _middle_signal(blocks: Volume, lattice: Lattice) -> float:
    """Median signal around the axis of the head, which is brain in every head."""
    faint = blocks > _FAINT * np.percentile(blocks, 98)
    if not faint.any():
        raise InputError(
            f"no brain was found: nothing stands out from the background (the largest value is {blocks.max():g}). "
            "Check that the series shows the head, or give a brain mask with --mask."
        )
    area = faint.sum(axis=2)
    x, y = (
        (np.arange(n) - float(area.sum(axis=1 - axis) @ np.arange(n)) / float(area.sum())) * lattice.sizes[axis]
        for axis, n in enumerate(area.shape)
    )
    middle = faint & (np.hypot(x[:, np.newaxis], y) < _MIDDLE_MM)[:, :, np.newaxis]
    return float(np.median(blocks[middle if middle.any() else faint]))


def _without_holes(bright: Mask, lattice: Lattice) -> Mask:
    """The bright blocks with vessels, bleeding and other small dark islands filled."""
    labels, _ = ndimage.label(~bright)
    small = np.bincount(labels.ravel()) * (float(np.prod(lattice.sizes)) / 1000) < _HOLE_ML
    filled: Mask = bright | small[labels]
    return filled

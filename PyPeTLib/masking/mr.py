"""Brain mask of MR: the large bright room inside the dark skull."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.masking.edge import FORAMEN_CM2, field_of_view_notes, refined
from PyPeTLib.masking.lattice import Lattice, make_lattice
from PyPeTLib.masking.model import MASK_METHODS, BrainMask, MaskOptions
from PyPeTLib.masking.morphology import deepest_part, depth_within, dilate_in_plane, erode_in_plane
from PyPeTLib.series import Modality

_SURROUNDINGS_MM = 60.0
"""Edge of the box that local brightness is averaged over: wider than any structure, narrower than coil shading."""

_FAINT = 0.1
_DARK = 0.35
_GLARING = 1.5
"""Signal relative to brain: at most air; at most skull; more than brain has (fat, eyes, CSF)."""

_MIDDLE_MM = 35.0
_RIM_MM = 4.0
"""Reach of the edge: thickness of the CSF around the brain and of the partial volume at it."""

_CEILING = 0.85
_INTERIOR = 0.7
"""Highest threshold relative to the surroundings: at the edge, and where a first mask says that it is far."""

_HOLE_ML = 5.0
"""Dark islands below this volume are vessels, bleeding or signal loss, not skull."""

_ORBIT_MM = 6.0
_CORE = 0.7
_PASSAGE_MM = 4.0
"""Half-width of bridges between brain and scalp or face, within a slice."""

_FLARE = 0.36
"""How far the brain's outline may widen from slice to slice per slice thickness: 20 degrees, of which tilt takes 15."""

_OVERLAP = 0.8
_VERTEX_CM2 = 0.5


@MASK_METHODS.register(
    "mr-threshold",
    summary="the widest room brighter than half its surroundings, followed from slice to slice, cut where it is narrow",
    source="local threshold and opening in mm, slice by slice; no published method",
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
    surroundings = _surroundings(blocks, lattice)
    bright = blocks > options.signal_fraction * surroundings
    clearance = depth_within(_without_holes(bright, lattice.sizes), lattice.sizes)
    widest = float(clearance.max())
    if widest <= _ORBIT_MM:
        raise InputError(
            f"no brain was found: no bright region is wider than {2 * widest:.0f} mm (values range from "
            f"{mean.min():g} to {mean.max():g}). Check that the series shows the head, or give a brain mask with "
            "--mask."
        )
    core = deepest_part(clearance, _CORE)
    # a first mask tells where the rim of CSF is, whose brightness sets the threshold at the edge
    first = march(bright, core, lattice.sizes)
    thresholds = _edge_thresholds(blocks, first, surroundings, lattice, options.signal_fraction)
    bright = blocks > thresholds
    inside = march(bright, core, lattice.sizes)

    def is_inside(z: int) -> Mask:
        within: Mask = mean[:, :, z] > lattice.slice_of(thresholds, z)
        return within

    mask = refined(lattice, inside, bright & ~inside, is_inside, bridge=options.bridge, upright=False)
    return BrainMask(
        mask=mask,
        threshold=float(np.median(thresholds[inside])) if inside.any() else None,
        method="mr-threshold",
        notes=tuple(field_of_view_notes(mask, grid)),
    )


def march(bright: Mask, core: Mask, sizes: Sequence[float]) -> Mask:
    """Follow the brain from slice to slice, up and down from where its core is widest.

    Within a slice the dark skull is a ring several voxels wide, while between slices, which are as thick as the skull,
    partial volume bridges it. So a slice's brain may only lie above or below that of the slice before.

    Parameters
    ----------
    bright : ndarray of bool, shape (x, y, z)
    core : ndarray of bool, shape (x, y, z)
        What certainly is brain.
    sizes : sequence of float
        Voxel edges in mm.

    Returns
    -------
    ndarray of bool, shape (x, y, z)
    """
    whole = _without_holes(bright, sizes)
    inside = np.zeros_like(bright)
    start = int(np.argmax(core.sum(axis=(0, 1))))
    wide = erode_in_plane(whole, sizes, _PASSAGE_MM)
    everywhere = np.ones(bright.shape[:2], dtype=bool)
    inside[:, :, start] = _rooms(whole[:, :, start], wide[:, :, start], core[:, :, start], everywhere, sizes)
    for path in (range(start + 1, bright.shape[2]), range(start - 1, -1, -1)):
        before = inside[:, :, start]
        for z in path:
            if not before.any() or (z > start and _is_cap(bright[:, :, z], before, sizes)):
                break
            near = dilate_in_plane(before, sizes, _FLARE * sizes[2] + 0.5 * sizes[0])
            before = _rooms(whole[:, :, z], wide[:, :, z] & near, before, near, sizes, overlap=_OVERLAP)
            area = np.count_nonzero(before) * sizes[0] * sizes[1] / 100
            if area < (_VERTEX_CM2 if z > start else FORAMEN_CM2):
                break
            inside[:, :, z] = before
    return inside


def _rooms(
    bright: Mask, wide: Mask, marker: Mask, allowed: Mask, sizes: Sequence[float], *, overlap: float = 0.0
) -> Mask:
    """The bright rooms of a slice of whose wide parts this share lies within a marker, cut where they are narrow."""
    labels, n = ndimage.label(wide)
    area = np.bincount(labels.ravel(), minlength=n + 1)
    shared = np.bincount(labels[marker], minlength=n + 1)
    chosen = shared > overlap * area
    chosen[0] = False
    reach = dilate_in_plane(chosen[labels], sizes, _PASSAGE_MM + 0.5 * max(sizes[:2]))
    return reach & bright & allowed


def _is_cap(bright: Mask, before: Mask, sizes: Sequence[float]) -> bool:
    """Whether the middle of the brain below is dark: a cap of bone, with scalp around it that is no brain."""
    depth = depth_within(before[:, :, np.newaxis], sizes)[:, :, 0]
    return bool(bright[depth > 0.7 * depth.max()].mean() < 0.5)


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


def _edge_thresholds(blocks: Volume, inside: Mask, surroundings: Volume, lattice: Lattice, fraction: float) -> Volume:
    """Signal half-way up the edge of what is brightest nearby: the rim of CSF where there is one, brain elsewhere."""
    reach = [max(1, round(_RIM_MM / edge)) for edge in lattice.sizes]
    brightest = ndimage.maximum_filter(np.where(inside, blocks, 0), tuple(2 * n + 1 for n in reach))
    # brain without a rim of CSF must stay above it, and what lies well inside is no edge
    edge = np.clip(fraction * brightest, fraction * surroundings, _CEILING * surroundings)
    well_inside = ndimage.binary_erosion(inside, np.ones([2 * n + 1 for n in reach], dtype=bool), border_value=1)
    thresholds: Volume = np.where(well_inside, _INTERIOR * surroundings, edge)
    return thresholds


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


def _without_holes(bright: Mask, sizes: Sequence[float]) -> Mask:
    """The bright blocks with vessels, bleeding and other small dark islands filled."""
    labels, _ = ndimage.label(~bright)
    small = np.bincount(labels.ravel()) * (float(np.prod(sizes)) / 1000) < _HOLE_ML
    filled: Mask = bright | small[labels]
    return filled

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
from PyPeTLib.masking.skin import depth_under_skin
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

_RIM_LEVEL = 90.0
_RIM_LEAST = 1.1
"""Percentile of the brightness along the edge that is CSF's, where anything is this much brighter than brain."""

_SKIN = 0.25
_SINUS_MM = 10.0
_DEPTH_SHARE = 0.8
"""The head's surface: signal relative to brain, and half the width of hollows that do not count; how near the brain may
come to it, relative to the slice where it is widest."""

_CAP = 0.8
_CAP_MIDDLE = 0.5
"""Signal over the vertex relative to brain below, in the middle, deeper than this share of the greatest depth."""

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
    source="local threshold, opening in mm slice by slice, depth under the skin; no published method",
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
    start = _widest_slice(core)
    depth = np.zeros_like(blocks)
    depth[:, :, start:] = depth_under_skin((blocks > _SKIN * surroundings)[:, :, start:], lattice.sizes, _SINUS_MM)
    first = march(bright, core, blocks, depth, lattice.sizes)
    thresholds = _edge_thresholds(blocks, first, surroundings, lattice, options.signal_fraction)
    bright = blocks > thresholds
    inside = march(bright, core, blocks, depth, lattice.sizes)
    edges = _rim_thresholds(blocks, inside, surroundings, lattice, options.signal_fraction)
    edges = np.maximum(edges, thresholds)

    def is_inside(z: int) -> Mask:
        within: Mask = mean[:, :, z] > lattice.slice_of(edges, z)
        return within

    mask = refined(lattice, inside, bright & ~inside, is_inside, bridge=options.bridge, upright=False)
    return BrainMask(
        mask=mask,
        threshold=float(np.median(thresholds[inside])) if inside.any() else None,
        method="mr-threshold",
        notes=tuple(field_of_view_notes(mask, grid)),
    )


def march(bright: Mask, core: Mask, blocks: Volume, depth: Volume, sizes: Sequence[float]) -> Mask:
    """Follow the brain from slice to slice, up and down from where its core is widest.

    Within a slice the dark skull is a ring several voxels wide, while between slices, which are as thick as the skull,
    partial volume bridges it. So a slice's brain may only lie above or below that of the slice before, and above the
    first one no nearer to the skin than there, where the walls are upright and their ring is dark.

    Parameters
    ----------
    bright : ndarray of bool, shape (x, y, z)
    core : ndarray of bool, shape (x, y, z)
        What certainly is brain.
    blocks : ndarray of float32, shape (x, y, z)
        Signal.
    depth : ndarray of float32, shape (x, y, z)
        Under the skin in mm; not looked at below the slice where the core is widest.
    sizes : sequence of float
        Voxel edges in mm.

    Returns
    -------
    ndarray of bool, shape (x, y, z)
    """
    whole = _without_holes(bright, sizes)
    inside = np.zeros_like(bright)
    start = _widest_slice(core)
    wide = erode_in_plane(whole, sizes, _PASSAGE_MM)
    everywhere = np.ones(bright.shape[:2], dtype=bool)
    first = _rooms(whole[:, :, start], wide[:, :, start], core[:, :, start], everywhere, sizes)
    edge = first & ~ndimage.binary_erosion(first)
    wall = float(np.median(depth[:, :, start][edge]))
    deep = depth >= _DEPTH_SHARE * wall
    inside[:, :, start] = first & deep[:, :, start]
    for path in (range(start + 1, bright.shape[2]), range(start - 1, -1, -1)):
        before = inside[:, :, start]
        for z in path:
            if not before.any() or (z > start and _is_cap(blocks[:, :, z], blocks[:, :, z - 1], before, sizes)):
                break
            near = dilate_in_plane(before, sizes, _FLARE * sizes[2] + 0.5 * sizes[0])
            if z > start:
                near &= deep[:, :, z]
            before = _rooms(whole[:, :, z], wide[:, :, z] & near, before, near, sizes, overlap=_OVERLAP)
            area = np.count_nonzero(before) * sizes[0] * sizes[1] / 100
            if area < (_VERTEX_CM2 if z > start else FORAMEN_CM2):
                break
            inside[:, :, z] = before
    return inside


def _widest_slice(core: Mask) -> int:
    return int(np.argmax(core.sum(axis=(0, 1))))


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


def _is_cap(layer: Volume, below: Volume, before: Mask, sizes: Sequence[float]) -> bool:
    """Whether the middle of the brain below is covered by something darker: a cap of bone and scalp."""
    depth = depth_within(before[:, :, np.newaxis], sizes)[:, :, 0]
    middle = depth > _CAP_MIDDLE * depth.max()
    # the lower quartile is brain even where ventricles fill half the middle
    above, beneath = (float(np.percentile(signal[middle], 25)) for signal in (layer, below))
    return above < _CAP * beneath


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
    box = _rim_box(lattice)
    brightest = ndimage.maximum_filter(np.where(inside, blocks, 0), box)
    # brain without a rim of CSF must stay above it, and what lies well inside is no edge
    edge = np.clip(fraction * brightest, fraction * surroundings, _CEILING * surroundings)
    well_inside = ndimage.binary_erosion(inside, np.ones(box, dtype=bool), border_value=1)
    thresholds: Volume = np.where(well_inside, _INTERIOR * surroundings, edge)
    return thresholds


def _rim_thresholds(blocks: Volume, inside: Mask, surroundings: Volume, lattice: Lattice, fraction: float) -> Volume:
    """Signal half-way up the edge of CSF, wherever there is some: slices cut its rim obliquely and dilute it."""
    box = _rim_box(lattice)
    brightest = ndimage.maximum_filter(np.where(inside, blocks / surroundings, 0), box)
    well_inside = ndimage.binary_erosion(inside, np.ones(box, dtype=bool), border_value=1)
    rim = inside & ~well_inside
    csf = float(np.percentile(brightest[rim], _RIM_LEVEL)) if rim.any() else 0.0
    brightest = np.where(brightest > _RIM_LEAST, np.maximum(brightest, csf), brightest)
    thresholds: Volume = np.where(well_inside, 0, np.minimum(fraction * brightest, _CEILING)) * surroundings
    return thresholds.astype(np.float32, copy=False)


def _rim_box(lattice: Lattice) -> tuple[int, int, int]:
    """Blocks across the neighbourhood of an edge."""
    x, y, z = (2 * max(1, round(_RIM_MM / edge)) + 1 for edge in lattice.sizes)
    return x, y, z


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

"""Masks of lesions from maps."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.lesion_options import LesionOptions
from PyPeTLib.lesions.model import FLOW_STEPS, TMAX_STEPS, Lesions
from PyPeTLib.maps import PerfusionMaps
from PyPeTLib.masking import Mirror
from PyPeTLib.masking.local import local_mean
from PyPeTLib.masking.morphology import bounding_box, close_in_plane

FEWEST_NORMAL_ML = 20.0
"""With less normal tissue, there is nothing to hold the flow against."""

OPPOSITE_MM = 8.0
"""Standard deviation of the mean of normal tissue around the place opposite: anatomy is not that symmetric."""

INDEX_TMAX = 6.0
"""Tmax in s of the tissue whose blood volume the CBV index tells."""

DENSITY = 1.05
"""Of brain tissue in g/ml."""


def lesions_of(
    maps: PerfusionMaps,
    tissue: Mask,
    normal: Mask,
    grid: Grid,
    options: LesionOptions,
    *,
    mirror: Mirror | None = None,
    density: float = DENSITY,
) -> Lesions:
    """The lesions that the maps of a brain show.

    Late tissue is hypoperfused, and of that what has little flow is core: flow alone would also take noise of white
    matter for it, as Campbell et al. 2011 note (doi:10.1161/STROKEAHA.111.618355).

    Parameters
    ----------
    maps : PerfusionMaps
        With CBF, Tmax and what else the options name.
    tissue, normal : ndarray of bool, shape (x, y, z)
        Parenchyma, without vessels and CSF, and the part of it that appears normal.
    grid : Grid
        Of maps and masks.
    options : LesionOptions
    mirror : Mirror, optional
        On the same grid; needed for the mirrored reference.
    density : float
        Of the tissue in g/ml, for a CBV by mass.

    Raises
    ------
    InputError
        Where no or very little tissue appears normal, or the maps are not what the options need.
    """
    reason = unfit_maps(maps, options)
    if reason:
        raise InputError(reason)
    flow, tmax, late = maps["cbf"], maps["tmax"], maps[options.hypoperfusion_map]
    tissue = tissue & flow.valid & tmax.valid & late.valid
    normal = normal & tissue
    normal_volume = _volume(normal, grid)
    if normal_volume < FEWEST_NORMAL_ML:
        raise InputError(
            f"only {normal_volume:.0f} ml of tissue appear normal, too little to hold the flow of a lesion against "
            f"(at least {FEWEST_NORMAL_ML:g} ml). Look at the artery and at the Tmax map."
        )

    def cleaned(mask: Mask, within: Mask) -> Mask:
        large = large_clusters(mask & within, grid, options.smallest_cluster)
        return closed(large, within, grid, options.closing)

    is_delay = options.hypoperfusion_map == "delay"
    limit = options.hypoperfusion_delay if is_delay else options.hypoperfusion_tmax
    hypoperfused = cleaned(late.values > np.float32(limit), tissue)
    reference = _reference(flow.values, normal, grid, options, mirror)
    above = {step: cleaned(tmax.values > np.float32(step), tissue) for step in TMAX_STEPS}
    below = {step: cleaned(flow.values < np.float32(step) * reference, hypoperfused) for step in FLOW_STEPS}
    if options.core_map == "cbv":
        per_mass = options.core_cbv / density
        core = cleaned((maps["cbv"].values < np.float32(per_mass)) & maps["cbv"].valid, hypoperfused)
    else:
        core = cleaned(flow.values < np.float32(options.core_flow) * reference, hypoperfused)
    told = hypoperfused if hypoperfused.any() else normal
    return Lesions(
        core=core,
        hypoperfused=hypoperfused,
        grid=grid,
        options=options,
        tmax_volumes={step: _volume(mask, grid) for step, mask in above.items()},
        flow_volumes={step: _volume(mask, grid) for step, mask in below.items()},
        cbv_index=_cbv_index(maps, above[INDEX_TMAX], normal),
        normal_flow=float(np.broadcast_to(reference, told.shape)[told].mean(dtype=np.float64)),
        normal_volume=normal_volume,
        flow_unit=flow.unit,
        calibrated=flow.calibrated,
    )


def unfit_maps(maps: PerfusionMaps, options: LesionOptions) -> str:
    """Why maps cannot be held against the thresholds of some options; empty where they can."""
    missing = [name for name in ("cbf", "tmax") if name not in maps]
    if missing:
        return f"There is no map of {' and '.join(missing)}, so lesions cannot be told."
    if options.hypoperfusion_map == "delay" and "delay" not in maps:
        return (
            f"The thresholds {options.preset} are held against the delay, and there is no map of it. Ask for it with "
            'maps = "all" under [quantification] among the options, or choose thresholds of Tmax, such '
            "as rapid."
        )
    if options.core_map == "cbv" and ("cbv" not in maps or not maps["cbv"].calibrated):
        return (
            f"The thresholds {options.preset} take a CBV in absolute units, and that of this run has no scale (DSC is "
            "uncalibrated). Scale it to normal white matter, or choose relative thresholds, such as rapid."
        )
    return ""


def large_clusters(mask: Mask, grid: Grid, smallest: float) -> Mask:
    """A mask without its small clusters; voxels are connected that share a face.

    Parameters
    ----------
    mask : ndarray of bool, shape (x, y, z)
    grid : Grid
    smallest : float
        Volume in ml of the smallest cluster that stays.
    """
    kept = np.zeros_like(mask)
    if not mask.any():
        return kept
    box = bounding_box(mask, margin=0)
    labels, _ = ndimage.label(mask[box])
    large = np.bincount(labels.ravel()) * grid.voxel_volume / 1000 >= smallest
    large[0] = False
    kept[box] = large[labels]
    return kept


def closed(mask: Mask, within: Mask, grid: Grid, mm: float) -> Mask:
    """A mask with its gaps of up to ``2 mm`` closed in each slice, where another mask allows it.

    Noise of single voxels, and a filter that let a vessel's neighbours stand, leave gaps in a lesion. What is not
    tissue stays out. Small clusters are to be left out before: closing would join them.
    """
    if mm == 0 or not mask.any():
        return mask
    reach = int(np.ceil(mm / min(grid.voxel_sizes[:2]))) + 1
    box = bounding_box(mask, margin=reach)
    result = mask.copy()
    result[box] |= close_in_plane(mask[box], grid.voxel_sizes, mm) & within[box]
    return result


def _reference(flow: Volume, normal: Mask, grid: Grid, options: LesionOptions, mirror: Mirror | None) -> Volume:
    """The flow of normal tissue that each voxel is held against; one number for the whole brain's."""
    if options.reference == "whole":
        return np.full((1, 1, 1), flow[normal].mean(dtype=np.float64), np.float32)
    if mirror is None:
        raise InputError(
            "the mirrored reference needs the plane of symmetry: give a mirror, or take the reference whole"
        )
    # far from normal tissue, as opposite a second lesion, the mean of all of it is left
    return local_mean(mirror.mirrored(flow, normal), mirror.partner(normal), OPPOSITE_MM, grid)


def _cbv_index(maps: PerfusionMaps, late: Mask, normal: Mask) -> float | None:
    if "cbv" not in maps:
        return None
    volume = maps["cbv"]
    late, normal = late & volume.valid, normal & volume.valid
    if not late.any() or not normal.any():
        return None
    usual = float(volume.values[normal].mean(dtype=np.float64))
    return float(volume.values[late].mean(dtype=np.float64)) / usual if usual > 0 else None


def _volume(mask: Mask, grid: Grid) -> float:
    """In ml."""
    return int(np.count_nonzero(mask)) * grid.voxel_volume / 1000

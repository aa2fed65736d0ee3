"""Masks of lesions from maps."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Mask
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.lesions.model import TMAX_STEPS, LesionOptions, Lesions
from PyPeTLib.maps import PerfusionMaps

FEWEST_NORMAL_ML = 20.0
"""With less normal tissue, there is nothing to hold the flow against."""


def lesions_of(maps: PerfusionMaps, tissue: Mask, normal: Mask, grid: Grid, options: LesionOptions) -> Lesions:
    """The lesions that the maps of a brain show.

    Late tissue is hypoperfused, and of that what has little flow is core: flow alone would also take noise of white
    matter for it, as Campbell et al. 2011 note (doi:10.1161/STROKEAHA.111.618355).

    Parameters
    ----------
    maps : PerfusionMaps
        With CBF and Tmax.
    tissue, normal : ndarray of bool, shape (x, y, z)
        Parenchyma, without vessels and CSF, and the part of it that appears normal.
    grid : Grid
        Of maps and masks.
    options : LesionOptions

    Raises
    ------
    InputError
        Where no or very little tissue appears normal.
    """
    flow, late = maps["cbf"], maps["tmax"]
    tissue = tissue & flow.valid & late.valid
    normal = normal & tissue
    normal_volume = int(np.count_nonzero(normal)) * grid.voxel_volume / 1000
    if normal_volume < FEWEST_NORMAL_ML:
        raise InputError(
            f"only {normal_volume:.0f} ml of tissue appear normal, too little to hold the flow of a lesion against "
            f"(at least {FEWEST_NORMAL_ML:g} ml). Look at the artery and at the Tmax map."
        )
    normal_flow = float(flow.values[normal].mean(dtype=np.float64))
    hypoperfused = large_clusters(tissue & (late.values > options.hypoperfusion_tmax), grid, options.smallest_cluster)
    little = hypoperfused & (flow.values < options.core_flow * normal_flow)
    return Lesions(
        core=large_clusters(little, grid, options.smallest_cluster),
        hypoperfused=hypoperfused,
        grid=grid,
        options=options,
        tmax_volumes={
            step: float(np.count_nonzero(large_clusters(tissue & (late.values > step), grid, options.smallest_cluster)))
            * grid.voxel_volume
            / 1000
            for step in TMAX_STEPS
        },
        normal_flow=normal_flow,
        normal_volume=normal_volume,
        flow_unit=flow.unit,
        calibrated=flow.calibrated,
    )


def large_clusters(mask: Mask, grid: Grid, smallest: float) -> Mask:
    """A mask without its small clusters; voxels are connected that share a face.

    Parameters
    ----------
    mask : ndarray of bool, shape (x, y, z)
    grid : Grid
    smallest : float
        Volume in ml of the smallest cluster that stays.
    """
    labels, _ = ndimage.label(mask)
    large = np.bincount(labels.ravel()) * grid.voxel_volume / 1000 >= smallest
    large[0] = False
    kept: Mask = large[labels]
    return kept

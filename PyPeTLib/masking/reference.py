"""Normal-appearing tissue: what flow and volume of a lesion are compared with."""

from __future__ import annotations

import numpy as np

from PyPeTLib.arrays import Mask
from PyPeTLib.geometry import Grid
from PyPeTLib.maps import PerfusionMaps
from PyPeTLib.masking.local import local_mean
from PyPeTLib.masking.symmetry import Mirror

NEIGHBOURHOOD_MM = 5.0
"""Standard deviation of the means that are judged: single voxels of a noisy map would be chosen for their noise."""

LATE_S = 3.0
"""A place is late if its Tmax is this much above that of the brain's early quarter."""

LOW_SHARE = 0.6
"""A place has low flow if it has less than this share of the flow opposite it."""


def reference_tissue(parenchyma: Mask, maps: PerfusionMaps, mirror: Mirror) -> Mask:
    """Grey and white matter that is neither late nor lower in flow than its other side.

    Judged are Gaussian means over the valid parenchyma around each voxel. Late is counted from the early quarter of the
    brain, so that an artery far upstream, which makes all tissue late, does not leave nothing.

    Parameters
    ----------
    parenchyma : ndarray of bool, shape (x, y, z)
        Neither CSF nor large vessel.
    maps : PerfusionMaps
        Of the same grid. Without Tmax (methods that have none) only the flow is judged.
    mirror : Mirror
        On the same grid.

    Returns
    -------
    ndarray of bool, shape (x, y, z)
        Empty where the maps hold no values.
    """
    grid: Grid = mirror.grid
    inside = parenchyma & maps.quality_mask
    if not inside.any():
        return inside
    flow = local_mean(maps["cbf"].values, inside, NEIGHBOURHOOD_MM, grid)
    normal: Mask = inside & ~(flow < np.float32(LOW_SHARE) * mirror.mirrored(flow, inside))
    if "tmax" in maps:
        lag = local_mean(maps["tmax"].values, inside, NEIGHBOURHOOD_MM, grid)
        normal &= lag <= np.float32(np.percentile(lag[inside], 25) + LATE_S)
    return normal

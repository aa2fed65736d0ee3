"""When each voxel was sampled, where slices are acquired one after the other."""

from __future__ import annotations

import numpy as np

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.series import PerfusionSeries


def slice_offsets(series: PerfusionSeries, mask: Mask) -> Volume | None:
    """Time in s by which each voxel of a mask is sampled after the time of its frame.

    Downsampling leaves slices alone, so this serves the series as given and as analysed. A voxel that motion
    correction filled from a neighbouring slice is taken for one of its own slice.

    Parameters
    ----------
    series : PerfusionSeries
    mask : ndarray of bool, shape (x, y, z)

    Returns
    -------
    ndarray of float32, shape (voxels,), in the order of boolean indexing; or None
        None where the series knows no slice times or all are the same.
    """
    times = series.acquisition.slice_times
    if times is None or np.ptp(times) == 0:
        return None
    offsets: Volume = np.asarray(times, np.float32)[np.nonzero(mask)[2]]
    return offsets

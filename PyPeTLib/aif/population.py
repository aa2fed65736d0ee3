"""A standard bolus in place of a measured artery.

For series in which no artery can be sampled: the shape is that of Wu et al. 2003 (doi:10.1002/mrm.10522), the time
that of the earliest enhancing voxels, the height that at which its area is that of the first pass through the vein. It
was not measured in this patient, and the maps are only as true as that shape.
"""

from __future__ import annotations

import numpy as np

from PyPeTLib.aif.gamma_variate import GammaVariate
from PyPeTLib.aif.model import ArterialInputFunction, VenousOutputFunction
from PyPeTLib.aif.partial_volume import venous_ratio
from PyPeTLib.arrays import Curve
from PyPeTLib.contrast.features import curve_features, smooth_in_time
from PyPeTLib.errors import InputError

ALPHA = 3.0
BETA = 1.5
"""``(t − t0)^3·exp(−(t − t0)/1.5 s)``."""
FINE_STEP = 0.05


def population_aif(earliest: float, vof: VenousOutputFunction, times: Curve) -> ArterialInputFunction:
    """The standard bolus at the time of the first enhancement, with the area of the vein.

    Parameters
    ----------
    earliest : float
        Time in s at which the earliest enhancing voxels, smoothed 1:2:1 in time, pass half their peak.
    vof : VenousOutputFunction
    times : ndarray, shape (t,)
        Frame times in s.

    Raises
    ------
    InputError
        If the scan ends before the vein has peaked.
    """
    t0 = _onset(earliest, times)
    unit = GammaVariate(t0=t0, alpha=ALPHA, beta=BETA, amplitude=1.0, r_squared=1.0)
    first_pass = vof.measured if vof.fit is None else vof.fit(times)
    height = venous_ratio(unit(times), first_pass, times)
    if height is None:
        raise InputError("the standard bolus has no scale: the scan ends before the vein has peaked")
    curve = GammaVariate(t0=t0, alpha=ALPHA, beta=BETA, amplitude=height, r_squared=1.0)
    return ArterialInputFunction(measured=curve(times), fit=curve, mask=None, source="population")


def _onset(earliest: float, times: Curve) -> float:
    """Onset in s of the bolus that, measured like the voxels, passes half its peak at the time given."""
    onsets = np.arange(earliest - 8.0, earliest + 2.0, FINE_STEP)
    since = np.maximum(times - onsets[:, None], 0.0)
    curves = (since**ALPHA * np.exp(-since / BETA)).astype(np.float32)
    arrival = curve_features(smooth_in_time(curves), times).arrival
    return float(onsets[np.abs(arrival - earliest).argmin()])

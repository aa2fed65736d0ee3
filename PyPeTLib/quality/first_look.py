"""What the checks need to know of the curves before denoising, so that nobody has to keep these."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Curve, Volume
from PyPeTLib.contrast import Concentration
from PyPeTLib.deconvolution import noise_level
from PyPeTLib.execution import voxel_slices
from PyPeTLib.series import Modality

MOST_CURVES = 20_000
"""So many curves, spread evenly over the brain, tell as much about noise as all of them."""

CLIP_TOLERANCE = 1e-3
"""Samples this close to the highest value count as equal to it, as a share of the range: interpolation rounds."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FirstLook:
    """Measures of the analysed voxels' curves as they were measured.

    Attributes
    ----------
    mean_curve : ndarray of float64, shape (t,)
        Mean concentration.
    some : ndarray of float32, shape (voxels, t)
        Concentration of some voxels, spread evenly over the brain.
    noise : float
        Standard deviation of one sample of one voxel, in the unit of concentration.
    level : float
        Median signal before the bolus.
    n_voxels : int
    clipped : int
        Voxels that are cut off at the highest value of the series.
    highest : float
        That value.
    """

    mean_curve: Curve
    some: Volume
    noise: float
    level: float
    n_voxels: int
    clipped: int
    highest: float

    @classmethod
    def of(cls, signal: Volume, unsmoothed: Concentration, baseline: slice, modality: Modality) -> FirstLook:
        """A look at signal and concentration of the same voxels, shape (voxels, t)."""
        curves, steady = unsmoothed.curves, unsmoothed.baseline
        return cls(
            mean_curve=np.asarray(curves.mean(axis=0, dtype=np.float64)),
            some=curves[:: max(1, len(curves) // MOST_CURVES)].copy(),
            noise=noise_level(curves),
            level=float(np.median(steady)) if steady.size else 0.0,
            n_voxels=len(curves),
            clipped=clipped_voxels(signal, baseline, modality),
            highest=max((float(signal[piece].max()) for piece in voxel_slices(len(signal))), default=0.0),
        )


def clipped_voxels(signal: Volume, baseline: slice, modality: Modality) -> int:
    """How many voxels are cut off at the series' highest value.

    In CT, those that reach it in two frames or more, but not before the bolus, where it is bone's. In MR, those that
    hold it in half of the frames before the bolus.

    Parameters
    ----------
    signal : ndarray of float32, shape (voxels, t)
    baseline : slice
        Frames before the bolus.
    modality : Modality
    """
    if not signal.size:
        return 0
    usual = float(np.median(signal[:: max(1, len(signal) // MOST_CURVES), baseline]))
    # piece by piece: what compares all samples at once is as large as the series
    pieces = voxel_slices(len(signal))
    top = max(float(signal[piece].max()) for piece in pieces)
    limit = np.float32(top - CLIP_TOLERANCE * (top - usual))
    length = len(range(signal.shape[1])[baseline])

    def count(piece: slice) -> int:
        at_top = signal[piece] >= limit
        resting = at_top[:, baseline].sum(axis=1)
        if modality is Modality.DSC:
            return int(np.count_nonzero(2 * resting > length))
        return int(np.count_nonzero((resting == 0) & (at_top.sum(axis=1) >= 2)))

    return sum(count(piece) for piece in pieces)

"""How deep the bolus drops the signal, and how far it comes back."""

from __future__ import annotations

import numpy as np

from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.execution import Execution, voxel_slices

LATE_SECONDS = 60.0
"""The recovered signal is read at most this long after the arrival of the bolus."""
LATE_FRAMES = 5
SMALLEST_DROP = 0.05
"""A signal that drops by a smaller share of its baseline has no recovery to measure."""


def late_frames(times: Curve, arrival: float) -> slice:
    """The last frames up to a minute after the arrival of the bolus, or of the scan if it ends before.

    Parameters
    ----------
    times : ndarray, shape (t,)
        Frame times in s.
    arrival : float
        Of the bolus, in s on the same clock.
    """
    stop = int(np.searchsorted(times, arrival + LATE_SECONDS, side="right"))
    stop = max(stop, min(LATE_FRAMES, times.size))
    return slice(max(0, stop - LATE_FRAMES), stop)


def signal_recovery(
    curves: Volume, times: Curve, arrival: float, echo_time: float, execution: Execution | None = None
) -> tuple[Volume, Mask]:
    """Percentage of signal recovery (PSR): ``100 · (S_late − S_min) / (S0 − S_min)`` in %.

    100 where the signal comes back to its baseline, less where contrast stays and shortens T2*, more where leaked
    contrast shortens T1.

    Parameters
    ----------
    curves : ndarray of float32, shape (voxels, t)
        ΔR2* in 1/s, not corrected for leakage.
    times : ndarray, shape (t,)
        In s.
    arrival : float
        Of the bolus in s.
    echo_time : float
        In s: the signal is ``S0·exp(−TE·ΔR2*)``.

    Returns
    -------
    values : ndarray of float32, shape (voxels,)
        0 where not valid.
    valid : ndarray of bool, shape (voxels,)
        Where the signal drops enough.

    Notes
    -----
    Sources: Cha et al. 2007, doi:10.3174/ajnr.A0484; Lee et al. 2019, doi:10.3174/ajnr.A6153.
    """
    late = late_frames(times, arrival)
    recovered = np.empty(len(curves), np.float32)
    drop = np.empty(len(curves), np.float32)

    def measure(piece: slice) -> None:
        lowest = np.exp(np.float32(-echo_time) * curves[piece, : late.stop].max(axis=1))
        drop[piece] = 1 - lowest
        recovered[piece] = np.exp(np.float32(-echo_time) * curves[piece, late]).mean(axis=1) - lowest

    (execution or Execution()).map(measure, voxel_slices(len(curves)))
    valid = drop >= SMALLEST_DROP
    values = np.divide(np.float32(100) * recovered, drop, out=np.zeros_like(drop), where=valid)
    return values, valid


def peak_height(curves: Volume) -> tuple[Volume, Mask]:
    """Highest concentration of each curve in its own unit (HU or 1/s), and where it is above 0, shape (voxels,).

    Notes
    -----
    Source: Cha et al. 2007, doi:10.3174/ajnr.A0484.
    """
    peak: Volume = np.maximum(curves.max(axis=1), 0)
    return peak, peak > 0

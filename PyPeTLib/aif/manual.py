"""Vessel curves that the user gives: voxels of a mask, or a curve."""

from __future__ import annotations

import numpy as np

from PyPeTLib.aif.gamma_variate import fit_gamma_variate
from PyPeTLib.aif.model import ArterialInputFunction, VenousOutputFunction
from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.errors import InputError


def aif_from_mask(curves: Volume, mask: Mask, times: Curve, baseline: slice) -> ArterialInputFunction:
    """Mean concentration of given voxels.

    Parameters
    ----------
    curves : ndarray of float32, shape (voxels, t)
        Concentration of the mask's voxels.
    mask : ndarray of bool, shape (x, y, z)
        The artery.
    times : ndarray, shape (t,)
    baseline : slice
        Frames before the bolus.

    Raises
    ------
    InputError
        If the mean curve holds no contrast.
    """
    measured = _mean(curves, "the voxels of the AIF mask take up no contrast: mark an artery")
    return ArterialInputFunction(
        measured=measured,
        fit=fit_gamma_variate(measured, times),
        mask=mask,
        source="mask",
        baseline_noise=float(measured[baseline].std()),
    )


def vof_from_mask(
    curves: Volume, mask: Mask, times: Curve, baseline: slice, *, source: str = "mask"
) -> VenousOutputFunction:
    """Mean concentration of the voxels of a vein; see `aif_from_mask`."""
    measured = _mean(curves, "the voxels of the VOF mask take up no contrast: mark a large vein")
    return VenousOutputFunction(
        measured=measured,
        fit=fit_gamma_variate(measured, times),
        mask=mask,
        source=source,
        baseline_noise=float(measured[baseline].std()),
    )


def aif_from_curve(
    curve_times: Curve, values: Curve, times: Curve, *, name: str = "AIF curve"
) -> ArterialInputFunction:
    """A given concentration curve that covers the frames, interpolated linearly to their times.

    Parameters
    ----------
    curve_times, values : ndarray, shape (n,)
        In s, on the clock of the frame times, and in HU (CT) or 1/s (DSC).
    times : ndarray, shape (t,)
        Frame times in s.

    Raises
    ------
    InputError
        If the curve holds no contrast.
    """
    measured = np.interp(times, curve_times, values)
    if measured.max() <= 0:
        raise InputError(f"{name}: its highest value is {measured.max():g}; an AIF holds contrast (HU or 1/s above 0)")
    return ArterialInputFunction(
        measured=measured,
        fit=fit_gamma_variate(measured, times),
        mask=None,
        source="curve",
    )


def _mean(curves: Volume, complaint: str) -> Curve:
    measured: Curve = curves.mean(axis=0, dtype=np.float64)
    if measured.max() <= 0:
        raise InputError(complaint)
    return measured

"""A deconvolution method applied to all voxels, piece by piece."""

from __future__ import annotations

import numpy as np

from PyPeTLib.arrays import Curve, Volume
from PyPeTLib.deconvolution.methods import METHODS, DeconvolutionOptions, Estimate, Problem
from PyPeTLib.errors import InputError
from PyPeTLib.execution import Execution, voxel_slices


def deconvolve(
    curves: Volume,
    aif: Curve,
    times: Curve,
    options: DeconvolutionOptions,
    execution: Execution | None = None,
) -> Estimate:
    """Deconvolve tissue curves with an arterial input function.

    Parameters
    ----------
    curves : ndarray of float32, shape (voxels, t)
        Tissue concentration.
    aif : ndarray, shape (t,)
        Arterial concentration in the same unit; its area must be positive.
    times : ndarray, shape (t,)
        Frame times in s.
    options : DeconvolutionOptions
    execution : Execution, optional

    Returns
    -------
    Estimate
        One value a voxel; impulse responses themselves are not kept.

    Raises
    ------
    InputError
        If the AIF holds no contrast.
    """
    aif = np.asarray(aif, np.float64)
    if not np.isfinite(aif).all() or aif.max() <= 0:
        raise InputError("the arterial input function holds no contrast: its highest value is not positive")
    solve = METHODS[options.method](Problem(aif=aif, times=np.asarray(times, np.float64), options=options))
    pieces = voxel_slices(len(curves))
    if not pieces:
        return Estimate.empty(solve(np.zeros((1, curves.shape[1]), np.float32)), 0)

    def work(piece: slice) -> tuple[slice, Estimate]:
        return piece, solve(np.ascontiguousarray(curves[piece]))

    results = (execution or Execution()).map(work, pieces)
    whole = Estimate.empty(results[0][1], len(curves))
    for piece, estimate in results:
        whole.fill(piece, estimate)
    return whole

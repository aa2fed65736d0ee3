"""Deconvolution by truncated singular values, one threshold for all voxels.

The impulse response is a fixed matrix times the tissue curve, so all voxels of a piece are one product.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from PyPeTLib.arrays import Curve
from PyPeTLib.deconvolution.circulant import CirculantConvolution
from PyPeTLib.deconvolution.methods import METHODS, Problem, Solver
from PyPeTLib.deconvolution.response import LinearSolver
from PyPeTLib.deconvolution.sampling import uniform_sampling

OSTERGAARD = "Østergaard et al. 1996, doi:10.1002/mrm.1910360510"
WU = "Wu et al. 2003, doi:10.1002/mrm.10522"
ZANDERIGO = "Zanderigo et al. 2009, doi:10.1109/TBME.2009.2013820"


@METHODS.register(
    "ssvd",
    summary="standard SVD: the AIF must arrive before the tissue; sensitive to delay",
    source=OSTERGAARD,
    aliases=("SVD",),
    traits=("impulse-response",),
)
def ssvd(problem: Problem) -> Solver:
    """Lower-triangular convolution matrix, inverted without its small singular values.

    The response k [1/s] is 0 before lag 0, its lags are one frame interval (the smallest one) apart, and the integral
    is a sum over them: ``c(t) = step·Σ C_a(t − lag)·k(lag)``.
    """
    sampling = uniform_sampling(problem.times)
    lags = sampling.grid

    def convolution(times: Curve) -> Curve:
        since = np.subtract.outer(times + problem.offset, lags)
        # between the AIF's samples it is straight, before the first one there is nothing
        aif = np.interp(since, sampling.frame_times, problem.aif) * (since > -1e-9)
        return np.asarray(sampling.step * aif, np.float64)

    left, values, right = linalg.svd(convolution(lags))
    inverse = np.where(values > problem.options.ssvd_threshold * values[0], 1 / np.maximum(values, 1e-300), 0)
    operator = (right.T * inverse) @ left.T @ CirculantConvolution.of(problem).onto_grid()
    rows = min(sampling.size, int(problem.options.latest_lag / sampling.step) + 2)
    return LinearSolver(
        operator=operator[:rows].astype(np.float32),
        first_lag=0.0,
        step=sampling.step,
        fit=(convolution(sampling.frame_times) @ operator).astype(np.float32),
    )


@METHODS.register(
    "bsvd",
    summary="block-circulant SVD: insensitive to delay",
    source=WU,
    aliases=("bcSVD2", "cSVD"),
    traits=("impulse-response", "delay-insensitive", "lesions"),
)
def bsvd(problem: Problem) -> Solver:
    """Block-circulant matrix of the AIF as it was sampled."""
    return CirculantConvolution.of(problem).truncated(problem.options.svd_threshold)


@METHODS.register(
    "bsvd-simpson",
    summary="block-circulant SVD whose convolution is integrated by Simpson's rule: insensitive to delay",
    source=ZANDERIGO,
    aliases=("bcSVD1",),
    traits=("impulse-response", "delay-insensitive", "lesions"),
)
def bsvd_simpson(problem: Problem) -> Solver:
    """Block-circulant matrix of the AIF weighted 1:4:1 over neighbouring samples."""
    return CirculantConvolution.of(problem, kernel=(1 / 6, 4 / 6, 1 / 6)).truncated(problem.options.svd_threshold)

"""Deconvolution on the frames' own lags: AIF and response are straight between their nodes, integrals are exact."""

from __future__ import annotations

import numpy as np

from PyPeTLib.arrays import Array, Curve
from PyPeTLib.deconvolution.expected import exponential_covariance
from PyPeTLib.deconvolution.methods import METHODS, Problem, Solver
from PyPeTLib.deconvolution.response import LagGrid
from PyPeTLib.deconvolution.sampling import uniform_sampling
from PyPeTLib.deconvolution.tikhonov import regularised

SOURBRON = "Sourbron et al. 2007, doi:10.1088/0031-9155/52/22/014"


@METHODS.register(
    "volterra-tikhonov",
    summary="exact integrals of straight pieces, by Tikhonov's method: the AIF must arrive first; sensitive to delay",
    source=SOURBRON,
    traits=("impulse-response", "pooled-noise"),
)
def volterra_tikhonov(problem: Problem) -> Solver:
    """The response k [1/s] that minimises ``|A k − c|² + λ²|k|²``, being 0 before lag 0.

    k is straight between nodes one frame interval (the smallest one) apart, and may jump at lag 0. λ follows from the
    option ``regularisation``. Because the jump is put at lag 0, flow is the highest of the linear methods where tissue
    is neither early nor late, and depends on the delay.
    """
    sampling = uniform_sampling(problem.times)
    nodes = sampling.grid
    matrix = convolved_hats(problem.aif, sampling.frame_times, sampling.frame_times + problem.offset, nodes)
    last = min(sampling.size, int(problem.options.latest_lag / sampling.step) + 2)
    return regularised(
        problem,
        matrix,
        exponential_covariance(nodes),
        np.eye(sampling.size)[:last],
        LagGrid(step=sampling.step, first=0, last=last - 1),
    )


def convolved_hats(aif: Curve, aif_times: Curve, times: Curve, nodes: Curve) -> Curve:
    """Convolution of a piecewise linear AIF with hat functions at equally spaced nodes, the first of them cut in half.

    A hat is a second difference of ramps, and the AIF convolved with a ramp is its second integral.

    Parameters
    ----------
    aif, aif_times : ndarray, shape (n,)
        The AIF is 0 before its first sample and keeps its last value.
    times : ndarray, shape (t,)
        When the tissue was sampled, in s.
    nodes : ndarray, shape (m,)
        Lags in s from 0 on.

    Returns
    -------
    ndarray of float64, shape (t, m)
    """
    step = nodes[1] - nodes[0]
    edges = np.concatenate([[nodes[0] - step], nodes, [nodes[-1] + step]])
    once, twice = integrals(aif, aif_times, np.subtract.outer(times, edges))
    hats = (twice[:, :-2] - 2 * twice[:, 1:-1] + twice[:, 2:]) / step
    hats[:, 0] = once[:, 1] - (twice[:, 1] - twice[:, 2]) / step
    return np.asarray(hats, np.float64)


def integrals(aif: Curve, aif_times: Curve, until: Array) -> tuple[Array, Array]:
    """First and second integral of a piecewise linear AIF from its first sample until any times."""
    steps = np.diff(aif_times)
    once = np.concatenate([[0.0], np.cumsum(0.5 * steps * (aif[1:] + aif[:-1]))])
    twice = np.concatenate([[0.0], np.cumsum(once[:-1] * steps + steps**2 * (aif[:-1] / 3 + aif[1:] / 6))])
    slopes = np.append(np.diff(aif) / steps, 0.0)
    left = np.clip(np.searchsorted(aif_times, until, side="right") - 1, 0, aif.size - 1)
    since = np.maximum(until - aif_times[left], 0)
    first = once[left] + since * (aif[left] + 0.5 * since * slopes[left])
    second = twice[left] + since * (once[left] + since * (0.5 * aif[left] + since * slopes[left] / 6))
    return first, second

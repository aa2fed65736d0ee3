"""Flow from the height of the tissue curve, without deconvolution."""

from __future__ import annotations

import numpy as np
import scipy  # its parts are imported when they are first used

from PyPeTLib.arrays import Volume
from PyPeTLib.deconvolution.methods import METHODS, Estimate, Problem, Solver


@METHODS.register(
    "peak-height",
    summary="no deconvolution: peak of the tissue curve over the area of the AIF; a lower bound of the flow",
    source="Ostergaard 2005, doi:10.1002/jmri.20460",
)
def peak_height(problem: Problem) -> Solver:
    """The response's peak as if the whole bolus passed at once: ``max C_t / ∫C_a``.

    It equals the flow for a bolus much shorter than the transit time and reads low otherwise. It has no Tmax.
    """
    area = float(scipy.integrate.trapezoid(problem.aif, problem.times))

    def solve(curves: Volume) -> Estimate:
        return Estimate(peak=(curves.max(axis=1) / np.float32(area)).astype(np.float32, copy=False))

    return solve

"""The impulse response behind an estimate, and the tissue curve that it makes of the arterial input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from PyPeTLib.arrays import Curve
from PyPeTLib.deconvolution.arterial_curve import ArterialCurve
from PyPeTLib.deconvolution.methods import METHODS, Estimate, Problem, ResponseSolver, Solver
from PyPeTLib.deconvolution.transit import Residues, residue_height, tissue_atoms

LAG_STEP = 0.1
"""Distance in s of the lags at which a modelled response is drawn."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ImpulseResponse:
    """An impulse response and what it explains.

    Attributes
    ----------
    lags : ndarray of float64, shape (lags,)
        In s.
    values : ndarray of float64, shape (lags,)
        In 1/s.
    peak : float
        Its maximum in 1/s, which lies between two lags where a parabola through three of them says so.
    fitted : ndarray of float64, shape (t,)
        The arterial input convolved with it, at the times of the tissue's frames, in the input's unit.
    """

    lags: Curve
    values: Curve
    peak: float
    fitted: Curve

    @property
    def residue(self) -> Curve:
        """The residue function ``R = k / max k``."""
        return np.asarray(self.values / self.peak, np.float64)


def solved_response(solver: Solver, curve: Curve) -> ImpulseResponse | None:
    """The response that a `ResponseSolver` makes of one curve, shape (t,); None where it does not rise above 0."""
    makes = cast("ResponseSolver", solver)
    curves = np.asarray(curve, np.float32)[None]
    peak = float(makes(curves).peak[0])
    if not peak > 0:
        return None
    return ImpulseResponse(
        lags=makes.lags,
        values=np.asarray(makes.impulse_response(curves)[0], np.float64),
        peak=peak,
        fitted=np.asarray(makes.fitted(curves)[0], np.float64),
    )


def modelled_response(problem: Problem, estimate: Estimate) -> ImpulseResponse | None:
    """The response of gamma-distributed or equal transit times that the estimate of one voxel describes.

    Its height is the estimated peak, its mean transit time the volume over the peak. Of a method that gives posterior
    means it is the response of these means.

    Parameters
    ----------
    problem : Problem
    estimate : Estimate
        Of a method with the trait ``transit-times``; the first voxel counts.

    Returns
    -------
    ImpulseResponse or None
        None where the flow or the volume is not above 0.
    """
    if estimate.volume is None or estimate.delay is None:
        raise ValueError(f"{problem.options.method} models no transit times")
    peak, volume, delay = (float(values[0]) for values in (estimate.peak, estimate.volume, estimate.delay))
    if not (peak > 0 and volume > 0):
        return None
    transit = volume / peak
    spread = 0.0 if estimate.shape is None else 1 / float(estimate.shape[0])
    lags = modelled_lags(problem)
    one = Residues(transit=np.array([transit]), spread=np.array([spread]), log_prior=np.zeros(1))
    arterial = ArterialCurve(problem.aif, problem.times)
    return ImpulseResponse(
        lags=lags,
        values=peak * residue_height(lags - delay, transit, spread),
        peak=peak,
        fitted=peak * tissue_atoms(arterial, one, np.array([delay]), problem.tissue_times)[0, 0],
    )


def modelled_lags(problem: Problem) -> Curve:
    """Lags in s at which modelled responses are drawn."""
    options = problem.options
    first, last = round(options.earliest_lag / LAG_STEP), round(options.latest_lag / LAG_STEP)
    lags: Curve = LAG_STEP * np.arange(first, last + 1, dtype=np.float64)
    return lags


def response_of(solver: Solver, problem: Problem, curve: Curve) -> ImpulseResponse | None:
    """The impulse response that a prepared method finds in one curve, shape (t,).

    None where the method makes none (`makes_response`), or none that rises above 0.
    """
    traits = METHODS.entry(problem.options.method).traits
    if "impulse-response" in traits:
        return solved_response(solver, curve)
    if "transit-times" in traits:
        return modelled_response(problem, solver(np.asarray(curve, np.float32)[None]))
    return None


def makes_response(method: str) -> bool:
    """Whether a method finds or models an impulse response."""
    return bool(METHODS.entry(method).traits & {"impulse-response", "transit-times"})

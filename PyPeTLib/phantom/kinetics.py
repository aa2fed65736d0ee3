"""Residues and tissue curves in closed form: the truth that the phantoms are made of.

The tracer equation is ``C_t(t) = (rho/kH) · (CBF/6000) · ∫ C_a(u) R(t − delay − u) du`` with CBF in ml/100g/min,
CBV = CBF·MTT/60 in ml/100g and time in seconds. The arterial input is continuous and piecewise linear between the
points of a 0.05 s grid, and the residue is integrated over it exactly, so no sampling error enters the truth.

Sources: Meier & Zierler 1954 (10.1152/jappl.1954.6.12.731); Østergaard et al. 1996 (10.1002/mrm.1910360510);
Mouridsen et al. 2006 (10.1016/j.neuroimage.2006.06.015) for gamma-distributed transit times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft, special

from PyPeTLib.arrays import Curve
from PyPeTLib.errors import InputError
from PyPeTLib.phantom.bolus import FINE_STEP, Bolus, FineCurve
from PyPeTLib.registry import Registry

TISSUE_DENSITY = 1.05
"""rho: density of brain tissue in g/ml."""

HAEMATOCRIT_RATIO = 0.55 / 0.75
"""kH = (1 − Hct of large vessels) / (1 − Hct of capillaries)."""

_PAIRS_AT_ONCE = 256


@dataclass(frozen=True, kw_only=True)
class Residue:
    """A residue function of normalised time x = t/MTT, known with its second antiderivative.

    ``value(x)`` falls from 1 at x = 0 and has unit area; ``twice_integrated(x)`` is its second antiderivative with
    value and slope 0 at x = 0. Both are only called with x ≥ 0.
    """

    value: Callable[[Curve], Curve]
    twice_integrated: Callable[[Curve], Curve]

    def at(self, times: npt.ArrayLike, mtt: float) -> Curve:
        """R(t) without unit at times in s after the arrival of a unit bolus; 0 before it."""
        x = np.asarray(times, dtype=np.float64) / mtt
        return np.where(x >= 0, self.value(np.maximum(x, 0.0)), 0.0)


RESIDUES: Registry[Residue] = Registry("residue functions")
"""The shapes of transit that phantoms know."""

RESIDUES.register(
    "exponential",
    summary="one well-mixed compartment: exp(−t/MTT)",
    source="Meier & Zierler 1954, 10.1152/jappl.1954.6.12.731",
)(Residue(value=lambda x: np.exp(-x), twice_integrated=lambda x: x + np.expm1(-x)))

RESIDUES.register(
    "box",
    summary="plug flow: every path takes the same time MTT",
    source="Østergaard et al. 1996, 10.1002/mrm.1910360510",
)(
    Residue(
        value=lambda x: (x < 1).astype(np.float64),
        twice_integrated=lambda x: np.where(x < 1, x**2 / 2, x - 0.5),
    )
)

RESIDUES.register(
    "linear",
    summary="transit times spread evenly up to 2 MTT: 1 − t/(2 MTT)",
    source="Østergaard et al. 1996, 10.1002/mrm.1910360510",
)(
    Residue(
        value=lambda x: np.maximum(1 - x / 2, 0.0),
        twice_integrated=lambda x: np.where(x < 2, x**2 / 2 - x**3 / 12, x - 2 / 3),
    )
)


def gamma_residue(shape: float) -> Residue:
    """Survival function of a gamma-distributed transit time; shape 1 is exponential, a large one nears the box.

    Parameters
    ----------
    shape : float
        Shape k of the distribution, above 0; its mean is MTT and its coefficient of variation 1/√k.

    Notes
    -----
    Source: Mouridsen et al. 2006, 10.1016/j.neuroimage.2006.06.015.
    """
    if not shape > 0:
        raise InputError(f"the shape of a gamma residue must be above 0, found {shape!r}")

    def twice_integrated(x: Curve) -> Curve:
        y = shape * x
        tail = (shape + 1) / (2 * shape) * special.gammainc(shape + 2, y)
        result: Curve = x**2 / 2 * special.gammaincc(shape, y) + x * special.gammainc(shape + 1, y) - tail
        return result

    return Residue(value=lambda x: special.gammaincc(shape, shape * x), twice_integrated=twice_integrated)


RESIDUES.register(
    "gamma",
    summary="gamma-distributed transit times of shape 2; gamma_residue(k) gives other shapes",
    source="Mouridsen et al. 2006, 10.1016/j.neuroimage.2006.06.015",
)(gamma_residue(2.0))


def residue_named(residue: str | Residue) -> Residue:
    """The residue itself, or the registered one of this name."""
    return RESIDUES[residue] if isinstance(residue, str) else residue


def response(aif: FineCurve, mtt: float, times: npt.ArrayLike, residue: str | Residue = "exponential") -> Curve:
    """∫ C_a(u) R(t − u) du, exact for the piecewise-linear input, in units of C_a times s.

    Parameters
    ----------
    aif : FineCurve
    mtt : float
        Mean transit time in s, above 0.
    times : array_like
        Seconds, any shape.
    """
    times = np.asarray(times, dtype=np.float64)
    found: Curve = _responses(aif, np.array([float(mtt)]), times.reshape(1, -1), residue).reshape(times.shape)
    return found


def tissue_curve(
    aif: FineCurve | Bolus,
    cbf: npt.ArrayLike,
    mtt: npt.ArrayLike,
    delay: npt.ArrayLike = 0.0,
    residue: str | Residue = "exponential",
    *,
    times: npt.ArrayLike,
) -> Curve:
    """Tissue concentration over time, exact for each combination of flow, transit time and delay.

    Parameters
    ----------
    aif : FineCurve or Bolus
        A bolus is put on the fine grid as far as it is needed.
    cbf, mtt, delay : array_like
        ml/100g/min, s and s, broadcast against each other to shape (…).
    residue : str or Residue
        A name in `RESIDUES`, or a residue such as ``gamma_residue(3)``.
    times : array_like, shape (T,)
        Seconds.

    Returns
    -------
    ndarray of float64, shape (…, T)
        In the unit of the arterial input.

    Raises
    ------
    InputError
        If a transit time is not above 0, or the input is not known up to ``max(times − delay)``.
    """
    times = np.asarray(times, dtype=np.float64)
    cbf, mtt, delay = np.broadcast_arrays(*(np.asarray(x, dtype=np.float64) for x in (cbf, mtt, delay)))
    if not (mtt > 0).all():
        raise InputError(f"transit times must be above 0 s, found {mtt.min():g}")
    pairs, which = np.unique(np.stack([mtt.ravel(), delay.ravel()], axis=1), axis=0, return_inverse=True)
    shifted = times - pairs[:, 1:]
    if isinstance(aif, Bolus):
        aif = aif.arterial(float(shifted.max(initial=0.0)))
    curves = _responses(aif, pairs[:, 0], shifted, residue)[which.reshape(cbf.shape)]
    return tissue_factor(cbf)[..., np.newaxis] * curves


def responses_on_grid(bolus: Bolus, mtt: Curve, end: float, residue: str | Residue) -> tuple[Curve, Curve]:
    """Times of the fine grid up to ``end`` s, shape (S,), and the responses of transit times (n,), shape (n, S)."""
    aif = bolus.arterial(end)
    return aif.times, _convolved(aif, mtt, np.zeros(mtt.size), residue)


def peak_times(bolus: Bolus, mtt: npt.ArrayLike, residue: str | Residue = "exponential") -> Curve:
    """Time in s at which the tissue curve of each transit time peaks, without arterial delay; shape as ``mtt``."""
    mtt = np.asarray(mtt, dtype=np.float64)
    unique, which = np.unique(mtt, return_inverse=True)
    end = bolus.peak_time + bolus.second_lag + 2 * float(unique.max(initial=0.0)) + bolus.second_dispersion
    times, curves = responses_on_grid(bolus, unique, end, residue)
    at = np.clip(curves.argmax(axis=1), 1, times.size - 2)
    before, top, after = (np.take_along_axis(curves, (at + i)[:, np.newaxis], axis=1)[:, 0] for i in (-1, 0, 1))
    bend = before - 2 * top + after
    offset = np.divide(before - after, 2 * bend, out=np.zeros_like(bend), where=bend < 0)
    found: Curve = (times[at] + FINE_STEP * offset)[which.reshape(mtt.shape)]
    return found


def tissue_factor(cbf: npt.ArrayLike) -> Curve:
    """(rho/kH)·CBF/6000 in 1/s, for CBF in ml/100g/min."""
    return np.asarray(cbf, dtype=np.float64) * (TISSUE_DENSITY / HAEMATOCRIT_RATIO / 6000)


def _responses(aif: FineCurve, mtt: Curve, times: Curve, residue: str | Residue) -> Curve:
    """Responses of shape (n, T) for transit times (n,) at times (n, T).

    The second derivative of a piecewise-linear input is a comb of its slope changes, so the convolution is the sum
    of these times the second antiderivative of R. Times that share MTT and place between two grid points form one
    discrete convolution.
    """
    aif.check_reach(times)
    position = np.maximum((times - aif.start) / aif.step, 0.0)
    whole = np.floor(position + 1e-6)
    part = np.maximum(np.round(position - whole, 6), 0.0)
    keys = np.stack([np.broadcast_to(mtt[:, np.newaxis], times.shape).ravel(), part.ravel()], axis=1)
    groups, which = np.unique(keys, axis=0, return_inverse=True)
    which, column = which.ravel(), whole.ravel().astype(np.intp)
    result = np.empty(which.size)
    order = np.argsort(which, kind="stable")
    bounds = np.searchsorted(which[order], np.arange(len(groups) + 1))
    for first in range(0, len(groups), _PAIRS_AT_ONCE):
        last = min(first + _PAIRS_AT_ONCE, len(groups))
        sums = _convolved(aif, groups[first:last, 0], groups[first:last, 1], residue)
        members = order[bounds[first] : bounds[last]]
        result[members] = sums[which[members] - first, column[members]]
    return result.reshape(times.shape)


def _convolved(aif: FineCurve, mtt: Curve, part: Curve, residue: str | Residue) -> Curve:
    """Responses of shape (n, S) at the grid's points plus ``part`` (n,) of a step, for transit times (n,)."""
    slopes = np.diff(aif.values, prepend=0.0) / aif.step
    changes = np.diff(slopes, append=slopes[-1])
    size = fft.next_fast_len(2 * changes.size, real=True)
    transit = mtt[:, np.newaxis]
    lags = (np.arange(changes.size) + part[:, np.newaxis]) * aif.step
    kernels = transit**2 * residue_named(residue).twice_integrated(lags / transit)
    sums: Curve = fft.irfft(fft.rfft(kernels, size, axis=1) * fft.rfft(changes, size), size, axis=1)
    # nothing comes before the input begins, not even rounding
    sums[:, : int(np.argmax(changes != 0))] = 0.0
    return sums[:, : changes.size]

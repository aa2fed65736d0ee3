"""Gamma-variate fit of a first pass (Thompson et al. 1964, doi:10.1161/01.RES.14.6.502)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from PyPeTLib.arrays import Curve

ALPHAS = np.geomspace(0.7, 9.0, 12)
"""Shapes that are tried first."""
PRESENT = 0.1
"""A sample above this share of the peak belongs to the pass."""
FEWEST = 3
"""A pass of fewer samples has no shape."""


@dataclass(frozen=True, kw_only=True)
class GammaVariate:
    """``A·(t − t0)^α·exp(−(t − t0)/β)`` after ``t0``, 0 before.

    ``amplitude`` is the height of its peak (which lies at ``t0 + α·β``), in the unit of the curve; times in s.
    ``r_squared`` tells how much of the curve's variance inside the fitted window it explains.
    """

    t0: float
    alpha: float
    beta: float
    amplitude: float
    r_squared: float

    def __call__(self, times: Curve) -> Curve:
        """The first pass at the given times, without recirculation."""
        return _gamma(times, self.t0, self.alpha, self.beta, self.amplitude)


def _gamma(times: Curve, t0: float | Curve, alpha: float | Curve, beta: float | Curve, amplitude: float) -> Curve:
    # written around the peak, so that the amplitude does not trade with the shape
    place = np.clip((times - t0) / (alpha * beta), 0, None)
    with np.errstate(divide="ignore"):
        exponent = alpha * (np.log(place) + 1 - place)
    return np.asarray(amplitude * np.exp(exponent), np.float64)


def fit_gamma_variate(curve: Curve, times: Curve, *, tail: float = 0.4) -> GammaVariate | None:
    """Fit the first pass of a curve.

    The window begins a little before the upslope, however late that is, so that noise of a long baseline is not
    fitted, and ends where the downslope has fallen to a share of the peak, so that recirculation stays out. Onsets,
    peak times and shapes are tried on a grid with the height in closed form; the best is refined by least squares.

    Parameters
    ----------
    curve : ndarray, shape (t,)
        Concentration.
    times : ndarray, shape (t,)
        In s.
    tail : float
        Share of the peak at which the window ends.

    Returns
    -------
    GammaVariate or None
        None where the curve has no pass that could be fitted: no rise, no fall, or fewer than three samples of it.
    """
    top = int(np.argmax(curve))
    peak = float(curve[top])
    if peak <= 0 or top < 2 or top == curve.size - 1:
        return None
    low = np.flatnonzero(curve[top:] < tail * peak)
    end = top + (int(low[0]) if low.size else curve.size - top)
    end = min(max(end, top + 3), curve.size)
    foot = _foot(curve, top)
    begin = max(0, foot - max(2, top - foot))
    if np.count_nonzero(curve[foot + 1 : end] > PRESENT * peak) < FEWEST:
        return None
    window, inside = times[begin:end], curve[begin:end]
    start = _best_on_grid(window, inside, times, foot, top)
    step = float(np.median(np.diff(times)))
    lowest = [float(window[0]) - 5 * step, 0.3, 0.05, 0.2 * peak]
    highest = [float(times[top]) - 0.05 * step, 30.0, 30.0, 3.0 * peak]
    first = np.clip(start, np.array(lowest) + 1e-6, np.array(highest) - 1e-6)
    result = optimize.least_squares(
        lambda p: (_gamma(window, *p) - inside) / peak, first, bounds=(lowest, highest), max_nfev=200
    )
    t0, alpha, beta, amplitude = (float(v) for v in result.x)
    # over the whole time before the end, so that noise without a pass is not explained by a short window
    before = curve[:end]
    misfit = float(((_gamma(times[:end], t0, alpha, beta, amplitude) - before) ** 2).sum())
    spread = float(((before - before.mean()) ** 2).sum())
    explained = 1 - misfit / spread if spread > 0 else 0.0
    return GammaVariate(t0=t0, alpha=alpha, beta=beta, amplitude=amplitude, r_squared=explained)


def _foot(curve: Curve, top: int) -> int:
    """The last frame before the peak in which the curve is still low."""
    low = np.flatnonzero(curve[:top] < PRESENT * curve[top])
    return int(low[-1]) if low.size else 0


def _best_on_grid(window: Curve, inside: Curve, times: Curve, foot: int, top: int) -> Curve:
    """Onset, alpha, beta and height of the curve on a grid that fits best."""
    rise = max(float(times[top] - times[foot]), 1e-6)
    onsets = np.linspace(times[foot] - 0.8 * rise, times[top] - 0.3 * (times[top] - times[top - 1]), 40)
    peaks = np.linspace(times[top - 1], times[min(top + 1, times.size - 1)], 9)[1:-1]
    t0, at, alpha = (a.ravel() for a in np.meshgrid(onsets, peaks, ALPHAS, indexing="ij"))
    sensible = at > t0 + 1e-3
    t0, beta, alpha = t0[sensible], ((at - t0) / alpha)[sensible], alpha[sensible]
    shapes = _gamma(window, t0[:, None], alpha[:, None], beta[:, None], 1.0)
    overlap, power = shapes @ inside, (shapes**2).sum(axis=1) + 1e-30
    best = int((np.maximum(overlap, 0) ** 2 / power).argmax())
    return np.array([t0[best], alpha[best], beta[best], overlap[best] / power[best]])

"""Gamma-variate fit of a first pass (Thompson et al. 1964, doi:10.1161/01.RES.14.6.502)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from PyPeTLib.arrays import Curve


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


def _gamma(times: Curve, t0: float, alpha: float, beta: float, amplitude: float) -> Curve:
    # written around the peak, so that the amplitude does not trade with the shape
    place = np.clip((times - t0) / (alpha * beta), 0, None)
    with np.errstate(divide="ignore"):
        exponent = alpha * (np.log(place) + 1 - place)
    return np.asarray(amplitude * np.exp(exponent), np.float64)


def fit_gamma_variate(curve: Curve, times: Curve, *, tail: float = 0.4) -> GammaVariate | None:
    """Fit the first pass of a curve.

    The window ends where the downslope has fallen to a share of the peak, so that recirculation stays out. The
    onset is scanned; for each onset the logarithm of the curve is linear in the other parameters, and the best
    start is refined by least squares.

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
        None where the curve has no pass that could be fitted.
    """
    top = int(np.argmax(curve))
    peak = float(curve[top])
    if peak <= 0 or top < 2:
        return None
    low = np.flatnonzero(curve[top:] < tail * peak)
    end = top + (int(low[0]) if low.size else curve.size - top)
    end = min(max(end, top + 3), curve.size)
    window, inside = times[:end], curve[:end]
    start = _scan_onset(window, inside, top)
    if start is None:
        return None
    step = float(np.median(np.diff(times)))
    lowest = [float(times[0]) - 10 * step, 0.3, 0.05, 0.2 * peak]
    highest = [float(times[top]) - 0.05 * step, 30.0, 30.0, 3.0 * peak]
    first = np.clip(start, np.array(lowest) + 1e-6, np.array(highest) - 1e-6)
    result = optimize.least_squares(
        lambda p: (_gamma(window, *p) - inside) / peak, first, bounds=(lowest, highest), max_nfev=200
    )
    t0, alpha, beta, amplitude = (float(v) for v in result.x)
    spread = float(((inside - inside.mean()) ** 2).sum()) / peak**2
    explained = 1 - 2 * float(result.cost) / spread if spread > 0 else 0.0
    return GammaVariate(t0=t0, alpha=alpha, beta=beta, amplitude=amplitude, r_squared=explained)


def _scan_onset(times: Curve, curve: Curve, top: int) -> Curve | None:
    peak = float(curve[top])
    best: tuple[float, Curve] | None = None
    for t0 in np.linspace(times[0] - 1.0, times[top] - 0.5 * (times[top] - times[top - 1]), 60):
        used = (times > t0 + 1e-3) & (curve > 0.02 * peak)
        if np.count_nonzero(used) < 4:
            continue
        since, value = times[used] - t0, curve[used]
        design = np.stack([np.ones_like(since), np.log(since), -since], axis=1)
        solution, *_ = np.linalg.lstsq(design * value[:, None], np.log(value) * value, rcond=None)
        alpha, rate = float(solution[1]), float(solution[2])
        if alpha <= 0.2 or rate <= 0.02:
            continue
        height = float(np.exp(solution[0] + alpha * (np.log(alpha / rate) - 1)))
        guess = np.array([t0, alpha, 1 / rate, height])
        misfit = float(((_gamma(times, t0, alpha, 1 / rate, height) - curve) ** 2).sum())
        if np.isfinite(misfit) and (best is None or misfit < best[0]):
            best = (misfit, guess)
    return None if best is None else best[1]

"""What is expected of impulse responses and noise before a curve is seen: it decides how much to regularise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Curve
from PyPeTLib.deconvolution.methods import Problem

TYPICAL_TRANSIT_TIME = 6.0
"""Mean transit time in s that is expected before a curve is seen: between healthy and slow tissue."""
LEAST_NOISE = 0.02
"""Noise of samples one second apart is never taken for less than this share of the curves' root mean square.

An AIF is known at its frames only, so even curves without noise are not told by it any better. Closer samples count as
noisier and wider ones as less noisy, because the error does not average out.
"""
LEAST_SIGNAL = 0.1
"""Of the curves' power at least this share is taken for signal, so that curves of pure noise have an expectation."""


@dataclass(frozen=True, kw_only=True)
class Powers:
    """Mean squares in the tissue's unit squared: of each sample's noise, shape (t,), and of the noise-free curves."""

    noise: Curve
    signal: float

    @classmethod
    def of(cls, problem: Problem, durations: Curve) -> Powers:
        """Those of a problem, kept away from 0; ``durations`` are the times in s for which the frames stand."""
        whole = problem.signal**2
        # curves without anything need a scale all the same
        whole = whole if whole > 0 else float(np.mean(problem.aif**2))
        return cls(
            noise=np.maximum(problem.noise**2, LEAST_NOISE**2 * whole / durations),
            signal=max(whole - problem.noise**2, LEAST_SIGNAL * whole),
        )


def exponential_power(angular: Curve) -> Curve:
    """Power spectrum of a response that jumps and decays exponentially, up to its scale.

    ``1/(1/m² + ω²)`` with the typical transit time m; its autocovariance falls as ``exp(−|lag|/m)``.
    """
    return np.asarray(1 / (1 / TYPICAL_TRANSIT_TIME**2 + angular**2), np.float64)


def exponential_covariance(lags: Curve) -> Curve:
    """Covariance of the same responses between all pairs of lags, up to its scale."""
    return np.asarray(np.exp(-np.abs(np.subtract.outer(lags, lags)) / TYPICAL_TRANSIT_TIME), np.float64)

"""What a deconvolution method receives and returns, and the registry of all methods.

The indicator-dilution model of a voxel is ``C_t(t) = ∫ C_a(u) k(t − u) du`` with the impulse response
``k = (rho/kH)·CBF·R`` in 1/s. Methods know nothing of rho, kH or flow units: those are applied in one place,
`PyPeTLib.quantification`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from PyPeTLib.arrays import Curve, Volume
from PyPeTLib.options import Options, option
from PyPeTLib.registry import Registry


class Solver(Protocol):
    """A method prepared for one arterial input function and one time vector."""

    def __call__(self, curves: Volume) -> Estimate:
        """Estimates for tissue curves of shape ``(voxels, t)``, float32."""


METHODS: Registry[Callable[[Problem], Solver]] = Registry("deconvolution methods")
"""All deconvolution methods.

Traits: ``delay-insensitive``, ``impulse-response`` (the solver is a `svd.LinearSolver` or has its
``impulse_response`` method), ``volume`` (the method estimates the blood volume itself).
"""


@dataclass(frozen=True, kw_only=True)
class DeconvolutionOptions(Options):
    """Options of the deconvolution."""

    method: str = option("osvd", "deconvolution method", choices=METHODS)
    svd_threshold: float = option(
        0.1,
        "bsvd, bsvd-simpson: singular values below this share of the largest are dropped",
        minimum=0.0,
        maximum=0.95,
    )
    ssvd_threshold: float = option(
        0.2, "ssvd: singular values below this share of the largest are dropped", minimum=0.0, maximum=0.95
    )
    oscillation_index: float = option(
        0.039,
        "osvd: largest oscillation of the impulse response, as Wu's index refers to a response of 120 samples",
        minimum=0.001,
        maximum=1.0,
    )
    osvd_floor: float = option(
        0.03, "osvd: singular values below this share of the largest are dropped in any case", minimum=0.0, maximum=0.9
    )
    earliest_lag: float = option(
        -10.0, "the peak of the impulse response is sought from this lag on", unit="s", minimum=-60.0, maximum=0.0
    )
    latest_lag: float = option(
        30.0, "the peak of the impulse response is sought up to this lag", unit="s", minimum=1.0, maximum=120.0
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """One deconvolution problem: everything that all voxels share.

    Attributes
    ----------
    aif : ndarray of float64, shape (t,)
        Arterial concentration, in the unit of the tissue curves.
    times : ndarray of float64, shape (t,)
        Frame times in s.
    options : DeconvolutionOptions
    """

    aif: Curve
    times: Curve
    options: DeconvolutionOptions


@dataclass(frozen=True, kw_only=True, eq=False)
class Estimate:
    """What a method found for each voxel; arrays of float32, shape ``(voxels,)``.

    Attributes
    ----------
    peak : ndarray
        Maximum of the impulse response in 1/s.
    time_of_peak : ndarray or None
        Its lag in s (Tmax): negative where the tissue is earlier than the AIF. None where a method has none.
    delay : ndarray or None
        Arterial delay in s: the lag at which the impulse response rises.
    volume : ndarray or None
        Area of the impulse response, for methods that model it; else the maps take the ratio of areas.
    """

    peak: Volume
    time_of_peak: Volume | None = None
    delay: Volume | None = None
    volume: Volume | None = None

    @staticmethod
    def empty(like: Estimate, n_voxels: int) -> Estimate:
        """Space for the estimates of many voxels, with the same quantities as a first piece."""

        def space(present: Volume | None) -> Volume | None:
            return None if present is None else np.zeros(n_voxels, np.float32)

        return Estimate(
            peak=np.zeros(n_voxels, np.float32),
            time_of_peak=space(like.time_of_peak),
            delay=space(like.delay),
            volume=space(like.volume),
        )

    def fill(self, at: slice, piece: Estimate) -> None:
        """Put a piece's estimates in their place."""
        for name in ("peak", "time_of_peak", "delay", "volume"):
            target = getattr(self, name)
            if target is not None:
                target[at] = getattr(piece, name)

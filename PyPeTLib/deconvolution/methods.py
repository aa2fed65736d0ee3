"""What a deconvolution method receives and returns, and the registry of all methods.

The indicator-dilution model of a voxel is ``C_t(t) = ∫ C_a(u) k(t − u) du`` with the impulse response
``k = (rho/kH)·CBF·R`` in 1/s. Methods know nothing of rho, kH or flow units: those are applied in one place,
`PyPeTLib.quantification`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np

from PyPeTLib.arrays import Curve, IntArray, Mask, Volume
from PyPeTLib.execution import Execution
from PyPeTLib.options import Options, option
from PyPeTLib.registry import Registry


class Solver(Protocol):
    """A method prepared for one arterial input function and one time vector."""

    def __call__(self, curves: Volume) -> Estimate:
        """Estimates for tissue curves of shape ``(voxels, t)``, float32."""


class ResponseSolver(Solver, Protocol):
    """A solver that makes an impulse response for each curve."""

    @property
    def lags(self) -> Curve:
        """Lags of the impulse response in s."""

    def impulse_response(self, curves: Volume) -> Volume:
        """Impulse responses in 1/s, shape (voxels, lags)."""

    def fitted(self, curves: Volume) -> Volume:
        """The AIF convolved with the responses, at the times of the tissue's frames, shape (voxels, t)."""


class SpatialSolver(Solver, Protocol):
    """A solver whose answer for a voxel depends on where it lies among the others."""

    def whole(self, curves: Volume, mask: Mask, execution: Execution) -> Estimate:
        """Estimates for the tissue curves of all voxels of a mask, in the order of boolean indexing."""


METHODS: Registry[Callable[[Problem], Solver]] = Registry("deconvolution methods")
"""All deconvolution methods.

Traits: ``delay-insensitive``, ``impulse-response`` (the solver is a `ResponseSolver`), ``transit-times`` (the estimate
is a response of gamma-distributed transit times, or of equal ones where it has no shape), ``volume`` (the method
estimates the blood volume itself), ``posterior`` (it gives standard deviations and a shape), ``pooled-noise`` (its
answer depends on the noise measured over all curves),
``spatial`` (its solver is a `SpatialSolver`), ``lesions`` (its Tmax may be held against thresholds).
"""


@dataclass(frozen=True, kw_only=True)
class DeconvolutionOptions(Options):
    """Options of the deconvolution."""

    method: str = option("osvd", "deconvolution method", choices=METHODS)
    noise: float = option(
        0.0,
        "standard deviation of one sample of the tissue curves, in their unit (HU or 1/s); 0 measures it",
        minimum=0.0,
        maximum=1e6,
    )
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
        0.0,
        "osvd: largest oscillation of the impulse response, as Wu's index refers to a response of 120 samples; 0 lets "
        "the noise choose it",
        minimum=0.0,
        maximum=1.0,
    )
    osvd_floor: float = option(
        0.03, "osvd: singular values below this share of the largest are dropped in any case", minimum=0.0, maximum=0.9
    )
    regularisation: str = option(
        "noise",
        "tikhonov, volterra-tikhonov: how λ is chosen: one for all voxels from the noise, or for each voxel",
        choices=("noise", "gcv", "lcurve"),
    )
    spatial_tolerance: float = option(
        2.0,
        "gamma-bayes-spatial: difference from a neighbour, in standard deviations of the noise, up to which it counts",
        minimum=0.1,
        maximum=20.0,
    )
    earliest_lag: float = option(
        -10.0, "the peak of the impulse response is sought from this lag on", unit="s", minimum=-60.0, maximum=0.0
    )
    latest_lag: float = option(
        30.0, "the peak of the impulse response is sought up to this lag", unit="s", minimum=1.0, maximum=120.0
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """One deconvolution problem: everything that its voxels share.

    Attributes
    ----------
    aif : ndarray of float64, shape (t,)
        Arterial concentration, in the unit of the tissue curves.
    times : ndarray of float64, shape (t,)
        Frame times of the AIF in s.
    options : DeconvolutionOptions
    noise : float
        Standard deviation of one sample of the tissue curves, in their unit; 0 where they hold none.
    signal : float
        Root mean square of the tissue curves, in their unit.
    offset : float
        Time in s by which the tissue was sampled later than the AIF, in every frame.
    """

    aif: Curve
    times: Curve
    options: DeconvolutionOptions
    noise: float = 0.0
    signal: float = 0.0
    offset: float = 0.0

    @property
    def tissue_times(self) -> Curve:
        """Frame times of the tissue in s."""
        return np.asarray(self.times + self.offset, np.float64)


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
    shape : ndarray or None
        Shape of the distribution of transit times: 1 for an exponential residue, large for a box.
    peak_sd, volume_sd, transit_time_sd, delay_sd : ndarray or None
        Posterior standard deviations, for methods that give them; in 1/s, without unit, s and s.
    """

    peak: Volume
    time_of_peak: Volume | None = None
    delay: Volume | None = None
    volume: Volume | None = None
    shape: Volume | None = None
    peak_sd: Volume | None = None
    volume_sd: Volume | None = None
    transit_time_sd: Volume | None = None
    delay_sd: Volume | None = None

    @property
    def found(self) -> dict[str, Volume]:
        """The quantities that the method gives, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    @staticmethod
    def empty(like: Estimate, n_voxels: int) -> Estimate:
        """Space for the estimates of many voxels, with the same quantities as a first piece."""
        return Estimate(**{name: np.zeros(n_voxels, np.float32) for name in like.found})

    def fill(self, at: slice | IntArray, piece: Estimate) -> None:
        """Put a piece's estimates in their place."""
        target = self.found
        for name, values in piece.found.items():
            target[name][at] = values

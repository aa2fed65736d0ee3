"""Options and result of the arterial input function."""

from __future__ import annotations

from dataclasses import dataclass, field

from PyPeTLib.aif.gamma_variate import GammaVariate
from PyPeTLib.arrays import Curve, Mask
from PyPeTLib.options import Options, option


@dataclass(frozen=True, kw_only=True)
class AIFOptions(Options):
    """Options of the automatic arterial input function."""

    curve: str = option(
        "measured",
        "what is deconvolved: the mean measured curve, or the gamma variate fitted to it (no recirculation)",
        choices=("measured", "fitted"),
    )
    erosion: float = option(1.0, "arteries are sought this far inside the brain mask", unit="mm", minimum=0, maximum=20)
    minimum_volume: float = option(10.0, "smallest cluster", unit="mm3", minimum=0.0, maximum=1000.0)
    maximum_volume: float = option(3000.0, "largest cluster", unit="mm3", minimum=1.0, maximum=1e5)
    target_volume: float = option(
        40.0, "volume of the brightest part of a cluster that makes the curve", unit="mm3", minimum=1.0, maximum=1e4
    )
    minimum_contrast_to_noise: float = option(
        6.0, "smallest peak of a candidate voxel in standard deviations of its noise", minimum=1.0, maximum=100.0
    )


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A cluster of artery-like voxels.

    Times in s; ``peak`` in the unit of the curves; ``centre`` in RAS+ mm; ``volume`` in mm³. ``score`` is higher for
    better candidates; ``verdict`` says why it was taken or lost.
    """

    centre: tuple[float, float, float]
    volume: float
    peak: float
    arrival: float
    width: float
    roughness: float
    fit_r_squared: float
    score: float
    verdict: str


@dataclass(frozen=True, kw_only=True, eq=False)
class ArterialInputFunction:
    """The arterial input function and how it came about.

    Attributes
    ----------
    measured : ndarray of float64, shape (t,)
        Mean concentration of its voxels, or the given curve, at the frame times.
    fit : GammaVariate or None
        First pass fitted to it.
    mask : ndarray of bool, shape (x, y, z), or None
        Its voxels; None for a given curve.
    source : str
        ``"automatic"``, ``"mask"`` or ``"curve"``.
    candidates : tuple of Candidate
        All clusters that were looked at, best first.
    baseline_noise : float
        Standard deviation of the measured curve before the bolus.
    """

    measured: Curve
    fit: GammaVariate | None
    mask: Mask | None
    source: str
    candidates: tuple[Candidate, ...] = field(default=())
    baseline_noise: float = 0.0

    def curve(self, times: Curve, kind: str) -> Curve:
        """The curve to deconvolve with: ``"measured"``, or ``"fitted"`` where there is a fit."""
        if kind == "fitted" and self.fit is not None:
            return self.fit(times)
        return self.measured

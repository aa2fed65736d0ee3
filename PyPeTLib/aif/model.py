"""Options and results of the arterial input function and the venous output function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from PyPeTLib.aif.curve_quality import CurveQuality
from PyPeTLib.aif.gamma_variate import GammaVariate
from PyPeTLib.arrays import Curve, IntArray, Mask, Volume
from PyPeTLib.contrast import BolusArrival
from PyPeTLib.geometry import Grid
from PyPeTLib.options import Options, option
from PyPeTLib.registry import Registry

SIDES = ("left", "right")


@dataclass(frozen=True, kw_only=True)
class AIFOptions(Options):
    """Options of the arterial input function and of the vein that it is compared with."""

    rule: str = option("cluster-score", "how the artery is chosen", choices=lambda: AIF_RULES)
    sides: str = option(
        "whole",
        "one AIF for the whole brain, or one for each hemisphere, with which its own tissue is deconvolved",
        choices=("whole", "each"),
    )
    curve: str = option(
        "measured",
        "what is deconvolved: the mean measured curve, or the gamma variate fitted to it (no recirculation)",
        choices=("measured", "fitted"),
    )
    partial_volume: bool = option(
        True,
        "scale a measured AIF to the area of the vein (VOF), so that tissue in the artery's voxels does not dilute it; "
        "a curve that you give is taken as it is",
    )
    partial_volume_cap: float = option(
        2.5, "a larger ratio of the areas of vein and artery is not believed and not applied", minimum=1.0, maximum=20.0
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
    vof_target_volume: float = option(
        150.0, "volume of the undiluted part of the vein that makes the VOF", unit="mm3", minimum=1.0, maximum=1e4
    )


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A cluster of artery-like voxels.

    ``centre`` in RAS+ mm; ``volume`` in mm³; ``quality`` measures its curve. ``score`` is higher for better candidates;
    ``verdict`` says why it was taken or lost. ``places`` holds the indices of its voxels, shape (n, 3), and ``curve``
    their mean concentration at the frame times.
    """

    centre: tuple[float, float, float]
    volume: float
    quality: CurveQuality
    roughness: float
    score: float
    verdict: str
    places: IntArray = field(default_factory=lambda: np.zeros((0, 3), np.intp), compare=False, repr=False)
    curve: Curve = field(default_factory=lambda: np.zeros(0), compare=False, repr=False)

    @property
    def peak(self) -> float:
        """Height of its curve, in the unit of the curves."""
        return self.quality.peak

    @property
    def arrival(self) -> float:
        """Time in s at which its curve passes half its peak."""
        return self.quality.arrival

    @property
    def width(self) -> float:
        """Full width at half maximum in s."""
        return self.quality.width

    @property
    def fit_r_squared(self) -> float:
        """Share of the curve that a gamma variate explains; 0 without a fit."""
        return self.quality.fit_r_squared


@dataclass(frozen=True, kw_only=True, eq=False)
class VesselCurve:
    """Contrast over time in a vessel.

    Attributes
    ----------
    measured : ndarray of float64, shape (t,)
        Mean concentration of its voxels, or the given curve, at the frame times.
    fit : GammaVariate or None
        First pass fitted to it.
    mask : ndarray of bool, shape (x, y, z), or None
        Its voxels; None for a curve without a place.
    source : str
        ``"automatic"``, ``"mask"``, ``"curve"`` or ``"population"``.
    baseline_noise : float
        Standard deviation of the measured curve before the bolus.
    """

    measured: Curve
    fit: GammaVariate | None
    mask: Mask | None
    source: str
    baseline_noise: float = 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class VenousOutputFunction(VesselCurve):
    """The curve of a large vein, which contrast leaves the brain through and no tissue dilutes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ArterialInputFunction(VesselCurve):
    """The arterial input function and how it came about; see `VesselCurve`.

    Attributes
    ----------
    candidates : tuple of Candidate
        All clusters that were looked at, best first.
    venous_ratio : float or None
        Area of the vein's curve over that of this one; None where it could not be measured.
    scale : float
        Factor by which the curve is multiplied before the deconvolution: the ratio where it corrects partial volume,
        else 1.
    """

    candidates: tuple[Candidate, ...] = field(default=())
    venous_ratio: float | None = None
    scale: float = 1.0

    def curve(self, times: Curve, kind: str) -> Curve:
        """The curve to deconvolve with: ``"measured"``, or ``"fitted"`` where there is a fit; scaled."""
        unscaled = self.fit(times) if kind == "fitted" and self.fit is not None else self.measured
        return unscaled if self.scale == 1.0 else self.scale * unscaled


@dataclass(frozen=True, kw_only=True, eq=False)
class Hemispheres:
    """An arterial input function for each side.

    Attributes
    ----------
    left, right : ArterialInputFunction
    is_right : ndarray of bool, shape (x, y, z)
        Voxels on the patient's right of the midsagittal plane.
    borrowed : str
        The side without an artery of its own, which uses the other's; empty where both have one.
    """

    left: ArterialInputFunction
    right: ArterialInputFunction
    is_right: Mask
    borrowed: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class ArterySearch:
    """What a rule chooses arteries from.

    Attributes
    ----------
    curves : ndarray of float32, shape (voxels, t)
        Concentration of the voxels of ``mask``, not smoothed in space.
    mask, search : ndarray of bool, shape (x, y, z)
        The brain, and the part of it where arteries are sought.
    grid : Grid
    times : ndarray, shape (t,)
        In s.
    bolus : BolusArrival
        Its baseline ends before the *arteries* rise, so noise is measured without contrast.
    options : AIFOptions
    """

    curves: Volume
    mask: Mask
    search: Mask
    grid: Grid
    times: Curve
    bolus: BolusArrival
    options: AIFOptions


@dataclass(frozen=True, kw_only=True, eq=False)
class Cluster:
    """Voxels that may make an arterial input function, with their mean curve.

    ``voxels`` are positions in the list of the mask's voxels.
    """

    voxels: IntArray
    curve: Curve
    fit: GammaVariate | None
    candidate: Candidate


AIFRule = Callable[[ArterySearch], "list[Cluster]"]

AIF_RULES: Registry[AIFRule] = Registry("AIF rules")
"""A rule returns clusters with scores and verdicts, best first; the first one is taken.

It raises `InputError` where nothing looks like an artery. Rules draw no random numbers.
"""

"""What the checks look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from PyPeTLib.aif import AIFOptions, ArterialInputFunction, Hemispheres, VenousOutputFunction
from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.contrast import BolusArrival, Concentration
from PyPeTLib.deconvolution import noise_level
from PyPeTLib.maps import PerfusionMaps
from PyPeTLib.preprocess.motion import MotionCorrection
from PyPeTLib.series import PerfusionSeries

MOST_CURVES = 20_000
"""So many curves, spread evenly over the brain, tell as much about noise as all of them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """The products of a run that the checks look at; all but ``maps`` on the grid of ``working``.

    Attributes
    ----------
    working : PerfusionSeries
        As it was analysed.
    motion : MotionCorrection
    brain, analysed : ndarray of bool, shape (x, y, z)
        The mask, and the part of it whose curves were used.
    bolus : BolusArrival
    signal : ndarray of float32, shape (voxels, t)
        Signal of the analysed voxels in the first echo, not smoothed.
    unsmoothed, content : Concentration
        Of the analysed voxels, before and after smoothing and leakage correction.
    aif : ArterialInputFunction or None
    hemispheres : Hemispheres or None
    vof : VenousOutputFunction or None
    no_aif, no_vof : str
        Why there is none.
    maps : PerfusionMaps
        On the grid of the input.
    lost_area : ndarray of float32, shape (voxels,)
        Share of each curve's area beyond the end of the scan.
    lags : tuple of float
        Earliest and latest lag in s at which the impulse response's peak was sought.
    options : AIFOptions
    leakage : str
        The option ``contrast.leakage``.
    """

    working: PerfusionSeries
    motion: MotionCorrection
    brain: Mask
    analysed: Mask
    bolus: BolusArrival
    signal: Volume
    unsmoothed: Concentration
    content: Concentration
    aif: ArterialInputFunction | None
    hemispheres: Hemispheres | None
    vof: VenousOutputFunction | None
    no_aif: str
    no_vof: str
    maps: PerfusionMaps
    lost_area: Volume
    lags: tuple[float, float]
    options: AIFOptions
    leakage: str

    @property
    def times(self) -> Curve:
        """Frame times in s."""
        return self.working.frame_times

    @cached_property
    def mean_curve(self) -> Curve:
        """Mean concentration of the brain before smoothing, shape (t,)."""
        return np.asarray(self.unsmoothed.curves.mean(axis=0, dtype=np.float64))

    @cached_property
    def some(self) -> Volume:
        """Concentration of some voxels, spread evenly over the brain, shape (voxels, t)."""
        return self.unsmoothed.curves[:: max(1, len(self.unsmoothed.curves) // MOST_CURVES)]

    @cached_property
    def noise(self) -> float:
        """Standard deviation of one sample of one voxel, in the unit of concentration."""
        return noise_level(self.unsmoothed.curves)

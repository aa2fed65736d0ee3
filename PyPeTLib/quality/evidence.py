"""What the checks look at."""

from __future__ import annotations

from dataclasses import dataclass

from PyPeTLib.aif import AIFOptions, ArterialInputFunction, Hemispheres, VenousOutputFunction
from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.contrast import BolusArrival, Concentration
from PyPeTLib.maps import PerfusionMaps
from PyPeTLib.preprocess.motion import MotionCorrection
from PyPeTLib.quality.first_look import FirstLook
from PyPeTLib.series import PerfusionSeries


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
    first : FirstLook
        What the curves of the analysed voxels were before denoising.
    content : Concentration
        Of the analysed voxels, after denoising and leakage correction.
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
    first: FirstLook
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

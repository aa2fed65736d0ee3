"""The pipeline: the order of the stages, and a result that keeps every stage's product."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from PyPeTLib.aif import ArterialInputFunction, Hemispheres, VenousOutputFunction
from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.arterial_stage import Vessels, VesselSearch, deconvolved, find_vessels
from PyPeTLib.assembly import assemble_maps, unravelled
from PyPeTLib.config import Given, PipelineConfig
from PyPeTLib.contrast import BolusArrival, Concentration
from PyPeTLib.execution import Execution
from PyPeTLib.maps import PerfusionMaps
from PyPeTLib.masking import BrainMask
from PyPeTLib.preprocess.motion import MotionCorrection, correct_motion
from PyPeTLib.preprocess.resample import downsample
from PyPeTLib.quality import (
    Flag,
    bolus_flags,
    coverage_flags,
    curve_flags,
    leakage_flags,
    motion_flags,
    no_aif_flags,
    scale_flags,
    vessel_flags,
    vof_flags,
)
from PyPeTLib.series import PerfusionSeries
from PyPeTLib.stages import (
    brain_curves,
    check_calibration,
    check_contrast,
    denoised,
    find_brain,
    mask_between,
    to_concentration,
    with_curve_quantities,
    without_leakage,
)

STAGES = ("resample", "motion", "mask", "bolus", "aif", "smoothing", "deconvolution", "maps")
"""The stages in their order, as progress reports name them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PipelineResult:
    """The maps and what every stage made of the series.

    Attributes
    ----------
    series : PerfusionSeries
        The input.
    config : PipelineConfig
    working : PerfusionSeries
        The series as it was analysed: resampled and motion-corrected, not smoothed. The products below are on its
        grid, except ``maps``, which are on the grid of ``series``.
    motion : MotionCorrection
    brain : BrainMask
    analysed : ndarray of bool, shape (x, y, z)
        The brain's voxels that every frame covers and whose curves motion has not spoilt.
    bolus : BolusArrival
    concentration : Concentration
        Of the analysed voxels, after smoothing and leakage correction.
    aif : ArterialInputFunction or None
        That of the whole brain, or the higher one of both sides; None where no artery was found.
    hemispheres : Hemispheres or None
        The arterial input functions of both sides, where each was to have its own.
    vof : VenousOutputFunction or None
        None where no vein was found.
    maps : PerfusionMaps
    lost_area : ndarray of float32, shape (x, y, z)
        Share of each curve's area that lies beyond the end of the scan.
    flags : tuple of Flag
    seconds : dict
        Wall time of each stage; never written into results.
    """

    series: PerfusionSeries
    config: PipelineConfig
    working: PerfusionSeries
    motion: MotionCorrection
    brain: BrainMask
    analysed: Mask
    bolus: BolusArrival
    concentration: Concentration
    aif: ArterialInputFunction | None
    hemispheres: Hemispheres | None = None
    vof: VenousOutputFunction | None = None
    maps: PerfusionMaps
    lost_area: Volume
    flags: tuple[Flag, ...]
    seconds: dict[str, float]

    def on_input_grid(self, mask: Mask) -> Mask:
        """A mask of the working grid on the grid of the input series."""
        return mask_between(mask, self.working, self.series)


def run_pipeline(
    series: PerfusionSeries,
    config: PipelineConfig | None = None,
    progress: Callable[[str, float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    *,
    given: Given | None = None,
    threads: int | None = None,
) -> PipelineResult:
    """Quantitative maps from a raw perfusion series.

    Parameters
    ----------
    series : PerfusionSeries
    config : PipelineConfig, optional
        By default `PipelineConfig.for_modality`.
    progress : callable, optional
        Called with the stage's name and the share of it that is done (0…1), from the calling thread.
    cancelled : callable, optional
        Asked often; the run stops soon after it returns true.
    given : Given, optional
        Masks or an AIF of the user's, which win over the automatic ones.
    threads : int, optional
        By default all cores that the process may use. The result does not depend on it.

    Returns
    -------
    PipelineResult

    Raises
    ------
    InputError
        If the series or what was given cannot be used.
    CancelledError
        If ``cancelled`` returned true.
    """
    config = config or PipelineConfig.for_modality(series.modality)
    given = (given or Given()).checked(series)
    check_calibration(series, config, given)
    check_contrast(series, config)
    execution = Execution.of(threads, progress, cancelled)
    clock = _Clock(execution)

    with clock.stage("resample"):
        resampled = downsample(series, config.resample, execution)
    with clock.stage("motion"):
        motion = correct_motion(resampled, config.motion, execution)
    working = motion.series
    with clock.stage("mask"):
        brain = find_brain(working, series, config, given)
    with clock.stage("bolus"):
        curves = brain_curves(motion, brain, config, execution)
        bolus, analysed = curves.bolus, curves.analysed
        unsmoothed = to_concentration(curves.echoes, bolus, working, execution)
    with clock.stage("aif"):
        scene = VesselSearch(
            unsmoothed=unsmoothed,
            curves=curves,
            uncorrected=resampled,
            motion=motion,
            series=series,
            config=config,
            given=given,
        )
        vessels = find_vessels(scene, execution)
    with clock.stage("smoothing"):
        smoothed = denoised(unsmoothed, curves, working, config, execution)
        content, of_curves = without_leakage(smoothed, bolus, working, config, execution)
    with clock.stage("deconvolution"):
        quantities = None
        artery = vessels.hemispheres or vessels.aif
        if artery is not None and bolus.found:
            quantities = deconvolved(content, artery, analysed, working, config, execution)
            quantities = with_curve_quantities(quantities, of_curves)
    with clock.stage("maps"):
        maps = assemble_maps(
            quantities,
            analysed,
            working,
            series,
            bolus=bolus,
            method=config.deconvolution.method,
            options=config.quantification,
            white_matter=given.white_matter,
        )
    result = PipelineResult(
        series=series,
        config=config,
        working=working,
        motion=motion,
        brain=brain,
        analysed=analysed,
        bolus=bolus,
        concentration=content,
        aif=vessels.aif,
        hemispheres=vessels.hemispheres,
        vof=vessels.vof,
        maps=maps,
        lost_area=np.zeros(analysed.shape, np.float32)
        if quantities is None
        else unravelled(quantities.lost_area, analysed),
        flags=(),
        seconds=clock.seconds,
    )
    return replace(result, flags=_flags(result, unsmoothed, vessels))


def _flags(result: PipelineResult, unsmoothed: Concentration, vessels: Vessels) -> tuple[Flag, ...]:
    """What to know before trusting the maps, in the order of the stages."""
    bolus, motion = result.bolus, result.motion
    flags = motion_flags(motion.estimate, applied=motion.applied)
    flags += coverage_flags(result.brain.mask, result.analysed)
    flags += bolus_flags(bolus, unsmoothed.curves.mean(axis=0, dtype=np.float64))
    if vessels.aif is not None:
        mean_curve = result.concentration.curves.mean(axis=0, dtype=np.float64)
        flags += vessel_flags(
            vessels.hemispheres or vessels.aif, mean_curve, result.working.frame_times, result.config.aif
        )
        flags += vof_flags(vessels.aif, vessels.vof, vessels.no_vof, result.config.aif)
    elif bolus.found:
        flags += no_aif_flags(vessels.no_aif)
    flags += curve_flags(result.concentration, result.lost_area[result.analysed])
    if "tmax" in result.maps:
        tmax = result.maps["tmax"]
        flags += leakage_flags(result.config.contrast.leakage, tmax.values[tmax.valid])
    flags += scale_flags(calibrated=all(quantity.calibrated for quantity in result.maps.values()))
    return tuple(flags)


class _Clock:
    """Names the stage for progress reports and measures its time."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self._execution.stage = name
        self._execution.report(0.0)
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start
        self._execution.report(1.0)

"""The pipeline: the order of the stages, and a result that keeps every stage's product."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from PyPeTLib.aif import ArterialInputFunction, Hemispheres, VenousOutputFunction
from PyPeTLib.arrays import LabelVolume, Mask, Volume
from PyPeTLib.arterial_stage import Vessels, VesselSearch, deconvolved, find_vessels
from PyPeTLib.assembly import assemble_maps, unravelled
from PyPeTLib.config import Given, PipelineConfig
from PyPeTLib.contrast import BolusArrival, Concentration
from PyPeTLib.execution import Execution
from PyPeTLib.maps import PerfusionMaps
from PyPeTLib.masking import BrainMask, Mirror, TissueClasses, find_mirror, reference_tissue
from PyPeTLib.preprocess.denoising import vessel_like
from PyPeTLib.preprocess.motion import MotionCorrection, correct_motion
from PyPeTLib.preprocess.resample import downsample
from PyPeTLib.quality import Evidence, FirstLook, Flag, collect_flags
from PyPeTLib.series import PerfusionSeries
from PyPeTLib.stages import (
    brain_curves,
    check_calibration,
    check_contrast,
    denoised,
    find_brain,
    find_tissue,
    mask_between,
    to_concentration,
    with_curve_quantities,
    without_leakage,
)
from PyPeTLib.workspace import Workspace

STAGES = ("resample", "motion", "mask", "bolus", "symmetry", "aif", "tissue", "smoothing", "deconvolution", "maps")
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
        The series as it was analysed: resampled and motion-corrected, without frames of no use, not smoothed. The
        products below are on its grid and of its frames, except ``maps``, which are on the grid of ``series``.
    motion : MotionCorrection
    brain : BrainMask
    mirror : Mirror
        What lies opposite each voxel.
    tissue : TissueClasses
        CSF, large vessels and tissue.
    analysed : ndarray of bool, shape (x, y, z)
        The brain's voxels that every frame covers and whose curves motion has not spoilt.
    bolus : BolusArrival
    baseline_image : ndarray of float32, shape (x, y, z)
        Mean of the working frames before the bolus.
    concentration : Concentration
        Of the analysed voxels, after smoothing and leakage correction.
    aif : ArterialInputFunction or None
        That of the whole brain, or the higher one of both sides; None where no artery was found.
    hemispheres : Hemispheres or None
        The arterial input functions of both sides, where each was to have its own.
    vof : VenousOutputFunction or None
        None where no vein was found.
    maps : PerfusionMaps
    lost : ndarray of float32, shape (voxels,)
        Share of each analysed curve's area that lies beyond the end of the scan.
    flags : tuple of Flag
    seconds : dict
        Wall time of each stage; never written into results.
    """

    series: PerfusionSeries
    config: PipelineConfig
    working: PerfusionSeries
    motion: MotionCorrection
    brain: BrainMask
    mirror: Mirror
    tissue: TissueClasses
    analysed: Mask
    bolus: BolusArrival
    baseline_image: Volume
    concentration: Concentration
    aif: ArterialInputFunction | None
    hemispheres: Hemispheres | None = None
    vof: VenousOutputFunction | None = None
    maps: PerfusionMaps
    lost: Volume
    flags: tuple[Flag, ...]
    seconds: dict[str, float]

    @cached_property
    def normal_tissue(self) -> Mask:
        """Normal-appearing tissue on the grid of the input series; see `reference_tissue`."""
        mirror = replace(self.mirror, grid=self.series.grid)
        return reference_tissue(self.on_input_grid(self.tissue.parenchyma), self.maps, mirror)

    def tissue_labels(self) -> LabelVolume:
        """The classes of tissue as labels on the grid of the input series."""
        if self.working.grid.shape == self.series.grid.shape:
            return self.tissue.labels
        labels = np.zeros(self.series.grid.shape, np.uint8)
        for kind in self.tissue.volumes():
            labels[self.on_input_grid(self.tissue.mask(kind))] = kind
        return labels

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
    workspace: Workspace | None = None,
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
    workspace : Workspace, optional
        Where large arrays live: in memory by default, or in scratch files beyond a limit. The result does not depend
        on it.

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
    execution = Execution.of(threads, progress, cancelled, workspace)
    clock = _Clock(execution)

    with clock.stage("resample"):
        resampled = downsample(series, config.resample, execution)
    with clock.stage("motion"):
        motion = correct_motion(resampled, config.motion, execution, finer=series)
    working = motion.series
    with clock.stage("mask"):
        brain = find_brain(motion, series, config, given)
    with clock.stage("bolus"):
        curves = brain_curves(motion, brain, config, execution)
        bolus, analysed = curves.bolus, curves.analysed
        unsmoothed = to_concentration(curves.echoes, bolus, working, execution)
    with clock.stage("symmetry"):
        before = working.mean(bolus.baseline, execution.workspace)
        mirror = find_mirror(before, brain.mask, working.grid, working.modality)
    with clock.stage("aif"):
        scene = VesselSearch(
            unsmoothed=unsmoothed,
            curves=curves,
            mirror=mirror,
            uncorrected=motion.uncorrected,
            motion=motion,
            series=series,
            config=config,
            given=given,
        )
        vessels = find_vessels(scene, execution)
    with clock.stage("tissue"):
        tissue = find_tissue(curves, unsmoothed, brain, working, config, execution)
        first = FirstLook.of(curves.signal, unsmoothed, bolus.baseline, working.modality)
        excluded = vessel_like(unsmoothed.curves, config.denoising.vessel_ratio)
    # curves are large: what the run has done with is given back
    del scene, unsmoothed
    with clock.stage("smoothing"):
        content = denoised(curves, excluded, first.noise, working, config, execution)
        if not curves.of_use.all():
            content, analysed = content.of(curves.of_use), unravelled(curves.of_use, analysed)
        del curves
        content, of_curves = without_leakage(content, bolus, working, config, execution)
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
            config=config,
            white_matter=given.white_matter,
            workspace=execution.workspace,
        )
    result = PipelineResult(
        series=series,
        config=config,
        working=working,
        motion=motion,
        brain=brain,
        mirror=mirror,
        tissue=tissue,
        analysed=analysed,
        bolus=bolus,
        baseline_image=before,
        concentration=content,
        aif=vessels.aif,
        hemispheres=vessels.hemispheres,
        vof=vessels.vof,
        maps=maps,
        lost=np.zeros(np.count_nonzero(analysed), np.float32) if quantities is None else quantities.lost_area,
        flags=(),
        seconds=clock.seconds,
    )
    return replace(result, flags=_flags(result, first, vessels))


def _flags(result: PipelineResult, first: FirstLook, vessels: Vessels) -> tuple[Flag, ...]:
    """What to know before trusting the maps, in the order of the stages."""
    options = result.config.deconvolution
    return collect_flags(
        Evidence(
            working=result.working,
            motion=result.motion,
            brain=result.brain.mask,
            analysed=result.analysed,
            bolus=result.bolus,
            first=first,
            content=result.concentration,
            aif=vessels.aif,
            hemispheres=vessels.hemispheres,
            vof=vessels.vof,
            no_aif=vessels.no_aif,
            no_vof=vessels.no_vof,
            maps=result.maps,
            lost_area=result.lost,
            lags=(options.earliest_lag, options.latest_lag),
            options=result.config.aif,
            leakage=result.config.contrast.leakage,
        )
    )


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

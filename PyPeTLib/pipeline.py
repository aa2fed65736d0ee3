"""The pipeline: the order of the stages, and a result that keeps every stage's product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from PyPeTLib.aif import ArterialInputFunction, Hemispheres, VenousOutputFunction
from PyPeTLib.arrays import LabelVolume, Mask, Volume
from PyPeTLib.arterial_stage import Vessels
from PyPeTLib.config import Given, PipelineConfig
from PyPeTLib.contrast import BolusArrival, Concentration
from PyPeTLib.course import Course, Intermediates
from PyPeTLib.execution import Execution
from PyPeTLib.maps import PerfusionMaps
from PyPeTLib.masking import BrainMask, Mirror, TissueClasses, reference_tissue
from PyPeTLib.memory import NoMemory, StageMemory
from PyPeTLib.preprocess.motion import MotionCorrection
from PyPeTLib.quality import Evidence, FirstLook, Flag, collect_flags
from PyPeTLib.series import PerfusionSeries
from PyPeTLib.stages import check_calibration, check_contrast, mask_between
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
    intermediate : Intermediates or None
        The curves before denoising, where the run had a memory to keep them in.
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
    intermediate: Intermediates | None = None

    @cached_property
    def normal_tissue(self) -> Mask:
        """Normal-appearing tissue on the grid of the input series; see `reference_tissue`."""
        mirror = replace(self.mirror, grid=self.series.grid)
        return reference_tissue(self.on_input_grid(self.tissue.parenchyma), self.maps, mirror)

    @property
    def searched(self) -> bool:
        """Whether arteries were looked for, and candidates found."""
        arteries = (self.aif,) if self.hemispheres is None else (self.hemispheres.left, self.hemispheres.right)
        return any(aif is not None and aif.candidates for aif in arteries)

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
    memory: StageMemory | None = None,
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
    memory : StageMemory, optional
        What the last run's stages made: those whose inputs are the same are not run again. The result does not depend
        on it, except that it then has ``intermediate``.

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
    if memory is not None:
        given = given.copied()
    check_calibration(series, config, given)
    check_contrast(series, config)
    execution = Execution.of(threads, progress, cancelled, workspace)
    course = Course(series, config, given, NoMemory() if memory is None else memory, execution)
    try:
        return _through(course, keep=memory is not None)
    finally:
        # frames that are moved on demand go on using this execution: nobody watches any more
        execution.unwatch()


def _through(course: Course, *, keep: bool) -> PipelineResult:
    """The stages in their order."""
    motion = course.motion()
    brain = course.brain(motion)
    early = course.early_curves(motion, brain)
    before, mirror = course.symmetry(motion, brain, early)
    vessels = course.vessels(motion, early, mirror)
    anatomy = course.anatomy(motion, brain, early)
    intermediate = early if keep else None
    if not keep:
        # curves are large: what the run has done with is given back
        early = replace(early, unsmoothed=early.unsmoothed.of(np.zeros(len(early.curves.signal), bool)))
    late = course.denoised(motion, early, anatomy)
    bolus = early.curves.bolus
    del early
    quantities = course.quantities(motion, late, vessels)
    maps = course.maps(motion, late, quantities)
    result = PipelineResult(
        series=course.series,
        config=course.config,
        working=motion.series,
        motion=motion,
        brain=brain,
        mirror=mirror,
        tissue=anatomy.tissue,
        analysed=late.analysed,
        bolus=bolus,
        baseline_image=before,
        concentration=late.content,
        aif=vessels.aif,
        hemispheres=vessels.hemispheres,
        vof=vessels.vof,
        maps=maps,
        lost=np.zeros(len(late.content.curves), np.float32) if quantities is None else quantities.lost_area,
        flags=(),
        seconds=course.seconds,
        intermediate=intermediate,
    )
    return replace(result, flags=_flags(result, anatomy.first, vessels))


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

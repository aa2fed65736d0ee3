"""One run's way through the stages: what each hands on, and what its product depends on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.arterial_stage import Vessels, VesselSearch, deconvolved, find_vessels
from PyPeTLib.assembly import assemble_maps, unravelled
from PyPeTLib.config import Given, PipelineConfig
from PyPeTLib.contrast import BolusArrival, Concentration
from PyPeTLib.execution import Execution
from PyPeTLib.maps import PerfusionMaps
from PyPeTLib.masking import BrainMask, Mirror, TissueClasses, find_mirror
from PyPeTLib.memory import StageMemory
from PyPeTLib.preprocess.denoising import vessel_like
from PyPeTLib.preprocess.motion import MotionCorrection, correct_motion
from PyPeTLib.preprocess.resample import downsample
from PyPeTLib.quality import FirstLook
from PyPeTLib.quantification import CurveMeasures, Quantities
from PyPeTLib.series import PerfusionSeries
from PyPeTLib.stages import (
    BrainCurves,
    brain_curves,
    denoised,
    find_brain,
    find_tissue,
    to_concentration,
    with_curve_quantities,
    without_leakage,
)

Product = TypeVar("Product")


@dataclass(frozen=True, kw_only=True, eq=False)
class Intermediates:
    """What is too large to be kept by every run.

    Attributes
    ----------
    curves : BrainCurves
        Signal of the brain.
    unsmoothed : Concentration
        Of the same voxels, before denoising.
    """

    curves: BrainCurves
    unsmoothed: Concentration

    @property
    def bolus(self) -> BolusArrival:
        """The bolus in these curves."""
        return self.curves.bolus


@dataclass(frozen=True, kw_only=True, eq=False)
class Anatomy:
    """Classes of tissue, the noise and scale of the curves, and which of them are vessels."""

    tissue: TissueClasses
    first: FirstLook
    vessels: Mask


@dataclass(frozen=True, kw_only=True, eq=False)
class Denoised:
    """What is deconvolved, the voxels that it belongs to, and what the curves themselves tell."""

    content: Concentration
    analysed: Mask
    of_curves: dict[str, tuple[Volume, Mask]]
    measures: CurveMeasures
    bolus: BolusArrival


class Course:
    """The stages of one run, each of which names what it depends on and recalls its product if that is unchanged.

    Parameters
    ----------
    series : PerfusionSeries
    config : PipelineConfig
    given : Given
    memory : StageMemory
    execution : Execution
        Told the name of each stage.
    """

    def __init__(
        self, series: PerfusionSeries, config: PipelineConfig, given: Given, memory: StageMemory, execution: Execution
    ) -> None:
        self.series, self.config, self.given = series, config, given
        self.seconds: dict[str, float] = {}
        self._memory, self._execution = memory, execution
        memory.begin()

    def motion(self) -> MotionCorrection:
        """The series at its working resolution, with motion undone."""
        series, config, execution = self.series, self.config, self._execution
        resampled = self._product(
            "resample", (series, config.resample), lambda: downsample(series, config.resample, execution)
        )
        return self._product(
            "motion",
            (resampled, series, config.motion),
            lambda: correct_motion(resampled, config.motion, execution, finer=series),
        )

    def brain(self, motion: MotionCorrection) -> BrainMask:
        """The brain mask."""
        config, given = self.config, self.given
        inputs = (motion, config.mask, config.contrast, given.brain_mask)
        return self._product("mask", inputs, lambda: find_brain(motion, self.series, config, given))

    def early_curves(self, motion: MotionCorrection, brain: BrainMask) -> Intermediates:
        """Curves of the brain before denoising, and the bolus in them."""
        config = self.config

        def make() -> Intermediates:
            curves = brain_curves(motion, brain, config, self._execution)
            unsmoothed = to_concentration(curves.echoes, curves.bolus, motion.series, self._execution)
            return Intermediates(curves=curves, unsmoothed=unsmoothed)

        return self._product("bolus", (motion, brain, config.contrast, config.motion), make)

    def symmetry(self, motion: MotionCorrection, brain: BrainMask, early: Intermediates) -> tuple[Volume, Mirror]:
        """The mean image before the bolus, and what lies opposite each voxel."""
        working = motion.series

        def make() -> tuple[Volume, Mirror]:
            before = working.mean(early.bolus.baseline, self._execution.workspace)
            return before, find_mirror(before, brain.mask, working.grid, working.modality)

        return self._product("symmetry", (motion, brain, early), make)

    def vessels(self, motion: MotionCorrection, early: Intermediates, mirror: Mirror) -> Vessels:
        """Arteries and the vein."""
        config, given = self.config, self.given
        of_user = (given.aif_mask, given.aif_curve, given.aif_population, given.vof_mask)

        def make() -> Vessels:
            search = VesselSearch(
                unsmoothed=early.unsmoothed,
                curves=early.curves,
                mirror=mirror,
                uncorrected=motion.uncorrected,
                motion=motion,
                series=self.series,
                config=config,
                given=given,
            )
            return find_vessels(search, self._execution)

        return self._product("aif", (motion, early, mirror, config.aif, of_user), make)

    def anatomy(self, motion: MotionCorrection, brain: BrainMask, early: Intermediates) -> Anatomy:
        """What kind of tissue each voxel is, and how good the curves are."""
        config, working = self.config, motion.series

        def make() -> Anatomy:
            curves, unsmoothed = early.curves, early.unsmoothed
            return Anatomy(
                tissue=find_tissue(curves, unsmoothed, brain, working, config, self._execution),
                first=FirstLook.of(curves.signal, unsmoothed, early.bolus.baseline, working.modality),
                vessels=vessel_like(unsmoothed.curves, config.denoising.vessel_ratio),
            )

        return self._product("tissue", (motion, brain, early, config.tissue, config.denoising.vessel_ratio), make)

    def denoised(self, motion: MotionCorrection, early: Intermediates, anatomy: Anatomy) -> Denoised:
        """The curves that are deconvolved."""
        config, working, curves = self.config, motion.series, early.curves
        arrival = config.quantification.maps == "all"

        def make() -> Denoised:
            content = denoised(curves, anatomy.vessels, anatomy.first.noise, working, config, self._execution)
            analysed = curves.analysed
            if not curves.of_use.all():
                content, analysed = content.of(curves.of_use), unravelled(curves.of_use, analysed)
            content, of_curves = without_leakage(content, curves.bolus, working, config, self._execution)
            measures = CurveMeasures.of(content.curves, working.frame_times, self._execution, arrival=arrival)
            return Denoised(
                content=content, analysed=analysed, of_curves=of_curves, measures=measures, bolus=curves.bolus
            )

        return self._product("smoothing", (motion, early, anatomy, config.denoising, config.contrast, arrival), make)

    def quantities(self, motion: MotionCorrection, late: Denoised, vessels: Vessels) -> Quantities | None:
        """What the deconvolution finds in each voxel; None without a bolus or an artery."""
        config = self.config

        def make() -> Quantities | None:
            artery = vessels.hemispheres or vessels.aif
            if artery is None or not late.bolus.found:
                return None
            content, measures = late.content, late.measures
            found = deconvolved(
                content, artery, late.analysed, motion.series, config, self._execution, measures=measures
            )
            return with_curve_quantities(found, late.of_curves)

        options = (config.aif.curve, config.contrast, config.deconvolution, config.quantification)
        return self._product("deconvolution", (motion, late, vessels, options), make)

    def maps(self, motion: MotionCorrection, late: Denoised, quantities: Quantities | None) -> PerfusionMaps:
        """The maps on the grid of the series."""
        config, white_matter = self.config, self.given.white_matter
        options = (config.quantification, config.deconvolution.method, config.lesions.hypoperfusion_map)
        return self._product(
            "maps",
            (motion, late, quantities, options, white_matter),
            lambda: assemble_maps(
                quantities,
                late.analysed,
                motion.series,
                self.series,
                bolus=late.bolus,
                config=config,
                white_matter=white_matter,
                workspace=self._execution.workspace,
            ),
        )

    def _product(self, stage: str, inputs: tuple[Any, ...], make: Callable[[], Product]) -> Product:
        """What a stage makes of its inputs, or made of the same inputs before; named for progress, and timed."""
        self._execution.stage = stage
        self._execution.report(0.0)
        start = time.perf_counter()
        product = self._memory.recall(stage, inputs, make)
        self.seconds[stage] = time.perf_counter() - start
        self._execution.report(1.0)
        return product

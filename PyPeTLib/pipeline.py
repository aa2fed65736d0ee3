"""The pipeline: the order of the stages, their configuration, and a result that keeps every stage's product."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any, Self

import numpy as np

from PyPeTLib.aif import AIFOptions, ArterialInputFunction, aif_from_curve, aif_from_mask, select_aif
from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.assembly import assemble_maps, unravelled
from PyPeTLib.contrast import BolusArrival, Concentration, ContrastOptions, concentration, find_bolus
from PyPeTLib.deconvolution import DeconvolutionOptions, Estimate, deconvolve
from PyPeTLib.errors import InputError
from PyPeTLib.execution import Execution, single_threaded_blas
from PyPeTLib.io.toml import read_toml, write_toml
from PyPeTLib.maps import PerfusionMaps
from PyPeTLib.masking import BrainMask, MaskOptions, brain_mask, erode_mm
from PyPeTLib.options import Options
from PyPeTLib.preprocess.artefact import predict_artefact
from PyPeTLib.preprocess.motion import MotionCorrection, MotionOptions, correct_motion
from PyPeTLib.preprocess.refined import refined_curves
from PyPeTLib.preprocess.resample import ResampleOptions, downsample, resample_map
from PyPeTLib.preprocess.smoothing import SmoothingOptions, keep_components, smooth_inside, vessel_like
from PyPeTLib.quality import Flag, aif_flags, bolus_flags, curve_flags, motion_flags, no_aif_flag, uncalibrated_flag
from PyPeTLib.quantification import QuantificationOptions, Quantities, quantify
from PyPeTLib.series import Modality, PerfusionSeries

STAGES = ("resample", "motion", "mask", "bolus", "aif", "smoothing", "deconvolution", "maps")
"""The stages in their order, as progress reports name them."""


@dataclass(frozen=True, kw_only=True)
class PipelineConfig(Options):
    """All options of all stages."""

    resample: ResampleOptions = field(default_factory=ResampleOptions)
    motion: MotionOptions = field(default_factory=MotionOptions)
    mask: MaskOptions = field(default_factory=MaskOptions)
    contrast: ContrastOptions = field(default_factory=ContrastOptions)
    aif: AIFOptions = field(default_factory=AIFOptions)
    smoothing: SmoothingOptions = field(default_factory=SmoothingOptions)
    deconvolution: DeconvolutionOptions = field(default_factory=DeconvolutionOptions)
    quantification: QuantificationOptions = field(default_factory=QuantificationOptions)

    @classmethod
    def for_modality(cls, modality: Modality, changes: Mapping[str, Mapping[str, Any]] | None = None) -> Self:
        """The defaults for a modality, with changes as nested tables: ``{"aif": {"erosion": 2.0}}``."""
        tables = {name: dict(table) for name, table in _BY_MODALITY[modality].items()}
        for name, table in (changes or {}).items():
            tables[name] = {**tables.get(name, {}), **table} if isinstance(table, Mapping) else table
        return cls.from_mapping(tables)

    @classmethod
    def read(cls, path: str | PathLike[str], modality: Modality) -> Self:
        """Options from a TOML file; what it leaves out keeps its default for the modality."""
        return cls.for_modality(modality, read_toml(path))

    def write(self, path: str | PathLike[str]) -> None:
        """Write all options as TOML."""
        write_toml(path, self.to_mapping())


_BY_MODALITY: dict[Modality, dict[str, dict[str, Any]]] = {
    # CT is noisier a voxel, and its curves are few shapes; MR has less noise and larger voxels to blur.
    Modality.CTP: {"smoothing": {"sigma": 2.0, "temporal_rank": 6}},
    Modality.DSC: {
        "smoothing": {"sigma": 0.75, "temporal_rank": 0},
        "deconvolution": {"oscillation_index": 0.036},
    },
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Given:
    """What the user supplies in place of a stage's own finding; masks on the grid of the series.

    Attributes
    ----------
    brain_mask, aif_mask, white_matter : ndarray of bool, shape (x, y, z)
        ``white_matter`` marks normal white matter, to which DSC maps may be scaled.
    aif_curve : tuple of two ndarrays
        Times in s and concentration (HU or 1/s).
    """

    brain_mask: Mask | None = None
    aif_mask: Mask | None = None
    aif_curve: tuple[Curve, Curve] | None = None
    white_matter: Mask | None = None

    def checked(self, series: PerfusionSeries) -> Given:
        """Self, if all masks fit the series and hold voxels."""
        for name, mask in (
            ("brain mask", self.brain_mask),
            ("AIF mask", self.aif_mask),
            ("white matter mask", self.white_matter),
        ):
            if mask is None:
                continue
            if mask.shape != series.grid.shape:
                raise InputError(f"the {name} has shape {mask.shape}, the series {series.grid.shape}")
            if not mask.any():
                raise InputError(f"the {name} is empty: it marks no voxel")
        if self.aif_mask is not None and self.aif_curve is not None:
            raise InputError("both an AIF mask and an AIF curve were given; give one of them")
        return self


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
        Of the analysed voxels, after smoothing.
    aif : ArterialInputFunction or None
        None where no artery was found.
    maps : PerfusionMaps
    truncated : ndarray of bool, shape (x, y, z)
        Where the bolus has not passed when the scan ends.
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
    maps: PerfusionMaps
    truncated: Mask
    flags: tuple[Flag, ...]
    seconds: dict[str, float]

    def on_input_grid(self, mask: Mask) -> Mask:
        """A mask of the working grid on the grid of the input series."""
        return _mask_between(mask, self.working, self.series)


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
    _check_calibration(series, config, given)
    execution = Execution.of(threads, progress, cancelled)
    clock = _Clock(execution)

    with clock.stage("resample"):
        resampled = downsample(series, config.resample, execution)
    with clock.stage("motion"):
        motion = correct_motion(resampled, config.motion, execution)
    working = motion.series
    with clock.stage("mask"):
        brain = _find_brain(working, series, config, given)
    with clock.stage("bolus"):
        # what left the field of view in some frame has no whole curve
        analysed = brain.mask & motion.covered
        signal = masked_signal(working, analysed)
        bolus = find_bolus(signal, working.frame_times, working.modality, config.contrast)
        undisturbed = analysed
        if motion.applied:
            signal, analysed, undisturbed = _without_artefact(signal, analysed, bolus, motion, execution)
        unsmoothed = _concentration(signal, bolus, working, execution)
        flags = bolus_flags(bolus, unsmoothed.curves.mean(axis=0, dtype=np.float64))
        flags += motion_flags(motion.estimate, applied=motion.applied)
    with clock.stage("aif"):
        aif, reason = _find_aif(unsmoothed, working, series, analysed, undisturbed, bolus, config, given)
        if aif is not None and aif.mask is not None and motion.applied:
            aif = _refined_aif(aif, aif.mask, resampled, motion, bolus, execution)
    with clock.stage("smoothing"):
        vessels = vessel_like(unsmoothed.curves, config.smoothing.vessel_ratio)
        smoothed = smooth_inside(
            signal, analysed, ~vessels, config.smoothing.sigma, working.grid.voxel_sizes, execution
        )
        content = _concentration(smoothed, bolus, working, execution)
        with single_threaded_blas():
            curves = keep_components(content.curves, ~vessels, config.smoothing.temporal_rank)
        content = replace(content, curves=curves)
    with clock.stage("deconvolution"):
        quantities = None
        if aif is not None and bolus.found:
            quantities = _quantities(content, aif, working, config, execution)
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
        truncated = np.zeros_like(analysed) if quantities is None else unravelled(quantities.truncated, analysed)
        if aif is None:
            flags.append(no_aif_flag(reason))
        else:
            flags += aif_flags(aif, content.curves.mean(axis=0, dtype=np.float64), working.frame_times)
        flags += curve_flags(content, truncated[analysed])
        if any(not m.calibrated for m in maps.values()):
            flags.append(uncalibrated_flag())
    return PipelineResult(
        series=series,
        config=config,
        working=working,
        motion=motion,
        brain=brain,
        analysed=analysed,
        bolus=bolus,
        concentration=content,
        aif=aif,
        maps=maps,
        truncated=truncated,
        flags=tuple(flags),
        seconds=clock.seconds,
    )


def masked_signal(series: PerfusionSeries, mask: Mask) -> Volume:
    """Signal curves of the voxels of a mask, shape (voxels, t), in the order of boolean indexing."""
    signal = np.empty((int(np.count_nonzero(mask)), series.n_frames), np.float32)
    for frame in range(series.n_frames):
        signal[:, frame] = series.data[..., frame][mask]
    return signal


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


def _check_calibration(series: PerfusionSeries, config: PipelineConfig, given: Given) -> None:
    wanted = config.quantification.white_matter_cbf > 0
    if wanted and series.modality is not Modality.DSC:
        raise InputError("white_matter_cbf scales DSC maps; CT maps have an absolute scale already")
    if wanted != (given.white_matter is not None):
        raise InputError(
            "to scale DSC maps, give both the flow of normal white matter (white_matter_cbf) and a mask of it "
            "(--white-matter-mask); only one of them was given"
        )


def _mask_between(mask: Mask, source: PerfusionSeries, target: PerfusionSeries) -> Mask:
    if source.grid.shape == target.grid.shape:
        return mask
    moved: Mask = resample_map(mask.astype(np.float32), source.grid, target.grid, order=1) >= 0.5
    return moved


def _find_brain(working: PerfusionSeries, series: PerfusionSeries, config: PipelineConfig, given: Given) -> BrainMask:
    if given.brain_mask is not None:
        return BrainMask(mask=_mask_between(given.brain_mask, series, working))
    frames = slice(None)
    if working.modality is Modality.DSC:
        # The bolus darkens the brain, so the mask is made from the frames before it; foreground will do to find it.
        mean = working.data.mean(axis=3)
        foreground = masked_signal(working, mean > mean.mean())
        frames = find_bolus(foreground, working.frame_times, working.modality, config.contrast).baseline
    mean = working.data[..., frames].mean(axis=3, dtype=np.float32)
    return brain_mask(mean, working.grid, working.modality, config.mask)


def _without_artefact(
    signal: Volume, analysed: Mask, bolus: BolusArrival, motion: MotionCorrection, execution: Execution
) -> tuple[Volume, Mask, Mask]:
    """Signal curves without the predicted error of the interpolation; where it is small; where it hardly matters."""
    artefact = predict_artefact(motion.series, analysed, bolus.baseline, motion.estimate, execution)
    error = artefact.error
    if motion.series.modality is Modality.DSC:
        # the bolus scales the signal, and the error with it
        near = signal[artefact.voxels]
        error = error * np.clip(near / np.maximum(near[:, bolus.baseline].mean(axis=1), 1)[:, None], 0, 1)
    signal[artefact.voxels] -= error
    largest = artefact.largest(len(signal))
    keep = largest <= artefact.limit
    return signal[keep], unravelled(keep, analysed), unravelled(largest <= artefact.limit / 3, analysed)


def _concentration(signal: Volume, bolus: BolusArrival, series: PerfusionSeries, execution: Execution) -> Concentration:
    return concentration(signal, bolus, series.modality, echo_time=series.acquisition.echo_time, execution=execution)


def _find_aif(
    unsmoothed: Concentration,
    working: PerfusionSeries,
    series: PerfusionSeries,
    analysed: Mask,
    undisturbed: Mask,
    bolus: BolusArrival,
    config: PipelineConfig,
    given: Given,
) -> tuple[ArterialInputFunction | None, str]:
    """The AIF, or None and why there is none."""
    times = working.frame_times
    if given.aif_curve is not None:
        return aif_from_curve(*given.aif_curve, times), ""
    if given.aif_mask is not None:
        mask = _mask_between(given.aif_mask, series, working)
        curves = _concentration(masked_signal(working, mask), bolus, working, Execution(threads=1)).curves
        return aif_from_mask(curves, mask, times, bolus.baseline), ""
    if not bolus.found:
        return None, "no bolus was found, so there is no artery to look for"
    search = erode_mm(analysed, working.grid, config.aif.erosion) & undisturbed
    try:
        return select_aif(unsmoothed.curves, analysed, search, working.grid, times, bolus, config.aif), ""
    except InputError as error:
        return None, str(error)


def _refined_aif(
    aif: ArterialInputFunction,
    mask: Mask,
    uncorrected: PerfusionSeries,
    motion: MotionCorrection,
    bolus: BolusArrival,
    execution: Execution,
) -> ArterialInputFunction:
    """The same artery with a curve that interpolation has not flattened."""
    signal = refined_curves(uncorrected, mask, bolus.baseline, motion.estimate)
    curves = _concentration(signal, bolus, uncorrected, execution).curves
    refined = aif_from_mask(curves, mask, uncorrected.frame_times, bolus.baseline)
    return replace(refined, source=aif.source, candidates=aif.candidates)


def _quantities(
    content: Concentration,
    aif: ArterialInputFunction,
    working: PerfusionSeries,
    config: PipelineConfig,
    execution: Execution,
) -> Quantities:
    curve = aif.curve(working.frame_times, config.aif.curve)
    estimate: Estimate = deconvolve(content.curves, curve, working.frame_times, config.deconvolution, execution)
    return quantify(content.curves, curve, working.frame_times, estimate, config.quantification)

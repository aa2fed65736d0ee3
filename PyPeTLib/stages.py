"""What each stage of the pipeline hands from one part of the library to the next."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from PyPeTLib.aif import ArterialInputFunction, aif_from_curve, aif_from_mask, brightest, select_aif
from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.assembly import unravelled
from PyPeTLib.config import Given, PipelineConfig
from PyPeTLib.contrast import BolusArrival, Concentration, concentration, find_bolus
from PyPeTLib.contrast.features import smooth_in_time
from PyPeTLib.deconvolution import deconvolve
from PyPeTLib.errors import InputError
from PyPeTLib.execution import Execution
from PyPeTLib.masking import BrainMask, brain_mask, erode_mm
from PyPeTLib.preprocess.artefact import predict_artefact
from PyPeTLib.preprocess.motion import MotionCorrection
from PyPeTLib.preprocess.refined import refined_curves
from PyPeTLib.preprocess.resample import resample_map
from PyPeTLib.preprocess.smoothing import keep_components, smooth_inside, vessel_like
from PyPeTLib.quantification import Quantities, quantify
from PyPeTLib.series import Modality, PerfusionSeries

LITTLE = 0.3
"""Share of the tolerated disturbance below which an artery may be taken from a voxel."""


def check_calibration(series: PerfusionSeries, config: PipelineConfig, given: Given) -> None:
    """Refuse half of a calibration: a flow of white matter without a mask of it, or the other way round."""
    wanted = config.quantification.white_matter_cbf > 0
    if wanted and series.modality is not Modality.DSC:
        raise InputError("white_matter_cbf scales DSC maps; CT maps have an absolute scale already")
    if wanted != (given.white_matter is not None):
        raise InputError(
            "to scale DSC maps, give both the flow of normal white matter (white_matter_cbf) and a mask of it "
            "(--white-matter-mask); only one of them was given"
        )


def mask_between(mask: Mask, source: PerfusionSeries, target: PerfusionSeries) -> Mask:
    """A mask on the grid of one series, brought to that of another (they differ after downsampling)."""
    if source.grid.shape == target.grid.shape:
        return mask
    moved: Mask = resample_map(mask.astype(np.float32), source.grid, target.grid, order=1) >= 0.5
    return moved


def find_brain(working: PerfusionSeries, series: PerfusionSeries, config: PipelineConfig, given: Given) -> BrainMask:
    """The brain mask given, or the one found in the mean image."""
    if given.brain_mask is not None:
        return BrainMask(mask=mask_between(given.brain_mask, series, working))
    frames = slice(None)
    if working.modality is Modality.DSC:
        # The bolus darkens the brain, so the mask is made from the frames before it; foreground will do to find it.
        mean = working.data.mean(axis=3)
        foreground = masked_signal(working, mean > mean.mean())
        frames = find_bolus(foreground, working.frame_times, working.modality, config.contrast).baseline
    mean = working.data[..., frames].mean(axis=3, dtype=np.float32)
    return brain_mask(mean, working.grid, working.modality, config.mask)


@dataclass(frozen=True, kw_only=True, eq=False)
class BrainCurves:
    """Signal curves of the brain, free of what motion has spoilt.

    Attributes
    ----------
    signal : ndarray of float32, shape (voxels, t)
    analysed : ndarray of bool, shape (x, y, z)
        The voxels that the curves belong to.
    disturbance : ndarray of float32, shape (voxels,)
        Largest predicted error of the motion correction, as a share of what is tolerated.
    bolus : BolusArrival
    """

    signal: Volume
    analysed: Mask
    disturbance: Volume
    bolus: BolusArrival


def brain_curves(
    motion: MotionCorrection, brain: BrainMask, config: PipelineConfig, execution: Execution
) -> BrainCurves:
    """Signal curves of the brain and the bolus in them; interpolation artefacts are predicted and taken away."""
    working = motion.series

    def bolus_in(curves: Volume) -> BolusArrival:
        return find_bolus(curves, working.frame_times, working.modality, config.contrast)

    # what left the field of view in some frame has no whole curve
    analysed = brain.mask & motion.covered
    signal = masked_signal(working, analysed)
    bolus = bolus_in(signal)
    if not motion.applied:
        calm = np.zeros(len(signal), np.float32)
        return BrainCurves(signal=signal, analysed=analysed, disturbance=calm, bolus=bolus)
    artefact = predict_artefact(working, analysed, bolus.baseline, motion.estimate, execution)
    error = artefact.error
    if working.modality is Modality.DSC:
        # the bolus scales the signal, and the error with it
        near = signal[artefact.voxels]
        error = error * np.clip(near / np.maximum(near[:, bolus.baseline].mean(axis=1), 1)[:, None], 0, 1)
    if config.motion.interpolation == "linear":
        # cubic splines leave another error; what linear ones would leave then only tells where to be careful
        signal[artefact.voxels] -= error
    disturbance = artefact.largest(len(signal)) / np.float32(artefact.limit)
    keep = disturbance <= 1
    return BrainCurves(
        signal=signal[keep],
        analysed=unravelled(keep, analysed),
        disturbance=disturbance[keep],
        bolus=bolus_in(signal[keep]),
    )


def to_concentration(
    signal: Volume, bolus: BolusArrival, series: PerfusionSeries, execution: Execution
) -> Concentration:
    """Concentration of signal curves of a series."""
    return concentration(signal, bolus, series.modality, echo_time=series.acquisition.echo_time, execution=execution)


def find_aif(
    unsmoothed: Concentration,
    curves: BrainCurves,
    working: PerfusionSeries,
    series: PerfusionSeries,
    config: PipelineConfig,
    given: Given,
) -> tuple[ArterialInputFunction | None, str]:
    """The AIF, or None and why there is none."""
    times, bolus, analysed = working.frame_times, curves.bolus, curves.analysed
    if given.aif_curve is not None:
        return aif_from_curve(*given.aif_curve, times), ""
    if given.aif_mask is not None:
        mask = mask_between(given.aif_mask, series, working)
        marked = to_concentration(masked_signal(working, mask), bolus, working, Execution(threads=1)).curves
        return aif_from_mask(marked, mask, times, bolus.baseline), ""
    if not bolus.found:
        return None, "no bolus was found, so there is no artery to look for"
    search = erode_mm(analysed, working.grid, config.aif.erosion)
    search &= unravelled(curves.disturbance <= LITTLE, analysed)
    try:
        return select_aif(unsmoothed.curves, analysed, search, working.grid, times, bolus, config.aif), ""
    except InputError as error:
        return None, str(error)


def refined_aif(
    aif: ArterialInputFunction,
    mask: Mask,
    curves: BrainCurves,
    uncorrected: PerfusionSeries,
    motion: MotionCorrection,
    config: PipelineConfig,
    execution: Execution,
) -> ArterialInputFunction:
    """The same artery with a curve that interpolation has not flattened.

    An automatic artery is also looked at anew: with sharper curves, other voxels of it may be the brightest.
    """
    bolus, grid = curves.bolus, uncorrected.grid
    if aif.source == "automatic":
        mask = ndimage.binary_dilation(mask, ndimage.generate_binary_structure(3, 2)) & curves.analysed
    signal = refined_curves(uncorrected, mask, bolus.baseline, motion.estimate)
    content = to_concentration(signal, bolus, uncorrected, execution).curves
    if aif.source == "automatic":
        chosen = np.zeros(len(content), bool)
        chosen[brightest(smooth_in_time(content).max(axis=1).astype(np.float64), grid, config.aif)] = True
        mask, content = unravelled(chosen, mask), content[chosen]
    refined = aif_from_mask(content, mask, uncorrected.frame_times, bolus.baseline)
    return replace(refined, source=aif.source, candidates=aif.candidates)


def deconvolved(
    content: Concentration,
    aif: ArterialInputFunction,
    working: PerfusionSeries,
    config: PipelineConfig,
    execution: Execution,
) -> Quantities:
    """Quantities of the analysed voxels."""
    curve = aif.curve(working.frame_times, config.aif.curve)
    estimate = deconvolve(content.curves, curve, working.frame_times, config.deconvolution, execution)
    return quantify(content.curves, curve, working.frame_times, estimate, config.quantification)


def denoised(
    unsmoothed: Concentration,
    curves: BrainCurves,
    working: PerfusionSeries,
    config: PipelineConfig,
    execution: Execution,
) -> Concentration:
    """Concentration after smoothing in space and in the space of curves; vessels stay as they are.

    The shapes that tissue curves are made of are learnt where motion has hardly disturbed them, so what motion left
    elsewhere, which is no mixture of these shapes, is dropped with the noise.
    """
    options = config.smoothing
    tissue = ~vessel_like(unsmoothed.curves, options.vessel_ratio)
    smoothed = smooth_inside(curves.signal, curves.analysed, tissue, options.sigma, working.grid.voxel_sizes, execution)
    content = to_concentration(smoothed, curves.bolus, working, execution)
    learnt = tissue & (curves.disturbance <= LITTLE / 3)
    kept = keep_components(content.curves, tissue, learnt, options.temporal_rank, execution)
    return replace(content, curves=kept)


def masked_signal(series: PerfusionSeries, mask: Mask) -> Volume:
    """Signal curves of the voxels of a mask, shape (voxels, t), in the order of boolean indexing."""
    signal = np.empty((int(np.count_nonzero(mask)), series.n_frames), np.float32)
    for frame in range(series.n_frames):
        signal[:, frame] = series.data[..., frame][mask]
    return signal

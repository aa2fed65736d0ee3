"""What each stage of the pipeline hands from one part of the library to the next."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.assembly import unravelled
from PyPeTLib.config import Given, PipelineConfig
from PyPeTLib.contrast import (
    BolusArrival,
    Concentration,
    between_echoes,
    concentration,
    correct_leakage,
    find_bolus,
    peak_height,
    signal_recovery,
)
from PyPeTLib.deconvolution import noise_level
from PyPeTLib.errors import InputError
from PyPeTLib.execution import Execution
from PyPeTLib.masking import BrainMask, TissueClasses, brain_mask, classify_tissue
from PyPeTLib.preprocess.artefact import Disturbance, without_artefact
from PyPeTLib.preprocess.denoising import DENOISERS, Surroundings
from PyPeTLib.preprocess.motion import MotionCorrection
from PyPeTLib.preprocess.resample import resample_map
from PyPeTLib.quantification import Quantities
from PyPeTLib.series import Modality, PerfusionSeries
from PyPeTLib.workspace import Workspace

FRAMES_OF_MEAN = 12
"""Of a moving head, so many frames, those nearest to the reference pose, show the brain well enough to find it."""

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


def check_contrast(series: PerfusionSeries, config: PipelineConfig) -> None:
    """Refuse options that only make sense for DSC if the series is CT."""
    options = config.contrast
    for name, value, off in (
        ("leakage", options.leakage, "none"),
        ("arterial_relaxivity", options.arterial_relaxivity, "linear"),
    ):
        if series.modality is not Modality.DSC and value != off:
            raise InputError(f"the option contrast.{name} = {value!r} is for DSC, and this is CT. Set it to {off!r}.")


def mask_between(mask: Mask, source: PerfusionSeries, target: PerfusionSeries) -> Mask:
    """A mask on the grid of one series, brought to that of another (they differ after downsampling)."""
    if source.grid.shape == target.grid.shape:
        return mask
    moved: Mask = resample_map(mask.astype(np.float32), source.grid, target.grid, order=1) >= 0.5
    return moved


def find_brain(motion: MotionCorrection, series: PerfusionSeries, config: PipelineConfig, given: Given) -> BrainMask:
    """The brain mask given, or the one found in the mean image."""
    working = motion.series
    if given.brain_mask is not None:
        return BrainMask(mask=mask_between(given.brain_mask, series, working))
    frames = np.arange(working.n_frames)
    if working.modality is Modality.DSC:
        # The bolus darkens the brain, so the mask is made from the frames before it; foreground will do to find it,
        # also if it moves.
        mean = motion.uncorrected.mean()
        foreground = motion.uncorrected.echoes[-1].curves(mean > mean.mean())
        frames = frames[find_bolus(foreground, working.frame_times, working.modality, config.contrast).baseline]
    if motion.applied and frames.size > FRAMES_OF_MEAN:
        # frames that moved far are interpolated, which costs time and blurs
        nearest = np.argsort(motion.estimate.displacement[frames], kind="stable")[:FRAMES_OF_MEAN]
        frames = np.sort(frames[nearest])
    return brain_mask(working.mean(frames), working.grid, working.modality, config.mask)


@dataclass(frozen=True, kw_only=True, eq=False)
class BrainCurves:
    """Signal curves of the brain, free of what motion has spoilt.

    Attributes
    ----------
    echoes : tuple of ndarray of float32, shape (voxels, t)
        One array an echo.
    analysed : ndarray of bool, shape (x, y, z)
        The voxels that the curves belong to.
    disturbance : Disturbance
        What motion has left in them; some may be of use for vessels alone.
    bolus : BolusArrival
    """

    echoes: tuple[Volume, ...]
    analysed: Mask
    disturbance: Disturbance
    bolus: BolusArrival

    @property
    def of_use(self) -> Mask:
        """Curves from which maps may be made, shape (voxels,)."""
        return np.asarray(self.disturbance.in_tissue <= 1, bool)

    @property
    def signal(self) -> Volume:
        """The curves of the first echo."""
        return self.echoes[0]


def brain_curves(
    motion: MotionCorrection, brain: BrainMask, config: PipelineConfig, execution: Execution
) -> BrainCurves:
    """Signal curves of the brain and the bolus in them; interpolation artefacts are predicted and taken away."""
    working = motion.series

    def bolus_in(echoes: tuple[Volume, ...]) -> BolusArrival:
        # the last echo shows the bolus best, and least of what leaks and shortens T1
        return find_bolus(echoes[-1], working.frame_times, working.modality, config.contrast)

    # what left the field of view in some frame has no whole curve
    analysed = brain.mask & motion.covered
    echoes = masked_signals(working, analysed, execution.workspace)
    bolus = bolus_in(echoes)
    if not motion.applied:
        return BrainCurves(echoes=echoes, analysed=analysed, disturbance=Disturbance.none(len(echoes[0])), bolus=bolus)
    found = [
        # what linear interpolation would leave only tells where to be careful if cubic splines were used
        without_artefact(
            signal if config.motion.interpolation == "linear" else signal.copy(),
            echo,
            analysed,
            bolus.baseline,
            motion.estimate,
            execution,
        )
        for signal, echo in zip(echoes, working.echoes, strict=True)
    ]
    disturbance = Disturbance.worst(found)
    keep = disturbance.least <= 1
    echoes = tuple(signal[keep] for signal in echoes)
    return BrainCurves(
        echoes=echoes, analysed=unravelled(keep, analysed), disturbance=disturbance.of(keep), bolus=bolus_in(echoes)
    )


def to_concentration(
    echoes: tuple[Volume, ...],
    bolus: BolusArrival,
    series: PerfusionSeries,
    execution: Execution,
    *,
    in_place: bool = False,
) -> Concentration:
    """Concentration of signal curves of a series, one array an echo; ``in_place`` writes it over the signal."""
    contents = [
        concentration(
            signal,
            bolus,
            echo.modality,
            echo_time=echo.acquisition.echo_time,
            execution=execution,
            out=signal if in_place else None,
        )
        for signal, echo in zip(echoes, series.echoes, strict=True)
    ]
    if len(contents) == 1:
        return contents[0]
    echo_times = [echo.acquisition.echo_time or 0.0 for echo in series.echoes]
    return between_echoes(contents[0], contents[1], echo_times[0], echo_times[1])


def find_tissue(
    curves: BrainCurves,
    unsmoothed: Concentration,
    brain: BrainMask,
    working: PerfusionSeries,
    config: PipelineConfig,
    execution: Execution,
) -> TissueClasses:
    """The class of every voxel of the brain."""
    bolus = curves.bolus
    return classify_tissue(
        curves.signal[:, bolus.baseline.start :],
        unsmoothed.curves if bolus.found else None,
        curves.analysed,
        brain.mask,
        working.grid,
        working.modality,
        config.tissue,
        execution,
    )


def denoised(
    curves: BrainCurves,
    vessels: Mask,
    noise: float,
    working: PerfusionSeries,
    config: PipelineConfig,
    execution: Execution,
) -> Concentration:
    """Concentration of curves with less noise; vessels, and what is of use for vessels alone, stay as they are.

    ``noise`` is the standard deviation of one sample of the concentration before.

    The shapes that tissue curves are made of are learnt where motion has hardly disturbed them, so what motion left
    elsewhere, which is no mixture of these shapes, is dropped with the noise.
    """
    options = config.denoising
    filtered = [
        DENOISERS[options.method](
            signal,
            Surroundings(
                mask=curves.analysed,
                voxel_sizes=working.grid.voxel_sizes,
                tissue=~vessels & curves.of_use,
                learnt=curves.disturbance.in_tissue <= LITTLE / 3,
                noise=noise_level(signal),
            ),
            options,
            execution,
        )
        for signal in curves.echoes
    ]
    signals = tuple(one.signal for one in filtered)
    is_own = all(signal is not before for signal, before in zip(signals, curves.echoes, strict=True))
    content = to_concentration(signals, curves.bolus, working, execution, in_place=is_own)
    # where temporal components were dropped, curves look smoother than the noise in those that are kept
    return replace(content, noise=noise * filtered[-1].noise_left)


def without_leakage(
    content: Concentration, bolus: BolusArrival, working: PerfusionSeries, config: PipelineConfig, execution: Execution
) -> tuple[Concentration, dict[str, tuple[Volume, Mask]]]:
    """Concentration without what leaked, and what the curves themselves tell: values and validity by quantity.

    Peak height and signal recovery describe the curves before the correction.
    """
    found = {"peak_height": peak_height(content.curves)}
    echo_time = working.echoes[-1].acquisition.echo_time
    if echo_time is not None and bolus.found:
        found["psr"] = signal_recovery(content.curves, working.frame_times, bolus.time, echo_time, execution)
        start = bolus.baseline.stop
        fit = correct_leakage(content.curves, working.frame_times, start, config.contrast.leakage, execution)
        if fit is not None:
            content = replace(content, curves=fit.curves)
            found["k1"], found["k2"], found["kep"] = ((k, content.usable) for k in (fit.k1, fit.k2, fit.kep))
    return content, found


def with_curve_quantities(quantities: Quantities, found: dict[str, tuple[Volume, Mask]]) -> Quantities:
    """Quantities of the deconvolution together with those of the curves themselves."""
    return replace(
        quantities,
        values={
            **quantities.values,
            **{name: np.where(valid, value, np.float32(0)) for name, (value, valid) in found.items()},
        },
        valid={**quantities.valid, **{name: valid for name, (_, valid) in found.items()}},
    )


def masked_signals(series: PerfusionSeries, mask: Mask, workspace: Workspace | None = None) -> tuple[Volume, ...]:
    """Signal curves of the voxels of a mask in every echo, first to last."""
    return tuple(echo.curves(mask, workspace) for echo in series.echoes)

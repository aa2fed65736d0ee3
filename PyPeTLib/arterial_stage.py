"""The vessels of a run, found or given, and the deconvolution of each side with its artery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from scipy import ndimage

from PyPeTLib.aif import (
    SIDES,
    ArterialInputFunction,
    Hemispheres,
    VenousOutputFunction,
    aif_from_curve,
    aif_from_mask,
    brightest,
    compared_with_vein,
    curve_quality,
    earliest_arrival,
    population_aif,
    select_aif,
    select_vof,
    vof_from_mask,
)
from PyPeTLib.arrays import Curve, IntArray, Mask, Volume
from PyPeTLib.assembly import unravelled
from PyPeTLib.config import Given, PipelineConfig
from PyPeTLib.contrast import Concentration
from PyPeTLib.contrast.features import smooth_in_time
from PyPeTLib.deconvolution import Supply, deconvolve
from PyPeTLib.errors import InputError
from PyPeTLib.execution import Execution
from PyPeTLib.masking import MidsagittalPlane, Mirror, erode_mm
from PyPeTLib.preprocess.motion import MotionCorrection
from PyPeTLib.preprocess.refined import refined_curves
from PyPeTLib.quantification import CurveMeasures, Quantities, quantify
from PyPeTLib.series import PerfusionSeries
from PyPeTLib.stages import LITTLE, BrainCurves, mask_between, masked_signals, to_concentration

MIDLINE_STRIP_MM = 6.0
"""Arteries this close to the midsagittal plane, such as the basilar artery, belong to neither side."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Vessels:
    """What the run knows of arteries and veins.

    Attributes
    ----------
    aif : ArterialInputFunction or None
        That of the whole brain, or the better one of both sides.
    hemispheres : Hemispheres or None
        Where each side has its own.
    vof : VenousOutputFunction or None
    no_aif, no_vof : str
        Why there is none.
    """

    aif: ArterialInputFunction | None = None
    hemispheres: Hemispheres | None = None
    vof: VenousOutputFunction | None = None
    no_aif: str = ""
    no_vof: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class VesselSearch:
    """The products of earlier stages among which vessels are sought.

    Attributes
    ----------
    unsmoothed : Concentration
        Of the analysed voxels.
    curves : BrainCurves
    mirror : Mirror
    uncorrected : PerfusionSeries
        Before motion correction.
    motion : MotionCorrection
    series : PerfusionSeries
        As it was given; its grid is that of given masks.
    config : PipelineConfig
    given : Given
    """

    unsmoothed: Concentration
    curves: BrainCurves
    mirror: Mirror
    uncorrected: PerfusionSeries
    motion: MotionCorrection
    series: PerfusionSeries
    config: PipelineConfig
    given: Given

    @property
    def working(self) -> PerfusionSeries:
        """The series as it is analysed."""
        return self.motion.series

    @property
    def times(self) -> Curve:
        """Frame times in s."""
        return self.working.frame_times

    @property
    def search(self) -> Mask:
        """Where arteries are sought: away from the mask's rim and from what motion disturbed."""
        analysed = self.curves.analysed
        inside: Mask = erode_mm(analysed, self.working.grid, self.config.aif.erosion)
        return inside & unravelled(self.curves.disturbance.in_vessels <= LITTLE, analysed)


def find_vessels(scene: VesselSearch, execution: Execution) -> Vessels:
    """The arterial input function or functions and the venous output function, or why there is none.

    Raises
    ------
    InputError
        If a mask or curve that was given holds no contrast.
    """
    given, options, times = scene.given, scene.config.aif, scene.times
    found = scene.curves.bolus.found
    if given.aif_curve is None and given.aif_mask is None and not found:
        return Vessels(no_aif="no bolus was found, so there is no artery to look for", no_vof="no bolus was found")
    plane = scene.mirror.plane
    sides: dict[str, ArterialInputFunction] = {}
    reason = ""
    if given.aif_curve is not None:
        sides = {"": aif_from_curve(*given.aif_curve, times)}
    elif not given.aif_population:
        sides, reason = _arteries(scene, plane, execution)
    vof, no_vof = _vein(scene, plane, sides, execution)
    if given.aif_population:
        sides, reason = _population(scene, vof, no_vof)
    else:
        sides = {side: compared_with_vein(aif, vof, times, options) for side, aif in sides.items()}
    if not sides:
        return Vessels(vof=vof, no_aif=reason, no_vof=no_vof)
    best = max(sides.values(), key=lambda aif: float(aif.measured.max()))
    if "" in sides:
        return Vessels(aif=best, vof=vof, no_vof=no_vof)
    hemispheres = Hemispheres(
        left=sides.get("left", best),
        right=sides.get("right", best),
        is_right=plane.distance(scene.working.grid) > 0,
        borrowed="".join(side for side in SIDES if side not in sides),
    )
    return Vessels(aif=best, hemispheres=hemispheres, vof=vof, no_vof=no_vof)


def _arteries(
    scene: VesselSearch, plane: MidsagittalPlane, execution: Execution
) -> tuple[dict[str, ArterialInputFunction], str]:
    """The artery of the whole brain under the name ``""``, or those of the sides under theirs; and why some lack."""
    if scene.config.aif.sides == "whole":
        regions = {"": np.ones(scene.working.grid.shape, bool)}
    else:
        # a given mask says itself what belongs to a side
        strip = 0.0 if scene.given.aif_mask is not None else MIDLINE_STRIP_MM
        distance = plane.distance(scene.working.grid)
        regions = {"left": distance < -strip, "right": distance > strip}
    found, reasons = {}, []
    for side, region in regions.items():
        if scene.given.aif_mask is not None:
            mask = mask_between(scene.given.aif_mask, scene.series, scene.working) & region
            if mask.any():
                content = _content(scene, mask, Execution(threads=1))
                aif = aif_from_mask(content, mask, scene.times, scene.curves.bolus.baseline)
                found[side] = _refined(scene, aif, mask, execution)
            continue
        try:
            aif = _selected(scene, region)
        except InputError as error:
            reasons.append(str(error))
            continue
        found[side] = aif if aif.mask is None else _refined(scene, aif, aif.mask, execution)
    return found, "; ".join(dict.fromkeys(reasons))


def _selected(scene: VesselSearch, region: Mask) -> ArterialInputFunction:
    analysed, bolus = scene.curves.analysed, scene.curves.bolus
    curves, grid = scene.unsmoothed.curves, scene.working.grid
    return select_aif(curves, analysed, scene.search & region, grid, scene.times, bolus, scene.config.aif)


def _vein(
    scene: VesselSearch, plane: MidsagittalPlane, arteries: dict[str, ArterialInputFunction], execution: Execution
) -> tuple[VenousOutputFunction | None, str]:
    """The vein given or found, or why there is none."""
    bolus, analysed, grid = scene.curves.bolus, scene.curves.analysed, scene.working.grid
    if scene.given.vof_mask is not None:
        mask = mask_between(scene.given.vof_mask, scene.series, scene.working)
        return vof_from_mask(_content(scene, mask, execution), mask, scene.times, bolus.baseline), ""
    if not bolus.found:
        return None, "no bolus was found"
    try:
        earliest = min((_arrival(aif, scene.times) for aif in arteries.values()), default=None)
        if earliest is None:
            earliest = _earliest(scene)
        curves = scene.unsmoothed.curves
        vof = select_vof(curves, analysed, grid, scene.times, bolus, plane, scene.config.aif, earliest)
    except InputError as error:
        return None, str(error)
    if vof.mask is None or not scene.motion.applied:
        return vof, ""
    content = _content(scene, vof.mask, execution)
    return vof_from_mask(content, vof.mask, scene.times, bolus.baseline, source=vof.source), ""


def _population(
    scene: VesselSearch, vof: VenousOutputFunction | None, no_vof: str
) -> tuple[dict[str, ArterialInputFunction], str]:
    """The standard bolus, or why it cannot be placed and scaled."""
    if vof is None:
        return {}, f"a population AIF takes its height from a vein, and {no_vof}; mark one (--vof)"
    try:
        return {"": population_aif(_earliest(scene), vof, scene.times)}, ""
    except InputError as error:
        return {}, str(error)


def _arrival(aif: ArterialInputFunction, times: Curve) -> float:
    return curve_quality(aif.measured, times).arrival


def _earliest(scene: VesselSearch) -> float:
    return earliest_arrival(
        scene.unsmoothed.curves,
        scene.curves.analysed,
        scene.search,
        scene.times,
        scene.curves.bolus,
        scene.config.aif,
    )


def _content(scene: VesselSearch, mask: Mask, execution: Execution) -> Volume:
    """Concentration of a few voxels, in which interpolation has not flattened thin vessels."""
    bolus = scene.curves.bolus
    if not scene.motion.applied:
        return to_concentration(masked_signals(scene.working, mask), bolus, scene.working, execution).curves
    estimate = scene.motion.estimate
    echoes = tuple(refined_curves(echo, mask, bolus.baseline, estimate) for echo in scene.uncorrected.echoes)
    return to_concentration(echoes, bolus, scene.uncorrected, execution).curves


def _refined(
    scene: VesselSearch, aif: ArterialInputFunction, mask: Mask, execution: Execution
) -> ArterialInputFunction:
    """The same artery with a curve that motion correction has not flattened.

    An automatic artery is also looked at anew: with sharper curves, other voxels of it may be the brightest.
    """
    if not scene.motion.applied:
        return aif
    if aif.source == "automatic":
        mask = ndimage.binary_dilation(mask, ndimage.generate_binary_structure(3, 2)) & scene.curves.analysed
    content = _content(scene, mask, execution)
    if aif.source == "automatic":
        height = smooth_in_time(content).max(axis=1).astype(np.float64)
        chosen = np.zeros(len(content), bool)
        chosen[brightest(height, scene.working.grid, scene.config.aif)] = True
        mask, content = unravelled(chosen, mask), content[chosen]
    refined = aif_from_mask(content, mask, scene.times, scene.curves.bolus.baseline)
    return replace(refined, source=aif.source, candidates=aif.candidates)


def deconvolved(
    content: Concentration,
    aif: ArterialInputFunction | Hemispheres,
    analysed: Mask,
    working: PerfusionSeries,
    config: PipelineConfig,
    execution: Execution,
    *,
    measures: CurveMeasures | None = None,
) -> Quantities:
    """Quantities of the analysed voxels, those of each side with its own artery where there are two."""
    if isinstance(aif, ArterialInputFunction):
        return _deconvolved(content, aif, analysed, working, config, execution, measures=measures)
    pieces: list[tuple[IntArray, Quantities]] = []
    for artery, side in ((aif.left, ~aif.is_right), (aif.right, aif.is_right)):
        voxels = np.flatnonzero(side[analysed])
        if voxels.size:
            part = replace(content, curves=content.curves[voxels])
            of_part = None if measures is None else measures.some(voxels)
            found = _deconvolved(part, artery, analysed & side, working, config, execution, measures=of_part)
            pieces.append((voxels, found))
    return together(pieces)


def _deconvolved(
    content: Concentration,
    aif: ArterialInputFunction,
    mask: Mask,
    working: PerfusionSeries,
    config: PipelineConfig,
    execution: Execution,
    *,
    measures: CurveMeasures | None,
) -> Quantities:
    supply = Supply.of(
        aif, content, mask, working, aif=config.aif, contrast=config.contrast, deconvolution=config.deconvolution
    )
    curves, curve, times = content.curves, supply.aif, supply.times
    estimate = deconvolve(curves, curve, times, supply.options, execution, offsets=supply.offsets, mask=mask)
    return quantify(
        curves,
        curve,
        times,
        estimate,
        config.quantification,
        offsets=supply.lateness,
        measures=measures,
        execution=execution,
    )


def together(pieces: Sequence[tuple[IntArray, Quantities]]) -> Quantities:
    """The quantities of groups of voxels in one, whatever fields they have.

    Parameters
    ----------
    pieces : sequence of (ndarray of int, Quantities)
        The places of each group's voxels among all of them.
    """
    count = sum(voxels.size for voxels, _ in pieces)

    def joined(values: list[Any]) -> Any:
        first = values[0]
        if isinstance(first, dict):
            return {name: joined([value[name] for value in values]) for name in first}
        if not isinstance(first, np.ndarray):
            return first
        whole = np.zeros((count, *first.shape[1:]), first.dtype)
        for (voxels, _), value in zip(pieces, values, strict=True):
            whole[voxels] = value
        return whole

    names = [field.name for field in fields(Quantities)]
    return Quantities(**{name: joined([getattr(found, name) for _, found in pieces]) for name in names})

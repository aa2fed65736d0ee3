"""Flags that a radiologist would want to see before trusting a map."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from PyPeTLib.aif import (
    SIDES,
    AIFOptions,
    ArterialInputFunction,
    Hemispheres,
    VenousOutputFunction,
    curve_quality,
)
from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.contrast import BolusArrival, Concentration
from PyPeTLib.preprocess.poses import MotionEstimate


class Severity(StrEnum):
    """How much a flag matters."""

    NOTE = "note"
    """Good to know."""
    WARNING = "warning"
    """The maps may be off; look before using them."""
    FAILURE = "failure"
    """The maps hold no usable values."""


@dataclass(frozen=True, kw_only=True)
class Flag:
    """One finding: what was measured, against which threshold, and what it means."""

    code: str
    severity: Severity
    message: str
    value: float
    threshold: float


TAIL_SHARE = 0.30
"""An AIF or tissue curve that ends above this share of its peak was cut off."""
SHORT_BASELINE = 3
WEAK_AIF_TO_NOISE = 10.0
SMALLEST_RATIO = 0.9
"""Vein over artery; noise moves the ratio by less than a tenth."""
MUCH_SCALED = 1.5
MOTION_MM = 3.0
TRUNCATED_SHARE = 0.25
LOST_AREA = 0.20
"""A curve that loses more of its area counts as cut off."""
LEFT_OUT_SHARE = 0.05
FLOORED_SHARE = 0.001
LATE_TISSUE = 6.0
"""Tmax in s above which tissue counts as late."""
LATE_SHARE = 0.08
"""Veins and fluid make a few per cent of any brain look late; a stroke adds to them."""


def _flag_if(
    code: str,
    severity: Severity,
    message: str,
    *,
    when: bool = True,
    value: float = 0.0,
    threshold: float = 0.0,
) -> list[Flag]:
    """The flag if something is wrong, as a list that can be added to others."""
    flag = Flag(code=code, severity=severity, message=message, value=float(value), threshold=float(threshold))
    return [flag] if when else []


def bolus_flags(bolus: BolusArrival, mean_curve: Curve) -> list[Flag]:
    """Flags on the bolus in the brain as a whole: missing, cut off, or with a short baseline."""
    if not bolus.found:
        message = "No bolus: the brain's mean signal does not change beyond its noise. The maps hold no values."
        return _flag_if("no-bolus", Severity.FAILURE, message)
    length = bolus.baseline.stop - bolus.baseline.start
    peak = float(mean_curve.max())
    tail = float(mean_curve[-3:].mean()) / peak if peak > 0 else 1.0
    return [
        *_flag_if(
            "short-baseline",
            Severity.WARNING,
            f"Only {length} frame(s) before the bolus: the baseline is noisy or holds contrast.",
            when=length < SHORT_BASELINE,
            value=length,
            threshold=SHORT_BASELINE,
        ),
        *_flag_if(
            "truncated-bolus",
            Severity.WARNING,
            f"The scan ends while the brain holds {tail:.0%} of its peak contrast: CBV and MTT read low.",
            when=tail > TAIL_SHARE,
            value=tail,
            threshold=TAIL_SHARE,
        ),
        *_flag_if(
            "unsteady-start",
            Severity.NOTE,
            f"{bolus.unsteady_frames} frame(s) at the start were not in steady state and left out.",
            when=bolus.unsteady_frames > 0,
            value=bolus.unsteady_frames,
        ),
    ]


def vessel_flags(
    aif: ArterialInputFunction | Hemispheres, mean_curve: Curve, times: Curve, options: AIFOptions
) -> list[Flag]:
    """Flags on the arterial input function, or on those of both sides."""
    if isinstance(aif, ArterialInputFunction):
        return aif_flags(aif, mean_curve, times, options)
    own = [side for side in SIDES if side != aif.borrowed]
    flags = [
        replace(flag, message=f"{side.capitalize()} side: {flag.message}")
        for side in own
        for flag in aif_flags(getattr(aif, side), mean_curve, times, options)
    ]
    return flags + _flag_if(
        "borrowed-aif",
        Severity.WARNING,
        f"No artery was found on the {aif.borrowed} side: its tissue was analysed with that of the other side.",
        when=bool(aif.borrowed),
    )


def aif_flags(
    aif: ArterialInputFunction, mean_curve: Curve, times: Curve, options: AIFOptions | None = None
) -> list[Flag]:
    """Flags on an arterial input function: weak, late, cut off, not measured, or unlike the vein.

    Parameters
    ----------
    aif : ArterialInputFunction
    mean_curve : ndarray, shape (t,)
        Of the brain.
    times : ndarray, shape (t,)
        In s.
    options : AIFOptions, optional
    """
    options = options or AIFOptions()
    quality = curve_quality(aif.measured, times, noise=aif.baseline_noise, tissue=mean_curve)
    lead = min(quality.before_tissue_peak, quality.before_tissue_arrival)
    return [
        *_flag_if(
            "no-aif-fit",
            Severity.WARNING,
            "No gamma variate fits the AIF: the measured curve was used instead.",
            when=options.curve == "fitted" and aif.fit is None,
        ),
        *_flag_if(
            "population-aif",
            Severity.WARNING,
            "The AIF was not measured: a standard bolus took its place, scaled to the vein. Values are guesses.",
            when=aif.source == "population",
        ),
        *_flag_if(
            "one-aif",
            Severity.NOTE,
            "One AIF was used for both sides: a curve has no place in the image.",
            when=options.sides == "each" and aif.mask is None,
        ),
        *_flag_if(
            "weak-aif",
            Severity.WARNING,
            f"The AIF's peak is only {quality.contrast_to_noise:.1f} times its noise.",
            when=0 < quality.contrast_to_noise < WEAK_AIF_TO_NOISE,
            value=quality.contrast_to_noise,
            threshold=WEAK_AIF_TO_NOISE,
        ),
        *_flag_if(
            "late-aif",
            Severity.WARNING,
            f"The AIF comes {-lead:.1f} s after the brain does: it may be a vein.",
            when=lead < 0,
            value=lead,
        ),
        *_flag_if(
            "truncated-aif",
            Severity.WARNING,
            f"The AIF ends at {quality.tail:.0%} of its peak: it was cut off, CBV and CBF are biased.",
            when=quality.tail > TAIL_SHARE,
            value=quality.tail,
            threshold=TAIL_SHARE,
        ),
        *_ratio_flags(aif, options),
    ]


def _ratio_flags(aif: ArterialInputFunction, options: AIFOptions) -> list[Flag]:
    """Flags on the ratio of the areas of vein and artery."""
    ratio = aif.venous_ratio
    if ratio is None:
        return []
    applied = "it was not scaled to the vein. " if options.partial_volume and aif.mask is not None else ""
    return [
        *_flag_if(
            "vein-below-aif",
            Severity.WARNING,
            f"The vein's area is only {ratio:.2f} of the AIF's: {applied}The AIF may be a vein, or the vein is "
            "diluted, cut off or saturated.",
            when=ratio < SMALLEST_RATIO,
            value=ratio,
            threshold=SMALLEST_RATIO,
        ),
        *_flag_if(
            "vein-above-aif",
            Severity.WARNING,
            f"The vein's area is {ratio:.2f} times the AIF's: {applied}The AIF is diluted by tissue or no artery, so "
            "CBF and CBV read high.",
            when=ratio > options.partial_volume_cap,
            value=ratio,
            threshold=options.partial_volume_cap,
        ),
        *_flag_if(
            "scaled-aif",
            Severity.NOTE,
            f"Tissue dilutes the AIF: it was scaled by {aif.scale:.2f} to the area of the vein.",
            when=aif.scale > MUCH_SCALED,
            value=aif.scale,
            threshold=MUCH_SCALED,
        ),
    ]


def vof_flags(
    aif: ArterialInputFunction, vof: VenousOutputFunction | None, reason: str, options: AIFOptions
) -> list[Flag]:
    """A flag where the vein is missing with which a measured AIF was to be compared."""
    return _flag_if(
        "no-vof",
        Severity.WARNING,
        f"The AIF was not scaled for partial volume: {reason}. Mark a large vein (--vof).",
        when=options.partial_volume and vof is None and aif.mask is not None,
    )


def motion_flags(motion: MotionEstimate, *, applied: bool) -> list[Flag]:
    """A flag on large motion, whether corrected or not."""
    largest = float(motion.displacement.max())
    uncorrected = motion.moved and not applied
    what = "and motion correction is off" if uncorrected else "(corrected)"
    return _flag_if(
        "motion",
        Severity.WARNING if uncorrected or largest > 3 * MOTION_MM else Severity.NOTE,
        f"The head moved by up to {largest:.1f} mm {what}.",
        when=largest > MOTION_MM or uncorrected,
        value=largest,
        threshold=MOTION_MM,
    )


def coverage_flags(brain: Mask, analysed: Mask) -> list[Flag]:
    """A flag on the part of the brain that motion has made useless."""
    share = 1 - int(np.count_nonzero(analysed)) / max(1, int(np.count_nonzero(brain)))
    return _flag_if(
        "left-out",
        Severity.WARNING,
        f"{share:.0%} of the brain mask is left out: motion moved it out of view or bone into its voxels.",
        when=share > LEFT_OUT_SHARE,
        value=share,
        threshold=LEFT_OUT_SHARE,
    )


def curve_flags(content: Concentration, lost_area: Volume) -> list[Flag]:
    """Flags on the tissue curves: cut off by the end of the scan, or signal lost in noise."""
    cut_off = float((lost_area > LOST_AREA).mean()) if lost_area.size else 0.0
    floored = content.n_floored / max(1, content.curves.size)
    unusable = float((~content.usable).mean()) if content.usable.size else 0.0
    return [
        *_flag_if(
            "truncated-curves",
            Severity.NOTE,
            f"In {cut_off:.0%} of the brain the scan ends before the bolus has passed: CBV and MTT read low.",
            when=cut_off > TRUNCATED_SHARE,
            value=cut_off,
            threshold=TRUNCATED_SHARE,
        ),
        *_flag_if(
            "signal-lost",
            Severity.NOTE,
            f"{floored:.2%} of the samples had no signal left: their concentration is a lower bound.",
            when=floored > FLOORED_SHARE,
            value=floored,
            threshold=FLOORED_SHARE,
        ),
        *_flag_if(
            "no-baseline-signal",
            Severity.NOTE,
            f"{unusable:.2%} of the brain mask has no MR signal before the bolus and is left out.",
            when=unusable > 0,
            value=unusable,
        ),
    ]


def no_aif_flags(reason: str) -> list[Flag]:
    """The flag for a series in which no artery could be found."""
    message = f"The maps hold no usable values: {reason}. Give the AIF as a mask or a curve (--aif)."
    return _flag_if("no-aif", Severity.FAILURE, message)


def leakage_flags(correction: str, lags: Volume) -> list[Flag]:
    """A flag on tissue whose long transit a leakage correction takes for leakage.

    Parameters
    ----------
    correction : str
        The option ``contrast.leakage``.
    lags : ndarray of float32, shape (voxels,)
        Tmax in s where it holds a value.
    """
    share = float((lags > LATE_TISSUE).mean()) if lags.size else 0.0
    message = (
        f"The leakage correction takes long transit for leakage: in the {share:.0%} of the brain with Tmax above "
        f"{LATE_TISSUE:g} s CBV and K2 are not to be trusted. Switch it off for stroke (contrast.leakage = 'none')."
    )
    late = correction != "none" and share > LATE_SHARE
    return _flag_if("leakage-in-late-tissue", Severity.WARNING, message, when=late, value=share, threshold=LATE_SHARE)


def scale_flags(*, calibrated: bool) -> list[Flag]:
    """The note that DSC maps have no absolute scale."""
    message = (
        "DSC: CBF and CBV have no absolute scale, since arteries and tissue differ in relaxivity. "
        "Give normal white matter (--white-matter-mask, --white-matter-cbf) to scale them."
    )
    return _flag_if("uncalibrated", Severity.NOTE, message, when=not calibrated)

"""Flags that a radiologist would want to see before trusting a map."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from PyPeTLib.aif import ArterialInputFunction
from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.contrast import BolusArrival, Concentration
from PyPeTLib.preprocess.motion import MotionEstimate


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
MOTION_MM = 3.0
TRUNCATED_SHARE = 0.25
LOST_AREA = 0.20
"""A curve that loses more of its area counts as cut off."""
LEFT_OUT_SHARE = 0.05
FLOORED_SHARE = 0.001


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


def aif_flags(aif: ArterialInputFunction, mean_curve: Curve, times: Curve, kind: str = "measured") -> list[Flag]:
    """Flags on the arterial input function: weak, late, cut off, or without the fit that was asked for."""
    peak = float(aif.measured.max())
    contrast = peak / aif.baseline_noise if aif.baseline_noise > 0 else np.inf
    lead = float(times[int(mean_curve.argmax())] - times[int(aif.measured.argmax())])
    tail = float(aif.measured[-3:].mean()) / peak
    return [
        *_flag_if(
            "no-aif-fit",
            Severity.WARNING,
            "No gamma variate fits the AIF: the measured curve was used instead.",
            when=kind == "fitted" and aif.fit is None,
        ),
        *_flag_if(
            "weak-aif",
            Severity.WARNING,
            f"The AIF's peak is only {contrast:.1f} times its noise.",
            when=contrast < WEAK_AIF_TO_NOISE,
            value=contrast,
            threshold=WEAK_AIF_TO_NOISE,
        ),
        *_flag_if(
            "late-aif",
            Severity.WARNING,
            f"The AIF peaks {-lead:.1f} s after the brain does: it may be a vein.",
            when=lead < 0,
            value=lead,
        ),
        *_flag_if(
            "truncated-aif",
            Severity.WARNING,
            f"The AIF ends at {tail:.0%} of its peak: it was cut off, CBV and CBF are biased.",
            when=tail > TAIL_SHARE,
            value=tail,
            threshold=TAIL_SHARE,
        ),
    ]


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


def scale_flags(*, calibrated: bool) -> list[Flag]:
    """The note that DSC maps have no absolute scale."""
    message = (
        "DSC: CBF and CBV have no absolute scale, since arteries and tissue differ in relaxivity. "
        "Give normal white matter (--white-matter-mask, --white-matter-cbf) to scale them."
    )
    return _flag_if("uncalibrated", Severity.NOTE, message, when=not calibrated)

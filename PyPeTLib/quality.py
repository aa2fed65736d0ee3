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


def bolus_flags(bolus: BolusArrival, mean_curve: Curve) -> list[Flag]:
    """Flags on the bolus in the brain as a whole: missing, cut off, or with a short baseline."""
    flags = []
    if not bolus.found:
        flags.append(
            Flag(
                code="no-bolus",
                severity=Severity.FAILURE,
                message="No bolus: the brain's mean signal does not change beyond its noise. The maps hold no values.",
                value=0.0,
                threshold=0.0,
            )
        )
        return flags
    n_baseline = bolus.baseline.stop - bolus.baseline.start
    if n_baseline < SHORT_BASELINE:
        flags.append(
            Flag(
                code="short-baseline",
                severity=Severity.WARNING,
                message=f"Only {n_baseline} frame(s) before the bolus: the baseline is noisy or holds contrast.",
                value=n_baseline,
                threshold=SHORT_BASELINE,
            )
        )
    tail = float(mean_curve[-3:].mean() / mean_curve.max()) if mean_curve.max() > 0 else 1.0
    if tail > TAIL_SHARE:
        flags.append(
            Flag(
                code="truncated-bolus",
                severity=Severity.WARNING,
                message=f"The scan ends while the brain holds {tail:.0%} of its peak contrast: CBV and MTT read low.",
                value=tail,
                threshold=TAIL_SHARE,
            )
        )
    if bolus.unsteady_frames:
        flags.append(
            Flag(
                code="unsteady-start",
                severity=Severity.NOTE,
                message=f"{bolus.unsteady_frames} frame(s) at the start were not in steady state and left out.",
                value=bolus.unsteady_frames,
                threshold=0,
            )
        )
    return flags


def aif_flags(aif: ArterialInputFunction, mean_curve: Curve, times: Curve, kind: str = "measured") -> list[Flag]:
    """Flags on the arterial input function: weak, late, cut off, or without the fit that was asked for."""
    flags = []
    if kind == "fitted" and aif.fit is None:
        flags.append(
            Flag(
                code="no-aif-fit",
                severity=Severity.WARNING,
                message="No gamma variate fits the AIF: the measured curve was used instead.",
                value=0.0,
                threshold=0.0,
            )
        )
    peak = float(aif.measured.max())
    if aif.baseline_noise > 0 and peak < WEAK_AIF_TO_NOISE * aif.baseline_noise:
        flags.append(
            Flag(
                code="weak-aif",
                severity=Severity.WARNING,
                message=f"The AIF's peak is only {peak / aif.baseline_noise:.1f} times its noise.",
                value=peak / aif.baseline_noise,
                threshold=WEAK_AIF_TO_NOISE,
            )
        )
    lead = float(times[int(mean_curve.argmax())] - times[int(aif.measured.argmax())])
    if lead < 0:
        flags.append(
            Flag(
                code="late-aif",
                severity=Severity.WARNING,
                message=f"The AIF peaks {-lead:.1f} s after the brain does: it may be a vein.",
                value=lead,
                threshold=0.0,
            )
        )
    tail = float(aif.measured[-3:].mean() / peak)
    if tail > TAIL_SHARE:
        flags.append(
            Flag(
                code="truncated-aif",
                severity=Severity.WARNING,
                message=f"The AIF ends at {tail:.0%} of its peak: it was cut off, CBV and CBF are biased.",
                value=tail,
                threshold=TAIL_SHARE,
            )
        )
    return flags


def motion_flags(motion: MotionEstimate, *, applied: bool) -> list[Flag]:
    """A flag on large motion, whether corrected or not."""
    largest = float(motion.displacement.max())
    if largest <= MOTION_MM and (applied or not motion.moved):
        return []
    message = f"The head moved by up to {largest:.1f} mm"
    message += " (corrected)." if applied else " and motion correction is off."
    return [
        Flag(
            code="motion",
            severity=Severity.NOTE if applied and largest <= 3 * MOTION_MM else Severity.WARNING,
            message=message,
            value=largest,
            threshold=MOTION_MM,
        )
    ]


def coverage_flags(brain: Mask, analysed: Mask) -> list[Flag]:
    """A flag on the part of the brain that motion has made useless."""
    total = int(np.count_nonzero(brain))
    share = 1 - int(np.count_nonzero(analysed)) / total if total else 0.0
    if share <= LEFT_OUT_SHARE:
        return []
    return [
        Flag(
            code="left-out",
            severity=Severity.WARNING,
            message=f"{share:.0%} of the brain mask is left out: motion moved it out of view or bone into its voxels.",
            value=share,
            threshold=LEFT_OUT_SHARE,
        )
    ]


def curve_flags(content: Concentration, lost_area: Volume) -> list[Flag]:
    """Flags on the tissue curves: cut off by the end of the scan, or signal lost in noise."""
    flags = []
    share = float((lost_area > LOST_AREA).mean()) if lost_area.size else 0.0
    if share > TRUNCATED_SHARE:
        flags.append(
            Flag(
                code="truncated-curves",
                severity=Severity.NOTE,
                message=f"In {share:.0%} of the brain the scan ends before the bolus has passed: CBV and MTT read low.",
                value=share,
                threshold=TRUNCATED_SHARE,
            )
        )
    floored = content.n_floored / max(1, content.curves.size)
    if floored > FLOORED_SHARE:
        flags.append(
            Flag(
                code="signal-lost",
                severity=Severity.NOTE,
                message=f"{floored:.2%} of the samples had no signal left: their concentration is a lower bound.",
                value=floored,
                threshold=FLOORED_SHARE,
            )
        )
    unusable = float((~content.usable).mean()) if content.usable.size else 0.0
    if unusable > 0:
        flags.append(
            Flag(
                code="no-baseline-signal",
                severity=Severity.NOTE,
                message=f"{unusable:.2%} of the brain mask has no MR signal before the bolus and is left out.",
                value=unusable,
                threshold=0.0,
            )
        )
    return flags


def no_aif_flag(reason: str) -> Flag:
    """The flag for a series in which no artery could be found."""
    return Flag(
        code="no-aif",
        severity=Severity.FAILURE,
        message=f"The maps hold no usable values: {reason}. Give the AIF as a mask or a curve (--aif).",
        value=0.0,
        threshold=0.0,
    )


def uncalibrated_flag() -> Flag:
    """The note that DSC maps have no absolute scale."""
    return Flag(
        code="uncalibrated",
        severity=Severity.NOTE,
        message=(
            "DSC: CBF and CBV have no absolute scale, since arteries and tissue differ in relaxivity. "
            "Give white_matter_cbf to scale them."
        ),
        value=float(np.nan),
        threshold=float(np.nan),
    )

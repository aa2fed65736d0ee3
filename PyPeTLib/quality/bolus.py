"""Flags on the bolus in the brain as a whole: missing, cut off, weak, upside down, on an unsteady baseline."""

from __future__ import annotations

import numpy as np

from PyPeTLib.arrays import Curve
from PyPeTLib.contrast import BolusArrival
from PyPeTLib.contrast.bolus import NOISE_FACTOR
from PyPeTLib.quality.evidence import Evidence
from PyPeTLib.quality.flag import Flag, Severity, flag_kind
from PyPeTLib.series import Modality

NO_BOLUS = flag_kind(
    "no-bolus",
    Severity.FAILURE,
    "bolus passages found in the brain's mean signal",
    least=1,
    basis="a rise counts from four standard deviations of the mean curve's noise on, which noise alone hardly reaches",
)
SHORT_BASELINE = flag_kind(
    "short-baseline",
    Severity.WARNING,
    "frames before the bolus",
    unit="frames",
    least=3,
    basis="below three frames the error of the baseline exceeds 0.6 of one sample's noise, and it may hold contrast",
)
TRUNCATED_BOLUS = flag_kind(
    "truncated-bolus",
    Severity.WARNING,
    "contrast left in the brain at the end of the scan, of its peak",
    unit="%",
    most=30.0,
    basis="scans that end early misread volume and transit time: de la Rosa et al. 2022, "
    "doi:10.1101/2022.06.16.22276371",
)
UNSTEADY_START = flag_kind(
    "unsteady-start",
    Severity.NOTE,
    "first frames that were not in steady state",
    unit="frames",
    most=0,
    basis="they are left out, so any is told",
)
DRIFT = flag_kind(
    "drifting-signal",
    Severity.WARNING,
    "mean curve of the brain at the end of the scan, of its peak",
    unit="%",
    least=-15.0,
    basis="contrast cannot fall below its baseline; noise moves the brain's mean by less than 2 % of the peak",
)
INVERTED = flag_kind(
    "inverted-contrast",
    Severity.WARNING,
    "largest change of the brain's signal against the sense of contrast, over that in its sense",
    most=0.7,
    basis="head phantoms: below 0.1; a CT taken for MR, or the other way round, measures more than 1",
)
LOW_CONTRAST = flag_kind(
    "low-contrast-to-noise",
    Severity.WARNING,
    "peak of the brain's mean curve over the noise of one voxel and frame",
    least=0.5,
    basis="CT head phantoms: 1.6 at 6 HU; 0.6, 0.44 and 0.32 at 16, 22 and 30 HU, where CBF reads 37, 48, 54 % low",
)


def bolus_flags(bolus: BolusArrival, mean_curve: Curve) -> list[Flag]:
    """Flags on the bolus in the brain as a whole: missing, cut off, or with a short baseline."""
    if not bolus.found:
        message = (
            "No bolus: the brain's mean signal does not change beyond its noise. The maps hold no values. Check that "
            "the series is the one with contrast, and its modality."
        )
        return NO_BOLUS.check(0, message)
    length = bolus.baseline.stop - bolus.baseline.start
    peak = float(mean_curve.max())
    tail = 100 * (float(mean_curve[-3:].mean()) / peak if peak > 0 else 1.0)
    return [
        *SHORT_BASELINE.check(
            length,
            f"Only {length} frame(s) before the bolus: the baseline is noisy or holds contrast. Start the scan "
            "earlier.",
        ),
        *TRUNCATED_BOLUS.check(
            tail, f"The scan ends while the brain holds {tail:.0f} % of its peak contrast: CBV and MTT read low."
        ),
        *DRIFT.check(
            tail,
            f"The brain's signal ends at {tail:.0f} % of the bolus, below where it started: the scanner drifts, or the "
            "baseline holds contrast. Areas, so CBV and MTT, are off.",
        ),
        *UNSTEADY_START.check(
            bolus.unsteady_frames,
            f"{bolus.unsteady_frames} frame(s) at the start were not in steady state and left out.",
        ),
    ]


def check_bolus(evidence: Evidence) -> list[Flag]:
    """All flags on the bolus."""
    flags = bolus_flags(evidence.bolus, evidence.first.mean_curve)
    usual = "raise" if evidence.working.modality is Modality.CTP else "lower"
    steady = evidence.first.mean_curve[evidence.bolus.baseline.start :]
    upward, downward = float(steady.max()), -float(steady.min())
    noise = evidence.first.noise / np.sqrt(max(1, evidence.first.n_voxels))
    inverted = downward / upward if upward > 0 else float("inf")
    if downward > NOISE_FACTOR * noise:
        flags += INVERTED.check(
            inverted,
            f"Contrast should {usual} the signal, but it changes {min(inverted, 99):.1f} times as much the other way: "
            "the modality is wrong, the values are inverted, or frames are damaged. Check --modality.",
        )
    if evidence.bolus.found and evidence.first.noise > 0:
        ratio = upward / evidence.first.noise
        flags += LOW_CONTRAST.check(
            ratio,
            f"The bolus in the brain is only {ratio:.2f} times the noise of a voxel: flow is off and maps are "
            "grainy. Use more smoothing, and read regions, not voxels.",
        )
    return flags

"""Flags on the arterial input function, those of both sides, and the vein that they are compared with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from PyPeTLib.aif import (
    SIDES,
    AIFOptions,
    ArterialInputFunction,
    Hemispheres,
    VenousOutputFunction,
    curve_quality,
)
from PyPeTLib.arrays import Curve
from PyPeTLib.contrast.features import curve_features
from PyPeTLib.quality.evidence import Evidence
from PyPeTLib.quality.flag import Flag, Severity, flag_kind
from PyPeTLib.quality.timing import SPARSE_FRAMES

NO_AIF = flag_kind(
    "no-aif",
    Severity.FAILURE,
    "arteries found or given",
    least=1,
    basis="nothing can be deconvolved without one",
)
BORROWED_AIF = flag_kind(
    "borrowed-aif",
    Severity.WARNING,
    "sides with an artery of their own, where each was to have one",
    unit="sides",
    least=2,
    basis="the other side's artery reads as delay, and hides an occlusion",
)
NO_FIT = flag_kind(
    "no-aif-fit",
    Severity.WARNING,
    "gamma variates that fit the AIF, where the fit was asked for",
    least=1,
    basis="the measured curve takes the fit's place",
)
POPULATION_AIF = flag_kind(
    "population-aif",
    Severity.WARNING,
    "measured arterial curves",
    least=1,
    basis="width and second pass of the standard bolus are those of nobody: CBV reads some 13 % high in the phantoms",
)
ONE_AIF = flag_kind(
    "one-aif",
    Severity.NOTE,
    "arterial curves, where each side was to have its own",
    unit="curves",
    least=2,
    basis="a curve that is given has no place in the image",
)
WEAK_AIF = flag_kind(
    "weak-aif",
    Severity.WARNING,
    "peak of the AIF over its noise before the bolus",
    least=10.0,
    basis="the noise of the AIF enters every voxel: at 10, its area and so CBV are uncertain by some 5 %",
)
LATE_AIF = flag_kind(
    "late-aif",
    Severity.WARNING,
    "time by which arrival and peak of the AIF precede those of the brain",
    unit="s",
    least=0.0,
    basis="arteries lead; a curve that comes after the brain's is a vein's or tissue's",
)
TRUNCATED_AIF = flag_kind(
    "truncated-aif",
    Severity.WARNING,
    "AIF at the end of the scan, of its peak",
    unit="%",
    most=30.0,
    basis="as truncated-bolus; a second pass alone stays below 20 %",
)
AIF_WIDTH = flag_kind(
    "implausible-aif-width",
    Severity.WARNING,
    "width of the AIF at half its height",
    unit="s",
    least=2.5,
    most=20.0,
    basis="boluses of 4 to 10 s in an arm vein reach the neck 5 to 15 s wide; a wrong frame interval leaves this range",
)
VEIN_BELOW = flag_kind(
    "vein-below-aif",
    Severity.WARNING,
    "area of the vein over that of the AIF",
    least=0.9,
    basis="what flows in flows out; noise moves the ratio by less than a tenth",
)
VEIN_ABOVE = flag_kind(
    "vein-above-aif",
    Severity.WARNING,
    "area of the vein over that of the AIF",
    most=2.5,
    basis="the option aif.partial_volume_cap: an artery diluted to less than 40 % is mostly tissue",
)
DILUTED = 1.3
"""Largest ratio of the areas of vein and artery without a flag, where the AIF is not to be scaled to the vein."""
SCALED_AIF = flag_kind(
    "scaled-aif",
    Severity.NOTE,
    "factor by which the AIF was scaled to the area of the vein",
    most=1.5,
    basis="beyond it a third of the artery's voxels is tissue, whose own curve blurs its shape",
)
NO_VOF = flag_kind(
    "no-vof",
    Severity.WARNING,
    "veins to compare a measured AIF with",
    least=1,
    basis="an artery a few mm wide is diluted, and CBF and CBV read high by as much, unless a vein tells",
)


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
    return flags + BORROWED_AIF.check(
        len(own),
        f"No artery was found on the {aif.borrowed} side: its tissue was analysed with that of the other side. Mark "
        "an artery there (--aif).",
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
    tail, width = 100 * quality.tail, quality.width
    flags = []
    if options.curve == "fitted":
        flags += NO_FIT.check(
            int(aif.fit is not None), "No gamma variate fits the AIF: the measured curve was used instead."
        )
    flags += POPULATION_AIF.check(
        int(aif.source != "population"),
        "The AIF was not measured: a standard bolus took its place, scaled to the vein. Values are guesses.",
    )
    if options.sides == "each" and aif.mask is None:
        flags += ONE_AIF.check(1, "One AIF was used for both sides: a curve has no place in the image.")
    if quality.contrast_to_noise > 0:
        flags += WEAK_AIF.check(
            quality.contrast_to_noise,
            f"The AIF's peak is only {quality.contrast_to_noise:.1f} times its noise. Mark a larger artery (--aif).",
        )
    return [
        *flags,
        *LATE_AIF.check(
            lead, f"The AIF comes {-lead:.1f} s after the brain does: it may be a vein. Mark an artery (--aif)."
        ),
        *TRUNCATED_AIF.check(
            tail,
            f"The AIF ends at {tail:.0f} % of its peak: it was cut off, or is no artery's; CBV and CBF are biased.",
        ),
        *AIF_WIDTH.check(
            width,
            f"The AIF is {width:.1f} s wide at half its height: the frame times are wrong, or it is no artery. Check "
            "--frame-interval.",
        ),
        *_sampling_flags(times, aif),
        *_ratio_flags(aif, options),
    ]


def _sampling_flags(times: Curve, aif: ArterialInputFunction) -> list[Flag]:
    """A flag where too few frames show the AIF."""
    # not smoothed in time, which would widen what is one or two frames wide
    width = float(curve_features(aif.measured[np.newaxis].astype(np.float32), times).width[0])
    top = int(aif.measured.argmax())
    frames = width / float(np.diff(times)[max(0, top - 2) : top + 2].max())
    return SPARSE_FRAMES.check(
        frames,
        f"Only {frames:.1f} frames fall into the width of the AIF: its height is chance, and CBF with it. Scan faster "
        "during the bolus.",
    )


def _ratio_flags(aif: ArterialInputFunction, options: AIFOptions) -> list[Flag]:
    """Flags on the ratio of the areas of vein and artery."""
    ratio = aif.venous_ratio
    if ratio is None:
        return []
    applied = "it was not scaled to the vein. " if options.partial_volume and aif.mask is not None else ""
    why, most = f"{applied}The AIF is diluted by tissue or no artery", options.partial_volume_cap
    if not options.partial_volume:
        why, most = "tissue dilutes the AIF, which is not to be scaled (partial_volume)", DILUTED
    return [
        *VEIN_BELOW.check(
            ratio,
            f"The vein's area is only {ratio:.2f} of the AIF's: {applied}The AIF may be a vein, or the vein is "
            "diluted, cut off or saturated. Look at both.",
        ),
        *VEIN_ABOVE.check(
            ratio,
            f"The vein's area is {ratio:.2f} times the AIF's: {why}, so CBF and CBV read high. Mark a larger artery "
            "(--aif).",
            most=most,
        ),
        *SCALED_AIF.check(
            aif.scale, f"Tissue dilutes the AIF: it was scaled by {aif.scale:.2f} to the area of the vein."
        ),
    ]


def vof_flags(
    aif: ArterialInputFunction, vof: VenousOutputFunction | None, reason: str, options: AIFOptions
) -> list[Flag]:
    """A flag where the vein is missing with which a measured AIF was to be compared."""
    if not options.partial_volume or aif.mask is None:
        return []
    return NO_VOF.check(
        int(vof is not None), f"The AIF was not scaled for partial volume: {reason}. Mark a large vein (--vof)."
    )


def no_aif_flags(reason: str) -> list[Flag]:
    """The flag for a series in which no artery could be found."""
    message = f"The maps hold no usable values: {reason}. Give the AIF as a mask or a curve (--aif)."
    return NO_AIF.check(0, message)


def check_vessels(evidence: Evidence) -> list[Flag]:
    """All flags on vessels."""
    aif = evidence.aif
    if aif is None:
        return no_aif_flags(evidence.no_aif) if evidence.bolus.found else []
    mean_curve = evidence.content.curves.mean(axis=0, dtype=np.float64)
    flags = vessel_flags(evidence.hemispheres or aif, mean_curve, evidence.times, evidence.options)
    return flags + vof_flags(aif, evidence.vof, evidence.no_vof, evidence.options)

"""Flags on the frames: their distances, gaps between them, and frames unlike the others."""

from __future__ import annotations

import numpy as np

from PyPeTLib.arrays import Curve, IntArray, Volume
from PyPeTLib.quality.evidence import Evidence
from PyPeTLib.quality.flag import Flag, Severity, flag_kind
from PyPeTLib.quality.motion import named_frames

UNEVEN_FRAMES = flag_kind(
    "uneven-frames",
    Severity.NOTE,
    "longest over shortest distance of frames",
    most=1.2,
    basis="clocks of scanners jitter by a few per cent; every method here takes uneven frames as they are",
)
MISSING_FRAMES = flag_kind(
    "missing-frames",
    Severity.WARNING,
    "a gap in the first pass, over the longer one of the distances beside it",
    most=2.5,
    basis="one frame left out moves flow by less than 10 %: Oei et al. 2017, doi:10.1007/s00330-016-4577-y; it doubles "
    "the distance, two triple it. A scan that slows down does so on one side only",
)
SPARSE_FRAMES = flag_kind(
    "sparse-frames",
    Severity.WARNING,
    "frames within the width of the AIF at half its height",
    unit="frames",
    least=2.0,
    basis="an AIF is some 6 s wide, and up to one frame in 3 s flow moves by less than 10 %: Wiesmann et al. 2008, "
    "doi:10.1007/s00330-008-1083-x",
)
ODD_FRAMES = flag_kind(
    "odd-frames",
    Severity.WARNING,
    "distance of a frame from its neighbours over that of the median frame",
    most=3.0,
    basis="clean head phantoms stay below 2, a blank frame or one of a quarter of the dose measures 4 and more",
)
LEAST_ODD = 0.5
"""A frame is odd only if it differs by this share of the bolus' height in the brain: without noise, all frames of the
bolus stand out of the others."""
GAP_STEPS = 1.0


def gap_in_first_pass(times: Curve, curve: Curve) -> float:
    """Longest distance of frames within the brain's first pass, over the longer one of those beside it."""
    steps = np.diff(times)
    top = int(curve.argmax())
    above = np.flatnonzero(curve >= 0.3 * curve[top])
    inside = slice(max(0, int(above[0]) - 2), min(steps.size, int(above[-1]) + 1))
    padded = np.concatenate([[0.0], steps, [0.0]])
    beside = np.maximum(padded[:-2], padded[2:])
    return float((steps / beside)[inside].max())


def frame_distances(curves: Volume, times: Curve) -> Curve:
    """How far each frame lies from the line between its neighbours: median modulus over voxels, shape (t − 2,)."""
    share = ((times[1:-1] - times[:-2]) / (times[2:] - times[:-2])).astype(np.float32)
    expected = curves[:, :-2] * (1 - share) + curves[:, 2:] * share
    # weighted for what the noise of two neighbours adds to that of the frame itself
    weight = np.sqrt(1 + share**2 + (1 - share) ** 2)
    return np.asarray(np.median(np.abs(curves[:, 1:-1] - expected), axis=0) / weight, np.float64)


def odd_frames(distances: Curve, height: float) -> tuple[IntArray, float]:
    """Frames far from their neighbours (counted from 0), and how far the worst one is, relative to the median frame."""
    usual = float(np.median(distances))
    limit = max(ODD_FRAMES.most * usual, LEAST_ODD * height)
    peaks = distances >= np.maximum(np.roll(distances, 1), np.roll(distances, -1))
    odd = np.flatnonzero((distances > limit) & peaks) + 1
    worst = float(distances.max()) / usual if usual > 0 and odd.size else 0.0
    return odd, worst


def check_timing(evidence: Evidence) -> list[Flag]:
    """All flags on frames and their times."""
    times, curve = evidence.times, evidence.first.mean_curve
    steps = np.diff(times)
    uneven = float(steps.max() / steps.min())
    flags = UNEVEN_FRAMES.check(
        uneven, f"The frames are {steps.min():.3g} to {steps.max():.3g} s apart; their times are taken as given."
    )
    odd, worst = odd_frames(frame_distances(evidence.first.some, times), float(curve.max()))
    flags += ODD_FRAMES.check(
        worst,
        f"{named_frames(odd)} do not go with their neighbours: blank, damaged, moved or of another dose. Leave them "
        "out and run again.",
    )
    if not evidence.bolus.found:
        return flags
    gap = gap_in_first_pass(times, curve)
    return flags + MISSING_FRAMES.check(
        gap,
        f"A gap of {gap:.1f} times the usual distance of frames lies in the bolus: frames are missing, and peak and "
        "area of the curves are guesses there. Complete the series.",
    )

"""Flags on motion, and on the frames and the parts of the brain that it has made useless."""

from __future__ import annotations

import numpy as np

from PyPeTLib.arrays import IntArray, Mask
from PyPeTLib.preprocess.poses import MotionEstimate
from PyPeTLib.quality.evidence import Evidence
from PyPeTLib.quality.flag import Flag, Severity, flag_kind

MOTION = flag_kind(
    "motion",
    Severity.NOTE,
    "largest motion of the head, corrected",
    unit="mm",
    most=3.0,
    basis="up to 5 mm the correction leaves less than 0.2 mm in the head phantoms",
)
LARGE_MOTION = flag_kind(
    "large-motion",
    Severity.WARNING,
    "largest motion of the head, corrected",
    unit="mm",
    most=9.0,
    basis="nearly two slices of 5 mm: what leaves the field of view is lost in some frames",
)
UNCORRECTED_MOTION = flag_kind(
    "uncorrected-motion",
    Severity.WARNING,
    "motion of the head while the correction is off",
    unit="mm",
    most=0.5,
    basis="half the voxel of CT: beyond it edges of vessels and bone change a voxel's curve as a bolus does",
)
UNUSABLE_FRAMES = flag_kind(
    "unusable-frames",
    Severity.WARNING,
    "frames that do not fit the others once aligned, or hold much more noise",
    unit="frames",
    most=0,
    basis="all frames of clean head phantoms fit; what counts as a fault is reasoned in preprocess/frame_faults.py",
)
LEFT_OUT = flag_kind(
    "left-out",
    Severity.WARNING,
    "share of the brain mask that motion moved out of view or bone into",
    unit="%",
    most=5.0,
    basis="the rim beside bone is 2 to 3 % where the head moves by less than a voxel",
)
NAMED_FRAMES = 6
"""Of more frames than this only the number is told."""


def motion_flags(estimate: MotionEstimate, *, applied: bool, left_out: bool = False) -> list[Flag]:
    """Flags on large motion, whether corrected or not, and on frames that could not be aligned."""
    largest = float(estimate.displacement.max())
    unusable = np.flatnonzero(~estimate.reliable)
    reasons = ", ".join(dict.fromkeys(str(estimate.faults[k]) for k in unusable if estimate.faults[k] is not None))
    flags = UNUSABLE_FRAMES.check(
        unusable.size,
        f"{named_frames(unusable)} cannot be used ({reasons or 'damaged'}). "
        + (
            "They were left out; look at the motion figure."
            if left_out
            else "They were not left out; curves may show spikes there. Look at the motion figure."
        ),
    )
    if not applied:
        return flags + UNCORRECTED_MOTION.check(
            largest, f"The head moved by up to {largest:.1f} mm and motion correction is off. Switch it on."
        )
    moved = LARGE_MOTION.check(
        largest,
        f"The head moved by up to {largest:.1f} mm (corrected). Look at the motion figure and at the rim of the maps.",
    )
    return flags + (moved or MOTION.check(largest, f"The head moved by up to {largest:.1f} mm (corrected)."))


def coverage_flags(brain: Mask, analysed: Mask) -> list[Flag]:
    """A flag on the part of the brain that motion has made useless."""
    share = 100 * (1 - int(np.count_nonzero(analysed)) / max(1, int(np.count_nonzero(brain))))
    return LEFT_OUT.check(
        share,
        f"{share:.0f} % of the brain mask is left out: motion moved it out of view or bone into its voxels. Do not "
        "read volumes off these maps.",
    )


def named_frames(frames: IntArray) -> str:
    """Frames, counted from 0, in words."""
    if frames.size > NAMED_FRAMES:
        return f"{frames.size} frames"
    return f"{'Frame' if frames.size == 1 else 'Frames'} {', '.join(map(str, frames))} (counted from 0)"


def check_motion(evidence: Evidence) -> list[Flag]:
    """All flags on motion."""
    motion = evidence.motion
    left_out = motion.kept.size < motion.all_frames.reliable.size
    flags = motion_flags(motion.all_frames, applied=motion.applied, left_out=left_out)
    return flags + coverage_flags(evidence.brain, evidence.analysed)

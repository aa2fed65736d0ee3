"""All checks in the order of the way of the data, and the flags that they raise."""

from __future__ import annotations

from collections.abc import Callable

from PyPeTLib.quality.bolus import check_bolus
from PyPeTLib.quality.evidence import Evidence
from PyPeTLib.quality.flag import Flag
from PyPeTLib.quality.motion import check_motion
from PyPeTLib.quality.plausibility import check_plausibility
from PyPeTLib.quality.signal import check_signal
from PyPeTLib.quality.timing import check_timing
from PyPeTLib.quality.vessels import check_vessels

Check = Callable[[Evidence], list[Flag]]

CHECKS: tuple[Check, ...] = (
    check_motion,
    check_timing,
    check_signal,
    check_bolus,
    check_vessels,
    check_plausibility,
)
"""A check looks at the evidence and returns the flags that it raises; a new one is a function that stands here."""


def collect_flags(evidence: Evidence) -> tuple[Flag, ...]:
    """All flags of a run, in the order of the checks."""
    return tuple(flag for check in CHECKS for flag in check(evidence))

"""Flags that a radiologist would want to see before trusting a map.

* `flag`: what a flag is, and `FLAGS`, the one table of all kinds with their thresholds and what these rest on
* `evidence`: what the checks look at
* `motion`, `timing`, `signal`, `bolus`, `vessels`, `plausibility`: the checks
* `collect`: their order; a new check is one function that is named there
"""

from PyPeTLib.quality.bolus import bolus_flags
from PyPeTLib.quality.collect import CHECKS, Check, collect_flags
from PyPeTLib.quality.evidence import Evidence
from PyPeTLib.quality.first_look import FirstLook, clipped_voxels
from PyPeTLib.quality.flag import FLAGS, Flag, FlagKind, Severity, flag_table
from PyPeTLib.quality.motion import coverage_flags, motion_flags
from PyPeTLib.quality.plausibility import curve_flags, lag_flags, leakage_flags, scale_flags, value_flags
from PyPeTLib.quality.signal import signal_flags
from PyPeTLib.quality.timing import frame_distances, gap_in_first_pass, odd_frames
from PyPeTLib.quality.vessels import aif_flags, no_aif_flags, vessel_flags, vof_flags

__all__ = [
    "CHECKS",
    "FLAGS",
    "Check",
    "Evidence",
    "FirstLook",
    "Flag",
    "FlagKind",
    "Severity",
    "aif_flags",
    "bolus_flags",
    "clipped_voxels",
    "collect_flags",
    "coverage_flags",
    "curve_flags",
    "flag_table",
    "frame_distances",
    "gap_in_first_pass",
    "lag_flags",
    "leakage_flags",
    "motion_flags",
    "no_aif_flags",
    "odd_frames",
    "scale_flags",
    "signal_flags",
    "value_flags",
    "vessel_flags",
    "vof_flags",
]

"""From signal to contrast: when the bolus arrives, what the baseline is, and how much contrast each frame shows.

`bolus` finds the arrival and the baseline frames; `concentration` turns signal into concentration curves; `features`
measures how high, early, narrow and smooth a curve is.
"""

from PyPeTLib.contrast.bolus import BOLUS_RULES, BolusArrival, ContrastOptions, contrast_sign, find_bolus
from PyPeTLib.contrast.concentration import Concentration, baseline_signal, concentration

__all__ = [
    "BOLUS_RULES",
    "BolusArrival",
    "Concentration",
    "ContrastOptions",
    "baseline_signal",
    "concentration",
    "contrast_sign",
    "find_bolus",
]

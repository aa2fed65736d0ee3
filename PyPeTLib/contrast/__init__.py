"""From signal to contrast: when the bolus arrives, what the baseline is, and how much contrast each frame shows.

`bolus` finds the arrival and the baseline frames; `concentration` turns signal into concentration curves;
`relaxivity` tells how arterial blood differs from tissue, `leakage` takes away what leaked out of the vessels,
`recovery` measures how far the signal drops and comes back, `features` how high, early, narrow and smooth a curve is.
"""

from PyPeTLib.contrast.bolus import BOLUS_RULES, BolusArrival, ContrastOptions, contrast_sign, find_bolus
from PyPeTLib.contrast.concentration import Concentration, baseline_signal, between_echoes, concentration
from PyPeTLib.contrast.leakage import LEAKAGE_CORRECTIONS, LeakageFit, correct_leakage
from PyPeTLib.contrast.recovery import peak_height, signal_recovery
from PyPeTLib.contrast.relaxivity import ARTERIAL_RELAXIVITIES

__all__ = [
    "ARTERIAL_RELAXIVITIES",
    "BOLUS_RULES",
    "LEAKAGE_CORRECTIONS",
    "BolusArrival",
    "Concentration",
    "ContrastOptions",
    "LeakageFit",
    "baseline_signal",
    "between_echoes",
    "concentration",
    "contrast_sign",
    "correct_leakage",
    "find_bolus",
    "peak_height",
    "signal_recovery",
]

"""Lesions: tissue of low flow, tissue that contrast reaches late, and their volumes. Research use only.

===============  ================================================================
`model`          the result; options and presets are in `PyPeTLib.lesion_options`, which the configuration knows
`thresholds`     masks from maps
`find`           the lesions of a run
`tables`         facts for the summary, and the table for people
`files`          labelmap and sidecar
`symmetry`       left and right of any map
`hypometabolic`  where a PET is lower than on its other side
===============  ================================================================
"""

from PyPeTLib.lesion_options import LESION_PRESETS, LesionOptions
from PyPeTLib.lesions.files import write_lesions
from PyPeTLib.lesions.find import find_lesions, why_no_lesions
from PyPeTLib.lesions.model import Lesions
from PyPeTLib.lesions.symmetry import Asymmetry, asymmetry
from PyPeTLib.lesions.tables import lesions_facts, lesions_table

__all__ = [
    "LESION_PRESETS",
    "Asymmetry",
    "LesionOptions",
    "Lesions",
    "asymmetry",
    "find_lesions",
    "lesions_facts",
    "lesions_table",
    "why_no_lesions",
    "write_lesions",
]

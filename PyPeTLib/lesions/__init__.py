"""Lesions: tissue of low flow, tissue that contrast reaches late, and their volumes. Research use only.

============  ================================================================
`model`       options and result
`thresholds`  masks from maps
`find`        the lesions of a run
============  ================================================================
"""

from PyPeTLib.lesions.find import find_lesions, why_no_lesions
from PyPeTLib.lesions.model import LesionOptions, Lesions

__all__ = ["LesionOptions", "Lesions", "find_lesions", "why_no_lesions"]

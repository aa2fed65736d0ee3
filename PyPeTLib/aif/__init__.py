"""The arterial input function and the venous output function: found in the data, or given.

`model` holds the options, the results and the registry of the rules; `gamma_variate` fits the first pass;
`curve_quality` measures a vessel's curve; `candidates` finds artery-like voxels and their clusters, `measuring` their
curves; `cluster_score`, `mouridsen`, `straka` and `paper` are the rules, `selection` applies one; `venous` finds the
vein and compares its area with the artery's; `manual` takes a function from a mask or a curve of the user, `population`
from a standard bolus.
"""

from PyPeTLib.aif import cluster_score, mouridsen, paper, straka  # noqa: F401 - they register their rules
from PyPeTLib.aif.curve_quality import CurveQuality, curve_quality
from PyPeTLib.aif.gamma_variate import GammaVariate, fit_gamma_variate
from PyPeTLib.aif.manual import aif_from_curve, aif_from_mask, vof_from_mask
from PyPeTLib.aif.measuring import brightest
from PyPeTLib.aif.model import (
    AIF_RULES,
    SIDES,
    AIFOptions,
    ArterialInputFunction,
    Candidate,
    Hemispheres,
    VenousOutputFunction,
    VesselCurve,
)
from PyPeTLib.aif.partial_volume import compared_with_vein, venous_ratio
from PyPeTLib.aif.population import population_aif
from PyPeTLib.aif.selection import earliest_arrival, select_aif
from PyPeTLib.aif.venous import select_vof

__all__ = [
    "AIF_RULES",
    "SIDES",
    "AIFOptions",
    "ArterialInputFunction",
    "Candidate",
    "CurveQuality",
    "GammaVariate",
    "Hemispheres",
    "VenousOutputFunction",
    "VesselCurve",
    "aif_from_curve",
    "aif_from_mask",
    "brightest",
    "compared_with_vein",
    "curve_quality",
    "earliest_arrival",
    "fit_gamma_variate",
    "population_aif",
    "select_aif",
    "select_vof",
    "venous_ratio",
    "vof_from_mask",
]

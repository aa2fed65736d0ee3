"""The arterial input function: found in the data, or given.

`model` holds the options and the result with all candidates; `gamma_variate` fits the first pass; `candidates` finds
clusters of artery-like voxels; `selection` scores them and takes the best; `manual` takes the function from a mask or
a curve of the user.
"""

from PyPeTLib.aif.gamma_variate import GammaVariate, fit_gamma_variate
from PyPeTLib.aif.manual import aif_from_curve, aif_from_mask
from PyPeTLib.aif.model import AIFOptions, ArterialInputFunction, Candidate
from PyPeTLib.aif.selection import brightest, select_aif

__all__ = [
    "AIFOptions",
    "ArterialInputFunction",
    "Candidate",
    "GammaVariate",
    "aif_from_curve",
    "aif_from_mask",
    "brightest",
    "fit_gamma_variate",
    "select_aif",
]

"""MRI → PET: a PET as a locally linear function of MRI contrasts, learned from heads that have both.

The model is ``PET(v) = Σ_p φ_p(v) w_p · f(v)``, after the idea of GaussPET; nothing of its program is used.

=====================  ======================================================================================
`subject`              a head: contrasts, brain, PET
`dataset`              folders of heads; `assembly` images → subject, `brain`, `alignment` and `census` check them
`features`             f: contrasts, their surroundings, other side and products
`lattice`              φ: trilinear hats on 1, 8, 64 or 216 nodes in head coordinates
`weighting`            which training voxels count more
`normal_equations`     sums over subjects in blocks; `gauss_seidel` solves them
`fitting`              subjects → `model`; `model_files` keeps it; `options`; `signature` of the contrasts
`prediction`           model and MRI → PET; `interpolation` of coefficients; `auxiliary` PET → MRI refinement
`baselines`            what a model has to beat; `training`, `evaluation` and `outputs` make files of it all
=====================  ======================================================================================
"""

from PyPeTLib.synthesis.assembly import assemble, load_subject
from PyPeTLib.synthesis.dataset import SubjectFiles, find_subjects, split_folder
from PyPeTLib.synthesis.fitting import Fit, fit
from PyPeTLib.synthesis.model import SynthesisModel
from PyPeTLib.synthesis.model_files import load_model, save_model
from PyPeTLib.synthesis.options import SynthesisOptions
from PyPeTLib.synthesis.prediction import LIMITS, check_contrasts, predict
from PyPeTLib.synthesis.subject import Subject, subject_of_arrays

__all__ = [
    "LIMITS",
    "Fit",
    "Subject",
    "SubjectFiles",
    "SynthesisModel",
    "SynthesisOptions",
    "assemble",
    "check_contrasts",
    "find_subjects",
    "fit",
    "load_model",
    "load_subject",
    "predict",
    "save_model",
    "split_folder",
    "subject_of_arrays",
]

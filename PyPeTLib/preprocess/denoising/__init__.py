"""Less noise in the brain's curves, and no bone, air or vessel in tissue.

`model` says what a filter gets and gives and holds the registry; `gaussian`, `curvature`, `tips`, `low_rank` and
`similarity` are the filters. Two of them work on the few shapes that all curves are mixtures of (`components`), two
compare voxels with their neighbours (`neighbours`). `vessels` finds what is to be left out.
"""

# Importing a file registers its filter, in the order in which users see them.
from PyPeTLib.preprocess.denoising import gaussian  # noqa: F401

# isort: split
from PyPeTLib.preprocess.denoising import low_rank, similarity  # noqa: F401

# isort: split
from PyPeTLib.preprocess.denoising import curvature, tips  # noqa: F401

# isort: split
from PyPeTLib.preprocess.denoising.model import DENOISERS, Denoiser, DenoisingOptions, Filtered, Surroundings
from PyPeTLib.preprocess.denoising.vessels import vessel_like

__all__ = ["DENOISERS", "Denoiser", "DenoisingOptions", "Filtered", "Surroundings", "vessel_like"]

"""Brain mask: the intracranial space, where CSF, ventricles and vessels count as inside.

==============  ==========================================================================================
`model`         options, result, the registry of methods
`ct`, `mr`      the methods: what the skull encloses (CT), the widest bright room (MR)
`fronts`        telling inside from outside where the wall has openings
`skin`          how deep under the skin a place lies (MR)
`edge`          where the edge runs on the image's voxels
`lattice`       the coarse lattice of the search
`morphology`    erosion, closing and filling in mm
`midline`       the plane in which the outline of a mask mirrors itself
`symmetry`      that plane by the image itself, and what lies opposite
`tissue`        CSF, large vessels, tissue and the rest; `grey_white` parts tissue, `local` knows its level
`reference`     normal-appearing tissue
==============  ==========================================================================================

To add a method, write one function like `ct.ct_skull` and register it in `MASK_METHODS`.
"""

from PyPeTLib.masking.find import brain_mask
from PyPeTLib.masking.midline import MidsagittalPlane, midsagittal_plane
from PyPeTLib.masking.model import MASK_METHODS, BrainMask, MaskOptions
from PyPeTLib.masking.morphology import erode_mm
from PyPeTLib.masking.reference import reference_tissue
from PyPeTLib.masking.symmetry import Mirror, find_mirror
from PyPeTLib.masking.tissue import PARENCHYMA, TITLES, TissueClass, TissueClasses, TissueOptions, classify_tissue

__all__ = [
    "MASK_METHODS",
    "PARENCHYMA",
    "TITLES",
    "BrainMask",
    "MaskOptions",
    "MidsagittalPlane",
    "Mirror",
    "TissueClass",
    "TissueClasses",
    "TissueOptions",
    "brain_mask",
    "classify_tissue",
    "erode_mm",
    "find_mirror",
    "midsagittal_plane",
    "reference_tissue",
]

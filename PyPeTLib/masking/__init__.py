"""Brain mask: the intracranial space, where CSF, ventricles and vessels count as inside.

==============  ==========================================================================================
`model`         options, result, the registry of methods
`ct`, `mr`      the methods: what the skull encloses (CT), the widest bright room (MR)
`fronts`        telling inside from outside where the wall has openings
`edge`          where the edge runs on the image's voxels
`lattice`       the coarse lattice of the search
`morphology`    erosion, closing and filling in mm
==============  ==========================================================================================

To add a method, write one function like `ct.ct_skull` and register it in `MASK_METHODS`.
"""

from PyPeTLib.masking.find import brain_mask
from PyPeTLib.masking.model import MASK_METHODS, BrainMask, MaskOptions
from PyPeTLib.masking.morphology import erode_mm

__all__ = ["MASK_METHODS", "BrainMask", "MaskOptions", "brain_mask", "erode_mm"]

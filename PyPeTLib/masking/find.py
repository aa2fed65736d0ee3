"""The brain mask by name of a method, checked."""

from __future__ import annotations

import numpy as np

from PyPeTLib.arrays import Volume
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.masking.ct import ct_skull
from PyPeTLib.masking.model import MASK_METHODS, BrainMask, MaskOptions
from PyPeTLib.masking.mr import mr_threshold
from PyPeTLib.series import Modality


@MASK_METHODS.register("auto", summary="ct-skull for CT, mr-threshold for MR")
def by_modality(mean: Volume, grid: Grid, modality: Modality, options: MaskOptions) -> BrainMask:
    """The method that suits the modality; see `ct_skull` and `mr_threshold`."""
    method = ct_skull if modality is Modality.CTP else mr_threshold
    return method(mean, grid, modality, options)


def brain_mask(mean: Volume, grid: Grid, modality: Modality, options: MaskOptions) -> BrainMask:
    """Find the intracranial space.

    Parameters
    ----------
    mean : ndarray of float32, shape (x, y, z)
        Temporal mean with axes nearest to RAS+: HU for CT; any scale for MR, best of the frames before the bolus.
    grid : Grid
    modality : Modality
    options : MaskOptions

    Returns
    -------
    BrainMask
        One component without holes; slices without brain are empty.

    Raises
    ------
    InputError
        If no brain is found.
    """
    if mean.shape != grid.shape:
        raise InputError(f"the mean image has shape {mean.shape}, its grid {grid.shape}")
    if not np.isfinite(mean).all():
        raise InputError("the mean image holds NaN or infinite values")
    found = MASK_METHODS[options.method](mean, grid, Modality(modality), options)
    volume = found.volume(grid)
    if volume < options.minimum_volume:
        raise InputError(
            f"no brain was found: the largest candidate has {volume:.1f} ml, less than the {options.minimum_volume:g} "
            "ml asked for (mask.minimum_volume). Check that the series shows the head, or give a brain mask with "
            "--mask."
        )
    return found

"""How far two masks of one grid overlap, and their volumes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Mask
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid

_ML = 1e-3
"""ml in a mm³."""


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Volumes of two masks in ml, and their Dice coefficient.

    ``dice`` is 2 |A and B| / (|A| + |B|) (Dice 1945, doi:10.2307/1932409); None where both masks are empty: that both
    found nothing is no overlap, and counting it as 1 would raise the mean of a cohort.
    """

    generated_ml: float
    reference_ml: float
    dice: float | None

    def facts(self) -> dict[str, float | None]:
        """The figures by their names."""
        return {"generated_ml": self.generated_ml, "reference_ml": self.reference_ml, "dice": self.dice}


def overlap(generated: Mask, reference: Mask, grid: Grid) -> Overlap:
    """Volumes and Dice coefficient of two masks.

    Parameters
    ----------
    generated, reference : ndarray of bool, shape (x, y, z)
    grid : Grid
        Of both.

    Raises
    ------
    InputError
        If the masks are not of the grid's shape.
    """
    if not generated.shape == reference.shape == tuple(grid.shape):
        raise InputError(f"the masks have shapes {generated.shape} and {reference.shape}, their grid {grid.shape}")
    one, other, both = (int(np.count_nonzero(mask)) for mask in (generated, reference, generated & reference))
    voxel = grid.voxel_volume * _ML
    return Overlap(
        generated_ml=one * voxel, reference_ml=other * voxel, dice=2 * both / (one + other) if one + other else None
    )

"""Values as they are, or relative to the mean of the voxels that are compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.registry import Registry


@dataclass(frozen=True, kw_only=True)
class Normalisation:
    """``keeps_unit`` tells whether values stay in their unit; ``apply`` gets a map's values and their mean."""

    keeps_unit: bool
    apply: Callable[[Volume, float], Volume]


NORMALISATIONS: Registry[Normalisation] = Registry("normalisations")

_PAPER = "Borghouts & Su 2025, doi:10.48550/arXiv.2511.13310"

NORMALISATIONS.register("absolute", summary="values as they are, in their unit")(
    Normalisation(keeps_unit=True, apply=lambda values, mean: values)  # noqa: ARG005 - all are called alike
)
NORMALISATIONS.register("relative", summary="(x − mean)/mean over the compared voxels", source=_PAPER)(
    Normalisation(keeps_unit=False, apply=lambda values, mean: values / np.float32(mean) - np.float32(1))
)
NORMALISATIONS.register("ratio", summary="x/mean over the compared voxels")(
    Normalisation(keeps_unit=False, apply=lambda values, mean: values / np.float32(mean))
)


def normalise(values: Volume, mask: Mask, valid: Mask, normalisation: str, *, called: str) -> Volume:
    """A map after a normalisation; 0 where it holds no value.

    Parameters
    ----------
    values : ndarray of float32, shape (x, y, z)
    mask : ndarray of bool
        The voxels whose mean counts.
    valid : ndarray of bool
        The voxels that hold a value.
    normalisation : str
        Name in `NORMALISATIONS`.
    called : str
        What a message calls the map.

    Raises
    ------
    InputError
        If the values would be divided by a mean that is not above zero.
    """
    chosen = NORMALISATIONS[normalisation]
    mean = 1.0
    if not chosen.keeps_unit:
        mean = float(values[mask].mean(dtype=np.float64))
        if not mean > 0:
            raise InputError(
                f"{called}: its mean over the compared voxels is {mean:.3g}, and values relative to a mean that is not "
                "above zero say nothing. Compare absolute values."
            )
    result: Volume = np.where(valid, chosen.apply(values, mean), np.float32(0)).astype(np.float32, copy=False)
    return result

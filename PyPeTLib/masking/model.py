"""Options and result of the brain mask, and the registry of the ways to find it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.geometry import Grid
from PyPeTLib.options import Options, option
from PyPeTLib.registry import Registry
from PyPeTLib.series import Modality


@dataclass(frozen=True, kw_only=True)
class MaskOptions(Options):
    """How the brain is told from skull, scalp and face."""

    method: str = option("auto", "How the brain is found; auto goes by the modality.", choices=lambda: MASK_METHODS)
    bone_threshold: float = option(
        0.0,
        "CT: a voxel above this is bone; 0 takes the middle between the tissue and the bone of the image.",
        unit="HU",
        minimum=0,
        maximum=2000,
    )
    signal_fraction: float = option(
        0.5,
        "MR: a voxel belongs to the head if its signal is above this share of the signal around it.",
        minimum=0.1,
        maximum=0.9,
    )
    bridge: float = option(
        5.0,
        "Shunts, clips and signal losses up to this width, reaching into the brain from its rim, are filled.",
        unit="mm",
        minimum=0,
        maximum=20,
    )
    minimum_volume: float = option(
        15.0, "A smaller finding is refused as not being a brain.", unit="ml", minimum=0.1, maximum=1000
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class BrainMask:
    """The intracranial space and what a reviewer wants to see beside it.

    Attributes
    ----------
    mask : ndarray of bool, shape (x, y, z)
        Everything inside the inner table: brain, CSF, ventricles and vessels.
    skull : ndarray of bool, shape (x, y, z), or None
        Bone outside the mask (CT); None where it was not looked for.
    threshold : float or None
        Bone threshold in HU (CT), or the median of the local signal thresholds (MR).
    method : str
        Name in `MASK_METHODS`, or ``"given"``.
    notes : tuple of str
        What to look at before trusting the mask.
    """

    mask: Mask
    skull: Mask | None = None
    threshold: float | None = None
    method: str = "given"
    notes: tuple[str, ...] = ()

    def volume(self, grid: Grid) -> float:
        """Volume of the mask in ml."""
        return int(np.count_nonzero(self.mask)) * grid.voxel_volume / 1000


MaskMethod = Callable[[Volume, Grid, Modality, MaskOptions], BrainMask]
"""From the temporal mean on its RAS+ grid to the mask."""

MASK_METHODS: Registry[MaskMethod] = Registry("brain mask methods")

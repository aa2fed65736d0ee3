"""Options and result of the search for lesions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Mask
from PyPeTLib.geometry import Grid
from PyPeTLib.options import Options, option

TMAX_STEPS = (4.0, 6.0, 8.0, 10.0)
"""Tmax in s above which volumes are told."""


@dataclass(frozen=True, kw_only=True)
class LesionOptions(Options):
    """What counts as a lesion.

    The share of flow is that of Campbell et al. 2011 (doi:10.1161/STROKEAHA.111.618355), who found 31 % of the normal
    side's; that of Tmax is in common use, as by Wouters et al. 2017 (doi:10.3389/fneur.2017.00539).
    """

    core_flow: float = option(
        0.30, "hypoperfused tissue is core below this share of the mean flow of normal tissue", minimum=0, maximum=1
    )
    hypoperfusion_tmax: float = option(
        6.0, "tissue is hypoperfused above this Tmax", unit="s", minimum=0.0, maximum=30.0
    )
    smallest_cluster: float = option(
        1.0, "connected voxels of less volume are left out", unit="ml", minimum=0.0, maximum=100.0
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Lesions:
    """Lesions of a brain; masks of shape (x, y, z) on the grid of the maps.

    Attributes
    ----------
    core : ndarray of bool
        Hypoperfused tissue with little flow.
    hypoperfused : ndarray of bool
        Tissue that contrast reaches late, core included.
    grid : Grid
    options : LesionOptions
    tmax_volumes : mapping of float to float
        Volume in ml of tissue above each Tmax of `TMAX_STEPS`, small clusters left out.
    normal_flow : float
        Mean flow of normal-appearing tissue, which the core is held against, in the unit of the CBF map.
    normal_volume : float
        Volume of that tissue in ml.
    flow_unit : str
    calibrated : bool
        False where the scale of the flow is arbitrary. The core does not depend on it.
    """

    core: Mask
    hypoperfused: Mask
    grid: Grid
    options: LesionOptions
    tmax_volumes: Mapping[float, float]
    normal_flow: float
    normal_volume: float
    flow_unit: str
    calibrated: bool

    @property
    def penumbra(self) -> Mask:
        """Hypoperfused tissue outside the core."""
        outside: Mask = self.hypoperfused & ~self.core
        return outside

    @property
    def core_volume(self) -> float:
        """In ml."""
        return self.volume_of(self.core)

    @property
    def hypoperfused_volume(self) -> float:
        """In ml."""
        return self.volume_of(self.hypoperfused)

    @property
    def mismatch_volume(self) -> float:
        """Volume of the penumbra in ml."""
        return self.volume_of(self.penumbra)

    @property
    def mismatch_ratio(self) -> float | None:
        """Hypoperfused volume over that of the core; None without a core."""
        return self.hypoperfused_volume / self.core_volume if self.core.any() else None

    @property
    def intensity_ratio(self) -> float | None:
        """Volume of Tmax above 10 s over that above 6 s, the hypoperfusion intensity ratio; None without the latter.

        Olivot et al. 2014 (doi:10.1161/STROKEAHA.113.003857).
        """
        return self.tmax_volumes[10.0] / self.tmax_volumes[6.0] if self.tmax_volumes[6.0] else None

    def volume_of(self, mask: Mask) -> float:
        """Volume of a mask in ml."""
        return int(np.count_nonzero(mask)) * self.grid.voxel_volume / 1000

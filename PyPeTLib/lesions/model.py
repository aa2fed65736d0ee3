"""The lesions that were found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from PyPeTLib.arrays import LabelVolume, Mask
from PyPeTLib.geometry import Grid
from PyPeTLib.lesion_options import LESION_PRESETS, Criterion, LesionOptions

TMAX_STEPS = (4.0, 6.0, 8.0, 10.0)
"""Tmax in s above which volumes are told."""

FLOW_STEPS = (0.20, 0.30, 0.34, 0.38)
"""Shares of the flow of normal tissue below which volumes of hypoperfused tissue are told."""

PENUMBRA_LABEL, CORE_LABEL = 1, 2
"""Labels of hypoperfused tissue outside the core, and of the core."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Lesions:
    """Lesions of a brain; masks of shape (x, y, z) on the grid of the maps.

    Attributes
    ----------
    core : ndarray of bool
        Hypoperfused tissue with little flow, or little blood.
    hypoperfused : ndarray of bool
        Tissue that contrast reaches late, core included.
    grid : Grid
    options : LesionOptions
    tmax_volumes : mapping of float to float
        Volume in ml of tissue above each Tmax of `TMAX_STEPS`, small clusters left out and gaps closed.
    flow_volumes : mapping of float to float
        Volume in ml of hypoperfused tissue below each share of normal flow of `FLOW_STEPS`, likewise.
    cbv_index : float or None
        Mean CBV of tissue with Tmax above 6 s over that of normal tissue: Arenillas et al. 2018
        (doi:10.1177/0271678X17740293). None without such tissue.
    normal_flow : float
        Mean flow of normal-appearing tissue, which the core is held against, in the unit of the CBF map; with the
        mirrored reference, its mean over the hypoperfused tissue (over all normal tissue where there is none).
    normal_volume : float
        Volume of that tissue in ml.
    flow_unit : str
    calibrated : bool
        False where the scale of the flow is arbitrary. A core by flow does not depend on it.
    incomplete : str
        Why the volumes are not those of the whole brain, as a clause ("only 32 mm of the brain are in view"); empty
        where they are.
    """

    core: Mask
    hypoperfused: Mask
    grid: Grid
    options: LesionOptions
    tmax_volumes: Mapping[float, float]
    flow_volumes: Mapping[float, float] = field(default_factory=dict)
    cbv_index: float | None = None
    normal_flow: float
    normal_volume: float
    flow_unit: str
    calibrated: bool
    incomplete: str = ""

    @property
    def penumbra(self) -> Mask:
        """Hypoperfused tissue outside the core."""
        outside: Mask = self.hypoperfused & ~self.core
        return outside

    @property
    def labels(self) -> LabelVolume:
        """`PENUMBRA_LABEL` and `CORE_LABEL`, 0 elsewhere."""
        labels = self.hypoperfused.astype(np.uint8) * np.uint8(PENUMBRA_LABEL)
        labels[self.core] = CORE_LABEL
        return labels

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

    @property
    def criteria(self) -> tuple[tuple[Criterion, float, bool | None], ...]:
        """The preset's criteria, each with the value found and whether it is met; empty where it has none.

        Without a core the ratio is infinite where any tissue is hypoperfused, else 0. Where a part of the brain was not
        seen, volumes are lower bounds, and a ratio says nothing: None stands for what is not known.
        """
        ratio = self.mismatch_ratio
        if ratio is None:
            ratio = math.inf if self.hypoperfused.any() else 0.0
        found = {"core_ml": self.core_volume, "mismatch_ml": self.mismatch_volume, "mismatch_ratio": ratio}
        return tuple(
            (criterion, found[criterion.figure], self._met(criterion, found[criterion.figure]))
            for criterion in LESION_PRESETS[self.options.preset].criteria
        )

    @property
    def criteria_met(self) -> bool | None:
        """Whether all criteria are met; None where that is not known, or there are none."""
        met = [fine for _, _, fine in self.criteria]
        if not met or (None in met and False not in met):
            return None
        return all(met)

    def _met(self, criterion: Criterion, value: float) -> bool | None:
        holds = criterion.holds(value)
        if not self.incomplete:
            return holds
        # what was not seen can only add to a volume
        settled = criterion.figure.endswith("_ml") and holds == (criterion.bound != "<")
        return holds if settled else None

    def volume_of(self, mask: Mask) -> float:
        """Volume of a mask in ml."""
        return int(np.count_nonzero(mask)) * self.grid.voxel_volume / 1000

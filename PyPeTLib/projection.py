"""Intensity projections along the slices: the vessels of a thick slab in one picture, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid


class Projection(StrEnum):
    """Which value of a column of voxels is kept."""

    MAXIMUM = "max"
    """Vessels with contrast are bright: CT, and concentrations of both modalities."""
    MINIMUM = "min"
    """Vessels with contrast are dark: T2*-weighted MR."""


def middle_third(n_slices: int) -> slice:
    """The slices of the middle third of a volume, at least one."""
    size = max(1, round(n_slices / 3))
    start = (n_slices - size) // 2
    return slice(start, start + size)


@dataclass(frozen=True, kw_only=True, eq=False)
class Slab:
    """Neighbouring slices that are projected onto one thick one.

    Attributes
    ----------
    grid : Grid
        Of the volumes; slices along the third axis.
    kind : Projection
    part : slice
        Slices from start to stop, both given; see `middle_third`.
    within : ndarray of bool, shape (x, y, z), or None
        Voxels that count; None for all of them.
    """

    grid: Grid
    kind: Projection
    part: slice
    within: Mask | None = None

    def __post_init__(self) -> None:
        start, stop = self.part.start, self.part.stop
        if start is None or stop is None or not 0 <= start < stop <= self.grid.shape[2]:
            raise InputError(f"slices {start} to {stop} cannot be projected: there are {self.grid.shape[2]}")
        if self.within is not None and self.within.shape != self.grid.shape:
            raise InputError(f"the mask has shape {self.within.shape}, the volume {self.grid.shape}")

    @property
    def projected(self) -> Grid:
        """The grid of the projection: one slice, as thick as the slab and in its middle."""
        start, stop = self.part.start, self.part.stop
        to_voxel = np.diag([1.0, 1.0, stop - start, 1.0])
        to_voxel[2, 3] = (start + stop - 1) / 2
        x, y, _ = self.grid.shape
        return Grid((x, y, 1), self.grid.affine @ to_voxel)

    def project(self, volume: Volume) -> Volume:
        """The largest or smallest value of each column of voxels.

        In MR the air around the head is as dark as a vessel full of contrast, and bone and air cells are too: a minimum
        is only of use within the brain (``within``), and shows its vessels.

        Parameters
        ----------
        volume : ndarray of float32, shape (x, y, z)

        Returns
        -------
        ndarray of float32, shape (x, y, 1)
            On the grid `projected`; 0 where no voxel of a column counts.
        """
        thick = volume[..., self.part]
        is_lowest = self.kind is Projection.MINIMUM
        over = np.min if is_lowest else np.max
        if self.within is None:
            found: Volume = over(thick, axis=2, keepdims=True)
            return found
        counted = self.within[..., self.part]
        worst = np.float32(np.inf if is_lowest else -np.inf)
        found = over(thick, axis=2, keepdims=True, where=counted, initial=worst)
        found[~counted.any(axis=2, keepdims=True)] = 0
        return found

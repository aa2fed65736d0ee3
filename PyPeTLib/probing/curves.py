"""The curves that a run kept, by voxel: found without a volume of numbers beside each mask."""

from __future__ import annotations

import numpy as np

from PyPeTLib.arrays import Curve, IntArray, Mask
from PyPeTLib.frames import StoredFrames
from PyPeTLib.geometry import Grid
from PyPeTLib.probing.reading import Voxel
from PyPeTLib.series import PerfusionSeries


class Rows:
    """The rows that the voxels of a mask have among its curves, which lie in the order of boolean indexing.

    Parameters
    ----------
    mask : ndarray of bool, shape (x, y, z)
    """

    def __init__(self, mask: Mask) -> None:
        self._mask = np.ascontiguousarray(mask)
        planes = np.count_nonzero(self._mask, axis=(1, 2))
        self._before = np.concatenate([[0], np.cumsum(planes)])

    def of(self, voxel: Voxel) -> int | None:
        """The row of one voxel; None where the mask does not hold it."""
        if not self._mask[voxel]:
            return None
        x, y, z = voxel
        plane = self._mask[x]
        return int(self._before[x] + np.count_nonzero(plane[:y]) + np.count_nonzero(plane[y, :z]))

    def within(self, region: Mask) -> IntArray:
        """The rows of the voxels that lie in a region, shape (x, y, z)."""
        return np.asarray(np.flatnonzero(region[self._mask]), np.intp)


def voxel_at(place: tuple[float, float, float], grid: Grid) -> Voxel | None:
    """The voxel of a grid in which a place in RAS+ mm lies; None outside."""
    index = np.linalg.solve(grid.affine, [*place, 1.0])[:3]
    if not np.isfinite(index).all():
        return None
    x, y, z = (int(i) for i in np.floor(index + 0.5))
    inside = all(0 <= i < n for i, n in zip((x, y, z), grid.shape, strict=True))
    return (x, y, z) if inside else None


def centre_of(voxel: Voxel, grid: Grid) -> tuple[float, float, float]:
    """The centre of a voxel in RAS+ mm."""
    x, y, z, _ = grid.affine @ [*voxel, 1.0]
    return float(x), float(y), float(z)


def signals_at(voxel: Voxel, series: PerfusionSeries) -> tuple[Curve, ...]:
    """Signal of one voxel of a series in every echo, each of shape (t,)."""
    return tuple(_signal_at(voxel, echo) for echo in series.echoes)


def mean_signals(region: Mask, series: PerfusionSeries) -> tuple[Curve, ...]:
    """Mean signal of a region in every echo, each of shape (t,)."""
    return tuple(echo.curves(region).mean(axis=0, dtype=np.float64) for echo in series.echoes)


def _signal_at(voxel: Voxel, series: PerfusionSeries) -> Curve:
    frames = series.frames
    if isinstance(frames, StoredFrames):
        return np.asarray(frames.stored[voxel].astype(np.float64) * frames.slope + frames.intercept, np.float64)
    only = np.zeros(series.grid.shape, bool)
    only[voxel] = True
    return np.asarray(series.curves(only)[0], np.float64)

"""Motion undone: frames, or only the curves of some voxels, interpolated once in the reference pose when asked for."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Array, Curve, IntArray, Mask, Volume
from PyPeTLib.execution import Execution, voxel_slices
from PyPeTLib.geometry import Grid
from PyPeTLib.preprocess.interpolation import SAMPLES_AT_ONCE, inside_volume, lattice_places, sample, sample_spline
from PyPeTLib.preprocess.poses import MotionEstimate
from PyPeTLib.series import PerfusionSeries


class MovedFrames:
    """Frames of a series in the reference pose; nothing is held but the series itself.

    Frames that did not move more than the estimate's threshold are copied. Voxels from outside a frame's field of view
    take the nearest edge value; `covered_by_all` tells them apart.

    Parameters
    ----------
    series : PerfusionSeries
        Not corrected, on the grid of the result.
    estimate : MotionEstimate
    execution : Execution
        Its threads share the frames when curves are asked for.
    interpolation : {"linear", "cubic"}
        Splines of the first or third order.
    finer : PerfusionSeries, optional
        The series before it was downsampled to the result's grid. Moved frames are then averaged over the area of the
        result's voxels straight from its pixels, so that nothing is interpolated twice.
    """

    checked = True
    """Whatever the frames hold has been checked in the series that they come from."""

    def __init__(
        self,
        series: PerfusionSeries,
        estimate: MotionEstimate,
        execution: Execution,
        interpolation: str = "linear",
        finer: PerfusionSeries | None = None,
    ) -> None:
        self._series, self._source = series, series if finer is None else finer
        self._moved, self._cubic = estimate.frames_moved, interpolation == "cubic"
        self._execution = execution
        to_source = np.linalg.inv(self._source.affine) @ estimate.matrices @ series.affine
        self._transforms = to_source[:, None] @ _shares(series.grid, self._source.grid)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of all frames together, (x, y, z, t)."""
        x, y, z = self._series.grid.shape
        return x, y, z, self._series.n_frames

    def frame(self, index: int) -> Volume:
        """One frame as float32, shape (x, y, z), contiguous in Fortran order."""
        if not self._moved[index]:
            return self._series.frame(index)
        volume, shape = self._volume(index), self._series.grid.shape
        frame = np.empty(shape, np.float32, order="F")
        step = max(1, SAMPLES_AT_ONCE // shape[0])
        for k, start in itertools.product(range(shape[2]), range(0, shape[1], step)):
            part = slice(k, k + 1), slice(start, start + step)
            places = (lattice_places(transform, shape, *part) for transform in self._transforms[index])
            frame.T[part] = self._mean(volume, places)
        return frame

    def curves(self, mask: Mask, out: Volume) -> None:
        """Fill ``out`` of shape (voxels, t) with the curves of a mask's voxels, in the order of boolean indexing."""
        positions = np.flatnonzero(mask)

        def fill(index: int) -> None:
            if not self._moved[index]:
                out[:, index] = self._series.frame(index)[mask]
                return
            volume = self._volume(index)
            for piece in voxel_slices(positions.size, SAMPLES_AT_ONCE):
                voxels = np.stack(np.unravel_index(positions[piece], mask.shape), axis=1)
                places = (moved_places(transform, voxels) for transform in self._transforms[index])
                out[piece, index] = self._mean(volume, places)

        self._execution.map(fill, range(self._series.n_frames))

    def _volume(self, index: int) -> Volume:
        """The source's frame as (z, y, x), ready to be sampled."""
        volume = np.ascontiguousarray(self._source.frame(index).T)
        if self._cubic:
            volume = ndimage.spline_filter(volume, 3, output=np.float32, mode="mirror")
        return volume

    def _mean(self, volume: Volume, places: Iterable[tuple[Volume, Volume, Volume]]) -> Volume:
        """Mean of the samples at several sets of places."""
        sampled = [sample_spline(volume, *each) if self._cubic else sample(volume, *each) for each in places]
        mean: Volume = sampled[0] if len(sampled) == 1 else np.mean(sampled, axis=0)
        return mean


def _shares(grid: Grid, source: Grid) -> Curve:
    """Shifts, as matrices, from a voxel's centre to the middles of parts no larger than the source's pixels."""
    parts = [int(np.ceil(n / m - 1e-6)) for n, m in zip(source.shape, grid.shape, strict=True)]
    middles = [(np.arange(n) + 0.5) / n - 0.5 for n in parts]
    shifts = np.tile(np.eye(4), (int(np.prod(parts)), 1, 1))
    shifts[:, :3, 3] = list(itertools.product(*middles))
    return shifts


def moved_places(transform: Curve, voxels: Array | IntArray) -> tuple[Volume, Volume, Volume]:
    """Where a transform takes voxels given by their indices x, y, z."""
    turned = np.asarray(transform, np.float32)
    places = np.asarray(voxels, np.float32) @ turned[:3, :3].T + turned[:3, 3]
    x, y, z = np.ascontiguousarray(places.T)
    return x, y, z


def covered_by_all(series: PerfusionSeries, estimate: MotionEstimate, execution: Execution) -> Mask:
    """Voxels of the reference pose that lie inside the field of view of every frame.

    Parameters
    ----------
    series : PerfusionSeries
    estimate : MotionEstimate
    execution : Execution

    Returns
    -------
    ndarray of bool, shape (x, y, z)
    """
    shape = series.grid.shape
    transforms = voxel_transforms(series, estimate)[estimate.frames_moved]
    covered = np.ones(shape, dtype=bool, order="F")

    def cover(k: int) -> None:
        for transform in transforms:
            covered[..., k] &= inside_volume(shape[::-1], *lattice_places(transform, shape, slice(k, k + 1)))[0].T

    execution.map(cover, range(shape[2]))
    return covered


def voxel_transforms(series: PerfusionSeries, estimate: MotionEstimate) -> Curve:
    """Voxel indices of the reference pose to those of each frame, shape (t, 4, 4)."""
    transforms: Curve = np.linalg.inv(series.affine) @ estimate.matrices @ series.affine
    return transforms

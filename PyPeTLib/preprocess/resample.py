"""In-plane downsampling of large matrices, and the way of the maps back to the grid of the input."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.execution import Execution
from PyPeTLib.geometry import Grid, identity_orientation
from PyPeTLib.options import Options, option
from PyPeTLib.preprocess.interpolation import inside_volume, lattice_places, sample
from PyPeTLib.series import PerfusionSeries

DType = TypeVar("DType", bound=np.generic)


@dataclass(frozen=True, kw_only=True)
class ResampleOptions(Options):
    """Whether large matrices are made smaller before the analysis."""

    max_in_plane: int = option(
        0, "Largest number of rows and columns; larger slices are averaged down. 0: off.", minimum=0, maximum=4096
    )


def downsample(series: PerfusionSeries, options: ResampleOptions, execution: Execution) -> PerfusionSeries:
    """Series with at most ``max_in_plane`` rows and columns, each voxel the mean over the area it covers.

    Both in-plane axes shrink by the same factor, which need not be whole, so that pixels keep their proportions; a
    voxel of the result averages exactly the part of the slice that it covers. The volume's outline stays where it
    is in the world but for the last fraction of a pixel; slices and times are untouched. A second echo goes along.

    Parameters
    ----------
    series : PerfusionSeries
        Slices along the third axis.
    options : ResampleOptions
    execution : Execution

    Returns
    -------
    PerfusionSeries
        The one given, if it is small enough; its ``orientation`` is that of the new grid itself.
    """
    target = downsampled_grid(series.grid, options.max_in_plane)
    if target.shape == series.grid.shape:
        return series
    second = None if series.second_echo is None else downsample(series.second_echo, options, execution)
    along_x = _area_weights(series.grid.shape[0], target.shape[0])
    along_y = _area_weights(series.grid.shape[1], target.shape[1])
    data = np.empty((*target.shape, series.n_frames), dtype=np.float32, order="F")

    def shrink(frame: int) -> None:
        volume = np.ascontiguousarray(series.frame(frame).T)
        np.matmul(along_y @ volume, along_x.T, out=data[..., frame].T)

    execution.map(shrink, range(series.n_frames))
    return dataclasses.replace(
        series, data=data, affine=target.affine, orientation=identity_orientation(target), second_echo=second
    )


def downsampled_grid(grid: Grid, max_in_plane: int) -> Grid:
    """Grid of at most ``max_in_plane`` rows and columns over the same volume (0: the grid itself)."""
    x, y, z = grid.shape
    if not 0 < max_in_plane < max(x, y):
        return grid
    shrink = max_in_plane / max(x, y)
    shape = (max(1, round(x * shrink)), max(1, round(y * shrink)), z)
    steps = np.array([x / shape[0], y / shape[1], 1.0])
    to_voxel = np.diag([*steps, 1.0])
    # the outer faces stay in place, so the first centre moves inward by half the growth of a voxel
    to_voxel[:3, 3] = (steps - 1) / 2
    return Grid(shape, grid.affine @ to_voxel)


def _area_weights(n: int, m: int) -> Volume:
    """Matrix (m, n) of the share that each of n pixels has in each of m equal parts of a row."""
    edges = np.arange(m + 1) * (n / m)
    pixel = np.arange(n)
    shared = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    weights: Volume = (np.clip(shared, 0, None) * (m / n)).astype(np.float32)
    return weights


def resample_map(
    values: npt.NDArray[DType],
    source: Grid,
    target: Grid,
    *,
    order: int = 1,
    valid: Mask | None = None,
) -> npt.NDArray[DType]:
    """Map or mask on another grid, matched by world position; 0 outside the source grid's voxels.

    Parameters
    ----------
    values : ndarray, shape (x, y, z)
        On the source grid. Masks of bool become true where at least half would be covered.
    source : Grid
    target : Grid
        Of any position and orientation.
    order : int
        1 for linear interpolation of maps and masks, 0 for the nearest voxel.
    valid : ndarray of bool, shape (x, y, z), optional
        Voxels that hold a value. Others do not bleed into their neighbours when maps are interpolated.

    Returns
    -------
    ndarray of the type given, shape of the target grid

    Raises
    ------
    InputError
        If shapes do not match, or if whole numbers, such as labels, were to be interpolated linearly.
    """
    if values.shape != source.shape or (valid is not None and valid.shape != source.shape):
        raise InputError(f"a map of shape {values.shape} does not lie on the grid of {source.describe()}")
    if order not in (0, 1):
        raise InputError(f"the order of interpolation must be 0 (nearest) or 1 (linear), found {order}")
    if order == 1 and np.issubdtype(values.dtype, np.integer):
        raise InputError("labels (whole numbers) cannot be interpolated linearly; use order 0")
    transform: Curve = np.linalg.inv(source.affine) @ target.affine
    result = np.zeros(target.shape, dtype=values.dtype)
    share = None if valid is None else np.ascontiguousarray(valid.T, dtype=np.float32)
    volume = np.ascontiguousarray(values.T) if order == 0 else np.ascontiguousarray(values.T, dtype=np.float32)
    if order == 1 and share is not None:
        volume = volume * share
    for k in range(target.shape[2]):
        places = lattice_places(transform, target.shape, slice(k, k + 1))
        plane = _nearest(volume, *places) if order == 0 else sample(volume, *places)
        if order == 1 and share is not None:
            plane = plane / np.maximum(sample(share, *places), np.float32(1e-6))
        if order == 1 and values.dtype == bool:
            plane = plane >= 0.5
        result[..., k] = np.where(inside_volume(volume.shape, *places), plane, 0)[0].T
    return result


def _nearest(volume: npt.NDArray[DType], x: Volume, y: Volume, z: Volume) -> npt.NDArray[DType]:
    k, j, i = (
        np.clip(np.floor(place + np.float32(0.5)).astype(np.intp), 0, n - 1)
        for place, n in zip((z, y, x), volume.shape, strict=True)
    )
    nearest: npt.NDArray[DType] = volume[k, j, i]
    return nearest

"""Axial slices laid out on pixels: radiological sides, real proportions, one mosaic of many slices.

Everything works on arrays whose axes run to the right, to the front and to the top (RAS+). In a picture the
patient's right is on the viewer's left and the front is up.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from PyPeTLib.arrays import Curve, IntArray, Mask, Volume
from PyPeTLib.geometry import Grid

DType = TypeVar("DType", bound=np.generic)
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, eq=False)
class SliceView:
    """The part of each axial slice that is shown, and its size in pixels.

    Voxels are shown as blocks of pixels, without interpolation; where a slice has more voxels than pixels, each pixel
    shows the mean of the voxels it covers.

    Attributes
    ----------
    grid : Grid
        RAS+.
    x, y : slice
        Voxels shown along the first two axes.
    columns, rows : int
        Size of the picture of one slice.
    """

    grid: Grid
    x: slice
    y: slice
    columns: int
    rows: int

    def cells(self, planes: Volume, valid: Mask | None = None) -> tuple[Volume, Mask]:
        """Values as the picture shows them, before voxels are blown up to blocks of pixels.

        Parameters
        ----------
        planes : ndarray, shape (x, y, n)
            Axial slices of the grid.
        valid : ndarray of bool, shape (x, y, n), optional
            Voxels that hold a value; others never enter a mean.

        Returns
        -------
        values : ndarray of float32, shape (n, cell rows, cell columns)
            0 where not valid.
        valid : ndarray of bool, of the same shape
            Where at least half of the cell is valid.
        """
        weight = self._turned(np.ones(planes.shape, bool) if valid is None else valid).astype(np.float32)
        values = np.where(weight > 0, self._turned(planes), np.float32(0)).astype(np.float32, copy=False)
        voxels = self._summed(np.ones((1, *values.shape[1:]), np.float32))
        weight, values = self._summed(weight), self._summed(values)
        inside = weight >= 0.5 * voxels
        return np.divide(values, weight, out=np.zeros_like(values), where=inside & (weight > 0)), inside

    def enlarged(self, cells: npt.NDArray[DType]) -> npt.NDArray[DType]:
        """Cells of shape ``(n, cell rows, cell columns)`` as pixels of shape ``(n, rows, columns)``."""
        for axis, size in ((1, self.rows), (2, self.columns)):
            n = cells.shape[axis]
            if n < size:
                cells = np.take(cells, ((np.arange(size) + 0.5) * n / size).astype(np.intp), axis=axis)
        return cells

    def mask_pixels(self, mask: Mask) -> Mask:
        """A mask of shape ``(x, y, n)`` as pixels of shape ``(n, rows, columns)``."""
        return self.enlarged(self.cells(mask.astype(np.float32), mask)[1])

    def heights(self, slices: IntArray) -> Curve:
        """Where the middle of each slice lies toward the top, in mm."""
        x, y, _ = self.grid.shape
        affine = self.grid.affine
        heights: Curve = affine[2, :2] @ [(x - 1) / 2, (y - 1) / 2] + affine[2, 2] * slices + affine[2, 3]
        return heights

    def place(self, point: tuple[float, float, float]) -> tuple[float, float, int]:
        """Column and row in pixels, and the nearest slice, of a point in RAS+ mm."""
        voxel = (np.linalg.inv(self.grid.affine) @ [*point, 1.0])[:3]
        column = (self.x.stop - 0.5 - voxel[0]) * self.columns / (self.x.stop - self.x.start)
        row = (self.y.stop - 0.5 - voxel[1]) * self.rows / (self.y.stop - self.y.start)
        return float(column), float(row), round(float(voxel[2]))

    def _turned(self, planes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Slices as rows from front to back and columns from the patient's right to the left, shape (n, y, x)."""
        return np.ascontiguousarray(planes[self.x, self.y].transpose(2, 1, 0)[:, ::-1, ::-1])

    def _summed(self, array: Volume) -> Volume:
        """Sums over the voxels of each cell, where there are more voxels than pixels."""
        for axis, size in ((1, self.rows), (2, self.columns)):
            n = array.shape[axis]
            if n > size:
                array = np.add.reduceat(array, np.arange(size) * n // size, axis=axis)
        return array


def view_around(mask: Mask, grid: Grid, *, margin: float, width: int, height: int | None = None) -> SliceView:
    """View of the box around a mask in all its slices.

    Parameters
    ----------
    mask : ndarray of bool, shape (x, y, z)
        RAS+; the whole slice is shown if it is empty.
    grid : Grid
        RAS+.
    margin : float
        Room around the mask in mm.
    width : int
        Pixels to aim at. Without a height, voxels become blocks of a whole number of pixels, so that the width may
        come out a half larger.
    height : int, optional
        With it, the view is as large as fits into width and height.
    """
    sizes = grid.voxel_sizes
    ranges = []
    for axis in (0, 1):
        held = np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis})))
        room = round(margin / sizes[axis])
        low, high = (int(held[0]), int(held[-1])) if held.size else (0, grid.shape[axis] - 1)
        ranges.append(slice(max(0, low - room), min(grid.shape[axis], high + 1 + room)))
    n_x, n_y = (part.stop - part.start for part in ranges)
    zoom = width / n_x
    if height is not None:
        zoom = min(zoom, height * sizes[0] / (n_y * sizes[1]))
    elif zoom > 1:
        zoom = round(zoom)
    return SliceView(
        grid=grid,
        x=ranges[0],
        y=ranges[1],
        columns=max(1, round(n_x * zoom)),
        rows=max(1, round(n_y * sizes[1] / sizes[0] * zoom)),
    )


def chosen_slices(mask: Mask, most: int) -> IntArray:
    """Up to ``most`` evenly spaced slices among those of a mask ``(x, y, z)`` that hold voxels, from the bottom up.

    All slices are taken for filled where the mask is empty.
    """
    held = np.flatnonzero(mask.any(axis=(0, 1)))
    if not held.size:
        held = np.arange(mask.shape[2])
    if held.size <= most:
        return held
    return held[np.round(np.linspace(0, held.size - 1, most)).astype(np.intp)]


def rows_and_columns(n_tiles: int, most_columns: int = 5) -> tuple[int, int]:
    """Rows and columns of a mosaic that leave few empty places."""
    rows = -(-n_tiles // most_columns)
    return rows, -(-n_tiles // rows)


def mosaic(tiles: Pixels, columns: int, *, gap: int, strip: int = 0) -> tuple[Pixels, list[tuple[int, int]]]:
    """Tiles of shape ``(n, rows, columns)`` side by side on 0, row by row, each with an empty strip above it.

    Returns
    -------
    picture : ndarray of uint8, shape (height, width)
    corners : list of tuple of int
        Column and row of each tile's upper left pixel.
    """
    n, height, width = tiles.shape
    across, down = width + gap, height + gap + strip
    rows = -(-n // columns)
    picture = np.zeros((rows * down - gap, columns * across - gap), np.uint8)
    corners = [((i % columns) * across, (i // columns) * down + strip) for i in range(n)]
    for tile, (column, row) in zip(tiles, corners, strict=True):
        picture[row : row + height, column : column + width] = tile
    return picture, corners


def outline(mask: Mask, width: int = 2) -> Mask:
    """The pixels of masks ``(n, rows, columns)`` that lie within ``width`` pixels of their edge."""
    edge: Mask = mask & ring(~mask, width)
    return edge


def ring(mask: Mask, width: int) -> Mask:
    """The pixels outside masks ``(n, rows, columns)`` that lie within ``width`` pixels of them."""
    n_rows, n_columns = mask.shape[1:]
    # beyond the picture nothing changes
    padded = np.pad(mask, ((0, 0), (width, width), (width, width)), mode="edge")
    grown = mask.copy()
    for down, right in itertools.product((0, width, 2 * width), repeat=2):
        grown |= padded[:, down : down + n_rows, right : right + n_columns]
    around: Mask = grown & ~mask
    return around

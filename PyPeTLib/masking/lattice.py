"""A coarse lattice for the search, and the way back to the voxels.

Where the brain is, is decided on voxels of about 2 mm, whatever the matrix of the image; where its edge runs, on the
image's own voxels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import IntArray, Mask, Volume
from PyPeTLib.geometry import Grid

COARSE_MM = 2.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Lattice:
    """Blocks of voxels.

    Attributes
    ----------
    fine_shape : tuple of int
        Voxels of the image along x, y, z.
    factors : tuple of int
        Voxels that make a block along x, y, z.
    sizes : tuple of float
        Edges of a block in mm.
    """

    fine_shape: tuple[int, int, int]
    factors: tuple[int, int, int]
    sizes: tuple[float, float, float]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Blocks along x, y, z; the last ones may reach beyond the image."""
        x, y, z = (-(-n // f) for n, f in zip(self.fine_shape, self.factors, strict=True))
        return x, y, z

    def reduce(self, volume: Volume, low: float, high: float) -> Volume:
        """Mean of each block of values clipped to a range, float32."""
        result = np.empty(self.shape, dtype=np.float32)
        fx, fy, fz = self.factors
        nx, ny, nz = self.shape
        padding = [(0, n * f - m) for n, f, m in zip((nx, ny), (fx, fy), self.fine_shape, strict=False)]
        for k in range(nz):
            layer = np.clip(volume[:, :, k * fz : (k + 1) * fz], low, high).mean(axis=2, dtype=np.float32)
            layer = np.pad(layer, padding, mode="edge")
            result[:, :, k] = layer.reshape(nx, fx, ny, fy).mean(axis=(1, 3), dtype=np.float32)
        return result

    def slices_of(self, blocks: Mask) -> slice:
        """The image's slices that blocks of a mask, which is not empty, cover."""
        used = np.flatnonzero(blocks.any(axis=(0, 1)))
        fz = self.factors[2]
        return slice(int(used[0]) * fz, min((int(used[-1]) + 1) * fz, self.fine_shape[2]))

    def slice_of(self, field: Volume, z: int) -> Volume:
        """A field on the blocks, interpolated linearly to the voxels of the image's slice z."""
        layer = field
        for axis in (2, 1, 0):
            n = self.fine_shape[axis]
            places = np.array([z]) if axis == 2 else np.arange(n)
            layer = _interpolated(layer, axis, places, self.factors[axis])
        return layer[:, :, 0]


def make_lattice(grid: Grid) -> Lattice:
    """Blocks of about 2 mm, or single voxels where these are larger."""
    sizes = grid.voxel_sizes
    fx, fy, fz = (max(1, round(COARSE_MM / size)) for size in sizes)
    edges = (sizes[0] * fx, sizes[1] * fy, sizes[2] * fz)
    return Lattice(fine_shape=grid.shape, factors=(fx, fy, fz), sizes=edges)


def _interpolated(field: Volume, axis: int, places: IntArray, factor: int) -> Volume:
    """A field on blocks at voxels of the image along one axis; beyond the outer blocks' centres it is constant."""
    if factor == 1:
        return np.take(field, places, axis=axis)
    at = np.clip((places - (factor - 1) / 2) / factor, 0, field.shape[axis] - 1)
    lower = at.astype(np.intp)
    upper = np.minimum(lower + 1, field.shape[axis] - 1)
    share = (at - lower).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
    start = np.take(field, lower, axis=axis)
    result: Volume = start + share * (np.take(field, upper, axis=axis) - start)
    return result

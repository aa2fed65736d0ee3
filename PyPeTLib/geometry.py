"""Where voxels lie: grids with an affine, and the way to and from the RAS+ orientation.

World coordinates are millimetres, right-anterior-superior (RAS+), as in NIfTI and 3D Slicer.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from PyPeTLib.arrays import Curve, IntArray, Mask
from PyPeTLib.errors import InputError

DType = TypeVar("DType", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Grid:
    """A lattice of voxels: shape ``(x, y, z)`` and the 4×4 affine from voxel indices to RAS+ millimetres."""

    shape: tuple[int, int, int]
    affine: Curve

    def __post_init__(self) -> None:
        affine = np.array(self.affine, dtype=np.float64)
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise InputError(f"the affine must be a finite 4 by 4 matrix, found {affine.tolist()}")
        # relative to the voxel size, so that micrometres and metres are judged alike
        lengths = np.linalg.norm(affine[:3, :3], axis=0)
        if (lengths <= 0).any() or abs(np.linalg.det(affine[:3, :3] / lengths)) < 1e-3:
            raise InputError(f"the affine does not span a volume: {affine.tolist()}")
        affine.setflags(write=False)
        object.__setattr__(self, "affine", affine)
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))

    @property
    def voxel_sizes(self) -> tuple[float, float, float]:
        """Edge lengths of a voxel along its three axes in mm."""
        x, y, z = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(x), float(y), float(z)

    @property
    def voxel_volume(self) -> float:
        """Volume of a voxel in mm³."""
        return float(abs(np.linalg.det(self.affine[:3, :3])))

    def matches(self, other: Grid, *, tolerance: float = 1e-2) -> bool:
        """Whether both grids put every voxel at the same place, to a fraction of a voxel."""
        if self.shape != other.shape:
            return False
        corners = np.array([[*corner, 1.0] for corner in itertools.product(*((0, n - 1) for n in self.shape))])
        apart = np.abs((corners @ (self.affine - other.affine).T)[:, :3]).max()
        return bool(apart <= tolerance * min(self.voxel_sizes))

    def describe(self) -> str:
        """Shape, voxel size and origin in a few words, for error messages."""
        shape = "×".join(str(n) for n in self.shape)
        size = "×".join(f"{s:.3g}" for s in self.voxel_sizes)
        origin = ", ".join(f"{v:.1f}" for v in self.affine[:3, 3])
        return f"{shape} voxels of {size} mm, origin ({origin}) mm"


@dataclass(frozen=True, eq=False)
class Reorientation:
    """Axis permutation and flips that take a native grid to the nearest RAS+ one, and back.

    ``permutation[i]`` is the native axis that becomes axis ``i``; ``flips[i]`` tells whether it is reversed.
    """

    native: Grid
    permutation: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    @property
    def ras(self) -> Grid:
        """The reoriented grid: the same voxels at the same places, axes nearest to right, anterior, superior."""
        shape = tuple(self.native.shape[axis] for axis in self.permutation)
        to_native = np.zeros((4, 4))
        to_native[3, 3] = 1.0
        for i, (axis, flip) in enumerate(zip(self.permutation, self.flips, strict=True)):
            to_native[axis, i] = -1.0 if flip else 1.0
            to_native[axis, 3] = self.native.shape[axis] - 1 if flip else 0.0
        return Grid((shape[0], shape[1], shape[2]), self.native.affine @ to_native)

    def to_ras(self, array: npt.NDArray[DType]) -> npt.NDArray[DType]:
        """View of a native array ``(i, j, k, …)`` with its axes in RAS+ order."""
        rest = tuple(range(3, array.ndim))
        steps = tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)
        view: npt.NDArray[DType] = array.transpose((*self.permutation, *rest))[steps]
        return view

    def to_native(self, array: npt.NDArray[DType]) -> npt.NDArray[DType]:
        """View of a RAS+ array ``(x, y, z, …)`` with its axes in the native order."""
        rest = tuple(range(3, array.ndim))
        steps = tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)
        inverse = tuple(int(i) for i in np.argsort(self.permutation))
        view: npt.NDArray[DType] = array[steps].transpose((*inverse, *rest))
        return view


def nearest_ras(native: Grid) -> Reorientation:
    """The reorientation whose axes lie nearest to right, anterior and superior (oblique angles remain)."""
    cosines = native.affine[:3, :3] / np.linalg.norm(native.affine[:3, :3], axis=0)
    best = max(itertools.permutations(range(3)), key=lambda p: sum(abs(cosines[i, p[i]]) for i in range(3)))
    flips = tuple(bool(cosines[i, best[i]] < 0) for i in range(3))
    return Reorientation(native, (best[0], best[1], best[2]), (flips[0], flips[1], flips[2]))


def identity_orientation(grid: Grid) -> Reorientation:
    """The reorientation that leaves a grid as it is."""
    return Reorientation(grid, (0, 1, 2), (False, False, False))


def ball(grid: Grid, centre: npt.ArrayLike, radius: float) -> Mask:
    """The voxels whose centres lie within a radius of a place, and in any case the one that holds the place.

    Parameters
    ----------
    grid : Grid
    centre : array_like, shape (3,)
        In RAS+ mm.
    radius : float
        In mm.

    Raises
    ------
    InputError
        If the place lies outside the grid.
    """
    place = np.asarray(centre, np.float64)
    nearest = np.rint((np.linalg.inv(grid.affine) @ [*place, 1.0])[:3]).astype(np.intp)
    if (nearest < 0).any() or (nearest >= grid.shape).any():
        where = ", ".join(f"{value:.1f}" for value in place)
        raise InputError(f"the place ({where}) mm lies outside the series. Choose one inside.")
    reach = np.ceil(radius / np.asarray(grid.voxel_sizes) * 1.5 + 1).astype(np.intp)
    low, high = np.maximum(nearest - reach, 0), np.minimum(nearest + reach + 1, grid.shape)
    part = tuple(slice(start, stop) for start, stop in zip(low, high, strict=True))
    indices = np.moveaxis(np.mgrid[part], 0, -1)
    apart = indices @ grid.affine[:3, :3].T + grid.affine[:3, 3] - place
    mask = np.zeros(grid.shape, bool)
    mask[part] = (apart**2).sum(axis=-1) <= radius**2
    mask[tuple(nearest)] = True
    return mask


def places_of(mask: Mask, voxels: IntArray | Mask) -> IntArray:
    """Indices, shape (n, 3), of some of a mask's voxels, which are counted in the order of boolean indexing."""
    return np.stack(np.unravel_index(np.flatnonzero(mask)[voxels], mask.shape), axis=1)

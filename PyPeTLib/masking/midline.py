"""The midsagittal plane of a brain mask, in world millimetres.

A mask knows nothing of fissures, so the plane is that in which its outline mirrors itself best. Middles between left
and right surface alone would not do: lines that run askew through a round head have their middles askew too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, optimize

from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.geometry import Grid

STEP_MM = 2.0
"""Fineness at which the outline is looked at."""
MOST_POINTS = 3000
LARGEST_TURN = 0.4
"""Largest tangent of the angle by which the plane may differ from the slices' own middle."""
SLOPE_STEP = 0.01
FARTHEST_MM = 15.0
OUTLIER_MM = 2.0
"""Distances between outline and mirror image beyond this count less."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MidsagittalPlane:
    """The plane ``normal · x = offset`` in RAS+ mm; the unit normal points to the patient's right.

    Attributes
    ----------
    normal : ndarray of float64, shape (3,)
    offset : float
    """

    normal: Curve
    offset: float

    def distance(self, grid: Grid) -> Curve:
        """Signed distance in mm of every voxel of a grid, positive on the patient's right, shape (x, y, z)."""
        x, y, z = self.distances_along(grid)
        distance: Curve = x[:, None, None] + y[:, None] + z
        return distance

    def distances_along(self, grid: Grid) -> tuple[Curve, Curve, Curve]:
        """What the three indices of a voxel add to its distance in mm; the first one's part holds the origin's."""
        along = self.normal @ grid.affine[:3, :3]
        start = float(self.normal @ grid.affine[:3, 3]) - self.offset
        x, y, z = (np.arange(n) * step for n, step in zip(grid.shape, along, strict=True))
        return x + start, y, z


def midsagittal_plane(mask: Mask, grid: Grid) -> MidsagittalPlane:
    """The plane in which the outline of a brain mask mirrors itself best.

    Least squares, with a robust loss, of the distance between the outline of the slices and its mirror image; the start
    is the middle between left and right ends of the rows. The mask's cut faces above and below play no part, so a slab
    will do; where it is a single slice, the plane stands upright on it.

    Parameters
    ----------
    mask : ndarray of bool, shape (x, y, z)
        Not empty; the first axis runs nearest to the patient's right.
    grid : Grid
    """
    coarse, lattice = _coarser(mask, grid)
    filled = coarse.any(axis=0)
    middle = 0.5 * (coarse.argmax(axis=0) + coarse.shape[0] - 1 - coarse[::-1].argmax(axis=0))
    j, k = np.nonzero(filled)
    centre = lattice.affine[:3, :3] @ [np.median(middle[filled]), j.mean(), k.mean()] + lattice.affine[:3, 3]
    points = _outline(coarse) @ lattice.affine[:3, :3].T + lattice.affine[:3, 3] - centre
    points = points[:: max(1, len(points) // MOST_POINTS)]
    axes = plane_axes(lattice.affine[:3, 0] / np.linalg.norm(lattice.affine[:3, 0]))
    height = _height(coarse, lattice)
    to_voxels = np.linalg.inv(lattice.affine)
    size = float(np.abs(points).max())

    def plane(parameters: Curve) -> tuple[Curve, float]:
        normal = axes[0] - parameters[:2] @ axes[1:]
        return normal / np.linalg.norm(normal), float(parameters[2] * size)

    def misfit(parameters: Curve) -> Curve:
        normal, offset = plane(parameters)
        mirrored = points - 2 * (points @ normal - offset)[:, None] * normal + centre
        places = to_voxels[:3, :3] @ mirrored.T + to_voxels[:3, 3:]
        distance: Curve = ndimage.map_coordinates(height, places, order=1, mode="nearest")
        within = (places[2] >= -0.5) & (places[2] <= coarse.shape[2] - 0.5)
        return np.where(within, distance, 0.0)

    def slopes(parameters: Curve) -> Curve:
        # wide steps: the outline is known at whole voxels and slices only
        steps = SLOPE_STEP * np.eye(3)
        columns = [misfit(parameters + step) - misfit(parameters - step) for step in steps]
        return np.stack(columns, axis=1) / (2 * SLOPE_STEP)

    limits = np.array([LARGEST_TURN, LARGEST_TURN if mask.any(axis=(0, 1)).sum() > 1 else 1e-6, LARGEST_TURN])
    found = optimize.least_squares(
        misfit, np.zeros(3), slopes, bounds=(-limits, limits), loss="soft_l1", f_scale=OUTLIER_MM, max_nfev=40
    )
    normal, offset = plane(found.x)
    return MidsagittalPlane(normal=normal, offset=float(offset + normal @ centre))


def _coarser(mask: Mask, grid: Grid) -> tuple[Mask, Grid]:
    """Every so many voxels, about `STEP_MM` apart, with a rim of empty ones in the slices."""
    x, y, z = steps = [max(1, round(STEP_MM / size)) for size in grid.voxel_sizes]
    if not mask[::x, ::y, ::z].any():
        x, y, z = steps = [1, 1, 1]
    thinned = np.pad(mask[::x, ::y, ::z], ((1, 1), (1, 1), (0, 0)))
    affine = grid.affine.copy()
    affine[:3, :3] *= steps
    affine[:3, 3] -= affine[:3, 0] + affine[:3, 1]
    return thinned, Grid(thinned.shape, affine)


def _outline(mask: Mask) -> Curve:
    """Places in voxels between each voxel of the mask and its empty neighbours in the slice, shape (n, 3)."""
    places = []
    for axis in (0, 1):
        edge = np.diff(mask.astype(np.int8), axis=axis) != 0
        place = np.argwhere(edge).astype(np.float64)
        place[:, axis] += 0.5
        places.append(place)
    return np.concatenate(places)


def _height(mask: Mask, grid: Grid) -> Volume:
    """Distance in mm from the outline of the own slice, positive outside; at most `FARTHEST_MM`."""
    apart = (*grid.voxel_sizes[:2], 1e4)
    outside = ndimage.distance_transform_edt(~mask, sampling=apart)
    inside = ndimage.distance_transform_edt(mask, sampling=apart)
    # both count from the centre of the nearest voxel beyond the outline
    half = 0.25 * (apart[0] + apart[1])
    height: Volume = np.clip(np.where(mask, half - inside, outside - half), -FARTHEST_MM, FARTHEST_MM)
    return height.astype(np.float32)


def plane_axes(normal: Curve) -> Curve:
    """Three orthonormal rows: the unit normal of a plane, forward and upward along the plane."""
    forward = np.array([0.0, 1.0, 0.0])
    forward -= (forward @ normal) * normal
    forward /= np.linalg.norm(forward)
    return np.stack([normal, forward, np.cross(normal, forward)])

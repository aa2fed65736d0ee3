"""Tubes on a grid: what share of each voxel is artery, vein or clot, and when contrast arrives there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from PyPeTLib.arrays import Curve, Volume
from PyPeTLib.geometry import Grid
from PyPeTLib.phantom.vessels import Tube, VesselKind

SUBVOXELS = (3, 3, 5)
"""Pieces of a voxel along its axes for partial volume."""


@dataclass(frozen=True, kw_only=True, eq=False)
class VesselVolumes:
    """Shares of voxels, and arrival in s where the share is above 0; float32 volumes."""

    artery: Volume
    vein: Volume
    clot: Volume
    artery_arrival: Volume
    vein_arrival: Volume

    @property
    def all(self) -> Volume:
        """Share of any vessel."""
        return self.artery + self.vein + self.clot


def rasterise(tubes: Sequence[Tube], grid: Grid, late: Callable[[Curve], Curve] | None = None) -> VesselVolumes:
    """Cut each voxel into 5 × 3 × 3 pieces and count those inside a tube; the first tube to reach a piece keeps it.

    Parameters
    ----------
    tubes : sequence of Tube
    grid : Grid
        Its affine leads from voxels to head coordinates.
    late : callable, optional
        Seconds by which contrast comes later at points (n, 3), such as behind an occlusion.
    """
    counts = {kind: np.zeros(grid.shape, dtype=np.float32) for kind in VesselKind}
    sums = {kind: np.zeros(grid.shape, dtype=np.float32) for kind in VesselKind}
    fine_shape = tuple(n * parts for n, parts in zip(grid.shape, SUBVOXELS, strict=True))
    free = np.ones(fine_shape, dtype=bool)
    fine_affine = _fine_affine(grid)
    for tube in tubes:
        arrival = tube.arrival if late is None else tube.arrival + late(tube.points)
        between = (arrival[:-1] + arrival[1:]) / 2
        for i, box in enumerate(_boxes(tube, fine_affine, grid.shape)):
            if box is None:
                continue
            fine_box = tuple(slice(part.start * n, part.stop * n) for part, n in zip(box, SUBVOXELS, strict=True))
            inside = _inside(tube, i, fine_affine, fine_box) & free[fine_box]
            free[fine_box] &= ~inside
            pieces = [n for part, parts in zip(box, SUBVOXELS, strict=True) for n in (part.stop - part.start, parts)]
            number = inside.reshape(pieces).sum(axis=(1, 3, 5), dtype=np.float32)
            counts[tube.kind][box] += number
            sums[tube.kind][box] += number * np.float32(between[i])
    whole = np.float32(np.prod(SUBVOXELS))
    times = {
        kind: np.divide(sums[kind], number, out=np.zeros_like(number), where=number > 0)
        for kind, number in counts.items()
    }
    return VesselVolumes(
        artery=counts[VesselKind.ARTERY] / whole,
        vein=counts[VesselKind.VEIN] / whole,
        clot=counts[VesselKind.CLOT] / whole,
        artery_arrival=times[VesselKind.ARTERY],
        vein_arrival=times[VesselKind.VEIN],
    )


def _fine_affine(grid: Grid) -> Curve:
    """From the indices of the pieces to head coordinates."""
    scale = np.diag([*(1 / n for n in SUBVOXELS), 1.0])
    scale[:3, 3] = [(1 - n) / (2 * n) for n in SUBVOXELS]
    affine: Curve = grid.affine @ scale
    return affine


def _boxes(tube: Tube, fine_affine: Curve, shape: tuple[int, int, int]) -> list[tuple[slice, slice, slice] | None]:
    """The voxels that each segment of a tube may touch."""
    to_fine: Curve = np.asarray(np.linalg.inv(fine_affine), dtype=np.float64)
    points = tube.points @ to_fine[:3, :3].T + to_fine[:3, 3]
    # how far a ball reaches along each axis of any lattice, sheared ones included
    reach = np.maximum(tube.radii[:-1], tube.radii[1:])[:, np.newaxis] * np.linalg.norm(to_fine[:3, :3], axis=1)
    low = np.floor((np.minimum(points[:-1], points[1:]) - reach) / SUBVOXELS).astype(int)
    high = np.floor((np.maximum(points[:-1], points[1:]) + reach) / SUBVOXELS).astype(int) + 1
    low, high = np.maximum(low, 0), np.minimum(high, shape)
    empty = (low >= high).any(axis=1)
    return [
        None if nothing else (slice(x, x_end), slice(y, y_end), slice(z, z_end))
        for nothing, (x, y, z), (x_end, y_end, z_end) in zip(empty, low.tolist(), high.tolist(), strict=True)
    ]


def _inside(tube: Tube, i: int, affine: Curve, box: tuple[slice, ...]) -> npt.NDArray[np.bool_]:
    """Which pieces in a box have their centre inside segment i, a round-ended cone."""
    x, y, z = (np.arange(part.start, part.stop, dtype=np.float32) for part in box)
    columns = affine[:3].astype(np.float32).T.reshape(4, 3, 1, 1, 1)
    start = tube.points[i].astype(np.float32).reshape(3, 1, 1, 1)
    axis = (tube.points[i + 1] - tube.points[i]).astype(np.float32)
    square = axis @ axis
    axis = axis.reshape(3, 1, 1, 1)
    place = columns[0] * x[:, np.newaxis, np.newaxis] + columns[1] * y[:, np.newaxis] + columns[2] * z
    place += columns[3] - start
    parts = place * axis
    along = parts[0] + parts[1]
    along += parts[2]
    along /= square
    np.clip(along, 0, 1, out=along)
    np.subtract(place, np.multiply(along, axis, out=parts), out=place)
    np.square(place, out=place)
    squares = place[0] + place[1]
    squares += place[2]
    first, last = tube.radii[i : i + 2]
    along *= np.float32(last - first)
    along += np.float32(first)
    inside: npt.NDArray[np.bool_] = squares <= np.square(along, out=along)
    return inside

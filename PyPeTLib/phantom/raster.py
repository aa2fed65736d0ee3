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
    to_fine: Curve = np.asarray(np.linalg.inv(_fine_affine(grid)), dtype=np.float64)
    for tube in tubes:
        arrival = tube.arrival if late is None else tube.arrival + late(tube.points)
        for i in range(len(tube.points) - 1):
            box = _box(tube, i, to_fine, grid.shape)
            if box is None:
                continue
            fine_box = tuple(slice(part.start * n, part.stop * n) for part, n in zip(box, SUBVOXELS, strict=True))
            inside = _inside(tube, i, _fine_affine(grid), fine_box) & free[fine_box]
            free[fine_box] &= ~inside
            pieces = [n for part, parts in zip(box, SUBVOXELS, strict=True) for n in (part.stop - part.start, parts)]
            number = inside.reshape(pieces).sum(axis=(1, 3, 5), dtype=np.float32)
            counts[tube.kind][box] += number
            sums[tube.kind][box] += number * np.float32(arrival[i : i + 2].mean())
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


def _box(tube: Tube, i: int, to_fine: Curve, shape: tuple[int, int, int]) -> tuple[slice, slice, slice] | None:
    """The voxels that segment i of a tube may touch."""
    ends = tube.points[i : i + 2] @ to_fine[:3, :3].T + to_fine[:3, 3]
    # how far a ball reaches along each axis of any lattice, sheared ones included
    reach = tube.radii[i : i + 2].max() * np.linalg.norm(to_fine[:3, :3], axis=1)
    low = np.floor((ends.min(axis=0) - reach) / SUBVOXELS).astype(int)
    high = np.floor((ends.max(axis=0) + reach) / SUBVOXELS).astype(int) + 1
    low, high = np.maximum(low, 0), np.minimum(high, shape)
    if (low >= high).any():
        return None
    x, y, z = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return x, y, z


def _inside(tube: Tube, i: int, affine: Curve, box: tuple[slice, ...]) -> npt.NDArray[np.bool_]:
    """Which pieces in a box have their centre inside segment i, a round-ended cone."""
    x, y, z = (np.arange(part.start, part.stop, dtype=np.float32) for part in box)
    matrix = affine.astype(np.float32)
    start = tube.points[i].astype(np.float32)
    axis = (tube.points[i + 1] - tube.points[i]).astype(np.float32)
    place = [
        row[0] * x[:, np.newaxis, np.newaxis] + row[1] * y[:, np.newaxis] + row[2] * z + (row[3] - start[d])
        for d, row in enumerate(matrix[:3])
    ]
    along = (place[0] * axis[0] + place[1] * axis[1] + place[2] * axis[2]) / np.float32(axis @ axis)
    along = np.clip(along, 0, 1)
    squares = sum((p - along * a) ** 2 for p, a in zip(place, axis, strict=True))
    first, last = tube.radii[i : i + 2]
    inside: npt.NDArray[np.bool_] = squares <= (np.float32(first) + along * np.float32(last - first)) ** 2
    return inside

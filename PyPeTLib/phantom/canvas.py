"""Painting further structures over the tissue classes of a head, box by box."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict, Unpack

import numpy as np

from PyPeTLib.arrays import Array, Curve, Volume
from PyPeTLib.geometry import Grid
from PyPeTLib.phantom.waves import Waves

Level = Callable[..., Array]
"""Level function of a structure in mm, negative inside, from head coordinates x, y, z and, if given, waves there."""

Point = tuple[float, float, float]

Box = tuple[Sequence[float] | Curve, Sequence[float] | Curve]
"""Lowest and highest x, y, z in mm."""


class Limits(TypedDict, total=False):
    """Where a structure is painted; see `Canvas.paint`."""

    inside: bool
    over: str
    plate: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Canvas:
    """Shares of the tissue classes on a fine lattice, which conditions of the head repaint in place.

    Attributes
    ----------
    grid : Grid
        The lattice; its affine leads to head coordinates.
    fields : dict
        One float32 volume for each class; they add up to 1. Painting adds classes.
    inside : ndarray of float32
        Share inside the inner table.
    under : ndarray of float32
        How many mm a place lies outside the inner table or under the floor of the skull, negative inside.
    """

    grid: Grid
    fields: dict[str, Volume]
    inside: Volume
    under: Volume

    @property
    def edge(self) -> float:
        """Mean edge in mm of a piece of the lattice, over which surfaces are softened."""
        return float(np.mean(self.grid.voxel_sizes))

    def paint(
        self,
        name: str,
        level: Level,
        box: Box,
        *,
        inside: bool | None = None,
        over: str | None = None,
        plate: float | None = None,
        waves: Waves | None = None,
    ) -> None:
        """Fill a structure with a class.

        Parameters
        ----------
        name : str
            The class.
        level : callable
        box : tuple
            Lowest and highest x, y, z in mm that the structure reaches.
        inside : bool, optional
            Only inside the inner table (True) or outside of it (False).
        over : str, optional
            Only what is of this class so far, if anything is.
        plate : float, optional
            Thickness in mm of the bone that is left between the structure and the inner table.
        waves : Waves, optional
            Whose values the level function wants too.
        """
        where = self._where(box)
        if where is None or (over is not None and over not in self.fields):
            return
        part = _part(self.grid, where)
        texture = () if waves is None else (waves.on(part),)
        depth = level(*coordinates(part), *texture)
        if plate is not None:
            depth = np.maximum(depth, plate - self.under[where])
        share = np.clip(0.5 - depth / self.edge, 0.0, 1.0).astype(np.float32)
        if inside is not None:
            share *= self.inside[where] if inside else 1 - self.inside[where]
        if name not in self.fields:
            self.fields[name] = np.zeros(self.grid.shape, dtype=np.float32)
        if over is None:
            for field in self.fields.values():
                field[where] *= 1 - share
            self.fields[name][where] += share
        else:
            share *= self.fields[over][where]
            self.fields[over][where] -= share
            self.fields[name][where] += share

    def ellipsoid(self, name: str, centre: Point, radii: Point, **limits: Unpack[Limits]) -> None:
        """Fill an ellipsoid with a class; ``limits`` are those of `paint`."""
        self.paint(name, ellipsoid(centre, radii), around(centre, radii), **limits)

    def tube(self, name: str, start: Point, end: Point, radius: float, **limits: Unpack[Limits]) -> None:
        """Fill a round-ended tube with a class; ``limits`` are those of `paint`."""
        low, high = np.minimum(start, end) - radius, np.maximum(start, end) + radius
        self.paint(name, tube(start, end, radius), (low, high), **limits)

    def _where(self, box: Box) -> tuple[slice, slice, slice] | None:
        """The part of the lattice that a box in head coordinates may touch."""
        to_lattice = np.linalg.inv(self.grid.affine)
        corners = np.array(list(itertools.product(*zip(*box, strict=True))))
        indices = corners @ to_lattice[:3, :3].T + to_lattice[:3, 3]
        low = np.maximum(np.floor(indices.min(axis=0)).astype(int) - 1, 0)
        high = np.minimum(np.ceil(indices.max(axis=0)).astype(int) + 2, self.grid.shape)
        if (low >= high).any():
            return None
        x, y, z = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        return x, y, z


def around(centre: Sequence[float], reach: Sequence[float]) -> tuple[Curve, Curve]:
    """The box of so many mm on each side of a place."""
    middle = np.asarray(centre, dtype=np.float64)
    return middle - reach, middle + reach


def ellipsoid(centre: Point, radii: Point) -> Level:
    """In mm near the surface along the shortest radius."""

    def level(x: Array, y: Array, z: Array) -> Array:
        squares = sum(((p - c) / r) ** 2 for p, c, r in zip((x, y, z), centre, radii, strict=True))
        result: Array = (np.sqrt(squares) - 1) * min(radii)
        return result

    return level


def tube(start: Point, end: Point, radius: float) -> Level:
    """Distance from the surface of a round-ended tube."""
    way = np.subtract(end, start)
    length = float(way @ way)

    def level(x: Array, y: Array, z: Array) -> Array:
        along = sum((p - a) * w for p, a, w in zip((x, y, z), start, way, strict=True)) / length
        along = np.clip(along, 0.0, 1.0)
        squares = sum((p - a - along * w) ** 2 for p, a, w in zip((x, y, z), start, way, strict=True))
        result: Array = np.sqrt(squares) - radius
        return result

    return level


def _part(grid: Grid, where: tuple[slice, slice, slice]) -> Grid:
    """The lattice within a box of indices."""
    shift = np.eye(4)
    shift[:3, 3] = [part.start for part in where]
    x, y, z = (part.stop - part.start for part in where)
    return Grid((x, y, z), grid.affine @ shift)


def coordinates(grid: Grid) -> tuple[Volume, Volume, Volume]:
    """Head coordinates of all voxel centres."""
    i, j, k = (np.arange(n, dtype=np.float32) for n in grid.shape)
    rows = grid.affine[:3].astype(np.float32)
    x, y, z = (row[0] * i[:, np.newaxis, np.newaxis] + row[1] * j[:, np.newaxis] + row[2] * k + row[3] for row in rows)
    return x, y, z

"""A lattice of patches over the head, and how much of each patch a place belongs to.

The patches are trilinear hats φ_p on n³ nodes, which add up to 1 everywhere: the model's coefficients change from node
to node without a seam. Nodes lie in head coordinates, which run from 0 to 1 between the brain's left and right, back
and front, bottom and top, so that heads of any size and grids of any orientation fall on the same patches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from PyPeTLib.arrays import Array, IntArray, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.synthesis.subject import Subject

PATCHES = {1: 1, 8: 2, 64: 4, 216: 6}
"""Numbers of patches, and the nodes that they have along an axis."""

ENDS = (0.25, 99.75)
"""Percentiles of the brain's extent that are 0 and 1: single voxels of a mask do not stretch the lattice."""
PIECE = 1 << 14
"""Voxels that are worked on at a time."""


def head_coordinates(subject: Subject) -> Volume:
    """Where each brain voxel lies in the head.

    Returns
    -------
    ndarray of float32, shape (voxels, 3)
        From 0 to 1: left to right, back to front, bottom to top. The middle of the first is the midsagittal plane.
    """
    grid, plane = subject.grid, subject.mirror.plane
    indices = np.argwhere(subject.mask)
    world = indices @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    right = plane.normal
    front = grid.affine[:3, 1] - (grid.affine[:3, 1] @ right) * right
    front = front / np.linalg.norm(front)
    up = np.cross(right, front)
    across = world @ right - plane.offset
    half = np.percentile(np.abs(across), ENDS[1])
    places = [across / (2 * half) + 0.5]
    for axis in (front, up):
        along = world @ axis
        low, high = np.percentile(along, ENDS)
        places.append((along - low) / max(high - low, min(grid.voxel_sizes)))
    coordinates: Volume = np.clip(np.stack(places, axis=1), 0, 1).astype(np.float32)
    return coordinates


@dataclass(frozen=True, kw_only=True)
class Lattice:
    """n³ nodes at equal distances from 0 to 1 along each axis.

    Attributes
    ----------
    n : int
        Nodes along an axis; a single one stands for the whole head.
    """

    n: int

    @property
    def nodes(self) -> int:
        """How many patches there are."""
        return self.n**3

    @cached_property
    def corners(self) -> IntArray:
        """The nodes around each cell, shape (cells, 8), or (1, 1) for a single node."""
        if self.n == 1:
            return np.zeros((1, 1), np.intp)
        first = np.stack(np.meshgrid(*3 * [np.arange(self.n - 1)], indexing="ij"), -1).reshape(-1, 1, 3)
        offsets = np.stack(np.meshgrid(*3 * [np.arange(2)], indexing="ij"), -1).reshape(1, 8, 3)
        return self.node(first + offsets)

    @cached_property
    def mirrored(self) -> IntArray:
        """The node opposite each node, shape (nodes,)."""
        places = np.stack(np.unravel_index(np.arange(self.nodes), 3 * (self.n,)), -1)
        return self.node(np.stack([self.n - 1 - places[:, 0], places[:, 1], places[:, 2]], -1))

    def node(self, places: IntArray) -> IntArray:
        """Numbers of nodes from their three places along the axes, shape (…, 3)."""
        numbers: IntArray = (places[..., 0] * self.n + places[..., 1]) * self.n + places[..., 2]
        return numbers

    def hats(self, places: Volume) -> Iterator[tuple[int, IntArray, Volume]]:
        """The voxels of each cell in pieces, and how much they belong to the nodes around it.

        Parameters
        ----------
        places : ndarray, shape (voxels, 3)
            Head coordinates.

        Yields
        ------
        cell : int
        voxels : ndarray of int, shape (m,)
        shares : ndarray of float32, shape (m, 8) or (m, 1)
            The hats' values, which add up to 1.
        """
        steps = max(self.n - 1, 1)
        scaled = places * np.float32(steps)
        lowest = np.minimum(scaled.astype(np.intp), steps - 1)
        cells = (lowest[:, 0] * steps + lowest[:, 1]) * steps + lowest[:, 2]
        order = np.argsort(cells, kind="stable")
        ends = np.searchsorted(cells[order], np.arange(steps**3 + 1))
        for cell in range(steps**3):
            for start in range(ends[cell], ends[cell + 1], PIECE):
                voxels = order[start : min(start + PIECE, ends[cell + 1])]
                yield cell, voxels, self._shares(scaled[voxels] - lowest[voxels])

    def _shares(self, within: Array) -> Volume:
        if self.n == 1:
            return np.ones((len(within), 1), np.float32)
        x, y, z = (np.stack([1 - part, part], -1) for part in within.T)
        shares: Volume = (x[:, :, None, None] * y[:, None, :, None] * z[:, None, None, :]).reshape(-1, 8)
        return shares.astype(np.float32)


def lattice_of(patches: int) -> Lattice:
    """The lattice with so many patches.

    Raises
    ------
    InputError
        If there is none.
    """
    if patches not in PATCHES:
        raise InputError(f"there are models of {', '.join(map(str, PATCHES))} patches, not of {patches}.")
    return Lattice(n=PATCHES[patches])

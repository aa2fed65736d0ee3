"""Weighted means over neighbours in slabs of bounded size, all voxels of a slab and one neighbour of each at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import IntArray, Mask, Volume
from PyPeTLib.execution import Execution

Offset = tuple[int, int, int]
Closeness = Callable[[Volume, Volume], Volume]
"""From the summed squares of the difference of two voxels, and the sum of their guides' variances, to the weight that
they give each other. It may write to both."""

SLAB_VALUES = 2**19
"""Values of one kind that a slab should hold, so that a thread's arrays stay small."""

NO_WEIGHT = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Lattice:
    """The box around a mask, and where in a list of the mask's voxels each of its first-axis planes begins."""

    mask: Mask
    first: IntArray

    @classmethod
    def around(cls, mask: Mask) -> Lattice:
        """The lattice of a mask that marks at least one voxel."""
        inner = mask[ndimage.find_objects(mask.astype(np.uint8))[0]]
        first = np.concatenate([[0], np.cumsum(np.count_nonzero(inner, axis=(1, 2)))])
        return cls(mask=inner, first=first)

    def slabs(self, channels: int, halo: int) -> list[tuple[int, int]]:
        """First and last plane (exclusive) of slabs, whose size depends on the data alone."""
        plane = self.mask.shape[1] * self.mask.shape[2] * channels
        planes = max(1, 2 * halo, SLAB_VALUES // plane)
        return [(start, min(start + planes, len(self.mask))) for start in range(0, len(self.mask), planes)]

    def voxels(self, start: int, stop: int) -> slice:
        """Place of the planes' voxels in the list."""
        return slice(int(self.first[start]), int(self.first[stop]))

    def volume(self, values: Volume, start: int, stop: int) -> Volume:
        """Values of shape (channels, voxels) in planes of the box, zero outside the mask: (channels, x, y, z)."""
        inside, voxels = self.mask[start:stop], self.voxels(start, stop)
        volume = np.zeros((len(values), *inside.shape), np.float32)
        for channel, value in zip(volume, values, strict=True):
            channel[inside] = value[voxels]
        return volume


def average(
    values: Volume,
    guide: Volume,
    variances: tuple[Volume, Volume],
    lattice: Lattice,
    kernel: Sequence[tuple[Offset, float]],
    closeness: Closeness | None,
    execution: Execution,
) -> tuple[Volume, Volume]:
    """Mean over each voxel and its neighbours, weighted by the kernel and by how close their guides are.

    Parameters
    ----------
    values, guide : ndarray of float32, shape (channels, voxels)
        What is averaged, and what is compared; they may be one array.
    variances : tuple of two ndarrays of float32, shape (voxels,)
        Of values and guide, up to a factor. Values count by its inverse; infinite variance marks voxels that take no
        part and keep their values.
    lattice : Lattice
    kernel : sequence of (offset, weight)
        In voxels, one of each pair of opposite offsets; a voxel itself has the weight 1.
    closeness : callable or None
        None takes all neighbours for alike.

    Returns
    -------
    values : ndarray of float32, shape (channels, voxels)
    variance : ndarray of float32, shape (voxels,)
        Of the averaged values, had noise been independent from voxel to voxel.
    """
    halo = max((abs(offset[0]) for offset, _ in kernel), default=0)
    averaged, variance = execution.workspace.like(values), np.empty_like(variances[0])
    precision: Volume = np.float32(1) / variances[0]

    def work(slab: tuple[int, int]) -> None:
        start, stop = slab
        low, high = max(0, start - halo), min(len(lattice.mask), stop + halo)
        sums = _Sums.of(lattice.volume(values, low, high), lattice.volume(precision[None], low, high)[0])
        compared = lattice.volume(guide, low, high)
        spread = lattice.volume(variances[1][None], low, high)[0]
        for offset, weight in kernel:
            sums.add(compared, spread, offset, weight, closeness)
        inside = np.zeros(spread.shape, bool)
        inside[start - low : stop - low] = lattice.mask[start:stop]
        voxels = lattice.voxels(start, stop)
        taken = precision[voxels] > 0
        weight_sum = np.where(taken, sums.total[-1][inside], 1)
        for channel, total in enumerate(sums.total[:-1]):
            averaged[channel, voxels] = np.where(taken, total[inside] / weight_sum, values[channel, voxels])
        variance[voxels] = np.where(taken, sums.squares[inside] / np.square(weight_sum), np.inf)

    execution.map(work, lattice.slabs(len(values), halo))
    return averaged, variance


@dataclass(frozen=True, eq=False)
class _Sums:
    """Weighted sums over the neighbours seen so far; the last channel is that of the weights themselves.

    ``squares`` are sums of each value's squared weight times its variance.
    """

    values: Volume
    total: Volume
    squares: Volume

    @classmethod
    def of(cls, values: Volume, precision: Volume) -> _Sums:
        weighted = np.concatenate([values, precision[None]])
        weighted[:-1] *= precision
        return cls(values=weighted, total=weighted.copy(), squares=precision.copy())

    def add(self, guide: Volume, spread: Volume, offset: Offset, weight: float, closeness: Closeness | None) -> None:
        """Let each voxel and the one an offset away take part in each other's mean."""
        pairs = [
            (slice(max(0, -by), size - max(0, by)), slice(max(0, by), size - max(0, -by)))
            for by, size in zip(offset, guide.shape[1:], strict=True)
        ]
        here, there = (tuple(pair[k] for pair in pairs) for k in (0, 1))
        if any(one.stop <= one.start for one in here):
            return
        every = slice(None)
        weights: Volume = np.full(spread[here].shape, weight, np.float32)
        if closeness is not None:
            apart = guide[(every, *here)] - guide[(every, *there)]
            weights *= closeness(np.einsum("kxyz,kxyz->xyz", apart, apart), spread[here] + spread[there])
        squares = weights * weights
        for one, other in ((here, there), (there, here)):
            self.squares[one] += squares * self.values[-1][other]
            for total, values in zip(self.total, self.values, strict=True):
                total[one] += weights * values[other]

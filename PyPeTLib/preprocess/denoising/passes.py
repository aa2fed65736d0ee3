"""The passes of an à-trous cascade: one small kernel with growing holes, as wide together as a Gaussian in mm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from PyPeTLib.arrays import Curve
from PyPeTLib.preprocess.denoising.neighbours import Offset

HEAVIEST_SIDE = 0.5
"""Largest weight of the two neighbours along an axis, where the voxel itself has 1: then a pattern of every other
voxel, which the wider steps of later passes cannot see, does not pass the first one."""
LIGHTEST_SIDE = 0.01
"""An axis along which neighbours would count less is left alone."""


@dataclass(frozen=True, kw_only=True)
class Pass:
    """Three points along each axis, the outer two ``steps`` voxels away with weights ``sides``; 0 leaves it out."""

    steps: tuple[int, int, int]
    sides: tuple[float, float, float]

    def kernel(self) -> list[tuple[Offset, float]]:
        """One of each pair of opposite neighbours, and its weight."""
        used = [(-1, 0, 1) if side else (0,) for side in self.sides]
        return [
            (
                (x * self.steps[0], y * self.steps[1], z * self.steps[2]),
                self.sides[0] ** abs(x) * self.sides[1] ** abs(y) * self.sides[2] ** abs(z),
            )
            for x, y, z in product(*used)
            if (x, y, z) > (0, 0, 0)
        ]

    def along(self, axis: int) -> Curve:
        """The kernel along an axis, its sum 1."""
        side, step = self.sides[axis], self.steps[axis]
        points = np.zeros(2 * step + 1)
        points[[0, -1]] = side
        points[step] = 1
        return np.asarray(points / points.sum(), np.float64)


def passes(sigma_mm: float, voxel_sizes: tuple[float, float, float]) -> list[Pass]:
    """Passes whose kernels have together the variance of a Gaussian along each axis.

    Steps double from pass to pass. The two axes with the smaller voxels share a pass, the third has its own.
    """
    thick = max(range(3), key=lambda axis: (voxel_sizes[axis], axis))
    groups = ([axis for axis in range(3) if axis != thick], [thick])
    found = []
    plans = [_along_axis(sigma_mm / size) for size in voxel_sizes]
    for number in range(max(len(plan) for plan in plans)):
        for axes in groups:
            taking = [axis for axis in axes if number < len(plans[axis])]
            steps = [2**number if axis in taking else 0 for axis in range(3)]
            sides = [plans[axis][number] if axis in taking else 0.0 for axis in range(3)]
            if taking:
                found.append(Pass(steps=(steps[0], steps[1], steps[2]), sides=(sides[0], sides[1], sides[2])))
    return found


def _along_axis(sigma: float) -> list[float]:
    """Weight of the outer points in each pass along an axis, for a standard deviation in voxels.

    All passes but the last one have the heaviest sides.
    """
    most = 2 * HEAVIEST_SIDE / (1 + 2 * HEAVIEST_SIDE)
    sides, missing, variance = [], sigma**2, 1.0
    while missing > most * variance:
        sides.append(HEAVIEST_SIDE)
        missing -= most * variance
        variance *= 4
    last = missing / (2 * (variance - missing))
    return [*sides, last] if last >= LIGHTEST_SIDE else sides


def overlap(done: Sequence[Pass]) -> float:
    """How much more variance passes leave together than one after the other on noise that is white each time."""
    ratio = 1.0
    for axis in range(3):
        whole, product_of_shares = np.ones(1), 1.0
        for one in done:
            points = one.along(axis)
            whole = np.convolve(whole, points)
            product_of_shares *= float(np.square(points).sum())
        ratio *= float(np.square(whole).sum()) / product_of_shares
    return ratio

"""Smooth random fields as sums of plane waves: cheap on any lattice, and known at any point.

Along the axes of a lattice a plane wave is a product of three factors, whatever the affine, so a whole field is one
matrix product.
"""

from __future__ import annotations

import numpy as np

from PyPeTLib.arrays import Curve, Volume
from PyPeTLib.geometry import Grid


class Waves:
    """A stationary random field of mean 0 and variance 1 over head coordinates in mm.

    Parameters
    ----------
    rng : numpy Generator
    shortest, longest : float
        Range of the wavelengths in mm.
    number : int
        How many waves are added.
    """

    def __init__(self, rng: np.random.Generator, shortest: float, longest: float, number: int = 80) -> None:
        directions = rng.standard_normal((number, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        lengths = rng.uniform(shortest, longest, number)
        self.vectors: Curve = 2 * np.pi / lengths[:, np.newaxis] * directions
        self.phases: Curve = rng.uniform(0, 2 * np.pi, number)
        self.amplitude = float(np.sqrt(2 / number))

    def at(self, points: Curve) -> Curve:
        """Values at points (…, 3)."""
        values: Curve = self.amplitude * np.cos(points @ self.vectors.T + self.phases).sum(axis=-1)
        return values

    def on(self, grid: Grid) -> Volume:
        """Values at the voxel centres of a grid whose affine leads to head coordinates."""
        along_x, rest = self._factors(grid)
        return _real_product(along_x, rest, grid.shape)

    def with_slope_on(self, grid: Grid) -> tuple[Volume, Volume]:
        """Values, and the lengths of their gradients in 1/mm, at the voxel centres of a grid."""
        along_x, rest = self._factors(grid)
        values = _real_product(along_x, rest, grid.shape)
        squares = np.zeros_like(values)
        for axis in range(3):
            slope = _real_product(along_x * (1j * self.vectors[:, axis]).astype(np.complex64), rest, grid.shape)
            squares += np.square(slope, out=slope)
        return values, np.sqrt(squares, out=squares)

    def _factors(self, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
        """Complex factors along x, shape (X, n), and along y and z, shape (Y·Z, n)."""
        steps = self.vectors @ grid.affine[:3, :3]
        start = self.vectors @ grid.affine[:3, 3] + self.phases
        x, y, z = (np.exp(1j * np.arange(n)[:, np.newaxis] * steps[:, axis]) for axis, n in enumerate(grid.shape))
        along_x = (self.amplitude * x * np.exp(1j * start)).astype(np.complex64)
        rest = (y[:, np.newaxis].astype(np.complex64) * z[np.newaxis].astype(np.complex64)).reshape(-1, steps.shape[0])
        return along_x, rest


def _real_product(left: np.ndarray, right: np.ndarray, shape: tuple[int, int, int]) -> Volume:
    """Real part of ``left @ right.T`` with two real products instead of four."""
    # every second number of a complex array is no matrix for BLAS, and older numpy then multiplies without it
    real, imaginary = (
        np.ascontiguousarray(a) @ np.ascontiguousarray(b).T
        for a, b in ((left.real, right.real), (left.imag, right.imag))
    )
    real -= imaginary
    result: Volume = real.reshape(shape)
    return result

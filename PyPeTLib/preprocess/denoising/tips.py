"""The bilateral filter that compares time-intensity profiles."""

from __future__ import annotations

from itertools import product

import numpy as np

from PyPeTLib.arrays import Volume
from PyPeTLib.execution import Execution
from PyPeTLib.preprocess.denoising.model import DENOISERS, DenoisingOptions, Filtered, Surroundings
from PyPeTLib.preprocess.denoising.neighbours import Closeness, Lattice, Offset, average

REACH = 2.0
"""Neighbours are looked at up to this many standard deviations away along each axis."""

LEAST_NOISE = 1e-6
"""What counts as no noise at all: neighbours are then alike if they are equal."""


@DENOISERS.register(
    "tips",
    summary="mean over neighbours, weighted by distance and by how alike their whole curves are, vessels left out",
    source="Mendrik et al. 2011, doi:10.1088/0031-9155/56/13/008",
    traits=("edges",),
)
def tips(signal: Volume, surroundings: Surroundings, options: DenoisingOptions, execution: Execution) -> Filtered:
    """One weight for all frames: a Gaussian of the distance times one of the mean squared difference of the curves."""
    kernel = gaussian_kernel(options.sigma, surroundings.voxel_sizes)
    if not kernel or not surroundings.tissue.any():
        return Filtered(signal=signal)
    near = profile_closeness(surroundings.noise, signal.shape[1], options.tolerance)
    lattice = Lattice.around(surroundings.mask)
    variance = np.where(surroundings.tissue, np.float32(1), np.float32(np.inf))
    averaged, _ = average(signal.T, signal.T, (variance, variance), lattice, kernel, near, execution)
    return Filtered(signal=averaged.T)


def gaussian_kernel(sigma_mm: float, voxel_sizes: tuple[float, float, float]) -> list[tuple[Offset, float]]:
    """One of each pair of opposite neighbours within reach, and its weight."""
    if sigma_mm <= 0:
        return []
    reach = [int(REACH * sigma_mm / size) for size in voxel_sizes]
    kernel = []
    for x, y, z in product(*(range(-n, n + 1) for n in reach)):
        if (x, y, z) > (0, 0, 0):
            distance = sum((step * size) ** 2 for step, size in zip((x, y, z), voxel_sizes, strict=True))
            kernel.append(((x, y, z), float(np.exp(-distance / (2 * sigma_mm**2)))))
    return kernel


def profile_closeness(noise: float, frames: int, tolerance: float) -> Closeness:
    """Gaussian of the mean squared difference of two curves.

    Noise of variance σ² alone makes it 2σ² with a standard deviation of 2σ²·√(2/t); the Gaussian's own lies
    ``tolerance`` of these above the mean.
    """
    width = 2 * max(noise, LEAST_NOISE) ** 2 * (1 + tolerance * np.sqrt(2 / frames))
    scale = np.float32(1 / (frames * width))

    def near(squares: Volume, _variances: Volume) -> Volume:
        squares *= scale
        np.square(squares, out=squares)
        squares *= np.float32(-0.5)
        return np.exp(squares, out=squares)

    return near

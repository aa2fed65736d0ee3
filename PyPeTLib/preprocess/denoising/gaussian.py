"""A Gaussian inside the brain, normalised by its weight there."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.execution import Execution
from PyPeTLib.preprocess.denoising.model import DENOISERS, DenoisingOptions, Filtered, Surroundings

REACH = 3.0
"""The Gaussian is cut off at this many standard deviations."""


@DENOISERS.register(
    "gaussian",
    summary="mean of each frame over a Gaussian neighbourhood inside the brain, vessels left out",
    traits=("linear",),
)
def gaussian(signal: Volume, surroundings: Surroundings, options: DenoisingOptions, execution: Execution) -> Filtered:
    """Each frame smoothed in space, see `smooth_inside`."""
    smoothed = smooth_inside(
        signal, surroundings.mask, surroundings.tissue, options.sigma, surroundings.voxel_sizes, execution
    )
    return Filtered(signal=smoothed)


def smooth_inside(
    signal: Volume,
    mask: Mask,
    support: Mask,
    sigma_mm: float,
    voxel_sizes: tuple[float, float, float],
    execution: Execution | None = None,
) -> Volume:
    """Gaussian mean of each frame over the supporting voxels, normalised by the kernel's weight on them.

    Parameters
    ----------
    signal : ndarray of float32, shape (voxels, t)
        Curves of the voxels of ``mask``, in the order of boolean indexing; or anything else, one value a column.
    mask : ndarray of bool, shape (x, y, z)
    support : ndarray of bool, shape (voxels,)
        Voxels that take part; the others keep their values.
    sigma_mm : float
        Standard deviation in mm.
    voxel_sizes : tuple of float
        In mm.

    Returns
    -------
    ndarray of float32, shape (voxels, t)
    """
    if sigma_mm <= 0 or not support.any():
        return signal
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    inner = mask[box]

    def blurred(values: Volume) -> Volume:
        volume = np.zeros(inner.shape, np.float32)
        volume[inner] = values
        inside: Volume = _blurred(volume, sigma_mm, voxel_sizes)[inner]
        return inside

    weight = blurred(support.astype(np.float32))
    execution = execution or Execution()
    smoothed = execution.workspace.like(signal)

    def smooth(frame: int) -> None:
        values = signal[:, frame]
        mean = np.divide(blurred(np.where(support, values, 0)), weight, out=np.zeros_like(values), where=weight > 1e-6)
        smoothed[:, frame] = np.where(support, mean, values)

    execution.map(smooth, range(signal.shape[1]))
    return smoothed


def noise_left(sigma_mm: float, voxel_sizes: tuple[float, float, float]) -> float:
    """Share of the noise's standard deviation that the Gaussian leaves far from any rim."""
    share = 1.0
    for size in voxel_sizes:
        point = np.zeros(2 * int(np.ceil(REACH * sigma_mm / size)) + 3, np.float32)
        point[point.size // 2] = 1
        share *= float(np.square(_blurred(point, sigma_mm, (size,))).sum())
    return float(np.sqrt(share))


def _blurred(volume: Volume, sigma_mm: float, voxel_sizes: tuple[float, ...]) -> Volume:
    for axis, size in enumerate(voxel_sizes):
        # a kernel that does not reach the next voxel changes nothing
        if REACH * sigma_mm / size >= 0.5:
            volume = ndimage.gaussian_filter1d(volume, sigma_mm / size, axis=axis, mode="constant", truncate=REACH)
    return volume

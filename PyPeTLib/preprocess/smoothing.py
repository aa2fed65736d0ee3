"""Smoothing inside the brain: no bone, air or vessel leaks into tissue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.execution import Execution, voxel_slices
from PyPeTLib.options import Options, option

REACH = 3.0
"""The Gaussian is cut off at this many standard deviations."""


@dataclass(frozen=True, kw_only=True)
class SmoothingOptions(Options):
    """Options of the spatial smoothing."""

    sigma: float = option(
        2.0,
        "standard deviation of the Gaussian that smooths each frame inside the brain; 0 switches it off",
        unit="mm",
        minimum=0.0,
        maximum=20.0,
    )
    temporal_rank: int = option(
        0,
        "keep only this many principal components of the brain's curves, which drops noise, not edges; 0 keeps all",
        minimum=0,
        maximum=1000,
    )
    vessel_ratio: float = option(
        3.5,
        "voxels that take up more than this many times the contrast of the median voxel count as vessels: they are "
        "left out of their neighbours' smoothing and stay as they are; 0 smooths all alike",
        minimum=0.0,
        maximum=100.0,
    )


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
        Curves of the voxels of ``mask``, in the order of boolean indexing.
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
    sigmas = [sigma_mm / size for size in voxel_sizes]
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    inner = mask[box]

    def blurred(values: Volume) -> Volume:
        volume = np.zeros(inner.shape, np.float32)
        volume[inner] = values
        for axis, sigma in enumerate(sigmas):
            # a kernel that does not reach the next voxel changes nothing
            if REACH * sigma >= 0.5:
                volume = ndimage.gaussian_filter1d(volume, sigma, axis=axis, mode="constant", truncate=REACH)
        inside: Volume = volume[inner]
        return inside

    weight = blurred(support.astype(np.float32))
    smoothed = np.empty_like(signal)

    def smooth(frame: int) -> None:
        values = signal[:, frame]
        mean = np.divide(blurred(np.where(support, values, 0)), weight, out=np.zeros_like(values), where=weight > 1e-6)
        smoothed[:, frame] = np.where(support, mean, values)

    (execution or Execution()).map(smooth, range(signal.shape[1]))
    return smoothed


def keep_components(
    curves: Volume, support: Mask, learnt: Mask, rank: int, execution: Execution | None = None
) -> Volume:
    """Curves rebuilt from the leading principal components of some voxels; those without support keep their curve.

    All tissue curves are mixtures of a few shapes, while noise spreads evenly over as many components as there are
    frames; dropping all but ``rank`` of ``t`` leaves the share ``rank/t`` of its variance. The mean is not taken off:
    a curve without contrast stays one.

    Parameters
    ----------
    curves : ndarray of float32, shape (voxels, t)
        Concentration.
    support, learnt : ndarray of bool, shape (voxels,)
        Voxels that are rebuilt, and those from which the components are learnt.
    rank : int
        0, or as many as there are frames, changes nothing.
    """
    if not 0 < rank < curves.shape[1] or np.count_nonzero(learnt) <= rank:
        return curves
    execution = execution or Execution()
    pieces = voxel_slices(len(curves))

    def products(piece: slice) -> Curve:
        teachers = curves[piece][learnt[piece]]
        return np.asarray(teachers.T @ teachers, np.float64)

    _, components = np.linalg.eigh(np.sum(execution.map(products, pieces), axis=0))
    leading = components[:, -rank:].astype(np.float32)
    rebuilt = np.empty_like(curves)

    def rebuild(piece: slice) -> None:
        part = curves[piece]
        rebuilt[piece] = np.where(support[piece, None], (part @ leading) @ leading.T, part)

    execution.map(rebuild, pieces)
    return rebuilt


def vessel_like(curves: Volume, ratio: float) -> Mask:
    """Voxels that take up more than ``ratio`` times as much contrast as the median voxel; none if the ratio is 0.

    The uptake is the amplitude of the brain's mean curve in a voxel's curve, which a single noisy frame hardly moves.

    Parameters
    ----------
    curves : ndarray of float32, shape (voxels, t)
        Concentration, not smoothed.
    """
    if ratio <= 0 or not len(curves):
        return np.zeros(len(curves), bool)
    uptake = curves @ curves.mean(axis=0, dtype=np.float64).astype(np.float32)
    return np.asarray(uptake > ratio * max(float(np.median(uptake)), 0.0), bool)

"""Voxels that look like arteries, and their clusters.

The thresholds follow Borghouts and Su 2025 (doi:10.48550/arXiv.2511.13310): percentiles of arrival and of enhancement,
relaxed step by step. Clusters grow only through candidate voxels, so an artery is never merged with the cortex that it
touches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from PyPeTLib.aif.model import AIFOptions
from PyPeTLib.arrays import Curve, IntArray, Mask, Volume
from PyPeTLib.contrast.features import CurveFeatures, curve_features, smooth_in_time

RELAXATION = (
    (0.60, 1.0),
    (0.45, 1.0),
    (0.35, 1.5),
    (0.25, 1.5),
    (0.15, 2.5),
)
"""Steps of the search: lowest peak as a share of the strongest, latest arrival in s after the earliest."""


WIDEST = 20.0
"""A first pass through an artery is narrower than this at half its height, in s."""
HIGHEST_TAIL = 0.5
"""An artery's curve ends below this share of its peak; a step left by motion does not."""
NOISIEST_BASELINE = 0.125
"""Standard deviation before the bolus that an artery's curve may show, as a share of its peak."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Enhancement:
    """The strongly enhancing voxels among which arteries are sought.

    Attributes
    ----------
    voxels : ndarray of int, shape (n,)
        Positions in the list of the mask's voxels.
    curves : ndarray of float32, shape (n, t)
        Their concentration, smoothed in time.
    features : CurveFeatures
    strongest : float
        Peak that one voxel in a thousand of the brain exceeds, in the unit of the curves.
    earliest : float
        Arrival in s that one in fifty of the strong voxels precedes.
    """

    voxels: IntArray
    curves: Volume
    features: CurveFeatures
    strongest: float
    earliest: float


def enhancing_voxels(
    curves: Volume, search: Mask, times: Curve, baseline: slice, options: AIFOptions
) -> Enhancement | None:
    """The voxels of the search region whose bolus stands far out of the noise; None where there are too few.

    Parameters
    ----------
    curves : ndarray of float32, shape (voxels, t)
    search : ndarray of bool, shape (voxels,)
        Where to look: the brain without its rim.
    times : ndarray, shape (t,)
    baseline : slice
        Frames before the bolus.
    options : AIFOptions
    """
    height = curves.max(axis=1)
    floor = max(float(np.quantile(height, 0.90)), 0.0)
    voxels = np.flatnonzero(search & (height > floor))
    if voxels.size < 3:
        return None
    smooth = smooth_in_time(curves[voxels])
    noise = float(np.median(curves[voxels, baseline].std(axis=1))) if _frames(baseline) > 2 else 0.0
    # weights 1:2:1 leave √6/4 of the noise
    standing_out = smooth.max(axis=1) > options.minimum_contrast_to_noise * noise * np.sqrt(6) / 4
    voxels, smooth = voxels[standing_out], smooth[standing_out]
    if voxels.size < 3:
        return None
    features = curve_features(smooth, times)
    bolus_like = _bolus_like(smooth, features, baseline)
    if np.count_nonzero(bolus_like) >= 3:
        # Where none is (a scan cut off at the bolus), the strongest are the best there are, and flags tell.
        voxels, smooth, features = voxels[bolus_like], smooth[bolus_like], features.part(bolus_like)
    strongest = float(np.sort(features.peak)[-max(1, min(voxels.size, len(curves) // 1000))])
    strong = features.peak > RELAXATION[-1][0] * strongest
    earliest = float(np.quantile(features.arrival[strong], 0.02))
    return Enhancement(voxels=voxels, curves=smooth, features=features, strongest=strongest, earliest=earliest)


def _bolus_like(curves: Volume, features: CurveFeatures, baseline: slice) -> Mask:
    """Curves that rise from a quiet baseline and come back: what motion and drift leave does not."""
    tail = curves[:, -max(2, curves.shape[1] // 12) :].mean(axis=1)
    unrest = curves[:, baseline].std(axis=1)
    like: Mask = (
        (features.width <= WIDEST)
        & (tail <= HIGHEST_TAIL * features.peak)
        & (unrest <= NOISIEST_BASELINE * features.peak)
    )
    return like


def _frames(part: slice) -> int:
    return int(part.stop - part.start)


def clusters(
    found: Enhancement, positions: IntArray, shape: tuple[int, ...], step: tuple[float, float]
) -> list[IntArray]:
    """Connected clusters of the voxels that pass one step of the relaxation, as positions in ``found.voxels``.

    ``positions`` holds the voxel indices ``(n, 3)`` of ``found.voxels`` in the volume of the given shape.
    """
    share, latest = step
    passing = (found.features.peak >= share * found.strongest) & (found.features.arrival <= found.earliest + latest)
    return connected(np.flatnonzero(passing), positions, shape)


def connected(chosen: IntArray, positions: IntArray, shape: tuple[int, ...]) -> list[IntArray]:
    """Connected clusters of chosen voxels, which touch by a face or an edge.

    Parameters
    ----------
    chosen : ndarray of int
        Rows of ``positions``.
    positions : ndarray of int, shape (n, 3)
        Voxel indices in the volume of the given shape.

    Returns
    -------
    list of ndarray of int
        Parts of ``chosen``.
    """
    volume = np.zeros(shape, bool)
    volume[tuple(positions[chosen].T)] = True
    labels, count = ndimage.label(volume, ndimage.generate_binary_structure(3, 2))
    of_voxel = labels[tuple(positions[chosen].T)]
    order = np.argsort(of_voxel, kind="stable")
    bounds = np.searchsorted(of_voxel[order], np.arange(1, count + 2))
    return [chosen[order[bounds[i] : bounds[i + 1]]] for i in range(count)]

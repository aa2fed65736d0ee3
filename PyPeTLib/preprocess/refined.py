"""Curves of a few voxels, interpolated more finely than a whole series could be.

Linear interpolation takes a quarter off the peak of an artery that is thinner than a slice. For the handful of voxels
that make the arterial input function, cubic splines cost nothing and keep it.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.preprocess.poses import MotionEstimate
from PyPeTLib.preprocess.undoing import voxel_transforms
from PyPeTLib.series import PerfusionSeries

SPLINE_REACH = 6
"""Voxels around a place beyond which a cubic spline hardly looks."""


def refined_curves(series: PerfusionSeries, mask: Mask, baseline: slice, estimate: MotionEstimate) -> Volume:
    """Motion-corrected signal of a few voxels by cubic splines, without the interpolation's own predicted error.

    Parameters
    ----------
    series : PerfusionSeries
        Not corrected.
    mask : ndarray of bool, shape (x, y, z)
        The voxels, in the reference pose.
    baseline : slice
        Frames without contrast.
    estimate : MotionEstimate

    Returns
    -------
    ndarray of float32, shape (voxels, t)
        In the order of boolean indexing.
    """
    places = np.argwhere(mask).astype(np.float64)
    transforms = voxel_transforms(series, estimate)
    box, origin = _box(places, transforms, mask.shape)
    frames = np.stack([series.frame(frame)[box] for frame in range(series.n_frames)], axis=3)
    here = places - origin
    curves = np.stack(
        [
            _cubic(frames[..., frame], _moved(transforms[frame], places) - origin)
            if estimate.frames_moved[frame]
            else frames[..., frame][tuple(here.astype(np.intp).T)]
            for frame in range(series.n_frames)
        ],
        axis=1,
    )
    still = [int(f) for f in np.arange(series.n_frames)[baseline] if not estimate.frames_moved[f]]
    if not still:
        return curves
    anatomy = frames[..., still].mean(axis=3)
    lattice = np.argwhere(np.ones(anatomy.shape, bool)) + origin
    sent = anatomy[tuple(here.astype(np.intp).T)]
    for frame in np.flatnonzero(estimate.frames_moved):
        there = _cubic(anatomy, _moved(np.linalg.inv(transforms[frame]), lattice) - origin).reshape(anatomy.shape)
        curves[:, frame] -= _cubic(there, _moved(transforms[frame], places) - origin) - sent
    return curves


def _box(places: Curve, transforms: Curve, shape: tuple[int, ...]) -> tuple[tuple[slice, ...], Curve]:
    """The part of a frame that all frames' places need, and its first voxel."""
    reached = np.concatenate([_moved(transform, places) for transform in transforms])
    low = np.clip(np.floor(reached.min(axis=0)).astype(int) - SPLINE_REACH, 0, np.array(shape) - 1)
    high = np.clip(np.ceil(reached.max(axis=0)).astype(int) + SPLINE_REACH + 1, low + 1, shape)
    return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True)), low.astype(np.float64)


def _moved(transform: Curve, places: Curve) -> Curve:
    moved: Curve = places @ transform[:3, :3].T + transform[:3, 3]
    return moved


def _cubic(volume: Volume, places: Curve) -> Volume:
    values: Volume = ndimage.map_coordinates(volume, places.T, order=3, mode="nearest", output=np.float32)
    return values

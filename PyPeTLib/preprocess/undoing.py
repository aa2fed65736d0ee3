"""Motion undone: every frame interpolated once in the reference pose."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.execution import Execution
from PyPeTLib.preprocess.interpolation import inside_volume, lattice_places, resample
from PyPeTLib.preprocess.poses import MotionEstimate
from PyPeTLib.series import PerfusionSeries


def apply_motion(
    series: PerfusionSeries, estimate: MotionEstimate, execution: Execution, interpolation: str = "linear"
) -> Volume:
    """Series in the reference pose, each moved frame interpolated once.

    Frames that did not move more than the estimate's threshold are copied. Voxels from outside a frame's field
    of view take the nearest edge value; `covered_by_all` tells them apart.

    Parameters
    ----------
    series : PerfusionSeries
    estimate : MotionEstimate
    execution : Execution
    interpolation : {"linear", "cubic"}
        Splines of the first or third order.

    Returns
    -------
    ndarray of float32, shape (x, y, z, t)
        Each frame contiguous (Fortran order).
    """
    corrected = np.empty(series.data.shape, dtype=np.float32, order="F")
    from_voxel = voxel_transforms(series, estimate)
    interpolate = _cubic if interpolation == "cubic" else resample

    def correct(frame: int) -> None:
        if estimate.frames_moved[frame]:
            volume = np.ascontiguousarray(series.data[..., frame].T)
            interpolate(volume, from_voxel[frame], corrected[..., frame].T)
        else:
            corrected[..., frame] = series.data[..., frame]

    execution.map(correct, range(series.n_frames))
    return corrected


def _cubic(volume: Volume, transform: Curve, target: Volume) -> None:
    # scipy counts the axes of these (z, y, x) volumes from the slowest
    turned = transform[:3, :3][::-1, ::-1]
    ndimage.affine_transform(volume, turned, transform[:3, 3][::-1], output=target, order=3, mode="nearest")


def covered_by_all(series: PerfusionSeries, estimate: MotionEstimate, execution: Execution) -> Mask:
    """Voxels of the reference pose that lie inside the field of view of every frame.

    Parameters
    ----------
    series : PerfusionSeries
    estimate : MotionEstimate
    execution : Execution

    Returns
    -------
    ndarray of bool, shape (x, y, z)
    """
    shape = series.data.shape[:3]
    transforms = voxel_transforms(series, estimate)[estimate.frames_moved]
    covered = np.ones(shape, dtype=bool, order="F")

    def cover(k: int) -> None:
        for transform in transforms:
            covered[..., k] &= inside_volume(shape[::-1], *lattice_places(transform, shape, slice(k, k + 1)))[0].T

    execution.map(cover, range(shape[2]))
    return covered


def voxel_transforms(series: PerfusionSeries, estimate: MotionEstimate) -> Curve:
    """Voxel indices of the reference pose to those of each frame, shape (t, 4, 4)."""
    transforms: Curve = np.linalg.inv(series.affine) @ estimate.matrices @ series.affine
    return transforms

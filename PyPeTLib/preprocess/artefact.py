"""What interpolation leaves beside bone, air and bright scalp, predicted and taken away.

Where the still anatomy changes strongly from voxel to voxel, above all between thick slices, a moved frame cannot be
interpolated back exactly: the error stands in the curve like contrast. It can be foretold, because the anatomy is
known: the baseline image is moved to the frame's pose and back by the same interpolation, and what comes back minus
what was sent is the error. It is subtracted; voxels in which it is large are named, since the prediction is not exact.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Array, Curve, IntArray, Mask, Volume
from PyPeTLib.execution import Execution, voxel_slices
from PyPeTLib.preprocess.interpolation import sample, sample_sharp
from PyPeTLib.preprocess.poses import MotionEstimate
from PyPeTLib.preprocess.undoing import voxel_transforms
from PyPeTLib.series import Modality, PerfusionSeries

STEEP_HU = 25.0
STEEP_SHARE = 0.15
"""Range of the baseline within two voxels and slices, above which an error is worth predicting: in HU, or as a share
of the brain's median MR signal; about what CSF and white matter differ by."""
LARGEST_HU = 30.0
LARGEST_SHARE = 0.25
"""Predicted error beyond which a curve cannot be trusted, in HU or as a share of the brain's median MR signal."""


@dataclass(frozen=True, kw_only=True, eq=False)
class InterpolationArtefact:
    """Predicted error of the moved frames.

    Attributes
    ----------
    voxels : ndarray of int
        Positions in the list of the mask's voxels for which it was predicted.
    error : ndarray of float32, shape (voxels, t)
        In the unit of the signal; 0 in frames that were not resampled.
    limit : float
        Error beyond which a curve cannot be trusted.
    """

    voxels: IntArray
    error: Volume
    limit: float

    def largest(self, n_voxels: int) -> Volume:
        """Largest error of each voxel of the mask over all frames, shape (n_voxels,)."""
        largest = np.zeros(n_voxels, np.float32)
        largest[self.voxels] = np.abs(self.error).max(axis=1, initial=0.0)
        return largest


def predict_artefact(
    series: PerfusionSeries, mask: Mask, baseline: slice, estimate: MotionEstimate, execution: Execution
) -> InterpolationArtefact:
    """Predict the interpolation's error in a motion-corrected series.

    Parameters
    ----------
    series : PerfusionSeries
        Corrected with ``estimate`` by linear interpolation.
    mask : ndarray of bool, shape (x, y, z)
    baseline : slice
        Frames without contrast; those of them that were not resampled are preferred.
    estimate : MotionEstimate
    execution : Execution
    """
    frames = np.arange(series.n_frames)[baseline]
    still = frames[~estimate.frames_moved[frames]]
    anatomy = series.data[..., still if still.size >= 2 else frames].mean(axis=3, dtype=np.float32)
    middle = float(np.median(anatomy[mask]))
    is_ct = series.modality is Modality.CTP
    steep = STEEP_HU if is_ct else STEEP_SHARE * middle
    spread = ndimage.maximum_filter(anatomy, (5, 5, 3)) - ndimage.minimum_filter(anatomy, (5, 5, 3))
    chosen = mask & (spread > steep)
    voxels = np.flatnonzero(chosen[mask])
    places = np.argwhere(chosen).astype(np.float64)
    sent = np.ascontiguousarray(anatomy.T)
    coefficients = ndimage.spline_filter1d(sent, 3, axis=0, mode="mirror", output=np.float32)
    expected = anatomy[chosen]
    transforms = voxel_transforms(series, estimate)
    error = np.zeros((voxels.size, series.n_frames), np.float32)

    def predict(frame: int) -> None:
        error[:, frame] = _there_and_back(coefficients, transforms[frame], places) - expected

    if voxels.size:
        execution.map(predict, map(int, np.flatnonzero(estimate.frames_moved)))
    return InterpolationArtefact(voxels=voxels, error=error, limit=LARGEST_HU if is_ct else LARGEST_SHARE * middle)


def _there_and_back(coefficients: Volume, transform: Curve, places: Curve) -> Volume:
    """Linear interpolation at places of a frame, whose voxels are sampled from the anatomy where they are needed."""
    depth, height, width = coefficients.shape
    x, y, z = _moved(transform, places)
    below = [
        np.clip(place, 0, max(n - 2, 0)).astype(np.intp)
        for place, n in zip((z, y, x), (depth, height, width), strict=True)
    ]
    corner = (below[0] * height + below[1]) * width + below[2]
    needed = np.zeros(coefficients.size, bool)
    for step in itertools.product((0, min(1, depth - 1)), (0, min(1, height - 1)), (0, min(1, width - 1))):
        needed[corner + (step[0] * height + step[1]) * width + step[2]] = True
    nodes = np.flatnonzero(needed)
    rows, i = np.divmod(nodes, width)
    k, j = np.divmod(rows, height)
    back = np.linalg.inv(transform)
    frame = np.zeros(coefficients.size, np.float32)
    for part in voxel_slices(nodes.size):
        lattice = np.stack([i[part], j[part], k[part]], axis=1)
        frame[nodes[part]] = sample_sharp(coefficients, *_moved(back, lattice))
    volume = frame.reshape(coefficients.shape)
    returned = np.empty(len(places), np.float32)
    for part in voxel_slices(len(places)):
        returned[part] = sample(volume, x[part], y[part], z[part])
    return returned


def _moved(transform: Array, places: Array | IntArray) -> tuple[Volume, Volume, Volume]:
    x, y, z = ((places @ row[:3] + row[3]).astype(np.float32) for row in transform[:3])
    return x, y, z

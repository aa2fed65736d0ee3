"""Linear interpolation of volumes at places given in voxel coordinates.

Volumes are C-ordered ``(z, y, x)``, the transpose of a contiguous frame; coordinates keep the order x, y, z.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from PyPeTLib.arrays import Curve, Mask, Volume

FACE = 0.5 + 1e-4
"""Distance in voxels from the last centres to the faces of a volume, with room for rounding."""

SAMPLES_AT_ONCE = 12_000
"""Places interpolated together: their intermediate arrays stay in a core's own cache."""


def lattice_places(
    transform: Curve, shape: tuple[int, ...], slices: slice = slice(None), rows: slice = slice(None)
) -> tuple[Volume, Volume, Volume]:
    """Where an affine transform takes the voxels of a part of a lattice.

    Parameters
    ----------
    transform : ndarray, shape (4, 4)
        From voxel indices of the lattice to those of the volume to be sampled.
    shape : tuple of int
        The lattice's (x, y, z).
    slices, rows : slice
        Range of z and of y.

    Returns
    -------
    tuple of three ndarray of float32, shape (z, y, x)
    """
    i, j, k = (np.arange(n) for n in shape)
    x, y, z = (
        (row[2] * k[slices] + row[3]).astype(np.float32)[:, None, None]
        + (row[1] * j[rows]).astype(np.float32)[:, None]
        + (row[0] * i).astype(np.float32)
        for row in transform[:3]
    )
    return x, y, z


def resample(volume: Volume, transform: Curve, target: Volume) -> None:
    """Fill a volume with another one, interpolated linearly where a transform leads.

    Parameters
    ----------
    volume : ndarray of float32, shape (z, y, x)
    transform : ndarray, shape (4, 4)
        From voxel indices of the target to those of the volume.
    target : ndarray of float32, shape (z, y, x)
        Written to.
    """
    shape = target.shape[::-1]
    step = max(1, SAMPLES_AT_ONCE // shape[0])
    for k in range(shape[2]):
        for start in range(0, shape[1], step):
            part = slice(k, k + 1), slice(start, start + step)
            target[part] = sample(volume, *lattice_places(transform, shape, *part))


def inside_volume(shape: tuple[int, ...], x: Volume, y: Volume, z: Volume) -> Mask:
    """Which places lie within the voxels of a volume of shape ``(z, y, x)``, up to their outer faces."""
    inside = np.ones(np.broadcast_shapes(x.shape, y.shape, z.shape), dtype=bool)
    for place, n in zip((x, y, z), shape[::-1], strict=True):
        inside &= (place >= -FACE) & (place <= n - 1 + FACE)
    return inside


def sample(volume: Volume, x: Volume, y: Volume, z: Volume) -> Volume:
    """Trilinear interpolation; places outside the volume take the nearest edge value.

    Parameters
    ----------
    volume : ndarray of float32, shape (z, y, x)
        C-ordered.
    x, y, z : ndarray of float32
        Voxel coordinates, of one shape.

    Returns
    -------
    ndarray of float32, shape of the coordinates
    """
    values = volume.ravel()
    # an axis of one voxel is its own neighbour
    along_x, along_y, along_z = (
        stride if n > 1 else 0
        for n, stride in zip(volume.shape[::-1], (1, volume.shape[2], volume.shape[1] * volume.shape[2]), strict=True)
    )
    lower_x, fx = _split(x, volume.shape[2])
    lower_y, fy = _split(y, volume.shape[1])
    index, fz = _split(z, volume.shape[0])
    index *= np.int32(volume.shape[1])
    index += lower_y
    index *= np.int32(volume.shape[2])
    index += lower_x
    result = _bilinear(values, index, along_x, along_y, fx, fy)
    index += np.int32(along_z)
    beyond = _bilinear(values, index, along_x, along_y, fx, fy)
    beyond -= result
    beyond *= fz
    result += beyond
    return result


def sample_spline(coefficients: Volume, x: Volume, y: Volume, z: Volume, *, order: int = 3) -> Volume:
    """Spline interpolation; places outside the volume take the nearest edge value.

    Parameters
    ----------
    coefficients : ndarray of float32, shape (z, y, x)
        ``scipy.ndimage.spline_filter(volume, order, mode="mirror")``.
    x, y, z : ndarray of float32
        Voxel coordinates, of one shape.
    """
    places = np.stack([np.clip(place, 0, n - 1) for place, n in zip((z, y, x), coefficients.shape, strict=True)])
    values: Volume = ndimage.map_coordinates(
        coefficients, places, order=order, mode="mirror", prefilter=False, output=np.float32
    )
    return values


def _split(place: Volume, n: int) -> tuple[npt.NDArray[np.int32], Volume]:
    """Voxel below a coordinate, at most the last but one, and the fraction of the way to the next."""
    fraction = np.clip(place, np.float32(0), np.float32(n - 1))
    lower = fraction.astype(np.int32)
    np.minimum(lower, np.int32(max(n - 2, 0)), out=lower)
    fraction -= lower.astype(np.float32)
    return lower, fraction


def _bilinear(
    values: Volume, index: npt.NDArray[np.int32], along_x: int, along_y: int, fx: Volume, fy: Volume
) -> Volume:
    """Interpolation within a slice, in place to spare memory traffic."""
    result = _linear(values, index, along_x, fx)
    beyond = _linear(values, index + np.int32(along_y), along_x, fx)
    beyond -= result
    beyond *= fy
    result += beyond
    return result


def _linear(values: Volume, index: npt.NDArray[np.int32], along_x: int, fx: Volume) -> Volume:
    # all indices are valid; "clip" only spares take its own check
    result = values.take(index, mode="clip")
    beyond = values.take(index + np.int32(along_x), mode="clip")
    beyond -= result
    beyond *= fx
    result += beyond
    return result

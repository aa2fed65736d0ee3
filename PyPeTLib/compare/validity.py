"""Where a map holds values: files of other programs say it by a constant background, if at all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.registry import Registry

Background = Callable[[Volume], Mask | None]
"""From a map in RAS+ order to the voxels of its background, or None where none was found."""

BACKGROUNDS: Registry[Background] = Registry("rules for the background")


@BACKGROUNDS.register("border", summary="voxels of the value that most of the outermost voxels share")
def border(values: Volume) -> Mask | None:
    """Voxels of the value that at least half of the outermost rows and columns have."""
    value = border_value(values)
    return None if value is None else values == value


@BACKGROUNDS.register(
    "outside", summary="the same, but only as far as it is connected with the border: 0 s inside is a Tmax"
)
def outside(values: Volume) -> Mask | None:
    """Voxels of the border's value that are connected with the border within their slice."""
    value = border_value(values)
    if value is None:
        return None
    within_slices = np.zeros((3, 3, 3), dtype=bool)
    within_slices[:, 1, 1] = within_slices[1, :, 1] = True
    labels, _ = ndimage.label(values == value, structure=within_slices)
    touching = np.unique(_rim(labels))
    connected: Mask = np.isin(labels, touching[touching > 0])
    return connected


@BACKGROUNDS.register("zero", summary="voxels of exactly 0")
def zero(values: Volume) -> Mask | None:
    """Voxels of exactly 0."""
    zeros: Mask = values == 0
    return zeros


@BACKGROUNDS.register("none", summary="every finite voxel holds a value")
def none(values: Volume) -> Mask | None:  # noqa: ARG001 - all rules are called alike
    """No voxel."""
    return None


def border_value(values: Volume) -> float | None:
    """The value that at least half of the finite voxels in the outermost rows and columns share, if there is one."""
    rim = _rim(values)
    rim = rim[np.isfinite(rim)]
    if rim.size == 0:
        return None
    # of a value that half of all voxels have, the median is one
    middle = np.partition(rim, [(rim.size - 1) // 2, rim.size // 2])
    for candidate in {float(middle[(rim.size - 1) // 2]), float(middle[rim.size // 2])}:
        if 2 * np.count_nonzero(rim == candidate) >= rim.size:
            return candidate
    return None


def valid_voxels(values: Volume, valid: Mask | None, background: str) -> tuple[Mask, float | None]:
    """Which voxels of a map hold a value.

    Parameters
    ----------
    values : ndarray of float32, shape (x, y, z)
        In RAS+ order.
    valid : ndarray of bool, optional
        If the map says itself which do.
    background : str
        Name in `BACKGROUNDS`, for a map that does not.

    Returns
    -------
    valid : ndarray of bool
    value : float or None
        Of the background, if voxels were left out for it.
    """
    finite = np.isfinite(values)
    if valid is not None:
        return finite & valid, None
    found = BACKGROUNDS[background](values)
    if found is None or not found.any():
        return finite, None
    return finite & ~found, float(values[found][0])


def _rim(values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """The outermost rows and columns of all slices: a cropped head may fill the first and last slice."""
    parts = (values[0], values[-1], values[1:-1, 0], values[1:-1, -1])
    return np.concatenate([part.ravel() for part in parts])

"""The reference on the generated map's grid, matched by position in the world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.geometry import Grid
from PyPeTLib.preprocess.interpolation import inside_volume, lattice_places, sample
from PyPeTLib.registry import Registry

NEGLIGIBLE = 0.01
"""Part of a voxel, or of an interpolation's weights, that rounding in a file's header may cost."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Resampled:
    """A map on another grid.

    Attributes
    ----------
    values : ndarray of float32
        0 where ``valid`` is false.
    valid : ndarray of bool
        Where all voxels that an interpolation needs hold values.
    imaged : ndarray of bool
        Where the map's own grid lies, whether it holds values or not.
    """

    values: Volume
    valid: Mask
    imaged: Mask


Places = tuple[Volume, Volume, Volume]
Interpolation = Callable[[Volume, Volume, Places], tuple[Volume, Mask]]
"""From a map and its validity (0 or 1), both ``(z, y, x)``, and places in it to values there and their validity."""

INTERPOLATIONS: Registry[Interpolation] = Registry("interpolations")


@INTERPOLATIONS.register("linear", summary="between the eight voxels around a place, which must all hold values")
def linear(values: Volume, share: Volume, places: Places) -> tuple[Volume, Mask]:
    """Trilinear; places beyond the outermost centres or with a neighbour that holds no value are not valid."""
    supported = sample(share, *places)
    valid = supported >= 1 - NEGLIGIBLE
    for place, n in zip(places, share.shape[::-1], strict=True):
        valid &= (place >= -NEGLIGIBLE) & (place <= n - 1 + NEGLIGIBLE)
    interpolated = sample(values, *places)
    interpolated /= np.maximum(supported, np.float32(0.5))
    return interpolated, valid


@INTERPOLATIONS.register("nearest", summary="the voxel that a place lies in")
def nearest(values: Volume, share: Volume, places: Places) -> tuple[Volume, Mask]:
    """The value of the voxel whose centre is nearest; places in no voxel are not valid."""
    index = tuple(
        np.clip(np.floor(place + np.float32(0.5)).astype(np.intp), 0, n - 1)
        for place, n in zip(places[::-1], share.shape, strict=True)
    )
    return values[index], (share[index] > 0) & inside_volume(share.shape, *places)


def resample_reference(values: Volume, valid: Mask, source: Grid, target: Grid, interpolation: str) -> Resampled:
    """A map on another grid.

    Parameters
    ----------
    values : ndarray of float32, shape (x, y, z)
        On the source grid.
    valid : ndarray of bool
        Where it holds values.
    source, target : Grid
        Of any position, orientation and voxel size; alike grids are not interpolated.
    interpolation : str
        Name in `INTERPOLATIONS`.
    """
    if source.matches(target):
        return Resampled(values=np.where(valid, values, np.float32(0)), valid=valid, imaged=np.ones_like(valid))
    interpolate = INTERPOLATIONS[interpolation]
    share = np.ascontiguousarray(valid.T, dtype=np.float32)
    volume = np.ascontiguousarray(np.where(valid, values, np.float32(0)).T, dtype=np.float32)
    transform: Curve = np.linalg.inv(source.affine) @ target.affine
    result = Resampled(
        values=np.zeros(target.shape, dtype=np.float32),
        valid=np.zeros(target.shape, dtype=bool),
        imaged=np.zeros(target.shape, dtype=bool),
    )
    # slice by slice, so that only results are as large as a volume
    for k in range(target.shape[2]):
        places = lattice_places(transform, target.shape, slice(k, k + 1))
        imaged = inside_volume(volume.shape, *places)
        if not imaged.any():
            continue
        plane, supported = interpolate(volume, share, places)
        result.imaged[..., k] = imaged[0].T
        result.valid[..., k] = supported[0].T
        result.values[..., k] = np.where(supported, plane, np.float32(0))[0].T
    return result

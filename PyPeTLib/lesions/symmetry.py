"""Left and right of any map: what lies opposite each voxel, and the means of both hemispheres.

Takes plain arrays, so that maps of any origin, MRI and PET included, can be compared with their other side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Array, Mask, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.masking import Mirror
from PyPeTLib.masking.local import local_mean

LEAST_SHARE = 1e-3
"""Where left and right together have less than this share of the map's mean magnitude, there is no index."""


@dataclass(frozen=True, kw_only=True)
class HemisphereMeans:
    """The means of a map on both sides of the plane.

    Attributes
    ----------
    left, right : float
        NaN for a side without values.
    left_volume, right_volume : float
        What was averaged, in ml.
    """

    left: float
    right: float
    left_volume: float
    right_volume: float

    @property
    def ratio(self) -> float:
        """Left over right; NaN where that is not defined."""
        return self.left / self.right if self.right else float("nan")

    @property
    def index(self) -> float:
        """Asymmetry index ``2 (L − R)/(L + R) · 100 %``; NaN where that is not defined."""
        return asymmetry_index(self.left, self.right)


@dataclass(frozen=True, kw_only=True, eq=False)
class Asymmetry:
    """A map against its own other side.

    Attributes
    ----------
    index : ndarray of float32, shape (x, y, z)
        ``2 (L − R)/(L + R) · 100 %`` of each voxel and the one opposite, where L is the patient's left: alike on both
        sides, positive where the left has more; 0 where ``valid`` is false.
    valid : ndarray of bool
        Where both sides hold values, none of them below 0 (without a common sign an index means nothing).
    difference : ndarray of float32
        Voxel − opposite voxel, as a fraction of their mean: negative where this side has less. 0 where not valid.
    means : HemisphereMeans
        Of the voxels whose opposite holds a value too, so that a lesion at the rim of the scan does not count alone.
    """

    index: Volume
    valid: Mask
    difference: Volume
    means: HemisphereMeans


def asymmetry_index(left: float, right: float) -> float:
    """``2 (L − R)/(L + R) · 100 %``; NaN where the sum is not positive."""
    total = left + right
    return 200.0 * (left - right) / total if total > 0 else float("nan")


def asymmetry(values: Array, valid: Mask, mirror: Mirror, *, smoothing: float = 0.0) -> Asymmetry:
    """Left-right asymmetry of a map.

    Parameters
    ----------
    values : ndarray, shape (x, y, z)
    valid : ndarray of bool, shape (x, y, z)
        Where the map holds values.
    mirror : Mirror
        Of the map's own grid; `PyPeTLib.masking.find_mirror` finds it, ``replace(mirror, grid=...)`` moves it.
    smoothing : float
        Standard deviation in mm of the Gaussian mean that both sides are compared by; 0 for none. Only valid voxels
        are averaged.

    Raises
    ------
    InputError
        If shapes differ, nothing is valid, or the smoothing is not a length.
    """
    if values.shape != mirror.grid.shape or valid.shape != mirror.grid.shape:
        raise InputError(
            f"map {values.shape}, mask {valid.shape} and mirror {mirror.grid.shape} are not on one grid. Give the "
            "mirror of the map's own grid."
        )
    if not smoothing >= 0:
        raise InputError(f"a map can be smoothed by 0 mm or more, not by {smoothing!r}")
    here = np.asarray(values, np.float32)
    valid = valid & np.isfinite(here)
    if not valid.any():
        raise InputError("the map holds no values, so its sides cannot be compared.")
    here = np.where(valid, here, np.float32(0))
    if smoothing:
        here = np.where(valid, local_mean(here, valid, smoothing, mirror.grid), np.float32(0))
    there, facing = mirror.mirrored(here, valid), mirror.partner(valid)
    paired = valid & facing
    means = hemisphere_means(here, paired, mirror)
    total = here + there
    least = np.float32(LEAST_SHARE * float(np.abs(here[valid]).mean(dtype=np.float64)))
    defined = paired & (here >= 0) & (there >= 0) & (total > least)
    difference = np.zeros_like(here)
    np.divide(2 * (here - there), total, out=difference, where=defined)
    index = np.where(mirror.side() > 0, -difference, difference) * np.float32(100)
    return Asymmetry(index=index, valid=defined, difference=difference, means=means)


def hemisphere_means(values: Array, valid: Mask, mirror: Mirror) -> HemisphereMeans:
    """The means of a map on both sides of the plane.

    Parameters
    ----------
    values : ndarray, shape (x, y, z)
    valid : ndarray of bool, shape (x, y, z)
    mirror : Mirror
        Of the same grid. Voxels in the plane belong to the left.
    """
    on_right = mirror.side() > 0
    left, right = valid & ~on_right, valid & on_right
    ml = mirror.grid.voxel_volume / 1000

    def mean(mask: Mask) -> float:
        return float(values[mask].mean(dtype=np.float64)) if mask.any() else float("nan")

    return HemisphereMeans(
        left=mean(left),
        right=mean(right),
        left_volume=int(np.count_nonzero(left)) * ml,
        right_volume=int(np.count_nonzero(right)) * ml,
    )

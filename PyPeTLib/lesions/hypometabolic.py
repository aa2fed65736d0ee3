"""Regions where a PET, or any other image of function, is lower than on its own other side.

Anatomy is not symmetric to the millimetre: after smoothing by 10 mm, sides of healthy heads may still differ by a fifth
where a fold lies a few millimetres farther back. A place is therefore held against the lowest value around the place
opposite, not against that place alone; regions that stand this extend to what lies far below the place opposite. A
region found is a place to look at, no finding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from PyPeTLib.arrays import Array, Mask, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.lesions.symmetry import Asymmetry, asymmetry
from PyPeTLib.lesions.thresholds import large_clusters
from PyPeTLib.masking import Mirror
from PyPeTLib.masking.morphology import bounding_box
from PyPeTLib.options import Options, option
from PyPeTLib.preprocess.denoising.gaussian import smooth_inside

DType = TypeVar("DType", bound=np.generic)

FWHM = math.sqrt(8 * math.log(2))
"""Full width at half maximum of a Gaussian over its standard deviation."""
LEAST_LEVEL = 0.5
"""Shares are of the opposite side's value, or of this share of the brain's mean where that is more: noise would make a
large share of the little that CSF takes up."""
ONE_SIDE = 0.8
"""Share of the volume from which regions are told to lie on one side."""


@dataclass(frozen=True, kw_only=True)
class HypometabolicOptions(Options):
    """What counts as hypometabolic.

    The defaults were chosen on made heads: with them most healthy ones have no region, and nearly all with a
    unilateral lesion of 16 ml and more, 35 to 60 % lower, have one on its side. Real PET was not looked at.
    """

    smoothing: float = option(
        10.0,
        "full width at half maximum of the Gaussian by which the brain is smoothed before; 0 for none",
        unit="mm",
        minimum=0,
        maximum=60,
    )
    reach: float = option(
        7.5,
        "anatomy is taken to be symmetric to within this: a place must lie below all within it around the place "
        "opposite; 0 for that place alone",
        unit="mm",
        minimum=0,
        maximum=30,
    )
    threshold: float = option(0.10, "share by which it must lie below", minimum=0.01, maximum=1)
    smallest: float = option(
        5.0, "least volume of connected places that do, for a region", unit="ml", minimum=0, maximum=1000
    )
    extent: float = option(
        0.25,
        "a region extends within the reach to places that lie below the place opposite itself by this share; 1 for "
        "no further",
        minimum=0.01,
        maximum=1,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class HypometabolicRegions:
    """Where an image is lower than on its other side.

    Attributes
    ----------
    mask : ndarray of bool, shape (x, y, z)
    left_ml, right_ml : float
        Volumes on both sides; voxels in the plane belong to the left.
    deficit : float
        Mean inside the regions over the mean of the places opposite − 1, both smoothed: negative, −0.3 where a third
        is missing. Smoothing blunts it. NaN where there are no regions.
    asymmetry : Asymmetry
        Of the smoothed image, place against opposite place.
    """

    mask: Mask
    left_ml: float
    right_ml: float
    deficit: float
    asymmetry: Asymmetry

    @property
    def volume_ml(self) -> float:
        """Of both sides."""
        return self.left_ml + self.right_ml

    @property
    def side(self) -> str:
        """``"left"`` or ``"right"`` where nearly all lies there, else ``"both"``; "" where there is nothing."""
        if not self.volume_ml:
            return ""
        share = self.left_ml / self.volume_ml
        return "left" if share >= ONE_SIDE else "right" if share <= 1 - ONE_SIDE else "both"

    @property
    def difference(self) -> Volume:
        """Voxel − opposite voxel, as a share of the mean of both sides; 0 where ``valid`` is false."""
        return self.asymmetry.difference

    @property
    def valid(self) -> Mask:
        """Where both sides hold values."""
        return self.asymmetry.valid


def find_hypometabolic(
    values: Array, mask: Mask, mirror: Mirror, options: HypometabolicOptions | None = None
) -> HypometabolicRegions:
    """Regions of the brain whose values are lower than those opposite.

    Only voxels of the brain are smoothed, by a Gaussian normalised by its weight there. Near the midsagittal plane,
    a place lies within reach of what is opposite it, so nothing is found in the plane itself.

    Parameters
    ----------
    values : ndarray, shape (x, y, z)
        Not negative.
    mask : ndarray of bool, shape (x, y, z)
        The brain.
    mirror : Mirror
        Of the same grid. Regions are no better than its plane.
    options : HypometabolicOptions, optional

    Raises
    ------
    InputError
        If shapes differ, the brain holds no values, or their mean is not positive.
    """
    options = options or HypometabolicOptions()
    grid = mirror.grid
    if not values.shape == mask.shape == grid.shape:
        raise InputError(
            f"the image {values.shape}, the mask of the brain {mask.shape} and the mirror {grid.shape} are not on one "
            "grid. Give all on the grid of the image."
        )
    valid = mask & np.isfinite(values)
    if not valid.any():
        raise InputError("the image holds no values in the brain, so its sides cannot be compared.")
    level = float(values[valid].mean(dtype=np.float64))
    if not level > 0:
        raise InputError(
            f"the image has a mean of {level:.3g} in the brain, so its sides cannot be compared by shares. Give an "
            "image of values from 0 up, such as uptake or flow."
        )
    # beyond the brain there is nothing to compare; the margin keeps interpolation at its rim as it is
    box = bounding_box(valid, margin=1)
    near = replace(mirror, grid=_part(grid, box))
    inner = valid[box]
    here = _smoothed(values[box], inner, options.smoothing / FWHM, near.grid)
    there = near.mirrored(here, inner)
    sides = asymmetry(here, inner, near)
    # what lies opposite counts where it has a value, even if this side's brain ends before
    opposite = np.where(near.partner(inner), there, np.float32(np.inf))
    found = _low(here, opposite, sides.valid, LEAST_LEVEL * level, near.grid, options)
    on_right = near.side() > 0
    ml = grid.voxel_volume / 1000
    total = float(there[found].sum(dtype=np.float64))
    return HypometabolicRegions(
        mask=_whole(found, grid, box),
        left_ml=int(np.count_nonzero(found & ~on_right)) * ml,
        right_ml=int(np.count_nonzero(found & on_right)) * ml,
        deficit=float(here[found].sum(dtype=np.float64)) / total - 1 if total > 0 else math.nan,
        asymmetry=replace(
            sides,
            index=_whole(sides.index, grid, box),
            valid=_whole(sides.valid, grid, box),
            difference=_whole(sides.difference, grid, box),
        ),
    )


def rule(options: HypometabolicOptions) -> str:
    """What counts as a region, in words."""
    against = f"all within {options.reach:g} mm around the place opposite" if options.reach else "the place opposite"
    smoothing = (
        f", after smoothing by {options.smoothing:g} mm (full width at half maximum)" if options.smoothing else ""
    )
    extent = (
        f", with what adjoins within {options.reach:g} mm and lies {100 * options.extent:g} % below the place opposite"
        if options.reach and options.extent < 1
        else ""
    )
    return (
        f"Regions of {options.smallest:g} ml or more that lie at least {100 * options.threshold:g} % below {against}"
        f"{extent}{smoothing}. Sides of healthy heads differ too; a lesion of both sides alike is not seen."
    )


def _low(here: Volume, there: Volume, valid: Mask, least: float, grid: Grid, options: HypometabolicOptions) -> Mask:
    """Places that lie far enough below the other side, which is infinite where there is none.

    Comparing with the lowest value around eats from the rim of regions; the second step gives that back.
    """
    lowest = _lowest_around(there, options.reach, grid)
    short = np.where(np.isfinite(lowest), lowest, 0) - here
    low = valid & (short > np.float32(options.threshold) * np.maximum(lowest, np.float32(least)))
    found = large_clusters(low, grid, options.smallest)
    around = _lowest_around(np.where(found, np.float32(0), np.float32(1)), options.reach, grid) == 0
    short = np.where(np.isfinite(there), there, 0) - here
    found |= around & valid & (short > np.float32(options.extent) * np.maximum(there, np.float32(least)))
    return found


def _smoothed(values: Array, inside: Mask, sigma: float, grid: Grid) -> Volume:
    """Gaussian mean of the voxels inside, without blocks, which the other side would have elsewhere; else 0."""
    curves = values[inside].astype(np.float32)[:, None]
    smooth = np.zeros(values.shape, np.float32)
    smooth[inside] = smooth_inside(curves, inside, np.ones(len(curves), bool), sigma, grid.voxel_sizes)[:, 0]
    return smooth


def _lowest_around(volume: Volume, reach: float, grid: Grid) -> Volume:
    """The lowest value within so many mm of each voxel.

    The ball is made of runs along the last axis: the lowest of each run once for every length of run, then of the runs.
    """
    x, y, z = grid.voxel_sizes
    steps = [min(int(reach / size + 1e-6), n - 1) for size, n in zip((x, y), volume.shape, strict=False)]
    runs: dict[int, Volume] = {}
    lowest = volume.copy()
    for i in range(-steps[0], steps[0] + 1):
        for j in range(-steps[1], steps[1] + 1):
            left = reach**2 - (i * x) ** 2 - (j * y) ** 2
            if left < -1e-6:
                continue
            half = int(math.sqrt(max(left, 0.0)) / z + 1e-6)
            if half not in runs:
                runs[half] = ndimage.minimum_filter1d(volume, 2 * half + 1, axis=2, mode="constant", cval=np.inf)
            (to_x, from_x), (to_y, from_y) = _shifted(i), _shifted(j)
            target = lowest[to_x, to_y]
            np.minimum(target, runs[half][from_x, from_y], out=target)
    return lowest


def _shifted(step: int) -> tuple[slice, slice]:
    """Voxels of an axis that have one so many steps ahead, and those."""
    return slice(max(-step, 0), -step if step > 0 else None), slice(max(step, 0), step if step < 0 else None)


def _part(grid: Grid, box: tuple[slice, slice, slice]) -> Grid:
    """The grid of a part of a volume."""
    affine = grid.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [part.start for part in box]
    x, y, z = (part.stop - part.start for part in box)
    return Grid((x, y, z), affine)


def _whole(part: npt.NDArray[DType], grid: Grid, box: tuple[slice, slice, slice]) -> npt.NDArray[DType]:
    """A part of a volume at its place, with 0 around."""
    whole = np.zeros(grid.shape, part.dtype)
    whole[box] = part
    return whole

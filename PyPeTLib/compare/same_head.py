"""Whether two maps show the same head at the same place, as far as the maps themselves can tell.

Two signs are looked at, both coarsened to pixels of about 2.5 mm:

* outlines: the Dice coefficient of the two valid regions, holes filled, in the slices that both hold, with the distance
  of their centres and the ratio of their sizes;
* detail: the correlation of local deviations (of ranks, so that vessels do not rule it; finer than 12 mm, coarser than
  4 mm, 7.5 mm inside the outline) in place, against the highest one with the reference displaced by 15 and 20 mm within
  its slices. One head fits best in place, even if its maps are noisy; another head fits little better there.

What this cannot see: a shift of a few millimetres; another head whose detail was warped onto this one; anything in maps
without detail or of less than 200 cm² in all slices together, where only outlines are judged, and heads of equal shape
have equal outlines. A map so wrong that it shows nothing of its own head cannot be told from one of another head.

Heads have their grey matter at similar places, so maps of flow and volume must gain more in place than maps of times,
which in a healthy head hold little but noise; times in whole seconds have steps instead of detail, and only outlines
count. The limits were set on head phantoms. On eight others none of 480 comparisons of one head was refused, and one
of 480 with three slices. Of references of another head 15 % passed in flow and volume, 36 % in times (MTT: half) and
half with three slices, whose rim is a large part of them; most of them as doubtful. Compare flow or volume first.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import ndimage, stats

from PyPeTLib.arrays import Array, Curve, Mask, Volume
from PyPeTLib.errors import InputError

_PIXEL_MM = 2.5
_FINE_MM, _COARSE_MM = 4.0, 12.0
_DISPLACEMENTS_MM = (15.0, 20.0)
_RIM_MM = 7.5
"""Left out of the detail: it shows how a map was masked and smoothed."""

_LEAST_AREA_MM2 = 20_000.0
"""Of all slices together: below it, chance alone may put detail at a displaced place."""

_LEAST_GAIN = {"time": 0.04, "flow": 0.30}
_SURE_GAIN = {"time": 0.10, "flow": 0.36}
_MOST_EQUAL = 0.5
"""Part of a map's voxels that may have one value: beyond, it has steps instead of detail."""

_CLEARLY_ALIKE = 0.6
"""Correlation of detail from which on maps are alike, even if they are so smooth that displaced ones are, too."""

_FULL = 0.9
"""Part of what was imaged that a map without an outline fills."""

_NONE = float("nan")

_WITHIN_SLICES = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], dtype=bool)[..., None] & np.array([False, True, False])

_OUTLINE_DICE, _CENTRES_MM, _SIZES = 0.8, 8.0, 1.3


class OtherHeadError(InputError):
    """A reference that shows another head than the generated map, or this one at another place or mirrored."""


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """What two maps have in common.

    Attributes
    ----------
    dice : float
        Of the outlines; NaN if no slice holds both, or if a map has none.
    centres : float
        Distance of the outlines' centres in mm.
    sizes : float
        Area of the generated map's outline divided by the reference's.
    detail : float
        Correlation of local detail in place; NaN where it could not be judged.
    displaced : float
        The highest such correlation with the reference displaced.
    time : bool
        Whether the maps are of a time.
    """

    dice: float
    centres: float
    sizes: float
    detail: float
    displaced: float
    time: bool

    @property
    def outlines_differ(self) -> bool:
        """Whether the outlines are of unlike shape and, besides, of another size or at another place."""
        elsewhere = self.centres > _CENTRES_MM or abs(math.log(self.sizes)) > math.log(_SIZES)
        return self.dice < _OUTLINE_DICE and elsewhere

    @property
    def detail_differs(self) -> bool | None:
        """Whether detail fits no better in place than displaced; None where it could not be judged."""
        if math.isnan(self.detail):
            return None
        return self._gains_less_than(_LEAST_GAIN)

    @property
    def doubtful(self) -> bool:
        """Whether maps that may be of one head may as well be of two."""
        return self.same and (self.outlines_differ if math.isnan(self.detail) else self._gains_less_than(_SURE_GAIN))

    @property
    def same(self) -> bool:
        """Whether the maps may be of one head: its detail decides where it can be judged, else its outline."""
        differs = self.detail_differs
        return not (self.outlines_differ if differs is None else differs)

    def _gains_less_than(self, limits: Mapping[str, float]) -> bool:
        gain = self.detail - self.displaced
        return self.detail < _CLEARLY_ALIKE and gain < limits["time" if self.time else "flow"]

    def describe(self) -> str:
        """What was measured, in words."""
        found = "outlines could not be judged"
        if not math.isnan(self.dice):
            found = (
                f"outlines overlap with a Dice coefficient of {self.dice:.2f}, their centres lie {self.centres:.0f} mm "
                f"apart and their sizes have a ratio of {self.sizes:.2f}"
            )
        if math.isnan(self.detail):
            return found + "; detail could not be judged"
        return f"{found}; detail correlates with {self.detail:.2f} in place and {self.displaced:.2f} displaced"


def likeness(
    generated: Volume,
    reference: Volume,
    valid: tuple[Mask, Mask],
    imaged: Mask,
    spacing: tuple[float, float, float],
    *,
    time: bool,
) -> Likeness:
    """Compare the outlines and the detail of two maps.

    Parameters
    ----------
    generated, reference : ndarray of float32, shape (x, y, z)
        On one grid in RAS+ order.
    valid : two ndarrays of bool
        Where each holds values, of the part that both imaged.
    imaged : ndarray of bool
        That part. Maps that fill it have no outline.
    spacing : tuple of float
        mm along x, y and z.
    time : bool
        Whether the maps are of a time, such as Tmax.
    """
    factors = tuple(max(1, round(_PIXEL_MM / size)) for size in spacing)
    full = math.prod(factors)
    pixel = np.array(spacing) * factors
    held = valid[0] | valid[1]
    if not held.any():
        return Likeness(dice=_NONE, centres=_NONE, sizes=_NONE, detail=_NONE, displaced=_NONE, time=time)
    within = _box(held)
    regions = [_block_sums(mask[within].astype(np.float32), factors) >= full / 2 for mask in valid]
    dice = centres = sizes = _NONE
    if max(int(mask.sum()) for mask in valid) < _FULL * int(imaged.sum()):
        dice, centres, sizes = _outlines(regions[0], regions[1], pixel)
    both = valid[0][within] & valid[1][within]
    weight = _block_sums(both.astype(np.float32), factors)
    counted = weight >= full / 2
    detail = displaced = _NONE
    judged = ndimage.binary_erosion(counted, _WITHIN_SLICES, iterations=max(1, round(_RIM_MM / pixel[0])))
    large = np.count_nonzero(judged) * pixel[0] * pixel[1] >= _LEAST_AREA_MM2
    if large and all(_graded(values[within][both]) for values in (generated, reference)):
        coarse = [
            _block_sums(np.where(both, values[within], np.float32(0)), factors)[counted] / weight[counted]
            for values in (generated, reference)
        ]
        detail, displaced = _correlations(*_details(coarse, counted, pixel), judged, pixel)
    return Likeness(dice=dice, centres=centres, sizes=sizes, detail=detail, displaced=displaced, time=time)


def _block_sums(values: Volume, factors: tuple[int, ...]) -> Volume:
    for axis, factor in enumerate(factors):
        if factor > 1:
            values = np.add.reduceat(values, np.arange(0, values.shape[axis], factor), axis=axis)
    return values


def _outlines(one: Mask, other: Mask, pixel: Curve) -> tuple[float, float, float]:
    """Dice coefficient, distance of the centres in mm and ratio of the sizes, in slices that hold both."""
    shared = one.any(axis=(0, 1)) & other.any(axis=(0, 1))
    if not shared.any():
        return _NONE, _NONE, _NONE
    filled = [ndimage.binary_fill_holes(region[..., shared], structure=_WITHIN_SLICES) for region in (one, other)]
    sizes = [int(region.sum()) for region in filled]
    centres = [np.argwhere(region).mean(axis=0) * pixel for region in filled]
    dice = 2 * int((filled[0] & filled[1]).sum()) / sum(sizes)
    return dice, float(np.linalg.norm(centres[0] - centres[1])), sizes[0] / sizes[1]


def _details(maps: list[Volume], counted: Mask, pixel: Curve) -> tuple[Volume, Volume]:
    """Local deviations of the ranks of two maps' coarsened values, 0 where there is no value."""
    held = counted.astype(np.float32)
    found = [np.zeros_like(held), np.zeros_like(held)]
    ranks = [np.zeros_like(held), np.zeros_like(held)]
    for volume, values in zip(ranks, maps, strict=True):
        volume[counted] = stats.rankdata(values) / values.size - 0.5
    for width, sign in ((_FINE_MM, 1), (_COARSE_MM, -1)):
        smoothed = partial(ndimage.gaussian_filter, sigma=(width / pixel[0], width / pixel[1], 0))
        share = smoothed(held)[counted]
        for detail, volume in zip(found, ranks, strict=True):
            detail[counted] += sign * smoothed(volume)[counted] / share
    return found[0], found[1]


def _graded(values: Volume) -> bool:
    """Whether values differ enough to have detail; some tell it for all."""
    some = values[:: max(1, values.size // 20_000)]
    return bool(np.unique(some, return_counts=True)[1].max() <= _MOST_EQUAL * some.size)


def _box(mask: Mask) -> tuple[slice, ...]:
    """The smallest box around a mask."""
    found = (np.flatnonzero(mask.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1)))
    return tuple(slice(int(places[0]), int(places[-1]) + 1) for places in found)


def _correlations(one: Volume, other: Volume, counted: Mask, pixel: Curve) -> tuple[float, float]:
    """Correlation in place, and the highest one at displaced places."""
    in_place = _correlation(one[counted], other[counted])
    displaced = []
    for distance, axis, sign in itertools.product(_DISPLACEMENTS_MM, (0, 1), (-1, 1)):
        step = sign * max(1, round(distance / pixel[axis]))
        there = np.roll(counted, step, axis=axis) & counted
        displaced.append(_correlation(one[there], np.roll(other, step, axis=axis)[there]))
    if math.isnan(in_place) or np.isnan(displaced).all():
        return _NONE, _NONE
    return in_place, float(np.nanmax(displaced))


def _correlation(x: Array, y: Array) -> float:
    if x.size < 2:
        return _NONE
    x, y = x - x.mean(), y - y.mean()
    below = math.sqrt(float(x @ x) * float(y @ y))
    return float(x @ y) / below if below > 1e-12 * x.size else _NONE

"""Whether a PET lies where the MRI of its head lies, as far as the images themselves can tell.

Two signs are looked at, on voxels of about 3 mm:

* outlines: the Dice coefficient of a skull-stripped PET's outline and the brain. It says nothing of a PET that was
  stripped with the MRI's own brain, and little of shifts of less than 2 cm;
* likeness: the share of the variance of the PET's detail (between 2.5 and 9 mm) that the detail of the contrasts and of
  their squares explains, in place against the PET moved by 6 to 24 mm in any direction. A PET fits its own head best in
  place, as long as grey and white matter differ in it.

What this cannot see: a shift of a voxel or two; a PET that is mirrored left to right; noise in place of a PET; a PET of
another head of the same shape. Some of these fit less in place, which tells beside the other subjects of a dataset.

Measured on made heads of 64³ voxels of 3 mm (`phantom.pairs`, whose PET follows the MRI more closely than real ones):
true pairs explain .45 to .55 in place and nowhere more (T1 alone .43, FLAIR alone .08; with a lesion of half the head,
-60 %, .29). A shift of 6 voxels leaves .04 at most in place and .62 to .67 where the PET belongs, whether it was
stripped before the shift or after; one of 2 voxels .35 and .58. One of 1 voxel passes with .41 and .46. PETs of other
heads explain .12 to .26 in place, mirrored ones .28 to .35. The outlines' Dice coefficient is still .81 at 6 voxels.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Array, Mask, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.synthesis.brain import dice, outline
from PyPeTLib.synthesis.subject import Subject

_VOXEL_MM = 3.0
_FINE_MM, _COARSE_MM = 2.5, 9.0
"""Detail is what lies between these widths (standard deviations): finer is noise, coarser is alike in all heads."""

_STEP_MM, _FARTHEST_MM = 6.0, 24.0
"""Of the displacements that are tried."""

_MOST_PLACES = 4000
"""At which the likeness is judged; more would tell no more."""

_LEAST_PLACES = 1 / 3
"""Part of them that must lie in the brain after a displacement, too."""

_STRIPPED = 1.5
"""How many times the brain's size a PET may show if it is skull-stripped."""

_LEAST_DICE = 0.8
_LEAST_GAIN, _LEAST_RATIO = 0.04, 1.5
"""Of the explained shares displaced and in place, from which on a PET counts as misplaced."""

Move = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """How a PET lies against the MRI.

    Attributes
    ----------
    dice : float or None
        Of a skull-stripped PET's outline and the brain; None where the PET is not stripped.
    in_place, displaced : float
        Share of the variance of the PET's detail that the contrasts explain, in place and where it is largest.
    correction_mm : tuple of float
        By how much the PET would have to move to lie where it is largest: right, front and up, to about 6 mm.
    """

    dice: float | None
    in_place: float
    displaced: float
    correction_mm: tuple[float, float, float]

    @property
    def fault(self) -> str:
        """Why the PET seems not to lie where the MRI does, in words; empty where it may."""
        found = []
        if self.dice is not None and self.dice < _LEAST_DICE:
            found.append(f"the outlines of PET and brain differ, Dice {self.dice:.2f}")
        if self.displaced > max(self.in_place + _LEAST_GAIN, self.in_place * _LEAST_RATIO):
            found.append(f"it fits better moved by about {_direction(self.correction_mm)}")
        return "; ".join(found)


def alignment(subject: Subject) -> Alignment:
    """How a subject's PET lies against its MRI.

    Parameters
    ----------
    subject : Subject
        With its PET as it is outside the brain: 0 only where it is skull-stripped.

    Raises
    ------
    InputError
        If there is no PET.
    """
    if subject.pet is None:
        raise InputError(f"{subject.name}: there is no PET to compare with the MRI. Give one.")
    factors = [max(1, round(_VOXEL_MM / size)) for size in subject.grid.voxel_sizes]
    sizes: Array = np.multiply(subject.grid.voxel_sizes, factors)
    pet = _coarser(subject.pet, factors)
    brain = _coarser(subject.mask.astype(np.float32), factors) >= 0.5
    contrasts = [_coarser(image, factors) for image in subject.contrasts.values()]
    region = outline(np.maximum(pet, 0))
    stripped = bool(np.count_nonzero(region) <= _STRIPPED * np.count_nonzero(brain))
    details = _details([*contrasts, *(image**2 for image in contrasts)], brain, sizes)
    (of_pet,) = _details([pet], region if stripped else np.ones_like(brain), sizes)
    moves = _moves(sizes)
    likeness = _Likeness(details, of_pet, brain, moves)
    shares = {move: likeness.at(move) for move in moves}
    best = max(shares, key=lambda move: shares[move])
    right, front, up = (-float(step * size) for step, size in zip(best, sizes, strict=True))
    return Alignment(
        dice=dice(region, brain) if stripped else None,
        in_place=shares[(0, 0, 0)],
        displaced=shares[best],
        correction_mm=(right, front, up),
    )


class _Likeness:
    """How much of a PET's detail that of the contrasts explains, for displacements of whole voxels."""

    def __init__(self, features: Sequence[Volume], pet: Volume, brain: Mask, moves: Sequence[Move]) -> None:
        places = np.argwhere(brain)
        places = places[:: max(1, len(places) // _MOST_PLACES)]
        at = tuple(places.T)
        self._features = np.stack([_scaled(image[at]) for image in features], axis=1)
        # with a margin no displacement leads out of the volume
        margin = np.abs(moves).max(axis=0)
        around = [(int(n), int(n)) for n in margin]
        padded = np.pad(brain, around)
        self._brain = padded.ravel()
        self._pet = np.pad(pet, around).ravel()
        self._strides = np.array([padded.shape[1] * padded.shape[2], padded.shape[2], 1])
        self._places = (places + margin) @ self._strides

    def at(self, move: Move) -> float:
        """The share explained with the PET read so many voxels further along each axis."""
        moved = self._places + int(np.dot(move, self._strides))
        inside = self._brain[moved]
        if np.count_nonzero(inside) < max(2 * self._features.shape[1], _LEAST_PLACES * inside.size):
            return 0.0
        features, values = self._features[inside], self._pet[moved[inside]]
        # contrasts may depend on each other: a trace of ridge
        products = (features.T @ features).astype(np.float64)
        products[np.diag_indices_from(products)] += 1e-6 * len(values)
        sides = (features.T @ values).astype(np.float64)
        whole = float(values @ values)
        return float(sides @ np.linalg.solve(products, sides)) / whole if whole > 0 else 0.0


def _moves(sizes: Array) -> list[Move]:
    """Displacements in voxels, evenly spread over a ball, the shorter ones first."""
    steps = np.maximum(1, np.rint(_STEP_MM / sizes)).astype(np.intp)
    reach = (1.01 * _FARTHEST_MM / (steps * sizes)).astype(np.intp)
    around = itertools.product(*(range(-int(n), int(n) + 1) for n in reach))
    lengths = {
        (i * int(steps[0]), j * int(steps[1]), k * int(steps[2])): float(np.linalg.norm((i, j, k) * steps * sizes))
        for i, j, k in around
    }
    return sorted((move for move in lengths if lengths[move] <= 1.01 * _FARTHEST_MM), key=lambda move: lengths[move])


def _coarser(image: Volume, factors: Sequence[int]) -> Volume:
    """Means of blocks of voxels; what does not fill one at the upper ends is left out."""
    for axis, factor in enumerate(factors):
        if 1 < factor <= image.shape[axis]:
            blocks = image.shape[axis] // factor
            shape = (*image.shape[:axis], blocks, factor, *image.shape[axis + 1 :])
            whole = image[(slice(None),) * axis + (slice(0, blocks * factor),)]
            image = whole.reshape(shape).mean(axis=axis + 1, dtype=np.float32)
    return image


def _details(images: Sequence[Volume], region: Mask, sizes: Array) -> list[Volume]:
    """Images less their coarse part within a region, whose surroundings take no part."""

    def blurred(image: Volume, width: float) -> Volume:
        found: Volume = ndimage.gaussian_filter(image, width / sizes, truncate=3)
        return found

    share = region.astype(np.float32)
    shares = {width: np.maximum(blurred(share, width), np.float32(0.05)) for width in (_FINE_MM, _COARSE_MM)}
    found = []
    for image in images:
        inside = np.where(region, image, np.float32(0))
        fine, coarse = (blurred(inside, width) / whole for width, whole in shares.items())
        found.append(np.where(region, fine - coarse, np.float32(0)))
    return found


def _scaled(values: Volume) -> Volume:
    sd = float(values.std())
    scaled: Volume = (values - values.mean()) / np.float32(sd or 1)
    return scaled


def _direction(mm: tuple[float, float, float]) -> str:
    words = (("left", "right"), ("back", "front"), ("down", "up"))
    return ", ".join(f"{abs(step):.0f} mm {names[step > 0]}" for step, names in zip(mm, words, strict=True) if step)

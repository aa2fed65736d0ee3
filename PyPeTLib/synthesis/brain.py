"""The brain that skull-stripped images show, and what is odd about it or them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.masking.morphology import largest_component

_NOTHING = 1e-3
"""Part of an image's level that counts as 0: interpolation leaves such traces around a stripped head."""

_MOST_FILLED = 0.85
"""Part of the volume. A brain fills about half of the box around it, and a slab of few slices some 0.8 of it."""

_MOST_NEGATIVE = 0.25
"""Part of the voxels that differ from 0."""

_ALIKE = 0.9
"""Dice coefficient of the outlines of one head's contrasts."""

_LARGE_ML, _TOO_LARGE_ML = 2200.0, 3000.0
"""The largest adult brains with their CSF stay below the first, whole heads lie beyond the second."""

_STRIP = "Skull-strip the images (0 outside the brain), or give masks of the brain."


def brain_of(contrasts: Mapping[str, Volume]) -> Mask:
    """The brain that skull-stripped contrasts show: where any differs from 0, the largest piece, its holes filled.

    Parameters
    ----------
    contrasts : mapping of str to ndarray of float32, shape (x, y, z)
        On one grid, 0 outside the brain. Less than a thousandth of an image's level counts as 0.

    Returns
    -------
    ndarray of bool, shape (x, y, z)

    Raises
    ------
    InputError
        If a contrast holds nothing but 0 or is negative in large part, or if the images have no background.
    """
    check_contrasts(contrasts)
    return find_brain(contrasts)[0]


def find_brain(contrasts: Mapping[str, Volume], *, name: str = "") -> tuple[Mask, tuple[str, ...]]:
    """The brain as `brain_of` finds it, and notes where contrasts show outlines of their own.

    Raises
    ------
    InputError
        If there is next to no background.
    """
    shown = {title: outline(image) for title, image in contrasts.items()}
    brain = _in_one_piece(np.logical_or.reduce(list(shown.values())))
    filled = float(brain.mean())
    if filled > _MOST_FILLED:
        raise InputError(
            f"{_of(name)}{_listing(contrasts)} differ from 0 in {filled:.0%} of the volume, so they are not "
            f"skull-stripped, or not 0 outside the brain. {_STRIP}"
        )
    return brain, _outline_notes(shown)


def outline(image: Volume) -> Mask:
    """Where an image differs from 0, in one piece and without holes."""
    level = np.abs(image)
    above = level[level > 0]
    if not above.size:
        return np.zeros(image.shape, bool)
    return _in_one_piece(level > _NOTHING * np.percentile(above, 99))


def dice(one: Mask, other: Mask) -> float:
    """Dice coefficient of two masks (Dice 1945, doi:10.2307/1932409), 0 where both are empty."""
    total = int(np.count_nonzero(one)) + int(np.count_nonzero(other))
    return 2 * int(np.count_nonzero(one & other)) / total if total else 0.0


def check_contrasts(contrasts: Mapping[str, Volume], brain: Mask | None = None, *, name: str = "") -> None:
    """Refuse contrasts that show nothing.

    Parameters
    ----------
    contrasts : mapping of str to ndarray of float32, shape (x, y, z)
    brain : ndarray of bool, optional
        Where to look; without it where a contrast differs from 0.
    name : str
        Of the subject, for messages.

    Raises
    ------
    InputError
        If a contrast is 0 or has one value throughout, or is negative in large part.
    """
    where = "in the brain" if brain is not None else "where it is not 0"
    for title, image in contrasts.items():
        values = image[brain] if brain is not None else image[image != 0]
        if not values.any():
            raise InputError(
                f"{_of(name)}{title} is 0 throughout{'' if brain is None else ' the brain'}. Export it again, or leave "
                "the contrast out for all subjects."
            )
        if values.min() == values.max():
            raise InputError(
                f"{_of(name)}{title} has the value {values.max():g} throughout, as a mask has. Give the image itself."
            )
        negative = float((values < 0).mean())
        if negative > _MOST_NEGATIVE:
            raise InputError(
                f"{_of(name)}{title} is negative in {negative:.0%} of the voxels {where}; an MRI is not. Give the "
                "intensities themselves, not brought to a mean of 0, with 0 outside the brain."
            )


def check_size(brain: Mask, grid: Grid, *, name: str = "") -> tuple[str, ...]:
    """Notes about the size of a brain.

    Raises
    ------
    InputError
        If it is larger than any.
    """
    ml = float(np.count_nonzero(brain)) * grid.voxel_volume / 1000
    if ml > _TOO_LARGE_ML:
        raise InputError(
            f"{_of(name)}what is not 0 measures {ml / 1000:.1f} l, more than any brain: the images seem not to be "
            f"skull-stripped. {_STRIP}"
        )
    if ml > _LARGE_ML:
        return (f"The brain measures {ml / 1000:.1f} l, which is much: look whether skull or scalp is left.",)
    return ()


def _in_one_piece(region: Mask) -> Mask:
    filled: Mask = ndimage.binary_fill_holes(largest_component(region))
    return filled


def _outline_notes(shown: Mapping[str, Mask]) -> tuple[str, ...]:
    """Contrasts whose outline differs from that of most others."""
    if len(shown) < 2:
        return ()
    told = "They may be of another head, at another place or stripped in another way."
    if len(shown) == 2:
        (one, first), (other, second) = shown.items()
        alike = dice(first, second)
        return () if alike >= _ALIKE else (f"{one} and {other} have other outlines (Dice {alike:.2f}). {told}",)
    most = np.sum(list(shown.values()), axis=0) * 2 > len(shown)
    unlike = {title: alike for title, region in shown.items() if (alike := dice(region, most)) < _ALIKE}
    return tuple(
        f"{title} has another outline than most contrasts (Dice {alike:.2f}). It may be of another head, at another "
        "place or stripped in another way."
        for title, alike in unlike.items()
    )


def _listing(contrasts: Mapping[str, Volume]) -> str:
    return ", ".join(contrasts)


def _of(name: str) -> str:
    return f"{name}: " if name else ""

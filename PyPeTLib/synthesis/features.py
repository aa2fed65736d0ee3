"""What the model sees of each brain voxel: its contrasts, their surroundings and their other side.

With K contrasts the full set has ``1 + 6 K + K (K + 1)/2`` features: 1; each contrast as it is, and as its Gaussian
mean over 3 mm and 7.5 mm; the difference d of the 3 mm mean to the opposite side, its positive part, and its product
with that mean; the products of each two contrasts, squares included. What is linear in d raises one side by what it
lowers the other; the positive part tells the side that is ill, and the product that a lesion takes a share of what is
there. All of them follow a reflection of the head: mirroring the images mirrors the features.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations_with_replacement

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.registry import Registry
from PyPeTLib.synthesis.subject import Subject

SIGMAS = (3.0, 7.5)
"""Standard deviations in mm of the means of a contrast's surroundings."""
REACH = 3.0
"""Of the Gaussian in standard deviations."""

Builder = Callable[[Sequence[Volume], Subject], Volume]

FEATURE_SETS: Registry[Builder] = Registry("feature sets")


def features_of(subject: Subject, contrasts: Sequence[str], feature_set: str) -> Volume:
    """Features of the voxels of a subject's brain.

    Parameters
    ----------
    subject : Subject
    contrasts : sequence of str
        Which contrasts, in which order.
    feature_set : str
        A name in `FEATURE_SETS`.

    Returns
    -------
    ndarray of float32, shape (voxels, features)
        Voxels in the order of ``subject.mask``. Each contrast is taken relative to its level in the brain, so a
        scanner's arbitrary scale plays no part.
    """
    return FEATURE_SETS[feature_set](relative_contrasts(subject, contrasts), subject)


def features_in(feature_set: str, contrasts: int) -> int:
    """How many features a set has for so many contrasts."""
    k = contrasts
    return {"full": 1 + 6 * k + k * (k + 1) // 2, "raw": 1 + k}[feature_set]


def relative_contrasts(subject: Subject, contrasts: Sequence[str]) -> list[Volume]:
    """Contrasts relative to their levels in the brain, 0 outside."""
    relative = []
    for name in contrasts:
        image = subject.contrasts[name]
        level = level_of(image[subject.mask])
        if not level > 0:
            raise InputError(
                f"{subject.name}: {name} has a mean of {level:.3g} in the brain. Give images whose tissue is positive."
            )
        relative.append(np.where(subject.mask, image / np.float32(level), np.float32(0)))
    return relative


def level_of(values: Volume) -> float:
    """The mean of the middle 90 %: steadier over heads than the median, which lies between two tissues."""
    low, high = np.percentile(values, (5, 95))
    return float(values[(values >= low) & (values <= high)].mean(dtype=np.float64))


@FEATURE_SETS.register("full", summary="contrasts, their surroundings, their other side, and products of each two")
def full_features(images: Sequence[Volume], subject: Subject) -> Volume:
    """See the module."""
    mask, grid = subject.mask, subject.grid
    columns = [np.ones(np.count_nonzero(mask), np.float32)]
    inside = [image[mask] for image in images]
    columns += inside
    wide = [_surroundings(images, mask, grid, sigma) for sigma in SIGMAS]
    columns += [image[mask] for images_of_sigma in wide for image in images_of_sigma]
    facing = subject.mirror.partner(mask)[mask]
    differences = [
        np.where(facing, image[mask] - subject.mirror.mirrored(image, mask)[mask], np.float32(0)) for image in wide[0]
    ]
    columns += differences
    columns += [np.maximum(difference, 0) for difference in differences]
    columns += [difference * image[mask] for difference, image in zip(differences, wide[0], strict=True)]
    columns += [first * second for first, second in combinations_with_replacement(inside, 2)]
    return np.stack(columns, axis=1)


@FEATURE_SETS.register("raw", summary="the contrasts alone")
def raw_features(images: Sequence[Volume], subject: Subject) -> Volume:
    """1 and each contrast."""
    mask = subject.mask
    return np.stack([np.ones(np.count_nonzero(mask), np.float32), *(image[mask] for image in images)], axis=1)


def _surroundings(images: Sequence[Volume], mask: Mask, grid: Grid, sigma: float) -> list[Volume]:
    """Gaussian mean with 0 outside the brain, as the scanner's resolution lets the PET fade at the brain's edge."""
    sigmas = [sigma / size for size in grid.voxel_sizes]
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    means = []
    for image in images:
        mean = np.zeros_like(image)
        ndimage.gaussian_filter(image[box], sigmas, mode="constant", truncate=REACH, output=mean[box])
        mean[~mask] = 0
        means.append(mean)
    return means

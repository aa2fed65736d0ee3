"""How a contrast's intensities are distributed in the brain, so that one taken for another is noticed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Curve
from PyPeTLib.synthesis.features import level_of
from PyPeTLib.synthesis.subject import Subject

PERCENTILES = (1, 5, 10, 25, 50, 75, 90, 95, 99)
LEAST_SPREAD = 0.03
"""Differences of this share of the level are ordinary, however alike the training subjects are."""
UNUSUAL = 6.0
"""Root mean square of the differences in spreads from which a contrast is unlike those of the training."""
SWAPPED = 2.0
"""A contrast that is this many times nearer to another's distribution may be that one."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Signature:
    """Percentiles of a contrast in the brain relative to its level.

    Attributes
    ----------
    means, spreads : ndarray of float64, shape (percentiles,)
        Over the training subjects.
    """

    means: Curve
    spreads: Curve

    def distance(self, percentiles: Curve) -> float:
        """How far a subject's percentiles lie from those of the training, in spreads."""
        apart = (percentiles - self.means) / np.hypot(self.spreads, LEAST_SPREAD)
        return float(np.sqrt(np.square(apart).mean()))


def percentiles_of(subject: Subject, contrast: str) -> Curve:
    """Percentiles of a contrast in the brain relative to its level."""
    values = subject.contrasts[contrast][subject.mask]
    found: Curve = np.percentile(values, PERCENTILES).astype(np.float64) / level_of(values)
    return found


def signature_of(percentiles: Sequence[Curve]) -> Signature:
    """The signature of a contrast from the percentiles of training subjects."""
    table = np.stack(percentiles)
    return Signature(means=table.mean(axis=0), spreads=table.std(axis=0))


def doubts(signatures: Mapping[str, Signature], subject: Subject) -> tuple[str, ...]:
    """Sentences about contrasts that look like another one, or like none of the training."""
    found = []
    for name, own in signatures.items():
        percentiles = percentiles_of(subject, name)
        distance = own.distance(percentiles)
        others = {other: signature.distance(percentiles) for other, signature in signatures.items() if other != name}
        nearest = min(others, key=others.__getitem__, default="")
        if nearest and distance > SWAPPED and distance > SWAPPED * others[nearest]:
            found.append(
                f"{name} looks like {nearest}: are the two swapped? Check which image is which; with "
                "swapped contrasts the predicted PET is wrong."
            )
        elif distance > UNUSUAL:
            found.append(
                f"{name} has intensities unlike those of the training: another sequence, or skull "
                "and fat not removed? Do not trust the predicted PET before this is clear."
            )
    return tuple(found)

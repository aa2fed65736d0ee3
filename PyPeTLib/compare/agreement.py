"""Agreement as pictures show it: differences against means, and how often pairs of values occur."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from PyPeTLib.arrays import Curve, Volume
from PyPeTLib.compare.metrics import LIMITS
from PyPeTLib.compare.model import Comparison
from PyPeTLib.compare.normalisation import NORMALISATIONS

_TAILS = (0.1, 99.9)


@dataclass(frozen=True, kw_only=True, eq=False)
class BlandAltman:
    """Points and lines of a Bland-Altman plot (doi:10.1016/S0140-6736(86)90837-8).

    Attributes
    ----------
    means, differences : ndarray of float32, shape (n,)
        (generated + reference)/2 and generated − reference of some voxels, evenly taken from all.
    bias, lower, upper : float
        Mean difference and its 95 % limits of agreement, from all voxels.
    voxels : int
        All that were compared.
    """

    means: Volume
    differences: Volume
    bias: float
    lower: float
    upper: float
    voxels: int


@dataclass(frozen=True, kw_only=True, eq=False)
class JointHistogram:
    """How many voxels have which pair of values.

    Attributes
    ----------
    counts : ndarray of int, shape (bins, bins)
        By the generated map's value, then the reference's.
    edges : ndarray of float64, shape (bins + 1,)
        Of the bins of both, so that equal values lie on the diagonal. They leave out the last thousandth at either
        end; values beyond are counted in the outermost bins.
    """

    counts: npt.NDArray[np.intp]
    edges: Curve


def bland_altman(comparison: Comparison, *, points: int = 5000) -> BlandAltman:
    """Points and lines of the Bland-Altman plot of a comparison; the same points each time.

    Parameters
    ----------
    comparison : Comparison
    points : int
        The most that are returned.
    """
    generated, reference = _values(comparison)
    differences = generated - reference
    n = differences.size
    chosen = np.arange(n) if n <= points else np.linspace(0, n - 1, points).round().astype(np.intp)
    # relative values have equal means; what is left of their difference is rounding
    absolute = NORMALISATIONS[comparison.normalisation].keeps_unit
    bias = float(differences.mean(dtype=np.float64)) if absolute else 0.0
    spread = float(differences.std(dtype=np.float64, ddof=1)) if n > 1 else float("nan")
    return BlandAltman(
        means=(generated[chosen] + reference[chosen]) / np.float32(2),
        differences=differences[chosen],
        bias=bias,
        lower=bias - LIMITS * spread,
        upper=bias + LIMITS * spread,
        voxels=n,
    )


def joint_histogram(comparison: Comparison, *, bins: int = 64) -> JointHistogram:
    """Two-dimensional histogram of the values of a comparison.

    Parameters
    ----------
    comparison : Comparison
    bins : int
        Along each axis.
    """
    pair = np.stack(_values(comparison))
    low, high = (float(end) for end in np.percentile(pair, _TAILS))
    if not high > low:
        low, high = low - 0.5, low + 0.5
    width = (high - low) / bins
    index = np.clip((pair - low) / width, 0, bins - 1).astype(np.intp)
    counts = np.bincount(index[0] * bins + index[1], minlength=bins * bins).reshape(bins, bins)
    return JointHistogram(counts=counts, edges=np.linspace(low, high, bins + 1))


def _values(comparison: Comparison) -> tuple[Volume, Volume]:
    return comparison.generated[comparison.mask], comparison.reference[comparison.mask]

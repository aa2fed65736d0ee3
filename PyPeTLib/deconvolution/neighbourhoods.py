"""What neighbouring voxels of a slice say together about delay and residue, without crossing edges.

Voxels count as alike where their curves differ, up to their height, by no more than the noise makes them; their
evidence is then averaged with an edge-avoiding à-trous cascade (Dammertz et al. 2010, doi:10.2312/EGGH/HPG10/067-075):
a small kernel applied with growing steps, weighted anew at each.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy import sparse

from PyPeTLib.arrays import Curve, IntArray, Mask, Volume

ShortIndices = npt.NDArray[np.int32]

STEPS = (1, 2, 4, 8)
"""Distances in voxels of the kernel's points, one pass of the cascade after the other."""
KERNEL = np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
FARTHEST_CORRELATION = 8
"""Noise is not expected to be correlated over more voxels than this."""
LEAST_CORRELATION = 0.05
QUIET_FRAMES = 6
NO_NOISE = 1e-4
"""Second differences with a smaller share of the curves' standard deviation are no noise, but its rounding."""


@dataclass(frozen=True, eq=False)
class Pooled:
    """Averages over the neighbourhoods of the voxels of a slice.

    Attributes
    ----------
    products : ndarray of float32, shape (voxels, pairs)
        Mean of the products of each pair of features, doubled where they differ.
    features : ndarray of float32, shape (voxels, features)
        Mean of the features themselves.
    voxels : ndarray of float64, shape (voxels,)
        How many voxels with equal weights the average is worth.
    """

    products: Volume
    features: Volume
    voxels: Curve


def pooled(features: Volume, plane: Mask, noise: float, area: float, tolerance: float) -> Pooled:
    """Average features and their products over neighbourhoods of like voxels.

    Parameters
    ----------
    features : ndarray of float32, shape (voxels, n)
        Orthogonal components of the curves.
    plane : ndarray of bool, shape (x, y)
        Where the voxels lie, in the order of boolean indexing.
    noise : float
        Standard deviation of a feature.
    area : float
        Over how many voxels the noise is correlated (`correlation_area`).
    tolerance : float
        Difference beyond what noise explains, in standard deviations of the noise, at which a neighbour counts e^−½
        of a like one.
    """
    place = np.full(plane.shape, -1, np.intp)
    place[plane] = np.arange(len(features))
    upper = np.triu_indices(features.shape[1])
    doubled = np.where(upper[0] == upper[1], 1, 2).astype(np.float32)
    products = features[:, upper[0]] * features[:, upper[1]] * doubled
    guide = features
    share = np.ones(len(features))
    for step in STEPS:
        # the guide loses noise from pass to pass, and edges come out
        variance = (noise**2 * np.minimum(1, area * share)).astype(np.float32)
        weights = _weights(guide, place, step, variance, tolerance)
        products, guide = weights @ products, weights @ guide
        share = weights.multiply(weights) @ share
    return Pooled(products=np.asarray(products, np.float32), features=guide, voxels=1 / share)


def _weights(guide: Volume, place: IntArray, step: int, variance: Volume, tolerance: float) -> sparse.csr_array:
    """Row-normalised weights of the kernel's points among the voxels of a plane."""
    count, features = guide.shape
    energy = np.einsum("vn,vn->v", guide, guide)
    # short indices, because there are two dozen of them a voxel
    itself: ShortIndices = np.arange(count, dtype=np.int32)
    rows, columns, values = [itself], [itself], [np.full(count, KERNEL[2] ** 2, np.float32)]
    for across, along in product(range(-2, 3), repeat=2):
        if (across, along) <= (0, 0):
            continue  # a pair of voxels is looked at once
        one, other = _pairs(place, across * step, along * step)
        common = np.maximum(np.einsum("pn,pn->p", guide[one], guide[other]), 0)
        smaller, larger = np.minimum(energy[one], energy[other]), np.maximum(energy[one], energy[other])
        # what is left of the smaller curve when the larger one, scaled, is taken from it
        apart = smaller - np.divide(common**2, larger, out=np.zeros_like(common), where=larger > 0)
        noise = 0.5 * (variance[one] + variance[other])
        beyond = np.maximum(apart / noise - 2 * (features - 1), 0)
        weight = np.float32(KERNEL[across + 2] * KERNEL[along + 2]) * np.exp(-beyond / np.float32(2 * tolerance**2))
        here, there = one.astype(np.int32), other.astype(np.int32)
        rows += [here, there]
        columns += [there, here]
        values += [weight, weight]
    matrix = sparse.coo_array(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), (count, count)
    ).tocsr()
    matrix.data /= np.repeat(np.add.reduceat(matrix.data, matrix.indptr[:-1]), np.diff(matrix.indptr))
    return matrix


def _pairs(place: IntArray, across: int, along: int) -> tuple[IntArray, IntArray]:
    """Voxels of a plane and those that lie a step away from them, for all that have one."""
    x, y = (slice(max(0, -by), size - max(0, by)) for by, size in zip((across, along), place.shape, strict=True))
    other_x, other_y = (
        slice(max(0, by), size - max(0, -by)) for by, size in zip((across, along), place.shape, strict=True)
    )
    if not (place[x, y].size and place[other_x, other_y].size):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    one, other = place[x, y].ravel(), place[other_x, other_y].ravel()
    both = (one >= 0) & (other >= 0)
    return one[both], other[both]


def correlation_area(curves: Volume, plane: Mask) -> float:
    """Over how many voxels of a slice the noise is correlated: 1 for white noise, 4πσ² after a Gaussian.

    The noise is what the second differences of the quietest frames show, which hold no bolus.
    """
    bends = np.diff(curves, 2, axis=1)
    quiet = np.argsort(np.median(np.abs(bends), axis=0), kind="stable")[:QUIET_FRAMES]
    bends = bends[:, quiet]
    if len(curves) == 1 or bends.std() <= NO_NOISE * curves.std():
        return 1.0
    size = tuple(n + 2 * FARTHEST_CORRELATION for n in plane.shape)
    total = np.zeros(size)
    for frame in range(bends.shape[1]):
        image = np.zeros(plane.shape)
        image[plane] = bends[:, frame] - bends[:, frame].mean()
        total += np.fft.irfft2(np.abs(np.fft.rfft2(image, size)) ** 2, size)
    pairs = np.fft.irfft2(np.abs(np.fft.rfft2(plane, size)) ** 2, size)
    around = np.arange(-FARTHEST_CORRELATION, FARTHEST_CORRELATION + 1)
    near = np.ix_(around, around)
    if not total[0, 0] > 0:  # all voxels are equal
        return 1.0
    correlation = (total[near] / total[0, 0]) * (pairs[0, 0] / np.maximum(pairs[near], 1))
    return max(1.0, float(correlation[correlation > LEAST_CORRELATION].sum()))

"""The few shapes that the curves of tissue are mixtures of.

Noise spreads evenly over as many components as there are frames; of its variance, r of t components hold the share r/t.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from PyPeTLib.arrays import Curve, Volume
from PyPeTLib.execution import Execution, voxel_slices
from PyPeTLib.preprocess.denoising.model import Surroundings

BLOCK_MM = 8.0
"""Shapes are learnt from means over blocks of this edge, in which noise is small beside what tissue shows."""


def components(signal: Volume, surroundings: Surroundings, rank: int, execution: Execution) -> Volume:
    """A constant and the leading shapes of the brain's curves, orthonormal, as float32 of shape (t, rank + 1).

    With rank 0, or where the curves are too few or too short to be simplified, the components are the frames.
    """
    frames = signal.shape[1]
    learnt = surroundings.learnt & surroundings.tissue
    if not 0 < rank < frames - 1 or np.count_nonzero(learnt) <= rank:
        return np.eye(frames, dtype=np.float32)
    products = _products_of_blocks(signal, surroundings, execution)
    # the constant is one by itself, so that a baseline costs none of the shapes
    axes, _ = np.linalg.qr(np.concatenate([np.ones((frames, 1)), np.eye(frames)[:, 1:]], axis=1))
    constant, others = np.abs(axes[:, :1]), axes[:, 1:]
    _, shapes = np.linalg.eigh(others.T @ products @ others)
    return np.concatenate([constant, others @ shapes[:, : -rank - 1 : -1]], axis=1).astype(np.float32)


def _products_of_blocks(signal: Volume, surroundings: Surroundings, execution: Execution) -> Curve:
    """Sum over blocks of the outer product of the mean curve, each times its number of voxels, shape (t, t)."""
    mask, learnt = surroundings.mask, surroundings.learnt & surroundings.tissue
    edges = [max(1, round(BLOCK_MM / size)) for size in surroundings.voxel_sizes]
    _, y, z = (np.arange(n) // edge for n, edge in zip(mask.shape, edges, strict=True))
    block_of = (y[:, None] * (z[-1] + 1) + z).astype(np.int32)
    first = np.concatenate([[0], np.cumsum(np.count_nonzero(mask, axis=(1, 2)))])

    def products(row: int) -> Curve:
        rows = mask[row : row + edges[0]]
        voxels = slice(first[row], first[row + len(rows)])
        blocks = np.broadcast_to(block_of, rows.shape)[rows]
        taken = learnt[voxels].astype(np.float32)
        sums = sparse.csr_array((taken, (blocks, np.arange(blocks.size))), (block_of.max() + 1, blocks.size))
        count = np.bincount(blocks, taken, minlength=sums.shape[0])
        means = (sums @ signal[voxels])[count > 0] / np.sqrt(count[count > 0])[:, None]
        return np.asarray(means.T @ means, np.float64)

    return np.asarray(np.sum(execution.map(products, range(0, len(mask), edges[0])), axis=0), np.float64)


def projected(signal: Volume, basis: Volume, execution: Execution) -> Volume:
    """Amplitudes of the components in each curve, float32 of shape (components, voxels)."""
    amplitudes: Volume = execution.workspace.empty((basis.shape[1], len(signal)), np.float32)

    def project(piece: slice) -> None:
        amplitudes[:, piece] = basis.T @ signal[piece].T

    execution.map(project, voxel_slices(len(signal)))
    return amplitudes


def rebuilt(
    amplitudes: Volume, basis: Volume, signal: Volume, surroundings: Surroundings, execution: Execution
) -> Volume:
    """Curves of tissue from their amplitudes, shape (voxels, t); those of other voxels as they are in ``signal``."""
    curves = execution.workspace.like(signal)

    def rebuild(piece: slice) -> None:
        np.matmul(amplitudes[:, piece].T, basis.T, out=curves[piece])
        kept = np.flatnonzero(~surroundings.tissue[piece]) + piece.start
        curves[kept] = signal[kept]

    execution.map(rebuild, voxel_slices(len(signal)))
    return curves

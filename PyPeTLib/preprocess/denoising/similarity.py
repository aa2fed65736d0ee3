"""Means over neighbours with like curves, compared and averaged in the few shapes that curves are mixtures of.

An edge-avoiding à-trous cascade (Dammertz et al. 2010, doi:10.2312/EGGH/HPG10/067-075): a small kernel applied with
growing steps. Each pass compares what the pass before it has left, so the differences that matter stand out more and
more from the noise.
"""

from __future__ import annotations

import numpy as np

from PyPeTLib.arrays import Volume
from PyPeTLib.execution import Execution
from PyPeTLib.preprocess.denoising.components import components, projected, rebuilt
from PyPeTLib.preprocess.denoising.model import DENOISERS, DenoisingOptions, Filtered, Surroundings
from PyPeTLib.preprocess.denoising.neighbours import Closeness, Lattice, average
from PyPeTLib.preprocess.denoising.passes import overlap, passes

LEAST_NOISE = 1e-6
"""What counts as no noise at all: neighbours are then alike if they are equal."""


@DENOISERS.register(
    "similarity",
    summary="the leading temporal shapes of the brain, averaged over neighbours with like curves, vessels left out",
    source="after Dammertz et al. 2010, doi:10.2312/EGGH/HPG10/067-075",
    traits=("temporal", "edges"),
)
def similarity(signal: Volume, surroundings: Surroundings, options: DenoisingOptions, execution: Execution) -> Filtered:
    """Curves rebuilt from amplitudes that were averaged over like neighbours."""
    basis = components(signal, surroundings, options.rank, execution)
    amplitudes = projected(signal, basis, execution)
    left = 1.0
    if options.sigma > 0 and surroundings.tissue.any():
        amplitudes, left = _averaged(amplitudes, surroundings, options, execution)
    return Filtered(
        signal=rebuilt(amplitudes, basis, signal, surroundings, execution),
        noise_left=left if basis.shape[1] < len(basis) else 0.0,
    )


def _averaged(
    amplitudes: Volume, surroundings: Surroundings, options: DenoisingOptions, execution: Execution
) -> tuple[Volume, float]:
    """Amplitudes after all passes, and the share of the noise's standard deviation that is left on average."""
    lattice, tissue = Lattice.around(surroundings.mask), surroundings.tissue
    cascade = passes(options.sigma, surroundings.voxel_sizes)
    near = closeness(surroundings.noise, len(amplitudes), options.tolerance)
    variance = np.where(tissue, np.float32(1), np.float32(np.inf))
    guide, spread = amplitudes, variance
    for number, one in enumerate(cascade):
        if number == 0:
            # single voxels are too noisy to be compared: their plain means over the first neighbours are
            both = (variance, variance)
            guide, spread = average(amplitudes, amplitudes, both, lattice, one.kernel(), None, execution)
        both = (variance, spread)
        amplitudes, variance = average(amplitudes, guide, both, lattice, one.kernel(), near, execution)
        guide, spread = amplitudes, variance * np.float32(overlap(cascade[: number + 1]))
    return amplitudes, float(np.sqrt(spread[tissue]).mean(dtype=np.float64))


def closeness(noise: float, channels: int, tolerance: float) -> Closeness:
    """Weight of a neighbour by the summed squares of its difference, in units of what the noise makes them.

    Like neighbours differ by χ² of as many degrees of freedom as there are channels; what goes beyond its mean counts
    in units of the noise.
    """
    scale = np.float32(noise**2)
    least, decay = np.float32(LEAST_NOISE**2), np.float32(-1 / (2 * tolerance**2))

    def near(squares: Volume, variances: Volume) -> Volume:
        variances *= scale
        squares /= np.maximum(variances, least, out=variances)
        squares -= np.float32(channels)
        np.maximum(squares, 0, out=squares)
        squares *= decay
        return np.exp(squares, out=squares)

    return near

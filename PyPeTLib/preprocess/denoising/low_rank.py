"""A Gaussian over the amplitudes of the few shapes that curves are mixtures of."""

from __future__ import annotations

from PyPeTLib.arrays import Volume
from PyPeTLib.execution import Execution
from PyPeTLib.preprocess.denoising.components import components, projected, rebuilt
from PyPeTLib.preprocess.denoising.gaussian import noise_left, smooth_inside
from PyPeTLib.preprocess.denoising.model import DENOISERS, DenoisingOptions, Filtered, Surroundings


@DENOISERS.register(
    "low-rank",
    summary="the leading temporal shapes of the brain, their amplitudes smoothed with a Gaussian, vessels left out",
    traits=("temporal",),
)
def low_rank(signal: Volume, surroundings: Surroundings, options: DenoisingOptions, execution: Execution) -> Filtered:
    """Curves rebuilt from smoothed amplitudes: the same as smoothed frames, rebuilt, for fewer volumes to smooth."""
    basis = components(signal, surroundings, options.rank, execution)
    amplitudes = projected(signal, basis, execution)
    sizes, tissue = surroundings.voxel_sizes, surroundings.tissue
    amplitudes = smooth_inside(amplitudes.T, surroundings.mask, tissue, options.sigma, sizes, execution).T
    return Filtered(
        signal=rebuilt(amplitudes, basis, signal, surroundings, execution),
        noise_left=noise_left(options.sigma, sizes) if basis.shape[1] < len(basis) else 0.0,
    )

"""What a filter against noise receives and returns, and the registry of all filters.

Filters see signal, HU or that of MR, in which noise adds: the logarithm of MR comes later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.execution import Execution
from PyPeTLib.options import Options, option
from PyPeTLib.registry import Registry


@dataclass(frozen=True, kw_only=True, eq=False)
class Surroundings:
    """Where curves lie, and what a filter may make of each.

    Attributes
    ----------
    mask : ndarray of bool, shape (x, y, z)
        The voxels that the curves belong to, in the order of boolean indexing.
    voxel_sizes : tuple of float
        In mm.
    tissue : ndarray of bool, shape (voxels,)
        Voxels that take part; the others keep their values and reach no neighbour.
    learnt : ndarray of bool, shape (voxels,)
        Voxels from which the shapes of curves may be learnt.
    noise : float
        Standard deviation of one sample of the signal.
    """

    mask: Mask
    voxel_sizes: tuple[float, float, float]
    tissue: Mask
    learnt: Mask
    noise: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Filtered:
    """Signal curves with less noise.

    Attributes
    ----------
    signal : ndarray of float32, shape (voxels, t)
    noise_left : float
        Standard deviation of a sample as a share of that before, had the averaging over neighbours been all. The few
        temporal components that a filter keeps hold that much noise, though the curves look smooth. 0 where nothing was
        dropped in time, so that the curves themselves show their noise.
    """

    signal: Volume
    noise_left: float = 0.0


Denoiser: TypeAlias = "Callable[[Volume, Surroundings, DenoisingOptions, Execution], Filtered]"
"""Called with signal of shape (voxels, t), which it leaves as it is."""

DENOISERS: Registry[Denoiser] = Registry("filters against noise")
"""All filters.

Traits: ``linear`` (every voxel becomes a fixed mean of its neighbours), ``temporal`` (temporal components are dropped),
``edges`` (unlike neighbours count less), ``needs-simpleitk``.
"""


@dataclass(frozen=True, kw_only=True)
class DenoisingOptions(Options):
    """Options of the filter against noise."""

    method: str = option("similarity", "filter against noise", choices=DENOISERS)
    sigma: float = option(
        3.0,
        "gaussian, low-rank, tips, similarity: standard deviation of the Gaussian over which like neighbours are "
        "averaged; 0 looks at no neighbour",
        unit="mm",
        minimum=0.0,
        maximum=20.0,
    )
    rank: int = option(
        6,
        "low-rank, similarity: curves are rebuilt from a constant and this many shapes learnt from the brain, which "
        "drops noise, not edges; 0 keeps curves as they are",
        minimum=0,
        maximum=1000,
    )
    tolerance: float = option(
        4.0,
        "tips, similarity: how far beyond what noise explains a neighbour may differ, in standard deviations of the "
        "noise, before it counts e^-0.5 of a like one",
        minimum=0.1,
        maximum=100.0,
    )
    iterations: int = option(5, "curvature-flow: steps of the flow", minimum=0, maximum=1000)
    vessel_ratio: float = option(
        3.5,
        "voxels that take up more than this many times the contrast of the median voxel count as vessels: they are "
        "left out of their neighbours' averages and stay as they are; 0 treats all alike",
        minimum=0.0,
        maximum=100.0,
    )


@DENOISERS.register("none", summary="curves as they were measured", traits=("linear",))
def unfiltered(
    signal: Volume, _surroundings: Surroundings, _options: DenoisingOptions, _execution: Execution
) -> Filtered:
    """The signal itself."""
    return Filtered(signal=signal)

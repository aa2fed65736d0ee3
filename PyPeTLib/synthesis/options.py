"""What can be chosen of a model."""

from __future__ import annotations

from dataclasses import dataclass

from PyPeTLib.options import Options, option
from PyPeTLib.registry import Registry
from PyPeTLib.synthesis.lattice import lattice_of


def _feature_sets() -> Registry[object]:
    from PyPeTLib.synthesis.features import FEATURE_SETS  # noqa: PLC0415 - options are read where no features are made

    return FEATURE_SETS  # type: ignore[return-value]


@dataclass(frozen=True, kw_only=True)
class SynthesisOptions(Options):
    """How a model is built and fitted."""

    patches: int = option(64, "patches of the head between which coefficients are interpolated: 1, 8, 64 or 216")
    features: str = option("full", "what is seen of each voxel", choices=_feature_sets)
    ridge: float = option(
        0.02,
        "pull of every patch to the solution for the whole head, as a share of the data of a mean patch",
        minimum=1e-6,
        maximum=100,
    )
    hypometabolic_weight: float = option(
        5.0,
        "weight of training voxels whose real PET is much lower than on the other side; others weigh 1",
        minimum=1,
        maximum=100,
    )
    symmetric: bool = option(
        True, "learn from each head and its mirror image, so that both sides are predicted by the same rule"
    )
    sweeps: int = option(200, "most Gauss–Seidel sweeps", minimum=1, maximum=100_000)
    tolerance: float = option(1e-6, "residual relative to the right side at which sweeps end", minimum=0, maximum=0.1)
    refinement: int = option(
        0,
        "sweeps of the refinement by the auxiliary PET to MRI model in a prediction; 0 for none",
        minimum=0,
        maximum=50,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        lattice_of(self.patches)

"""What a head phantom can be asked for, and the defaults of each modality."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from PyPeTLib.errors import InputError
from PyPeTLib.phantom.bolus import Bolus
from PyPeTLib.phantom.conditions import CONDITIONS
from PyPeTLib.phantom.kinetics import RESIDUES
from PyPeTLib.phantom.motion import RigidMotion
from PyPeTLib.series import Modality, check_frame_times

SIDES: Mapping[str | None, int | None] = {"right": 1, "left": -1, None: None}
"""Sign of x on each side; None leaves it to the seed."""


@dataclass(frozen=True, kw_only=True, eq=False)
class HeadOptions:
    """What a head phantom looks like; `make_head` fills in the defaults of the modality.

    Attributes
    ----------
    modality : Modality
    seed : int
    shape : tuple of int
        Voxels along x, y and z.
    spacing : tuple of float
        mm along x, y and z.
    frame_times : array_like
        Seconds, steps may be uneven.
    noise : float or None
        SD in HU (CT, Gaussian) or signal units (DSC, Rician); None for no noise.
    dtype : str
        ``"int16"`` rounds the signal to whole numbers, ``"float32"`` does not.
    echo_time : float or None
        Seconds (DSC).
    bolus : Bolus
        Its ``arrival`` is the time at which contrast reaches the internal carotid artery.
    residue : str
        A name in `RESIDUES`.
    affine : str
        A name in `AFFINE_KINDS`.
    slab : int or None
        Only so many slices, at the level of M1 and the basal ganglia.
    height : float or None
        Of the grid's middle above the brain's in mm; None for 0, or what suits a slab.
    size : float
        Of the head relative to an adult's.
    conditions : tuple of str
        Names in `CONDITIONS`.
    healthy : bool
        No lesion and no occlusion.
    occlusion : bool
        Whether M1 is occluded on the side of the lesion.
    lesion_side : {"left", "right"} or None
        None leaves it to the seed.
    tissue_lag : float
        Seconds added to the delay of all tissue.
    motion : RigidMotion, array_like of shape (t, 4, 4), or None
        Matrices lead from world coordinates (RAS+ mm) of a frame to those of the truth.
    leakage : float
        K2 in 1/s in a region behind the lesion (DSC), see `Leakage`.
    """

    modality: Modality
    seed: int
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    frame_times: npt.ArrayLike
    noise: float | None
    dtype: str
    echo_time: float | None
    bolus: Bolus = field(default_factory=Bolus)
    residue: str = "exponential"
    affine: str = "ras"
    slab: int | None = None
    height: float | None = None
    size: float = 1.0
    conditions: tuple[str, ...] = ()
    healthy: bool = False
    occlusion: bool = True
    lesion_side: str | None = None
    tissue_lag: float = 0.0
    motion: RigidMotion | npt.ArrayLike | None = None
    leakage: float = 0.0

    def __post_init__(self) -> None:
        times = np.asarray(self.frame_times, dtype=np.float64)
        object.__setattr__(self, "frame_times", check_frame_times(times, times.size, name="head"))
        object.__setattr__(self, "residue", RESIDUES.entry(self.residue).name)
        chosen = {CONDITIONS.entry(name).name for name in self.conditions}
        object.__setattr__(self, "conditions", tuple(name for name in CONDITIONS if name in chosen))
        if not 0.3 <= self.size <= 1.5:
            raise InputError(f"the size of a head relative to an adult's is 0.3 to 1.5, found {self.size!r}")
        if self.dtype not in ("int16", "float32"):
            raise InputError(f"dtype must be 'int16' or 'float32', found {self.dtype!r}")
        if self.lesion_side not in SIDES:
            raise InputError(f"lesion_side must be 'left', 'right' or None, found {self.lesion_side!r}")
        if self.noise is not None and not self.noise >= 0:
            raise InputError(f"noise must not be below 0, found {self.noise!r}; None leaves it out")
        if min(self.shape) < 1 or min(self.spacing) <= 0 or len(self.shape) != 3 or len(self.spacing) != 3:
            raise InputError(f"shape and spacing need three numbers above 0, found {self.shape} and {self.spacing}")
        for name in self.conditions:
            traits = CONDITIONS.entry(name).traits
            if traits and self.modality not in traits:
                raise InputError(f"the condition {name!r} is only for {', '.join(sorted(traits))}")
        if self.leakage and self.modality is not Modality.DSC:
            raise InputError("leakage is only modelled for DSC")


_PRESETS: Mapping[Modality, Mapping[str, Any]] = {
    Modality.CTP: {
        "shape": (200, 200, 23),
        "spacing": (1.0, 1.0, 5.0),
        "dt": 1.0,
        "n_frames": 45,
        "noise": 6.0,
        "echo_time": None,
    },
    Modality.DSC: {
        "shape": (128, 128, 20),
        "spacing": (1.75, 1.75, 6.0),
        "dt": 1.5,
        "n_frames": 60,
        "noise": 8.0,
        "echo_time": 0.03,
    },
}


def head_options(modality: Modality | str, *, seed: int = 0, **changes: Any) -> HeadOptions:
    """The modality's defaults with changes; see `make_head`."""
    modality = Modality(modality)
    preset = dict(_PRESETS[modality])
    if "shape" in changes and "spacing" not in changes:
        pairs = zip(preset["shape"], preset["spacing"], changes["shape"], strict=True)
        preset["spacing"] = tuple(n * size / wanted for n, size, wanted in pairs)
    if "frame_times" in changes and not {"dt", "n_frames"}.isdisjoint(changes):
        raise InputError("give either frame_times, or dt and n_frames")
    values = {**preset, **changes}
    step, count = values.pop("dt"), values.pop("n_frames")
    values.setdefault("frame_times", step * np.arange(count))
    values.setdefault("dtype", "float32" if values["noise"] is None else "int16")
    return HeadOptions(modality=modality, seed=seed, **values)

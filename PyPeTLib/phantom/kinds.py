"""Kinds of heads that a brain mask must cope with, as options of `make_head`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PyPeTLib.errors import InputError
from PyPeTLib.registry import Registry
from PyPeTLib.series import Modality

_CHILD = 0.7

# voxels and mm along x, y, z for each modality
_Grids = Mapping[Modality, tuple[tuple[int, int, int], tuple[float, float, float]]]
_USUAL: _Grids = {
    Modality.CTP: ((200, 200, 23), (1.0, 1.0, 5.0)),
    Modality.DSC: ((128, 128, 20), (1.75, 1.75, 6.0)),
}
_WITH_NECK: _Grids = {
    Modality.CTP: ((200, 200, 30), (1.0, 1.0, 5.0)),
    Modality.DSC: ((128, 128, 26), (1.75, 1.75, 6.0)),
}
_THICK: _Grids = {
    Modality.CTP: ((200, 200, 12), (1.0, 1.0, 10.0)),
    Modality.DSC: ((128, 128, 12), (1.75, 1.75, 10.0)),
}
_ISOTROPIC: _Grids = dict.fromkeys(Modality, ((128, 144, 128), (1.5, 1.5, 1.5)))
_NARROW: _Grids = {
    Modality.CTP: ((200, 200, 23), (0.7, 0.7, 5.0)),
    Modality.DSC: ((128, 128, 20), (1.25, 1.25, 4.0)),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class HeadKind:
    """One kind of head.

    Attributes
    ----------
    conditions : tuple of str
        Beside ``"face"``, which all kinds have.
    grids : mapping
        Voxels along x, y, z and their sizes in mm for each modality.
    modalities : tuple of Modality
        Where the kind makes sense.
    options : mapping
        Further options of `make_head`.
    """

    conditions: tuple[str, ...] = ()
    grids: _Grids = field(default_factory=lambda: _USUAL)
    modalities: tuple[Modality, ...] = (Modality.CTP, Modality.DSC)
    options: Mapping[str, Any] = field(default_factory=dict)


HEAD_KINDS: Registry[HeadKind] = Registry("kinds of heads")


def _add(name: str, summary: str, **attributes: Any) -> None:
    HEAD_KINDS.register(name, summary=summary)(HeadKind(**attributes))


_MR = (Modality.DSC,)
_add("tilt", "slices tilted by 15°", options={"affine": "tilted"})
_add("gantry", "gantry tilted by 15°: a sheared grid", options={"affine": "sheared"})
_add("slab", "4 slices through the basal ganglia", options={"slab": 4})
_add("low-slab", "4 slices through the skull base", options={"slab": 4, "height": -30.0})
_add(
    "open-base",
    "bone of the base missing in three places; neck in the image",
    conditions=("open-base",),
    grids=_WITH_NECK,
    options={"height": -20.0},
)
_add("ventricles", "ventricles twice as wide", conditions=("wide-ventricles",))
_add("shunt", "catheter, burr hole and reservoir", conditions=("shunt",))
_add("haemorrhage", "large bleeding in the brain and under the dura", conditions=("haemorrhage",))
_add("metal", "coil, burr holes and clips", conditions=("metal",))
_add(
    "eyes",
    "eyes and orbits five times as bright as brain; neck in the image",
    conditions=("bright-eyes",),
    grids=_WITH_NECK,
    modalities=_MR,
    options={"height": -20.0},
)
_add("bias-field", "gain of the coils from 60 to 140 %", conditions=("shading",), modalities=_MR)
_add("signal-loss", "no signal over sinuses and mastoids", conditions=("signal-loss",), modalities=_MR)
_add("child", "70 % in size, thin soft bone, fontanelle", conditions=("child",), options={"size": _CHILD})
_add(
    "child-small-field",
    "the same child in a field of view that fits",
    conditions=("child",),
    grids=_NARROW,
    options={"size": _CHILD},
)
_add("thick", "slices of 10 mm", grids=_THICK)
_add("isotropic", "voxels of 1.5 mm, from neck to vertex", grids=_ISOTROPIC, options={"height": -30.0})


def kind_options(kind: str, modality: Modality | str, *, coarse: int = 1) -> dict[str, Any]:
    """Options of `make_head` for a kind of head.

    Parameters
    ----------
    kind : str
        A name in `HEAD_KINDS`.
    modality : Modality or str
    coarse : int
        Take pixels so many times as large.
    """
    modality = Modality(modality)
    found = HEAD_KINDS[kind]
    if modality not in found.modalities:
        raise InputError(f"heads of the kind {kind!r} are only for {', '.join(found.modalities)}")
    (x, y, z), (dx, dy, dz) = found.grids[modality]
    return {
        "shape": (x // coarse, y // coarse, z),
        "spacing": (dx * coarse, dy * coarse, dz),
        "conditions": ("face", *found.conditions),
        **found.options,
    }

"""What counts as a lesion: thresholds as options, and published ones by name with where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from PyPeTLib.options import Options, option
from PyPeTLib.registry import Registry

CBV_UNIT = "ml/100ml"
"""Of the threshold of volume."""


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """A bound on a figure of the lesions.

    Attributes
    ----------
    figure : {"core_ml", "mismatch_ml", "mismatch_ratio"}
    bound : {"<", ">", ">="}
    limit : float
    """

    figure: str
    bound: str
    limit: float

    def holds(self, value: float) -> bool:
        """Whether a value lies on the right side of the limit."""
        return {"<": value < self.limit, ">": value > self.limit, ">=": value >= self.limit}[self.bound]


@dataclass(frozen=True, kw_only=True)
class LesionPreset:
    """Thresholds that were published together.

    Attributes
    ----------
    options : mapping
        Options of `LesionOptions` that differ from its defaults.
    criteria : tuple of Criterion
        By which the study chose patients by their lesions; empty where it did not.
    sources : tuple of str
    """

    options: Mapping[str, str | float] = field(default_factory=dict)
    criteria: tuple[Criterion, ...] = ()
    sources: tuple[str, ...] = ()


LESION_PRESETS: Registry[LesionPreset] = Registry("presets of lesions")
"""Thresholds by name. A name says whose thresholds these are, not that another program would find the same volumes."""

CAMPBELL = "flow: Campbell et al. 2011, doi:10.1161/STROKEAHA.111.618355"
WOUTERS = "Tmax: Wouters et al. 2017, doi:10.3389/fneur.2017.00539"
ALBERS = "Albers et al. 2018, doi:10.1056/NEJMoa1713973"
MA = "Ma et al. 2019, doi:10.1056/NEJMoa1813046"
EXTEND_IA = "Campbell et al. 2014, doi:10.1111/ijs.12206"
LIN = "Lin et al. 2016, doi:10.1148/radiol.2015150319"
CHEN = "Chen et al. 2021, doi:10.3389/fneur.2020.590766"
THORMANN = "CBV: Thormann et al. 2025, doi:10.1186/s12880-025-02002-7"
MUEHLEN = "Tmax: Muehlen et al. 2022, doi:10.3390/tomography8030109"

_TABLE = (
    (
        "rapid",
        "core: CBF below 30 % of normal tissue; hypoperfused: Tmax above 6 s",
        LesionPreset(sources=(CAMPBELL, WOUTERS)),
    ),
    (
        "defuse-3",
        "as rapid, with the trial's criteria: core below 70 ml, mismatch of 15 ml and more, ratio of 1.8 and more",
        LesionPreset(
            criteria=(
                Criterion(figure="core_ml", bound="<", limit=70.0),
                Criterion(figure="mismatch_ml", bound=">=", limit=15.0),
                Criterion(figure="mismatch_ratio", bound=">=", limit=1.8),
            ),
            sources=(ALBERS, CAMPBELL),
        ),
    ),
    (
        "extend",
        "as rapid, with the trial's criteria: core below 70 ml, mismatch above 10 ml, ratio above 1.2",
        LesionPreset(
            criteria=(
                Criterion(figure="core_ml", bound="<", limit=70.0),
                Criterion(figure="mismatch_ml", bound=">", limit=10.0),
                Criterion(figure="mismatch_ratio", bound=">", limit=1.2),
            ),
            sources=(MA, EXTEND_IA, CAMPBELL),
        ),
    ),
    (
        "mistar",
        "core: CBF below 30 % of normal tissue; hypoperfused: delay above 3 s (needs the delay map)",
        LesionPreset(options={"hypoperfusion_map": "delay"}, sources=(LIN, CHEN)),
    ),
    (
        "syngo",
        "core: CBV below 1.2 ml/100ml; hypoperfused: Tmax above 6 s (needs a calibrated CBV)",
        LesionPreset(options={"core_map": "cbv"}, sources=(THORMANN, MUEHLEN)),
    ),
)
for _name, _summary, _preset in _TABLE:
    LESION_PRESETS.register(_name, summary=_summary, source="; ".join(_preset.sources))(_preset)


@dataclass(frozen=True, kw_only=True)
class LesionOptions(Options):
    """What counts as a lesion.

    Read from a table, the values of a preset stand for those that are not given (`from_mapping`, `of`). The defaults
    are those of the preset ``rapid``: the share of flow is that of Campbell et al. 2011
    (doi:10.1161/STROKEAHA.111.618355), who found 31 % of the normal side's; Tmax above 6 s is in common use, as by
    Wouters et al. 2017 (doi:10.3389/fneur.2017.00539).
    """

    preset: str = option("rapid", "published thresholds; options that are given win over it", choices=LESION_PRESETS)
    reference: str = option(
        "whole",
        "normal tissue that flow is held against: the mean of all of it, or what of it lies mirrored around the place "
        "opposite",
        choices=("whole", "mirrored"),
    )
    core_map: str = option("cbf", "map that shows the core", choices=("cbf", "cbv"))
    core_flow: float = option(
        0.30, "hypoperfused tissue is core below this share of the mean flow of normal tissue", minimum=0, maximum=1
    )
    core_cbv: float = option(
        1.2, "with core_map = 'cbv': hypoperfused tissue is core below this", unit=CBV_UNIT, minimum=0.0, maximum=10.0
    )
    hypoperfusion_map: str = option("tmax", "map that shows hypoperfused tissue", choices=("tmax", "delay"))
    hypoperfusion_tmax: float = option(
        6.0, "tissue is hypoperfused above this Tmax", unit="s", minimum=0.0, maximum=30.0
    )
    hypoperfusion_delay: float = option(
        3.0, "with hypoperfusion_map = 'delay': hypoperfused above this", unit="s", minimum=0.0, maximum=30.0
    )
    smallest_cluster: float = option(
        1.0, "connected voxels of less volume are left out", unit="ml", minimum=0.0, maximum=100.0
    )
    closing: float = option(
        3.0,
        "gaps of up to twice this in a slice of a lesion are closed where there is tissue; 0 for none",
        unit="mm",
        minimum=0.0,
        maximum=20.0,
    )

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], *, where: str = "") -> Self:
        """Options from a table, on top of those of the preset that it names."""
        preset = values.get("preset", "rapid")
        base = LESION_PRESETS[preset].options if isinstance(preset, str) else {}
        return super().from_mapping({**base, **values}, where=where)

    @classmethod
    def of(cls, preset: str, **values: Any) -> Self:
        """Options of a preset, some of them changed."""
        return cls.from_mapping({"preset": preset, **values})

    @property
    def changed(self) -> tuple[str, ...]:
        """Names of the options that differ from the preset's."""
        own = type(self).of(self.preset).to_mapping()
        return tuple(name for name, value in self.to_mapping().items() if value != own[name])

    @property
    def core_rule(self) -> str:
        """What counts as core, in words."""
        if self.core_map == "cbv":
            return f"CBV below {self.core_cbv:g} {CBV_UNIT}, and hypoperfused"
        whose = "normal tissue" if self.reference == "whole" else "normal tissue opposite"
        return f"CBF below {100 * self.core_flow:g} % of {whose}, and hypoperfused"

    @property
    def hypoperfusion_rule(self) -> str:
        """What counts as hypoperfused, in words."""
        if self.hypoperfusion_map == "delay":
            return f"delay above {self.hypoperfusion_delay:g} s"
        return f"Tmax above {self.hypoperfusion_tmax:g} s"

"""What flows out: parameter maps with unit, geometry, validity and provenance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from PyPeTLib.arrays import Curve, Mask, Volume


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """What a map shows, in the terms of OSIPI CAPLEX where the lexicon has one.

    ``window`` is the range of values that a picture of the map shows by default.
    """

    name: str
    symbol: str
    title: str
    unit: str
    caplex: str = ""
    window: tuple[float, float] = (0.0, 1.0)


QUANTITIES: dict[str, Quantity] = {
    quantity.name: quantity
    for quantity in (
        Quantity(
            name="cbf",
            symbol="CBF",
            title="Cerebral blood flow",
            unit="ml/100g/min",
            caplex="Q.PH1.003",
            window=(0, 80),
        ),
        Quantity(name="cbv", symbol="CBV", title="Cerebral blood volume", unit="ml/100g", window=(0, 6)),
        Quantity(name="mtt", symbol="MTT", title="Mean transit time", unit="s", caplex="Q.PH1.006", window=(0, 14)),
        Quantity(name="ttp", symbol="TTP", title="Time to peak", unit="s", caplex="Q.CD1.010", window=(0, 30)),
        Quantity(name="tmax", symbol="Tmax", title="Time to maximum of the residue function", unit="s", window=(0, 12)),
        Quantity(name="delay", symbol="Ta", title="Arterial delay", unit="s", caplex="Q.PH1.007", window=(-2, 10)),
        Quantity(name="bat", symbol="BAT", title="Bolus arrival time", unit="s", window=(0, 30)),
        Quantity(name="peak_height", symbol="PH", title="Peak height of the concentration", unit="", window=(0, 60)),
        Quantity(name="shape", symbol="k", title="Shape of the transit times", unit="1", window=(0, 10)),
        Quantity(name="cbf_sd", symbol="SD CBF", title="Uncertainty of CBF", unit="ml/100g/min", window=(0, 20)),
        Quantity(name="cbv_sd", symbol="SD CBV", title="Uncertainty of CBV", unit="ml/100g", window=(0, 1)),
        Quantity(name="mtt_sd", symbol="SD MTT", title="Uncertainty of MTT", unit="s", window=(0, 4)),
        Quantity(name="delay_sd", symbol="SD Ta", title="Uncertainty of the delay", unit="s", window=(0, 2)),
        Quantity(name="k1", symbol="K1", title="Share of the mean curve, leakage model", unit="1", window=(0, 2)),
        Quantity(name="k2", symbol="K2", title="Leakage", unit="1/s", window=(-0.02, 0.02)),
        Quantity(name="kep", symbol="kep", title="Rate of return of leaked contrast", unit="1/s", window=(0, 0.1)),
        Quantity(name="psr", symbol="PSR", title="Percentage of signal recovery", unit="%", window=(0, 120)),
    )
}
"""The maps that PyPeT makes. CAPLEX has no code for Tmax."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ParameterMap:
    """A quantitative map.

    Attributes
    ----------
    quantity : Quantity
    values : ndarray of float32
        0 where ``valid`` is false.
    valid : ndarray of bool
        Where a value is a value: 0 is a valid Tmax.
    affine : ndarray, shape (4, 4)
        From voxel indices to RAS+ millimetres.
    unit : str
        The quantity's unit, or ``"1"`` for a relative map.
    calibrated : bool
        False where the absolute scale is arbitrary (DSC without a reference value).
    provenance : mapping
        How the map was made: method, constants, reference points.
    """

    quantity: Quantity
    values: Volume
    valid: Mask
    affine: Curve = field(default_factory=lambda: np.eye(4))
    unit: str = ""
    calibrated: bool = True
    provenance: Mapping[str, str | float | bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.values.shape != self.valid.shape:
            raise ValueError(f"values have shape {self.values.shape}, the validity mask {self.valid.shape}")
        if not self.unit:
            object.__setattr__(self, "unit", self.quantity.unit)

    @property
    def name(self) -> str:
        """Short lower-case name, also the file's stem."""
        return self.quantity.name

    def relative(self) -> ParameterMap:
        """The paper's relative map ``(x − mean)/mean``, the mean taken over the valid voxels."""
        mean = float(self.values[self.valid].mean(dtype=np.float64)) if self.valid.any() else 0.0
        values = np.zeros_like(self.values)
        if mean != 0:
            np.subtract(self.values / np.float32(mean), 1, out=values, where=self.valid)
        return ParameterMap(
            quantity=self.quantity,
            values=values,
            valid=self.valid & (mean != 0),
            affine=self.affine,
            unit="1",
            calibrated=True,
            provenance={**self.provenance, "relative_to_mean": mean},
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class PerfusionMaps(Mapping[str, ParameterMap]):
    """The maps of one run by name, also as attributes: ``maps["cbf"]`` is ``maps.cbf``.

    ``quality_mask`` is true where every map holds a value that the data support.
    """

    maps: Mapping[str, ParameterMap]
    quality_mask: Mask

    def __getitem__(self, name: str) -> ParameterMap:
        return self.maps[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.maps)

    def __len__(self) -> int:
        return len(self.maps)

    def __getattr__(self, name: str) -> ParameterMap:
        maps = self.__dict__.get("maps", {})
        if name in maps:
            found: ParameterMap = maps[name]
            return found
        raise AttributeError(f"no map {name!r}; there are {', '.join(maps) or 'none'}")

"""What a probe reads at a place or in a region."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from PyPeTLib.arrays import Curve
from PyPeTLib.deconvolution import ImpulseResponse
from PyPeTLib.maps import ParameterMap
from PyPeTLib.masking import TissueClass

Voxel = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class MapValue:
    """The value of a map at one voxel.

    ``valid`` is false where the map holds no value; ``unit`` is the map's, ``calibrated`` false where its scale is
    arbitrary.
    """

    name: str
    symbol: str
    title: str
    unit: str
    calibrated: bool
    value: float
    valid: bool

    @classmethod
    def of(cls, shown: ParameterMap, voxel: Voxel) -> MapValue:
        """That of a map at a voxel of its grid."""
        return cls(
            **_names_of(shown),
            calibrated=shown.calibrated,
            value=float(shown.values[voxel]),
            valid=bool(shown.valid[voxel]),
        )


@dataclass(frozen=True, kw_only=True)
class RegionValue:
    """Mean, standard deviation and median of a map over the voxels of a region that hold a value; 0 where none does."""

    name: str
    symbol: str
    title: str
    unit: str
    calibrated: bool
    mean: float
    sd: float
    median: float
    n_voxels: int

    @classmethod
    def of(cls, shown: ParameterMap, region: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> RegionValue:
        """That of a map in a region of its grid, shape (x, y, z)."""
        held = shown.values[region][shown.valid[region]].astype(np.float64)
        some = held if held.size else np.zeros(1)
        return cls(
            **_names_of(shown),
            calibrated=shown.calibrated,
            mean=float(some.mean()),
            sd=float(some.std()),
            median=float(np.median(some)),
            n_voxels=held.size,
        )


def _names_of(shown: ParameterMap) -> dict[str, str]:
    quantity = shown.quantity
    return {"name": quantity.name, "symbol": quantity.symbol, "title": quantity.title, "unit": shown.unit}


@dataclass(frozen=True, kw_only=True, eq=False)
class Deconvolved:
    """How the run's method explains one curve.

    Attributes
    ----------
    response : ImpulseResponse
    misfit : float
        Root mean square of the difference between the curve and what the response makes of the arterial input, in the
        unit of the curve.
    """

    response: ImpulseResponse
    misfit: float

    @classmethod
    def of(cls, response: ImpulseResponse, curve: Curve) -> Deconvolved:
        """That of a curve and the response that was found for it."""
        return cls(response=response, misfit=float(np.sqrt(np.mean((response.fitted - curve) ** 2))))


@dataclass(frozen=True, kw_only=True, eq=False)
class Curves:
    """The curves of a place, or the mean curves of a region; all float64.

    Attributes
    ----------
    signal_times : ndarray, shape (n,)
        Frame times of the signal in s.
    signals : tuple of ndarray, shape (n,)
        Signal of each echo, first to last: of the brain as it was analysed, elsewhere of the series as it was given.
    times : ndarray, shape (t,)
        Frame times in s of the curves below.
    measured : ndarray, shape (t,), or None
        Concentration before denoising.
    smoothed : ndarray, shape (t,), or None
        Concentration as it was deconvolved: after denoising and leakage correction.
    aif : ndarray, shape (t,), or None
        The arterial input that it was deconvolved with: scaled, and as tissue would show its contrast.
    unit : str
        Of all concentrations.
    lateness : float
        Time in s by which the tissue was sampled later than the frame times, where slice times are known.
    """

    signal_times: Curve
    signals: tuple[Curve, ...] = ()
    times: Curve
    measured: Curve | None = None
    smoothed: Curve | None = None
    aif: Curve | None = None
    unit: str
    lateness: float = 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading:
    """What a run knows of one place.

    Attributes
    ----------
    place : tuple of float
        In RAS+ mm.
    voxel, working_voxel : tuple of int, or None
        Indices on the grid of the input series, which is that of the maps, and on that of the series as analysed; None
        outside.
    in_brain : bool
        Inside the brain mask.
    analysed : bool
        Among the voxels that maps were made of.
    tissue : TissueClass
    side : str
        ``"left"`` or ``"right"`` of the midsagittal plane, the patient's.
    curves : Curves
    deconvolved : Deconvolved or None
    values : dict of str to MapValue
        All maps of the run by name; empty outside the series.
    notes : tuple of str
        Sentences that say what there is not, and why.
    """

    place: tuple[float, float, float]
    voxel: Voxel | None = None
    working_voxel: Voxel | None = None
    in_brain: bool = False
    analysed: bool = False
    tissue: TissueClass = TissueClass.OUTSIDE
    side: str = ""
    curves: Curves
    deconvolved: Deconvolved | None = None
    values: dict[str, MapValue] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class RegionReading:
    """What a run knows of a region.

    Attributes
    ----------
    n_voxels : int
        On the grid of the input series.
    volume : float
        In ml.
    n_analysed : int
        Voxels, on the grid of the series as analysed, that maps were made of; their mean curves are ``curves``.
    curves : Curves
    deconvolved : Deconvolved or None
        Of the mean curve; a method that compares neighbours sees it alone.
    values : dict of str to RegionValue
    notes : tuple of str
    """

    n_voxels: int
    volume: float
    n_analysed: int
    curves: Curves
    deconvolved: Deconvolved | None
    values: dict[str, RegionValue]
    notes: tuple[str, ...] = ()

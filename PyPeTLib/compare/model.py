"""What goes into a comparison and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Array, Curve, Mask, Volume
from PyPeTLib.compare.normalisation import NORMALISATIONS
from PyPeTLib.compare.resampling import INTERPOLATIONS
from PyPeTLib.compare.units import DENSITY, unit_name
from PyPeTLib.compare.validity import BACKGROUNDS
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.options import Options, option


@dataclass(frozen=True, kw_only=True, eq=False)
class MapImage:
    """A map as it comes: from a node, a file or a run.

    Attributes
    ----------
    values : ndarray of float, shape (x, y, z)
        Any order of the axes; NaN and infinite voxels hold no value.
    affine : ndarray, shape (4, 4)
        From voxel indices to RAS+ millimetres.
    valid : ndarray of bool, shape (x, y, z), optional
        Where a value is a value. Without it the rule for the background decides.
    unit : str
        A name in `UNITS`, or ``""`` where it is not known.
    name : str
        What messages call it.
    """

    values: Array
    affine: Curve
    valid: Mask | None = None
    unit: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        values = np.asarray(self.values)
        called = self.name or "the map"
        if values.ndim != 3 or 0 in values.shape:
            raise InputError(f"{called}: a map is one volume (x, y, z), found an array of shape {values.shape}")
        if values.dtype.kind not in "iufb":
            raise InputError(f"{called}: a map holds numbers, found values of type {values.dtype}")
        if self.valid is not None and self.valid.shape != values.shape:
            raise InputError(f"{called}: the mask has shape {self.valid.shape}, the map {values.shape}")
        if self.unit:
            object.__setattr__(self, "unit", unit_name(self.unit))
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "affine", Grid(values.shape, self.affine).affine)

    @property
    def grid(self) -> Grid:
        """Where the voxels lie."""
        x, y, z = self.values.shape
        return Grid((x, y, z), self.affine)


@dataclass(frozen=True, kw_only=True)
class CompareOptions(Options):
    """How two maps are compared."""

    normalisation: str = option("absolute", "values as they are, or relative to the mean", choices=NORMALISATIONS)
    interpolation: str = option("linear", "of the reference between its voxels", choices=INTERPOLATIONS)
    background: str = option(
        "border", "which voxels hold no value in a map that does not say so itself", choices=BACKGROUNDS
    )
    density: float = option(
        DENSITY, "density of brain tissue, for units per mass and per volume", unit="g/ml", minimum=0.5, maximum=2.0
    )
    minimum_overlap: float = option(
        0.2, "least part of the smaller map that both maps must cover", minimum=0.0, maximum=1.0
    )
    allow_mismatch: bool = option(
        False, "compare maps that look as if they were of other heads or in other units all the same"
    )


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How much of both maps was compared.

    Attributes
    ----------
    voxels : int
        Of the generated map's grid that hold a value in both maps, inside the brain where one was given.
    volume : float
        Their volume in ml.
    of_generated, of_reference : float
        Shares of all that each map holds.
    outline : float
        Dice coefficient of both maps' outlines where both were imaged.
    detail : float
        Correlation of their local detail, which tells whether they show one head; NaN where it could not be judged.
    """

    voxels: int
    volume: float
    of_generated: float
    of_reference: float
    outline: float
    detail: float

    def describe(self) -> str:
        """How much was compared, as a sentence."""
        return f"{self.voxels} voxels ({self.volume:.1f} ml) hold a value in both maps and were compared."


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """A generated map beside a reference, on the generated map's grid in the order of its own axes.

    Attributes
    ----------
    quantity : str
        Name in `QUANTITIES`.
    generated, reference : ndarray of float32, shape (x, y, z)
        After conversion and normalisation; 0 where a map holds no value.
    generated_valid, reference_valid : ndarray of bool
        Where each holds values.
    mask : ndarray of bool
        Where both do, inside the brain where one was given. All figures are of these voxels.
    difference : ndarray of float32
        Generated − reference; 0 outside the mask.
    affine : ndarray, shape (4, 4)
        From voxel indices to RAS+ millimetres.
    metrics : mapping of str to float
        By the names in `METRICS`; NaN where a figure is not defined.
    unit : str
        Of all values: the generated map's, ``"1"`` after a normalisation, ``""`` unless it was told for both maps.
    normalisation : str
        Name in `NORMALISATIONS`.
    data_range : float
        The range of values that the SSIM in the brain took as the scale of its constants.
    coverage : Coverage
    notes : tuple of str
        Sentences about what was done and what to keep in mind, doubts first.
    doubts : tuple of str
        Those of them that call the comparison into doubt: another head, another scale, a unit that nobody told.
    head_in_doubt : bool
        Whether both may be of two heads: it is not certain, or they were compared although they look like it.
    generated_name, reference_name : str
    """

    quantity: str
    generated: Volume
    reference: Volume
    generated_valid: Mask
    reference_valid: Mask
    mask: Mask
    difference: Volume
    affine: Curve
    metrics: Mapping[str, float]
    unit: str
    normalisation: str
    data_range: float
    coverage: Coverage
    notes: tuple[str, ...]
    doubts: tuple[str, ...] = ()
    head_in_doubt: bool = False
    generated_name: str = ""
    reference_name: str = ""

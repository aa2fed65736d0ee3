"""The whole comparison: a generated map, a reference on any grid, and every figure of their agreement."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.compare.metrics import Paired, all_metrics
from PyPeTLib.compare.model import CompareOptions, Comparison, Coverage, MapImage
from PyPeTLib.compare.normalisation import NORMALISATIONS, normalise
from PyPeTLib.compare.resampling import Resampled, resample_reference
from PyPeTLib.compare.same_head import Likeness, OtherHeadError, likeness
from PyPeTLib.compare.units import conversion_factor, explanations
from PyPeTLib.compare.validity import valid_voxels
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import DType, Grid, Reorientation, nearest_ras
from PyPeTLib.maps import QUANTITIES

_FAR_OFF = 20.0
"""Factor between medians from which on the unit is in doubt."""

_ML = 1e-3
"""ml in a mm³."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Side:
    """A map in RAS+ order, NaN and infinity replaced by 0, and where it holds values."""

    values: Volume
    valid: Mask
    orientation: Reorientation
    name: str

    @property
    def grid(self) -> Grid:
        return self.orientation.ras

    @property
    def volume(self) -> float:
        """Of the voxels that hold values, in ml."""
        return int(self.valid.sum()) * self.grid.voxel_volume * _ML


def compare_maps(
    quantity: str,
    generated: MapImage,
    reference: MapImage,
    *,
    brain: Mask | None = None,
    options: CompareOptions = CompareOptions(),  # noqa: B008 - frozen
) -> Comparison:
    """Compare a generated map with a reference of the same quantity.

    The reference is resampled onto the generated map's grid by its position in the world. Whatever an interpolation
    cannot support, because a voxel it needs holds no value or lies outside, is left out. All figures are over the
    voxels where both maps hold values, inside the brain where it is given. Axes may run in any order and direction;
    figures do not depend on it.

    Parameters
    ----------
    quantity : str
        Name in `QUANTITIES`.
    generated, reference : MapImage
    brain : ndarray of bool, optional
        On the grid of the generated map, in the order of its axes.
    options : CompareOptions

    Returns
    -------
    Comparison

    Raises
    ------
    OtherHeadError
        If the maps have too little in common, or seem to be of different heads (unless ``options.allow_mismatch``).
        See `same_head` for what can be told of heads.
    InputError
        If the maps seem to be in different units (unless ``options.allow_mismatch``), or units cannot be converted.
    """
    if quantity not in QUANTITIES:
        raise InputError(f"{quantity!r} is no quantity that maps show; known are {', '.join(QUANTITIES)}")
    notes: list[str] = []
    doubts: list[str] = []
    ours = _side(generated, options.background, "the generated map", notes)
    theirs = _side(reference, options.background, "the reference", notes)
    inside = _within_brain(ours, brain)
    resampled = _on_one_grid(ours, theirs, inside, options, notes)
    mask = inside & resampled.valid
    values = _in_unit(resampled.values, generated, reference, options, (notes, doubts))
    found = likeness(
        ours.values,
        values,
        (inside & resampled.imaged, resampled.valid),
        resampled.imaged,
        ours.grid.voxel_sizes,
        time=QUANTITIES[quantity].unit == "s",
    )
    _check_same_head(found, ours, theirs, options, doubts)
    _check_scale(quantity, (ours.values[mask], values[mask]), (generated, reference), options, doubts)
    chosen = options.normalisation
    paired = Paired(
        generated=normalise(ours.values, mask, inside, chosen, called=ours.name),
        reference=normalise(values, mask, resampled.valid, chosen, called=theirs.name),
        mask=mask,
        equal_means=not NORMALISATIONS[chosen].keeps_unit,
    )
    coverage = _coverage(ours, theirs, inside, mask, found)
    # a unit that was told for one map only would be a guess for the other
    unit = generated.unit if reference.unit else ""
    return Comparison(
        quantity=quantity,
        generated=_native(paired.generated, ours),
        reference=_native(paired.reference, ours),
        generated_valid=_native(inside, ours),
        reference_valid=_native(resampled.valid, ours),
        mask=_native(mask, ours),
        difference=_native(np.where(mask, paired.generated - paired.reference, np.float32(0)), ours),
        affine=generated.affine,
        metrics=all_metrics(paired),
        unit=unit if NORMALISATIONS[chosen].keeps_unit else "1",
        normalisation=chosen,
        data_range=paired.data_range,
        coverage=coverage,
        notes=(*doubts, coverage.describe(), *notes),
        doubts=tuple(doubts),
        head_in_doubt=found.doubtful or not found.same,
        generated_name=ours.name,
        reference_name=theirs.name,
    )


def _native(volume: npt.NDArray[DType], side: _Side) -> npt.NDArray[DType]:
    return np.ascontiguousarray(side.orientation.to_native(volume))


def _on_one_grid(ours: _Side, theirs: _Side, inside: Mask, options: CompareOptions, notes: list[str]) -> Resampled:
    """The reference on the generated map's grid, once it is known that they share enough of the head."""
    resampled = resample_reference(theirs.values, theirs.valid, theirs.grid, ours.grid, options.interpolation)
    if not theirs.grid.matches(ours.grid):
        notes.append(
            f"{theirs.name} was resampled ({options.interpolation}) from {theirs.grid.describe()} to "
            f"{ours.grid.describe()}."
        )
    _check_overlap(ours, theirs, inside, resampled, options)
    return resampled


def _coverage(ours: _Side, theirs: _Side, inside: Mask, mask: Mask, found: Likeness) -> Coverage:
    voxels = int(mask.sum())
    volume = voxels * ours.grid.voxel_volume * _ML
    return Coverage(
        voxels=voxels,
        volume=volume,
        of_generated=voxels / int(inside.sum()),
        of_reference=min(1.0, volume / theirs.volume),
        outline=found.dice,
        detail=found.detail,
    )


def _side(image: MapImage, background: str, called: str, notes: list[str]) -> _Side:
    orientation = nearest_ras(image.grid)
    with np.errstate(over="ignore"):  # beyond float32 is infinite and thus no value
        values = orientation.to_ras(image.values).astype(np.float32)
    given = None if image.valid is None else orientation.to_ras(np.asarray(image.valid, dtype=bool))
    valid, value = valid_voxels(values, given, background)
    name = image.name or called
    if value is not None:
        notes.append(f"Voxels of {value:g} in {name} were taken as its background.")
    if not valid.any():
        why = "is NaN or infinite" if value is None and given is None else "holds a value"
        none = "every voxel" if value is None and given is None else "no voxel"
        raise InputError(f"{name}: {none} {why}. Give another map, or choose another rule for the background.")
    return _Side(
        values=np.where(valid, values, np.float32(0)),
        valid=valid,
        orientation=orientation,
        name=name,
    )


def _within_brain(ours: _Side, brain: Mask | None) -> Mask:
    if brain is None:
        return ours.valid
    if brain.shape != ours.orientation.native.shape:
        raise InputError(
            f"the brain mask has shape {brain.shape}, {ours.name} {ours.orientation.native.shape}. Give it on the grid "
            "of the generated map."
        )
    inside: Mask = ours.valid & ours.orientation.to_ras(np.asarray(brain, dtype=bool))
    if not inside.any():
        raise InputError(f"{ours.name} holds no value inside the brain mask. Give the mask that belongs to it.")
    return inside


def _check_overlap(ours: _Side, theirs: _Side, inside: Mask, resampled: Resampled, options: CompareOptions) -> None:
    if not resampled.imaged.any():
        raise OtherHeadError(
            f"{theirs.name} and {ours.name} have no place in common: they cover {_extent(theirs.grid)} and "
            f"{_extent(ours.grid)} (RAS). Register the reference, or check that its file kept its position."
        )
    voxel = ours.grid.voxel_volume * _ML
    common = int((inside & resampled.valid).sum()) * voxel
    own = int(inside.sum()) * voxel
    smaller = min(own, theirs.volume)
    if common <= 0 or common < options.minimum_overlap * smaller:
        thin = ""
        if min(theirs.grid.shape) == 1 and options.interpolation == "linear":
            thin = " It has one slice: take the nearest voxel (interpolation) instead of interpolating linearly."
        # too thin to be interpolated says nothing of the head
        raise (InputError if thin else OtherHeadError)(
            f"{theirs.name} and {ours.name} share {common:.1f} ml, {common / smaller:.0%} of the smaller of the two "
            f"({theirs.volume:.1f} and {own:.1f} ml), and {options.minimum_overlap:.0%} are asked for. Register the "
            f"reference, or check that it is of this head and that its file kept its position.{thin}"
        )


def _extent(grid: Grid) -> str:
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * (np.array(grid.shape) - 1)
    places = corners @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    ranges = zip("xyz", places.min(axis=0), places.max(axis=0), strict=True)
    return ", ".join(f"{axis} {low:.0f} to {high:.0f} mm" for axis, low, high in ranges)


def _in_unit(
    values: Volume,
    generated: MapImage,
    reference: MapImage,
    options: CompareOptions,
    told: tuple[list[str], list[str]],
) -> Volume:
    """The reference in the unit of the generated map, if both are told; else that is a doubt."""
    notes, doubts = told
    if not generated.unit or not reference.unit:
        untold = [image.name or called for image, called in _named(generated, reference) if not image.unit]
        if NORMALISATIONS[options.normalisation].keeps_unit:
            doubts.append(f"No unit was told for {' and '.join(untold)}: values were compared as they are.")
        return values
    factor = conversion_factor(reference.unit, generated.unit, density=options.density)
    if factor == 1:
        return values
    notes.append(
        f"{reference.name or 'The reference'} was converted from {reference.unit} to {generated.unit}: multiplied by "
        f"{factor:.6g}."
    )
    return values * np.float32(factor)


def _named(generated: MapImage, reference: MapImage) -> tuple[tuple[MapImage, str], ...]:
    return (generated, "the generated map"), (reference, "the reference")


def _check_same_head(found: Likeness, ours: _Side, theirs: _Side, options: CompareOptions, doubts: list[str]) -> None:
    if found.same:
        if found.doubtful:
            doubts.append(f"Whether both maps show one head is not certain: {found.describe()}.")
        elif found.outlines_differ:
            doubts.append(f"The outlines of both maps differ, but their detail fits: {found.describe()}.")
        return
    sentence = f"{theirs.name} and {ours.name} do not seem to show one head at one place: {found.describe()}."
    if not options.allow_mismatch:
        raise OtherHeadError(
            f"{sentence} Give the reference of this patient, register it, or allow the mismatch (allow_mismatch) to "
            "compare them all the same."
        )
    doubts.append(sentence)


def _check_scale(
    quantity: str,
    values: tuple[Volume, Volume],
    images: tuple[MapImage, MapImage],
    options: CompareOptions,
    doubts: list[str],
) -> None:
    """Refuse values that only another unit would explain; only where the scale counts."""
    if not NORMALISATIONS[options.normalisation].keeps_unit:
        return
    middle, other = (float(np.median(np.abs(side))) for side in values)
    if middle <= 0 or other <= 0 or abs(math.log(other / middle)) < math.log(_FAR_OFF):
        return
    generated, reference = images
    factor = other / middle
    times, direction = (factor, "higher") if factor > 1 else (1 / factor, "lower")
    name = reference.name or "the reference"
    sentence = (
        f"The median of {name} is {times:.3g} times {direction} than that of {generated.name or 'the generated map'} "
        f"({other:.3g} against {middle:.3g})."
    )
    units = () if generated.unit and reference.unit else _explaining(quantity, factor, generated, reference, options)
    if units and not options.allow_mismatch:
        raise InputError(
            f"{sentence} {units[0]} Tell the unit, compare relative values, or allow the mismatch (allow_mismatch)."
        )
    doubts.append(" ".join((sentence, *(units or ("No known unit explains it: their scales differ.",)))))


def _explaining(
    quantity: str, factor: float, generated: MapImage, reference: MapImage, options: CompareOptions
) -> tuple[str, ...]:
    """A sentence with the units that would explain a factor between reference and generated map, if there are any."""
    if reference.unit and not generated.unit:
        known, name, factor = reference.unit, generated.name or "the generated map", 1 / factor
    else:
        known, name = generated.unit or QUANTITIES[quantity].unit, reference.name or "the reference"
    units = explanations(factor, known, density=options.density) if known else ()
    if not units:
        return ()
    told = generated.unit or reference.unit
    condition = f"beside {known}" if told else f"if the other map is in {known}"
    return (f"That would fit if {name} were in {' or '.join(units)} {condition}.",)

"""All maps of a scan against the reference maps that belong to it, and the lesions that both show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from PyPeTLib.arrays import Mask
from PyPeTLib.compare.files import read_map_file
from PyPeTLib.compare.maps import compare_maps
from PyPeTLib.compare.model import CompareOptions, Comparison, MapImage
from PyPeTLib.compare.normalisation import NORMALISATIONS
from PyPeTLib.compare.outcome import LESIONS, Agreement, Failure, ReferenceComparison
from PyPeTLib.compare.overlap import Overlap, overlap
from PyPeTLib.compare.same_head import OtherHeadError
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.lesions import LesionOptions
from PyPeTLib.lesions.thresholds import DENSITY, lesions_of
from PyPeTLib.maps import QUANTITIES, ParameterMap, PerfusionMaps
from PyPeTLib.masking import Mirror

if TYPE_CHECKING:
    from PyPeTLib.report.mosaic import Pixels

AS_THE_PAPER = CompareOptions(normalisation="relative")
"""References often come without a unit, and the paper compares relative values."""

_IN_SECONDS = ("tmax", "delay")
_LIKELY = 4.0
"""Factor between the upper values of two maps of a time up to which both may be in seconds."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LesionRules:
    """By what lesions of both sides are found: masks on the grid of the generated maps, as for `lesions_of`."""

    tissue: Mask
    normal: Mask
    options: LesionOptions = field(default_factory=LesionOptions)
    mirror: Mirror | None = None
    density: float = DENSITY


def compare_references(
    maps: PerfusionMaps,
    references: Mapping[str, Path],
    *,
    grid: Grid,
    brain: Mask | None = None,
    options: CompareOptions = AS_THE_PAPER,
    units: Mapping[str, str] | None = None,
    lesions: LesionRules | None = None,
    pictures: bool = True,
) -> ReferenceComparison:
    """Compare the maps of a scan with their reference maps; what cannot be compared does not stop the others.

    References of a scan are of one head: if one of them is refused as of another head, or of this one at another place
    or mirrored, none is compared, nor are lesions. Where it is in doubt, absolute values are not compared; lesions are
    only if at least one of the maps is beyond doubt.

    With relative values (the default), absolute ones are compared too where the scale of the map is absolute and the
    unit of the reference is told by ``units`` or by ``Units`` in its JSON sidecar.

    Lesions are found in the reference's maps as in the generated ones, with the same tissue and over the voxels that
    all of these maps hold. The reference's flow needs no unit. Times without one are taken for seconds if their upper
    values are like those of the generated map, which a note says.

    Parameters
    ----------
    maps : PerfusionMaps
    references : mapping of str to Path
        NIfTI files by quantity.
    grid : Grid
        Of the maps.
    brain : ndarray of bool, optional
        On that grid.
    options : CompareOptions
    units : mapping of str to str, optional
        Of references, by quantity; they win over sidecars.
    lesions : LesionRules, optional
        Without them, lesions are not compared.
    pictures : bool
        Whether pictures are drawn, which takes matplotlib.
    """
    agreements: list[Agreement] = []
    failures: list[Failure] = []
    read: dict[str, MapImage] = {}
    for quantity, path in references.items():
        try:
            generated = _generated(maps, quantity)
            symbol = QUANTITIES[quantity].symbol
            reference, told = read_map_file(path, unit=(units or {}).get(quantity, ""), name=f"the reference {symbol}")
        except InputError as error:
            failures.append(Failure(quantity=quantity, reason=_without_path(str(error), path)))
            continue
        made, failed = compare_images(
            quantity, (generated, reference), brain=brain, options=options, notes=told, pictures=pictures
        )
        agreements += made
        failures += failed
        if made:
            read[quantity] = reference
    agreements, failures = of_one_head(agreements, failures)
    overlaps = None
    if lesions is not None and {"cbf", "tmax"} <= set(references):
        try:
            _check_head_of_lesions(agreements, failures, options)
            overlaps, note = _lesions(maps, read, grid, brain, options, lesions)
            agreements = [_noted(agreement, note) for agreement in agreements]
        except InputError as error:
            failures.append(Failure(quantity="lesions", reason=str(error)))
    return ReferenceComparison(agreements=tuple(agreements), failures=tuple(failures), lesions=overlaps)


def of_one_head(agreements: list[Agreement], failures: list[Failure]) -> tuple[list[Agreement], list[Failure]]:
    """One verdict for all references of a folder: if one of them shows another head, none counts as compared.

    A mirrored map of times may pass where that of flow does not, and its figures would then look like a poor agreement.
    """
    telling = [QUANTITIES[failure.quantity].symbol for failure in failures if failure.other_head]
    if not telling:
        return agreements, failures
    several = len(telling) > 1
    reason = (
        f"Left out: the reference{'s' if several else ''} {', '.join(telling)} {'do' if several else 'does'} not show "
        "this head at its place, and all references of a scan must be of one head."
    )
    left = dict.fromkeys(agreement.quantity for agreement in agreements)
    return [], [*failures, *(Failure(quantity=quantity, reason=reason) for quantity in left)]


def compare_images(
    quantity: str,
    images: tuple[MapImage, MapImage],
    *,
    brain: Mask | None = None,
    options: CompareOptions = AS_THE_PAPER,
    notes: tuple[str, ...] = (),
    pictures: bool = True,
) -> tuple[list[Agreement], list[Failure]]:
    """Compare a generated map with its reference in every way that their units allow.

    Parameters
    ----------
    quantity : str
    images : pair of MapImage
        Generated and reference.
    brain, options, pictures
        As for `compare_references`.
    notes : tuple of str
        Put before those of the comparison, after doubts.

    Returns
    -------
    agreements, failures : list
        Of relative values, then of absolute ones. The latter are left out where the head is in doubt.
    """
    generated, reference = images
    ways = [options.normalisation]
    if not NORMALISATIONS[options.normalisation].keeps_unit and generated.unit and reference.unit:
        ways.append("absolute")
    made: list[Comparison] = []
    failed: dict[str, Failure] = {}
    doubt = ""
    for way in ways:
        if made and made[0].head_in_doubt and not options.allow_mismatch:
            doubt = "Absolute values were not compared, since it is not certain that both maps show one head."
            break
        try:
            found = compare_maps(
                quantity, generated, reference, brain=brain, options=replace(options, normalisation=way)
            )
            if found.head_in_doubt and NORMALISATIONS[way].keeps_unit and not options.allow_mismatch:
                raise InputError(  # noqa: TRY301 - told like all that speaks against maps
                    f"{found.doubts[0]} Absolute values of two heads say nothing: check that the reference is of this "
                    "patient, compare relative values, or allow the mismatch (allow_mismatch)."
                )
            made.append(found)
        except InputError as error:
            # what speaks against the maps speaks against both ways
            other = isinstance(error, OtherHeadError)
            failed.setdefault(str(error), Failure(quantity=quantity, reason=str(error), other_head=other))
    # absolute values, where there are some, tell more in a picture
    drawn = _drawn(made[-1]) if made and pictures else {}
    agreements = [
        _agreement(comparison, notes, doubt, drawn if comparison is made[-1] else {}, first=comparison is made[0])
        for comparison in made
    ]
    return agreements, list(failed.values())


def _agreement(
    comparison: Comparison, told: tuple[str, ...], doubt: str, pictures: Mapping[str, Pixels], *, first: bool
) -> Agreement:
    doubts = (*comparison.doubts, *([doubt] if doubt else []))
    # it is the same for each way of comparing
    known = set(comparison.doubts) if first else {*comparison.doubts, comparison.coverage.describe()}
    others = tuple(note for note in comparison.notes if note not in known)
    return Agreement(
        quantity=comparison.quantity,
        unit=comparison.unit,
        normalisation=comparison.normalisation,
        metrics=dict(comparison.metrics),
        voxels=comparison.coverage.voxels,
        volume=comparison.coverage.volume,
        notes=(*doubts, *told, *others),
        doubts=doubts,
        head_in_doubt=comparison.head_in_doubt,
        pictures=pictures,
    )


def _drawn(comparison: Comparison) -> dict[str, Pixels]:
    from PyPeTLib.report.comparison import agreement_figure, comparison_page  # noqa: PLC0415 - it draws with this room

    return {
        comparison.quantity: comparison_page(comparison),
        f"{comparison.quantity}_agreement": agreement_figure(comparison),
    }


def _generated(maps: PerfusionMaps, quantity: str) -> MapImage:
    if quantity not in maps:
        raise InputError(f"{quantity}: this run made no such map, only {', '.join(maps)}.")
    found = maps[quantity]
    return MapImage(
        values=found.values,
        affine=found.affine,
        # as who reads the maps' files sees them
        valid=found.valid & maps.quality_mask,
        unit=found.unit if found.calibrated else "",
        name=f"the generated {found.quantity.symbol}",
    )


def _check_head_of_lesions(agreements: list[Agreement], failures: list[Failure], options: CompareOptions) -> None:
    if any(failure.other_head for failure in failures):
        raise InputError("Left out: the references do not show this head at its place.")
    in_doubt = agreements and all(agreement.head_in_doubt for agreement in agreements)
    if in_doubt and not options.allow_mismatch:
        raise InputError(
            "Left out: it is not certain that any of the references shows this head, so volumes of lesions were not "
            "compared. Check that they are of this patient."
        )


def _lesions(
    maps: PerfusionMaps,
    references: Mapping[str, MapImage],
    grid: Grid,
    brain: Mask | None,
    options: CompareOptions,
    rules: LesionRules,
) -> tuple[dict[str, Overlap], str]:
    """Overlap of lesions in both maps, and a note about what was taken for granted."""
    missing = [QUANTITIES[name].symbol for name in ("cbf", "tmax") if name not in references]
    if missing:
        raise InputError(f"There is no {' and '.join(missing)} to compare with, so lesions were not compared.")
    theirs, notes = {}, []
    for name in dict.fromkeys(("cbf", "tmax", rules.options.core_map, rules.options.hypoperfusion_map)):
        if name in references and name in maps:
            theirs[name], note = _reference_map(name, maps[name], references[name], brain, options)
            notes.append(note)
    shared = np.logical_and.reduce([found.valid & maps[name].valid for name, found in theirs.items()])
    sides = [
        PerfusionMaps(
            maps={name: replace(found[name], valid=shared) for name in theirs}, quality_mask=maps.quality_mask & shared
        )
        for found in (maps, theirs)
    ]
    found = [
        lesions_of(side, rules.tissue, rules.normal, grid, rules.options, mirror=rules.mirror, density=rules.density)
        for side in sides
    ]
    overlaps = {name: overlap(getattr(found[0], name), getattr(found[1], name), grid) for name in LESIONS}
    return overlaps, " ".join(note for note in notes if note)


def _reference_map(
    name: str, own: ParameterMap, reference: MapImage, brain: Mask | None, options: CompareOptions
) -> tuple[ParameterMap, str]:
    """A reference on the generated map's grid, as thresholds of lesions need it, and what was taken for granted."""
    generated = _generated(PerfusionMaps(maps={name: own}, quality_mask=own.valid), name)
    calibrated, note = bool(generated.unit and reference.unit), ""
    if name in ("cbf", "cbv") and not calibrated:
        # thresholds are shares of the flow of normal tissue
        way, unit = "ratio", "1"
    else:
        way, unit = "absolute", own.unit
    found = compare_maps(name, generated, reference, brain=brain, options=replace(options, normalisation=way))
    if name in _IN_SECONDS and not reference.unit:
        high, other = (float(np.percentile(side[found.mask], 95)) for side in (found.generated, found.reference))
        told = f"its 95th percentile is {other:.3g}, that of the generated map {high:.3g} s"
        if not (high > 0 and 1 / _LIKELY <= other / high <= _LIKELY):
            raise InputError(
                f"The unit of {reference.name} is not told, and its values do not look like seconds ({told}), so "
                "lesions were not compared. Tell the unit, such as with Units in a JSON sidecar."
            )
        note = f"The unit of {reference.name} is not told; for lesions it was taken for seconds ({told})."
    made = ParameterMap(
        quantity=own.quantity,
        values=found.reference,
        valid=found.reference_valid & found.generated_valid,
        affine=own.affine,
        unit=unit,
        calibrated=calibrated,
    )
    return made, note


def _noted(agreement: Agreement, note: str) -> Agreement:
    if not note or agreement.quantity != "tmax":
        return agreement
    return replace(agreement, notes=(*agreement.notes, note))


def _without_path(reason: str, path: Path) -> str:
    """A reason with the name of a file in place of its path, which may tell more than a table should."""
    return reason.replace(str(path), path.name)

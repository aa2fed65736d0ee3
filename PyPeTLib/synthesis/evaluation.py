"""How well methods predict the PET of subjects who have one: figures, territories, hypometabolic regions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.compare.fidelity import SCOPES, fidelity
from PyPeTLib.compare.fidelity_tables import FidelityRecord, fidelity_tables
from PyPeTLib.compare.geometric_territories import geometric_territories
from PyPeTLib.compare.labelmaps import LabelMap
from PyPeTLib.compare.model import MapImage
from PyPeTLib.compare.overlap import Overlap, overlap
from PyPeTLib.compare.scores import Scores, score_correlations
from PyPeTLib.compare.territories import Selection, territory_table
from PyPeTLib.errors import InputError
from PyPeTLib.lesions.hypometabolic import HypometabolicOptions, HypometabolicRegions, find_hypometabolic
from PyPeTLib.synthesis.evaluation_tables import (
    PREDICTED,
    REAL,
    LowRegions,
    agreement_table,
    hypometabolic_agreement_table,
    score_values,
    territories_table,
)
from PyPeTLib.synthesis.subject import Subject
from PyPeTLib.tables import DataTable

Method = Callable[[Subject], Volume | None]
"""Predicts the PET of a subject on its grid, 0 outside the brain; None where it cannot."""


@dataclass(frozen=True, kw_only=True, eq=False)
class EvaluatedSubject:
    """One subject with all predictions, as handed over before the next one is loaded.

    Attributes
    ----------
    subject : Subject
        With its PET.
    predictions : mapping of str to ndarray
        By method.
    reference_method : str
        Whose prediction the regions are of.
    records : tuple of FidelityRecord
    real, predicted : HypometabolicRegions
    """

    subject: Subject
    predictions: Mapping[str, Volume]
    reference_method: str
    records: tuple[FidelityRecord, ...]
    real: HypometabolicRegions
    predicted: HypometabolicRegions

    @property
    def prediction(self) -> Volume:
        """That of the reference method."""
        return self.predictions[self.reference_method]

    def figures(self, scope: str = "volume") -> dict[str, float]:
        """The reference method's figures by name."""
        return {
            record.metric: record.value
            for record in self.records
            if record.method == self.reference_method and record.scope == scope
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """What is known after all subjects; nothing of it grows with the size of a volume.

    Attributes
    ----------
    methods : tuple of str
        In their order.
    reference_method : str
        Against which the others are tested, and whose territories and regions are told.
    subjects : tuple of str
    records : tuple of FidelityRecord
    territories : mapping of str to DataTable
        By subject, of the real and the predicted PET.
    low : mapping of str to LowRegions
        Hypometabolic regions by subject.
    means : mapping of str to (float, float)
        Mean real and predicted PET in the brain by subject.
    notes : tuple of str
    """

    methods: tuple[str, ...]
    reference_method: str
    subjects: tuple[str, ...]
    records: tuple[FidelityRecord, ...]
    territories: Mapping[str, DataTable]
    low: Mapping[str, LowRegions]
    means: Mapping[str, tuple[float, float]]
    notes: tuple[str, ...] = ()

    @cached_property
    def fidelity(self) -> tuple[DataTable, ...]:
        """Figures by subject, their summary, and the tests against the reference method."""
        return fidelity_tables(self.records, reference_method=self.reference_method)

    def tables(self, scores: Scores | None = None) -> tuple[DataTable, ...]:
        """All tables; with scores also how they go with predicted and real figures."""
        found = [
            *self.fidelity,
            territories_table(self.territories),
            agreement_table(self.territories),
            hypometabolic_agreement_table(self.low),
        ]
        if scores is not None:
            table = score_correlations(score_values(self.territories, self.low, self.means), scores)
            found.append(replace(table, name="scores"))
        return tuple(found)

    def by_metric(self, scopes: Mapping[str, str]) -> dict[str, dict[str, list[float]]]:
        """Values of each figure by method, for plots.

        Parameters
        ----------
        scopes : mapping of str to str
            Which scope to show of each figure, by its name.
        """
        return {
            metric: {
                method: [
                    record.value
                    for record in self.records
                    if (record.metric, record.method, record.scope) == (metric, method, scope)
                ]
                for method in self.methods
            }
            for metric, scope in scopes.items()
        }


def evaluate(
    methods: Mapping[str, Method],
    subjects: Iterable[Subject],
    *,
    reference_method: str = "",
    territories: LabelMap | Callable[[Subject], LabelMap] | None = None,
    hypometabolic: HypometabolicOptions | None = None,
    each: Callable[[EvaluatedSubject], None] | None = None,
) -> Evaluation:
    """Predict the PET of each subject by each method and compare it with the real one.

    Methods never see the PET, which counts as 0 outside the brain. Subjects are asked for one by one, and nothing but
    figures is kept of them.

    Parameters
    ----------
    methods : mapping of str to callable
        By the name that tables give them.
    subjects : iterable of Subject
        With PET, each of another name; a generator keeps one in memory at a time.
    reference_method : str
        By default the last one.
    territories : LabelMap or callable, optional
        In the subjects' common space, or of each subject. By default nine territories from the outline of the brain,
        an approximation.
    hypometabolic : HypometabolicOptions, optional
    each : callable, optional
        Gets each subject with its predictions, to write or to show them.

    Raises
    ------
    InputError
        If there is no method or no subject, a subject has no PET, two have one name, or a method fails.
    """
    reference = reference_method or next(reversed(list(methods)), "")
    if reference not in methods:
        raise InputError(f"there is no method {reference!r} to compare with; given are {', '.join(methods) or 'none'}.")
    records: list[FidelityRecord] = []
    tables: dict[str, DataTable] = {}
    low: dict[str, LowRegions] = {}
    means: dict[str, tuple[float, float]] = {}
    missing: dict[str, list[str]] = {}
    for given in subjects:
        if given.name in tables:
            raise InputError(f"two subjects are called {given.name}. Give each a name of its own.")
        subject = within_brain(given)
        found = _evaluated(methods, subject, reference, hypometabolic)
        for method in methods:
            if method not in found.predictions:
                missing.setdefault(method, []).append(subject.name)
        records += found.records
        tables[subject.name] = _territories(found, territories)
        low[subject.name] = _low(found)
        means[subject.name] = _mean(_pet(subject), subject.mask), _mean(found.prediction, subject.mask)
        if each is not None:
            each(found)
    if not tables:
        raise InputError("there is no subject to evaluate. Give at least one with a PET.")
    return Evaluation(
        methods=tuple(method for method in methods if len(missing.get(method, ())) < len(tables)),
        reference_method=reference,
        subjects=tuple(tables),
        records=tuple(records),
        territories=tables,
        low=low,
        means=means,
        notes=tuple(
            f"{method}: no prediction for {_some(names)}, whose grid is another one than that of training."
            for method, names in missing.items()
        ),
    )


def within_brain(subject: Subject) -> Subject:
    """The subject with a PET that is 0 outside the brain, where nothing is predicted: scalp is no error of a method."""
    return replace(subject, pet=np.where(subject.mask, _pet(subject), np.float32(0)))


def _evaluated(
    methods: Mapping[str, Method], subject: Subject, reference: str, hypometabolic: HypometabolicOptions | None
) -> EvaluatedSubject:
    pet, blind = _pet(subject), subject.without_pet()
    made = {name: method(blind) for name, method in methods.items()}
    predictions = {name: volume for name, volume in made.items() if volume is not None}
    if reference not in predictions:
        raise InputError(f"{subject.name}: the method {reference}, which others are compared with, predicts nothing.")
    records = tuple(
        FidelityRecord(subject=subject.name, method=name, scope=scope, metric=metric, value=value)
        for name, volume in predictions.items()
        for scope in SCOPES
        for metric, value in fidelity(volume, pet, subject.mask, scope=scope).items()
    )
    real, predicted = (
        find_hypometabolic(volume, subject.mask, subject.mirror, hypometabolic)
        for volume in (pet, predictions[reference])
    )
    return EvaluatedSubject(
        subject=subject,
        predictions=predictions,
        reference_method=reference,
        records=records,
        real=real,
        predicted=predicted,
    )


def _territories(found: EvaluatedSubject, given: LabelMap | Callable[[Subject], LabelMap] | None) -> DataTable:
    subject = found.subject
    if given is None:
        labelmap = geometric_territories(subject.mask, subject.grid, subject.mirror.plane)
    else:
        labelmap = given if isinstance(given, LabelMap) else given(subject)
    volumes = {REAL: _pet(subject), PREDICTED: found.prediction}
    within = Selection(mask=subject.mask, text="the voxels of the brain mask")
    return territory_table(
        {
            name: MapImage(
                values=volume, affine=subject.grid.affine, valid=subject.mask, name=f"{subject.name}, {name}"
            )
            for name, volume in volumes.items()
        },
        labelmap,
        within=dict.fromkeys(volumes, within),
        units=dict.fromkeys(volumes, "unit of the PET"),
    )


def _low(found: EvaluatedSubject) -> LowRegions:
    real, predicted = found.real, found.predicted
    together: Overlap = overlap(predicted.mask, real.mask, found.subject.grid)
    inside = real.mask & predicted.valid
    there = float(predicted.difference[inside].mean(dtype=np.float64)) if inside.any() else None
    return LowRegions(real=_sides(real), predicted=_sides(predicted), dice=together.dice, predicted_there=there)


def _sides(regions: HypometabolicRegions) -> tuple[float, float, float]:
    return regions.left_ml, regions.right_ml, regions.deficit


def _mean(volume: Volume, mask: Mask) -> float:
    return float(volume[mask].mean(dtype=np.float64))


def _pet(subject: Subject) -> Volume:
    if subject.pet is None:
        raise InputError(f"{subject.name}: there is no PET to compare with.")
    return subject.pet


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return f"{', '.join(names[:4])}{more}"

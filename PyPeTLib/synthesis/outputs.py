"""Files of predictions: PET volumes on the grid of the MRI, errors, figures of agreement, pictures."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from PyPeTLib.arrays import Volume
from PyPeTLib.compare.fidelity import FIDELITY, SCOPES, fidelity
from PyPeTLib.io import write_json, write_volume
from PyPeTLib.io.table_files import RESEARCH_ONLY, write_csv
from PyPeTLib.lesions.hypometabolic import HypometabolicRegions, find_hypometabolic
from PyPeTLib.report.html.numbers import number, spaced
from PyPeTLib.report.page import write_png
from PyPeTLib.report.synthesis import SynthesisPicture, synthesis_page
from PyPeTLib.synthesis.evaluation import within_brain
from PyPeTLib.synthesis.model import SynthesisModel
from PyPeTLib.synthesis.prediction import LIMITS, predict
from PyPeTLib.synthesis.subject import Subject
from PyPeTLib.synthesis.training import NOT_VALIDATED, method_name
from PyPeTLib.tables import Cell, Column, DataTable
from PyPeTLib.version import __version__

SYNTHETIC_PET = "Synthetic PET, research use only."

SYNTHETIC_DATA = (
    "These are made heads: their PET is locally a linear function of their MRI by construction, which favours the "
    "model. The figures say nothing of how it does with patients."
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """A predicted PET and what belongs to it.

    Attributes
    ----------
    subject : Subject
        With its PET where there is one to compare with.
    method : str
    volume : ndarray of float32, shape (x, y, z)
        On the subject's grid.
    unit : str
    low : HypometabolicRegions
        Of the predicted PET.
    real_low : HypometabolicRegions, optional
        Of the real one.
    warnings : tuple of str
    """

    subject: Subject
    method: str
    volume: Volume
    unit: str
    low: HypometabolicRegions
    real_low: HypometabolicRegions | None = None
    warnings: tuple[str, ...] = ()

    @property
    def figures(self) -> dict[str, dict[str, float]]:
        """Figures of agreement with the real PET by scope; empty without one."""
        real = self.subject.pet
        if real is None:
            return {}
        return {scope: fidelity(self.volume, real, self.subject.mask, scope=scope) for scope in SCOPES}


def predicted(model: SynthesisModel, subject: Subject, warnings: Sequence[str] = ()) -> Prediction:
    """The PET of a subject by a model, which does not see the real one; both, where there are two, with their regions.

    Raises
    ------
    InputError
        If a contrast of the model is missing.
    """
    volume = predict(model, subject.without_pet())
    if subject.pet is not None:
        subject = within_brain(subject)
    real = subject.pet
    return Prediction(
        subject=subject,
        method=method_name(model),
        volume=volume,
        unit=model.unit,
        low=find_hypometabolic(volume, subject.mask, subject.mirror),
        real_low=None if real is None else find_hypometabolic(real, subject.mask, subject.mirror),
        warnings=tuple(warnings),
    )


def write_prediction(folder: Path, found: Prediction, model: SynthesisModel) -> None:
    """Write one subject's predicted PET with its sidecar, and with a real PET the errors and figures.

    Parameters
    ----------
    folder : Path
        Exists.
    found : Prediction
    model : SynthesisModel
        That predicted.
    """
    subject = found.subject
    write_volume(folder / "synthetic_pet.nii.gz", found.volume, subject.orientation, description=SYNTHETIC_PET)
    write_volume(
        folder / "hypometabolic.nii.gz", found.low.mask, subject.orientation, dtype=np.uint8, description=SYNTHETIC_PET
    )
    write_json(folder / "synthetic_pet.json", _sidecar(found, model))
    if subject.pet is not None:
        write_errors(folder / "error", found.volume, subject)
        write_csv(folder / "metrics.csv", metrics_table(found.figures))
    if can_draw():
        write_png(folder / "figure.png", synthesis_page(picture(found)))


def write_errors(stem: Path, volume: Volume, subject: Subject) -> None:
    """Write predicted − real PET in the brain as ``<stem>_absolute.nii.gz`` and ``<stem>_signed.nii.gz``."""
    error = np.where(subject.mask, volume - (0 if subject.pet is None else subject.pet), np.float32(0))
    for name, values in (("absolute", np.abs(error)), ("signed", error)):
        path = stem.with_name(f"{stem.name}_{name}.nii.gz")
        write_volume(path, values, subject.orientation, description=f"PyPeT {name} error of synthetic PET")


def metrics_table(figures: Mapping[str, Mapping[str, float]]) -> DataTable:
    """Figures of agreement by scope."""
    rows: list[tuple[Cell, ...]] = [
        (scope, name, FIDELITY[name].title, FIDELITY[name].unit or None, value)
        for scope, values in figures.items()
        for name, value in values.items()
    ]
    return DataTable(
        name="metrics",
        title="Predicted against real PET",
        columns=tuple(
            Column(name=name, title=title)
            for name, title in (
                *(("scope", "Voxels"), ("metric", "Name"), ("title", "Figure"), ("unit", "Unit"), ("value", "Value")),
            )
        ),
        rows=tuple(rows),
        note="; ".join(f"{scope}: {told}" for scope, told in SCOPES.items()),
    )


def picture(found: Prediction, *, notes: Sequence[str] = ()) -> SynthesisPicture:
    """What is drawn of a prediction."""
    subject = found.subject
    lines = [
        f"{SCOPES[scope]}: ".capitalize()
        + " · ".join(
            f"{FIDELITY[name].title} {number(value)}{spaced(FIDELITY[name].unit)}" for name, value in values.items()
        )
        for scope, values in found.figures.items()
    ]
    return SynthesisPicture(
        name=subject.name,
        method=found.method,
        grid=subject.grid,
        mask=subject.mask,
        contrasts=subject.contrasts,
        predicted=found.volume,
        pet=subject.pet,
        unit=found.unit,
        low_predicted=found.low.mask,
        low_real=None if found.real_low is None else found.real_low.mask,
        facts=tuple(lines),
        warnings=(*notes, *found.warnings, *subject.notes),
    )


def can_draw() -> bool:
    """Whether matplotlib and Pillow are there, which some installations lack."""
    return all(importlib.util.find_spec(name) is not None for name in ("matplotlib", "PIL"))


def about() -> dict[str, Any]:
    """By what every summary begins."""
    return {"software": "PyPeT", "version": __version__, "notice": RESEARCH_ONLY}


def _sidecar(found: Prediction, model: SynthesisModel) -> dict[str, Any]:
    subject = found.subject
    return {
        **about(),
        "description": SYNTHETIC_PET,
        "limits": [LIMITS, NOT_VALIDATED],
        "subject": subject.name,
        "unit": found.unit or "not told",
        "method": found.method,
        "model_digest": model.digest,
        "training_subjects": model.subjects,
        "contrasts": list(model.contrasts),
        "hypometabolic_ml": {"left": found.low.left_ml, "right": found.low.right_ml},
        "figures": found.figures,
        "warnings": list(found.warnings),
        "notes": list(subject.notes),
    }

"""A training run: models of several patch numbers and the baselines from one pass over the subjects, and its files."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from PyPeTLib.errors import InputError
from PyPeTLib.io import read_volume, write_json, write_volume
from PyPeTLib.io.table_files import RESEARCH_ONLY, write_csv
from PyPeTLib.synthesis.baselines import BRAIN_TEMPLATE, GLOBAL_LINEAR, TEMPLATE, Template, TemplateSum, global_linear
from PyPeTLib.synthesis.evaluation import Method
from PyPeTLib.synthesis.fitting import Fit, fit
from PyPeTLib.synthesis.model import SynthesisModel
from PyPeTLib.synthesis.model_files import load_model, save_model
from PyPeTLib.synthesis.options import SynthesisOptions
from PyPeTLib.synthesis.prediction import predict
from PyPeTLib.synthesis.subject import Subject
from PyPeTLib.tables import Cell, Column, DataTable
from PyPeTLib.version import __version__

GLOBAL_FILE = "global-linear.npz"
TEMPLATE_FILES = {TEMPLATE: "template.nii.gz", BRAIN_TEMPLATE: "brain-template.nii.gz"}

NOT_VALIDATED = (
    "Trained on the subjects given and nothing else. Whether the model holds for other scanners, sequences, tracers or "
    "diseases is not known."
)


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedSubject:
    """What is told of a subject that a model was trained on.

    Attributes
    ----------
    name : str
    pet_sha256 : str
        Of the PET's voxels, by which an evaluation knows it again.
    voxels : int
        Of the brain.
    notes : tuple of str
    """

    name: str
    pet_sha256: str
    voxels: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Training:
    """What a training run made.

    Attributes
    ----------
    fits : mapping of str to Fit
        By the name of the method, ``"P = 64"`` and so on, and the global linear model.
    templates : mapping of str to Template
        By the name of the method; empty without baselines, and where the subjects' grids differ.
    subjects : tuple of TrainedSubject
    notes : tuple of str
    """

    fits: Mapping[str, Fit]
    templates: Mapping[str, Template]
    subjects: tuple[TrainedSubject, ...]
    notes: tuple[str, ...] = ()


def method_name(model: SynthesisModel) -> str:
    """What tables call a model: its number of patches, or the global linear one."""
    options = model.options
    if options.patches == 1 and options.features == "raw":
        return GLOBAL_LINEAR
    return f"P = {options.patches}" + (f", {options.features} features" if options.features != "full" else "")


def train(
    subjects: Iterable[Subject], choices: Sequence[SynthesisOptions], *, unit: str = "", baselines: bool = True
) -> Training:
    """Fit all models and baselines in one pass over the subjects, of which one is in memory at a time.

    Parameters
    ----------
    subjects : iterable of Subject
        With PET; a generator is asked once.
    choices : sequence of SynthesisOptions
        One for each model.
    unit : str
        Of the PET.
    baselines : bool
        Also the global linear model, and the mean PET where all subjects lie on one grid.

    Raises
    ------
    InputError
        If a subject has no PET, contrasts differ, there are too few subjects, or no choice.
    """
    if not choices:
        raise InputError("there is no model to train. Give at least one number of patches.")
    sum_of_pets = TemplateSum()
    seen: list[TrainedSubject] = []
    every = [*choices, *([global_linear(choices[0])] if baselines else [])]
    passing = _told(sum_of_pets.watched(subjects) if baselines else subjects, seen)
    fits = {method_name(made.model): made for made in fit(passing, *every, unit=unit)}
    notes = [note for one in seen for note in one.notes]
    if sum_of_pets.note:
        notes.append(sum_of_pets.note)
    notes += [
        f"{name}: after {len(made.residuals) - 1} sweeps the residual is {made.residuals[-1]:.1e}, above the tolerance."
        for name, made in fits.items()
        if not made.converged
    ]
    return Training(
        fits=fits,
        templates=sum_of_pets.templates() if baselines else {},
        subjects=tuple(seen),
        notes=tuple(dict.fromkeys(notes)),
    )


def write_training(folder: Path, training: Training, *, more: Mapping[str, Any] | None = None) -> None:
    """Write models, template, the course of the iteration and the summary; equal runs give equal bytes.

    Parameters
    ----------
    folder : Path
        Exists.
    training : Training
    more : mapping, optional
        Further facts for ``summary.json``.
    """
    models = {}
    for name, made in training.fits.items():
        file = GLOBAL_FILE if name == GLOBAL_LINEAR else f"patches-{made.model.options.patches}.npz"
        save_model(folder / file, made.model)
        models[file] = {
            "method": name,
            "digest": made.model.digest,
            "options": made.model.options.to_mapping(),
            "sweeps": len(made.residuals) - 1,
            "converged": made.converged,
            "residual": made.residuals[-1],
            "exact_difference": made.exact_difference,
        }
    for name, template in training.templates.items():
        path = folder / TEMPLATE_FILES[name]
        write_volume(path, template.values, template.orientation, description=f"PyPeT mean PET: {name}")
    write_csv(folder / "training.csv", course_table(training))
    first = next(iter(training.fits.values())).model
    write_json(
        folder / "summary.json",
        {
            "software": "PyPeT",
            "version": __version__,
            "notice": RESEARCH_ONLY,
            "synthesis": "training",
            "limits": NOT_VALIDATED,
            "contrasts": list(first.contrasts),
            "unit": first.unit,
            "n_subjects": len(training.subjects),
            "models": models,
            "templates": [TEMPLATE_FILES[name] for name in training.templates],
            "subjects": [
                {"name": one.name, "brain_voxels": one.voxels, "pet_sha256": one.pet_sha256}
                for one in training.subjects
            ],
            "notes": list(training.notes),
            **(more or {}),
        },
    )


def course_table(training: Training) -> DataTable:
    """Residual and objective of each model after each sweep."""
    rows: list[tuple[Cell, ...]] = [
        (name, sweep, residual, objective)
        for name, made in training.fits.items()
        for sweep, (residual, objective) in enumerate(zip(made.residuals, made.objectives, strict=True))
    ]
    return DataTable(
        name="training",
        title="Course of the block Gauss–Seidel iteration",
        columns=(
            Column(name="model", title="Model"),
            Column(name="sweep", title="Sweep"),
            Column(name="residual", title="Relative residual"),
            Column(name="objective", title="Objective"),
        ),
        rows=tuple(rows),
        note="Sweep 0: before the first one.",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedMethods:
    """Models and baselines read from files.

    Attributes
    ----------
    models : mapping of str to SynthesisModel
        By the name of the method, fewer patches first.
    templates : mapping of str to Template
    trained_on : frozenset of str
        Hashes of the PETs that the folder's models were trained on, where it tells them.
    """

    models: Mapping[str, SynthesisModel]
    templates: Mapping[str, Template] = field(default_factory=dict)
    trained_on: frozenset[str] = frozenset()

    @property
    def reference_method(self) -> str:
        """The model with most patches."""
        return max(self.models, key=lambda name: self.models[name].options.patches)

    def methods(self) -> dict[str, Method]:
        """What `evaluate` takes: templates, global linear, then the models."""
        found: dict[str, Method] = {name: template.predict for name, template in self.templates.items()}
        for name in sorted(self.models, key=lambda name: name != GLOBAL_LINEAR):
            found[name] = _predicting(self.models[name])
        return found


def read_methods(paths: Sequence[Path]) -> TrainedMethods:
    """Models and baselines from files and from folders of `write_training`.

    Raises
    ------
    InputError
        If a path is none of both, a folder holds no model, or there is no model but the baseline.
    """
    models: dict[str, SynthesisModel] = {}
    templates: dict[str, Template] = {}
    trained_on = set[str]()
    for path in paths:
        files = model_files(path) if path.is_dir() else [path]
        for file in files:
            model = load_model(file)
            name = method_name(model)
            if name in models:
                name = f"{name} ({file.parent.name}/{file.stem})"
            if name in models:
                raise InputError(f"{file}: this model is named twice. Name each once.")
            models[name] = model
        if path.is_dir():
            trained_on |= _trained_on(path)
            for name, file_name in TEMPLATE_FILES.items():
                if name not in templates and (path / file_name).is_file():
                    found = read_volume(path / file_name)
                    templates[name] = Template(
                        values=found.data, orientation=found.orientation, of_brain=name == BRAIN_TEMPLATE
                    )
    if not models:
        raise InputError("no model was given. Name the folder of a training run, or .npz files.")
    ordered = dict(sorted(models.items(), key=lambda item: item[1].options.patches))
    return TrainedMethods(models=ordered, templates=templates, trained_on=frozenset(trained_on))


def model_files(folder: Path) -> list[Path]:
    """The model files of a training run, fewer patches first, the global linear one before them.

    Raises
    ------
    InputError
        If there is none.
    """
    found = [
        (int(match[1]), path)
        for path in folder.iterdir()
        if (match := re.fullmatch(r"patches-(\d+)\.npz", path.name)) and path.is_file()
    ]
    baseline = [folder / GLOBAL_FILE] if (folder / GLOBAL_FILE).is_file() else []
    if not found:
        raise InputError(
            f"{folder}: there is no model (patches-64.npz and so on) in this folder. Give the output folder of "
            "'pypet synthesis train', or a model file."
        )
    return [*baseline, *(path for _, path in sorted(found))]


def one_model(path: Path) -> Path:
    """The model file that is meant by a file, or by a folder with exactly one model besides the baseline.

    Raises
    ------
    InputError
        If there are several, or none.
    """
    if not path.is_dir():
        return path
    files = [file for file in model_files(path) if file.name != GLOBAL_FILE]
    if len(files) > 1:
        names = ", ".join(file.name for file in files)
        raise InputError(f"{path}: this folder holds several models, {names}. Name one of them, as {files[-1]}.")
    return files[0]


def pet_digest(subject: Subject) -> str:
    """SHA-256 of the PET in the brain, in float32 and in RAS+ order; "" without a PET."""
    if subject.pet is None:
        return ""
    return hashlib.sha256(np.ascontiguousarray(subject.pet[subject.mask], "<f4").tobytes()).hexdigest()


def _told(subjects: Iterable[Subject], seen: list[TrainedSubject]) -> Iterator[Subject]:
    for subject in subjects:
        seen.append(
            TrainedSubject(
                name=subject.name,
                pet_sha256=pet_digest(subject),
                voxels=int(np.count_nonzero(subject.mask)),
                notes=tuple(f"{subject.name}: {note}" for note in subject.notes),
            )
        )
        yield subject


def _predicting(model: SynthesisModel) -> Method:
    return lambda subject: predict(model, subject)


def _trained_on(folder: Path) -> set[str]:
    try:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        return {str(one["pet_sha256"]) for one in summary["subjects"] if one["pet_sha256"]}
    except (OSError, ValueError, KeyError, TypeError):
        # without it the models work all the same
        return set()

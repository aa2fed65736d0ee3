"""Files of an evaluation: volumes and pictures as subjects pass by, then tables, figures and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PyPeTLib.compare.fidelity import FIDELITY, SCOPES
from PyPeTLib.compare.scores import Scores
from PyPeTLib.io import write_json, write_volume
from PyPeTLib.io.table_files import write_csv, write_workbook
from PyPeTLib.report.html.numbers import number
from PyPeTLib.report.html.synthesis import write_synthesis_report
from PyPeTLib.report.page import write_png
from PyPeTLib.report.synthesis import fidelity_figure, synthesis_page
from PyPeTLib.synthesis.evaluation import EvaluatedSubject, Evaluation
from PyPeTLib.synthesis.model import SynthesisModel
from PyPeTLib.synthesis.outputs import (
    SYNTHETIC_DATA,
    SYNTHETIC_PET,
    Prediction,
    about,
    can_draw,
    picture,
    write_errors,
)
from PyPeTLib.synthesis.prediction import LIMITS
from PyPeTLib.tables import Column, DataTable

PLOTTED = {"psnr": "volume", "ssim": "volume", "nmae": "volume", "nmse": "volume", "ncc": "mask"}
"""Figures that are drawn and over which voxels: a correlation over the background would tell of the outline alone."""

_IN_WORDS = {"volume": "volume", "mask": "in the brain"}

_IN_REPORT = ("fidelity_summary", "fidelity_paired", "territory_agreement", "scores")
"""Tables within the page besides those shown at once; the others are long."""


class EvaluationFiles:
    """Writes an evaluation into a folder that exists.

    Parameters
    ----------
    folder : Path
    unit : str
        Of the PET.
    synthetic : bool
        Whether the subjects are made ones, which every page then says.
    """

    def __init__(self, folder: Path, *, unit: str = "", synthetic: bool = False) -> None:
        self.folder = folder
        self.unit = unit
        self._limits = (LIMITS, *([SYNTHETIC_DATA] if synthetic else []))
        self._draws = can_draw()
        self._warnings: dict[str, tuple[str, ...]] = {}
        self._pictures: dict[str, Path] = {}
        for name in ("predictions", "errors", *(["figures"] if self._draws else [])):
            (folder / name).mkdir()

    def warn(self, subject: str, warnings: Sequence[str]) -> None:
        """Take note of what is odd about a subject that is about to be evaluated."""
        if warnings:
            self._warnings[subject] = tuple(warnings)

    def add(self, found: EvaluatedSubject) -> None:
        """Write the reference method's prediction, errors and picture of one subject: `evaluate`'s ``each``."""
        subject, name = found.subject, found.subject.name
        write_volume(
            self.folder / "predictions" / f"{name}.nii.gz",
            found.prediction,
            subject.orientation,
            description=SYNTHETIC_PET,
        )
        write_errors(self.folder / "errors" / name, found.prediction, subject)
        if not self._draws:
            return
        shown = Prediction(
            subject=subject,
            method=found.reference_method,
            volume=found.prediction,
            unit=self.unit,
            low=found.predicted,
            real_low=found.real,
            warnings=self._warnings.get(name, ()),
        )
        path = self.folder / "figures" / f"{name}.png"
        write_png(path, synthesis_page(picture(shown, notes=self._limits[1:])))
        self._pictures[name] = path

    def finish(
        self,
        evaluation: Evaluation,
        models: Mapping[str, SynthesisModel],
        *,
        scores: Scores | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        """Write tables, the summary figure, the report and ``summary.json``."""
        tables = evaluation.tables(scores)
        for table in tables:
            write_csv(self.folder / f"{table.name}.csv", table)
        write_workbook(self.folder / "tables.xlsx", tables, title="PET predicted from MRI, against the real one")
        told = [f"{name}: {text}" for name, texts in self._warnings.items() for text in texts]
        warnings = [*self._limits, *notes, *evaluation.notes, *told]
        headings = {
            metric: f"{FIDELITY[metric].heading}, {_IN_WORDS[scope]}"
            for metric, scope in PLOTTED.items()
            if metric in FIDELITY
        }
        if self._draws:
            drawn = {headings[metric]: found for metric, found in evaluation.by_metric(PLOTTED).items()}
            note = "Made heads: by their construction they favour the model." if len(self._limits) > 1 else ""
            figure = fidelity_figure(drawn, subjects=len(evaluation.subjects), notes=note)
            write_png(self.folder / "figures" / "summary.png", figure)
        write_synthesis_report(
            self.folder / "report.html",
            title="PET predicted from MRI, against the real one",
            facts=self._facts(evaluation, models),
            warnings=warnings,
            figures={headings[metric]: _named(evaluation, metric, scope) for metric, scope in PLOTTED.items()},
            tables=[overview_table(evaluation), *(table for table in tables if table.name == "hypometabolic")],
            details=[table for table in tables if table.name in _IN_REPORT],
            pictures=self._pictures,
        )
        write_json(self.folder / "summary.json", self._summary(evaluation, models, tables, warnings))

    def _facts(self, evaluation: Evaluation, models: Mapping[str, SynthesisModel]) -> list[tuple[str, str]]:
        first = next(iter(models.values()))
        return [
            ("Subjects", f"{len(evaluation.subjects)}"),
            ("Trained on", ", ".join(dict.fromkeys(f"{model.subjects} subjects" for model in models.values()))),
            ("Contrasts", ", ".join(first.contrasts)),
            ("Unit of the PET", self.unit or "not told"),
            ("Methods", ", ".join(evaluation.methods)),
            ("Pictures, territories, regions", f"of {evaluation.reference_method}"),
        ]

    def _summary(
        self,
        evaluation: Evaluation,
        models: Mapping[str, SynthesisModel],
        tables: Sequence[DataTable],
        warnings: Sequence[str],
    ) -> dict[str, Any]:
        return {
            **about(),
            "synthesis": "evaluation",
            "subjects": list(evaluation.subjects),
            "methods": list(evaluation.methods),
            "reference_method": evaluation.reference_method,
            "models": {
                name: {"digest": model.digest, "training_subjects": model.subjects, "contrasts": list(model.contrasts)}
                for name, model in models.items()
            },
            "unit": self.unit,
            "tables": [f"{table.name}.csv" for table in tables],
            "warnings": list(warnings),
        }


def overview_table(evaluation: Evaluation) -> DataTable:
    """Means with their intervals and p-values, methods down and figures across, for both scopes."""
    summary = evaluation.fidelity[1]
    names = [column.name for column in summary.columns]
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for row in summary.rows:
        found = dict(zip(names, row, strict=True))
        text = f"{number(found['mean'])} [{number(found['mean_low'])}, {number(found['mean_high'])}]"
        p = found.get("p_t_holm")
        if isinstance(p, float):
            text += ", p < 0.001" if p < 0.001 else f", p = {p:.3f}"
        cells.setdefault((str(found["scope"]), str(found["method"])), {})[str(found["metric"])] = text
    return DataTable(
        name="overview",
        title=f"Mean over {len(evaluation.subjects)} subjects with its 95 % interval",
        columns=(
            Column(name="voxels", title="Voxels"),
            Column(name="method", title="Method"),
            *(Column(name=name, title=FIDELITY[name].heading) for name in FIDELITY),
        ),
        rows=tuple(
            (SCOPES[scope], method, *(texts.get(name) for name in FIDELITY)) for (scope, method), texts in cells.items()
        ),
        note=f"p: paired t test against {evaluation.reference_method} after Holm's correction, whichever of both is "
        "better; intervals of Student's t. Wilcoxon's tests and bootstrap intervals stand in the tables in full. "
        "Figures over the whole volume and those in the brain must not be held against each other.",
    )


def _named(evaluation: Evaluation, metric: str, scope: str) -> dict[str, list[tuple[str, float]]]:
    return {
        method: [
            (record.subject, record.value)
            for record in evaluation.records
            if (record.metric, record.method, record.scope) == (metric, method, scope)
        ]
        for method in evaluation.methods
    }

"""``pypet synthesis evaluate``: predicted against real PET, for several models and baselines."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyPeTLib.cli.synthesis.subjects import LAYOUT, add_loading, is_made, loaded, warn
from PyPeTLib.errors import InputError

if TYPE_CHECKING:
    from PyPeTLib.compare.labelmaps import LabelMap
    from PyPeTLib.synthesis.subject import Subject

EXAMPLES = f"""\
examples:
  pypet synthesis evaluate models/ dataset/ evaluation/
  pypet synthesis evaluate models/patches-64.npz models/patches-8.npz dataset/ evaluation/
  pypet synthesis evaluate models/ dataset/ evaluation/ --territories atlas.nii.gz --names atlas.csv
  pypet synthesis evaluate models/ dataset/ evaluation/ --scores clinic.csv

{LAYOUT}
All methods are compared on the same subjects; tables, pictures, territories and hypometabolic regions are of the model
with most patches, against which the others are tested. Without --territories nine regions are drawn from the outline of
the brain, which is an approximation. Subjects that the models were trained on prove nothing; they are told of.
Made heads, as of 'pypet synthesis demo', favour the model by their construction. Research use only.
"""


def add_parser(commands: Any) -> None:
    """Add the command to ``pypet synthesis``."""
    parser = commands.add_parser(
        "evaluate",
        help="compare predicted with real PET",
        description="Predict the PET of subjects who have one and compare: figures, tests, territories, regions.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "models", nargs="+", type=Path, metavar="MODELS", help="folder of a training (all it holds), or .npz files"
    )
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="folder with test/ in it, or test/ itself")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to make")
    parser.add_argument(
        "--territories",
        type=Path,
        metavar="PATH",
        help="labelmap in the space of all subjects, or a folder with one labelmap a subject, named as its images",
    )
    parser.add_argument("--names", type=Path, metavar="FILE", help="names of the labels (JSON, TSV or CSV)")
    parser.add_argument(
        "--scores", type=Path, metavar="CSV", help="scores such as nihss and mrs: a line for each subject"
    )
    add_loading(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace OUT if PyPeT made it")
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> None:
    """Evaluate, write and print what came of it."""
    from PyPeTLib.compare.fidelity_tables import fidelity_text  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.compare.scores import read_scores  # noqa: PLC0415
    from PyPeTLib.io import OutputFolder  # noqa: PLC0415
    from PyPeTLib.synthesis.census import Census  # noqa: PLC0415
    from PyPeTLib.synthesis.dataset import split_folder, survey_subjects  # noqa: PLC0415
    from PyPeTLib.synthesis.evaluation import evaluate  # noqa: PLC0415
    from PyPeTLib.synthesis.evaluation_files import EvaluationFiles  # noqa: PLC0415
    from PyPeTLib.synthesis.outputs import SYNTHETIC_DATA  # noqa: PLC0415
    from PyPeTLib.synthesis.training import read_methods  # noqa: PLC0415

    trained = read_methods(options.models)
    contrasts = list(dict.fromkeys(name for model in trained.models.values() for name in model.contrasts))
    split = split_folder(options.dataset, "test")
    found = survey_subjects(split, contrasts=contrasts)
    for note in found.notes:
        print(f"pypet: {note}", file=sys.stderr)
    scores = None if options.scores is None else read_scores(options.scores)
    _check_scores(scores, [one.name for one in found.subjects])
    territories = _territories(options, [one.name for one in found.subjects])
    inputs = [
        *options.models,
        *(path for one in found.subjects for path in (*one.contrasts.values(), one.pet, one.mask) if path),
        *(path for path in (options.territories, options.names, options.scores) if path is not None),
    ]
    made = is_made(split)
    reference = trained.reference_method
    with OutputFolder(options.out, overwrite=options.overwrite, inputs=inputs) as folder:
        files = EvaluationFiles(folder, unit=trained.models[reference].unit, synthetic=made)
        known: list[str] = []
        census = Census(refuse_misaligned=not options.allow_mismatch)
        evaluation = evaluate(
            trained.methods(),
            _checked(census.watch(loaded(found.subjects, options, stage="evaluating")), trained, files, known),
            reference_method=reference,
            territories=territories,
            each=files.add,
        )
        notes = [*([_known(known, len(found.subjects))] if known else []), *census.notes]
        files.finish(evaluation, trained.models, scores=scores, notes=notes)
    for note in [*notes, *evaluation.notes]:
        warn(note)
    print(fidelity_text(evaluation.fidelity[1]))
    if made:
        print(SYNTHETIC_DATA)
    print(f"written to {options.out}: report.html, tables.xlsx, figures/, predictions/, errors/. Research use only.")


def _checked(subjects: Iterable[Subject], trained: Any, files: Any, known: list[str]) -> Iterator[Subject]:
    """The same subjects; what is odd about them is told and kept, and those known from training are noted."""
    from PyPeTLib.synthesis import check_contrasts  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.synthesis.training import pet_digest  # noqa: PLC0415

    for subject in subjects:
        told = (text for model in trained.models.values() for text in check_contrasts(model, subject))
        odd = dict.fromkeys([*told, *subject.notes])
        for warning in odd:
            warn(subject.name, warning)
        files.warn(subject.name, tuple(odd))
        if pet_digest(subject) in trained.trained_on:
            known.append(subject.name)
        yield subject


def _known(names: list[str], of: int) -> str:
    listing = f"{', '.join(names[:6])}{' and more' if len(names) > 6 else ''}"
    return (
        f"{len(names)} of {of} subjects ({listing}) were among those that the models were trained on: figures of these "
        "say nothing of new subjects."
    )


def _check_scores(scores: Any, names: list[str]) -> None:
    if scores is not None and not set(scores.subjects) & set(names):
        raise InputError(
            f"{scores.name}: none of its subjects ({', '.join(scores.subjects[:4])} ...) is one of the dataset "
            f"({', '.join(names[:4])} ...). Name subjects alike, letter by letter."
        )


def _territories(options: argparse.Namespace, names: list[str]) -> Any:
    """A labelmap for all, a function that reads that of each subject, or None."""
    from PyPeTLib.compare.labelmaps import read_labelmap  # noqa: PLC0415 - keeps `pypet --help` quick

    path: Path | None = options.territories
    if path is None:
        if options.names is not None:
            raise InputError("--names tells the names of the labels of --territories. Give both.")
        return None
    if not path.is_dir():
        return read_labelmap(path, names=options.names)
    found = {name: [file for end in (".nii.gz", ".nii") if (file := path / f"{name}{end}").is_file()] for name in names}
    missing = [name for name, files in found.items() if not files]
    if missing:
        raise InputError(
            f"{path}: there is no labelmap of {', '.join(missing[:6])}. Name them as the images are named."
        )

    def of_subject(subject: Subject) -> LabelMap:
        return read_labelmap(found[subject.name][0], names=options.names)

    return of_subject

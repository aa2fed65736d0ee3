"""``pypet synthesis predict``: PET of one head or a folder of heads from their MRI."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyPeTLib.cli.synthesis.subjects import add_loading, loaded, warn
from PyPeTLib.errors import InputError

if TYPE_CHECKING:
    from PyPeTLib.synthesis.dataset import SubjectFiles

EXAMPLES = """\
examples:
  pypet synthesis predict models/patches-64.npz out/ --contrast T1=t1.nii.gz --contrast T2=t2.nii.gz
  pypet synthesis predict models/patches-64.npz out/ --contrast MRI=head.nii.gz --mask brain.nii.gz
  pypet synthesis predict models/patches-64.npz out/ --contrast MRI=head.nii.gz --pet real_pet.nii.gz
  pypet synthesis predict models/patches-64.npz out/ --subjects dataset/test/

OUT gets synthetic_pet.nii.gz on the grid of the first contrast, with a sidecar (.json), hypometabolic.nii.gz (low
against the other side) and figure.png; with a real PET also error_absolute.nii.gz, error_signed.nii.gz (predicted -
real) and metrics.csv. With --subjects, a folder for each subject. The real PET is only compared with, never used to
predict.

A predicted PET is no measurement. A lesion that the MRI does not show cannot appear in it, and for heads unlike those
of training it can be wrong and look right. Warnings about unusual contrasts are printed and stand in the sidecar.
Research use only.
"""


def add_parser(commands: Any) -> None:
    """Add the command to ``pypet synthesis``."""
    parser = commands.add_parser(
        "predict",
        help="predict the PET of heads from their MRI",
        description="Predict the PET of one head, or of a folder of heads, by a trained model. Research use only.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "model", type=Path, metavar="MODEL", help="model file (.npz), or the folder of a training with one model"
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to make")
    parser.add_argument(
        "--contrast",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="an MRI of the head by the name of its contrast; once for each contrast of the model",
    )
    parser.add_argument(
        "--subjects",
        type=Path,
        metavar="FOLDER",
        help="instead: a folder with a folder for each contrast, as the test/ of a dataset",
    )
    parser.add_argument("--mask", type=Path, metavar="FILE", help="brain mask; not needed for skull-stripped images")
    parser.add_argument("--pet", type=Path, metavar="FILE", help="the real PET, to compare with")
    parser.add_argument("--name", default="", metavar="TEXT", help="what to call the head (default: by its first file)")
    add_loading(parser, many=False)
    parser.add_argument("--overwrite", action="store_true", help="replace OUT if PyPeT made it")
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> None:
    """Predict, and write what came of it."""
    from PyPeTLib.io import OutputFolder, write_json  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.synthesis.alignment import alignment  # noqa: PLC0415
    from PyPeTLib.synthesis.model_files import load_model  # noqa: PLC0415
    from PyPeTLib.synthesis.outputs import about, can_draw, predicted, write_prediction  # noqa: PLC0415
    from PyPeTLib.synthesis.prediction import check_contrasts  # noqa: PLC0415
    from PyPeTLib.synthesis.training import one_model  # noqa: PLC0415

    path = one_model(options.model)
    model = load_model(path)
    files = _files(options, model.contrasts)
    inputs = [
        path,
        *(file for one in files for file in (*one.contrasts.values(), one.pet, one.mask) if file is not None),
    ]
    with OutputFolder(options.out, overwrite=options.overwrite, inputs=inputs) as out:
        for subject in loaded(files, options, stage="predicting"):
            odd = [*check_contrasts(model, subject)]
            if subject.pet is not None and (fault := alignment(subject).fault):
                odd.append(f"Compared with the real PET with doubts: {fault}.")
            for warning in (*odd, *subject.notes):
                warn(subject.name, warning)
            folder = out / subject.name if options.subjects else out
            folder.mkdir(exist_ok=True)
            found = predicted(model, subject, odd)
            write_prediction(folder, found, model)
            _tell(found)
        names = [one.name for one in files]
        facts = {"synthesis": "prediction", "model_digest": model.digest, "subjects": names}
        write_json(out / "summary.json", {**about(), **facts})
    if not can_draw():
        print("pypet: matplotlib is not installed, so there are no pictures", file=sys.stderr)
    print(f"written to {options.out}. Synthetic PET, research use only.")


def _files(options: argparse.Namespace, contrasts: tuple[str, ...]) -> tuple[SubjectFiles, ...]:
    from PyPeTLib.synthesis.dataset import SubjectFiles, find_subjects  # noqa: PLC0415 - keeps `pypet --help` quick

    needed = ", ".join(contrasts)
    if options.subjects is not None:
        if options.contrast or options.mask or options.pet or options.name:
            raise InputError(
                "--subjects takes contrasts, masks and PETs from the folder. Leave --contrast, --mask, --pet and "
                "--name out, or give one head's files without --subjects."
            )
        return find_subjects(options.subjects, needs_pet=False, contrasts=contrasts)
    given: dict[str, Path] = {}
    for text in options.contrast:
        name, mark, file = text.partition("=")
        if not mark or not name or not file:
            raise InputError(f"--contrast {text}: give NAME=FILE, such as {contrasts[0]}=head.nii.gz.")
        if name in given:
            raise InputError(f"--contrast {name} is given twice. Give each contrast once.")
        given[name] = Path(file)
    if not given:
        raise InputError(f"no MRI was given. The model needs {needed}: give each as --contrast NAME=FILE.")
    _check_names(tuple(given), contrasts)
    first = given[contrasts[0]]
    for path in (*given.values(), options.mask, options.pet):
        if path is not None and not path.exists():
            raise InputError(f"{path}: there is no such file. Check the path.")
    name = options.name or first.name.removesuffix(".gz").removesuffix(".nii")
    return (SubjectFiles(name=name, contrasts=given, pet=options.pet, mask=options.mask),)


def _tell(found: Any) -> None:
    low = found.low
    print(
        f"{found.subject.name}: {found.method}; low against the other side: {low.left_ml:.1f} ml on the left, "
        f"{low.right_ml:.1f} ml on the right"
    )
    for scope, figures in found.figures.items():
        print(f"  against the real PET ({scope}): " + ", ".join(f"{k} {v:.4g}" for k, v in figures.items()))


def _check_names(given: tuple[str, ...], contrasts: tuple[str, ...]) -> None:
    """Refuse contrasts that the model does not take, and others than all that it does."""
    needed = ", ".join(contrasts)
    missing = [name for name in contrasts if name not in given]
    if missing:
        raise InputError(
            f"the contrast {', '.join(missing)} is missing: the model was trained on {needed}, and given were "
            f"{', '.join(given)}. Give it with --contrast {missing[0]}=FILE; a model does not work without."
        )
    unknown = [name for name in given if name not in contrasts]
    if unknown:
        # it would have its say in what is brain
        raise InputError(f"the model takes {needed}, not {', '.join(unknown)}. Leave that out.")

"""``pypet synthesis train``: models and baselines from pairs of MRI and PET."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from PyPeTLib.cli.synthesis.subjects import LAYOUT, add_loading, is_made, loaded, warn

EXAMPLES = f"""\
examples:
  pypet synthesis train dataset/ models/
  pypet synthesis train dataset/ models/ --contrasts T1 FLAIR --unit SUVR
  pypet synthesis train dataset/train/ models/ --patches 64 --no-baselines

{LAYOUT}
OUT gets patches-64.npz and so on, training.csv, summary.json, and what the models must beat: global-linear.npz (a plain
linear model), template.nii.gz (the mean PET) and brain-template.nii.gz (the mean over those who have brain in a voxel);
the means only if all subjects lie on one grid. A model is linear in features of the MRI, with coefficients that change
smoothly from patch to patch of the head. Few subjects (below about ten) give a model of these few.
Research use only.
"""


def add_parser(commands: Any) -> None:
    """Add the command to ``pypet synthesis``."""
    parser = commands.add_parser(
        "train",
        help="train models on pairs of MRI and PET",
        description="Train one model for each number of patches, and the baselines, in one pass over the subjects.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="folder with train/ in it, or train/ itself")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to make")
    parser.add_argument(
        "--patches",
        nargs="+",
        type=int,
        choices=(1, 8, 64, 216),
        default=[64, 8, 1],
        help="numbers of patches, one model each (default: 64 8 1)",
    )
    parser.add_argument("--features", metavar="NAME", help="full (default) or raw")
    parser.add_argument("--ridge", type=float, metavar="X", help="pull towards the model of the whole brain")
    parser.add_argument(
        "--hypometabolic-weight",
        type=float,
        metavar="X",
        help="weight of voxels whose PET is low against the other side (default: 5)",
    )
    parser.add_argument("--not-symmetric", action="store_true", help="let patches of both sides differ")
    parser.add_argument("--sweeps", type=int, metavar="N", help="most sweeps of the block Gauss-Seidel iteration")
    parser.add_argument("--tolerance", type=float, metavar="X", help="relative residual at which it stops")
    parser.add_argument(
        "--refinement", type=int, metavar="N", help="sweeps of the auxiliary PET to MRI refinement (default: 0, none)"
    )
    parser.add_argument(
        "--contrasts", nargs="+", default=[], metavar="NAME", help="folders to use as contrasts (default: all)"
    )
    parser.add_argument("--unit", default="", metavar="TEXT", help="unit of the PET, such as SUVR; never guessed")
    parser.add_argument("--no-baselines", action="store_true", help="train no global linear model, make no mean PET")
    add_loading(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace OUT if PyPeT made it")
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> None:
    """Train, and write what came of it."""
    from PyPeTLib.io import OutputFolder  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.synthesis.census import Census  # noqa: PLC0415
    from PyPeTLib.synthesis.dataset import split_folder, survey_subjects  # noqa: PLC0415
    from PyPeTLib.synthesis.training import train, write_training  # noqa: PLC0415

    choices = _choices(options)
    split = split_folder(options.dataset, "train")
    found = survey_subjects(split, contrasts=options.contrasts)
    for note in found.notes:
        print(f"pypet: {note}", file=sys.stderr)
    inputs = [path for one in found.subjects for path in (*one.contrasts.values(), one.pet, one.mask) if path]
    with OutputFolder(options.out, overwrite=options.overwrite, inputs=inputs) as folder:
        census = Census(refuse_misaligned=not options.allow_mismatch)
        trained = train(
            census.watch(loaded(found.subjects, options, stage="training")),
            choices,
            unit=options.unit,
            baselines=not options.no_baselines,
        )
        write_training(folder, trained, more={"made_subjects": is_made(split), "warnings": list(census.notes)})
    for note in [*census.notes, *trained.notes]:
        warn(note)
    names = ", ".join(found.contrasts)
    print(f"{len(trained.subjects)} subjects, contrasts {names}; unit of the PET: {options.unit or 'not told'}")
    for name, fitted in trained.fits.items():
        print(f"  {name:<14} {len(fitted.residuals) - 1} sweeps, residual {fitted.residuals[-1]:.1e}")
    print(f"written to {options.out}. Research use only; how well it predicts, 'pypet synthesis evaluate' tells.")


def _choices(options: argparse.Namespace) -> list[Any]:
    from PyPeTLib.synthesis.options import SynthesisOptions  # noqa: PLC0415 - keeps `pypet --help` quick

    named = ("features", "ridge", "hypometabolic_weight", "sweeps", "tolerance", "refinement")
    given = {name: value for name in named if (value := getattr(options, name)) is not None}
    if options.not_symmetric:
        given["symmetric"] = False
    return [SynthesisOptions(patches=patches, **given) for patches in dict.fromkeys(options.patches)]

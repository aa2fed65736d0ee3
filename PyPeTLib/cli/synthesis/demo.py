"""``pypet synthesis demo``: made heads, models trained on them, and how well they predict."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

LIMITS = """\
The heads are made: their PET is locally a linear function of their MRI by construction, which favours the model. One
lesion in four is silent in the MRI and cannot appear in the predicted PET: look at those. Nothing here says how the
model does with patients. Research use only.
"""


def add_parser(commands: Any) -> None:
    """Add the command to ``pypet synthesis``."""
    parser = commands.add_parser(
        "demo",
        help="make heads with MRI and PET, train on them and evaluate",
        description="Make 12 heads to train on and 8 to test, as files, train models of 1, 8 and 64 patches and the "
        "baselines, and evaluate them, by the commands train and evaluate.",
        epilog="examples:\n  pypet synthesis demo synthesis-demo/\n  pypet synthesis demo small/ --size 32 --seed 3\n\n"
        + LIMITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "out", type=Path, nargs="?", default=Path("synthesis-demo"), metavar="OUT", help="folder to make"
    )
    parser.add_argument("--seed", type=int, default=0, help="which heads (default: 0)")
    parser.add_argument("--size", type=int, default=64, metavar="N", help="voxels along each axis (default: 64)")
    parser.add_argument("--train", type=int, default=12, metavar="N", help="heads to train on (default: 12)")
    parser.add_argument("--test", type=int, default=8, metavar="N", help="heads to test (default: 8)")
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> None:
    """Make the heads, train on their files, evaluate."""
    from PyPeTLib import cli  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.io import OutputFolder, write_json  # noqa: PLC0415
    from PyPeTLib.phantom.pairs import make_pairs, write_pairs  # noqa: PLC0415
    from PyPeTLib.version import __version__  # noqa: PLC0415

    out: Path = options.out
    with OutputFolder(out / "dataset", overwrite=True) as folder:
        write_pairs(folder, make_pairs(train=options.train, test=options.test, size=options.size, seed=options.seed))
        write_json(folder / "summary.json", {"software": "PyPeT", "version": __version__, "phantom": "pairs"})
    print(f"{options.train} heads to train on and {options.test} to test, with their truth: {out / 'dataset'}")
    for command in (
        ["train", out / "dataset", out / "models"],
        ["evaluate", out / "models", out / "dataset", out / "evaluation"],
    ):
        arguments = cli.parser().parse_args(["synthesis", *map(str, command), "--overwrite"])
        arguments.execute(arguments)
    print(f"Look at {out / 'evaluation' / 'report.html'} and the pictures in {out / 'evaluation' / 'figures'}.")
    print(LIMITS, end="")

"""``pypet synthesis``: PET predicted from MRI: train a model, predict, evaluate, and a demonstration on made heads."""

from __future__ import annotations

import argparse
from typing import Any

from PyPeTLib.cli.synthesis import demo, evaluate, predict, train

EXAMPLES = """\
examples:
  pypet synthesis demo synthesis-demo/                              (made heads: train, predict, evaluate)
  pypet synthesis train dataset/ models/ --unit SUVR
  pypet synthesis evaluate models/ dataset/ evaluation/
  pypet synthesis predict models/patches-64.npz out/ --contrast T1=t1.nii.gz --contrast FLAIR=flair.nii.gz

No trained model comes with PyPeT: train one on pairs of your own. A predicted PET is computed from MRI; a lesion that
the MRI does not show cannot appear in it. Research use only.
"""


def add_parser(commands: Any) -> None:
    """Add the command and its own commands to the command line."""
    parser = commands.add_parser(
        "synthesis",
        help="predict PET from MRI: train, predict, evaluate",
        description="Predict PET from MRI contrasts by a structured linear model. Research use only.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    inner = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in (train, predict, evaluate, demo):
        command.add_parser(inner)

"""Subjects as commands take them in, one after the other, and what is told of them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PyPeTLib.errors import InputError

if TYPE_CHECKING:
    from PyPeTLib.synthesis.dataset import SubjectFiles
    from PyPeTLib.synthesis.subject import Subject

LAYOUT = """\
A dataset holds train/ and test/, and each of them one folder per contrast (T1, T2, FLAIR, or one named MRI), a folder
PET and, if the images are not skull-stripped, a folder mask; a subject's file has the same name in all of them. Images
of a subject must lie on one grid, registered; --resample brings them together by their position, and registers nothing.
"""


def add_loading(parser: argparse.ArgumentParser, *, many: bool = True) -> None:
    """Options about the images themselves; of many subjects also whether a misaligned PET is refused."""
    parser.add_argument(
        "--resample",
        action="store_true",
        help="bring images of a subject onto the grid of its first contrast by their position; nothing is registered",
    )
    if many:
        parser.add_argument(
            "--allow-mismatch",
            action="store_true",
            help="take PETs, too, that seem to lie elsewhere than their MRI; they are only told of",
        )


def loaded(files: Sequence[SubjectFiles], options: argparse.Namespace, *, stage: str) -> Iterator[Subject]:
    """Subjects one by one, with progress on a terminal.

    Parameters
    ----------
    files : sequence of SubjectFiles
    options : argparse.Namespace
        With what `add_loading` adds.
    stage : str
        What the progress bar says.
    """
    from PyPeTLib.cli.progress import StageBars  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.synthesis.assembly import load_subject  # noqa: PLC0415

    with StageBars(quiet=False) as bars:
        for place, one in enumerate(files):
            bars.update(stage, place / len(files))
            try:
                subject = load_subject(one, resample=options.resample)
            except InputError as error:
                raise InputError(_with_option(str(error), options)) from error
            yield subject
        bars.update(stage, 1.0)


def warn(*parts: str) -> None:
    """Tell a warning on standard error, what it is of first."""
    print(f"pypet: warning: {': '.join(parts)}", file=sys.stderr)


def is_made(split: Path) -> bool:
    """Whether the subjects of a split are made ones, as the dataset's own ``summary.json`` says."""
    for folder in (split, split.absolute().resolve().parent):
        try:
            content = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(content, dict) and content.get("phantom") == "pairs":
            return True
    return False


def _with_option(message: str, options: argparse.Namespace) -> str:
    """The library's message in the words of the command line."""
    if options.resample:
        return message
    return message.replace("ask for resampling by position.", "add --resample.")

"""``pypet batch``: all scans of a dataset, in the manner of a BIDS App."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyPeTLib.cli import job_options

if TYPE_CHECKING:
    from PyPeTLib.batch.study import StudyResult

EXAMPLES = """\
examples:
  pypet batch DATASET OUT                                           (each scan, then tables and a report of all)
  pypet batch DATASET OUT participant
  pypet batch DATASET OUT participant --participant-label 01 02 --preset ctp-stroke
  pypet batch DATASET OUT participant --resume                      (what is missing or changed)
  pypet batch DATASET OUT participant --scheduler tcp://10.0.0.1:8786 --threads 4
  pypet batch DATASET OUT group                                     (tables and a report over all scans)

DATASET has one folder for each subject, with series as BIDS has them (sub-01/perf/sub-01_dsc.nii.gz), in
the layout of the original PyPeT (sub-01/ses-01/sub-01_ses-01_ctp.nii.gz), or in folders of DICOM files.
OUT gets a folder for each scan, with its log and status beside it; left_out.txt there says what of DATASET
was not used. What is given here wins over what the dataset says of a scan.
Exit code: 0, 3 if some scans failed (all others are complete), 2 for bad use or input, 1 for a fault of PyPeT.
"""

SOME_FAILED = 3

LEVELS = ("participant", "group")

_WIDTH = 100


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "batch",
        help="analyse all scans of a dataset, on this machine or on many",
        description="Analyse each scan of a dataset, then all of them together.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="folder with one folder for each subject")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder of results")
    parser.add_argument(
        "levels",
        nargs="*",
        type=_level,
        default=list(LEVELS),
        metavar="LEVEL",
        help="participant: each scan by itself; group: all together (default: one after the other)",
    )
    which = parser.add_argument_group("which scans")
    which.add_argument("--participant-label", nargs="+", default=(), metavar="LABEL", help="only these subjects")
    which.add_argument("--session-label", nargs="+", default=(), metavar="LABEL", help="only these sessions")
    which.add_argument(
        "--resume", action="store_true", help="go on in OUT: analyse what is missing or changed, keep the rest"
    )
    where = parser.add_argument_group("where")
    where.add_argument(
        "--jobs", type=int, metavar="N", help="scans at a time on this machine (default: one for two cores, at most 4)"
    )
    where.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="work on the workers of this Dask scheduler, such as tcp://10.0.0.1:8786, or its scheduler file (needs "
        "the extra 'cluster')",
    )
    where.add_argument(
        "--wait",
        type=float,
        default=60.0,
        metavar="S",
        help="seconds to wait for the scheduler and for workers (default: 60)",
    )
    job_options.add_acquisition(parser, is_single=False)
    job_options.add_processing(parser)
    job_options.add_output(parser)
    job_options.add_machine(parser)
    parser.set_defaults(execute=execute)


def _level(text: str) -> str:
    if text not in LEVELS:
        raise argparse.ArgumentTypeError(f"{text!r} is no level; give {' or '.join(LEVELS)}, or nothing for both")
    return text


def execute(options: argparse.Namespace) -> None:
    """Analyse the scans, or what was made of them, or one after the other."""
    tell = _silent if options.quiet else _print
    has_failed = _analyse(options, tell) if "participant" in options.levels else False
    if "group" in options.levels:
        from PyPeTLib.batch.group import write_group  # noqa: PLC0415 - keeps `pypet --help` quick

        found = write_group(options.out, options.dataset, tell=_print)
        tell(f"{found.done} scans done, {found.failed} failed, {found.skipped} skipped; written to {found.folder}")
        has_failed = has_failed or found.failed > 0
    if has_failed:
        raise SystemExit(SOME_FAILED)


def _analyse(options: argparse.Namespace, tell: Callable[[str], None]) -> bool:
    """Analyse each scan, and say whether any failed."""
    from PyPeTLib.batch.study import Machine, run_study  # noqa: PLC0415 - keeps `pypet --help` quick

    result = run_study(
        options.dataset,
        options.out,
        arguments=job_options.job_arguments(options),
        participants=options.participant_label,
        sessions=options.session_label,
        resume=options.resume,
        machine=Machine(jobs=options.jobs, scheduler=options.scheduler, patience=options.wait),
        tell=tell,
    )
    _conclude(result, options)
    return bool(result.failed)


def _conclude(result: StudyResult, options: argparse.Namespace) -> None:
    """Print what became of the scans; those that failed also to the quiet."""
    if not options.quiet:
        print(
            f"{result.analysed} analysed, {result.current} up to date, {len(result.failed)} failed; "
            f"results are in {options.out}"
        )
        if result.gone:
            print(
                f"These have results and are no longer in the dataset; they were left alone: {', '.join(result.gone)}"
            )
    if not result.failed:
        return
    print(f"{len(result.failed)} failed; their logs are beside their folders:", file=sys.stderr)
    width = max(len(name) for name, _ in result.failed)
    for name, cause in result.failed:
        lines = textwrap.wrap(cause, max(40, _WIDTH - width - 4), break_long_words=False, break_on_hyphens=False)
        for number, line in enumerate(lines):
            print(f"  {'' if number else name:<{width}}  {line}", file=sys.stderr)


def _print(line: str) -> None:
    # each line as soon as it is there, also into a file
    print(line, flush=True)


def _silent(line: str) -> None:
    """Tell nobody."""

"""``pypet run``: a series in, maps out."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PyPeTLib.cli import job_options

EXAMPLES = """\
examples:
  pypet run sub-01_ctp.nii.gz maps/
  pypet run DICOM_FOLDER maps/                                      ('pypet list DICOM_FOLDER' shows its series)
  pypet run perfusion.nii.gz maps/ --modality dsc --frame-interval 1.5 --echo-time 0.03
  pypet run sub-01_ctp.nii.gz maps/ --aif artery.nii.gz --method bsvd --smoothing-mm 1.5
  pypet run echo-1_dsc.nii.gz maps/ --second-echo echo-2_dsc.nii.gz
  pypet run sub-02_dsc.nii.gz maps/ --preset dsc-tumour             ('pypet presets' lists them)
  pypet run sub-01_ctp.nii.gz again/ --config maps/config.toml      (the same job again)

Options beside --preset and --config win over both, and what --config says wins over --preset.
Frame times come from the options, else from the series or its JSON sidecar; what is missing is asked for.
Exit code: 0, 2 for bad use or input, 1 for a fault of PyPeT.
"""


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "run",
        help="make perfusion maps from a 4D series",
        description="Make CBF, CBV, MTT, TTP and Tmax maps, lesion volumes, a brain mask, an arterial input function "
        "and a report.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "series", type=Path, metavar="SERIES", help="4D NIfTI file (.nii or .nii.gz), or a folder of DICOM files"
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to make")
    add_options(parser)
    parser.set_defaults(execute=execute)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add all options of a run to a parser: everything but the series and the folder to make."""
    job_options.add_acquisition(parser, is_single=True)
    job_options.add_given(parser)
    job_options.add_processing(parser)
    job_options.add_output(parser)
    job_options.add_machine(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace OUT if PyPeT made it")


def execute(options: argparse.Namespace) -> None:
    """Run the pipeline on a file and write its results."""
    from PyPeTLib.io import load_scan  # noqa: PLC0415 - keeps `pypet --help` quick

    run_and_write(options, load_scan)


def run_and_write(
    options: argparse.Namespace, load: Callable[..., Any], also: Callable[[Any, Any, Path], None] | None = None
) -> None:
    """Run the pipeline with the options of the command line and write its results.

    Parameters
    ----------
    options : argparse.Namespace
        What `add_options` defines, with ``series`` and ``out``.
    load : callable
        Called as `PyPeTLib.io.load_scan` is, and returns what it returns.
    also : callable, optional
        Writes more into the folder before it appears; called with the result, the loaded series and the folder.
    """
    from PyPeTLib.cli.progress import StageBars  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.job import Job, perform  # noqa: PLC0415
    from PyPeTLib.report.summary import told  # noqa: PLC0415

    job = Job(series=options.series, out=options.out, overwrite=options.overwrite, **job_options.job_arguments(options))
    notes: list[str] = []
    with StageBars(quiet=options.quiet) as bars:
        summary = perform(job, progress=bars.update, tell=notes.append, load=load, also=also)
    for note in notes:
        print(f"pypet: {note}")
    if not options.quiet:
        print(told(summary))
        print(f"  written to {options.out}")

"""``pypet list``: the DICOM series of a folder, and which of them are perfusion series."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PyPeTLib.io.dicom import DicomSeries

EXAMPLES = """\
examples:
  pypet list /data/study
  pypet list /data/study --descriptions     (with the names that the scanner gave; they may hold patients' names)
"""

_HEADINGS = ("series", "modality", "kind", "slices x frames", "size", "interval [s]", "TE [ms]", "remarks")
_MOST_INTERVALS = 3


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "list",
        help="list the DICOM series of a folder",
        description=(
            "List the DICOM series of a folder and its subfolders from their headers: which of them are perfusion "
            "series, and what speaks against the others. No names, dates or other patient data are printed."
        ),
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", metavar="DICOM_DIR", nargs="+", help="a folder, or DICOM files")
    parser.add_argument(
        "--descriptions", action="store_true", help="print SeriesDescription too, a free text that may name the patient"
    )
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> None:
    """Print the table."""
    from PyPeTLib.io.dicom import find_series  # noqa: PLC0415 - keeps `pypet --help` quick

    found = find_series(options.folder if len(options.folder) > 1 else options.folder[0])
    headings = (*_HEADINGS, "description") if options.descriptions else _HEADINGS
    rows = [headings] + [_row(series, descriptions=options.descriptions) for series in found]
    print(_table(rows))


def _row(series: DicomSeries, *, descriptions: bool) -> tuple[str, ...]:
    remarks = [f"not taken: {series.reason}"] if series.reason else []
    row = (
        series.number,
        series.modality,
        series.kind,
        f"{series.n_slices} x {series.n_frames}" if series.n_slices else "-",
        f"{series.size[0]} x {series.size[1]}" if series.size[0] else "-",
        _intervals(series.intervals),
        ", ".join(f"{1000 * time:g}" for time in series.echo_times) or "-",
        "; ".join([*remarks, *series.remarks]),
    )
    # a description with line breaks would break the table
    return (*row, " ".join(series.description.split())) if descriptions else row


def _intervals(intervals: Sequence[float]) -> str:
    if not intervals:
        return "-"
    if len(intervals) <= _MOST_INTERVALS:
        return ", ".join(f"{interval:g}" for interval in intervals)
    return f"{intervals[0]:g} to {intervals[-1]:g}"


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)

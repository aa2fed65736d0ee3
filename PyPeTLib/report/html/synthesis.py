"""The report of an evaluation of synthetic PET: warnings, figures by method, tables, and the pictures of subjects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PyPeTLib.io.writing import write_whole
from PyPeTLib.report.html.charts import box_plot
from PyPeTLib.report.html.numbers import is_number
from PyPeTLib.report.html.pages import page
from PyPeTLib.report.html.pictures import embedded
from PyPeTLib.report.html.shown_tables import shown_table
from PyPeTLib.report.summary import RESEARCH_ONLY
from PyPeTLib.tables import DataTable

MOST_PICTURES = 12
"""Subjects whose picture is within the page; each takes about half a megabyte."""

CONVENTION = "The patient's right is on the left."


def write_synthesis_report(
    path: Path,
    *,
    title: str,
    facts: Sequence[tuple[str, str]],
    warnings: Sequence[str],
    figures: Mapping[str, Mapping[str, Sequence[tuple[str, float]]]],
    tables: Sequence[DataTable],
    details: Sequence[DataTable],
    pictures: Mapping[str, Path],
) -> None:
    """Write the page; the same input gives the same bytes.

    Parameters
    ----------
    path : Path
        The file to write.
    title : str
    facts : sequence of (str, str)
        What was evaluated, by name.
    warnings : sequence of str
        Shown on top.
    figures : mapping of str to mapping of str to sequence of (str, float)
        Values of each subject by method, by the heading of the figure; drawn as boxes.
    tables, details : sequence of DataTable
        Shown at once, and those that a reader opens.
    pictures : mapping of str to Path
        PNG file of each subject; the first `MOST_PICTURES` are within the page.

    Raises
    ------
    InputError
        If a picture cannot be read or the page cannot be written.
    """
    shown = list(pictures.items())[:MOST_PICTURES]
    content: dict[str, Any] = {
        "kind": "group",
        "title": title,
        "notice": RESEARCH_ONLY,
        "facts": list(facts),
        "warnings": list(warnings),
        "charts": [
            box_plot(heading, "", found)
            for heading, methods in figures.items()
            if (found := {method: held for method, values in methods.items() if (held := _finite(values))})
        ],
        "tables": [shown_table(table) for table in tables],
        "details": [shown_table(table) for table in details],
        "pictures": [
            (embedded(file, f"{name}: MRI contrasts, real and predicted PET, errors. {CONVENTION}"), name)
            for name, file in shown
        ],
        "left_out": len(pictures) - len(shown),
        "convention": CONVENTION,
    }
    write_whole(Path(path), page("synthesis.html", content))


def _finite(values: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    return [(name, value) for name, value in values if is_number(value)]

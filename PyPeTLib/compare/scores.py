"""Clinical scores of subjects from a table, and how figures of the images go along with them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from PyPeTLib.compare.cohort import interval_columns
from PyPeTLib.compare.correlations import Coefficient, Correlation, correlate
from PyPeTLib.compare.statistics import RESAMPLES, holm, joined
from PyPeTLib.errors import InputError
from PyPeTLib.io.stream import read_text
from PyPeTLib.tables import Cell, Column, DataTable

ID_COLUMNS = ("subject", "id", "participant_id")
"""Headings of the column with the subjects' names, in any letters; else it is the first column."""

MISSING = ("", "n/a", "na", "nan")
"""Cells without a value, in any letters."""

_ENDINGS = (".csv", ".tsv", ".txt")
_MOST_NAMED = 8


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Numbers of subjects by score.

    Attributes
    ----------
    name : str
        Of the file, for messages.
    subjects : tuple of str
        In the order of the file.
    values : mapping of str to mapping of str to float
        By score, then by subject; subjects without a value are left out.
    ignored : tuple of str
        Columns that hold no number.
    """

    name: str
    subjects: tuple[str, ...]
    values: Mapping[str, Mapping[str, float]]
    ignored: tuple[str, ...] = ()


def read_scores(path: str | PathLike[str]) -> Scores:
    """Scores such as NIHSS or mRS from a CSV or TSV file with a header: subjects down, scores across.

    Subjects stand in a column named subject, id or participant_id, or else in the first one. Cells that are empty or
    hold ``n/a``, ``NA`` or ``NaN`` are missing. A column is a score if all its other cells are numbers, and ignored if
    none is.

    Raises
    ------
    InputError
        If the file cannot be read or is no such table, a subject stands in two lines or in none, a column holds numbers
        and other text, or no column holds numbers.
    """
    path = Path(path)
    if path.suffix.lower() not in _ENDINGS:
        raise InputError(f"{path.name}: scores come as CSV or TSV. Give such a file.")
    lines = _lines(path)
    if not lines:
        raise InputError(f"{path.name}: the file is empty. Give a header and a line for each subject.")
    header = lines[0][1]
    place = _id_column(header, path)
    rows = _by_subject(lines[1:], header, place, path)
    values: dict[str, dict[str, float]] = {}
    ignored: list[str] = []
    for at, name in enumerate(header):
        if at == place:
            continue
        found = _column({subject: (line, cells[at]) for subject, (line, cells) in rows.items()}, name, path)
        if found:
            values[name] = found
        else:
            ignored.append(name)
    if not values:
        raise InputError(
            f"{path.name}: no column holds numbers beside the subjects ({header[place] or 'first column'}). Give a "
            "column for each score, such as nihss."
        )
    return Scores(name=path.name, subjects=tuple(rows), values=values, ignored=tuple(ignored))


def score_correlations(values: Mapping[str, Mapping[str, float]], scores: Scores) -> DataTable:
    """How each figure goes along with each score: Spearman's rho and Pearson's r with bootstrap intervals.

    Parameters
    ----------
    values : mapping of str to mapping of str to float
        By figure, then by subject; NaN where a figure is not defined.
    scores : Scores

    Returns
    -------
    DataTable
        ``score_correlations``.

    Raises
    ------
    InputError
        If there are no figures, or none of their subjects is in the scores.
    """
    subjects = list(dict.fromkeys(subject for mine in values.values() for subject in mine))
    if not subjects:
        raise InputError("there are no figures to hold against the scores. Give figures of at least one subject.")
    if not set(subjects) & set(scores.subjects):
        raise InputError(
            f"{scores.name}: none of its subjects ({_some(scores.subjects)}) is one of those with figures "
            f"({_some(subjects)}). Name subjects alike, letter by letter."
        )
    # in one order, whatever that of the files
    everybody = sorted({*subjects, *scores.subjects})
    pairs = [(figure, score) for figure in values for score in scores.values]
    found = [
        correlate(*([mine.get(s) for s in everybody] for mine in (values[figure], scores.values[score])))
        for figure, score in pairs
    ]
    corrected = [holm([getattr(one, name).p for one in found]) for name in ("spearman", "pearson")]
    rows: list[tuple[Cell, ...]] = []
    for (figure, score), made, rho_p, r_p in zip(pairs, found, *corrected, strict=True):
        gone = _partners(values[figure], scores.values[score])
        rows.append(
            (
                figure,
                score,
                made.n,
                len(gone[0]),
                len(gone[1]),
                *_cells(made.spearman, rho_p),
                *_cells(made.pearson, r_p),
                _note(made, gone),
            )
        )
    return DataTable(
        name="score_correlations",
        title="Figures of the images against clinical scores",
        columns=(
            Column(name="figure", title="Figure"),
            Column(name="score", title="Score"),
            Column(name="subjects", title="Subjects with both"),
            Column(name="without_score", title="Subjects without a score"),
            Column(name="without_figure", title="Subjects without a figure"),
            *_coefficient_columns("spearman_rho", "Spearman's rho"),
            *_coefficient_columns("pearson_r", "Pearson's r"),
            Column(name="note", title="Note"),
        ),
        rows=tuple(rows),
        note=joined(
            f"Over subjects with both values. Intervals are of 95 %, from {RESAMPLES} resamples of pairs with a fixed "
            "seed: BCa, or percentile where the column says so; of few subjects they are rough. p-values are "
            "two-sided, of rho over all orders for up to 9 subjects, else of Student's t; Holm's correction is over "
            "all rows of this table, for each coefficient. Scores such as the mRS are ranks: rho suits them better "
            "than r. A correlation is no proof that a figure tells the outcome of a patient.",
            f"Columns of {scores.name} without numbers were ignored: {', '.join(scores.ignored)}."
            if scores.ignored
            else "",
        ),
    )


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """Number and cells of each line that holds something."""
    text = read_text(path)
    if "\0" in text:
        raise InputError(f"{path.name}: this is not a text file. Give CSV or TSV, not a workbook.")
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = next((mark for mark in "\t;," if mark in first), ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found: list[tuple[int, list[str]]] = []
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                found.append((reader.line_num, cells))
    except csv.Error as error:
        raise InputError(f"{path.name}, line {reader.line_num}: this is no line of a table: {error}.") from error
    return found


def _id_column(header: Sequence[str], path: Path) -> int:
    names = [name.casefold() for name in header]
    if any(_number(name) is not None for name in names):
        raise InputError(
            f"{path.name}: the first line holds numbers ({', '.join(header)}). It must name the columns, such as "
            "subject, nihss."
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{path.name}: two columns are called {twice[0]!r}. Give each its own name.")
    known = [place for place, name in enumerate(names) if name in ID_COLUMNS]
    if len(known) > 1:
        raise InputError(
            f"{path.name}: the columns {' and '.join(header[place] for place in known)} could both hold the subjects. "
            "Keep one."
        )
    place = known[0] if known else 0
    if any(not name for at, name in enumerate(names) if at != place):
        raise InputError(f"{path.name}: column {names.index('', 0 if place else 1) + 1} has no name. Give it one.")
    return place


def _by_subject(
    lines: Sequence[tuple[int, list[str]]], header: Sequence[str], place: int, path: Path
) -> dict[str, tuple[int, list[str]]]:
    rows: dict[str, tuple[int, list[str]]] = {}
    for line, cells in lines:
        if len(cells) != len(header):
            raise InputError(
                f"{path.name}, line {line}: {len(cells)} cells below {len(header)} headings. Give each line as many "
                "cells, and quote text that holds the separator."
            )
        subject = cells[place]
        if subject.casefold() in MISSING:
            raise InputError(f"{path.name}, line {line}: the column {header[place] or 1} names no subject.")
        if subject in rows:
            raise InputError(
                f"{path.name}: the subject {subject} stands in the lines {rows[subject][0]} and {line}. Keep one."
            )
        rows[subject] = line, cells
    if not rows:
        raise InputError(f"{path.name}: there is a header and no subject. Give a line for each.")
    return rows


def _column(cells: Mapping[str, tuple[int, str]], name: str, path: Path) -> dict[str, float]:
    """Numbers by subject; none where the column holds no number."""
    given = {subject: cell for subject, cell in cells.items() if cell[1].casefold() not in MISSING}
    numbers = {subject: _number(text) for subject, (_, text) in given.items()}
    found = {subject: number for subject, number in numbers.items() if number is not None}
    if not found or len(found) == len(given):
        return found
    line, text = next(given[subject] for subject, number in numbers.items() if number is None)
    raise InputError(
        f"{path.name}, line {line}: {text!r} in the column {name} is no finite number, as other cells are. Write "
        "numbers with a point, and leave cells without a value empty."
    )


def _number(text: str) -> float | None:
    try:
        # Python's own notation for readers, 1_000, is no number in a table
        number = float(text) if "_" not in text else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _partners(figure: Mapping[str, float], score: Mapping[str, float]) -> tuple[list[str], list[str]]:
    """Subjects with a figure and no score, and with a score and no figure."""
    having = {subject for subject, value in figure.items() if math.isfinite(value)}
    return sorted(having - set(score)), sorted(set(score) - having)


def _note(made: Correlation, gone: tuple[list[str], list[str]]) -> str:
    return joined(
        f"No score: {_some(gone[0])}." if gone[0] else "",
        f"No figure: {_some(gone[1])}." if gone[1] else "",
        made.note,
    )


def _cells(found: Coefficient, corrected: float | None) -> tuple[Cell, ...]:
    estimate = found.estimate
    return estimate.value, estimate.low, estimate.high, found.interval or None, found.p, corrected


def _coefficient_columns(name: str, title: str) -> tuple[Column, ...]:
    return (
        Column(name=name, title=title),
        *interval_columns(name, title, "95 % interval"),
        Column(name=f"{name}_interval", title=f"{title}: kind of interval"),
        Column(name=f"{name}_p", title=f"{title}: p"),
        Column(name=f"{name}_p_holm", title=f"{title}: p, Holm"),
    )


def _some(subjects: Sequence[str]) -> str:
    """A few names of many."""
    more = f" and {len(subjects) - _MOST_NAMED} more" if len(subjects) > _MOST_NAMED else ""
    return ", ".join(subjects[:_MOST_NAMED]) + more

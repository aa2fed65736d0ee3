"""Tables of statistics as a page shows them: without machines' names, and with sentences below instead of within."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PyPeTLib.report.html.numbers import is_number
from PyPeTLib.tables import Cell, DataTable

NEXT_TO_NOTHING = 1e-6
"""A bias of relative values below this is rounding: both maps have the mean 0 by definition."""

_SENTENCES = ("note", "notes")
_MACHINE = ("metric", "title")
"""A column of names for programs, left out beside one of names for people."""

_MOST_NAMED = 4


@dataclass(frozen=True, kw_only=True)
class ShownTable:
    """A table and the remarks on its rows that stand below it."""

    table: DataTable
    remarks: tuple[str, ...] = ()


def shown_table(table: DataTable) -> ShownTable:
    """A table without columns of machines' names and of sentences; the latter are told below, each once."""
    names = [column.name for column in table.columns]
    rows = [tuple(_tidied(names, row)) for row in table.rows]
    hidden = {name for name in names if name in _SENTENCES and len(names) > 1}
    if set(_MACHINE) <= set(names):
        hidden.add(_MACHINE[0])
    kept = [place for place, name in enumerate(names) if name not in hidden]
    labels = [
        place for place in kept if names[place] in ("map", "normalisation", "lesion", "title", "metric", "figure")
    ]
    told: dict[str, list[str]] = {}
    for row in rows:
        label = ", ".join(str(row[place]) for place in labels or kept[:1] if row[place])
        for place, name in enumerate(names):
            if name in _SENTENCES and name in hidden and row[place]:
                told.setdefault(str(row[place]), []).append(label)
    shorter = replace(
        table,
        columns=tuple(table.columns[place] for place in kept),
        rows=tuple(tuple(row[place] for place in kept) for row in rows),
    )
    return ShownTable(table=shorter, remarks=tuple(_remark(note, of, len(rows)) for note, of in told.items()))


def rounded_bias(metric: str, normalisation: str, value: Cell) -> Cell:
    """A figure of agreement; 0 for a bias of relative values that is nothing but rounding."""
    if (
        metric == "bias"
        and normalisation == "relative"
        and is_number(value)
        and abs(float(value or 0)) < NEXT_TO_NOTHING
    ):
        return 0
    return value


def _tidied(names: Sequence[str], row: Sequence[Cell]) -> list[Cell]:
    by_name = dict(zip(names, row, strict=True))
    about = str(by_name.get("metric")), str(by_name.get("normalisation"))
    return [rounded_bias(*about, value) if isinstance(value, float) else value for value in row]


def _remark(note: str, of: Sequence[str], total: int) -> str:
    if len(of) == total and total > 1:
        return f"All rows: {note}"
    more = f" and {len(of) - _MOST_NAMED} more rows" if len(of) > _MOST_NAMED else ""
    return f"{'; '.join(of[:_MOST_NAMED])}{more}: {note}"

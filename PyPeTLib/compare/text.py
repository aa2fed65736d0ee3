"""Comparisons as lines of text, for terminals."""

from __future__ import annotations

from collections.abc import Sequence

from PyPeTLib.compare.metrics import METRICS
from PyPeTLib.compare.outcome import Agreement
from PyPeTLib.compare.rows import in_unit
from PyPeTLib.maps import QUANTITIES
from PyPeTLib.tables import DataTable


def warning_lines(agreements: Sequence[Agreement], *, scan: str = "") -> list[str]:
    """What calls comparisons into doubt, once for each map, to be read before its figures."""
    return [f"WARNING: {f'{scan}, ' if scan else ''}{line}" for line in _lines(agreements, doubts=True)]


def note_lines(agreements: Sequence[Agreement]) -> list[str]:
    """What else there is to say, once for each map."""
    return _lines(agreements, doubts=False)


def figure_lines(agreements: Sequence[Agreement]) -> list[str]:
    """Figures down, maps across."""
    lines = [["", *map(_head, agreements)]]
    for name, metric in METRICS.items():
        texts = [in_unit(found.metrics[name], metric.unit(found.unit)) for found in agreements]
        lines.append([metric.title, *texts])
    lines.append(["Voxels compared", *(str(found.voxels) for found in agreements)])
    lines.append(["Volume compared", *(in_unit(found.volume, "ml") for found in agreements)])
    return _aligned(lines, left=1)


def column_lines(table: DataTable, names: Sequence[str], *, left: int) -> list[str]:
    """Some columns of a table, the first ones flush left."""
    places = [[column.name for column in table.columns].index(name) for name in names]
    lines = [[table.columns[place].title for place in places]]
    for row in table.rows:
        values = [row[place] for place in places]
        lines.append(["–" if v is None else f"{v:.4g}" if isinstance(v, float) else str(v) for v in values])
    return _aligned(lines, left=left)


def _lines(agreements: Sequence[Agreement], *, doubts: bool) -> list[str]:
    told: dict[tuple[str, str], list[Agreement]] = {}
    ways: dict[str, int] = {}
    for found in agreements:
        ways[found.quantity] = ways.get(found.quantity, 0) + 1
        for note in found.doubts if doubts else found.notes:
            if doubts or note not in found.doubts:
                told.setdefault((found.quantity, note), []).append(found)
    lines = []
    for (quantity, note), those in told.items():
        # what is told of how much was compared stands with the first way alone, but is true of all
        one_way = doubts and len(those) == 1 and ways[quantity] > 1
        lines.append(f"{_head(those[0]) if one_way else QUANTITIES[quantity].symbol}: {note}")
    return lines


def _head(found: Agreement) -> str:
    return f"{QUANTITIES[found.quantity].symbol} {found.normalisation}"


def _aligned(lines: Sequence[Sequence[str]], *, left: int) -> list[str]:
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    made = []
    for line in lines:
        cells = zip(line, widths, strict=True)
        padded = [cell.ljust(width) if i < left else cell.rjust(width) for i, (cell, width) in enumerate(cells)]
        made.append("  ".join(padded).rstrip())
    return made

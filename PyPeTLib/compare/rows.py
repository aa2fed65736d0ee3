"""Several comparisons as one table: figures down, maps across."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PyPeTLib.compare.metrics import METRICS
from PyPeTLib.compare.model import Comparison
from PyPeTLib.maps import QUANTITIES


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure of all comparisons.

    Attributes
    ----------
    name : str
        In `METRICS`, or ``"voxels"``, ``"volume"``, ``"of_generated"``, ``"of_reference"``, ``"data_range"``.
    title : str
    values : tuple of float
        One for each comparison; NaN where it is not defined.
    units : tuple of str
        Of each value; ``"1"`` for plain numbers, ``""`` where the maps' unit is not known.
    """

    name: str
    title: str
    values: tuple[float, ...]
    units: tuple[str, ...]

    def texts(self, digits: int = 4) -> tuple[str, ...]:
        """The values with their units, as a reader wants them; a dash where there is none."""
        return tuple(in_unit(value, unit, digits) for value, unit in zip(self.values, self.units, strict=True))


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of figures and the heads of their columns, one for each comparison."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def table(comparisons: Sequence[Comparison]) -> Table:
    """Figures of several comparisons, with what they were computed over.

    Parameters
    ----------
    comparisons : sequence of Comparison
        In the order of the columns.
    """
    coverage = (
        ("voxels", "Voxels compared", "1", lambda c: float(c.coverage.voxels)),
        ("volume", "Volume compared", "ml", lambda c: c.coverage.volume),
        ("of_generated", "Part of the generated map", "%", lambda c: 100 * c.coverage.of_generated),
        ("of_reference", "Part of the reference", "%", lambda c: 100 * c.coverage.of_reference),
    )
    rows = [
        Row(
            name=name,
            title=metric.title,
            values=tuple(float(comparison.metrics[name]) for comparison in comparisons),
            units=tuple(metric.unit(comparison.unit) for comparison in comparisons),
        )
        for name, metric in METRICS.items()
    ]
    rows += [
        Row(name=name, title=title, values=tuple(map(read, comparisons)), units=(unit,) * len(comparisons))
        for name, title, unit, read in coverage
    ]
    rows.append(
        Row(
            name="data_range",
            title="Scale of the SSIM in the brain",
            values=tuple(comparison.data_range for comparison in comparisons),
            units=tuple(comparison.unit for comparison in comparisons),
        )
    )
    return Table(columns=tuple(QUANTITIES[c.quantity].symbol for c in comparisons), rows=tuple(rows))


def in_unit(value: float, unit: str, digits: int = 4) -> str:
    """A value with its unit, as a reader wants it; a dash where there is none."""
    return "–" if math.isnan(value) else f"{_number(value, digits)}{'' if unit in ('', '1') else ' ' + unit}"


def _number(value: float, digits: int) -> str:
    whole = value == int(value) and abs(value) < 1e9
    return f"{value:.0f}" if whole else f"{value:.{digits}g}"

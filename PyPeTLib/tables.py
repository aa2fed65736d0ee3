"""Tables for files, workbooks and reports: named columns with units, rows of plain values."""

from __future__ import annotations

from dataclasses import dataclass

from PyPeTLib.errors import InputError

Cell = str | int | float | bool | None
"""A value in a table; None and NaN where there is none."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column: its name in files, its heading for people, and the unit of its values ("" where they have none)."""

    name: str
    title: str = ""
    unit: str = ""

    @property
    def heading(self) -> str:
        """The title, or else the name, with the unit."""
        shown = self.title or self.name
        return f"{shown} [{self.unit}]" if self.unit else shown


@dataclass(frozen=True, kw_only=True)
class DataTable:
    """A table of plain values.

    Attributes
    ----------
    name : str
        The stem of its file, and the name of its sheet in a workbook (at most 31 letters).
    title : str
        Heading for people.
    columns : tuple of Column
    rows : tuple of tuple
        One value for each column.
    note : str
        What a reader must know: how it was computed, over what, what is left out.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= 31:
            raise InputError(f"a table's name has 1 to 31 letters, found {self.name!r}")
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            raise InputError(f"the table {self.name} has two columns of one name: {', '.join(names)}")
        for row in self.rows:
            if len(row) != len(names):
                raise InputError(f"the table {self.name} has {len(names)} columns, and a row of {len(row)} values")

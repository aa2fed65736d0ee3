"""Tables as CSV files and as workbooks (XLSX), the same tables as the same bytes."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import re
import zipfile
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from PyPeTLib.errors import InputError
from PyPeTLib.io.writing import write_whole
from PyPeTLib.tables import Cell, DataTable
from PyPeTLib.version import __version__

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

README = "Read me"
"""Name of the first sheet of a workbook."""

RESEARCH_ONLY = "Research use only; not validated for clinical use."

_FIXED = dt.datetime(2000, 1, 1)
"""Stands where a workbook wants the time it was made at."""
_FIXED_ZIP = (1980, 1, 1, 0, 0, 0)
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")

_FORBIDDEN_IN_NAMES = re.compile(r"[\[\]:*?/\\]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LONGEST = 32_767
_WIDEST, _NARROWEST = 60, 9
_MOST_ROWS = 1_048_575


def write_csv(path: str | PathLike[str], table: DataTable) -> None:
    """Write a table as comma-separated values in UTF-8, with the names of its columns as header.

    Numbers have up to 10 significant digits; missing values, NaN and infinity are empty. Columns of which a program
    must know the unit carry it in their name, such as ``volume_ml``. The file appears whole or not at all.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in table.columns])
    writer.writerows([[_text(cell) for cell in row] for row in table.rows])
    write_whole(Path(path), text.getvalue().encode("utf-8", "backslashreplace"))


def write_workbook(path: str | PathLike[str], tables: Sequence[DataTable], *, title: str = "PyPeT tables") -> None:
    """Write tables as a workbook: one sheet each, behind a sheet that says what they hold.

    Numbers are numbers, missing values empty cells; the first row holds the headings with their units and stays in
    place when a reader scrolls. The file holds no clock times and appears whole or not at all.

    Parameters
    ----------
    path : path
        Ending in ``.xlsx``.
    tables : sequence of DataTable
        Each of another name.
    title : str
        Heading of the first sheet.

    Raises
    ------
    InputError
        If two tables have one name, if a table has more rows than a sheet holds, or if the file cannot be written.
    """
    from openpyxl import Workbook  # noqa: PLC0415 - slow to import, and only workbooks need it

    names = [_sheet_name(table) for table in tables]
    if len({name.lower() for name in (README, *names)}) <= len(names):
        raise InputError(f"{Path(path).name}: two tables have one name: {', '.join(names)}. Give each its own.")
    book = Workbook()
    book.properties.creator = f"PyPeT {__version__}"
    book.properties.created = book.properties.modified = _FIXED
    front = book.active
    front.title = README
    _fill_front(front, title, tables, names)
    for name, table in zip(names, tables, strict=True):
        if len(table.rows) > _MOST_ROWS:
            raise InputError(f"the table {table.name} has {len(table.rows)} rows, more than a sheet holds: use its CSV")
        _fill(book.create_sheet(name), table)
    write_whole(Path(path), _packed(book))


def _fill_front(sheet: Worksheet, title: str, tables: Sequence[DataTable], names: Sequence[str]) -> None:
    from openpyxl.styles import Alignment, Font  # noqa: PLC0415 - as above

    lines: list[tuple[str, str, str]] = [(title, "", ""), (f"PyPeT {__version__}. {RESEARCH_ONLY}", "", "")]
    lines += [("", "", ""), ("Sheet", "What it holds", "How it was computed, and what is left out")]
    lines += [(name, table.title, table.note) for name, table in zip(names, tables, strict=True)]
    for i, line in enumerate(lines, start=1):
        for j, text in enumerate(line, start=1):
            if text:
                cell = sheet.cell(i, j)
                cell.value, cell.data_type = _clean(text), "s"
                cell.alignment = Alignment(vertical="top", wrap_text=i > 3)
                cell.font = Font(bold=i in (1, 4), size=14 if i == 1 else 11)
    for letter, width in zip("ABC", (32, 44, 110), strict=True):
        sheet.column_dimensions[letter].width = width


def _fill(sheet: Worksheet, table: DataTable) -> None:
    from openpyxl.styles import Alignment, Font  # noqa: PLC0415 - as above
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    for j, column in enumerate(table.columns, start=1):
        head = sheet.cell(1, j)
        head.value, head.data_type = _clean(column.heading), "s"
        head.font = Font(bold=True)
        head.alignment = Alignment(wrap_text=True, vertical="top")
        longest = max((len(_text(row[j - 1])) for row in table.rows if isinstance(row[j - 1], str)), default=0)
        width = max(_NARROWEST, min(_WIDEST, max(longest, len(column.heading) // 2 + 4)))
        sheet.column_dimensions[get_column_letter(j)].width = width
    for i, row in enumerate(table.rows, start=2):
        for j, value in enumerate(row, start=1):
            if value is None or (isinstance(value, float) and not math.isfinite(value)):
                continue
            cell = sheet.cell(i, j)
            if isinstance(value, str):
                # a text that begins with an equals sign is no formula
                cell.value, cell.data_type = _clean(value), "s"
                continue
            cell.value = value if isinstance(value, bool | int) else float(value)
            if isinstance(value, float):
                cell.number_format = _number_format(value)
    sheet.freeze_panes = "A2"


def _packed(book: Workbook) -> bytes:
    """A workbook as bytes, without the times that openpyxl and the archive put in."""
    made, packed = io.BytesIO(), io.BytesIO()
    book.save(made)
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = _MODIFIED.sub(rb"\g<1>" + _FIXED.strftime("%Y-%m-%dT%H:%M:%SZ").encode() + rb"\g<2>", content)
            entry = zipfile.ZipInfo(name, _FIXED_ZIP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            target.writestr(entry, content)
    return packed.getvalue()


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return f"{cell:.10g}" if math.isfinite(cell) else ""
    return str(cell)


def _number_format(value: float) -> str:
    """Four digits behind the point where they tell something, else powers of ten."""
    size = abs(value)
    if size == 0 or 1e-3 <= size < 1e6:
        return "0.00" if size >= 100 else "0.0000"
    return "0.00E+00"


def _sheet_name(table: DataTable) -> str:
    return _FORBIDDEN_IN_NAMES.sub("_", table.name)


def _clean(text: str) -> str:
    """Without the control characters that XML cannot hold, and not longer than a cell."""
    return _CONTROL.sub("", text)[:_LONGEST]

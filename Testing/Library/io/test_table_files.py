"""Tables as files: what other programs read back, and the same bytes each time."""

import csv
import math
import time
import zipfile

import openpyxl
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.io.table_files import write_csv, write_workbook
from PyPeTLib.tables import Column, DataTable


def made(name="figures", **changes):
    columns = (Column(name="scan"), Column(name="volume_ml", title="Volume", unit="ml"), Column(name="n"))
    rows = (("sub-01, left", 12.5, 3), ("=1+1", None, 0), ('say "é"', math.nan, -2), ("p", 1.25e-7, 7))
    return DataTable(
        **{"name": name, "title": "Volumes", "columns": columns, "rows": rows, "note": "Over all.", **changes}
    )


def test_csv_reads_back(tmp_path) -> None:
    write_csv(tmp_path / "a.csv", made())
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {"scan": "sub-01, left", "volume_ml": "12.5", "n": "3"}
    assert [row["volume_ml"] for row in rows] == ["12.5", "", "", "1.25e-07"]
    assert rows[2]["scan"] == 'say "é"'
    assert b"\r" not in (tmp_path / "a.csv").read_bytes()


def test_workbook_holds_numbers_headings_with_units_and_notes(tmp_path) -> None:
    write_workbook(tmp_path / "a.xlsx", [made(), made("other", rows=())], title="All tables")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["Read me", "figures", "other"]
    sheet = book["figures"]
    assert [cell.value for cell in sheet[1]] == ["scan", "Volume [ml]", "n"]
    assert sheet.freeze_panes == "A2"
    assert [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)] == [
        ["sub-01, left", 12.5, 3],
        ["=1+1", None, 0],
        ['say "é"', None, -2],
        ["p", 1.25e-7, 7],
    ]
    assert isinstance(sheet["B2"].value, float)
    assert sheet["A3"].data_type == "s"
    front = [cell.value for row in book["Read me"].iter_rows() for cell in row]
    assert {"All tables", "figures", "Volumes", "Over all."} <= set(front)


def test_the_same_table_gives_the_same_bytes(tmp_path) -> None:
    write_workbook(tmp_path / "a.xlsx", [made()])
    time.sleep(1.1)  # the clock of a workbook counts seconds
    write_workbook(tmp_path / "b.xlsx", [made()])
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
        assert b"2000-01-01T00:00:00Z</dcterms:modified>" in archive.read("docProps/core.xml")


def test_odd_names_and_texts_are_written(tmp_path) -> None:
    odd = made("a/b:c", rows=(("bell\x07", 1.0, 1), ("two\nlines", math.inf, 2)))
    write_workbook(tmp_path / "a.xlsx", [odd])
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["a_b_c"]
    assert (sheet["A2"].value, sheet["A3"].value, sheet["B3"].value) == ("bell", "two\nlines", None)


def test_what_cannot_be_written_is_told_and_leaves_nothing(tmp_path) -> None:
    with pytest.raises(InputError, match="two tables have one name"):
        write_workbook(tmp_path / "a.xlsx", [made(), made("Figures")])
    with pytest.raises(InputError, match="two tables have one name"):
        write_workbook(tmp_path / "a.xlsx", [made("read me")])
    for write in (write_csv, lambda path, table: write_workbook(path, [table])):
        with pytest.raises(InputError, match="cannot be written"):
            write(tmp_path / "none" / "a.csv", made())
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write_csv(tmp_path / "folder.csv", made())
    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]

"""Damaged files of every kind, few of each: refused by name or read rightly, never anything else.

The kinds are those of Testing/Benchmarks, where thousands of files are read.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from PyPeTLib.cli import main

BENCHMARKS = Path(__file__).parents[2] / "Benchmarks"
PER_KIND = 15


@pytest.fixture(scope="module")
def load():
    """``load(name)``: a module of Testing/Benchmarks, which import each other by their bare names."""
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module
    sys.path.remove(str(BENCHMARKS))


def test_damaged_files_are_refused_or_read_rightly(load, tmp_path):
    kinds, reading = load("damage").KINDS, load("damage_reading")
    tallies = {kind: reading.read_all(kind, PER_KIND, 0, tmp_path) for kind in kinds}
    assert [fault for tally in tallies.values() for fault in tally.faults] == []
    for kind, tally in tallies.items():
        assert tally.refused + tally.read == PER_KIND
        assert "harmless" not in kind or tally.read == PER_KIND
    # both ends are met often, so that neither is idle
    assert sum(tally.read for tally in tallies.values()) > 3 * PER_KIND
    assert sum(tally.refused for tally in tallies.values()) > 8 * PER_KIND


def test_wrong_values_and_places_would_be_found(load, tmp_path):
    damage, reading = load("damage"), load("damage_reading")
    good, *_ = damage.good_files()
    path = tmp_path / "good_ctp.nii"
    path.write_bytes(good)
    assert reading.read(path, damage.Damaged(content=good, harmless=True)) == "read"
    mirrored, larger = [2.0, 0, 0, 0], [-3.0, 0, 0, 0]
    for field, value, told in (
        ("scl_inter", 5.0, "values"),
        ("srow_x", mirrored, "voxels"),
        ("srow_x", larger, "elsewhere"),
    ):
        other = bytearray(good)
        damage.fields_of(other)[field] = value
        assert told in reading.read(path, damage.Damaged(content=bytes(other)))
    assert "harmless change was refused" in reading.read(
        tmp_path / "none_ctp.nii", damage.Damaged(content=good, harmless=True)
    )


def test_what_is_refused_ends_with_exit_code_2_and_nothing_written(load, tmp_path, capsys):
    damage, reading = load("damage"), load("damage_reading")
    path = tmp_path / "damaged_ctp.nii.gz"
    for kind in damage.KINDS:
        (damaged,) = reading.files(kind, 1, 3)
        path.write_bytes(damaged.content)
        arguments = ["run", str(path), str(tmp_path / "maps"), "--modality", "ctp", "--frame-interval", "1.5"]
        if reading.read(path, damaged) == "refused":
            assert main([*arguments, "--quiet"]) == 2
            message = capsys.readouterr().err
            assert message.startswith("pypet: error: ")
            assert message.count("\n") <= 4
            assert list(tmp_path.iterdir()) == [path]


def test_bombs_take_no_memory():
    # a process of its own, whose peak nothing else has raised
    program = "import files; tally, grown = files.measured('gzip: bombs', 6, 1); print(tally.refused, grown)"
    done = subprocess.run([sys.executable, "-c", program], cwd=BENCHMARKS, capture_output=True, text=True, check=True)
    refused, grown = map(int, done.stdout.split())
    assert refused == 6
    # up to 256 MB come out of these files
    assert grown < 32e6


def rows(text: str) -> list[list[str]]:
    """Cells of the body of the table in a text."""
    table = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def test_the_tables_tell_what_was_found(load, monkeypatch):
    files, killing = load("files"), load("killing")
    monkeypatch.setattr(files, "KINDS", ["gzip: truncated"])
    monkeypatch.setattr(files, "whole_processes", lambda *_: ["it crashed"])
    text = files.damaged_files(0, 5, 3)
    ((kind, count, refused, read, other, *_),) = rows(text)
    assert (kind, count, refused, read, other) == ("gzip: truncated", "5", "5", "0", "0")
    assert "3 of them given to whole processes of `pypet run`: 2 ended as they should" in text
    assert "it crashed" in text
    kills = killing.Kills(absent=2, new=1, while_writing=1, faults=["kill 3: debris is left"])
    monkeypatch.setattr(files, "kill_runs", lambda *_, **__: kills)
    monkeypatch.setattr(files, "SMALL_HEAD", (48, 48, 6))
    text = files.killed_runs(0, 4)
    assert [row[1:] for row in rows(text)] == [["4", "1", "2", "0", "1", "1"]] * 2
    assert "new: kill 3: debris is left" in text
    monkeypatch.setattr(files, "READS", 1)
    assert [row[0] for row in rows(files.reading(0, shape=(48, 48, 6)))] == ["zlib", "isal"]

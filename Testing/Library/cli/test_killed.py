"""A run that is killed leaves the folder that was there, or a whole new one; Testing/Benchmarks kills fifty."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from PyPeTLib.phantom import make_head
from PyPeTLib.phantom.write import write_phantom

BENCHMARKS = Path(__file__).parents[2] / "Benchmarks"
FILES = {"first": "1", "second": "2"}


@pytest.fixture
def killing(monkeypatch):
    """The module of that name in Testing/Benchmarks."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("killing")


def test_killed_runs_leave_the_old_folder_or_the_new_one(killing, tmp_path):
    series = write_phantom(make_head("ctp", seed=1, shape=(48, 48, 6)), tmp_path / "phantom", "small_ctp")
    place = tmp_path / "place"
    place.mkdir()
    kills = killing.kill_runs(series, place, 2, 0, overwrite=True)
    assert kills.faults == []
    assert kills.absent + kills.old + kills.new == 2


@pytest.mark.parametrize(
    ("found", "left", "counted", "faults"),
    [
        ({}, [], "absent", 0),
        ({}, [".maps.pypet"], "absent", 0),
        (FILES, ["maps"], "new", 0),
        ({"first": "0"}, ["maps", ".maps.pypet"], "old", 0),
        ({"first": "1"}, ["maps"], "", 1),
        (FILES, ["maps", "debris"], "new", 1),
    ],
)
def test_what_is_left_is_judged(killing, found, left, counted, faults):
    kills = killing.Kills()
    told = killing.judged(kills, found, {"first": "0"}, FILES, left)
    assert [name for name in ("absent", "old", "new") if getattr(kills, name)] == [counted] * bool(counted)
    assert len(told) == faults

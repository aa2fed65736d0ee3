"""Large arrays live in scratch files beyond a limit; nobody can tell but for the time."""

from __future__ import annotations

import gc
import mmap

import numpy as np
import pytest

from PyPeTLib import run_pipeline, workspace
from PyPeTLib.errors import InputError
from PyPeTLib.phantom import make_head
from PyPeTLib.workspace import Workspace


@pytest.fixture
def all_are_large(monkeypatch):
    monkeypatch.setattr(workspace, "LARGE", 1)


def _lies_in_a_file(array: np.ndarray) -> bool:
    return isinstance(array.base, mmap.mmap)


@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_are_as_numpy_makes_them(tmp_path, all_are_large, order):
    for place in (Workspace(), Workspace(limit=1, folder=tmp_path)):
        array = place.empty((3, 4, 5), np.int16, order=order)
        expected = np.empty((3, 4, 5), np.int16, order=order)
        assert (array.shape, array.dtype, array.strides) == (expected.shape, expected.dtype, expected.strides)
        array[...] = 7
        assert (array == 7).all()


def test_what_goes_beyond_the_limit_lies_in_a_nameless_file(tmp_path, all_are_large):
    place = Workspace(limit=4000, folder=tmp_path)
    first = place.empty((200,), np.float32)
    second = place.empty((200,), np.float32)
    assert not _lies_in_a_file(first)
    assert _lies_in_a_file(second)
    assert not list(tmp_path.iterdir())
    del first
    gc.collect()
    assert not _lies_in_a_file(place.empty((200,), np.float32)), "room that was given back is used again"


def test_small_arrays_and_runs_without_a_limit_stay_in_memory(tmp_path):
    assert not _lies_in_a_file(Workspace(limit=1, folder=tmp_path).empty((10,), np.float32))
    assert not _lies_in_a_file(Workspace().empty((10,), np.float32))


def test_no_room_on_the_disk_is_told(tmp_path, all_are_large):
    with pytest.raises(InputError, match=r"no room for a scratch file.*--scratch"):
        Workspace(limit=1, folder=tmp_path / "missing").empty((10,), np.float32)


def test_a_run_with_scratch_files_gives_the_same_maps(tmp_path, all_are_large):
    series = make_head("ctp", shape=(80, 80, 10), spacing=(2.5, 2.5, 10.0)).series
    usual = run_pipeline(series)
    sparing = run_pipeline(series, workspace=Workspace(limit=1, folder=tmp_path))
    assert _lies_in_a_file(sparing.maps.cbf.values)
    for name, found in usual.maps.items():
        np.testing.assert_array_equal(sparing.maps[name].values, found.values)
        np.testing.assert_array_equal(sparing.maps[name].valid, found.valid)
    np.testing.assert_array_equal(sparing.concentration.curves, usual.concentration.curves)

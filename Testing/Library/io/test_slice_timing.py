"""Slice times: in the order of the reoriented series, whatever the file's order, and refused where they do not fit."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid, nearest_ras
from PyPeTLib.io import in_file_order, load_series
from PyPeTLib.io.sidecar import Sidecar
from PyPeTLib.io.slice_timing import resolve_slice_times

TIMES = [0.0, 0.5, 0.25, 0.75]
UP = np.diag([2.0, 2.0, 5.0, 1.0])
DOWN = np.diag([-2.0, 2.0, -5.0, 1.0])


def load(files, affine=UP, *, sidecar=None, **options):
    return load_series(files.image(affine=affine, sidecar=sidecar), **options)


def refused(files, *parts, affine=UP, sidecar=None, **options):
    with pytest.raises(InputError) as caught:
        load(files, affine, sidecar=sidecar, **options)
    for part in parts:
        assert part in str(caught.value)


def test_a_series_without_slice_times_has_none(files):
    loaded = load(files)
    assert loaded.series.acquisition.slice_times is None
    assert "slice_times" not in loaded.sources


@pytest.mark.parametrize(
    ("affine", "direction", "expected"),
    [
        (UP, None, TIMES),
        (UP, "k", TIMES),
        (UP, "k-", TIMES[::-1]),
        (DOWN, None, TIMES[::-1]),
        (DOWN, "k-", TIMES),
    ],
)
def test_the_sidecar_in_the_order_of_the_reoriented_slices(files, affine, direction, expected):
    sidecar = {"SliceTiming": TIMES} | ({} if direction is None else {"SliceEncodingDirection": direction})
    loaded = load(files, affine, sidecar=sidecar)
    assert loaded.series.acquisition.slice_times == tuple(expected)
    assert loaded.sources["slice_times"] == "SliceTiming in sub-01_ctp.json"


def test_each_time_stays_with_its_slice(files):
    """The first voxel of each stored slice tells which one it was."""
    data = files.signal()
    data[0, 0, :, 0] = [10, 11, 12, 13]
    path = files.image(data=data, affine=DOWN, sidecar={"SliceTiming": TIMES})
    series = load_series(path).series
    stored = series.orientation.to_native(series.array())[0, 0, :, 0]
    np.testing.assert_array_equal(stored, [10, 11, 12, 13])
    in_ras = series.array()[-1, 0, :, 0] if series.orientation.flips[0] else series.array()[0, 0, :, 0]
    assert [TIMES[int(value) - 10] for value in in_ras] == list(series.acquisition.slice_times)


@pytest.mark.parametrize("affine", [UP, DOWN])
def test_the_option_wins_and_counts_in_the_order_of_the_file(files, affine):
    listed = files.folder / "slices.txt"
    listed.write_text("\n".join(map(str, TIMES)), encoding="utf-8")
    sidecar = {"SliceTiming": [1.0] * 4, "SliceEncodingDirection": "k-"}
    loaded = load(files, affine, sidecar=sidecar, slice_times=listed)
    assert loaded.sources["slice_times"] == "--slice-times slices.txt"
    series = loaded.series
    assert series.acquisition.slice_times == tuple(TIMES if affine is UP else TIMES[::-1])
    assert in_file_order(series.acquisition.slice_times, series.orientation) == tuple(TIMES)
    assert load(files, affine, slice_times=TIMES).series.acquisition.slice_times == series.acquisition.slice_times


def test_slices_along_another_axis_of_the_file():
    # stored as (slices, left to right, back to front): the first axis becomes the third
    affine = np.array([[0, 2.0, 0, 0], [0, 0, 2.0, 0], [5.0, 0, 0, 0], [0, 0, 0, 1]])
    orientation = nearest_ras(Grid((4, 6, 5), affine))
    sidecar = Sidecar(fields={"SliceTiming": TIMES, "SliceEncodingDirection": "i-"})
    times, _ = resolve_slice_times(None, sidecar, orientation, name="x.nii")
    assert times == tuple(TIMES[::-1])


def test_slices_that_are_not_axial_are_refused(files):
    sidecar = {"SliceTiming": [0.0] * 6, "SliceEncodingDirection": "i"}
    refused(files, "sub-01_ctp.nii.gz", "left to right", "axial", "SliceTiming", sidecar=sidecar)


@pytest.mark.parametrize(
    ("sidecar", "parts"),
    [
        ({"SliceTiming": TIMES[:-1]}, ("3 slice times", "4 slices", "--slice-times")),
        ({"SliceTiming": [0, 1, 2, "3"]}, ("SliceTiming must be a list of numbers",)),
        ({"SliceTiming": [0, 0.5, 1, 1.6]}, ("1.6 s", "1.5 s")),
        ({"SliceTiming": [0, 0.5, 1, -0.1]}, ("-0.1 s", "between 0 and")),
        ({"SliceTiming": TIMES, "SliceEncodingDirection": "z"}, ("SliceEncodingDirection", "'z'")),
        ({"SliceTiming": TIMES, "SliceEncodingDirection": 3}, ("SliceEncodingDirection", "3")),
    ],
)
def test_a_sidecar_that_does_not_fit_is_refused(files, sidecar, parts):
    refused(files, *parts, sidecar=sidecar)


@pytest.mark.parametrize(
    ("times", "parts"),
    [
        ([0.0, 0.5], ("2 slice times", "4 slices")),
        ([0, 0.5, 1, float("nan")], ("nan s",)),
        (["a"] * 4, ("must be numbers",)),
        ("missing.txt", ("missing.txt", "no such file")),
    ],
)
def test_an_option_that_does_not_fit_is_refused(files, times, parts):
    refused(files, *parts, slice_times=times)


def test_a_file_with_a_bad_line_is_refused_with_it(files):
    listed = files.folder / "slices.txt"
    listed.write_text("0\n0.5\nlate\n1\n", encoding="utf-8")
    refused(files, "slices.txt, line 3", "slice time", "'late'", slice_times=listed)

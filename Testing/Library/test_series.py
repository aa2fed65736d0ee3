"""A perfusion series is checked when it is made."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid, nearest_ras
from PyPeTLib.series import Acquisition, Modality, PerfusionSeries, check_frame_times

SHAPE = (4, 5, 3, 10)


def make(**changes):
    values = {
        "data": np.random.default_rng(0).normal(40, 5, SHAPE).astype(np.float32),
        "affine": np.diag([1.0, 1, 5, 1]),
        "frame_times": np.arange(10.0),
        "modality": Modality.CTP,
        "name": "case-7",
    }
    return PerfusionSeries(**{**values, **changes})


def test_a_series_knows_its_grid_and_frames():
    series = make()
    assert (series.grid.shape, series.n_frames) == ((4, 5, 3), 10)
    np.testing.assert_allclose(series.grid.voxel_sizes, (1, 1, 5))
    assert series.array().dtype == np.float32
    assert series.orientation.native.matches(series.grid)


def test_whole_numbers_become_float_before_anything_else_sees_them():
    data = np.random.default_rng(0).integers(-1000, 3000, SHAPE).astype(np.int16)
    series = make(data=data)
    assert series.array().dtype == np.float32
    np.testing.assert_array_equal(series.array(), data)


def test_float_data_are_not_copied():
    data = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    assert make(data=data).data is data


def test_the_given_orientation_is_kept():
    orientation = nearest_ras(Grid((5, 4, 3), np.diag([-1.0, 1, 5, 1])))
    assert make(orientation=orientation).orientation is orientation


def test_modality_may_be_given_by_its_name():
    assert make(modality="ctp").modality is Modality.CTP


@pytest.mark.parametrize("shape", [(4, 5, 3), (4, 5), (4, 5, 3, 10, 1)])
def test_other_than_four_dimensions_are_refused(shape):
    with pytest.raises(InputError, match=rf"case-7: .*4 dimensions .*found {len(shape)} with shape"):
        make(data=np.zeros(shape, np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused_with_their_frame(value):
    data = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    data[1, 2, :2, 6] = value
    with pytest.raises(InputError, match=r"case-7: frame 6 \(counted from 0\) has 2 voxels that are NaN or infinite"):
        make(data=data)


@pytest.mark.parametrize("value", [3e25, -3e25])
def test_values_that_no_scanner_measures_are_refused_with_their_frame(value):
    data = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    data[1, 2, 0, 6] = value
    with pytest.raises(InputError, match=r"case-7: frame 6 \(counted from 0\) holds values up to 3e\+25, which no"):
        make(data=data)


def test_a_constant_series_is_refused():
    still = np.repeat(np.random.default_rng(0).normal(size=(4, 5, 3, 1)), 10, axis=3)
    with pytest.raises(InputError, match="case-7: the series is constant: no voxel changes over its 10 frames"):
        make(data=still)
    still[0, 0, 0, 9] += 1
    assert make(data=still).n_frames == 10


def test_dsc_needs_an_echo_time():
    with pytest.raises(InputError, match=r"case-7: a DSC series needs its echo time.*--echo-time.*0\.03"):
        make(modality="dsc")
    assert make(modality="dsc", acquisition=Acquisition(echo_time=0.03)).acquisition.echo_time == 0.03


@pytest.mark.parametrize("echo_time", [30.0, 0.0, -0.03, 0.5, float("nan")])
def test_echo_times_in_milliseconds_are_noticed(echo_time):
    with pytest.raises(InputError, match=r"echo time of .* s is not plausible .*30 ms is 0.03"):
        make(modality="dsc", acquisition=Acquisition(echo_time=echo_time))


def test_an_affine_that_spans_nothing_is_refused():
    with pytest.raises(InputError, match="does not span a volume"):
        make(affine=np.diag([1.0, 0, 1, 1]))


def test_frame_times_are_a_copy_that_cannot_be_written_to():
    times = np.arange(10.0)
    series = make(frame_times=times)
    times[3] = 99
    assert series.frame_times[3] == 3
    with pytest.raises(ValueError, match="read-only"):
        series.frame_times[0] = 1


@pytest.mark.parametrize(
    ("times", "n", "message"),
    [
        (np.arange(7.0), 7, "7 time frames are too few; .* at least 8"),
        (np.arange(9.0), 10, "9 frame times were given for 10 frames"),
        (np.zeros((2, 5)), 10, "frame times were given for 10 frames"),
        (
            [0, 1, 2, 3, 3, 5, 6, 7, 8, 9],
            10,
            r"must increase, but frame 4 \(counted from 0\) is at 3 s after frame 3 at 3 s",
        ),
        ([0, 1, 2, 5, 4, 5, 6, 7, 8, 9], 10, "frame 4 .* is at 4 s after frame 3 at 5 s"),
        ([0, 1, 2, np.nan, 4, 5, 6, 7, 8, 9], 10, "NaN or infinite"),
        (np.arange(10) * 1000.0, 10, "1000 to 1000 s apart.*milliseconds"),
        (np.arange(10) * 0.001, 10, "0.001 to 0.001 s apart, which is not plausible"),
    ],
)
def test_impossible_frame_times_are_refused(times, n, message):
    with pytest.raises(InputError, match=f"series: .*{message}"):
        check_frame_times(times, n)


@pytest.mark.parametrize("times", [[0, 0.1, 1, 5, 50, 51, 52, 53], np.arange(8) - 20.0, list(range(8))])
def test_uneven_negative_and_whole_frame_times_are_fine(times):
    checked = check_frame_times(times, 8)
    assert checked.dtype == np.float64
    np.testing.assert_array_equal(checked, times)


@pytest.mark.parametrize("modality", ["pet", "CT", ""])
def test_an_unknown_modality_is_an_input_error(modality):
    with pytest.raises(InputError, match="modality"):
        make(modality=modality)


def test_an_empty_series_is_an_input_error():
    with pytest.raises(InputError, match="case-7"):
        make(data=np.zeros((0, 5, 3, 10), np.float32))


def dsc(echo_time, *, seed=0, **changes):
    data = np.random.default_rng(seed).normal(600, 50, SHAPE).astype(np.float32)
    return make(data=data, modality="dsc", acquisition=Acquisition(echo_time=echo_time), **changes)


def test_a_series_lists_its_echoes():
    second = dsc(0.05, seed=1, name="late")
    series = dsc(0.012, second_echo=second)
    assert series.echoes == (series, second)
    assert second.echoes == (second,)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (lambda: dsc(0.012), "must be longer"),
        (lambda: dsc(0.005), "must be longer"),
        (lambda: dsc(0.05, affine=np.diag([1.0, 1, 4, 1])), "another grid"),
        (lambda: dsc(0.05, frame_times=np.arange(10.0) + 1), "other frame times"),
        (lambda: dsc(0.05, second_echo=dsc(0.08)), "of its own"),
        (make, "only a DSC series"),
    ],
)
def test_a_second_echo_that_does_not_fit_is_refused(second, message):
    with pytest.raises(InputError, match=message):
        dsc(0.012, second_echo=second())


def test_ct_has_no_second_echo():
    with pytest.raises(InputError, match="only a DSC series"):
        make(second_echo=dsc(0.05))


def test_slice_times_are_one_a_slice_within_a_frame():
    times = (0.0, 1.0, 0.5)
    assert make(acquisition=Acquisition(slice_times=times)).acquisition.slice_times == times
    for wrong, message in (
        ((0.0, 0.5), "2 slice times .* 3 slices"),
        ((0, 0.5, 1.01), "1.01 s"),
        ((0, 0, -1.0), "-1 s"),
        ((0, 0, float("nan")), "nan s"),
    ):
        with pytest.raises(InputError, match=rf"case-7: .*{message}"):
            make(acquisition=Acquisition(slice_times=wrong))

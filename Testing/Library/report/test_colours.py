"""Windows, colour scales and the palette."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from PyPeTLib.maps import QUANTITIES, ParameterMap
from PyPeTLib.report.colours import (
    FIRST_COLOUR,
    GREYS,
    NO_VALUE,
    TMAX_MARKS,
    TMAX_WINDOW,
    ColourScale,
    colour_scale,
    grey_entries,
    map_entries,
    palette,
)


def map_of(name: str, values, **changes) -> ParameterMap:
    values = np.asarray(values, np.float32)
    return ParameterMap(
        **{"quantity": QUANTITIES[name], "values": values, "valid": np.ones(values.shape, bool), **changes}
    )


def test_colours_are_all_different_and_none_is_black_or_grey():
    table = palette().astype(int)
    colours = table[FIRST_COLOUR:]
    assert table.shape == (256, 3)
    assert len(np.unique(colours, axis=0)) == len(colours)
    assert np.ptp(colours, axis=1).min() > 50
    assert (np.ptp(table[:GREYS], axis=1) == 0).all()
    assert not table[0].any()


@pytest.mark.parametrize("name", ["cbf", "cbv", "mtt", "ttp", "delay"])
def test_calibrated_maps_keep_the_window_of_their_quantity(name):
    scale = colour_scale(map_of(name, np.linspace(0, 20, 100)))
    assert (scale.low, scale.high) == QUANTITIES[name].window
    assert not scale.fitted
    assert (scale.ticks[0], scale.ticks[-1]) == QUANTITIES[name].window
    assert list(scale.ticks) == sorted(set(scale.ticks))


def test_uncalibrated_maps_get_a_window_of_their_own_that_outliers_do_not_move():
    values = np.r_[np.linspace(0, 200, 1000), 1e6]
    scale = colour_scale(map_of("cbf", values, calibrated=False))
    assert scale.fitted
    assert scale.low == 0
    assert 190 <= scale.high <= 200


def test_window_of_uncalibrated_maps_follows_their_scale():
    values = np.linspace(0, 1, 1000)
    ends = [colour_scale(map_of("cbv", values * factor, calibrated=False)).high for factor in (0.003, 3, 3000)]
    assert ends[0] * 1e3 == pytest.approx(ends[1])
    assert ends[1] * 1e3 == pytest.approx(ends[2])


def test_late_times_to_peak_get_a_window_that_shows_them():
    times = np.linspace(38, 52, 500)
    scale = colour_scale(map_of("ttp", times))
    assert scale.fitted
    assert scale.low <= np.percentile(times, 2)
    assert np.percentile(times, 98) <= scale.high <= 53


def test_empty_maps_and_maps_of_zeros_have_a_window():
    nothing = map_of("cbf", np.zeros(5), valid=np.zeros(5, bool), calibrated=False)
    assert (colour_scale(nothing).low, colour_scale(nothing).high) == QUANTITIES["cbf"].window
    assert colour_scale(map_of("cbf", np.zeros(5), calibrated=False)).high == 1


def test_tmax_changes_its_colour_at_each_threshold():
    scale = colour_scale(map_of("tmax", [0.0]))
    assert (scale.low, scale.high) == TMAX_WINDOW
    for mark in TMAX_MARKS:
        assert mark in scale.ticks
        # as near as a map of single precision has it
        ends = scale.entries(np.array([np.nextafter(np.float32(mark), np.float32(0)), mark], np.float32)).astype(int)
        assert ends[1] > ends[0]
        below, above = scale.entries(np.array([mark - 0.01, mark + 0.01], np.float32)).astype(int)
        assert above > below + 5
        assert len(np.unique(scale.entries(np.linspace(mark + 0.01, mark + 0.99, 9, dtype=np.float32)))) == 1
    assert [scale.label(tick) for tick in scale.ticks] == ["≤2", "4", "6", "8", "10", "≥12"]


def test_entries_rise_with_the_value_and_end_with_the_window():
    scale = ColourScale(low=-2, high=10)
    values = np.linspace(-2, 10, 1000, dtype=np.float32)
    entries = scale.entries(values).astype(int)
    assert (np.diff(entries) >= 0).all()
    assert (entries[0], entries[-1]) == (FIRST_COLOUR, 255)
    np.testing.assert_array_equal(scale.entries(np.array([-1e30, 1e30], np.float32)), [FIRST_COLOUR, 255])


def test_only_valid_finite_voxels_are_coloured():
    values = np.array([1, 2, np.nan, np.inf, 5, 0], np.float32)
    valid = np.array([1, 0, 1, 1, 0, 1], bool)
    brain = np.array([1, 1, 1, 1, 0, 1], bool)
    entries = map_entries(values, valid, brain, ColourScale(low=0, high=10))
    np.testing.assert_array_equal(entries[[1, 2, 3, 4]], [NO_VALUE, NO_VALUE, NO_VALUE, 0])
    # 0 is a value, and looks different from no value
    assert (entries[[0, 5]] >= FIRST_COLOUR).all()


def test_grey_window_is_black_below_and_white_above():
    entries = grey_entries(np.array([-50, 0, 40, 80, 3000], np.float32), 0, 80)
    np.testing.assert_array_equal(entries[[0, 1, 3, 4]], [0, 0, GREYS - 1, GREYS - 1])
    assert abs(int(entries[2]) - (GREYS - 1) / 2) <= 1


@pytest.mark.parametrize(("low", "high"), [(0, 80), (0, 6), (0, 14), (-2, 10), (0, 0.0031), (38, 52), (0, 280)])
def test_ticks_are_few_round_and_apart(low, high):
    scale = colour_scale(map_of("mtt", [0.0], quantity=_with_window(low, high)))
    assert 4 <= len(scale.ticks) <= 9
    assert np.diff(scale.ticks).min() > 0.04 * (high - low)


def _with_window(low, high):
    return dataclasses.replace(QUANTITIES["mtt"], window=(low, high))


def test_upper_end_stands_for_everything_above():
    scale = ColourScale(low=-2, high=10, ticks=(-2, 0, 10))
    assert [scale.label(tick) for tick in scale.ticks] == ["−2", "0", "≥10"]

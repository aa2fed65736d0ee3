"""Flags and the table of their kinds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from PyPeTLib.quality import CHECKS, FLAGS, FlagKind, Severity, flag_table


def kind(**limits) -> FlagKind:
    return FlagKind(code="heat", severity=Severity.WARNING, meaning="temperature", unit="K", **limits)


@pytest.mark.parametrize(
    ("limits", "value", "threshold", "number"),
    [
        ({"most": 30.0}, 43.21, 30.0, "43.2 K, at most 30 K"),
        ({"least": 3.0}, 1, 3.0, "1 K, at least 3 K"),
        ({"least": 15.0, "most": 90.0}, 12.0, 15.0, "12 K, at least 15 K"),
        ({"least": 15.0, "most": 90.0}, 120.0, 90.0, "120 K, at most 90 K"),
    ],
)
def test_a_value_outside_its_limits_raises_the_flag_with_the_limit_it_breaks(limits, value, threshold, number):
    (flag,) = kind(**limits).check(value, "It is hot. Open a window.")
    assert (flag.code, flag.severity, flag.value, flag.threshold) == ("heat", Severity.WARNING, value, threshold)
    assert flag.number == number
    assert flag.text == f"It is hot. Open a window. [heat: {number}]"


@pytest.mark.parametrize("value", [15.0, 50, 90.0])
def test_limits_themselves_are_fine(value):
    assert kind(least=15.0, most=90.0).check(value, "") == []


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_raises_a_flag_that_can_be_written(value):
    (flag,) = kind(least=0.0, most=1.0).check(value, "")
    assert math.isfinite(flag.value)
    assert math.isfinite(flag.threshold)


def test_an_option_may_set_the_limit():
    (flag,) = kind(most=2.5).check(2.0, "", most=1.5)
    assert flag.threshold == 1.5
    assert kind(most=2.5).check(3.0, "", most=4.0) == []


@pytest.mark.parametrize("code", list(FLAGS))
def test_every_kind_says_what_it_measures_its_limits_and_what_they_rest_on(code):
    entry = FLAGS.entry(code)
    assert entry.item.code == code
    assert entry.item.meaning
    assert len(entry.item.basis) > 20, "a threshold needs a reason"
    assert np.isfinite(entry.item.least) or np.isfinite(entry.item.most)
    assert entry.item.least <= entry.item.most


def test_the_table_has_a_row_for_every_kind_in_the_words_of_its_limits():
    table = {code: row for code, *row in flag_table()}
    assert list(table) == sorted(FLAGS)
    assert table["truncated-bolus"][2] == "at most 30 %"
    assert table["short-baseline"] == [
        "warning",
        FLAGS["short-baseline"].meaning,
        "at least 3 frames",
        FLAGS["short-baseline"].basis,
    ]
    assert table["implausible-cbf"][2].endswith(" ml/100g/min")
    assert " to " in table["implausible-cbf"][2]


def test_checks_are_named_once():
    assert len(set(CHECKS)) == len(CHECKS)

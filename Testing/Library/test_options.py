"""Options: checked when made, read from and written to tables."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from PyPeTLib.aif import AIFOptions
from PyPeTLib.contrast import ContrastOptions
from PyPeTLib.deconvolution import DeconvolutionOptions
from PyPeTLib.errors import InputError, UnknownNameError
from PyPeTLib.options import Options, described, option
from PyPeTLib.quantification import QuantificationOptions
from PyPeTLib.registry import Registry

SHAPES: Registry[int] = Registry("shapes")
SHAPES.register("square", summary="four sides", aliases=("Quad",))(4)
SHAPES.register("triangle", summary="three sides")(3)

GROUPS = (AIFOptions, ContrastOptions, DeconvolutionOptions, QuantificationOptions)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inner(Options):
    width: float = option(2.0, "how wide", unit="mm", minimum=0.0, maximum=10.0)
    count: int = option(3, "how many", minimum=1)
    shape: str = option("square", "which", choices=SHAPES)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outer(Options):
    inner: Inner = dataclasses.field(default_factory=Inner)
    fast: bool = option(False, "hurry")
    mode: str = option("a", "way", choices=("a", "b"))
    note: str = option("", "any text")
    late: str = option("triangle", "which", choices=lambda: SHAPES)


def test_values_take_their_type():
    made = Inner(width=3, count=4.0)
    assert (made.width, type(made.width)) == (3.0, float)
    assert (made.count, type(made.count)) == (4, int)
    assert Inner(width=np.float64(2.5)).width == 2.5


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"width": 10.1}, "option 'width' must lie between 0 and 10 mm, found 10.1"),
        ({"width": -1}, "between 0 and 10 mm"),
        ({"width": math.nan}, "between 0 and 10 mm, found nan"),
        ({"width": "2"}, "option 'width' must be a number in mm, found '2'"),
        ({"width": True}, "must be a number in mm, found True"),
        ({"width": None}, "must be a number"),
        ({"count": 0}, "option 'count' must lie between 1 and inf, found 0"),
        ({"count": 1.5}, "option 'count' must be a whole number, found 1.5"),
        ({"shape": "circle"}, "'circle' is not among the shapes: square, triangle"),
        ({"shape": 4}, "option 'shape' must be a text, found 4"),
    ],
)
def test_values_out_of_their_range_or_kind_are_refused(values, message):
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        Inner(**values)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_a_whole_number_is_finite(value):
    with pytest.raises(InputError, match="'count' must"):
        Inner(count=value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fast": 1}, "option 'fast' must be true or false, found 1"),
        ({"fast": "yes"}, "must be true or false"),
        ({"mode": "c"}, "option 'mode' must be one of a, b; found 'c'"),
        ({"late": "rhombus"}, "among the shapes"),
    ],
)
def test_switches_and_choices_are_checked(values, message):
    with pytest.raises(InputError, match=message):
        Outer(**values)


@pytest.mark.parametrize("alias", ["quad", "QUAD", "Quad", "SQUARE"])
def test_aliases_are_stored_under_the_canonical_name(alias):
    assert Inner(shape=alias).shape == "square"
    assert Outer(late=alias).late == "square"
    assert Outer.from_mapping({"inner": {"shape": alias}}).to_mapping()["inner"]["shape"] == "square"


def test_options_cannot_be_changed_after_they_were_checked():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Inner().width = 99.0


def test_replaced_options_are_checked_again():
    with pytest.raises(InputError, match="between 0 and 10"):
        dataclasses.replace(Inner(), width=11.0)


def test_a_table_gives_nested_options_and_keeps_defaults():
    made = Outer.from_mapping({"fast": True, "inner": {"width": 4}})
    assert made == Outer(fast=True, inner=Inner(width=4.0))
    assert made.inner.count == 3


def test_a_table_round_trip_gives_the_same_options():
    made = Outer(inner=Inner(width=7.5, shape="triangle"), mode="b", note="ü")
    table = made.to_mapping()
    assert list(table) == ["inner", "fast", "mode", "note", "late"]
    assert table["inner"] == {"width": 7.5, "count": 3, "shape": "triangle"}
    assert Outer.from_mapping(table) == made


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_survives_a_table_and_holds_its_own_defaults(group):
    assert group.from_mapping(group().to_mapping()) == group()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"fest": True}, "unknown option 'fest'; known here: inner, fast, mode, note, late"),
        ({"inner": {"widht": 1}}, r"unknown option 'inner\.widht'; known here: width, count, shape"),
        ({"inner": 3}, "'inner' must be a table of options, found 3"),
    ],
)
def test_names_that_do_not_exist_are_refused_with_their_place(table, message):
    with pytest.raises(InputError, match=message):
        Outer.from_mapping(table)


def test_an_unknown_method_in_a_table_is_named():
    with pytest.raises(UnknownNameError, match=r"'osdv' is not among the deconvolution methods.*Did you mean 'osvd'"):
        DeconvolutionOptions.from_mapping({"method": "osdv"})


@pytest.mark.parametrize("group", GROUPS)
def test_every_option_is_described(group):
    table = described(group)
    assert {name for name, *_ in table} == {field.name for field in dataclasses.fields(group)}
    for name, _, text, default in table:
        assert len(text) > 10, name
        assert not text.endswith("."), name
        assert default == getattr(group(), name)


def test_descriptions_carry_units():
    assert ("width", "mm", "how wide", 2.0) in described(Inner)

"""TOML written and read back."""

from __future__ import annotations

import math
import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from PyPeTLib.errors import InputError
from PyPeTLib.io import format_toml, read_toml, write_toml

tomllib = pytest.importorskip("tomllib")

text = st.text(st.characters(exclude_categories=["Cs"]))
scalars = st.booleans() | st.integers() | st.floats(allow_nan=False) | text
values = (
    scalars | st.lists(scalars, max_size=4) | st.lists(st.lists(st.floats(allow_nan=False), max_size=3), max_size=3)
)
tables = st.recursive(
    st.dictionaries(text, values, max_size=4),
    lambda children: st.dictionaries(text, values | children, max_size=4),
    max_leaves=10,
)


@given(tables)
def test_whatever_is_written_is_read_back(content):
    assert tomllib.loads(format_toml(content)) == content


def test_a_configuration_looks_like_one_written_by_hand(tmp_path):
    content = {
        "modality": "ctp",
        "aif": {"fit": {"tail": 0.3}, "count": 5, "method": "automatic"},
        "masking": {"thresholds": [0.1, 2.0]},
    }
    write_toml(tmp_path / "config.toml", content)
    assert (tmp_path / "config.toml").read_text(encoding="utf-8") == (
        'modality = "ctp"\n\n[aif]\ncount = 5\nmethod = "automatic"\n\n[aif.fit]\ntail = 0.3\n\n'
        "[masking]\nthresholds = [0.1, 2.0]\n"
    )
    assert read_toml(tmp_path / "config.toml") == content


def test_what_is_no_number_survives():
    back = tomllib.loads(format_toml({"a": math.nan, "b": math.inf, "c": -math.inf}))
    assert math.isnan(back["a"])
    assert (back["b"], back["c"]) == (math.inf, -math.inf)


def test_numpy_numbers_are_numbers():
    content = {"a": np.float64(0.1), "b": np.int32(4), "c": np.array([1.0, 0.3]), "d": np.bool_(True)}
    assert tomllib.loads(format_toml(content)) == {"a": 0.1, "b": 4, "c": [1.0, 0.3], "d": True}


def test_what_toml_cannot_hold_is_an_error():
    with pytest.raises(TypeError, match="None"):
        format_toml({"a": None})
    with pytest.raises(InputError, match="not valid Unicode"):
        format_toml({"a": "\udcff"})


@pytest.mark.parametrize(
    ("content", "line"),
    [("a = 1\nb = \nc = 3\n", 2), ("a = 1\na = 2\n", 2), ("a = 1\n\n[b\n", 3), ('a = "' + string.ascii_letters, 1)],
)
def test_a_fault_is_named_with_file_and_line(tmp_path, content, line):
    path = tmp_path / "config.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=rf"config.toml, line {line}: this is not valid TOML"):
        read_toml(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"config.toml: there is no such file"):
        read_toml(tmp_path / "config.toml")

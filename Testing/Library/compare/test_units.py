"""Units of maps and the ways between them."""

import numpy as np
import pytest

from PyPeTLib.compare import UNITS, convert
from PyPeTLib.compare.units import explanations
from PyPeTLib.errors import InputError
from PyPeTLib.maps import QUANTITIES


@pytest.mark.parametrize(
    ("source", "target", "factor"),
    [
        ("ml/100g/min", "ml/100ml/min", 1.05),
        ("ml/100g/min", "ml/g/s", 1 / 6000),
        ("ml/100g/min", "ml/ml/s", 1.05 / 6000),
        ("1/s", "ml/100ml/min", 6000),
        ("ml/min/100g", "ml/g/min", 0.01),
        ("1/min", "1/s", 1 / 60),
        ("ml/100g", "ml/100ml", 1.05),
        ("%", "ml/100g", 1 / 1.05),
        ("fraction", "ml/100ml", 100),
        ("ml/g", "ml/ml", 1.05),
        ("ms", "s", 0.001),
        ("min", "s", 60),
        ("mL / 100 mL / min", "ml/100g/min", 1 / 1.05),
    ],
)
def test_conversions(source, target, factor) -> None:
    values = np.array([[0, 1.5, -2], [40, np.nan, 1e4]])
    found = convert(values, source, target)
    assert found.dtype == np.float32
    assert found == pytest.approx(values * factor, rel=1e-6, nan_ok=True)
    assert convert(found, target, source) == pytest.approx(values, rel=1e-5, nan_ok=True)


def test_density_counts_only_between_mass_and_volume() -> None:
    assert convert(np.ones(1), "ml/100g", "ml/100ml", density=1.2)[0] == pytest.approx(1.2)
    assert convert(np.ones(1), "ml/100g", "ml/g", density=1.2)[0] == pytest.approx(0.01)
    assert convert(np.ones(1), "ml/100ml/min", "1/s", density=1.2)[0] == pytest.approx(1 / 6000)


@pytest.mark.parametrize(("source", "target"), [("s", "ml/100g"), ("ml/100g", "ml/100g/min"), ("1", "fraction")])
def test_there_is_no_way_between_different_things(source, target) -> None:
    with pytest.raises(InputError, match="cannot be converted"):
        convert(np.ones(1), source, target)


def test_unknown_units_are_named_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="'cc' is not among the units of maps: ml/100g/min"):
        convert(np.ones(1), "cc", "s")


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_the_unit_of_every_quantity_is_known(quantity) -> None:
    assert QUANTITIES[quantity].unit in ("", *UNITS)


@pytest.mark.parametrize(
    ("factor", "known", "first"),
    [(900, "s", "ms"), (0.012, "ml/100g/min", "ml/g/min"), (1 / 70, "s", "min"), (0.0095, "ml/100g", "ml/g")],
)
def test_factors_are_explained_by_units(factor, known, first) -> None:
    assert first == explanations(factor, known)[0]


def test_a_factor_that_no_unit_makes_is_not_explained() -> None:
    assert explanations(31, "s") == ()
    assert explanations(1.3, "ml/100g/min") == ()

"""What flows out: maps with unit, validity and provenance."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from PyPeTLib.maps import QUANTITIES, ParameterMap, PerfusionMaps


def cbf(values=(1.0, 2.0, 3.0, 0.0), valid=(True, True, True, False), **changes):
    return ParameterMap(
        quantity=QUANTITIES["cbf"], values=np.array(values, np.float32), valid=np.array(valid), **changes
    )


def test_the_maps_of_the_original_tool_are_there_with_units():
    units = {name: quantity.unit for name, quantity in QUANTITIES.items()}
    assert units["cbf"] == "ml/100g/min"
    assert units["cbv"] == "ml/100g"
    assert units["mtt"] == units["ttp"] == units["tmax"] == units["delay"] == "s"


def test_lexicon_codes_are_those_of_caplex_and_tmax_has_none():
    codes = {name: quantity.caplex for name, quantity in QUANTITIES.items() if quantity.caplex}
    assert codes == {"cbf": "Q.PH1.003", "mtt": "Q.PH1.006", "ttp": "Q.CD1.010", "delay": "Q.PH1.007"}


def test_every_quantity_is_named_by_its_key_and_has_a_window():
    for name, quantity in QUANTITIES.items():
        assert quantity.name == name
        assert quantity.window[0] < quantity.window[1]
        assert quantity.title
        assert quantity.symbol


def test_a_map_takes_the_unit_of_its_quantity():
    assert cbf().unit == "ml/100g/min"
    assert cbf(unit="1").unit == "1"
    assert cbf().name == "cbf"


def test_values_and_validity_have_one_shape():
    with pytest.raises(ValueError, match=r"values have shape \(4,\), the validity mask \(3,\)"):
        cbf(valid=(True, True, True))


def test_a_relative_map_is_the_deviation_from_the_mean_of_the_valid_voxels():
    relative = cbf(provenance={"method": "bsvd"}, calibrated=False).relative()
    np.testing.assert_allclose(relative.values, [-0.5, 0, 0.5, 0], atol=1e-6)
    np.testing.assert_array_equal(relative.valid, [True, True, True, False])
    assert relative.unit == "1"
    assert relative.provenance == {"method": "bsvd", "relative_to_mean": 2.0}
    # a ratio has a scale of its own
    assert relative.calibrated


@pytest.mark.parametrize(("values", "valid"), [((-1.0, 1.0), (True, True)), ((5.0, 5.0), (False, False))])
def test_without_a_mean_there_is_no_relative_map(values, valid):
    relative = cbf(values, valid).relative()
    np.testing.assert_array_equal(relative.values, 0)
    assert not relative.valid.any()


def test_maps_are_found_by_name_and_attribute():
    maps = PerfusionMaps(maps={"cbf": cbf()}, quality_mask=np.ones(4, bool))
    assert maps.cbf is maps["cbf"]
    assert list(maps) == ["cbf"]
    assert len(maps) == 1
    assert "cbv" not in maps
    with pytest.raises(AttributeError, match="no map 'cbv'; there are cbf"):
        maps.cbv  # noqa: B018
    with pytest.raises(AttributeError, match="there are none"):
        PerfusionMaps(maps={}, quality_mask=np.ones(4, bool)).cbf  # noqa: B018


def test_maps_can_be_copied_and_pickled():
    maps = PerfusionMaps(maps={"cbf": cbf()}, quality_mask=np.ones(4, bool))
    for twin in (copy.copy(maps), copy.deepcopy(maps), pickle.loads(pickle.dumps(maps))):  # noqa: S301 - our own bytes
        np.testing.assert_array_equal(twin.cbf.values, maps.cbf.values)

"""Maps from curves of the user's own."""

import numpy as np
import pytest

from PyPeTLib import InputError, compute_cbv, compute_mtt, compute_perfusion_maps
from PyPeTLib.deconvolution import METHODS
from PyPeTLib.phantom import frame_times, make_tiles
from PyPeTLib.quantification import QuantificationOptions

TILES = make_tiles("exponential", cbv=[4.0], mtt=[4.0, 8.0], delay=[0.0, 2.0], times=frame_times((90, 1.0)))
CURVES = TILES.curves.reshape(2, 2, -1)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_maps_of_the_shape_of_the_curves(method):
    maps = compute_perfusion_maps(CURVES, TILES.aif, TILES.times, method=method)
    for quantity in maps.values():
        assert quantity.values.shape == (2, 2)
        assert quantity.values.dtype == np.float32
    assert ("tmax" in maps) is (method != "peak-height")
    assert maps.quality_mask.all()


@pytest.mark.parametrize(
    ("alias", "name"),
    [("SVD", "ssvd"), ("bcSVD1", "bsvd-simpson"), ("bcSVD2", "bsvd"), ("oSVD", "osvd"), ("boxNLR", "box-nlr")],
)
def test_names_of_the_original_work(alias, name):
    one, other = (compute_perfusion_maps(CURVES, TILES.aif, TILES.times, method=m) for m in (alias, name))
    np.testing.assert_array_equal(one.cbf.values, other.cbf.values)
    assert one.cbf.provenance["method"] == name


def test_volume_and_transit_time_alone_agree_with_the_maps():
    maps = compute_perfusion_maps(CURVES, TILES.aif, TILES.times, method="bsvd")
    cbv = compute_cbv(CURVES, TILES.aif, TILES.times)
    np.testing.assert_allclose(cbv, maps.cbv.values, rtol=1e-5)
    np.testing.assert_allclose(compute_mtt(cbv, maps.cbf.values), maps.mtt.values, rtol=1e-5)
    np.testing.assert_allclose(cbv, 4.0, rtol=5e-3)


def test_density_and_haematocrit_scale_flow_and_volume_alike():
    blood = QuantificationOptions(density=1.0, large_vessel_haematocrit=0.0, small_vessel_haematocrit=0.0)
    plain = compute_perfusion_maps(CURVES, TILES.aif, TILES.times, quantification=blood)
    scaled = compute_perfusion_maps(CURVES, TILES.aif, TILES.times)
    for name in ("cbf", "cbv"):
        np.testing.assert_allclose(scaled[name].values, plain[name].values * (0.55 / 0.75) / 1.05, rtol=1e-5)
    np.testing.assert_allclose(scaled.mtt.values, plain.mtt.values, rtol=1e-5)


def test_a_mask_leaves_the_rest_empty_and_invalid():
    mask = np.array([[True, False], [True, True]])
    maps = compute_perfusion_maps(CURVES, TILES.aif, TILES.times, mask)
    assert not maps.cbf.valid[0, 1]
    assert maps.cbf.values[0, 1] == 0


def test_a_curve_cut_off_by_the_window_is_not_of_quality():
    short = make_tiles("exponential", cbv=[4.0], mtt=[3.0, 24.0], delay=[0.0], times=frame_times((90, 1.0)))
    assert short.covered[0] > 0.998
    assert short.covered[1] < 0.98
    maps = compute_perfusion_maps(short.curves, short.aif, short.times)
    assert maps.quality_mask.tolist() == [True, False]


def test_no_flow_has_no_transit_time():
    np.testing.assert_array_equal(compute_mtt([3.0, 4.0], [0.0, 60.0]), [0.0, 4.0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"aif": TILES.aif[:-1]}, "AIF"),
        ({"time": TILES.times[::-1]}, "increase"),
        ({"mask": np.ones((3, 2), bool)}, "mask"),
        ({"mask": np.zeros((2, 2), bool)}, "empty"),
        ({"concentration": CURVES * np.nan}, "NaN"),
        ({"aif": 0 * TILES.aif}, "contrast"),
        ({"method": "tsvd"}, "ssvd"),
        ({"svd_treshold": 0.1}, "svd_threshold"),
    ],
)
def test_wrong_calls_are_told(change, message):
    call = {"concentration": CURVES, "aif": TILES.aif, "time": TILES.times} | change
    with pytest.raises(InputError, match=message):
        compute_perfusion_maps(**call)

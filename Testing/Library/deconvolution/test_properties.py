"""What every registered deconvolution method owes, whatever it computes."""

from __future__ import annotations

import tracemalloc
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from PyPeTLib.deconvolution import METHODS, DeconvolutionOptions, Problem, deconvolve
from PyPeTLib.deconvolution.driver import noise_level, signal_level
from PyPeTLib.errors import InputError
from PyPeTLib.execution import VOXELS_PER_PIECE, Execution
from PyPeTLib.phantom import make_tiles

TILES = make_tiles("gamma", mtt=[4.0, 8.0, 12.0], cbv=[2.0, 4.0], delay=[0.0, 1.7, 4.0], noise=1.0)
CURVES = TILES.curves.astype(np.float32)
PER_FLOW = ("cbf", "cbv")
IN_SECONDS = ("mtt", "tmax", "ttp", "delay")

every_method = pytest.mark.parametrize("method", METHODS)
every_voxelwise_method = pytest.mark.parametrize(
    "method", [name for name in METHODS if "spatial" not in METHODS.entry(name).traits]
)
powers_of_two = st.integers(-12, 12).map(lambda n: 2.0**n)


def present(found, names):
    return [name for name in names if name in found.values]


@pytest.fixture(scope="module")
def whole_of(analyse):
    """``whole_of(method)``: what a method makes of the curves as they are."""
    return cache(lambda method: analyse(CURVES, TILES.aif, TILES.times, method))


def solved(method, curves, aif=TILES.aif, execution=None):
    """What a method finds for curves that lie in a row."""
    row = np.ones((len(curves), 1, 1), bool)
    return deconvolve(curves, aif, TILES.times, DeconvolutionOptions(method=method), execution, mask=row)


@every_method
@settings(max_examples=6, deadline=None)
@given(factor=powers_of_two)
def test_scaling_tissue_scales_flow_and_volume_only(analyse, whole_of, method, factor):
    # a power of two scales floating-point numbers exactly, so the answers must be exact too
    whole = whole_of(method)
    scaled = analyse(CURVES * np.float32(factor), TILES.aif, TILES.times, method)
    for name in PER_FLOW:
        np.testing.assert_array_equal(scaled.values[name], whole.values[name] * np.float32(factor))
    for name in present(whole, IN_SECONDS):
        np.testing.assert_array_equal(scaled.values[name], whole.values[name])


@every_method
@settings(max_examples=6, deadline=None)
@given(factor=powers_of_two)
def test_scaling_the_aif_does_the_inverse(analyse, whole_of, method, factor):
    whole = whole_of(method)
    scaled = analyse(CURVES, TILES.aif * factor, TILES.times, method)
    for name in PER_FLOW:
        np.testing.assert_allclose(scaled.values[name] * factor, whole.values[name], rtol=1e-5)
    for name in present(whole, IN_SECONDS):
        np.testing.assert_allclose(scaled.values[name], whole.values[name], rtol=1e-5, atol=1e-5)


@every_method
def test_any_scale_is_as_good_as_another(analyse, whole_of, method):
    # HU, 1/s and arbitrary units differ by orders of magnitude, and no threshold may notice
    whole = whole_of(method)
    for factor in (3e-7, 0.37, 4.1e5):
        scaled = analyse(CURVES * factor, TILES.aif * factor, TILES.times, method)
        for name in present(whole, (*PER_FLOW, *IN_SECONDS)):
            np.testing.assert_allclose(scaled.values[name], whole.values[name], rtol=2e-3, atol=2e-3)
            np.testing.assert_array_equal(scaled.valid[name], whole.valid[name])


@every_voxelwise_method
def test_the_order_of_voxels_does_not_matter(analyse, whole_of, method):
    order = np.random.default_rng(5).permutation(len(CURVES))
    straight = whole_of(method)
    shuffled = analyse(CURVES[order], TILES.aif, TILES.times, method)
    for name, values in straight.values.items():
        np.testing.assert_allclose(shuffled.values[name], values[order], rtol=1e-4, atol=1e-4)


@every_voxelwise_method
def test_a_voxel_does_not_depend_on_its_neighbours_in_the_list(method):
    # how much noise and signal the curves hold is a fact about all of them, and the same here for the one
    options = DeconvolutionOptions(method=method)
    noise, signal = noise_level(CURVES), signal_level(CURVES)
    solver = METHODS[method](Problem(aif=TILES.aif, times=TILES.times, options=options, noise=noise, signal=signal))
    together, alone = solver(CURVES), solver(CURVES[7:8])
    for name, values in together.found.items():
        np.testing.assert_allclose(alone.found[name], values[7:8], rtol=1e-4, atol=1e-4, err_msg=name)


@every_voxelwise_method
def test_only_methods_that_say_so_depend_on_the_noise_of_all_curves(analyse, whole_of, method):
    # quiet curves among loud ones, and alone
    loud = CURVES + np.random.default_rng(3).normal(0, 6.0, CURVES.shape)
    among = analyse(np.concatenate([CURVES, loud, loud]), TILES.aif, TILES.times, method)
    alone = whole_of(method)
    same = all(
        np.allclose(among.values[name][: len(CURVES)], values, rtol=1e-4, atol=1e-4)
        for name, values in alone.values.items()
    )
    assert same != ("pooled-noise" in METHODS.entry(method).traits)


@every_method
def test_curves_without_contrast_give_zero_and_are_not_valid(analyse, method):
    dead = np.stack([np.zeros(TILES.times.size), -CURVES[0] - 5.0, np.full(TILES.times.size, -3.0)])
    found = analyse(np.concatenate([dead, CURVES[:3]]), TILES.aif, TILES.times, method)
    for name, values in found.values.items():
        assert np.isfinite(values).all(), name
        np.testing.assert_array_equal(values[:3], 0.0, err_msg=name)
        assert not found.valid[name][:3].any(), name
        assert found.valid[name][3:].all(), name
    assert not found.truncated[:3].any()


@every_method
def test_noise_without_a_bolus_stays_finite(analyse, method):
    noise = np.random.default_rng(0).normal(0, 5, (500, TILES.times.size))
    found = analyse(noise, TILES.aif, TILES.times, method)
    for name, values in found.values.items():
        assert np.isfinite(values).all(), name
        assert (values[~found.valid[name]] == 0).all(), name
    assert (found.values["cbf"] >= 0).all()


@pytest.mark.parametrize("method", [name for name in METHODS if "volume" not in METHODS.entry(name).traits])
def test_noise_is_not_rectified_into_volume(analyse, method):
    # signed areas average out; the modulus of a noisy response would have a volume of its own
    noise = np.random.default_rng(0).normal(0, 5, (2000, TILES.times.size))
    volume = analyse(noise, TILES.aif, TILES.times, method).values["cbv"]
    assert (volume < 0).mean() == pytest.approx(0.5, abs=0.05)
    assert abs(volume.mean()) < 0.1 * np.abs(volume).mean()


@every_method
def test_single_and_double_precision_agree(method):
    single = solved(method, CURVES, TILES.aif.astype(np.float32)).found
    double = solved(method, CURVES.astype(np.float64)).found
    for name, values in single.items():
        assert values.dtype == np.float32
        np.testing.assert_allclose(values, double[name], rtol=1e-3, atol=1e-3, err_msg=name)


@every_method
def test_the_number_of_threads_does_not_change_a_byte(method):
    copies = 2 * VOXELS_PER_PIECE // len(CURVES) + 100
    rng = np.random.default_rng(2)
    many = np.tile(CURVES, (copies, 1))
    many += rng.normal(0, 2.0, many.shape).astype(np.float32)
    assert len(many) > 2 * VOXELS_PER_PIECE
    one, three = (solved(method, many, execution=Execution(threads=n)).found for n in (1, 3))
    for name, values in one.items():
        assert values.tobytes() == three[name].tobytes(), name


@every_method
@pytest.mark.parametrize("aif", [np.zeros(45), np.full(45, -1.0), np.full(45, np.nan)], ids=["zero", "negative", "nan"])
def test_an_aif_without_contrast_is_refused(method, aif):
    with pytest.raises(InputError, match="arterial input function"):
        deconvolve(CURVES, aif, TILES.times, DeconvolutionOptions(method=method))


@every_method
def test_an_aif_whose_area_is_not_positive_is_refused(analyse, method):
    aif = TILES.aif - TILES.aif.mean() * 1.5
    with pytest.raises(InputError, match="area under the arterial input function"):
        analyse(CURVES, aif, TILES.times, method)


@every_method
def test_no_voxels_give_no_values(method):
    found = solved(method, np.zeros((0, 45), np.float32))
    assert all(values.shape == (0,) for values in found.found.values())


@every_method
def test_curves_and_aif_are_not_written_to(analyse, method):
    curves, aif = CURVES.copy(), TILES.aif.copy()
    curves.setflags(write=False)
    aif.setflags(write=False)
    analyse(curves, aif, TILES.times, method)
    np.testing.assert_array_equal(curves, CURVES)


@every_method
def test_memory_of_a_thread_is_bounded(method):
    # every thread holds one piece, and workstations have dozens of threads
    many = np.tile(CURVES, (VOXELS_PER_PIECE // len(CURVES), 1))
    tracemalloc.start()
    try:
        solved(method, many, execution=Execution(threads=1))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    print(f"{method}: {peak / 1e6:.0f} MB beside the curves")
    assert peak < 64e6

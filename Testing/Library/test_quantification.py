"""Constants, units and areas: from an impulse response to quantities."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from PyPeTLib.deconvolution import METHODS, Estimate
from PyPeTLib.errors import InputError
from PyPeTLib.phantom import frame_times, make_tiles
from PyPeTLib.quantification import (
    QuantificationOptions,
    lost_area,
    quantify,
    time_to_peak,
    trapezoid_weights,
)

TIMES = np.arange(10.0)
AIF = np.array([0, 0, 4, 8, 4, 0, 0, 0, 0, 0.0])
CURVE = np.array([[0, 0, 0, 1, 3, 2, 1, 0, 0, 0]], np.float32)


def estimate(peak=0.01, lag=2.5, **more):
    return Estimate(
        peak=np.array([peak], np.float32),
        time_of_peak=np.array([lag], np.float32),
        delay=np.array([lag - 1], np.float32),
        **more,
    )


def test_units_and_constants_by_hand():
    found = quantify(CURVE, AIF, TIMES, estimate(), QuantificationOptions())
    values = {name: value[0] for name, value in found.values.items()}
    factor = 0.55 / 0.75 / 1.05
    assert values["cbf"] == pytest.approx(factor * 0.01 * 6000, rel=1e-5)
    assert values["cbv"] == pytest.approx(factor * 100 * 7 / 16, rel=1e-5)
    assert values["mtt"] == pytest.approx(60 * values["cbv"] / values["cbf"], rel=1e-5)
    assert values["tmax"] == 2.5
    assert values["delay"] == 1.5
    assert all(value.dtype == np.float32 for value in found.values.values())


def test_density_and_haematocrit_scale_flow_and_volume_alike():
    blood = QuantificationOptions(density=1.0, large_vessel_haematocrit=0.0, small_vessel_haematocrit=0.0)
    plain = quantify(CURVE, AIF, TIMES, estimate(), blood)
    other = quantify(CURVE, AIF, TIMES, estimate(), QuantificationOptions(small_vessel_haematocrit=0.3))
    for name in ("cbf", "cbv"):
        assert other.values[name][0] == pytest.approx(plain.values[name][0] * (0.55 / 0.7) / 1.05, rel=1e-5)
    assert other.values["mtt"][0] == pytest.approx(plain.values["mtt"][0], rel=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_volume_does_not_depend_on_the_frame_interval(analyse, method):
    # the original left the interval out: truth 4 read 3.30 at 1.41 s
    for dt in (0.5, 1.0, 1.41, 2.0):
        tiles = make_tiles("box", mtt=[6.0], cbv=[4.0], delay=[0.0], times=np.arange(round(80 / dt)) * dt)
        found = analyse(tiles.curves, tiles.aif, tiles.times, method).values
        assert found["cbv"][0] == pytest.approx(4.0, rel=0.01)


def test_a_method_that_models_volume_gives_it():
    found = quantify(CURVE, AIF, TIMES, estimate(volume=np.array([0.06], np.float32)), QuantificationOptions())
    assert found.values["cbv"][0] == pytest.approx(0.55 / 0.75 / 1.05 * 6.0, rel=1e-5)


def test_the_area_is_signed():
    curve = CURVE.copy()
    curve[0, 8:] = -3
    found = quantify(curve, AIF, TIMES, estimate(), QuantificationOptions())
    weights = trapezoid_weights(TIMES)
    assert found.values["cbv"][0] == pytest.approx(0.55 / 0.75 / 1.05 * 100 * float(curve[0] @ weights) / 16, rel=1e-5)
    curve[0, 7:] = -9
    below = quantify(curve, AIF, TIMES, estimate(), QuantificationOptions())
    assert below.values["cbv"][0] < 0
    assert below.valid["cbv"][0]
    # a transit time needs a volume
    assert (below.values["mtt"][0], below.valid["mtt"][0]) == (0.0, False)


@pytest.mark.parametrize(("curve", "peak"), [(CURVE * 0, 0.01), (-CURVE - 1, 0.01)], ids=["zero", "negative"])
def test_without_contrast_nothing_is_valid(curve, peak):
    found = quantify(curve, AIF, TIMES, estimate(peak), QuantificationOptions())
    for name, values in found.values.items():
        assert values[0] == 0, name
        assert not found.valid[name][0], name


def test_without_flow_only_volume_and_time_to_peak_are_valid():
    found = quantify(CURVE, AIF, TIMES, estimate(0.0), QuantificationOptions())
    assert {name for name, valid in found.valid.items() if valid[0]} == {"cbv", "ttp"}
    assert found.values["tmax"][0] == 0


def test_a_tmax_of_zero_and_below_is_valid():
    for lag in (0.0, -1.25):
        found = quantify(CURVE, AIF, TIMES, estimate(lag=lag), QuantificationOptions())
        assert (found.values["tmax"][0], found.valid["tmax"][0]) == (lag, True)


def test_the_estimate_is_left_as_it_was():
    given = estimate(0.0)
    quantify(CURVE, AIF, TIMES, given, QuantificationOptions())
    assert given.time_of_peak[0] == 2.5
    assert given.delay[0] == 1.5


def test_methods_without_lags_have_no_tmax():
    found = quantify(CURVE, AIF, TIMES, Estimate(peak=np.array([0.01], np.float32)), QuantificationOptions())
    assert set(found.values) == {"cbf", "cbv", "mtt", "ttp"}


@pytest.mark.parametrize("aif", [np.zeros(10), -AIF, AIF - 2])
def test_an_aif_without_area_is_refused(aif):
    with pytest.raises(InputError, match=r"area under the arterial input function is .*; it must be positive"):
        quantify(CURVE, aif, TIMES, estimate(), QuantificationOptions())


def test_trapezoid_weights_integrate_straight_lines_exactly():
    times = np.cumsum(np.random.default_rng(0).uniform(0.5, 3, 20))
    weights = trapezoid_weights(times)
    assert weights.sum() == pytest.approx(times[-1] - times[0])
    assert weights @ times == pytest.approx((times[-1] ** 2 - times[0] ** 2) / 2)


@pytest.mark.parametrize("start", [0.0, 17.0])
@pytest.mark.parametrize(
    "times", [np.arange(30.0), frame_times((12, 1.0), (8, 3.0)), frame_times((5, 3.0), (15, 1.3))], ids=len
)
def test_time_to_peak_of_a_parabola_is_exact_on_even_and_uneven_frames(times, start):
    for peak in (8.0, 11.2, 13.9, 14.6, 17.49):
        curve = (300 - (times - peak) ** 2)[None].astype(np.float32)
        assert time_to_peak(curve, times + start)[0] == pytest.approx(peak, abs=1e-3)


@pytest.mark.parametrize("dt", [1.0, 2.0])
@pytest.mark.parametrize("residue", ["exponential", "box", "gamma"])
def test_time_to_peak_of_tissue_is_finer_than_a_frame(residue, dt):
    tiles = make_tiles(residue, mtt=[3.0, 6.0], cbv=[4.0], delay=np.linspace(-2, 6, 17), times=np.arange(0, 50, dt))
    error = time_to_peak(tiles.curves.astype(np.float32), tiles.times) - tiles.ttp
    print(f"TTP error, {residue}, dt {dt}: largest {np.abs(error).max():.2f} s")
    assert np.abs(error).max() < 0.35 * dt


def test_a_peak_in_the_first_or_last_frame_stays_there():
    curves = np.stack([10 - TIMES, TIMES]).astype(np.float32)
    np.testing.assert_array_equal(time_to_peak(curves, TIMES), [0, 9])


def test_equal_frames_at_the_top_meet_in_their_middle():
    assert time_to_peak(np.array([[0, 1, 5, 5, 1, 0]], np.float32), TIMES[:6])[0] == pytest.approx(2.5)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_truncation_does_not_depend_on_the_unit(scale):
    tiles = make_tiles("exponential", cbv=[4.0], times=np.arange(60.0))
    curves = (scale * tiles.curves).astype(np.float32)
    weights = trapezoid_weights(tiles.times).astype(np.float32)
    found = lost_area(curves, tiles.times, curves @ weights) > 0.005
    assert found[tiles.covered < 0.995].all()
    assert not found[tiles.covered > 0.998].any()


def test_curves_that_stay_high_are_truncated_and_flat_noise_is_not():
    plateau = np.concatenate([np.zeros(10), np.full(30, 20.0)])
    rising = np.concatenate([np.zeros(10), np.arange(30.0)])
    rng = np.random.default_rng(0)
    curves = np.concatenate([plateau + rng.normal(0, 0.5, (50, 40)), rising + rng.normal(0, 0.5, (50, 40))])
    noise = rng.normal(0, 1, (2000, 40))
    times = np.arange(40.0)
    weights = trapezoid_weights(times)
    assert (lost_area(curves, times, curves @ weights) > 0.005).all()
    assert (lost_area(noise, times, noise @ weights) > 0.005).mean() < 0.03


def test_a_mean_curve_of_a_brain_tells_its_truncation_in_spite_of_noise():
    tiles = make_tiles("exponential", mtt=[4.0, 8.0, 12.0], cbv=[4.0], delay=[0.0], times=np.arange(45.0), noise=0.02)
    weights = trapezoid_weights(tiles.times)
    assert (lost_area(tiles.curves, tiles.times, tiles.curves @ weights) > 0.005).all()


def test_options_reach_only_as_far_as_physiology():
    names = [field.name for field in dataclasses.fields(QuantificationOptions)]
    assert names[:3] == ["density", "large_vessel_haematocrit", "small_vessel_haematocrit"]
    assert QuantificationOptions().tissue_factor == pytest.approx(0.55 / 0.75 / 1.05)
    for wrong in ({"density": 1050.0}, {"small_vessel_haematocrit": 1.0}, {"ttp_reference": "arrival"}):
        with pytest.raises(InputError):
            QuantificationOptions(**wrong)

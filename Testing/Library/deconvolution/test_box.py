"""The box-shaped residue by nonlinear regression."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.phantom import make_tiles


@pytest.mark.parametrize("dt", [0.5, 1.0, 1.41, 2.0])
def test_a_box_of_known_volume_transit_time_and_flow_is_recovered(analyse, dt):
    # at dt 1.41 s the original read 0.97, 5.9 and 5.97 of these 4, 6 and 40
    tiles = make_tiles("box", mtt=[6.0], cbv=[4.0], delay=[-1.0, 0.0, 1.5, 4.0], times=np.arange(round(60 / dt)) * dt)
    found = analyse(tiles.curves, tiles.aif, tiles.times, "box-nlr").values
    np.testing.assert_allclose(found["cbv"], 4.0, rtol=0.01)
    np.testing.assert_allclose(found["mtt"], 6.0, rtol=0.02)
    np.testing.assert_allclose(found["cbf"], 40.0, rtol=0.02)
    np.testing.assert_allclose(found["delay"], tiles.delay, atol=0.1)
    np.testing.assert_allclose(found["tmax"], tiles.delay + 3.0, atol=0.1)


def test_transit_times_and_delays_between_the_points_of_the_dictionary_are_found(analyse):
    tiles = make_tiles("box", mtt=np.linspace(3, 15, 25), cbv=[3.0], delay=np.linspace(-2, 6, 33))
    found = analyse(tiles.curves, tiles.aif, tiles.times, "box-nlr").values
    error = np.abs(found["mtt"] / tiles.mtt - 1)
    print(f"MTT error: median {np.median(error):.4f}, largest {error.max():.4f}")
    assert error.max() < 0.05
    np.testing.assert_allclose(found["cbv"], 3.0, rtol=0.03)
    np.testing.assert_allclose(found["delay"], tiles.delay, atol=0.2)


def test_volume_goes_beyond_a_window_that_ends_early(analyse):
    tiles = make_tiles("box", mtt=[8.0, 12.0], cbv=[4.0], delay=[0.0, 2.0], times=np.arange(26.0))
    assert (tiles.covered < 0.9).all()
    found = analyse(tiles.curves, tiles.aif, tiles.times, "box-nlr").values
    np.testing.assert_allclose(found["cbv"], 4.0, rtol=0.02)


def test_flow_times_transit_time_is_volume(analyse):
    tiles = make_tiles("gamma", noise=1.0)
    found = analyse(tiles.curves, tiles.aif, tiles.times, "box-nlr")
    valid = found.valid["mtt"]
    np.testing.assert_allclose(
        (found.values["cbf"] * found.values["mtt"] / 60)[valid], found.values["cbv"][valid], rtol=1e-5
    )


def test_noise_widens_the_answer_without_moving_it(analyse):
    tiles = make_tiles("box", mtt=[6.0], cbv=[4.0], delay=[0.5])
    noisy = tiles.curves + np.random.default_rng(1).normal(0, 1.0, (400, 45))
    found = analyse(noisy, tiles.aif, tiles.times, "box-nlr").values
    assert np.median(found["cbf"]) == pytest.approx(40, rel=0.05)
    assert np.median(found["mtt"]) == pytest.approx(6, rel=0.05)
    assert np.median(found["delay"]) == pytest.approx(0.5, abs=0.15)

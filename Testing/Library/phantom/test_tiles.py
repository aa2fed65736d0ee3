"""Tables of tissue curves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate

from PyPeTLib.errors import InputError
from PyPeTLib.phantom import RESIDUES, Bolus, frame_times, gamma_residue, make_tiles, tissue_curve


def test_default_tiles_cover_the_agreed_range():
    tiles = make_tiles()
    assert tiles.shape == (7, 5, 9)
    assert tiles.curves.shape == (315, 45)
    assert sorted(set(tiles.mtt)) == [3, 4, 6, 8, 12, 18, 24]
    assert sorted(set(tiles.cbv)) == [1, 2, 3, 4, 5]
    assert sorted(set(tiles.delay)) == list(range(-2, 7))
    np.testing.assert_allclose(tiles.cbf, 60 * tiles.cbv / tiles.mtt)


@pytest.mark.parametrize("residue", [*RESIDUES, gamma_residue(3.0)], ids=[*RESIDUES, "gamma of another shape"])
def test_each_curve_is_that_of_its_truth(residue):
    times = frame_times((30, 1.0), (15, 3.0))
    tiles = make_tiles(residue, mtt=[4.0, 9.0], cbv=[2.0, 3.0], delay=[-1.0, 0.7], times=times)
    for i in range(8):
        expected = tissue_curve(tiles.bolus, tiles.cbf[i], tiles.mtt[i], tiles.delay[i], residue, times=times)
        np.testing.assert_allclose(tiles.curves[i], expected, atol=1e-9)


def test_aif_and_vof_are_those_of_the_bolus_at_the_frames():
    tiles = make_tiles(times=np.arange(0, 60, 1.5), bolus=Bolus(arrival=10.0))
    # frames that lie on the fine grid see the continuous curve itself
    np.testing.assert_allclose(tiles.aif, Bolus(arrival=10.0).arterial_at(tiles.times), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(tiles.vof, Bolus(arrival=10.0).venous_at(tiles.times))


def test_delay_runs_fastest():
    tiles = make_tiles()
    np.testing.assert_array_equal(tiles.delay.reshape(tiles.shape)[3, 2], np.arange(-2, 7))
    np.testing.assert_array_equal(tiles.cbv.reshape(tiles.shape)[3, :, 0], np.arange(1, 6))


def test_peak_time_is_where_a_finely_sampled_curve_peaks():
    tiles = make_tiles(times=np.arange(0, 60, 0.1), mtt=[4.0, 8.0], cbv=[4.0], delay=[-2.0, 1.3])
    np.testing.assert_allclose(tiles.ttp, tiles.times[tiles.curves.argmax(axis=1)], atol=0.06)


def test_covered_share_is_what_the_window_holds_of_the_area():
    tiles = make_tiles(times=np.arange(0, 45, 0.1))
    areas = integrate.trapezoid(tiles.curves, tiles.times, axis=1)
    whole = 1.05 / (0.55 / 0.75) * tiles.cbv / 100 * tiles.bolus.area
    np.testing.assert_allclose(tiles.covered, areas / whole, rtol=1e-4)
    assert tiles.aif_covered == pytest.approx(integrate.trapezoid(tiles.aif, tiles.times) / tiles.bolus.area, rel=1e-4)


@pytest.mark.parametrize(("mtt", "loss"), [(6.0, -0.009), (12.0, -0.09), (24.0, -0.30)])
def test_area_volume_loses_what_was_agreed_for_a_single_pass(mtt, loss):
    tiles = make_tiles(mtt=[mtt], cbv=[4.0], delay=[0.0], bolus=Bolus(second_share=0.0))
    assert tiles.covered[0] / tiles.aif_covered - 1 == pytest.approx(loss, abs=0.012)


def test_noise_has_the_asked_spread_and_is_reproducible():
    clean, noisy, again = make_tiles(), make_tiles(noise=2.5, rng=3), make_tiles(noise=2.5, rng=3)
    assert np.std(noisy.curves - clean.curves) == pytest.approx(2.5, rel=0.03)
    np.testing.assert_array_equal(noisy.curves, again.curves)
    assert not np.array_equal(noisy.curves, make_tiles(noise=2.5, rng=4).curves)


def test_times_that_are_no_list_are_refused():
    with pytest.raises(InputError, match="list of seconds"):
        make_tiles(times=np.zeros((3, 3)))
    with pytest.raises(InputError, match="increase"):
        make_tiles(times=[0.0, 1, 2, 3, 3, 4, 5, 6, 7])


@pytest.mark.parametrize("dispersion", [1.5, 4.5])
def test_dispersion_of_exponential_tissue_is_a_difference_of_two_exponentials(dispersion):
    tiles = make_tiles(mtt=[4.0], cbv=[4.0], delay=[1.0], dispersion=dispersion)
    # kernel and residue in a row: e^(−t/4) ⊗ e^(−t/τ)/τ = 4/(4 − τ) · (e^(−t/4) − e^(−t/τ))
    one, other = (tissue_curve(tiles.bolus, 60.0, mean, 1.0, times=tiles.times) for mean in (4.0, dispersion))
    np.testing.assert_allclose(tiles.curves[0], 4 / (4 - dispersion) * (one - other), atol=0.005)


def test_dispersion_leaves_the_measured_artery_and_delays_the_peak():
    plain, dispersed = make_tiles(cbv=[4.0]), make_tiles(cbv=[4.0], dispersion=3.0)
    np.testing.assert_array_equal(dispersed.aif, plain.aif)
    assert dispersed.aif_covered == plain.aif_covered
    assert (dispersed.ttp > plain.ttp + 0.5).all()
    assert (dispersed.covered < plain.covered).all()
    late = make_tiles(mtt=[4.0], cbv=[4.0], delay=[0.0], dispersion=3.0, times=np.arange(0, 60, 0.1))
    assert late.ttp[0] == pytest.approx(late.times[late.curves[0].argmax()], abs=0.06)


def test_two_dispersions_are_refused():
    with pytest.raises(InputError, match="but one dispersion"):
        make_tiles(bolus=Bolus(dispersion=1.0), dispersion=1.0)

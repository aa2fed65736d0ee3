"""The atoms of the Bayesian methods against the phantom's closed forms, and the arterial input between its samples."""

import numpy as np
import pytest
from scipy import integrate

from PyPeTLib.deconvolution.arterial_curve import ArterialCurve, between_samples
from PyPeTLib.deconvolution.transit import BOX_SHARE, Residues, residue_area, tissue_atoms
from PyPeTLib.phantom import Bolus, frame_times, tissue_curve
from PyPeTLib.phantom.kinetics import gamma_residue

BOLUS = Bolus()
FINE = np.arange(0, 100.01, 0.05)


def one(transit, spread):
    return Residues(transit=np.array([transit]), spread=np.array([spread]), log_prior=np.zeros(1))


@pytest.mark.parametrize("spread", [1.0, 0.5, 0.2, 0.0])
@pytest.mark.parametrize("transit", [2.0, 6.0, 20.0])
def test_atoms_are_the_tissue_curves_of_the_phantom(transit, spread):
    # the phantom integrates its residues in closed form; the atoms sum them over a fine grid
    times = np.arange(0.0, 80.0, 1.3)
    lags = np.array([-1.7, 0.0, 3.21])
    arterial = ArterialCurve(BOLUS.arterial_at(FINE), FINE)
    atoms = tissue_atoms(arterial, one(transit, spread), lags, times)
    residue = "box" if spread == 0 else gamma_residue(1 / spread)
    flow = 50.0
    truth = tissue_curve(BOLUS, flow, transit, lags, residue, times=times)
    height = 1.05 / (0.55 / 0.75) * flow / 6000
    np.testing.assert_allclose(height * atoms[:, 0], truth, atol=2e-3 * truth.max())


def test_residues_have_the_area_of_their_transit_time():
    for spread in (1.0, 0.3, 0.0):
        assert residue_area(np.array([0.0, 3.0, 4000.0]), 3.0, spread)[[0, 2]] == pytest.approx([0.0, 3.0])
    times = np.arange(0, 30, 0.01)
    np.testing.assert_allclose(residue_area(times, 4.0, 1.0), 4 * (1 - np.exp(-times / 4)), atol=1e-6)


def test_the_prior_holds_both_families_equally_likely():
    residues = Residues.all()
    prior = np.exp(residues.log_prior)
    boxes = residues.spread == 0
    assert prior[boxes].sum() / prior.sum() == pytest.approx(BOX_SHARE)
    # no shape of the gamma family is more than its share of 1/k above another one
    exponential, narrow = residues.spread == 1, np.isclose(residues.spread, 0.25)
    assert prior[exponential].sum() / prior[narrow].sum() == pytest.approx(4.0)


@pytest.mark.parametrize("interval", [1.0, 2.0, 3.0])
def test_a_sparse_input_is_known_between_its_samples(interval):
    times = frame_times((round(90 / interval), interval))
    fine = np.arange(0, times[-1], 0.1)
    truth = BOLUS.arterial_at(fine)
    found = between_samples(BOLUS.arterial_at(times), times)(fine)
    straight = np.interp(fine, times, BOLUS.arterial_at(times))
    assert np.abs(found - truth).max() < 0.03 * truth.max()
    assert np.abs(found - truth).mean() < 0.4 * np.abs(straight - truth).mean()


def test_an_input_without_a_first_pass_is_still_interpolated():
    times = np.arange(20.0)
    values = np.linspace(5.0, 1.0, 20)  # falls from the start: no gamma variate fits
    np.testing.assert_allclose(between_samples(values, times)(times), values, atol=1e-9)


def test_height_and_area_of_the_input_agree():
    arterial = ArterialCurve(BOLUS.arterial_at(FINE), FINE)
    places = np.array([-3.0, 0.0, 9.0, 11.7, 30.0])
    slope = (arterial.area_until(places + 0.02) - arterial.area_until(places - 0.02)) / 0.04
    np.testing.assert_allclose(arterial.height_at(places), slope, atol=0.02 * arterial.height.max())
    assert arterial.height_at(np.array([-3.0]))[0] == 0
    whole = integrate.trapezoid(BOLUS.arterial_at(FINE), FINE)
    assert arterial.area_until(np.array([1e3]))[0] == pytest.approx(whole, rel=1e-3)

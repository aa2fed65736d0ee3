"""An arterial input function that the user gives, and which of its curves is deconvolved."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.aif import aif_from_curve, aif_from_mask
from PyPeTLib.errors import InputError
from PyPeTLib.phantom import Bolus

TIMES = np.arange(50.0)
CURVE = Bolus().arterial_at(TIMES)


def test_a_mask_gives_the_mean_of_its_voxels():
    rng = np.random.default_rng(0)
    curves = (CURVE * np.array([[0.8], [1.0], [1.2]]) + rng.normal(0, 4, (3, 50))).astype(np.float32)
    mask = np.zeros((4, 4, 2), bool)
    mask[1, 1:3, 0] = mask[2, 1, 0] = True
    aif = aif_from_mask(curves, mask, TIMES, slice(0, 8))
    assert aif.source == "mask"
    assert aif.mask is mask
    np.testing.assert_allclose(aif.measured, curves.mean(axis=0), rtol=1e-5)
    assert aif.measured.dtype == np.float64
    assert 0.5 < aif.baseline_noise < 5
    assert aif.fit.t0 == pytest.approx(8, abs=1)
    assert aif.candidates == ()


@pytest.mark.parametrize("level", [0.0, -4.0])
def test_a_mask_without_contrast_is_refused(level):
    curves = np.full((3, 50), level, np.float32)
    with pytest.raises(InputError, match="no contrast: mark an artery"):
        aif_from_mask(curves, np.ones((3, 1, 1), bool), TIMES, slice(0, 8))


def test_a_curve_is_interpolated_to_the_frames():
    fine = np.arange(-1, 60, 0.25)
    aif = aif_from_curve(fine, Bolus().arterial_at(fine), TIMES)
    assert (aif.source, aif.mask) == ("curve", None)
    np.testing.assert_allclose(aif.measured, CURVE, rtol=1e-6, atol=1e-6)


def test_a_coarser_curve_is_met_by_straight_lines():
    aif = aif_from_curve(np.array([0.0, 10, 20, 60]), np.array([0.0, 100, 20, 0]), TIMES)
    np.testing.assert_allclose(aif.measured[[5, 10, 15, 40]], [50, 100, 60, 10])


def test_a_curve_without_contrast_is_refused_by_its_name():
    with pytest.raises(InputError, match=r"aif\.csv: its highest value is -1.*HU or 1/s"):
        aif_from_curve(TIMES, np.full(50, -1.0), TIMES, name="aif.csv")


def test_measured_or_fitted_curve():
    aif = aif_from_curve(TIMES, CURVE, TIMES)
    assert aif.curve(TIMES, "measured") is aif.measured
    fitted = aif.curve(TIMES, "fitted")
    # the fit holds the first pass, the measured curve recirculation too
    assert fitted[25:].max() < 0.02 * fitted.max()
    assert aif.measured[25:].max() > 0.02 * aif.measured.max()
    without = aif_from_curve(TIMES, np.arange(50.0), TIMES)
    assert without.fit is None
    assert without.curve(TIMES, "fitted") is without.measured

"""Figures of a vessel's curve, against curves in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.aif import curve_quality
from PyPeTLib.phantom import Bolus

TIMES = np.arange(0, 60, 0.25)
BOLUS = Bolus(second_share=0.0)
FINE = np.arange(0, 60, 0.001)


def test_height_time_and_width_of_a_gamma_variate():
    quality = curve_quality(BOLUS.arterial_at(TIMES), TIMES, noise=10.0, fit_r_squared=0.99)
    above = FINE[BOLUS.arterial_at(FINE) >= 150]
    assert quality.peak == pytest.approx(300, rel=0.005)
    assert quality.time_of_peak == pytest.approx(12.5, abs=0.13)
    assert quality.arrival == pytest.approx(above[0], abs=0.05)
    assert quality.width == pytest.approx(above[-1] - above[0], abs=0.1)
    assert quality.contrast_to_noise == pytest.approx(30.0, rel=0.005)
    assert quality.tail == pytest.approx(0.0, abs=1e-6)
    assert quality.fit_r_squared == 0.99


def test_lead_over_the_tissue():
    tissue = Bolus(arrival=11.0, peak=5.0, second_share=0.0).arterial_at(TIMES)
    quality = curve_quality(BOLUS.arterial_at(TIMES), TIMES, tissue=tissue)
    assert quality.before_tissue_arrival == pytest.approx(3.0, abs=0.01)
    assert quality.before_tissue_peak == pytest.approx(3.0)
    late = curve_quality(tissue, TIMES, tissue=BOLUS.arterial_at(TIMES))
    assert late.before_tissue_arrival == pytest.approx(-3.0, abs=0.01)


def test_a_curve_that_is_cut_off_ends_high():
    times = np.arange(0, 15, 0.25)
    quality = curve_quality(BOLUS.arterial_at(times), times)
    assert quality.tail == pytest.approx(BOLUS.arterial_at(np.array([14.5]))[0] / 300, rel=0.02)
    assert quality.width == pytest.approx(times[-1] - quality.arrival, abs=0.01)


def test_names_in_tables_tell_units():
    table = curve_quality(BOLUS.arterial_at(TIMES), TIMES).as_mapping()
    assert {"peak", "time_of_peak_s", "arrival_s", "width_s", "contrast_to_noise", "tail", "fit_r_squared"} <= set(
        table
    )

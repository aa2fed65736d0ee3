"""Concentration over time from truth volumes."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.phantom import RESIDUES, Bolus, response, tissue_curve
from PyPeTLib.phantom.perfusion import TissuePerfusion
from PyPeTLib.phantom.raster import VesselVolumes
from PyPeTLib.phantom.render import Leakage, Renderer, TissueTable

BOLUS = Bolus()
SHAPE = (4, 3, 2)


def truth_of(cbf, mtt, delay) -> TissuePerfusion:
    cbf, mtt, delay = (np.broadcast_to(np.float32(x), SHAPE).copy() for x in (cbf, mtt, delay))
    nothing = np.zeros(SHAPE, dtype=np.float32)
    return TissuePerfusion(cbf=cbf, cbv=cbf * mtt / 60, mtt=mtt, delay=delay, core=nothing, lesion=nothing)


def vessels_of(**volumes) -> VesselVolumes:
    names = ("artery", "vein", "clot", "artery_arrival", "vein_arrival")
    return VesselVolumes(**{n: np.full(SHAPE, volumes.get(n, 0.0), dtype=np.float32) for n in names})


@pytest.mark.parametrize("residue", list(RESIDUES))
def test_table_is_within_a_thousandth_of_the_exact_curves(residue):
    rng = np.random.default_rng(0)
    mtt, delay, times = rng.uniform(2.5, 16, 60), rng.uniform(0, 9, 60), np.arange(0, 60, 1.37)
    table = TissueTable(BOLUS, residue, mtt, delay, times[-1])
    found = np.stack([table.at(t) for t in times], axis=1)
    aif = BOLUS.arterial(times[-1])
    exact = np.stack([response(aif, m, times - d, residue) for m, d in zip(mtt, delay, strict=True)])
    assert (np.abs(found - exact).max(axis=1) < 1e-3 * exact.max(axis=1)).all()


@pytest.mark.parametrize("delay", [-2.0, 0.0, 1.3])
def test_tissue_without_vessels_has_its_own_curve(delay):
    renderer = Renderer(truth_of(40.0, 6.0, delay), vessels_of(), BOLUS, "exponential", 40.0)
    for time in (0.0, 11.0, 17.5, 40.0):
        exact = tissue_curve(BOLUS, 40.0, 6.0, delay, times=[time])[0]
        np.testing.assert_allclose(renderer.concentration(time), exact, atol=0.005)


def test_vessels_take_their_share_of_the_voxel():
    vessels = vessels_of(artery=0.3, vein=0.2, clot=0.1, artery_arrival=0.7, vein_arrival=-0.4)
    found = Renderer(truth_of(40.0, 6.0, 1.0), vessels, BOLUS, "box", 40.0).concentration(16.0)
    tissue = tissue_curve(BOLUS, 40.0, 6.0, 1.0, "box", times=[16.0])[0]
    expected = 0.4 * tissue + 0.3 * BOLUS.arterial_at(15.3) + 0.2 * BOLUS.venous_at(16.4)
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_vessel_relaxivity_scales_vessels_only():
    truth = truth_of(40.0, 6.0, 1.0)
    artery = vessels_of(artery=1.0)
    full, part = (Renderer(truth, artery, BOLUS, "box", 40.0, relaxivity=r).concentration(12.5) for r in (1.0, 0.2))
    np.testing.assert_allclose(part, 0.2 * full, rtol=1e-5)
    np.testing.assert_allclose(full, 300, rtol=1e-4)


def test_peak_time_is_that_of_the_curve():
    renderer = Renderer(truth_of(40.0, 6.0, 1.3), vessels_of(), BOLUS, "exponential", 60.0)
    times = np.arange(0, 60, 0.05)
    curve = [renderer.concentration(t)[0, 0, 0] for t in times]
    np.testing.assert_allclose(renderer.time_to_peak(), times[np.argmax(curve)], atol=0.06)


@pytest.mark.parametrize("rate", [0.03, -0.02])
def test_leakage_subtracts_the_integral_of_the_healthy_curve_where_the_barrier_is_open(rate):
    region = np.zeros(SHAPE, dtype=bool)
    region[1, 1, 1] = True
    truth = truth_of(40.0, 6.0, 1.0)
    plain = Renderer(truth, vessels_of(), BOLUS, "exponential", 60.0).concentration(50.0)
    leaking = Renderer(
        truth, vessels_of(), BOLUS, "exponential", 60.0, leakage=Leakage(rate=rate, region=region)
    ).concentration(50.0)
    times = np.arange(0, 50.0001, 0.05)
    area = np.sum(tissue_curve(BOLUS, 40.0, 6.0, 1.0, times=times)) * 0.05
    np.testing.assert_allclose((plain - leaking)[region], rate * area, rtol=0.005)
    np.testing.assert_array_equal(plain[~region], leaking[~region])

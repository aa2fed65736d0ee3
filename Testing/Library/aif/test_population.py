"""The standard bolus: placed and scaled by what a head shows."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.aif import VenousOutputFunction, earliest_arrival, population_aif
from PyPeTLib.aif.model import AIFOptions
from PyPeTLib.contrast.features import curve_features, smooth_in_time
from PyPeTLib.errors import InputError
from PyPeTLib.phantom import Bolus

HEADS = [{"seed": 0}, {"seed": 2, "bolus": Bolus(arrival=30.0), "n_frames": 70}, {"seed": 3, "slab": 4}]
FURTHER = pytest.mark.accuracy
"""One head of a kind is enough for the oldest versions: that the others come out as well, the newest ones tell."""
HEADS[1:] = [pytest.param(head, marks=FURTHER) for head in HEADS[1:]]


@pytest.mark.parametrize("changes", HEADS, ids=["whole", "late", "slab"])
@pytest.mark.parametrize("modality", ["ctp", "dsc"])
def test_height_area_and_time_are_those_of_the_head(scene, modality, changes):
    found = scene(modality, **changes)
    options = AIFOptions()
    earliest = earliest_arrival(found.curves, found.mask, found.search, found.times, found.bolus, options)
    aif = population_aif(earliest, found.vof(earliest), found.times)
    bolus = found.head.bolus
    peak = bolus.peak * (1.0 if modality == "ctp" else 0.2)
    print(
        f"{modality} {list(changes)}: height {aif.fit.amplitude / peak:.2f}, onset {aif.fit.t0 - bolus.arrival:+.2f} s"
    )
    assert aif.fit.amplitude == pytest.approx(peak, rel=0.15)
    # the first pass, without the second one's 15 %
    area = np.gradient(found.times)
    assert (aif.measured * area).sum() == pytest.approx((found.true_aif * area).sum() / 1.13, rel=0.15)
    assert -0.5 < aif.fit.t0 - bolus.arrival < 1.2
    assert (aif.source, aif.mask) == ("population", None)


@pytest.mark.parametrize("times", [np.arange(60.0), np.arange(0, 60, 2.0), np.arange(100, 160, 0.5)], ids=len)
def test_it_passes_half_its_peak_when_the_voxels_do(times):
    bolus = Bolus(arrival=times[0] + 12.3, second_share=0.0)
    earliest = float(
        curve_features(smooth_in_time(bolus.arterial_at(times)[None].astype(np.float32)), times).arrival[0]
    )
    vof = VenousOutputFunction(measured=bolus.venous_at(times), fit=None, mask=None, source="mask")
    aif = population_aif(earliest, vof, times)
    assert aif.fit.t0 == pytest.approx(bolus.arrival, abs=0.06)
    np.testing.assert_allclose(aif.measured, bolus.arterial_at(times), atol=0.05 * bolus.peak)


def test_a_vein_that_has_not_peaked_gives_no_scale():
    times = np.arange(18.0)
    vof = VenousOutputFunction(measured=Bolus().venous_at(times), fit=None, mask=None, source="mask")
    with pytest.raises(InputError, match="has no scale: the scan ends before the vein has peaked"):
        population_aif(10.0, vof, times)

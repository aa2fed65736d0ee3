"""The ratio of the areas of vein and artery, and what is made of it."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.aif import AIFOptions, ArterialInputFunction, VenousOutputFunction, compared_with_vein, venous_ratio
from PyPeTLib.phantom import Bolus, frame_times

VEINS = {"usual": (4.0, 2.5), "quick": (2.0, 2.0), "slow": (6.0, 4.0)}
SCANS = {
    "long": frame_times((90, 1.0)),
    "cut off": frame_times((30, 1.0)),
    "coarse": frame_times((22, 2.0)),
    "uneven": frame_times((20, 1.0), (8, 3.0)),
}


@pytest.mark.parametrize("times", SCANS.values(), ids=SCANS)
@pytest.mark.parametrize("vein", VEINS.values(), ids=VEINS)
def test_dilution_is_found_though_the_scan_may_lose_a_part_of_the_vein(vein, times):
    bolus = Bolus(venous_lag=vein[0], venous_dispersion=vein[1])
    for seed in range(3):
        noise = np.random.default_rng(seed).normal(0, 2, (2, times.size))
        ratio = venous_ratio(0.5 * bolus.arterial_at(times) + noise[0], bolus.venous_at(times) + noise[1], times)
        assert ratio == pytest.approx(2.0, rel=0.05)


def test_areas_inside_the_scan_would_mislead_where_it_is_cut_off():
    times, bolus = SCANS["cut off"], Bolus(venous_lag=6.0, venous_dispersion=4.0)
    artery, vein = bolus.arterial_at(times), bolus.venous_at(times)
    assert vein.sum() / artery.sum() < 0.85
    assert venous_ratio(artery, vein, times) == pytest.approx(1.0, rel=0.04)


def test_a_transport_function_of_another_kind_misleads_little():
    # two paths through the brain of 3 and 7 s, each plug flow: nothing like a gamma distribution
    times, bolus = SCANS["long"], Bolus()
    vein = 0.5 * (bolus.arterial_at(times - 3.0) + bolus.arterial_at(times - 7.0))
    assert venous_ratio(bolus.arterial_at(times), vein, times) == pytest.approx(1.0, rel=0.03)


def test_a_vein_that_has_not_peaked_has_no_ratio():
    times = frame_times((18, 1.0))
    assert venous_ratio(Bolus().arterial_at(times), Bolus().venous_at(times), times) is None
    assert venous_ratio(Bolus().arterial_at(times), np.zeros(18), times) is None


def vessels(share, *, mask=True):
    times = SCANS["long"]
    place = np.ones((1, 1, 1), bool) if mask else None
    artery = ArterialInputFunction(measured=share * Bolus().arterial_at(times), fit=None, mask=place, source="mask")
    vein = VenousOutputFunction(measured=Bolus().venous_at(times), fit=None, mask=place, source="mask")
    return artery, vein, times


@pytest.mark.parametrize(
    ("share", "applied"), [(0.5, True), (0.9, True), (1.2, False), (0.35, False)], ids=["half", "most", "above", "cap"]
)
def test_it_is_applied_only_between_one_and_the_cap(share, applied):
    artery, vein, times = vessels(share)
    aif = compared_with_vein(artery, vein, times, AIFOptions())
    assert aif.venous_ratio == pytest.approx(1 / share, rel=0.02)
    assert aif.scale == (aif.venous_ratio if applied else 1.0)
    expected = Bolus().arterial_at(times) if applied else artery.measured
    np.testing.assert_allclose(aif.curve(times, "measured"), expected, rtol=0.02)


def test_it_can_be_switched_off_and_its_cap_moved():
    artery, vein, times = vessels(0.35)
    assert compared_with_vein(artery, vein, times, AIFOptions(partial_volume_cap=4.0)).scale > 2.5
    off = compared_with_vein(artery, vein, times, AIFOptions(partial_volume=False, partial_volume_cap=4.0))
    assert (off.scale, off.venous_ratio) == (1.0, pytest.approx(1 / 0.35, rel=0.02))


def test_a_curve_without_a_place_is_not_scaled_and_no_vein_means_no_ratio():
    artery, vein, times = vessels(0.5, mask=False)
    given = compared_with_vein(artery, vein, times, AIFOptions())
    assert (given.scale, given.venous_ratio) == (1.0, pytest.approx(2.0, rel=0.02))
    alone = compared_with_vein(artery, None, times, AIFOptions())
    assert (alone.scale, alone.venous_ratio) == (1.0, None)


HEADS = [{"seed": 0}, {"seed": 1}, {"seed": 3, "slab": 4}]
FURTHER = pytest.mark.accuracy
"""One head of a kind is enough for the oldest versions: that the others come out as well, the newest ones tell."""


@pytest.mark.parametrize(
    "changes", [HEADS[0], *(pytest.param(head, marks=FURTHER) for head in HEADS[1:])], ids=map(str, HEADS)
)
@pytest.mark.parametrize("modality", ["ctp", "dsc"])
def test_it_makes_up_for_the_tissue_in_a_heads_artery(scene, modality, changes):
    found = scene(modality, **changes)
    aif = compared_with_vein(found.aif(), found.vof(), found.times, AIFOptions())
    share = float(found.head.fractions["arterial"][aif.mask].mean())
    print(f"{modality} {changes}: {share:.2f} of the voxels is artery, scaled by {aif.scale:.2f}")
    assert aif.scale * share == pytest.approx(1.0, abs=max(0.05, 0.8 * (1 - share)))
    assert aif.scale * share == pytest.approx(1.0, abs=0.07)

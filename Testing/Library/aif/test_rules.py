"""Every rule for choosing the artery, on heads whose arteries are known."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.aif import AIF_RULES, AIFOptions, select_aif
from PyPeTLib.aif.candidates import enhancing_voxels
from PyPeTLib.aif.mouridsen import first_moments
from PyPeTLib.aif.straka import voxel_scores
from PyPeTLib.contrast import ContrastOptions, find_bolus
from PyPeTLib.errors import InputError, UnknownNameError
from PyPeTLib.geometry import Grid
from PyPeTLib.phantom import Bolus
from PyPeTLib.series import Modality

GOOD = [name for name in AIF_RULES if name != "paper"]
HEADS = [
    {"seed": 0},
    {"seed": 1, "tissue_lag": 3.0},
    {"seed": 2, "bolus": Bolus(arrival=30.0), "n_frames": 70},
    {"seed": 3, "slab": 4},
]
FURTHER = pytest.mark.accuracy
"""One head of a kind is enough for the oldest versions: that the others come out as well, the newest ones tell."""
HEADS[1:] = [pytest.param(head, marks=FURTHER) for head in HEADS[1:]]


@pytest.mark.parametrize("changes", HEADS, ids=["whole", "lag", "late", "slab"])
@pytest.mark.parametrize("modality", ["ctp", "dsc"])
@pytest.mark.parametrize("rule", GOOD)
def test_the_voxels_lie_inside_arteries(scene, rule, modality, changes):
    found = scene(modality, **changes)
    aif = found.aif(rule=rule)
    share = found.share("arterial", aif.mask)
    print(
        f"{rule} {modality} {list(changes)}: {share:.0%} inside, peak {aif.measured.max() / found.true_aif.max():.2f}"
    )
    assert share >= 0.8
    assert found.head.fractions["venous"][aif.mask].max() < 0.05
    assert aif.measured.max() > 0.6 * found.true_aif.max()


@pytest.mark.parametrize("changes", HEADS[:3], ids=["whole", "lag", "late"])
@pytest.mark.parametrize("modality", ["ctp", "dsc"])
def test_the_papers_rule_misses_arteries_but_takes_no_vein(scene, modality, changes):
    # what it reaches: early voxels near arteries, mixed with the cortex around them
    found = scene(modality, **changes)
    aif = found.aif(rule="paper")
    print(
        f"paper {modality} {list(changes)}: {found.share('arterial', aif.mask):.0%} of {aif.mask.sum()} voxels inside"
    )
    assert found.share("venous", aif.mask) < 0.05
    assert aif.candidates[0].quality.before_tissue_arrival > 0


@pytest.mark.parametrize("modality", ["ctp", "dsc"])
@pytest.mark.parametrize("rule", AIF_RULES)
def test_candidates_have_verdicts_best_first_and_the_choice_repeats(scene, rule, modality):
    found = scene(modality, seed=0)
    aif, again = found.aif(rule=rule), found.aif(rule=rule)
    np.testing.assert_array_equal(aif.mask, again.mask)
    assert aif.measured.tobytes() == again.measured.tobytes()
    first, *others = aif.candidates
    assert first.verdict.startswith("taken: ")
    assert others
    assert all(c.verdict.startswith("lost: ") for c in others)
    scores = [c.score for c in aif.candidates]
    assert scores == sorted(scores, reverse=True)
    assert first.volume == pytest.approx(aif.mask.sum() * found.grid.voxel_volume)


@pytest.mark.parametrize("rule", AIF_RULES)
def test_no_rule_depends_on_the_scale_of_the_signal(scene, rule):
    found = scene("ctp", seed=0)
    options = AIFOptions(rule=rule)
    other = select_aif(
        found.curves * np.float32(2.0**-9), found.mask, found.search, found.grid, found.times, found.bolus, options
    )
    np.testing.assert_array_equal(other.mask, found.aif(rule=rule).mask)


@pytest.mark.parametrize("rule", AIF_RULES)
def test_where_nothing_may_be_searched_no_artery_is_found(scene, rule):
    found = scene("ctp", seed=0)
    with pytest.raises(InputError, match="no artery was found"):
        select_aif(found.curves, found.mask, ~found.mask, found.grid, found.times, found.bolus, AIFOptions(rule=rule))


def test_a_rule_must_exist():
    with pytest.raises(UnknownNameError, match=r"'mouridson' is not among the AIF rules.*Did you mean 'mouridsen'"):
        AIFOptions(rule="mouridson")


BLOCK = (24, 24, 8)


def patchwork():
    """A small artery of 240 HU, and a large smooth patch of 60 HU that is as early: curves, grid, times, bolus."""
    times = np.arange(45.0)
    curves = np.broadcast_to(Bolus(arrival=11.0, beta=2.2, peak=8.0).arterial_at(times), (*BLOCK, 45)).copy()
    artery, patch = np.zeros(BLOCK, bool), np.zeros(BLOCK, bool)
    artery[2:4, 2:4, 2:4] = True
    patch[10:17, 10:17, 1:6] = True
    curves[artery] = Bolus(peak=240.0).arterial_at(times)
    curves[patch] = Bolus(peak=60.0).arterial_at(times)
    curves += np.random.default_rng(0).normal(0, 1.0, curves.shape)
    signal = curves.reshape(-1, 45).astype(np.float32)
    bolus = find_bolus(signal, times, Modality.CTP, ContrastOptions())
    return signal, np.ones(BLOCK, bool), Grid(BLOCK, np.diag([2.0, 2.0, 3.0, 1.0])), times, bolus, artery, patch


def test_the_papers_score_prefers_a_large_patch_to_an_artery():
    signal, mask, grid, times, bolus, artery, patch = patchwork()
    chosen = {rule: select_aif(signal, mask, mask, grid, times, bolus, AIFOptions(rule=rule)) for rule in AIF_RULES}
    assert not (chosen["paper"].mask & ~patch).any()
    # mouridsen looks at shapes alone, and both have the same
    for rule in ("cluster-score", "straka"):
        assert not (chosen[rule].mask & ~artery).any(), rule
    # volume in mm3 × peak / root mean square error of the fit
    best = chosen["paper"].candidates[0]
    fit = chosen["paper"].fit(times)
    error = np.sqrt(np.mean((fit - chosen["paper"].measured) ** 2))
    assert best.score == pytest.approx(best.volume * best.peak / error)


def test_first_moments_are_mean_times():
    times = np.array([0.0, 1.0, 2.0, 4.0, 6.0, 8.0])
    curves = np.array([[0, 0, 1, 0, 0, 0], [0, 0, 0, 3, 0, 0], [0, 1, 1, 1, 0, 0]], np.float32)
    weights = np.array([0.5, 1.0, 1.5, 2.0, 2.0, 1.0])
    expected = (curves * times * weights).sum(axis=1) / (curves * weights).sum(axis=1)
    np.testing.assert_allclose(first_moments(curves, times), expected, rtol=1e-6)


def test_voxel_scores_fall_with_later_arrival_between_frames():
    times = np.arange(45.0)
    shifts = np.linspace(0, 1, 11)
    family = np.array([Bolus(arrival=8.0 + shift, peak=200.0).arterial_at(times) for shift in shifts])
    later = np.array([Bolus(arrival=12.0, beta=2.2, peak=150.0).arterial_at(times)] * 30)
    filler = np.zeros((400, 45))
    curves = np.concatenate([family, later, filler]).astype(np.float32)
    found = enhancing_voxels(curves, np.ones(len(curves), bool), times, slice(0, 7), AIFOptions())
    scores = voxel_scores(found)
    of_family = scores[np.isin(found.voxels, np.arange(11))]
    # ten steps of a tenth of a frame: arrival in whole frames would tie them; peaks differ a little by their sampling
    assert (np.diff(of_family) < 0.05).all()
    assert of_family[0] > of_family[-1] + 0.1

"""The arterial input function found in heads whose arteries are known."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from PyPeTLib.aif import AIFOptions, select_aif
from PyPeTLib.contrast import ContrastOptions, concentration, find_bolus
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.masking import erode_mm
from PyPeTLib.phantom import Bolus, make_head
from PyPeTLib.series import Modality

SLABS = {
    "ctp": {"shape": (128, 128, 23), "spacing": (1.5625, 1.5625, 5.0), "slab": 4},
    "dsc": {"shape": (128, 128, 20), "spacing": (1.75, 1.75, 6.0), "slab": 4},
}
WHOLE = {
    "ctp": {"shape": (80, 80, 23), "spacing": (2.5, 2.5, 5.0)},
    "dsc": {"shape": (80, 80, 20), "spacing": (2.8, 2.8, 6.0)},
}
BLOCK = (14, 14, 6)
FURTHER = pytest.mark.accuracy
"""One head of a kind is enough for the oldest versions: that the others come out as well, the newest ones tell."""


@cache
def selected(modality, seed, lag, *, whole=False, narrow=False, **changes):
    """A head, and the AIF that its unsmoothed concentration gives."""
    grid = WHOLE[modality] if whole else SLABS[modality]
    if narrow:
        changes |= {"bolus": Bolus(alpha=5.0, beta=1.0), "dt": 2.0, "n_frames": 30}
    head = make_head(modality, seed=seed, tissue_lag=lag, **grid, **changes)
    series, mask = head.series, head.masks["intracranial"]
    signal = np.ascontiguousarray(series.array()[mask])
    bolus = find_bolus(signal, series.frame_times, series.modality, ContrastOptions())
    content = concentration(signal, bolus, series.modality, echo_time=series.acquisition.echo_time)
    search = erode_mm(mask, series.grid, 1.0)
    return head, select_aif(content.curves, mask, search, series.grid, series.frame_times, bolus, AIFOptions())


def in_arteries(head, aif):
    return float((head.fractions["arterial"][aif.mask] >= 0.5).mean())


@pytest.mark.parametrize("lag", [0.0, pytest.param(3.0, marks=FURTHER)])
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=FURTHER) for seed in (1, 2))])
@pytest.mark.parametrize("modality", ["ctp", "dsc"])
def test_the_voxels_lie_inside_arteries(modality, seed, lag):
    head, aif = selected(modality, seed, lag)
    share = in_arteries(head, aif)
    print(f"{modality} seed {seed} lag {lag:g}: {share:.0%} of {aif.mask.sum()} voxels inside arteries")
    assert share >= 0.8
    assert head.fractions["venous"][aif.mask].max() < 0.05


@FURTHER
@pytest.mark.parametrize(("modality", "seed", "lag"), [("ctp", 1, 3.0), ("dsc", 2, 0.0)])
def test_the_sinuses_of_a_whole_head_are_not_taken(modality, seed, lag):
    head, aif = selected(modality, seed, lag, whole=True)
    assert in_arteries(head, aif) >= 0.8
    assert head.fractions["venous"][aif.mask].max() < 0.05


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=FURTHER)])
@pytest.mark.parametrize("modality", ["ctp", "dsc"])
def test_the_curve_is_that_of_the_artery(modality, seed):
    head, aif = selected(modality, seed, 0.0)
    truth = head.aif * (1.0 if modality == "ctp" else 0.2)
    at = slice(0, int(truth.argmax()) + 6)
    # arteries further along the tree come up to a second and a half later
    assert np.corrcoef(aif.measured[at], truth[at])[0, 1] > 0.85
    # lost signal (DSC) and partial volume lower the peak, nothing raises it
    assert 0.75 * truth.max() < aif.measured.max() < 1.1 * truth.max()
    assert 0 < aif.baseline_noise < 0.1 * aif.measured.max()
    assert aif.fit.r_squared > 0.97


@pytest.mark.parametrize("modality", ["ctp", "dsc"])
def test_candidates_have_verdicts_best_first(modality):
    head, aif = selected(modality, 0, 0.0)
    first, *others = aif.candidates
    assert first.verdict == "taken: highest score"
    assert len(others) >= 2
    assert all(c.verdict.startswith("lost: ") and len(c.verdict) > 10 for c in others)
    scores = [c.score for c in aif.candidates]
    assert scores == sorted(scores, reverse=True)
    # the centre in world millimetres lies among the voxels of the mask
    voxels = np.argwhere(aif.mask)
    world = (head.series.affine[:3, :3] @ voxels.T).T + head.series.affine[:3, 3]
    np.testing.assert_allclose(first.centre, world.mean(axis=0), atol=1e-6)
    assert first.volume == pytest.approx(len(voxels) * head.series.grid.voxel_volume)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=FURTHER) for seed in (1, 2))])
@pytest.mark.parametrize("modality", ["ctp", "dsc"])
def test_a_narrow_bolus_every_two_seconds_still_gives_the_brightest_artery(modality, seed):
    # where no gamma variate can be fitted to few samples, that must not count against the arteries with the best curve
    head, aif = selected(modality, seed, 0.0, narrow=True)
    assert in_arteries(head, aif) >= 0.8
    brightest = max(c.peak for c in aif.candidates)
    assert aif.candidates[0].peak > 0.85 * brightest, [c.verdict for c in aif.candidates[:4]]


def block(*, artery=200.0, vein=300.0, late=4.0, size=2, noise=2.0):
    """A block of tissue with a cubic artery and a higher vein: curves, mask, grid, times, bolus and the two cubes."""
    times = np.arange(45.0)
    curves = np.broadcast_to(Bolus(arrival=11.0, beta=2.2, peak=12.0).arterial_at(times), (*BLOCK, 45)).copy()
    cubes = []
    for corner, peak, arrival, beta in ((2, artery, 8.0, 1.5), (9, vein, 8.0 + late, 2.2)):
        cube = np.zeros(BLOCK, bool)
        cube[corner : corner + size, corner : corner + size, 1 : 1 + size] = True
        curves[cube] = Bolus(arrival=arrival, beta=beta, peak=peak).arterial_at(times)
        cubes.append(cube)
    curves += np.random.default_rng(0).normal(0, noise, curves.shape)
    signal = curves.reshape(-1, 45).astype(np.float32)
    bolus = find_bolus(signal, times, Modality.CTP, ContrastOptions())
    return signal, np.ones(BLOCK, bool), Grid(BLOCK, np.diag([2.0, 2.0, 3.0, 1.0])), times, bolus, *cubes


def choose(scene, search=None, **options):
    signal, mask, grid, times, bolus, *_ = scene
    return select_aif(signal, mask, mask if search is None else search, grid, times, bolus, AIFOptions(**options))


@pytest.mark.parametrize("vein", [150.0, 300.0, 600.0])
def test_a_vein_is_not_taken_however_high_it_is(vein):
    scene = block(vein=vein)
    aif = choose(scene)
    artery = scene[5]
    assert (aif.mask & ~artery).sum() == 0
    assert aif.source == "automatic"


def test_sizes_are_judged_in_cubic_millimetres():
    # eight voxels of 12 mm³
    scene = block()
    with pytest.raises(InputError, match=r"no cluster .* has a fitting size"):
        choose(scene, maximum_volume=90.0)
    with pytest.raises(InputError, match=r"no cluster .* has a fitting size"):
        choose(scene, minimum_volume=100.0)
    finer = (*scene[:2], Grid(BLOCK, np.diag([1.0, 1.0, 1.5, 1.0])), *scene[3:])
    assert choose(finer, maximum_volume=90.0).mask.any()


def test_the_brightest_part_of_a_cluster_makes_the_curve():
    scene = block(size=3)
    small, large = choose(scene, target_volume=36.0), choose(scene, target_volume=240.0)
    assert (small.mask.sum(), large.mask.sum()) == (3, 20)
    assert small.measured.max() > 0.9 * large.measured.max()


def test_only_the_search_region_is_used():
    scene = block()
    with pytest.raises(InputError, match="no artery was found"):
        choose(scene, search=np.zeros(BLOCK, bool))


def test_noise_holds_no_artery():
    signal, mask, grid, times, bolus, *_ = block()
    noise = np.random.default_rng(1).normal(0, 2, signal.shape).astype(np.float32)
    with pytest.raises(InputError, match="out of the noise"):
        select_aif(noise, mask, mask, grid, times, bolus, AIFOptions())


def test_clusters_that_are_too_large_are_listed_with_their_verdict():
    scene = block(vein=200.0, late=0.0)
    signal, *_, artery, vein = scene
    thick = vein.copy()
    thick[8:13, 8:13, 1:5] = True
    signal = signal.reshape(*BLOCK, 45).copy()
    signal[thick] = signal[vein].mean(axis=0)
    aif = choose((signal.reshape(-1, 45), *scene[1:]), maximum_volume=500.0)
    assert (aif.mask & ~artery).sum() == 0
    assert any("is more than the limit of 500 mm3" in c.verdict for c in aif.candidates)


def test_the_answer_does_not_depend_on_the_scale_of_the_signal():
    scene = block()
    first = choose(scene)
    other = choose((scene[0] * np.float32(2.0**-9), *scene[1:]))
    np.testing.assert_array_equal(other.mask, first.mask)
    np.testing.assert_allclose(other.measured * 512, first.measured, rtol=1e-6)


def test_a_baseline_that_is_too_short_to_measure_noise_still_gives_an_artery():
    scene = block()
    short = replace(scene[4], baseline=slice(0, 2))
    aif = choose((*scene[:4], short, *scene[5:]))
    assert (aif.mask & ~scene[5]).sum() == 0

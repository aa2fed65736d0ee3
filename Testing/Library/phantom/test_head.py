"""Heads: the series holds what the truth says, and every option does what it promises."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate

from PyPeTLib.errors import InputError, UnknownNameError
from PyPeTLib.execution import Execution
from PyPeTLib.phantom import Bolus, RigidMotion, make_head, rigid_matrices, tissue_curve
from PyPeTLib.phantom.head_options import head_options
from PyPeTLib.series import Modality

TRUTH = {"cbf", "cbv", "mtt", "delay", "tmax", "ttp"}


def contrast(phantom):
    """Concentration that the noise-free series shows, shape (x, y, z, t)."""
    data = phantom.series.array().astype(np.float64)
    before = data[..., :1]
    if phantom.series.modality is Modality.CTP:
        return data - before
    with np.errstate(divide="ignore", invalid="ignore"):
        return -np.log(data / before) / phantom.series.acquisition.echo_time


def pure_tissue(phantom, number=80):
    """Some voxels without any vessel, spread over normal tissue, core and penumbra."""
    rng = np.random.default_rng(0)
    clean = phantom.masks["tissue"] & (phantom.fractions["vessel"] == 0)
    regions = (clean & phantom.masks["healthy_side"], clean & phantom.masks["core"], clean & phantom.masks["penumbra"])
    return tuple(np.concatenate([rng.permutation(np.argwhere(r))[: number // 3] for r in regions]).T)


@pytest.mark.parametrize("modality", ["ctp", "dsc"])
def test_noise_free_series_shows_the_tissue_curves_of_its_truth(modality, request):
    phantom = request.getfixturevalue("clean_ct" if modality == "ctp" else "clean_dsc")
    at = pure_tissue(phantom)
    truth = {name: volume[at].astype(np.float64) for name, volume in phantom.truth.items()}
    exact = tissue_curve(phantom.bolus, truth["cbf"], truth["mtt"], truth["delay"], times=phantom.series.frame_times)
    found = contrast(phantom)[at]
    assert len(found) > 60
    assert (np.abs(found - exact).max(axis=1) < 2e-3 * exact.max(axis=1) + 1e-3).all()
    np.testing.assert_allclose(truth["mtt"], 60 * truth["cbv"] / truth["cbf"], rtol=1e-5)
    np.testing.assert_array_equal(truth["tmax"], truth["delay"])
    fine = np.arange(0, 60, 0.05)
    peaks = fine[tissue_curve(phantom.bolus, 1.0, truth["mtt"], truth["delay"], times=fine).argmax(axis=1)]
    np.testing.assert_allclose(truth["ttp"], peaks, atol=0.06)


def test_arteries_show_the_bolus_and_its_arrival():
    # a fine grid over the circle of Willis, where the carotid and basilar arteries fill voxels
    phantom = make_head("ctp", shape=(90, 90, 23), spacing=(1.0, 1.0, 5.0), noise=None, healthy=True, n_frames=40)
    inside = phantom.arterial_fraction > 0.98
    assert inside.sum() > 40
    found, times = contrast(phantom)[inside], phantom.series.frame_times
    np.testing.assert_allclose(found.sum(axis=1), phantom.aif.sum(), rtol=0.03)
    lag = found @ times / found.sum(axis=1) - phantom.aif @ times / phantom.aif.sum()
    # from the neck to the circle of Willis
    assert 0 <= lag.min() < 0.2
    assert 0.3 < lag.max() < 1.0


@pytest.mark.parametrize(("modality", "relaxivity"), [("ctp", 1.0), ("dsc", 0.2)])
def test_contrast_of_a_vessel_voxel_is_the_sum_of_its_parts(modality, relaxivity, request):
    phantom = request.getfixturevalue("clean_ct" if modality == "ctp" else "clean_dsc")
    times, shares = phantom.series.frame_times, phantom.fractions
    there = (phantom.fractions["vessel"] > 0.3) & (phantom.truth["cbf"] > 0)
    areas = integrate.trapezoid(contrast(phantom)[there], times, axis=1)
    truth = (phantom.truth[name][there].astype(np.float64) for name in ("cbf", "mtt", "delay"))
    tissue = integrate.trapezoid(tissue_curve(phantom.bolus, *truth, times=times), times, axis=1)
    artery, vein = (integrate.trapezoid(curve, times) for curve in (phantom.aif, phantom.vof))
    expected = relaxivity * (shares["arterial"][there] * artery + shares["venous"][there] * vein)
    expected += (1 - shares["vessel"][there]) * tissue
    assert there.sum() > 30
    np.testing.assert_allclose(areas, expected, rtol=0.05, atol=5.0)


def test_baseline_of_ct_has_the_agreed_numbers(clean_ct):
    before, share = clean_ct.series.array()[..., 0], clean_ct.fractions
    no_vessel = share["vessel"] == 0
    for name, value in (("grey", 36), ("white", 28), ("csf", 8)):
        pure = (share[name] > 0.995) & no_vessel
        assert pure.sum() > 3, name
        np.testing.assert_allclose(before[pure], value, atol=0.5)
    assert before.min() == -1000
    assert before.max() > 900


def test_baseline_of_dsc_has_dark_skull_bright_scalp_and_bright_csf(clean_dsc):
    before, share = clean_dsc.series.array()[..., 0], clean_dsc.fractions
    tissue = before[clean_dsc.masks["tissue"]]
    assert np.median(tissue) == pytest.approx(520, rel=0.1)
    assert before[(share["csf"] > 0.9) & (share["vessel"] == 0)].mean() > 1.6 * np.median(tissue)
    middle = before[:, before.shape[1] // 2, 6]
    head = np.flatnonzero(middle > 100)
    skull = middle[head[0] : head[0] + 8].min()
    scalp = middle[head[0] : head[0] + 4].max()
    assert skull < 0.6 * np.median(tissue) < np.median(tissue) < 1.2 * scalp


def test_tissue_drops_by_a_realistic_share_of_its_signal(clean_dsc):
    grey = clean_dsc.masks["grey"] & clean_dsc.masks["healthy_side"]
    data = clean_dsc.series.array()[grey]
    drops = 1 - data.min(axis=1) / data[:, 0]
    assert 0.15 < np.median(drops) < 0.4


@pytest.mark.parametrize("fixture", ["clean_ct", "clean_dsc"])
def test_masks_and_fractions_fit_together(fixture, request):
    phantom = request.getfixturevalue(fixture)
    masks, fractions = phantom.masks, phantom.fractions
    assert set(phantom.truth) == TRUTH
    assert not (masks["brain"] & ~masks["intracranial"]).any()
    assert not (masks["core"] & masks["penumbra"]).any()
    assert not (masks["tissue"] & (fractions["vessel"] >= 0.02)).any()
    assert not (masks["healthy_side"] & (masks["core"] | masks["penumbra"])).any()
    assert (fractions["arterial"] + fractions["venous"] <= fractions["vessel"] + 1e-6).all()
    assert fractions["vessel"].max() <= 1
    ml = abs(np.linalg.det(phantom.series.affine[:3, :3])) / 1000
    assert 10 < masks["core"].sum() * ml < 35
    assert 50 < masks["penumbra"].sum() * ml < 140
    assert not masks["leaky"].any()


def test_lesion_lies_on_the_side_it_says(small_head):
    for side, sign in (("left", -1), ("right", 1)):
        phantom = small_head("ctp", noise=None, n_frames=12, lesion_side=side, shape=(40, 40, 10))
        assert phantom.lesion_side == side
        core, healthy = (np.argwhere(phantom.masks[name])[:, 0].mean() for name in ("core", "healthy_side"))
        assert sign * (core - healthy) * phantom.series.grid.voxel_sizes[0] > 40


def test_same_seed_gives_the_same_head_and_another_seed_another_one(small_head):
    first, again, other = (small_head("dsc", seed=seed, n_frames=12) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.series.array(), again.series.array())
    assert (first.masks["tissue"] != other.masks["tissue"]).mean() > 0.02


def test_number_of_threads_does_not_matter(small_head):
    one, two = (small_head("dsc", n_frames=12, execution=Execution(threads=n)) for n in (1, 2))
    np.testing.assert_array_equal(one.series.array(), two.series.array())


def test_noise_draws_from_its_own_stream(clean_ct, small_head):
    noisy = small_head("ctp", dtype="float32")
    np.testing.assert_array_equal(noisy.truth["cbf"], clean_ct.truth["cbf"])
    difference = noisy.series.array() - clean_ct.series.array()
    assert difference.std() == pytest.approx(6.0, rel=0.01)
    assert difference.mean() == pytest.approx(0.0, abs=0.02)
    assert abs(np.corrcoef(difference[..., 3].ravel(), difference[..., 4].ravel())[0, 1]) < 0.02


def test_noise_of_dsc_is_rician(clean_dsc, small_head):
    noisy = small_head("dsc", dtype="float32").series.array()
    air = clean_dsc.series.array() == 0
    assert noisy[air].mean() == pytest.approx(8 * np.sqrt(np.pi / 2), rel=0.01)
    tissue = clean_dsc.masks["tissue"]
    assert (noisy - clean_dsc.series.array())[tissue].std() == pytest.approx(8, rel=0.02)
    assert noisy.min() >= 0


def test_series_with_noise_hold_whole_numbers_unless_told_otherwise(clean_ct, small_head):
    rounded = small_head("ctp", n_frames=12).series.array()
    free = small_head("ctp", n_frames=12, dtype="float32").series.array()
    np.testing.assert_array_equal(rounded, np.rint(free))
    assert not np.array_equal(clean_ct.series.array(), np.rint(clean_ct.series.array()))


def test_truncated_scan_is_the_beginning_of_the_whole_one(small_head):
    whole, cut = small_head("ctp"), small_head("ctp", n_frames=18)
    np.testing.assert_array_equal(cut.series.array(), whole.series.array()[..., :18])


def test_uneven_frames_see_the_same_head(clean_ct, small_head):
    times = np.array([0.0, 4, 8, 10, 11, 13, 16, 20, 30, 44])
    uneven = small_head("ctp", noise=None, frame_times=times)
    np.testing.assert_allclose(uneven.series.array(), clean_ct.series.array()[..., times.astype(int)], atol=1e-3)
    np.testing.assert_allclose(uneven.aif, clean_ct.aif[times.astype(int)])


def test_healthy_head_has_no_lesion_and_no_clot(small_head):
    phantom = small_head("ctp", noise=None, n_frames=12, healthy=True)
    assert not (phantom.masks["core"] | phantom.masks["penumbra"]).any()
    assert phantom.truth["delay"].max() < 2.2
    np.testing.assert_allclose(
        phantom.fractions["vessel"], phantom.arterial_fraction + phantom.venous_fraction, atol=1e-6
    )


def test_occlusion_takes_an_artery_away(clean_ct, small_head):
    free = small_head("ctp", noise=None, n_frames=12, occlusion=False)
    clot = clean_ct.fractions["vessel"] - clean_ct.arterial_fraction - clean_ct.venous_fraction
    assert clot.max() > 0.1
    np.testing.assert_allclose(free.arterial_fraction, clean_ct.arterial_fraction + clot, atol=1e-6)
    assert free.masks["core"].any()


def test_tissue_lag_delays_tissue_and_not_arteries(clean_ct, small_head):
    late = small_head("ctp", noise=None, tissue_lag=3.0)
    there = clean_ct.truth["cbf"] > 0
    np.testing.assert_allclose((late.truth["delay"] - clean_ct.truth["delay"])[there], 3.0, atol=1e-5)
    artery = clean_ct.arterial_fraction > 0.99
    np.testing.assert_allclose(late.series.array()[artery], clean_ct.series.array()[artery], atol=0.5)


def test_bolus_may_come_early_or_late(clean_ct, small_head):
    late = small_head("ctp", noise=None, bolus=Bolus(arrival=12.0))
    np.testing.assert_allclose(late.series.array()[..., 4:], clean_ct.series.array()[..., :-4], atol=2e-3)


def test_residue_is_the_one_asked_for(small_head):
    phantom = small_head("ctp", noise=None, residue="box")
    at = pure_tissue(phantom)
    truth = (phantom.truth[name][at].astype(np.float64) for name in ("cbf", "mtt", "delay"))
    exact = tissue_curve(phantom.bolus, *truth, "box", times=phantom.series.frame_times)
    assert (np.abs(contrast(phantom)[at] - exact).max(axis=1) < 3e-3 * exact.max(axis=1)).all()


def test_slab_is_a_part_of_the_head_with_its_arteries_and_lesion(small_head):
    phantom = small_head("ctp", noise=None, n_frames=16, slab=4, shape=(100, 100, 23))
    assert phantom.series.array().shape == (100, 100, 4, 16)
    assert phantom.series.grid.voxel_sizes == pytest.approx((2, 2, 5))
    assert (phantom.arterial_fraction >= 0.5).any()
    assert phantom.masks["core"].any()
    assert phantom.masks["penumbra"].any()


@pytest.mark.parametrize("kind", ["las", "lps", "permuted", "oblique"])
def test_orientation_of_the_file_does_not_change_the_head(clean_ct, kind, small_head):
    phantom = small_head("ctp", noise=None, affine=kind)
    np.testing.assert_array_equal(phantom.series.array(), clean_ct.series.array())
    assert phantom.series.orientation.ras.matches(phantom.series.grid)
    assert not np.allclose(phantom.series.orientation.native.affine, clean_ct.series.affine)


@pytest.mark.parametrize("kind", ["tilted", "sheared"])
def test_tilted_slices_cut_the_same_head_elsewhere(clean_ct, kind, small_head):
    phantom = small_head("ctp", noise=None, n_frames=12, affine=kind)
    volumes = [h.masks["core"].sum() * abs(np.linalg.det(h.series.affine[:3, :3])) for h in (phantom, clean_ct)]
    assert volumes[0] == pytest.approx(volumes[1], rel=0.15)
    assert (phantom.masks["tissue"] != clean_ct.masks["tissue"]).mean() > 0.03


def test_motion_is_reported_and_rendered(clean_ct, small_head):
    shifts = np.zeros((45, 3))
    shifts[20:, 0] = 200 / 66  # one voxel to the right
    matrices = rigid_matrices(shifts, np.zeros((45, 3)), (0, 0, 0))
    phantom = small_head("ctp", noise=None, motion=matrices)
    np.testing.assert_array_equal(phantom.motion, matrices)
    np.testing.assert_array_equal(phantom.series.array()[..., :20], clean_ct.series.array()[..., :20])
    np.testing.assert_allclose(
        phantom.series.array()[5:-6, 5:-5, :, 20:], clean_ct.series.array()[6:-5, 5:-5, :, 20:], atol=0.1
    )
    np.testing.assert_array_equal(phantom.truth["cbf"], clean_ct.truth["cbf"])


def test_motion_by_description_is_drawn_from_the_seed(small_head):
    first, again = (
        small_head("dsc", n_frames=12, shape=(24, 24, 6), motion=RigidMotion(drift_mm=4.0)) for _ in range(2)
    )
    np.testing.assert_array_equal(first.motion, again.motion)
    np.testing.assert_array_equal(first.motion[0], np.eye(4))
    assert np.abs(first.motion[-1] - np.eye(4)).max() > 0.5


def test_leakage_changes_the_leaky_region_only(clean_dsc, small_head):
    phantom = small_head("dsc", noise=None, leakage=0.02)
    leaky = phantom.masks["leaky"]
    assert leaky.sum() > 10
    assert not (leaky & phantom.masks["healthy_side"]).any()
    np.testing.assert_array_equal(phantom.series.array()[~leaky], clean_dsc.series.array()[~leaky])
    assert (phantom.series.array()[leaky][:, -1] > clean_dsc.series.array()[leaky][:, -1]).all()


def test_defaults_are_those_agreed():
    ct, dsc = head_options("ctp"), head_options("dsc")
    assert (ct.shape, ct.spacing, ct.noise, ct.dtype) == ((200, 200, 23), (1.0, 1.0, 5.0), 6.0, "int16")
    np.testing.assert_array_equal(ct.frame_times, np.arange(45.0))
    assert (dsc.shape, dsc.spacing, dsc.noise, dsc.echo_time) == ((128, 128, 20), (1.75, 1.75, 6.0), 8.0, 0.03)
    np.testing.assert_array_equal(dsc.frame_times, 1.5 * np.arange(60))
    assert (ct.residue, ct.healthy, ct.occlusion, ct.motion) == ("exponential", False, True, None)


def test_shape_alone_keeps_the_field_of_view():
    assert head_options("ctp", shape=(100, 50, 23)).spacing == (2.0, 4.0, 5.0)
    assert head_options("ctp", shape=(100, 50, 23), spacing=(1.0, 1.0, 1.0)).spacing == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtype": "uint8"}, "dtype"),
        ({"lesion_side": "top"}, "lesion_side"),
        ({"noise": -1.0}, "noise"),
        ({"shape": (10, 10), "spacing": (1.0, 1.0, 1.0)}, "three numbers"),
        ({"leakage": 0.1}, "DSC"),
        ({"affine": "xyz"}, "affine kinds"),
        ({"frame_times": np.arange(20.0), "n_frames": 10}, "either frame_times"),
        ({"motion": np.tile(np.eye(4), (7, 1, 1)), "shape": (12, 12, 4)}, "45 matrices"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        make_head("ctp", **options)


def test_misspelt_options_and_names_are_refused():
    with pytest.raises(TypeError, match="occluded"):
        make_head("ctp", occluded=False)
    with pytest.raises(UnknownNameError, match="exponential"):
        make_head("ctp", residue="expo")

"""Tiles as CT series: flat, Kudo-type, gradients."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate

from PyPeTLib.phantom import make_gradient_tiles, make_kudo, make_tiles, tile_volume, tissue_curve
from PyPeTLib.phantom.tile_volumes import BASELINE_HU


@pytest.fixture(scope="module")
def kudo():
    return make_kudo(tile_size=2, noise=0.0)


@pytest.fixture(scope="module")
def gradients():
    return make_gradient_tiles("gamma", cell=8, mtt=[4.0, 12.0], noise=0.0)


def check_curves(phantom, residue, section):
    """The series holds the tissue curves of its own truth."""
    voxels = np.argwhere(phantom.masks["tissue"])
    voxels = voxels[voxels[:, 2] == section][::7]
    at = tuple(voxels.T)
    truth = phantom.truth
    curves = tissue_curve(
        phantom.bolus,
        *(truth[name][at].astype(np.float64) for name in ("cbf", "mtt", "delay")),
        residue,
        times=phantom.series.frame_times,
    )
    assert len(curves) > 5
    np.testing.assert_allclose(phantom.series.array()[at] - BASELINE_HU, curves, atol=2e-4 * curves.max())
    np.testing.assert_allclose(truth["cbv"][at], truth["cbf"][at] * truth["mtt"][at] / 60, rtol=1e-5)


def test_flat_tiles_hold_the_curves_of_the_table():
    tiles = make_tiles("linear", delay=[-2.0, 0.0, 3.0])
    phantom = tile_volume(tiles, tile_size=3)
    assert phantom.series.array().shape == (21, 9, 6, 45)
    check_curves(phantom, "linear", section=2)
    curves = tiles.curves.reshape(*tiles.shape, 45)
    np.testing.assert_allclose(
        phantom.series.array()[3 * 4 + 1, 3 * 2 + 1, 1] - BASELINE_HU, curves[4, 1, 2], atol=1e-4
    )
    assert phantom.truth["mtt"][3 * 4 + 1, 0, 0] == 12


def test_last_section_of_flat_tiles_shows_artery_and_vein():
    phantom = tile_volume(make_tiles(), tile_size=2)
    for mask, curve in (("artery", phantom.aif), ("vein", phantom.vof)):
        shown = phantom.series.array()[phantom.masks[mask]] - BASELINE_HU
        np.testing.assert_allclose(shown, np.broadcast_to(curve, shown.shape), atol=1e-3)
        assert (np.argwhere(phantom.masks[mask])[:, 2] == 5).all()
    assert not (phantom.masks["artery"] & phantom.masks["vein"]).any()


def test_noise_of_the_volume_is_per_voxel_and_frame():
    tiles = make_tiles()
    difference = tile_volume(tiles, noise=6.0, rng=1).series.array() - tile_volume(tiles).series.array()
    assert difference.std() == pytest.approx(6.0, rel=0.01)
    first, second = difference[..., 10].ravel(), difference[..., 11].ravel()
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.02


def test_kudo_layout(kudo):
    assert kudo.series.array().shape == (32, 32, 16, 30)
    np.testing.assert_allclose(np.diff(kudo.series.frame_times), 2.0)
    assert kudo.masks["tissue"].sum() == 14 * 14 * 15
    first = 9
    for section in (1, 8, 15):
        middle = [first + 2 * k for k in range(7)]
        np.testing.assert_allclose(kudo.truth["mtt"][middle, first, section], 24 / np.arange(1, 8), rtol=1e-6)
        np.testing.assert_allclose(kudo.truth["delay"][first, middle, section], np.arange(7) / 2)
    assert [kudo.truth["cbv"][first, first, z] for z in range(1, 16)] == pytest.approx([1, 2, 3, 4, 5] * 3, rel=1e-6)


@pytest.mark.parametrize(("section", "residue"), [(3, "exponential"), (7, "linear"), (13, "box")])
def test_kudo_sections_have_their_residues(kudo, section, residue):
    check_curves(kudo, residue, section)


def test_kudo_input_follows_its_formula_and_the_drawn_artery_is_diluted(kudo):
    times = kudo.series.frame_times
    s = np.maximum(times - 12, 0)
    np.testing.assert_allclose(kudo.aif, 102.4 * s**3 * np.exp(-s / 1.5), rtol=1e-6, atol=1e-9)
    drawn = kudo.series.array()[kudo.masks["artery"]].mean(axis=0) - BASELINE_HU
    vein = kudo.series.array()[kudo.masks["vein"]].mean(axis=0) - BASELINE_HU
    assert integrate.trapezoid(vein, times) / integrate.trapezoid(drawn, times) == pytest.approx(2.05, rel=0.01)


def test_gradients_change_inside_cells_and_jump_between_them(gradients):
    flow, delay = gradients.truth["cbf"][:, :, 0], gradients.truth["delay"][:, :, 0]
    along, across = np.abs(np.diff(flow, axis=0)), np.abs(np.diff(delay, axis=1))
    edges = np.arange(1, 32) % 8 == 0
    assert 0 < along[~edges].min() <= along[~edges].max() < 4
    assert along[edges].min() > 10
    assert 0 < across[:, ~edges].min() <= across[:, ~edges].max() < 0.3
    assert across[:, edges].min() > 2


@pytest.mark.parametrize("section", [0, 1])
def test_gradients_hold_exact_curves(gradients, section):
    check_curves(gradients, "gamma", section)


def test_labels_group_the_voxels_of_one_curve():
    phantom = tile_volume(make_tiles(mtt=[4.0, 6.0], cbv=[2.0], delay=[0.0, 1.0]), tile_size=4)
    labels = phantom.labels[phantom.masks["tissue"]]
    assert np.bincount(labels).tolist() == [16, 16, 16, 16]
    assert (phantom.labels[~phantom.masks["tissue"]] == -1).all()

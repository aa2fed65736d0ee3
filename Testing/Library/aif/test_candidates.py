"""Voxels that look like arteries, and their clusters."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.aif import AIFOptions
from PyPeTLib.aif.candidates import RELAXATION, clusters, enhancing_voxels
from PyPeTLib.phantom import Bolus

TIMES = np.arange(45.0)
SHAPE = (12, 12, 4)


def scene(noise=1.0, late=4.0, seed=0):
    """A block of weak tissue with an early artery of 2×2×2 voxels and a late, higher vein of 2×2×3."""
    rng = np.random.default_rng(seed)
    curves = np.broadcast_to(0.05 * Bolus(arrival=10.0, beta=2.0).arterial_at(TIMES), (*SHAPE, 45)).copy()
    artery, vein = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    artery[2:4, 2:4, 1:3] = True
    vein[8:10, 8:10, 0:3] = True
    curves[artery] = 0.6 * Bolus(arrival=8.0).arterial_at(TIMES)
    curves[vein] = Bolus(arrival=8.0 + late, beta=2.0).arterial_at(TIMES)
    curves += noise * rng.standard_normal(curves.shape)
    return curves.reshape(-1, 45).astype(np.float32), artery, vein


def found_in(curves, search=None, **options):
    search = np.ones(len(curves), bool) if search is None else search
    return enhancing_voxels(curves, search, TIMES, slice(0, 7), AIFOptions(**options))


def test_all_voxels_of_artery_and_vein_are_among_the_enhancing_ones():
    curves, artery, vein = scene()
    found = found_in(curves)
    assert set(np.flatnonzero((artery | vein).ravel())) <= set(found.voxels)
    assert found.earliest == pytest.approx(10.0, abs=0.5)


def test_clusters_hold_the_early_voxels_and_leave_the_late_ones():
    curves, artery, _ = scene()
    found = found_in(curves)
    positions = np.argwhere(np.ones(SHAPE, bool))[found.voxels]
    for step in RELAXATION[1:]:
        groups = clusters(found, positions, SHAPE, step)
        voxels = [set(found.voxels[group]) for group in groups]
        assert voxels == [set(np.flatnonzero(artery.ravel()))]


def test_an_early_vein_of_the_same_bolus_would_be_a_cluster_of_its_own():
    curves, artery, vein = scene(late=0.0)
    found = found_in(curves)
    groups = clusters(found, np.argwhere(np.ones(SHAPE, bool))[found.voxels], SHAPE, (0.25, 3.0))
    assert sorted(len(group) for group in groups) == [artery.sum(), vein.sum()]


def test_only_the_search_region_is_looked_at():
    curves, artery, _ = scene()
    found = found_in(curves, search=~artery.ravel())
    assert not set(found.voxels) & set(np.flatnonzero(artery.ravel()))


def test_voxels_that_do_not_stand_out_of_the_noise_are_left_out():
    rng = np.random.default_rng(0)
    assert found_in(rng.standard_normal((3000, 45)).astype(np.float32)) is None
    curves, *_ = scene(noise=20.0)
    assert found_in(curves, minimum_contrast_to_noise=30.0) is None
    assert found_in(curves, minimum_contrast_to_noise=4.0) is not None


def test_nothing_enhances_in_an_empty_region():
    curves, *_ = scene()
    assert found_in(curves, search=np.zeros(len(curves), bool)) is None
    assert found_in(np.zeros_like(curves)) is None

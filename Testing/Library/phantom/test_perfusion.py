"""Normal perfusion and lesion of the head, as truth."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.geometry import Grid
from PyPeTLib.phantom.anatomy import Anatomy, HeadShape, draw_anatomy
from PyPeTLib.phantom.perfusion import Lesion, TissuePerfusion, draw_perfusion

AFFINE = np.diag([2.5, 2.5, 5.0, 1.0])
AFFINE[:3, 3] = [-98.75, -98.75, -55.0]
GRID = Grid((80, 80, 23), AFFINE)


@pytest.fixture(scope="module")
def anatomy() -> Anatomy:
    return draw_anatomy(HeadShape(np.random.default_rng(0)), GRID)


def drawn(anatomy, *, healthy=False, lag=0.0, lesion_seed=0) -> TissuePerfusion:
    lesion = Lesion(np.random.default_rng(lesion_seed))
    return draw_perfusion(anatomy, GRID, lesion, np.random.default_rng(1), healthy=healthy, lag=lag)


def test_pure_grey_and_white_matter_have_the_agreed_perfusion(anatomy):
    truth = drawn(anatomy, healthy=True)
    for tissue, cbf, cbv in (("grey", 52.0, 3.8), ("white", 26.0, 2.2)):
        pure = anatomy.shares[tissue] > 0.99
        assert truth.cbf[pure].mean() == pytest.approx(cbf, rel=0.05)
        assert truth.cbv[pure].mean() == pytest.approx(cbv, rel=0.05)
        assert 0.03 < truth.cbf[pure].std() / cbf < 0.15


def test_csf_and_bone_are_not_perfused(anatomy):
    truth = drawn(anatomy)
    empty = anatomy.shares["grey"] + anatomy.shares["white"] < 0.02
    for volume in (truth.cbf, truth.cbv, truth.mtt, truth.delay):
        assert (volume[empty] == 0).all()
        assert (volume[~empty] > 0).all()


def test_transit_time_is_volume_over_flow(anatomy):
    truth = drawn(anatomy)
    there = truth.cbf > 0
    np.testing.assert_allclose(truth.mtt[there], 60 * truth.cbv[there] / truth.cbf[there], rtol=1e-5)


def test_core_and_penumbra_have_the_agreed_shares_of_the_healthy_values(anatomy):
    truth, healthy = drawn(anatomy), drawn(anatomy, healthy=True)
    core = (truth.core == 1) & (truth.cbf > 0)
    penumbra = (truth.lesion == 1) & (truth.core == 0) & (truth.cbf > 0)
    for region, flow, volume in ((core, 0.2, 0.35), (penumbra, 0.5, 1.1)):
        assert region.sum() > 200
        np.testing.assert_allclose(truth.cbf[region] / healthy.cbf[region], flow, rtol=1e-4)
        np.testing.assert_allclose(truth.cbv[region] / healthy.cbv[region], volume, rtol=1e-4)
    np.testing.assert_allclose(truth.delay[core], 8.5, atol=1e-4)
    assert 4.0 <= truth.delay[penumbra].min() < 4.6
    assert 7.4 < truth.delay[penumbra].max() <= 8.0


def test_tissue_outside_the_lesion_is_the_healthy_one(anatomy):
    truth, healthy = drawn(anatomy), drawn(anatomy, healthy=True)
    outside = truth.lesion == 0
    np.testing.assert_array_equal(truth.cbf[outside], healthy.cbf[outside])
    np.testing.assert_array_equal(truth.delay[outside], healthy.delay[outside])


def test_healthy_delay_is_short(anatomy):
    delay = drawn(anatomy, healthy=True).delay
    assert delay[delay > 0].min() > 0
    assert delay.max() < 2.2


def test_lag_is_added_to_every_delay(anatomy):
    truth, late = drawn(anatomy), drawn(anatomy, lag=2.5)
    there = truth.cbf > 0
    np.testing.assert_allclose(late.delay[there] - truth.delay[there], 2.5, atol=1e-5)
    np.testing.assert_array_equal(late.cbf, truth.cbf)


def test_seed_moves_side_and_size():
    lesions = [Lesion(np.random.default_rng(seed)) for seed in range(20)]
    assert {lesion.side for lesion in lesions} == {1, -1}
    assert np.std([lesion.core_radii[0] for lesion in lesions]) > 0.5
    assert Lesion(np.random.default_rng(0), side=-1).side == -1
    np.testing.assert_array_equal(Lesion(np.random.default_rng(0), side=-1).core_radii, lesions[0].core_radii)


def test_arteries_in_the_lesion_fill_late():
    lesion = Lesion(np.random.default_rng(3))
    inside = lesion.rim_centre * [lesion.side, 1, 1]
    outside = lesion.rim_centre * [-lesion.side, 1, 1]
    late = lesion.artery_delay(np.array([inside, outside]))
    assert late[0] > 3
    assert late[1] == 0

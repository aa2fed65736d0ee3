"""The vascular tree in head coordinates."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.phantom.anatomy import HeadShape
from PyPeTLib.phantom.vessels import VesselKind, draw_vessels


@pytest.fixture(scope="module")
def shape() -> HeadShape:
    return HeadShape(np.random.default_rng(5))


def drawn(shape, occluded):
    return draw_vessels(shape, np.random.default_rng(7), occluded=occluded)


def test_number_of_cortical_vessels(shape):
    tubes = drawn(shape, occluded=0)
    thin = [tube for tube in tubes if tube.radii[-1] <= 0.5 and tube.kind is VesselKind.ARTERY]
    veins = [tube for tube in tubes if tube.kind is VesselKind.VEIN and tube.radii[0] <= 0.6]
    assert (len(thin), len(veins)) == (60, 96)


def test_sagittal_sinus_is_nine_millimetres_wide_and_lies_under_the_skull(shape):
    sinus = max((tube for tube in drawn(shape, occluded=0) if tube.kind is VesselKind.VEIN), key=lambda t: t.radii[-1])
    assert 2 * sinus.radii.max() == 9.0
    assert np.abs(sinus.points[:, 0]).max() < 2
    np.testing.assert_allclose(shape.outside_inner_table(sinus.points), -sinus.radii, atol=0.05)


def test_middle_cerebral_arteries_are_3_2_mm_wide_on_both_sides(shape):
    widths = {
        side: [
            2 * tube.radii[0]
            for tube in drawn(shape, occluded=0)
            if tube.kind is VesselKind.ARTERY and np.allclose(tube.points[-1], (37 * side, tube.points[-1][1], -15))
        ]
        for side in (1, -1)
    }
    assert widths == {1: [3.2], -1: [3.2]}


@pytest.mark.parametrize("side", [1, -1])
def test_occlusion_puts_a_clot_into_one_m1_and_moves_nothing_else(shape, side):
    free, blocked = drawn(shape, occluded=0), drawn(shape, occluded=side)
    clots = [tube for tube in blocked if tube.kind is VesselKind.CLOT]
    assert len(clots) == 1
    assert (side * clots[0].points[:, 0] > 10).all()
    assert not any(tube.kind is VesselKind.CLOT for tube in free)
    np.testing.assert_array_equal(free[-1].points, blocked[-1].points)


def test_contrast_arrives_later_along_every_artery(shape):
    for tube in drawn(shape, occluded=1):
        if tube.kind is VesselKind.ARTERY:
            assert (np.diff(tube.arrival) > 0).all()
            assert 0 <= tube.arrival[0] <= tube.arrival[-1] < 3


def test_cortical_vessels_stay_inside_the_skull(shape):
    for tube in drawn(shape, occluded=0)[-96:]:
        assert shape.outside_inner_table(tube.points).max() < 0

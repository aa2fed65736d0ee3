"""Inside and outside of leaky boxes."""

from __future__ import annotations

import numpy as np

from PyPeTLib.masking.fronts import competing_fronts, enclosure, sees
from PyPeTLib.masking.morphology import depth_within


def box(gap: int = 0):
    wall = np.zeros((61, 61, 1), dtype=bool)
    wall[10:51, [10, 11, 49, 50]] = True
    wall[[10, 11, 49, 50], 10:51] = True
    if gap:
        wall[49:51, 30 - gap // 2 : 31 + gap // 2] = False
    return wall


def test_enclosure_is_full_inside_and_half_at_the_line_that_closes_a_gap():
    sizes = (2.0, 2.0, 5.0)
    assert enclosure(box(), sizes)[15:45, 15:45].min() == 1.0
    assert enclosure(box(), sizes)[2, 2, 0] <= 0.4
    wide = enclosure(box(gap=24), sizes)
    assert wide[30, 30, 0] > 0.7
    assert 0.4 <= wide[50, 30, 0] <= 0.7
    assert wide[55, 30, 0] < 0.5


def test_enclosure_counts_directions_in_mm():
    # a wall at one side: seen under the same angle whatever the voxels' shape
    square, flat = np.zeros((60, 60, 1), dtype=bool), np.zeros((60, 30, 1), dtype=bool)
    square[40, 10:50] = flat[40, 5:25] = True
    a, b = enclosure(square, (1.0, 1.0, 1.0)), enclosure(flat, (1.0, 2.0, 1.0))
    assert abs(float(a[20, 30, 0]) - float(b[20, 15, 0])) <= 2 / 16


def test_a_wall_blocks_the_view():
    wall = box(gap=6)
    places = np.array([[58, 30, 0], [58, 5, 0], [30, 58, 0], [20, 20, 0]])
    np.testing.assert_array_equal(sees(wall, places, np.array([30.0, 30.0, 0.0])), [True, False, False, True])


def test_fronts_meet_in_the_gap():
    wall = box(gap=8)
    clearance = depth_within(~wall, (1.0, 1.0, 1.0))
    inside, outside = np.zeros_like(wall), np.zeros_like(wall)
    inside[30, 30], outside[0] = True, True
    a, b = competing_fronts(inside, outside, clearance, for_inside=~wall, for_outside=~wall, stray=6.0)
    assert not (a & b).any()
    assert (a | b | wall).all()
    assert a[12:48, 12:49].all()
    assert b[:10].all()
    assert b[53:].all()


def test_a_room_behind_a_narrow_door_belongs_to_the_outside():
    wall = np.zeros((60, 30, 1), dtype=bool)
    wall[[0, -1]] = wall[:, [0, -1]] = True
    wall[38:40] = True
    wall[38:40, 14:17] = False
    clearance = depth_within(~wall, (1.0, 1.0, 1.0))
    inside = np.zeros_like(wall)
    inside[15, 15] = True
    a, b = competing_fronts(inside, np.zeros_like(wall), clearance, for_inside=~wall, for_outside=~wall, stray=6.0)
    assert a[2:36, 2:28].all()
    assert not a[43:].any()
    assert b[43:58, 2:28].all()

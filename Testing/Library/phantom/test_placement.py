"""Grids, poses and file orientations of heads."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.phantom.placement import AFFINE_KINDS, draw_placement

CODES = {
    "ras": "RAS",
    "las": "LAS",
    "lps": "LPS",
    "permuted": "PIR",
    "oblique": "RAS",
    "tilted": "RAS",
    "sheared": "RAS",
}


def placed(kind, **options):
    return draw_placement((20, 24, 10), (2.0, 2.5, 6.0), kind, np.random.default_rng(0), **options)


def test_every_kind_is_tested():
    assert set(CODES) == set(AFFINE_KINDS)


@pytest.mark.parametrize("kind", CODES)
def test_native_axes_and_the_way_back(kind):
    placement = placed(kind)
    native = placement.orientation.native
    assert "".join(nibabel.aff2axcodes(native.affine)) == CODES[kind]
    assert placement.world.shape == (20, 24, 10)
    assert "".join(nibabel.aff2axcodes(placement.world.affine)) == "RAS"
    assert sorted(native.voxel_sizes) == pytest.approx([2.0, 2.5, 6.0])


def test_left_handed_is_left_handed():
    assert np.linalg.det(placed("las").orientation.native.affine[:3, :3]) < 0
    assert np.linalg.det(placed("ras").orientation.native.affine[:3, :3]) > 0


@pytest.mark.parametrize("kind", ["las", "lps", "permuted", "oblique"])
def test_storage_and_scanner_pose_do_not_change_what_voxels_hold(kind):
    np.testing.assert_allclose(placed(kind).head.affine, placed("ras").head.affine)


def test_oblique_turns_the_grid_in_the_world():
    axes = placed("oblique").world.affine[:3, :3] / [2.0, 2.5, 6.0]
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-12)
    assert np.degrees(np.arccos(np.diag(axes))).min() > 5


def test_tilted_slices_meet_the_head_at_fifteen_degrees():
    normals = [placed(kind).head.affine[:3, 2] / 6.0 for kind in ("ras", "tilted")]
    assert np.degrees(np.arccos(normals[0] @ normals[1])) == pytest.approx(15)


def test_sheared_slices_are_not_perpendicular_to_the_table():
    affine = placed("sheared").world.affine
    cosine = affine[:3, 1] @ affine[:3, 2] / (2.5 * 6.0)
    assert np.degrees(np.arccos(cosine)) == pytest.approx(75)


def test_head_lies_near_the_middle_and_a_little_turned():
    head = placed("ras").head.affine
    centre = head[:3] @ [9.5, 11.5, 4.5, 1.0]
    assert 0 < np.linalg.norm(centre[:2]) < 4
    turn = np.degrees(np.arccos((np.trace(head[:3, :3] / [2.0, 2.5, 6.0]) - 1) / 2))
    assert 0.1 < turn < 5


def test_height_moves_the_grid_up():
    step = placed("ras", height=10.0).head.affine[:3, 3] - placed("ras").head.affine[:3, 3]
    assert np.linalg.norm(step) == pytest.approx(10)


def test_unknown_kind_lists_the_known_ones():
    with pytest.raises(InputError, match="ras, las, lps"):
        placed("rai")

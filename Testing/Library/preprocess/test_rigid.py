"""Matrices and the parameters that describe them."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.preprocess.rigid import framewise_displacement, head_displacement, rigid_matrix, rigid_parameters

CENTRE = np.array([3.0, -12.0, 40.0])


def test_a_quarter_turn_about_a_centre_moves_points_as_by_hand():
    matrix = rigid_matrix(np.array([0.0, 0.0, 5.0]), np.array([0.0, 0.0, np.pi / 2]), CENTRE)

    assert matrix @ [*CENTRE, 1.0] == pytest.approx([3, -12, 45, 1])
    assert matrix @ [4.0, -12.0, 40.0, 1.0] == pytest.approx([3, -11, 45, 1])


def test_parameters_come_back_from_their_matrices():
    rng = np.random.default_rng(1)
    shifts, turns = rng.normal(0, 10, (20, 3)), rng.normal(0, 0.3, (20, 3))
    matrices = np.stack([rigid_matrix(shift, turn, CENTRE) for shift, turn in zip(shifts, turns, strict=True)])

    translations, rotations = rigid_parameters(matrices, CENTRE)

    np.testing.assert_allclose(translations, shifts, atol=1e-10)
    np.testing.assert_allclose(rotations, turns, atol=1e-10)


def test_framewise_displacement_adds_ways_and_arcs_of_six_parameters():
    translations = np.array([[0, 0, 0], [1, -2, 0], [1, -2, 0]], dtype=float)
    rotations = np.array([[0, 0, 0], [0, 0, 0.01], [0, -0.02, 0.01]])

    # 1 + 2 + 0.01 · 50, then 0.02 · 50
    np.testing.assert_allclose(framewise_displacement(translations, rotations), [0, 3.5, 1.0])


def test_head_displacement_is_the_rms_over_a_ball():
    shift, turn = np.array([1.0, -0.5, 2.0]), np.array([0.1, 0.25, -0.3])
    rng = np.random.default_rng(2)
    points = rng.uniform(-80, 80, (400_000, 3))
    points = points[(points**2).sum(axis=1) <= 80**2]
    moved = rigid_matrix(shift, turn, np.zeros(3))
    way = points @ moved[:3, :3].T + moved[:3, 3] - points

    expected = np.sqrt((way**2).sum(axis=1).mean())

    assert head_displacement(shift[None], turn[None]) == pytest.approx([expected], rel=0.01)

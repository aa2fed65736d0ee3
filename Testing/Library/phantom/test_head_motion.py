"""Rigid motion: matrices and their documented direction."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.phantom import RigidMotion, rigid_matrices
from PyPeTLib.phantom.motion import checked_matrices, moved

CENTRE = np.array([3.0, -20.0, 40.0])


def blob(shape) -> np.ndarray:
    rng = np.random.default_rng(0)
    return ndimage.gaussian_filter(rng.standard_normal(shape), 2.0).astype(np.float32)


def test_frame_shows_at_x_what_the_reference_has_at_matrix_times_x():
    grid = Grid((24, 20, 12), np.diag([1.0, 2.0, 5.0, 1.0]))
    reference = blob(grid.shape)
    matrix = np.eye(4)
    matrix[:3, 3] = [2.0, -2.0, 5.0]  # two voxels along x, one back along y, one up
    frame = moved(reference, grid, matrix)
    np.testing.assert_allclose(frame[3:-3, 3:-3, 3:-3], reference[5:-1, 2:-4, 4:-2], atol=1e-5)


def test_rotation_uses_millimetres_not_voxels():
    grid = Grid((41, 41, 11), np.diag([1.0, 1.0, 4.0, 1.0]))
    centre = np.array([20.0, 20.0, 20.0])
    # a quarter turn about x takes +y to +z: 8 voxels of 1 mm become 2 slices of 4 mm
    matrix = rigid_matrices([[0, 0, 0]], [[90.0, 0, 0]], centre)[0]
    reference = np.zeros(grid.shape, dtype=np.float32)
    reference[20, 20, 7] = 1.0
    frame = moved(reference, grid, matrix)
    assert np.unravel_index(frame.argmax(), frame.shape) == (20, 28, 5)


def test_motion_follows_the_worlds_axes_on_an_oblique_grid():
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("z", 90, degrees=True).as_matrix()
    grid = Grid((20, 20, 20), affine)
    matrix = np.eye(4)
    matrix[:3, 3] = [0.0, 3.0, 0.0]  # world y is the grid's first axis
    reference = blob(grid.shape)
    np.testing.assert_allclose(moved(reference, grid, matrix)[4:10], reference[7:13], atol=1e-5)


def test_identity_leaves_the_frame_as_it_is():
    grid = Grid((12, 12, 6), np.diag([1.0, 1.0, 5.0, 1.0]))
    reference = blob(grid.shape)
    np.testing.assert_allclose(moved(reference, grid, np.eye(4)), reference, atol=1e-5)


def test_matrices_rotate_about_their_centre_then_shift():
    matrix = rigid_matrices([[1.0, 2.0, 3.0]], [[10.0, -20.0, 5.0]], CENTRE)[0]
    np.testing.assert_allclose(matrix @ [*CENTRE, 1.0], [4.0, -18.0, 43.0, 1.0])
    turn = Rotation.from_matrix(matrix[:3, :3]).as_rotvec(degrees=True)
    np.testing.assert_allclose(turn, [10.0, -20.0, 5.0])


def test_drift_grows_evenly_to_its_end():
    motion = RigidMotion(drift_mm=3.0, drift_degrees=2.0, jumps=0)
    matrices = motion.matrices(31, CENTRE, np.random.default_rng(0))
    np.testing.assert_allclose(matrices[0], np.eye(4), atol=1e-12)
    shifts = np.linalg.norm(matrices[:, :3] @ [*CENTRE, 1.0] - CENTRE, axis=1)
    np.testing.assert_allclose(shifts, np.linspace(0, 3, 31), atol=1e-9)
    turns = Rotation.from_matrix(matrices[:, :3, :3]).magnitude()
    np.testing.assert_allclose(np.degrees(turns), np.linspace(0, 2, 31), atol=1e-6)


def test_jumps_are_sudden_and_bounded():
    motion = RigidMotion(drift_mm=0.0, drift_degrees=0.0, jump_mm=2.0, jump_degrees=1.5, jumps=3)
    matrices = motion.matrices(40, CENTRE, np.random.default_rng(1))
    shifts = np.linalg.norm(matrices[:, :3] @ [*CENTRE, 1.0] - CENTRE, axis=1)
    assert np.count_nonzero(np.abs(np.diff(shifts)) > 1e-9) == 3
    assert 1.2 <= shifts.max() <= 2.0
    assert np.degrees(Rotation.from_matrix(matrices[:, :3, :3]).magnitude()).max() <= 1.5 + 1e-9


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda m: m[:3], "5 matrices"),
        (lambda m: m * np.diag([1.1, 1, 1, 1]), "rigid"),
        (lambda m: m * np.diag([-1.0, 1, 1, 1]), "rigid"),
        (lambda m: m + np.array([[0.0] * 4] * 3 + [[1.0, 0, 0, 0]]), "last row"),
    ],
)
def test_matrices_that_are_not_rigid_are_refused(spoil, message):
    with pytest.raises(InputError, match=message):
        checked_matrices(spoil(np.tile(np.eye(4), (5, 1, 1))), 5)

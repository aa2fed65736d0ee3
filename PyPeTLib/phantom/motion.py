"""Rigid head motion: matrices for each frame, and frames drawn as the moved head would show them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial.transform import Rotation

from PyPeTLib.arrays import Curve, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid


@dataclass(frozen=True, kw_only=True)
class RigidMotion:
    """A slow drift and sudden jumps; each is given by the largest way and angle that it reaches.

    Attributes
    ----------
    drift_mm, drift_degrees : float
        Length of the shift and angle of the rotation at the last frame; frame 0 has none.
    jump_mm, jump_degrees : float
        Largest shift and angle of a jump; the head stays there until the next jump.
    jumps : int
        How many jumps there are.
    """

    drift_mm: float = 1.5
    drift_degrees: float = 1.5
    jump_mm: float = 2.0
    jump_degrees: float = 2.0
    jumps: int = 2

    def matrices(self, n_frames: int, centre: npt.ArrayLike, rng: np.random.Generator) -> Curve:
        """World transforms from each frame to the reference, shape (n_frames, 4, 4), turning about ``centre``."""
        shifts, turns = np.zeros((n_frames, 3)), np.zeros((n_frames, 3))
        progress = np.linspace(0, 1, n_frames)[:, np.newaxis]
        shifts += self.drift_mm * progress * _direction(rng)
        turns += self.drift_degrees * progress * _direction(rng)
        at = np.sort(rng.choice(np.arange(1, n_frames), size=min(self.jumps, n_frames - 1), replace=False))
        for first, last in itertools.pairwise([*at, n_frames]):
            reach = rng.uniform(0.6, 1.0)
            shifts[first:last] += reach * self.jump_mm * _direction(rng)
            turns[first:last] += reach * self.jump_degrees * _direction(rng)
        return rigid_matrices(shifts, turns, centre)


def rigid_matrices(shifts: npt.ArrayLike, turns: npt.ArrayLike, centre: npt.ArrayLike) -> Curve:
    """World transforms of shape (n, 4, 4): rotate about a centre, then shift.

    Parameters
    ----------
    shifts : array_like, shape (n, 3)
        RAS+ millimetres.
    turns : array_like, shape (n, 3)
        Rotation vectors in degrees.
    centre : array_like, shape (3,)
        RAS+ millimetres.
    """
    shifts, centre = np.asarray(shifts, dtype=np.float64), np.asarray(centre, dtype=np.float64)
    matrices = np.tile(np.eye(4), (len(shifts), 1, 1))
    matrices[:, :3, :3] = Rotation.from_rotvec(np.asarray(turns, dtype=np.float64), degrees=True).as_matrix()
    matrices[:, :3, 3] = shifts + centre - matrices[:, :3, :3] @ centre
    return matrices


def checked_matrices(matrices: npt.ArrayLike, n_frames: int) -> Curve:
    """Motion matrices as float64, refused unless they are rigid and one for each frame."""
    checked = np.array(matrices, dtype=np.float64)
    if checked.shape != (n_frames, 4, 4):
        raise InputError(f"motion needs {n_frames} matrices of 4 by 4, found shape {checked.shape}")
    turns = checked[:, :3, :3]
    if not np.allclose(turns @ turns.transpose(0, 2, 1), np.eye(3), atol=1e-6) or (np.linalg.det(turns) < 0).any():
        raise InputError("motion must be rigid: the upper 3 by 3 part of each matrix a rotation")
    if not np.allclose(checked[:, 3], [0, 0, 0, 1], atol=1e-9):
        raise InputError("the last row of each motion matrix must be 0 0 0 1")
    return checked


def moved(volume: Volume, grid: Grid, matrix: Curve) -> Volume:
    """What a frame shows at each voxel when its points x hold the reference's points ``matrix @ x``.

    Cubic splines on the grid's own world coordinates; past the edge of the volume its last voxels go on.
    """
    to_reference = np.linalg.inv(grid.affine) @ matrix @ grid.affine
    result: Volume = ndimage.affine_transform(volume, to_reference, order=3, mode="nearest", output=np.float32)
    return result


def _direction(rng: np.random.Generator) -> Curve:
    direction = rng.standard_normal(3)
    unit: Curve = direction / np.linalg.norm(direction)
    return unit

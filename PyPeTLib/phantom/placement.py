"""How a head lies in the scanner: the grid, the pose of the head in it, and the orientation of the file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from PyPeTLib.arrays import Curve
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid, Reorientation, nearest_ras

AFFINE_KINDS = {
    "ras": "axes to the right, front and top",
    "las": "left-handed: the first axis runs to the left",
    "lps": "first two axes reversed, as DICOM has them",
    "permuted": "sagittal storage: axes to the back, bottom and right",
    "oblique": "slices along the head, which lies oblique in the scanner",
    "tilted": "slices tilted by 15 degrees against the head",
    "sheared": "gantry tilted by 15 degrees: slices are not perpendicular to the way of the table",
}
"""How the grid lies in the world."""

SLAB_CENTRE_MM = -11.0
"""Height of the middle of a slab of few slices, above the brain's middle: M1 and basal ganglia lie in it."""

_ISOCENTRE = (1.5, -14.0, 38.0)
_TILT_DEGREES = 15.0
_PERMUTATIONS = {"las": ((0, 1, 2), (-1, 1, 1)), "lps": ((0, 1, 2), (-1, -1, 1)), "permuted": ((1, 2, 0), (-1, -1, 1))}


@dataclass(frozen=True, kw_only=True)
class Placement:
    """The RAS+ grid of a series in two coordinate systems.

    Attributes
    ----------
    orientation : Reorientation
        From the file's grid to the RAS+ one, in world (scanner) coordinates.
    head : Grid
        The RAS+ grid in head coordinates.
    """

    orientation: Reorientation
    head: Grid

    @property
    def world(self) -> Grid:
        """The RAS+ grid in world coordinates."""
        return self.orientation.ras


def draw_placement(
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float],
    kind: str,
    rng: np.random.Generator,
    *,
    height: float = 0.0,
    size: float = 1.0,
) -> Placement:
    """A grid around the head, which lies in it a little off centre and turned, as heads do.

    Parameters
    ----------
    shape : tuple of int
        Voxels along x, y, z.
    spacing : tuple of float
        mm.
    kind : str
        One of `AFFINE_KINDS`.
    rng : numpy Generator
    height : float
        Of the grid's middle above the brain's in mm.
    size : float
        Of the head relative to an adult's.
    """
    if kind not in AFFINE_KINDS:
        raise InputError(f"{kind!r} is not among the affine kinds: {', '.join(AFFINE_KINDS)}")
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_euler("xyz", rng.uniform(-2.5, 2.5, 3), degrees=True).as_matrix()
    pose[:3, 3] = rng.uniform(-1, 1, 3) * [2.5, 2.5, 0.0]
    centred = np.diag([*spacing, 1.0])
    centred[:3, 3] = [-(n - 1) / 2 * size for n, size in zip(shape, spacing, strict=True)]
    tilt = np.eye(4)
    if kind == "tilted":
        tilt[:3, :3] = Rotation.from_euler("x", _TILT_DEGREES, degrees=True).as_matrix()
    if kind == "sheared":
        angle = np.radians(_TILT_DEGREES)
        tilt[:3, 1] = [0.0, np.cos(angle), np.sin(angle)]
    grid = tilt @ centred
    grid[2, 3] += height
    world = np.eye(4)
    if kind == "oblique":
        world[:3, :3] = Rotation.from_euler("xyz", [12.0, -7.0, 9.0], degrees=True).as_matrix()
    world[:3, 3] = _ISOCENTRE
    # head coordinates are those of an adult, whatever the head's size
    pose[:3] /= size
    return Placement(orientation=_stored(Grid(shape, world @ grid), kind), head=Grid(shape, pose @ grid))


def _stored(ras: Grid, kind: str) -> Reorientation:
    """The reorientation whose RAS+ grid is given and whose native one has the axes of this kind."""
    axes, signs = _PERMUTATIONS.get(kind, ((0, 1, 2), (1, 1, 1)))
    to_ras: Curve = np.zeros((4, 4))
    to_ras[3, 3] = 1.0
    for native, (axis, sign) in enumerate(zip(axes, signs, strict=True)):
        to_ras[axis, native] = sign
        to_ras[axis, 3] = 0.0 if sign > 0 else ras.shape[axis] - 1
    x, y, z = (ras.shape[axis] for axis in axes)
    return nearest_ras(Grid((x, y, z), ras.affine @ to_ras))

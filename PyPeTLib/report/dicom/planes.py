"""Where the planes of the objects lie, in the terms of DICOM.

DICOM counts millimetres towards left, posterior and superior (LPS+), names the position of the first voxel of each
plane, the directions of rows and columns and the distances of voxels within a plane (PS3.3, C.7.6.2.1.1). Each frame
carries its own position, so that planes that are not stacked along their normal (a tilted gantry) keep their places.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from PyPeTLib.arrays import Curve
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import DType, Grid

SQUARE = 1e-2
"""Largest cosine between rows and columns that counts as a right angle."""
NEAR = 0.1
"""A source frame lies in a plane if it is this near, in voxels."""
_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Planes:
    """The planes of a grid: index 0 runs along a row, 1 down a column, 2 from plane to plane.

    ``lps`` is the affine from these indices to LPS+ millimetres, shape (4, 4).
    """

    shape: tuple[int, int, int]
    lps: Curve

    @classmethod
    def of(cls, native: Grid) -> Planes:
        """The planes of a grid of files.

        Raises
        ------
        InputError
            If rows and columns are not at right angles, which DICOM cannot say.
        """
        planes = cls(native.shape, _LPS @ native.affine)
        row, column = planes.orientation[:3], planes.orientation[3:]
        if abs(float(row @ column)) > SQUARE:
            raise InputError(
                "The rows and columns of the maps are not at right angles, and DICOM has no way to say so. Leave out "
                "the export to DICOM."
            )
        return planes

    @property
    def orientation(self) -> Curve:
        """Directions of increasing column index and of increasing row index, six cosines."""
        steps = self.lps[:3, :2] / np.linalg.norm(self.lps[:3, :2], axis=0)
        return np.concatenate([steps[:, 0], steps[:, 1]])

    @property
    def pixel_spacing(self) -> tuple[float, float]:
        """Distance between rows, then between columns, in mm."""
        along_row, down_column = np.linalg.norm(self.lps[:3, :2], axis=0)
        return float(down_column), float(along_row)

    @property
    def gap(self) -> float:
        """Distance between planes along their normal in mm."""
        normal = np.cross(self.orientation[:3], self.orientation[3:])
        return float(abs(normal @ self.lps[:3, 2]))

    @property
    def positions(self) -> Curve:
        """Centre of the first voxel of each plane, shape (planes, 3)."""
        positions: Curve = self.lps[:3, 3] + np.arange(self.shape[2])[:, None] * self.lps[:3, 2]
        return positions

    def holding(self, position: npt.ArrayLike, orientation: npt.ArrayLike) -> int | None:
        """The plane that an image with this position and these six cosines lies in; None where it is none of them."""
        if not np.allclose(np.asarray(orientation, np.float64), self.orientation, atol=1e-2):
            return None
        place = np.linalg.inv(self.lps) @ [*np.asarray(position, np.float64), 1.0]
        plane = round(float(place[2]))
        near = np.abs(place[:3] - [0, 0, plane]).max() <= NEAR
        return plane if near and 0 <= plane < self.shape[2] else None


def frames_of(volume: npt.NDArray[DType]) -> npt.NDArray[DType]:
    """A volume in the order of the files, indices (column, row, plane), as frames (plane, row, column)."""
    return np.ascontiguousarray(volume.transpose(2, 1, 0))

"""The frames of a series: held as they were stored, or made when somebody asks for them.

A whole brain of half a millimetre takes 3 GB as 16-bit integers and twice that as float32, so nobody who needs one
frame, or the curves of the brain, gets a float32 copy of everything.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from PyPeTLib.arrays import IntArray, Mask, Volume

WIDEST_STORED = 2
"""Bytes of the integers that are kept as they are; float32 holds them exactly."""


@runtime_checkable
class Frames(Protocol):
    """Frames of one shape, in their order."""

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of all frames together, (x, y, z, t)."""

    def frame(self, index: int) -> Volume:
        """One frame as float32, shape (x, y, z), contiguous in Fortran order; not to be written to."""

    def curves(self, mask: Mask, out: Volume) -> None:
        """Fill ``out`` of shape (voxels, t) with the curves of a mask's voxels, in the order of boolean indexing."""


class StoredFrames:
    """Frames in one array of any type, with the scale of the file that they came from.

    Parameters
    ----------
    stored : ndarray, shape (x, y, z, t)
        Each frame contiguous (Fortran order) is fastest.
    slope, intercept : float
        A value is ``slope * stored + intercept``.
    """

    def __init__(self, stored: npt.NDArray[Any], slope: float = 1.0, intercept: float = 0.0) -> None:
        self.stored = stored
        self.slope, self.intercept = slope, intercept

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of all frames together, (x, y, z, t)."""
        x, y, z, t = self.stored.shape
        return x, y, z, t

    def frame(self, index: int) -> Volume:
        """One frame as float32, shape (x, y, z), contiguous in Fortran order."""
        return self._scaled(self.stored[..., index])

    def curves(self, mask: Mask, out: Volume) -> None:
        """Fill ``out`` of shape (voxels, t) with the curves of a mask's voxels."""
        # frame by frame, as they lie in memory or in a scratch file
        places = np.ravel_multi_index(np.nonzero(mask), mask.shape, order="F")
        for index in range(self.shape[3]):
            out[:, index] = self._scaled(self.stored[..., index].ravel(order="F").take(places))

    def _scaled(self, values: npt.NDArray[Any]) -> Volume:
        scaled = np.asarray(values, np.float32)
        # what is too large for float32 becomes infinite, which the checks of a series refuse with the frame's number
        with np.errstate(over="ignore", invalid="ignore"):
            if self.slope != 1:
                scaled = scaled * np.float32(self.slope)
            if self.intercept != 0:
                scaled = scaled + np.float32(self.intercept)
        return scaled


class ChosenFrames:
    """Some of the frames of another holder, in their order.

    Parameters
    ----------
    frames : Frames
    chosen : ndarray of int
        Frames counted from 0, rising.
    """

    checked = True
    """Whatever the frames hold has been checked in the series that they come from."""

    def __init__(self, frames: Frames, chosen: IntArray) -> None:
        self._frames, self._chosen = frames, chosen

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of all frames together, (x, y, z, t)."""
        return *self._frames.shape[:3], self._chosen.size

    def frame(self, index: int) -> Volume:
        """One frame as float32, shape (x, y, z), contiguous in Fortran order."""
        return self._frames.frame(int(self._chosen[index]))

    def curves(self, mask: Mask, out: Volume) -> None:
        """Fill ``out`` of shape (voxels, t) with the curves of a mask's voxels."""
        every = np.empty((len(out), self._frames.shape[3]), np.float32)
        self._frames.curves(mask, every)
        np.take(every, self._chosen, axis=1, out=out)


class ScatteredFrames:
    """Frames that hold the curves of a mask's voxels in their places and 0 elsewhere.

    Parameters
    ----------
    values : ndarray of float32, shape (voxels, t)
        In the order of boolean indexing.
    mask : ndarray of bool, shape (x, y, z)
    """

    def __init__(self, values: Volume, mask: Mask) -> None:
        self._values, self._mask = values, mask

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of all frames together, (x, y, z, t)."""
        x, y, z = self._mask.shape
        return x, y, z, self._values.shape[1]

    def frame(self, index: int) -> Volume:
        """One frame as float32, shape (x, y, z), contiguous in Fortran order."""
        volume = np.zeros(self._mask.shape, np.float32, order="F")
        volume[self._mask] = self._values[:, index]
        return volume

    def curves(self, mask: Mask, out: Volume) -> None:
        """Fill ``out`` of shape (voxels, t) with the curves of a mask's voxels."""
        for index in range(self.shape[3]):
            out[:, index] = self.frame(index)[mask]


def all_frames(frames: Frames) -> Volume:
    """All frames in one float32 array of shape (x, y, z, t), each contiguous: for files and for small series."""
    together = np.empty(frames.shape, np.float32, order="F")
    for index in range(frames.shape[3]):
        together[..., index] = frames.frame(index)
    return together

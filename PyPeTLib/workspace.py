"""Where large arrays live: in memory, and beyond a limit in scratch files.

The values are the same either way, so a result does not depend on the limit; only time does.
"""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import tempfile
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from PyPeTLib.errors import InputError

SHARE_FOR_ARRAYS = 0.25
"""Share of the limit that large arrays may take together; the rest is for what comes and goes within a stage."""

SMALLEST_LIMIT = 0.5e9
"""Bytes below which a limit cannot be kept: Python and its libraries take a part of them."""

LARGE = 16 << 20
"""Bytes from which an array counts as large."""


class Workspace:
    """Gives out large arrays, in memory as long as a limit allows and in scratch files beyond it.

    Parameters
    ----------
    limit : float, optional
        Bytes of memory that a run should get along with; by default there is no limit and no file.
    folder : path, optional
        Where scratch files are made; the system's folder for temporary files by default. The files have no name and
        vanish with the arrays, also when the process is killed.
    """

    def __init__(self, limit: float | None = None, folder: str | os.PathLike[str] | None = None) -> None:
        self.limit = limit
        self.folder = Path(tempfile.gettempdir() if folder is None else folder)
        self._in_memory = 0

    def empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike, order: str = "C") -> npt.NDArray[Any]:
        """An array whose values are not set, as `numpy.empty` gives it.

        Raises
        ------
        InputError
            If there is no room for it.
        """
        kind = np.dtype(dtype)
        size = math.prod(shape) * kind.itemsize
        if self.limit is None or size < LARGE:
            return np.ndarray(shape, kind, order="F" if order == "F" else "C")
        if self._in_memory + size > SHARE_FOR_ARRAYS * self.limit:
            return np.ndarray(shape, kind, self._scratch(size), order="F" if order == "F" else "C")
        self._in_memory += size
        array = np.ndarray(shape, kind, order="F" if order == "F" else "C")
        weakref.finalize(array, self._released, size)
        return array

    def like(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """An array of the shape and type of another one, in C order; its values are not set."""
        return self.empty(array.shape, array.dtype)

    def _released(self, size: int) -> None:
        self._in_memory -= size

    def _scratch(self, size: int) -> mmap.mmap:
        """Memory of a file that nobody else sees; its room on the disk is taken at once, not when it runs out."""
        try:
            with tempfile.TemporaryFile(dir=self.folder, prefix="pypet-scratch-") as file:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, size)
                else:
                    file.truncate(size)
                return mmap.mmap(file.fileno(), size)
        except OSError as error:
            raise InputError(
                f"{self.folder}: there is no room for a scratch file of {size / 2**30:.1f} GiB "
                f"({error.strerror or error}). Choose another folder (--scratch), or allow more memory "
                "(--memory-limit)."
            ) from error


@contextlib.contextmanager
def enough_memory(name: str, size: float) -> Any:
    """Turn a failed allocation of ``size`` bytes into an `InputError` that names the file."""
    try:
        yield
    except (MemoryError, ValueError) as error:
        # sizes beyond the address space are a ValueError
        raise InputError(
            f"{name}: there is not enough memory for {size / 2**30:.1f} GiB of voxels. Close other programs, allow "
            "scratch files (--memory-limit), or give a smaller image."
        ) from error

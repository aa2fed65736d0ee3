"""When each slice of a frame is acquired, from an option or the BIDS sidecar, in the order of the series' slices."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt

from PyPeTLib.arrays import Curve
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Reorientation
from PyPeTLib.io.curves import read_slice_times
from PyPeTLib.io.sidecar import Sidecar

_AXES = {"i": 0, "j": 1, "k": 2}
_NAMES = ("left to right", "back to front", "bottom to top")


def resolve_slice_times(
    given: str | PathLike[str] | npt.ArrayLike | None,
    sidecar: Sidecar,
    orientation: Reorientation,
    *,
    name: str,
) -> tuple[tuple[float, ...] | None, str]:
    """Slice times in seconds along the third axis of the RAS+ series, and where they came from; None without any.

    The option decides, else ``SliceTiming`` of the sidecar. The slices are counted along the file's axis that
    ``SliceEncodingDirection`` names (the third one without it); its minus sign turns the order of ``SliceTiming``,
    not that of the option.

    Parameters
    ----------
    given : path or array_like, optional
        Text file with one time a line, or the times, in the order in which the file stores its slices.
    sidecar : Sidecar
    orientation : Reorientation
        From the file's own grid to the series'.
    name : str
        Of the image, for messages.

    Raises
    ------
    InputError
        If the times are no numbers, their count is not that of the slices, or the slices are not axial.
    """
    axis, backward = _slice_axis(sidecar)
    if given is not None:
        times, source = _given_times(given, name)
    else:
        listed = sidecar.numbers("SliceTiming")
        if listed is None:
            return None, ""
        times, source = listed, f"SliceTiming in {sidecar.name}"
        if backward:
            times = times[::-1]
    n_slices = orientation.native.shape[axis]
    if times.ndim != 1 or times.size != n_slices:
        raise InputError(
            f"{name}: {source} lists {times.size} slice times, but the image has {n_slices} slices. Give one time in "
            "seconds for each slice, in the order of the file (--slice-times FILE), or correct the sidecar."
        )
    becomes = orientation.permutation.index(axis)
    if becomes != 2:
        raise InputError(
            f"{name}: {source} counts slices from {_NAMES[becomes]} of the patient; slice times are used for axial "
            "slices only. Leave the slice times out (in a sidecar, remove SliceTiming)."
        )
    if orientation.flips[2]:
        times = times[::-1]
    return tuple(map(float, times)), source


def in_file_order(times: tuple[float, ...], orientation: Reorientation) -> tuple[float, ...]:
    """Slice times of a series in the order in which its file stores the slices."""
    return times[::-1] if orientation.flips[2] else times


def _slice_axis(sidecar: Sidecar) -> tuple[int, bool]:
    direction = sidecar.fields.get("SliceEncodingDirection", "k")
    if not isinstance(direction, str) or direction.removesuffix("-") not in _AXES:
        raise InputError(f"{sidecar.path}: SliceEncodingDirection must be i, j, k, i-, j- or k-, found {direction!r}.")
    return _AXES[direction.removesuffix("-")], direction.endswith("-")


def _given_times(given: str | PathLike[str] | npt.ArrayLike, name: str) -> tuple[Curve, str]:
    if isinstance(given, str | PathLike):
        return read_slice_times(given), f"--slice-times {Path(given).name}"
    try:
        return np.asarray(given, dtype=np.float64), "the list of slice times"
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: the slice times must be numbers in seconds, found {given!r}.") from error

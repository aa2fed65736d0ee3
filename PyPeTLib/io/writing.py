"""Writing what flows out: volumes on the input's own grid, JSON and tables; the same content gives the same bytes."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from PyPeTLib.errors import InputError
from PyPeTLib.frames import Frames
from PyPeTLib.geometry import Reorientation
from PyPeTLib.io.header import make_header

_PIECE_VOXELS = 1 << 20
"""Voxels converted at a time."""

_GZIP_LEVEL = 1
"""Fastest: maps are mostly zeros, and higher levels gain few bytes for several times the time. ISA-L would take a tenth
of it, but then a file's bytes, and its hash, would depend on whether that is installed."""


def write_volume(
    path: str | PathLike[str],
    array: npt.NDArray[Any] | Frames,
    orientation: Reorientation,
    *,
    dtype: npt.DTypeLike = np.float32,
    description: str = "",
    frame_interval: float = 0.0,
) -> None:
    """Write a volume or a series as NIfTI on the grid and with the affine of the file that the series came from.

    The gzip header holds neither time nor name, so equal volumes give equal files.

    Parameters
    ----------
    path : path
        ``.nii.gz``, or ``.nii`` for an uncompressed file.
    array : ndarray of shape (x, y, z) or (x, y, z, t), or Frames
        On the RAS+ grid of ``orientation``; bool for masks. Frames are asked for one by one.
    orientation : Reorientation
        ``series.orientation``.
    dtype : dtype
        How voxels are stored: float32 for maps, uint8 for masks.
    description : str
        Up to 79 ASCII characters for the header.
    frame_interval : float
        For a series: seconds between its frames; 0 where they are uneven.

    Raises
    ------
    InputError
        If the file cannot be written.
    ValueError
        If the array does not lie on the grid.
    TypeError
        If the dtype cannot hold the array's kind of values.
    """
    path = Path(path)
    if len(array.shape) not in (3, 4) or array.shape[:3] != orientation.ras.shape:
        raise ValueError(f"{path.name}: an array of shape {array.shape} is not on the grid {orientation.ras.shape}")
    stored = np.dtype(dtype).newbyteorder("<")
    if isinstance(array, np.ndarray) and not np.can_cast(array.dtype, stored, "same_kind"):
        raise TypeError(f"{path.name}: {array.dtype} voxels cannot be stored as {stored}")
    n_frames = array.shape[3] if len(array.shape) == 4 else 0
    header = make_header(
        orientation.native, stored, description=description, n_frames=n_frames, frame_interval=frame_interval
    )
    pieces = itertools.chain([header], _pieces(array, orientation, stored))
    _write_pieces(path, _compressed(pieces) if path.suffix == ".gz" else pieces)


def _pieces(array: npt.NDArray[Any] | Frames, orientation: Reorientation, stored: np.dtype[Any]) -> Iterator[bytes]:
    """The voxels in the order of the file, a few slices at a time."""
    for frame in range(array.shape[3] if len(array.shape) == 4 else 1):
        if not isinstance(array, np.ndarray):
            volume = array.frame(frame)
        else:
            volume = array[..., frame] if array.ndim == 4 else array
        native = orientation.to_native(volume)
        step = max(1, _PIECE_VOXELS // max(1, native[..., 0].size))
        for start in range(0, native.shape[2], step):
            yield native[..., start : start + step].astype(stored).tobytes(order="F")


def _compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """A gzip file; how its content is cut into pieces does not show in it."""
    engine = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, 31)
    for piece in pieces:
        yield engine.compress(piece)
    yield engine.flush()


def write_json(path: str | PathLike[str], content: Mapping[str, Any]) -> None:
    """Write a JSON file in UTF-8, keys in the order given.

    numpy scalars and arrays become numbers and lists, float32 in as few digits as tell it apart; NaN and infinity,
    which JSON does not know, become null.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    text = json.dumps(_plain(content), indent=2, ensure_ascii=False, allow_nan=False)
    write_text(Path(path), text + "\n")


def write_tsv(path: str | PathLike[str], rows: Sequence[Mapping[str, Any]], *, columns: Sequence[str] = ()) -> None:
    """Write a table as tab-separated values in UTF-8 with a header line, as BIDS has it.

    Numbers get up to 7 significant digits; missing, NaN and infinite values are ``n/a``.

    Parameters
    ----------
    path : path
    rows : sequence of mapping
        Column name to value.
    columns : sequence of str
        Names in their order; by default as they first appear in the rows.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    names = list(columns) or list(dict.fromkeys(name for row in rows for name in row))
    lines = ["\t".join(_cell(name) for name in names)]
    lines += ["\t".join(_cell(row.get(name)) for name in names) for row in rows]
    write_text(Path(path), "\n".join(lines) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8 with line feeds; characters that UTF-8 cannot hold are written as escapes.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    _write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all, in place of one of its name.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    # the same for each run: the next one takes the place of what a killed one left
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise InputError(f"{path}: the file cannot be written: {error.strerror or error}.") from error


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return [_plain(item) for item in value]
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.floating) and value.dtype.itemsize < 8:
        value = float(str(value))
    elif isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return os.fspath(value) if isinstance(value, PathLike) else value


def _cell(value: Any) -> str:
    value = _plain(value)
    if value is None:
        return "n/a"
    if isinstance(value, bool):
        return str(value).lower()
    text = f"{value:.7g}" if isinstance(value, float) else str(value)
    return " ".join(text.split()) if not text.isprintable() else text


def _write_bytes(path: Path, content: bytes) -> None:
    _write_pieces(path, [content])


def _write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    try:
        with path.open("wb") as file:
            file.writelines(pieces)
    except OSError as error:
        raise InputError(f"{path}: the file cannot be written: {error.strerror or error}.") from error

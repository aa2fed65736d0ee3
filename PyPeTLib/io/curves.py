"""Times and curves from text files: times of frames or slices, and a measured curve such as an arterial input."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

import numpy as np

from PyPeTLib.arrays import Curve
from PyPeTLib.errors import InputError
from PyPeTLib.io.stream import read_text

_TIME_COLUMNS = ("time_s", "time", "times", "frame_time", "frame_times", "frame_time_s", "frame_times_s", "t", "t_s")

_OTHER_UNIT = re.compile(r"(?:^|[^a-z])(ms|msec|milliseconds?|us|µs|min|minutes?)(?:$|[^a-z])")


def read_frame_times(path: str | PathLike[str]) -> Curve:
    """Frame times in seconds from a text file: one a line, or the time column of a table.

    Empty lines and comments (``#``) are passed over. Columns are separated by commas, semicolons, tabs or blanks; a
    table of more than one column needs a header line that names the one with times (``time_s``, ``time``, ``t``, ...).

    Returns
    -------
    ndarray of float64, shape (t,)

    Raises
    ------
    InputError
        If the file cannot be read, with the line at fault.
    """
    return _read_times(Path(path), "frame time")


def read_slice_times(path: str | PathLike[str]) -> Curve:
    """Times of the slices within a frame, in seconds, from a text file; written as for `read_frame_times`.

    Returns
    -------
    ndarray of float64, shape (slices,)

    Raises
    ------
    InputError
        If the file cannot be read, with the line at fault.
    """
    return _read_times(Path(path), "slice time")


def _read_times(path: Path, what: str) -> Curve:
    rows = list(_rows(path))
    column = 0
    if rows and _number(rows[0][1][0]) is None:
        line, header = rows.pop(0)
        if rows and len(rows[0][1]) == 1:
            # a title of several words over a single column
            header = [" ".join(header)]
        column = _time_column(header, f"{path}, line {line}")
    elif rows and len(rows[0][1]) > 1:
        line, cells = rows[0]
        raise InputError(
            f"{path}, line {line}: {len(cells)} columns and no header that tells which one holds the times. Write one "
            "time in seconds on each line, or name the columns (time_s)."
        )
    if not rows:
        raise InputError(f"{path}: there are no {what}s. Write one time in seconds on each line.")
    return np.array([_value(path, line, cells, column, what) for line, cells in rows])


def read_curve_csv(path: str | PathLike[str]) -> tuple[Curve, Curve]:
    """A measured curve from a CSV file whose header names the columns ``time_s`` and ``value``.

    Returns
    -------
    times : ndarray of float64, shape (n,)
        Seconds, strictly increasing.
    values : ndarray of float64, shape (n,)
        In the unit of the file.

    Raises
    ------
    InputError
        If the file cannot be read, with the line at fault.
    """
    path = Path(path)
    rows = list(_rows(path))
    wanted = "The first line must name the columns time_s and value."
    if not rows:
        raise InputError(f"{path}: the file holds no curve. {wanted}")
    first, header = rows.pop(0)
    names = [name.casefold() for name in header]
    if "time_s" not in names or "value" not in names:
        raise InputError(f"{path}, line {first}: found the columns {', '.join(header)}. {wanted}")
    lines = [line for line, _ in rows]
    times, values = (
        np.array([_value(path, line, cells, names.index(key), key) for line, cells in rows])
        for key in ("time_s", "value")
    )
    if times.size < 2:
        raise InputError(f"{path}: a curve needs at least two points, found {times.size}.")
    if (np.diff(times) <= 0).any():
        at = int(np.argmax(np.diff(times) <= 0)) + 1
        raise InputError(
            f"{path}, line {lines[at]}: the times must increase, but {times[at]:g} s follows {times[at - 1]:g} s."
        )
    return times, values


def check_curve_covers(times: Curve, frame_times: Curve, *, name: str) -> None:
    """Refuse a curve that begins after the first frame or ends before the last: outside it nothing is known.

    Parameters
    ----------
    times, frame_times : ndarray of float64
        Seconds on the same clock.
    name : str
        What the error message calls the curve, such as the path of its file.

    Raises
    ------
    InputError
        If the curve covers less than the frames.
    """
    # a clock written with few decimals may end a little early
    slack = 0.01 * float(np.min(np.diff(frame_times)))
    if times[0] > frame_times[0] + slack or times[-1] < frame_times[-1] - slack:
        raise InputError(
            f"{name}: the curve covers {times[0]:g} to {times[-1]:g} s, but the frames of the series lie between "
            f"{frame_times[0]:g} and {frame_times[-1]:g} s. Give a curve that covers all frames, on the same clock."
        )


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number (from 1) and cells of each line that holds something."""
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        text = line.split("#", 1)[0].strip()
        if text:
            separator = next((mark for mark in ";,\t" if mark in text), None)
            yield number, [cell.strip().strip('"') for cell in text.split(separator)]


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _value(path: Path, line: int, cells: list[str], column: int, what: str) -> float:
    if column >= len(cells):
        raise InputError(f"{path}, line {line}: the {what} is missing: found {len(cells)} columns.")
    value = _number(cells[column])
    if value is None or not math.isfinite(value):
        raise InputError(f"{path}, line {line}: the {what} must be a finite number, found {cells[column]!r}.")
    return value


def _time_column(header: list[str], where: str) -> int:
    names = [name.casefold() for name in header]
    column = 0 if len(names) == 1 else next((names.index(name) for name in _TIME_COLUMNS if name in names), None)
    if column is None:
        raise InputError(
            f"{where}: none of the columns {', '.join(header)} is known to hold times in seconds. Name it time_s."
        )
    other = _OTHER_UNIT.search(names[column].replace("_", " "))
    if other:
        raise InputError(f"{where}: the times are in {other[1]} ({header[column]!r}). Give them in seconds.")
    return column

"""Errors as text for logs: what went wrong and where in the code, but not whose machine it was."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import PyPeTLib

_PACKAGES = (
    Path(PyPeTLib.__file__).parents[1],
    *(Path(path) for path in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))),
    Path(sysconfig.get_path("stdlib")),
)


def within(text: str, roots: Iterable[Path]) -> str:
    """A text in which paths below one of the folders begin there."""
    # the longest first: one may lie in another
    for root in sorted({str(root) for root in roots}, key=len, reverse=True):
        text = text.replace(f"{root}/", "").replace(f"{root}\\", "")
    return text


def told_fault(error: BaseException, roots: Iterable[Path], *, skip: str = "") -> str:
    """The traceback of an error; files of packages are told from the package on, those below the roots from there.

    Parameters
    ----------
    error : exception
    roots : paths
    skip : str
        The file whose frames are left out: that which called what failed.
    """
    told = traceback.TracebackException.from_exception(error)
    seen: list[traceback.TracebackException | None] = [told]
    while seen:
        part = seen.pop()
        if part is None:
            continue
        # without columns, to underline which Python would parse each line anew, in whatever thread this is
        part.stack = traceback.StackSummary.from_list(
            [
                traceback.FrameSummary(_place(frame.filename), frame.lineno, frame.name, line=frame.line)
                for frame in part.stack
                if frame.filename != skip
            ]
        )
        seen += [part.__cause__, part.__context__]
    return within("".join(told.format()), roots)


def raised_in(trace: TracebackType | None) -> str:
    """Where an error was raised: the file, from its package on, and the line."""
    frames = traceback.extract_tb(trace)
    return f"{_place(frames[-1].filename)}, line {frames[-1].lineno}" if frames else "an unknown place"


def _place(filename: str) -> str:
    path = Path(filename)
    inside = [path.relative_to(package) for package in _PACKAGES if path.is_relative_to(package)]
    return min(inside, key=lambda p: len(p.parts)).as_posix() if inside else path.name

"""Errors as text for logs: what went wrong and where in the code, but not whose machine it was."""

from __future__ import annotations

import os
import re
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


_PATH = re.compile(r"""(?<![\w./:<-])(?:[A-Za-z]:)?[/\\](?:[^\s/\\:'",;()]+[/\\])+([^\s/\\:'",;()]+)""")
"""A path from the root on, and its last part."""

_FILE = "a file of the series"

_SHORT = 4
"""Digits that may be any number of a message, and tell of nobody as the name of a file."""


def kept_text(text: str, *, files: Iterable[Path], roots: Iterable[Path]) -> str:
    """A text as it may be written into results: without names of DICOM files, and without folders of this machine.

    Export programs call DICOM files and their folders after the patient, so none of these names is kept.

    Parameters
    ----------
    text : str
    files : paths
        What was read. A folder is one of DICOM files; of a file the name is kept, and its place below the roots.
    roots : paths
    """
    roots, files = list(roots), list(files)
    for folder in (path for path in files if path.is_dir()):
        text = _without_names(text, folder, roots)
    text = within(text, roots)
    for path in files:
        text = text.replace(str(path), path.name)
    return _PATH.sub(r"\1", text)


def _without_names(text: str, folder: Path, roots: Iterable[Path]) -> str:
    names: set[str] = set()
    for root, _, inside in os.walk(folder):
        for name in inside:
            relative = Path(root, name).relative_to(folder)
            names |= {relative.as_posix(), str(relative), name, relative.stem}
    # the longest first: one may be a part of another
    ordered = [name for name in sorted(names, key=lambda name: (-len(name), name)) if name in text]
    places = {str(folder), os.path.realpath(folder)}
    places |= {str(folder.relative_to(root)) for root in roots if folder.is_relative_to(root) and folder != root}
    for place in sorted(places, key=len, reverse=True):
        for name in ordered:
            text = text.replace(f"{place}/{name}", _FILE).replace(f"{place}\\{name}", _FILE)
        # of a file that is gone, or a folder, up to what ends a path in a message: a name may hold blanks
        text = re.sub(re.escape(place) + r"""[/\\][^:'"\n,;]+""", _FILE, text)
        text = re.sub(re.escape(place) + r"(?![\w-])", "the series", text)
    for name in ordered:
        if not (name.isdigit() and len(name) <= _SHORT):
            text = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", _FILE, text)
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

"""Which files are DICOM, told from their first bytes, and how messages call them."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from PyPeTLib.errors import InputError

Paths = str | PathLike[str] | Sequence[str | PathLike[str]]
"""A folder, a file, or several of them."""

_VALUE_REPRESENTATIONS = frozenset((b"UL", b"UI", b"CS", b"DA", b"TM", b"SH", b"LO", b"PN", b"OB", b"ST", b"DT"))


@dataclass(frozen=True, kw_only=True)
class Found:
    """A DICOM file: its path, and its name for messages, relative to what was given."""

    path: Path
    name: str


def is_dicom(path: Paths) -> bool:
    """Whether a file is DICOM, or a folder holds (at any depth) at least one DICOM file.

    Told from the first bytes: the mark ``DICM`` behind a preamble of 128 bytes (DICOM PS3.10, 7.1), or a data set
    without one that begins with group 0008. What does not exist is not DICOM.
    """
    there = [place for place in _places(path) if place.exists()]
    return next(_dicom_files(there), None) is not None


def dicom_files(path: Paths) -> list[Found]:
    """All DICOM files of a folder and its subfolders, or of those given, in the order of their names.

    A ``DICOMDIR`` stands for the folder that it lies in.

    Raises
    ------
    InputError
        If a path does not exist, cannot be read, or holds no DICOM file.
    """
    found = list(_dicom_files(path))
    if not found:
        places = ", ".join(str(place) for place in _places(path))
        raise InputError(f"{places}: {_found_instead(_places(path))}")
    # a file given twice, or once by itself and once in its folder, is one file
    return list({os.path.realpath(file.path): file for file in reversed(found)}.values())[::-1]


def _places(path: Paths) -> list[Path]:
    return [Path(path)] if isinstance(path, str | PathLike) else [Path(one) for one in path]


def _found_instead(places: Sequence[Path]) -> str:
    """What is there in place of DICOM files, and what to do with it."""
    if any(_is_nifti(place) for place in places):
        return (
            "this is a NIfTI file, not DICOM. It is analysed with 'pypet run FILE OUT', and needs no choice of series."
        )
    inside = sorted(entry.name for place in places if place.is_dir() for entry in place.iterdir())
    if any(name.startswith("sub-") for name in inside):
        return (
            "there is no DICOM file here, but folders of subjects (sub-...). All scans of a dataset are analysed with "
            "'pypet batch DATASET OUT'; for one, give its file."
        )
    images = [name for name in inside if _is_nifti(Path(name))]
    if images:
        return f"there is no DICOM file here, but {len(images)} in NIfTI. Give the file of the series itself."
    return "there is no DICOM file here. Give the folder of the DICOM files."


def _is_nifti(path: Path) -> bool:
    return path.name.lower().endswith((".nii", ".nii.gz"))


def _dicom_files(path: Paths) -> Iterator[Found]:
    for place in _places(path):
        start = place.parent if place.name.upper() == "DICOMDIR" else place
        if start.is_dir():
            for file in _walk(start):
                if _is_marked(file):
                    yield Found(path=file, name=file.relative_to(start).as_posix())
        elif not start.exists():
            raise InputError(f"{place}: there is no such file or folder. Check the path.")
        elif _is_marked(start):
            yield Found(path=start, name=start.name)


def _walk(folder: Path) -> Iterator[Path]:
    """Ordinary files at any depth, sorted; the index file of a medium left out."""

    def refuse(error: OSError) -> None:
        raise InputError(f"{error.filename}: the folder cannot be read: {error.strerror}.") from error

    for root, folders, names in os.walk(folder, onerror=refuse):
        folders.sort()
        yield from (Path(root, name) for name in sorted(names) if name.upper() != "DICOMDIR")


def _is_marked(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            head = file.read(132)
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read: {error.strerror or error}.") from error
    return head[128:] == b"DICM" or _begins_with_data_set(head)


def _begins_with_data_set(head: bytes) -> bool:
    """Whether the bytes look like the first element of a data set without preamble, little-endian."""
    if len(head) < 132:
        return False
    group, element, length = struct.unpack("<HHI", head[:8])
    if group != 0x0008 or element not in (0x0000, 0x0001, 0x0005, 0x0008, 0x0012, 0x0016, 0x0018):
        return False
    return head[4:6] in _VALUE_REPRESENTATIONS or 0 < length <= 128

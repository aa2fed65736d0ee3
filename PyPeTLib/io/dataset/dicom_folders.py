"""Scans that lie in a session as folders of DICOM files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from PyPeTLib.errors import InputError
from PyPeTLib.io.dataset.listing import Listing, Problems, listed
from PyPeTLib.io.dataset.model import Scan
from PyPeTLib.io.dataset.names import natural
from PyPeTLib.io.dataset.series import Session
from PyPeTLib.io.dicom import is_dicom

_WORDS = {"ctp": "ctp", "dsc": "dsc", "mrp": "mrp", "pwi": "pwi", "perf": "perf", "perfusion": "perf"}
"""Words in the names of folders that tell of a perfusion series, the most telling first, and the scan's suffix."""

_NAMELESS = "perf"
_DEPTH = 4
_FILES_TRIED = 3
_FOLDERS_TRIED = 64


def dicom_scans_of(session: Session, problems: Problems) -> list[Scan]:
    """The scans that lie in a session as folders of DICOM files.

    DICOM files beside each other in the session's own folder are one scan. Else its folders are searched: those named
    after a perfusion series count, else the only one that there is.
    """
    if _has_dicom(session.home):
        return [_scan(session, session.home.folder, _NAMELESS)]
    holding = [part for part in session.parts if _holds_dicom(part, problems)]
    chosen = [inner for part in holding if _suffix(part.folder) for inner in _most_telling(part, problems)]
    if not chosen and len(holding) == 1:
        chosen = _most_telling(holding[0], problems)
    if not chosen and holding:
        problems.add(
            "None of these folders of DICOM files is named after a perfusion series (ctp, dsc, perf), so they were "
            "left out",
            *(part.folder for part in holding),
        )
    scans: dict[str, list[Path]] = {}
    for part in chosen:
        scans.setdefault(_suffix(part.folder) or _suffix(part.folder.parent) or _NAMELESS, []).append(part.folder)
    found = []
    for suffix, folders in sorted(scans.items()):
        if len(folders) == 1:
            found.append(_scan(session, folders[0], suffix))
        else:
            problems.add(
                "Several folders of DICOM files are the same scan by their names, so none of them was taken; give "
                "each a session of its own, or leave one",
                *folders,
            )
    return found


def dicom_beside(session: Session, problems: Problems) -> None:
    """Tell of folders of DICOM files named after a perfusion series beside scans in NIfTI files."""
    for part in session.parts:
        if _suffix(part.folder) and not part.images and _holds_dicom(part, problems):
            problems.add("Beside NIfTI files these folders of DICOM files were left out", part.folder)


def _scan(session: Session, folder: Path, suffix: str) -> Scan:
    return Scan(
        subject=session.subject,
        session=session.label,
        suffix=suffix,
        series=folder,
        entities=session.entities,
        layout="dicom",
    )


def _suffix(folder: Path) -> str:
    words = re.split(r"[^a-z0-9]+", folder.name.lower())
    return next((suffix for word, suffix in _WORDS.items() if word in words), "")


def _most_telling(part: Listing, problems: Problems) -> list[Listing]:
    """The folders in a folder that are named after a perfusion series, or else the folder itself."""
    inner = [listed(folder, problems) for folder in part.folders if _suffix(folder)]
    return [one for one in inner if _holds_dicom(one, problems)] or [part]


def holds_images(part: Listing) -> bool:
    """Whether there are NIfTI or DICOM files in a folder or those in it; only the first few are looked at."""
    return _holds_dicom(part, Problems(dataset=part.folder), nifti=True)


def _holds_dicom(part: Listing, problems: Problems, *, nifti: bool = False) -> bool:
    """Whether there are DICOM files in a folder or those in it; only the first few are looked at."""
    level, tried = [part], 0
    for _ in range(_DEPTH):
        below: list[Listing] = []
        for one in level:
            if _has_dicom(one) or (nifti and one.images):
                return True
            tried += 1
            if tried > _FOLDERS_TRIED:
                return False
            below += [listed(folder, problems) for folder in one.folders[:_FOLDERS_TRIED]]
        level = sorted(below, key=lambda listing: natural(listing.folder.as_posix()))
    return False


def _has_dicom(listing: Listing) -> bool:
    return any(_is_dicom(path) for path in _likely(listing.files))


def _likely(files: Sequence[Path]) -> Sequence[Path]:
    named = [path for path in files if path.suffix.lower() in (".dcm", ".ima", "") or path.suffix[1:].isdigit()]
    # the index of a medium stands for all of its folder
    return [path for path in named if path.name.upper() != "DICOMDIR"][:_FILES_TRIED]


def _is_dicom(path: Path) -> bool:
    try:
        return is_dicom(path)
    except InputError:
        # unreadable, which its reader will tell if the folder is taken
        return False

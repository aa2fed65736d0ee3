"""What a folder holds, in natural order, and what is odd about it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from PyPeTLib.errors import InputError
from PyPeTLib.io.dataset.names import SUFFIXES, is_image, natural, some_of
from PyPeTLib.io.output_folder import SUMMARY_NAME
from PyPeTLib.maps import QUANTITIES

_SUMMARY_START = 4096

_LABELLED = re.compile(r"(sub|ses)-[^/]+|(sub|subj|subject|pat|patient|ses|session)[-_ ]?[0-9]{1,6}", re.IGNORECASE)
"""Names of folders and files that the dataset gave, rather than whoever exported the images."""

_PLAIN = frozenset(
    (
        "brain",
        "mask",
        "bmask",
        "perfusion",
        "maps",
        "generated",
        "dataset",
        "description",
        "raw",
        "data",
        "rawdata",
        "derivatives",
        "perf",
        "nii",
        "gz",
        "json",
        *SUFFIXES,
        *QUANTITIES,
    )
)
"""Words of names that are no people's."""


@dataclass(kw_only=True)
class Problems:
    """Collects what looks odd, one sentence for each kind of it.

    Attributes
    ----------
    dataset : Path
        Places are told from here on.
    """

    dataset: Path
    _places: dict[str, dict[str, None]] = field(default_factory=dict)

    def add(self, what: str, *places: Path) -> None:
        """Note places at which something is odd; ``what`` is a sentence without its full stop."""
        told = self._places.setdefault(what, {})
        for place in places:
            inside = place.is_relative_to(self.dataset)
            told[place.relative_to(self.dataset).as_posix() if inside else place.as_posix()] = None

    def sentences(self) -> tuple[str, ...]:
        """In the order in which they were found."""
        return tuple(f"{what}: {some_of(places)}." for what, places in self._places.items())

    def for_files(self) -> tuple[str, ...]:
        """The same with all places, but without names that may be those of people."""
        return tuple(
            f"{what}: {', '.join(dict.fromkeys(_without_people(place) for place in places))}."
            for what, places in self._places.items()
        )

    def knows(self, path: Path) -> bool:
        """Whether a place in the dataset was told already."""
        place = path.relative_to(self.dataset).as_posix()
        return any(place in places for places in self._places.values())


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Files and folders in a folder, in natural order; hidden ones are left out."""

    folder: Path
    files: tuple[Path, ...] = ()
    folders: tuple[Path, ...] = ()

    @property
    def images(self) -> list[Path]:
        """The NIfTI files among the files."""
        return [path for path in self.files if is_image(path.name)]

    def holds(self, name: str) -> Path | None:
        """The folder of this name, in whatever letter case."""
        return next((path for path in self.folders if path.name.lower() == name), None)


def _without_people(place: str) -> str:
    kept = []
    for part in place.split("/"):
        words = re.split(r"[^a-z0-9]+", part.lower())
        if not (_LABELLED.fullmatch(part) or all(word in _PLAIN for word in words)):
            kept.append("...")
            break
        kept.append(part)
    return "/".join(kept)


def listed(folder: Path, problems: Problems) -> Listing:
    """Files and folders in a folder. What cannot be read, and links that lead nowhere or back, is told and left out."""
    files, folders = [], []
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: natural(entry.name))
    except OSError:
        problems.add("These folders cannot be read and were left out; check the access rights", folder)
        return Listing(folder=folder)
    above = None
    for entry in found:
        path = folder / entry.name
        if entry.name.startswith("."):
            continue
        if _is(entry, folder=True):
            if entry.is_symlink():
                above = above or {os.path.realpath(parent) for parent in (folder, *folder.absolute().parents)}
                if os.path.realpath(path) in above:
                    problems.add("These links lead back to a folder that holds them and were left out", path)
                    continue
            folders.append(path)
        elif _is(entry, folder=False):
            files.append(path)
        elif entry.is_symlink() and (is_image(entry.name) or "." not in entry.name):
            problems.add("These links lead nowhere and were left out; fetch what they stand for", path)
    return Listing(folder=folder, files=tuple(files), folders=tuple(folders))


def is_own_output(folder: Listing) -> bool:
    """Whether PyPeT made a folder, by its summary."""
    summary = folder.folder / SUMMARY_NAME
    if summary not in folder.files:
        return False
    try:
        with summary.open("rb") as file:
            return b"pypet" in file.read(_SUMMARY_START).lower()
    except OSError:
        return False


def checked_dataset(dataset: Path) -> None:
    """Refuse what is no folder.

    Raises
    ------
    InputError
    """
    if dataset.is_dir():
        return
    if dataset.exists():
        raise InputError(
            f"{dataset}: this is a file, and a dataset is a folder with one folder for each subject (sub-01, sub-02, "
            "...). Give the folder; a single series is analysed with 'pypet run'."
        )
    raise InputError(f"{dataset}: there is no such folder. Check the path.")


def _is(entry: os.DirEntry[str], *, folder: bool) -> bool:
    try:
        return entry.is_dir() if folder else entry.is_file()
    except OSError:
        # links in a circle
        return False

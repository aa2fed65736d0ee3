"""What the names of folders and files say: read strictly, as BIDS has them, and never guessed.

``sub-<label>[_ses-<label>][_<key>-<label>...]_<suffix>.nii[.gz]`` with labels of letters and digits (BIDS 1.10, common
principles; Gorgolewski et al. 2016, doi:10.1038/sdata.2016.44). BIDS has no suffix for perfusion with contrast yet:
those in use are taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from PyPeTLib.maps import QUANTITIES

SUFFIXES: Mapping[str, str] = {"ctp": "ctp", "dsc": "dsc", "mrp": "dsc", "perf": "auto", "pwi": "auto"}
"""Last words of the names of perfusion series, and the modality that they tell."""

DERIVED = ("space", "desc", "res", "den", "label")
"""Keys of what was computed from a scan; they are no part of its identity."""

_IMAGE = re.compile(r"\.nii(\.gz)?$", re.IGNORECASE)
_PAIR = re.compile(r"([a-z]+)-([a-z0-9+]+)", re.IGNORECASE)
_BRAIN = re.compile(r"(^|_)(?:desc-|label-)?brain_?mask$", re.IGNORECASE)
_GENERATED = re.compile(r"generated_", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Name:
    """Keys and labels of a name, in their order, and its last word in small letters."""

    entities: Mapping[str, str]
    suffix: str

    @property
    def identity(self) -> dict[str, str]:
        """The entities without those of derived files."""
        return {key: label for key, label in self.entities.items() if key not in DERIVED}


def is_image(name: str) -> bool:
    """Whether a file is NIfTI by its name."""
    return _IMAGE.search(name) is not None


def label_of(folder: str, key: str) -> str | None:
    """The label of a folder such as ``sub-01`` for the key ``sub``; None where its name is not of this form."""
    found = _PAIR.fullmatch(folder)
    return found[2] if found and found[1] == key else None


def without_prefix(label: str, key: str) -> str:
    """``01`` of ``01``, of ``sub-01``, and of ``sub-01/``, as shells complete the names of folders."""
    return label.strip().rstrip("/").removeprefix(f"{key}-")


def read_name(file: str) -> Name | None:
    """What the name of an image says, or None where it is not of the form above."""
    *pairs, suffix = _IMAGE.sub("", file).split("_")
    entities: dict[str, str] = {}
    for pair in pairs:
        found = _PAIR.fullmatch(pair)
        if not found or found[1] in entities:
            return None
        entities[found[1]] = found[2]
    return Name(entities=entities, suffix=suffix.lower()) if suffix.isalnum() else None


def last_word(file: str) -> str:
    """The last word of an image's name in small letters, whatever comes before."""
    return words_of(file)[-1]


def words_of(file: str) -> list[str]:
    """The words of an image's name in small letters."""
    return re.split(r"[^a-z0-9]+", _IMAGE.sub("", file).lower())


def read_brain_mask(file: str) -> Name | None:
    """What the name of a brain mask says: ``brain_mask``, ``..._brain_mask``, ``..._desc-brain_mask``; else None."""
    stem, count = _BRAIN.subn("", _IMAGE.sub("", file))
    return None if not count else read_name(f"{stem}_mask" if stem else "mask")


def is_mask(file: str) -> bool:
    """Whether an image is a mask of anything by its name."""
    return last_word(file) in ("mask", "brainmask")


def is_generated(file: str) -> bool:
    """Whether an image is a map that the original PyPeT made, which it puts beside the references."""
    return _GENERATED.match(file) is not None


def quantity_of(name: Name) -> str | None:
    """The quantity of a reference map by the last word of its name."""
    return name.suffix if name.suffix in QUANTITIES else None


def fits(some: Mapping[str, str], all_of: Mapping[str, str]) -> bool:
    """Whether every key of a name has the same label in another one; numbers count by their value."""
    return all(key in all_of and same_label(key, label, all_of[key]) for key, label in some.items())


def same_label(key: str, one: str, other: str) -> bool:
    """Whether two labels are the same; ``run-1`` and ``run-01`` are, ``sub-1`` and ``sub-01`` are not."""
    if key in ("run", "echo") and one.isdigit() and other.isdigit():
        return int(one) == int(other)
    return one == other


def natural(text: str) -> tuple[tuple[str | int, ...], str]:
    """Key that sorts numbers in names by their value: ``sub-2`` before ``sub-10``."""
    # split alternates text and digits, so that like meets like
    parts = re.split(r"([0-9]+)", text)
    return tuple(int(part) if part.isdigit() else part.casefold() for part in parts), text


def naturally(names: Iterable[str]) -> list[str]:
    """Names in natural order, each once."""
    return sorted(set(names), key=natural)


def some_of(names: Iterable[str], most: int = 5) -> str:
    """The first few names in their order, and how many more there are."""
    listed = list(names)
    more = len(listed) - most
    return ", ".join(listed[:most]) + (f" and {more} more" if more > 0 else "")

"""Whether the subjects of a dataset are alike, watched while they pass by one at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from PyPeTLib.errors import InputError
from PyPeTLib.io.dataset.names import some_of
from PyPeTLib.synthesis.alignment import Alignment, alignment
from PyPeTLib.synthesis.subject import Subject

_MOST_NAMES = 12
_SCALES_APART = 3.0
"""Ratio of the PETs' medians in the brain from which on they seem to be on different scales."""

_SIZES_APART = 1.05
"""Ratio of voxel sizes."""

_FEW_ALIKE, _LITTLE_ALIKE = 4, 1 / 3
"""From so many subjects on, a PET that fits its MRI less than this part of what is usual is told."""


@dataclass(frozen=True, kw_only=True)
class _Entry:
    name: str
    median: float
    voxel_sizes: tuple[float, float, float]
    alignment: Alignment


class Census:
    """Takes down what subjects with PET have in common.

    ``fit(census.watch(subjects))`` feeds it and refuses, once all are seen, those that are misaligned, by name.

    Parameters
    ----------
    refuse_misaligned : bool
        Otherwise they are told among the notes.
    """

    def __init__(self, *, refuse_misaligned: bool = True) -> None:
        self._refuse_misaligned = refuse_misaligned
        self._contrasts: dict[frozenset[str], list[str]] = {}
        self._entries: list[_Entry] = []
        self._pets: dict[str, str] = {}

    def watch(self, subjects: Iterable[Subject]) -> Iterator[Subject]:
        """The same subjects; their census is checked when there are no more.

        Raises
        ------
        InputError
            For the reasons of `add` and `check`.
        """
        for subject in subjects:
            self.add(subject)
            yield subject
        self.check()

    def add(self, subject: Subject) -> None:
        """Take down a subject.

        Raises
        ------
        InputError
            If it has no PET, the same PET as another subject, or other contrasts than those before.
        """
        found = alignment(subject)
        if subject.pet is None:
            return
        digest = hashlib.sha256(subject.pet[subject.mask].tobytes()).hexdigest()
        if digest in self._pets:
            raise InputError(
                f"{subject.name} and {self._pets[digest]} have the same PET. One of them is a copy: give the right "
                "one, or leave a subject out."
            )
        self._pets[digest] = subject.name
        self._contrasts.setdefault(frozenset(subject.contrasts), []).append(subject.name)
        if len(self._contrasts) > 1:
            (one, first), (other, _) = self._contrasts.items()
            raise InputError(
                f"{subject.name} has other contrasts ({', '.join(sorted(other))}) than {some_of(first)} "
                f"({', '.join(sorted(one))}). Give the same contrasts for every subject."
            )
        self._entries.append(
            _Entry(
                name=subject.name,
                median=float(np.median(subject.pet[subject.mask])),
                voxel_sizes=subject.grid.voxel_sizes,
                alignment=found,
            )
        )

    def check(self) -> None:
        """Refuse misaligned subjects, unless they are wanted.

        Raises
        ------
        InputError
            With the names of all of them.
        """
        if self._refuse_misaligned and (told := self._misaligned()):
            raise InputError(
                f"{told} Register each PET to its MRI, look at both together, or leave these subjects out."
            )

    def _misaligned(self) -> str:
        faults = [f"{entry.name} ({entry.alignment.fault})" for entry in self._entries if entry.alignment.fault]
        if not faults:
            return ""
        return (
            f"{len(faults)} of {len(self._entries)} PETs seem not to lie where their MRI lies: "
            f"{some_of(faults, _MOST_NAMES)}. They may be misaligned or of other subjects."
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What is odd about the subjects beside each other."""
        if not self._entries:
            return ()
        misaligned = [told] if (told := self._misaligned()) else []
        return (*misaligned, *self._scale_notes(), *self._size_notes(), *self._likeness_notes())

    def _scale_notes(self) -> Iterator[str]:
        low = min(self._entries, key=lambda entry: entry.median)
        high = max(self._entries, key=lambda entry: entry.median)
        if high.median > _SCALES_APART * low.median:
            yield (
                f"The PETs differ in scale: their medians in the brain range from {low.median:.3g} ({low.name}) to "
                f"{high.median:.3g} ({high.name}). Bring all PETs to one scale (SUV or SUVR) before training."
            )

    def _size_notes(self) -> Iterator[str]:
        sizes = np.array([entry.voxel_sizes for entry in self._entries])
        usual = np.median(sizes, axis=0)
        apart = np.maximum(sizes / usual, usual / sizes).max(axis=1) > _SIZES_APART
        if apart.any():
            told = "×".join(f"{size:.3g}" for size in usual)
            names = some_of((self._entries[i].name for i in np.flatnonzero(apart)), _MOST_NAMES)
            yield (
                f"Voxels are of other sizes in {names} than in most subjects ({told} mm). Resample all subjects to "
                "voxels of one size."
            )

    def _likeness_notes(self) -> Iterator[str]:
        shares = {entry.name: entry.alignment.in_place for entry in self._entries if not entry.alignment.fault}
        if len(shares) < _FEW_ALIKE:
            return
        usual = float(np.median(list(shares.values())))
        low = [f"{name} ({share:.2f})" for name, share in shares.items() if share < _LITTLE_ALIKE * usual]
        if low:
            yield (
                f"The PET's detail follows that of the MRI far less than is usual here ({usual:.2f}) in: "
                f"{some_of(low, _MOST_NAMES)}. Look whether PET and MRI are of one head and well registered."
            )

"""What is found in a dataset: its scans, each with what belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from PyPeTLib.io.sidecar import image_stem


@dataclass(frozen=True, kw_only=True)
class Scan:
    """A perfusion scan of a dataset and what belongs to it.

    Attributes
    ----------
    subject, session, run : str
        Labels without ``sub-``, ``ses-`` and ``run-``; session and run are empty where there are none.
    suffix : str
        Last word of the name, such as ``ctp`` or ``dsc``.
    series : Path
        A 4D NIfTI file, or a folder of DICOM files.
    entities : mapping of str to str
        All of the name's keys and labels in their order, such as ``{"sub": "01", "acq": "fast"}``; without ``echo``.
    second_echo : Path, optional
        The same frames at a longer echo time.
    brain_mask : Path, optional
    references : mapping of str to Path
        Reference maps by the name of their quantity, in the order of `PyPeTLib.maps.QUANTITIES`.
    modality : {"ctp", "dsc", "auto"}
        What name and sidecars tell and agree on. The reader of the series finds it out by itself, or is told in
        ``facts``.
    facts : mapping
        What the reader of the series would not find out by itself: keywords of `PyPeTLib.io.load_series`, from sidecars
        in the folders above (``frame_interval`` or ``frame_times``, ``echo_time``, ``slice_times``,
        ``second_echo_time``, ``modality``) or from the name (``modality``).
    sidecars : tuple of Path
        Those sidecars. The scan's own are not among them.
    layout : {"original", "bids", "dicom"}
        How it lies in the dataset.
    """

    subject: str
    session: str = ""
    run: str = ""
    suffix: str
    series: Path
    entities: Mapping[str, str] = field(default_factory=dict)
    second_echo: Path | None = None
    brain_mask: Path | None = None
    references: Mapping[str, Path] = field(default_factory=dict)
    modality: str = "auto"
    facts: Mapping[str, Any] = field(default_factory=dict)
    sidecars: tuple[Path, ...] = ()
    layout: str = "bids"

    @property
    def name(self) -> str:
        """Such as ``sub-01_ses-01_run-1_ctp``; no other scan of the dataset has it."""
        return self.prefix + self.suffix

    @property
    def prefix(self) -> str:
        """What the names of its files begin with, such as ``sub-01_ses-01_run-1_``."""
        entities = self.entities or {"sub": self.subject, "ses": self.session, "run": self.run}
        return "".join(f"{key}-{label}_" for key, label in entities.items() if label)

    @property
    def folder(self) -> PurePosixPath:
        """Where its results go in a folder of results, such as ``sub-01/ses-01/perf/sub-01_ses-01_ctp``."""
        session = [f"ses-{self.session}"] if self.session else []
        return PurePosixPath(f"sub-{self.subject}", *session, "perf", self.name)

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Every file that its results depend on, sorted: images with their sidecars, or all files of a DICOM folder."""
        images = [self.series, self.second_echo, self.brain_mask, *self.references.values()]
        found = set(self.sidecars)
        for image in images:
            if image is None:
                continue
            if image.is_dir():
                found.update(path for path in image.rglob("*") if path.is_file() and not path.name.startswith("."))
                continue
            own = image.with_name(image_stem(image) + ".json")
            found.update((image, own) if own.is_file() else (image,))
        return tuple(sorted(found))


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What a dataset holds.

    Attributes
    ----------
    dataset : Path
        The folder that was searched.
    scans : tuple of Scan
        Sorted by subject, session and name, numbers by their value.
    problems : tuple of str
        Sentences about what looks odd, most of it left out.
    left_out : tuple of str
        The same with all places, for files: of places whose names may be those of people, such as folders of DICOM
        files, only the labels of subject and session are told.
    kind : {"original", "bids", "dicom", "mixed"}
        How the scans lie in it.
    description : str
        ``Name`` in ``dataset_description.json``; empty without.
    """

    dataset: Path
    scans: tuple[Scan, ...]
    problems: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    kind: str = "bids"
    description: str = ""

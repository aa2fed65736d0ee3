"""What is to be done with one scan, as plain values that travel between processes and machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PyPeTLib.errors import InputError

INPUT_KEYS = (
    "series",
    "dicom_series",
    "modality",
    "frame_interval",
    "frame_times",
    "echo_time",
    "slice_times",
    "second_echo",
    "second_echo_time",
    "mask",
    "aif",
    "vof",
    "white_matter_mask",
)
"""Keys of the ``[input]`` table in ``config.toml``; ``series`` is for the record."""

FILE_KEYS = ("second_echo", "slice_times", "frame_times", "mask", "aif", "vof", "white_matter_mask")
"""Those that may name a file."""

POPULATION = "population"
"""Given as ``aif`` in place of a file: a standard bolus. A file of that name is given as ./population."""


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """What is written beside maps, masks and tables."""

    stages: bool = False
    """What each stage made (large)."""
    figures: bool = True
    report: bool = True
    """`report.html`; it shows the figures, so there is none without them."""
    pdf: bool = False
    dicom: bool = False
    """Maps, masks and a picture as DICOM, in the patient's study and so with the patient's identifiers."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One scan, the options for it, and where its results go.

    Attributes
    ----------
    series : Path
        A NIfTI file, or a folder of DICOM files.
    out : Path
        The folder to make.
    inputs : mapping
        The ``[input]`` table: facts and files that win over what the series says, by `INPUT_KEYS`.
    preset : str or None
        Name or file of a preset; ``tables`` wins over it.
    tables : mapping
        Options of the stages, as nested tables.
    options_file : str
        Where the tables came from, for messages.
    scan : mapping
        ``name``, ``subject``, ``session`` and ``run`` of a scan in a dataset, for the record.
    prefix : str
        Before the names of all maps, masks and tables.
    references : mapping of str to Path
        Reference maps by quantity.
    territories : Path or None
        A labelmap, for each of whose labels the maps' statistics are written.
    territory_names : Path or None
        The labels' names.
    outputs : Outputs
    overwrite : bool
        Whether a folder of PyPeT's may be replaced.
    threads : int or None
        By default all cores; results do not depend on it.
    memory_limit : float or None
        In GB, beyond which large arrays go to scratch files.
    scratch : Path or None
        The folder for these.
    digest : str
        Of everything that the results depend on; written into the folder, so that a later run knows it as current.
    """

    series: Path
    out: Path
    inputs: Mapping[str, Any] = field(default_factory=dict)
    preset: str | None = None
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    options_file: str = ""
    scan: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""
    references: Mapping[str, Path] = field(default_factory=dict)
    territories: Path | None = None
    territory_names: Path | None = None
    outputs: Outputs = field(default_factory=Outputs)
    overwrite: bool = False
    threads: int | None = None
    memory_limit: float | None = None
    scratch: Path | None = None
    digest: str = ""

    def __post_init__(self) -> None:
        unknown = sorted(set(self.inputs) - set(INPUT_KEYS))
        if unknown:
            where = f"{self.options_file}: " if self.options_file else ""
            raise InputError(f"{where}[input] has no {', '.join(unknown)}; known: {', '.join(INPUT_KEYS)}")
        if self.territory_names is not None and self.territories is None:
            raise InputError("--territory-names names the labels of --territories, which was not given. Give both.")
        if self.threads is not None and self.threads < 1:
            raise InputError(f"--threads must be 1 or more, found {self.threads}")

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.scan.get("name", "") or self.series.name

    @property
    def files(self) -> tuple[Path, ...]:
        """The files and folders that it reads, which its results must not replace."""
        named = [self.inputs[key] for key in FILE_KEYS if isinstance(self.inputs.get(key), str | Path)]
        given = [Path(value) for value in named if str(value) != POPULATION]
        more = [path for path in (self.territories, self.territory_names) if path is not None]
        return (self.series, *given, *self.references.values(), *more)

"""What comes out of comparing a scan's maps with their references."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyPeTLib.compare.overlap import Overlap
from PyPeTLib.errors import InputError

if TYPE_CHECKING:
    from PyPeTLib.report.mosaic import Pixels

LESIONS = ("core", "hypoperfused")


@dataclass(frozen=True, kw_only=True, eq=False)
class Agreement:
    """How a map agrees with its reference.

    Attributes
    ----------
    quantity, unit, normalisation, metrics, head_in_doubt
        As in `Comparison`.
    notes : tuple of str
        What to keep in mind, doubts first. How much was compared stands with a map's first comparison alone.
    doubts : tuple of str
        Those of the notes that call the comparison into doubt.
    voxels : int
        That were compared.
    volume : float
        Theirs in ml.
    pictures : mapping of str to ndarray of uint8
        By the stems of their files.
    """

    quantity: str
    unit: str
    normalisation: str
    metrics: Mapping[str, float]
    voxels: int
    volume: float
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    head_in_doubt: bool = False
    pictures: Mapping[str, Pixels] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """For a summary; figures that are not defined are None."""
        return {
            "quantity": self.quantity,
            "unit": self.unit,
            "normalisation": self.normalisation,
            "metrics": {name: value if math.isfinite(value) else None for name, value in self.metrics.items()},
            "voxels": self.voxels,
            "volume_ml": self.volume,
            "notes": list(self.notes),
            "doubts": list(self.doubts),
        }


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A map that could not be compared, and why.

    Attributes
    ----------
    quantity : str
        May also be ``"lesions"``.
    reason : str
    other_head : bool
        Whether the reference showed another head, or this one at another place or mirrored.
    """

    quantity: str
    reason: str
    other_head: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class ReferenceComparison:
    """What came out of comparing a scan's maps with their references.

    Attributes
    ----------
    agreements : tuple of Agreement
    failures : tuple of Failure
    lesions : mapping of str to Overlap, or None
        Core and hypoperfused tissue of both, by the same rules; None where they could not be found in both.
    """

    agreements: tuple[Agreement, ...] = ()
    failures: tuple[Failure, ...] = ()
    lesions: Mapping[str, Overlap] | None = None

    def facts(self) -> dict[str, Any]:
        """For a summary."""
        return {
            "references": [agreement.facts() for agreement in self.agreements],
            "failed": [{"quantity": failure.quantity, "reason": failure.reason} for failure in self.failures],
            "lesions": None if self.lesions is None else {name: self.lesions[name].facts() for name in LESIONS},
        }

    def write(self, folder: Path) -> list[Path]:
        """Write tables (CSV) and pictures (PNG) into a folder, which is made; returns the files.

        Raises
        ------
        InputError
            If something cannot be written.
        """
        from PyPeTLib.compare.cohort import scan_tables  # noqa: PLC0415 - it reads what this module makes
        from PyPeTLib.io.table_files import write_csv  # noqa: PLC0415 - only files need it
        from PyPeTLib.report.page import write_png  # noqa: PLC0415 - only pictures need it

        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"the folder {folder} cannot be made: {error.strerror or error}") from error
        written = []
        for table in scan_tables(self.facts()):
            written.append(folder / f"{table.name}.csv")
            write_csv(written[-1], table)
        for agreement in self.agreements:
            for stem, picture in agreement.pictures.items():
                written.append(folder / f"{stem}.png")
                write_png(written[-1], picture)
        return written

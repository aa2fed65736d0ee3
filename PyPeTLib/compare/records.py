"""What summaries of scans say of comparisons, as plain records: one for each figure of each map and scan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PyPeTLib.compare.metrics import METRICS
from PyPeTLib.compare.normalisation import NORMALISATIONS
from PyPeTLib.errors import InputError
from PyPeTLib.maps import QUANTITIES

LESIONS = {"core": "core", "hypoperfused": "hypoperfused tissue"}
"""By their names in summaries, and for people."""

OVERLAP = "dice"
OVERLAP_BOUNDS = (0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class ScanName:
    """A scan by what a table says of it."""

    name: str
    subject: str
    session: str = ""
    run: str = ""
    modality: str = ""


@dataclass(frozen=True, kw_only=True)
class Key:
    """What a figure is of; records of one key can be put together.

    Attributes
    ----------
    map : str
        A quantity, or a lesion.
    normalisation : str
        Empty for lesions.
    metric : str
        In `METRICS`, or ``"dice"``.
    unit : str
        Of the figure.
    modality : str
        Of the scan; empty where it is not told.
    """

    map: str
    normalisation: str
    metric: str
    unit: str
    modality: str = ""

    @property
    def order(self) -> tuple[str, int, str, int, int, str]:
        """By modalities, then maps as they are listed everywhere, then ways of comparing, then figures."""
        return (
            self.modality,
            _place(self.map, (*QUANTITIES, *LESIONS)),
            self.map,
            _place(self.normalisation, tuple(NORMALISATIONS)),
            _place(self.metric, (*METRICS, OVERLAP)),
            self.unit,
        )

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest value that the figure can have."""
        return METRICS[self.metric].bounds if self.metric in METRICS else OVERLAP_BOUNDS

    @property
    def title(self) -> str:
        """The figure for people."""
        return METRICS[self.metric].title if self.metric in METRICS else "Dice coefficient"

    @property
    def symbol(self) -> str:
        """The map or lesion for people."""
        return QUANTITIES[self.map].symbol if self.map in QUANTITIES else LESIONS.get(self.map, self.map)


@dataclass(frozen=True, kw_only=True)
class Record:
    """One figure of one map of one scan; None where it is not defined."""

    scan: ScanName
    key: Key
    value: float | None


def scan_of(summary: Mapping[str, Any]) -> ScanName:
    """The scan that a summary is of."""
    scan = summary.get("scan") or {}
    name = str(scan.get("name") or summary.get("input", {}).get("file") or "")
    if not name:
        raise InputError(
            "a summary names neither its scan nor its file, so its figures belong to nobody. Run it again."
        )
    return ScanName(
        name=name,
        subject=str(scan.get("subject") or name),
        session=str(scan.get("session") or ""),
        run=str(scan.get("run") or ""),
        modality=str(summary.get("input", {}).get("modality") or ""),
    )


def compared(summaries: Sequence[Mapping[str, Any]]) -> list[tuple[ScanName, Mapping[str, Any]]]:
    """The scans that were compared with references, and what their summaries say of it.

    Raises
    ------
    InputError
        If two summaries are of one scan.
    """
    found: dict[str, tuple[ScanName, Mapping[str, Any]]] = {}
    for summary in summaries:
        if summary.get("comparison"):
            scan = scan_of(summary)
            if scan.name in found:
                raise InputError(f"two summaries are of the scan {scan.name}. Give each scan once.")
            found[scan.name] = (scan, summary["comparison"])
    return list(found.values())


def records(scan: ScanName, comparison: Mapping[str, Any]) -> Iterator[Record]:
    """The figures of a scan."""
    modality = scan.modality
    for reference in comparison["references"]:
        for metric, value in reference["metrics"].items():
            if metric in METRICS:
                unit = METRICS[metric].unit(reference["unit"])
                way = reference["normalisation"]
                key = Key(map=reference["quantity"], normalisation=way, metric=metric, unit=unit, modality=modality)
                yield Record(scan=scan, key=key, value=value)
    for lesion, overlap in (comparison.get("lesions") or {}).items():
        key = Key(map=lesion, normalisation="", metric=OVERLAP, unit="1", modality=modality)
        yield Record(scan=scan, key=key, value=overlap["dice"])


def _place(name: str, among: Sequence[str]) -> int:
    return list(among).index(name) if name in among else len(among)

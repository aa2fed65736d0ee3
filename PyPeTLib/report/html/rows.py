"""The table of all scans: what each of them gave, in columns that sort."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlsplit

from PyPeTLib.errors import InputError
from PyPeTLib.maps import QUANTITIES
from PyPeTLib.report.html.facts import found, metric_title, symbol
from PyPeTLib.report.html.flags import WORST_FIRST, counted, severity_of
from PyPeTLib.report.html.numbers import MISSING, is_number, number, plain, shown, volume

LESION_FIGURES = (
    ("core_ml", "Core", "ml"),
    ("hypoperfused_ml", "Hypoperfused", "ml"),
    ("mismatch_ml", "Mismatch", "ml"),
    ("mismatch_ratio", "Mismatch ratio", ""),
)
MAPS = ("cbf", "cbv", "mtt", "ttp", "tmax")
"""Whose medians are shown; others are in the tables."""


@dataclass(frozen=True, kw_only=True)
class ScanRow:
    """A scan of a group.

    Attributes
    ----------
    name : str
    subject, session : str
        As in the dataset; empty where it has none.
    state : str
        ``"done"``, ``"failed"`` or ``"skipped"``.
    cause : str
        Why it failed or was skipped.
    report : str or None
        Its report, relative to the page of the group, with forward slashes.
    summary : mapping or None
        What ``summary.json`` holds.

    Raises
    ------
    InputError
        If the report is not a relative path.
    """

    name: str
    subject: str = ""
    session: str = ""
    state: str = "done"
    cause: str = ""
    report: str | None = None
    summary: Mapping[str, Any] | None = field(default=None, hash=False)

    def __post_init__(self) -> None:
        if self.report is None:
            return
        parts = urlsplit(self.report)
        if parts.scheme or parts.netloc or self.report.startswith("/") or "\\" in self.report:
            raise InputError(f"the report of {self.name} must be a path relative to the group's, found {self.report!r}")

    @property
    def link(self) -> str:
        """The report as an address; empty if there is none."""
        return quote(self.report) if self.report else ""

    @property
    def facts(self) -> Mapping[str, Any]:
        """The summary, or nothing."""
        return self.summary or {}


@dataclass(frozen=True, kw_only=True)
class ScanCell:
    """A value in the table of scans, what it sorts by (empty: last), and a warning beside it; ``cut`` to one line."""

    text: str
    key: str = ""
    is_number: bool = False
    mark: str = ""
    cut: bool = False


@dataclass(frozen=True, kw_only=True)
class ScanColumn:
    """A heading of the table of scans; ``words`` for columns of sentences."""

    heading: str
    sorts_as: str
    words: bool = False


@dataclass(frozen=True, kw_only=True)
class ScanLine:
    """A row of the table of scans."""

    scan: ScanRow
    worst: str
    cells: tuple[ScanCell, ...]


@dataclass(frozen=True, kw_only=True)
class ScanTable:
    """All scans; the columns and cells follow that of the scan's name."""

    columns: tuple[ScanColumn, ...]
    lines: tuple[ScanLine, ...]


Column = tuple[ScanColumn, Callable[[ScanRow], ScanCell]]


def scan_table(scans: Sequence[ScanRow], metrics: Sequence[str]) -> ScanTable:
    """The table of all scans; columns in which no scan has a value are left out, but for those of the state."""
    columns = [*_words(scans), *_lesions(), *_medians(), *_agreement(scans, metrics), _CAUSE]
    read_all = [(column, [read(scan) for scan in scans]) for column, read in columns]
    filled = [
        (column, cells) for column, cells in read_all if column.heading in _ALWAYS or any(cell.key for cell in cells)
    ]
    return ScanTable(
        columns=tuple(column for column, _ in filled),
        lines=tuple(
            ScanLine(scan=scan, worst=_worst(scan), cells=tuple(cells[place] for _, cells in filled))
            for place, scan in enumerate(scans)
        ),
    )


_ALWAYS = ("State", "Flags")

_CAUSE: Column = (ScanColumn(heading="Cause", sorts_as="text"), lambda scan: replace(_text(scan.cause), cut=True))


def _words(scans: Sequence[ScanRow]) -> list[Column]:
    several = len({scan.subject for scan in scans}) > 1
    columns: list[Column] = [
        (ScanColumn(heading="Subject", sorts_as="text"), lambda scan: _text(scan.subject if several else "")),
        (ScanColumn(heading="Session", sorts_as="text"), lambda scan: _text(scan.session)),
        (ScanColumn(heading="State", sorts_as="text"), lambda scan: _text(scan.state)),
        (ScanColumn(heading="Flags", sorts_as="number", words=True), _flags),
    ]
    return columns


def _flags(scan: ScanRow) -> ScanCell:
    """How many of which severity, and the codes of all but notes; sorts by the worst."""
    flags = scan.facts.get("flags")
    if not isinstance(flags, Sequence):
        return ScanCell(text=MISSING)
    counts = [sum(severity_of(flag) == kind for flag in flags) for kind in WORST_FIRST]
    codes = [str(flag.get("code")) for flag in flags if severity_of(flag) != WORST_FIRST[-1]]
    text = counted(flags) or "none raised"
    key = counts[0] * 10**6 + counts[1] * 10**3 + counts[2]
    return ScanCell(text=f"{text}: {', '.join(codes)}" if codes else text, key=str(key))


def _worst(scan: ScanRow) -> str:
    """Severity of the scan's worst flag; ``none`` without any, ``unknown`` where nobody says."""
    flags = scan.facts.get("flags")
    if not isinstance(flags, Sequence):
        return "unknown"
    kinds = {severity_of(flag) for flag in flags}
    return next((kind for kind in WORST_FIRST if kind in kinds), "none")


def _lesions() -> list[Column]:
    def reader(key: str) -> Callable[[ScanRow], ScanCell]:
        show = volume if key.endswith("_ml") else number
        return lambda scan: _number(found(scan.facts, "lesions", key), show)

    return [
        (ScanColumn(heading=f"{title} [{unit}]" if unit else title, sorts_as="number"), reader(key))
        for key, title, unit in LESION_FIGURES
    ]


def _medians() -> list[Column]:
    def reader(name: str) -> Callable[[ScanRow], ScanCell]:
        def read(scan: ScanRow) -> ScanCell:
            content = found(scan.facts, "maps", name) or {}
            mark = "" if content.get("calibrated") is True else "uncalibrated"
            return _number(content.get("median"), number, mark=mark)

        return read

    return [
        (ScanColumn(heading=f"{symbol(name)} median [{QUANTITIES[name].unit}]", sorts_as="number"), reader(name))
        for name in MAPS
    ]


def _agreement(scans: Sequence[ScanRow], metrics: Sequence[str]) -> list[Column]:
    def reader(quantity: str, metric: str) -> Callable[[ScanRow], ScanCell]:
        return lambda scan: _number(metric_of(scan, quantity, metric), number)

    return [
        (ScanColumn(heading=f"{symbol(quantity)} {metric_title(metric)}", sorts_as="number"), reader(quantity, metric))
        for quantity in quantities_of(scans)
        for metric in metrics
    ]


def quantities_of(scans: Sequence[ScanRow]) -> list[str]:
    """Maps that were compared with references, those in common use first."""
    seen = {
        str(reference.get("quantity"))
        for scan in scans
        for reference in found(scan.facts, "comparison", "references") or ()
    }
    return [name for name in QUANTITIES if name in seen] + sorted(seen - set(QUANTITIES))


def metric_of(scan: ScanRow, quantity: str, metric: str, normalisation: str = "") -> Any:
    """A figure of agreement of one map; None where it is missing.

    By default it is that of the first comparison of the map, which is of relative values unless the user chose others.
    """
    reference = reference_of(scan, quantity, normalisation)
    return found(reference, "metrics", metric) if reference else None


def reference_of(scan: ScanRow, quantity: str, normalisation: str = "") -> Mapping[str, Any] | None:
    """What the summary says of a map's comparison with its reference, of any or of one normalisation."""
    for reference in found(scan.facts, "comparison", "references") or ():
        if reference.get("quantity") == quantity and normalisation in ("", reference.get("normalisation")):
            kept: Mapping[str, Any] = reference
            return kept
    return None


def _text(text: str) -> ScanCell:
    return ScanCell(text=shown(text or None), key=text)


def _number(value: Any, show: Callable[[Any], str], *, mark: str = "") -> ScanCell:
    if not is_number(value):
        return ScanCell(text=MISSING, is_number=True)
    return ScanCell(text=show(value), key=repr(float(plain(value))), is_number=True, mark=mark)

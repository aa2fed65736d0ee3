"""Quality flags: the worst first, in words, and how many of them one sheet of paper holds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PyPeTLib.quality import FLAGS, Severity

WORST_FIRST = (Severity.FAILURE.value, Severity.WARNING.value, Severity.NOTE.value)

_SYMBOLS = {"failure": "✖", "warning": "▲", "note": "●"}
"""Severity is told by shape and word, not by colour alone."""

_LINE = 100
"""Letters in a line of a flag on paper, on the careful side."""

_LAYOUTS = {"roomy": (118.0, 70.0), "crowded": (98.0, 52.0), "packed": (84.0, 38.0), "bare": (104.0, 0.0)}
"""Height in mm of the overview and of the curves on paper, as the style has them; the last does without curves."""

_SHEET, _REST, _LINE_HEIGHT, _ROW_HEIGHT, _HEADINGS = 268.0, 58.0, 3.7, 4.8, 24.0
"""In mm: an A4 sheet within its margins with room for other fonts; what is neither flags nor pictures nor tables; a
line of a flag; a row of the tables beside the overview, and their headings."""


@dataclass(frozen=True, kw_only=True)
class ShownFlag:
    """A flag as the page shows it."""

    code: str
    severity: str
    symbol: str
    message: str
    number: str
    meaning: str
    printed: bool
    """False where one sheet has no room for its sentence; its code is printed."""


@dataclass(frozen=True, kw_only=True)
class FlagBox:
    """All flags of a scan.

    Attributes
    ----------
    told : bool
        False where the summary says nothing about flags, which is not the same as none.
    worst : str
        Severity of the worst flag; empty if there is none.
    heading : str
    flags : tuple of ShownFlag
    left_out : str
        Codes of those whose sentence is not printed.
    layout : str
        How small the pictures are printed.
    """

    told: bool
    worst: str
    heading: str
    flags: tuple[ShownFlag, ...]
    left_out: str
    layout: str


def flag_box(summary: Mapping[str, Any], rows: int = 0, others: int = 0) -> FlagBox:
    """The flags of a summary.

    Parameters
    ----------
    summary : mapping
    rows : int
        Rows of the tables that stand beside the overview on paper.
    others : int
        Letters of other warnings above it.
    """
    above = others / _LINE + 2 if others else 0.0
    room = {name: _room(*heights, rows) - above for name, heights in _LAYOUTS.items()}
    if not isinstance(summary.get("flags"), Sequence):
        heading = "This summary does not say which quality checks were made."
        return FlagBox(told=False, worst="", heading=heading, flags=(), left_out="", layout=_layout(room, 1))
    ordered = sorted(summary["flags"], key=lambda flag: WORST_FIRST.index(severity_of(flag)))
    lines = [_lines(flag) for flag in ordered]
    layout = _layout(room, sum(lines))
    # what does not fit is told by its code, which takes room, too
    codes = sum(len(str(flag.get("code", ""))) + 2 for flag in ordered) / _LINE + 1
    most = room[layout] - (codes if sum(lines) > room[layout] else 0)
    flags: list[ShownFlag] = []
    used = 0
    for flag, needed in zip(ordered, lines, strict=True):
        used += needed
        flags.append(_shown(flag, printed=used <= most or not flags))
    return FlagBox(
        told=True,
        worst=flags[0].severity if flags else "",
        heading=counted(summary["flags"]) or "No flags raised",
        flags=tuple(flags),
        left_out=", ".join(flag.code for flag in flags if not flag.printed),
        layout=layout,
    )


def _room(overview: float, curves: float, rows: int) -> float:
    """Lines of flags that one sheet holds beside pictures of these heights."""
    beside = max(overview + 8, _HEADINGS + rows * _ROW_HEIGHT)
    return (_SHEET - _REST - beside - curves) / _LINE_HEIGHT


def _layout(room: Mapping[str, float], lines: int) -> str:
    """The largest pictures that leave room for so many lines."""
    return next((name for name, most in room.items() if lines <= most), list(room)[-1])


def severity_of(flag: Mapping[str, Any]) -> str:
    """The severity; a warning where it is not one that is known."""
    severity = str(flag.get("severity", ""))
    return severity if severity in WORST_FIRST else Severity.WARNING.value


def counted(flags: Sequence[Mapping[str, Any]]) -> str:
    """How many of which severity: ``1 failure, 2 warnings``; empty for none."""
    counts = Counter(severity_of(flag) for flag in flags)
    return ", ".join(f"{counts[kind]} {kind}{'s' * (counts[kind] > 1)}" for kind in WORST_FIRST if counts[kind])


def _shown(flag: Mapping[str, Any], *, printed: bool) -> ShownFlag:
    code, severity = str(flag.get("code", "")), severity_of(flag)
    return ShownFlag(
        code=code,
        severity=severity,
        symbol=_SYMBOLS[severity],
        message=str(flag.get("message", "")),
        number=str(flag.get("number", "")),
        meaning=FLAGS[code].meaning if code in FLAGS else "",
        printed=printed,
    )


def _lines(flag: Mapping[str, Any]) -> int:
    letters = sum(len(str(flag.get(key, ""))) for key in ("severity", "message", "code", "number"))
    return math.ceil((letters + 10) / _LINE)

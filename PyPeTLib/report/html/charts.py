"""Box plots and Bland-Altman plots as SVG within a page, in its fonts and colours; the same bytes each time."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PyPeTLib.report.html.numbers import number

if TYPE_CHECKING:
    from markupsafe import Markup

Named = Sequence[tuple[str, float]]
"""Names of scans and their values."""

LIMITS = 1.96
"""Standard deviations from the bias to the limits of agreement."""

_FEWEST = 3
"""Values for which a box or limits of agreement are drawn; fewer are only points."""

_TOP, _BOTTOM, _LEFT, _RIGHT = 30.0, 46.0, 58.0, 12.0
"""Margins of a plot, in which title and labels stand."""

_LETTER = 6.6
"""Width of a letter of 12 px, on the careful side."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A drawing and what it shows in words, for those who do not see it."""

    title: str
    svg: Markup
    text: str


@dataclass(frozen=True, kw_only=True)
class _Axis:
    """Values to pixels."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 2)

    def label(self, tick: float) -> str:
        step = self.ticks[1] - self.ticks[0]
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        return f"{tick:.{decimals}f}".replace("-", "−")


def box_plot(title: str, unit: str, groups: Mapping[str, Named], *, places: int = 0) -> Chart:
    """One box for each group: quartiles, whiskers to the last value within 1.5 box heights, every scan a point.

    Parameters
    ----------
    title, unit : str
    groups : mapping of str to sequence of (str, float)
        Finite values; no group is empty.
    places : int
        Boxes to have room for, where there are fewer: plots of one width are shown at one height.
    """
    width, height = max(300.0, 75.0 + 90.0 * max(len(groups), places)), 260.0
    values = [value for members in groups.values() for _, value in members]
    axis = _axis(values, height - _BOTTOM, _TOP)
    pieces = [
        *_frame(width, height, axis),
        _words(2, 16, title, css="title"),
        _words(width - 4, 16, unit, anchor="end"),
    ]
    told = []
    step = (width - _LEFT - _RIGHT) / len(groups)
    for place, (name, members) in enumerate(groups.items()):
        centre = _LEFT + (place + 0.5) * step
        pieces += _box(centre, members, axis)
        letters = int(step / _LETTER)
        label = name if len(name) <= letters else name[: letters - 1] + "…"
        pieces.append(_words(centre, height - _BOTTOM + 18, label, anchor="middle"))
        pieces.append(_words(centre, height - _BOTTOM + 34, f"n = {len(members)}", anchor="middle"))
        told.append(f"{name}: {_told([value for _, value in members])}")
    text = f"Box plot, {title}{f' in {unit}' if unit else ''}. {'; '.join(told)}."
    return Chart(title=title, svg=_drawing(width, height, pieces, text), text=text)


def bland_altman_plot(title: str, unit: str, pairs: Mapping[str, tuple[float, float]]) -> Chart:
    """Differences of pairs against their means (Bland & Altman 1986, doi:10.1016/S0140-6736(86)90837-8).

    Parameters
    ----------
    title, unit : str
    pairs : mapping of str to (float, float)
        By scan: the value and the reference's, both finite; not empty.
    """
    width, height = 430.0, 290.0
    means = {name: (ours + theirs) / 2 for name, (ours, theirs) in pairs.items()}
    differences = {name: ours - theirs for name, (ours, theirs) in pairs.items()}
    bias = statistics.fmean(differences.values())
    spread = LIMITS * statistics.stdev(differences.values()) if len(pairs) >= _FEWEST else None
    lines = [("bias", "bias", bias)]
    if spread is not None:
        lines += [("limit", "+1.96 SD", bias + spread), ("limit", "−1.96 SD", bias - spread)]
    across = _axis(list(means.values()), _LEFT, width - 110.0)
    up = _axis([0.0, *differences.values(), *(value for _, _, value in lines)], height - _BOTTOM, _TOP)
    pieces = [*_frame(width, height, up, across), _words(2, 16, f"{title} [{unit}]", css="title")]
    pieces.append(_line(_LEFT, up(0.0), width - 110.0, up(0.0), "axis"))
    for css, name, value in lines:
        pieces.append(_line(_LEFT, up(value), width - 110.0, up(value), css))
        pieces.append(_words(width - 104.0, up(value) + 4, f"{name} {number(value)}"))
    pieces += [_point(across(means[name]), up(differences[name]), f"{name}: {_sum(*pairs[name])}") for name in pairs]
    pieces.append(
        _words((_LEFT + width - 110.0) / 2, height - 8, f"mean of both [{unit}], n = {len(pairs)}", anchor="middle")
    )
    limits = "" if spread is None else f", limits of agreement {number(bias - spread)} to {number(bias + spread)}"
    text = f"Bland-Altman plot, {title}: {len(pairs)} scans, bias {number(bias)}{limits} {unit}."
    return Chart(title=title, svg=_drawing(width, height, pieces, text), text=text)


def _sum(ours: float, theirs: float) -> str:
    return f"{number(ours)} against {number(theirs)}"


def _told(values: Sequence[float]) -> str:
    low, middle, high = _quartiles(values)
    return (
        f"{len(values)} scans, median {number(middle)}, quartiles {number(low)} and {number(high)}, "
        f"range {number(min(values))} to {number(max(values))}"
    )


def _quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Linear between the values in order, as numpy's percentiles are."""
    ordered = sorted(values)

    def at(share: float) -> float:
        place = share * (len(ordered) - 1)
        below = math.floor(place)
        above = min(below + 1, len(ordered) - 1)
        return ordered[below] + (place - below) * (ordered[above] - ordered[below])

    return at(0.25), at(0.5), at(0.75)


def _axis(values: Sequence[float], start: float, end: float) -> _Axis:
    """Round ticks around all values: steps of 1, 2 or 5."""
    low, high = min(values), max(values)
    if high - low < 1e-9 * max(1.0, abs(high)):
        pad = 0.1 * abs(high) or 1.0
        low, high = low - pad, high + pad
    raw = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(round(k * step, 12) for k in range(first, last + 1))
    return _Axis(low=ticks[0], high=ticks[-1], start=start, end=end, ticks=ticks)


def _frame(width: float, height: float, up: _Axis, across: _Axis | None = None) -> list[Markup]:
    right = width - _RIGHT if across is None else across.end
    pieces = [
        _line(_LEFT, _TOP, _LEFT, height - _BOTTOM, "axis"),
        _line(_LEFT, height - _BOTTOM, right, height - _BOTTOM, "axis"),
    ]
    for tick in up.ticks:
        pieces.append(_line(_LEFT - 5, up(tick), _LEFT, up(tick), "axis"))
        pieces.append(_words(_LEFT - 8, up(tick) + 4, up.label(tick), anchor="end"))
    if across is None:
        return pieces
    for tick in across.ticks:
        pieces.append(_line(across(tick), height - _BOTTOM, across(tick), height - _BOTTOM + 5, "axis"))
        pieces.append(_words(across(tick), height - _BOTTOM + 18, across.label(tick), anchor="middle"))
    return pieces


def _box(centre: float, members: Named, axis: _Axis) -> list[Markup]:
    pieces = []
    if len(members) >= _FEWEST:
        values = [value for _, value in members]
        low, middle, high = _quartiles(values)
        reach = 1.5 * (high - low)
        least = min(value for value in values if value >= low - reach)
        most = max(value for value in values if value <= high + reach)
        pieces += [
            _line(centre, axis(least), centre, axis(low), "box"),
            _line(centre, axis(high), centre, axis(most), "box"),
            _line(centre - 9, axis(least), centre + 9, axis(least), "box"),
            _line(centre - 9, axis(most), centre + 9, axis(most), "box"),
            _markup('<rect class="box" x="{}" y="{}" width="44" height="{}"/>').format(
                round(centre - 22, 2), axis(high), round(max(axis(low) - axis(high), 0.5), 2)
            ),
            _line(centre - 22, axis(middle), centre + 22, axis(middle), "middle"),
        ]
    # side by side in a fixed order, so that equal values are seen as several
    return pieces + [
        _point(round(centre + (place % 5 - 2) * 6, 2), axis(value), f"{name}: {number(value)}")
        for place, (name, value) in enumerate(members)
    ]


def _point(x: float, y: float, told: str) -> Markup:
    return _markup('<circle class="point" cx="{}" cy="{}" r="3"><title>{}</title></circle>').format(x, y, told)


def _line(x1: float, y1: float, x2: float, y2: float, css: str) -> Markup:
    return _markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(css, x1, y1, x2, y2)


def _words(x: float, y: float, text: str, *, anchor: str = "start", css: str = "label") -> Markup:
    return _markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        css, round(x, 2), round(y, 2), anchor, text
    )


def _drawing(width: float, height: float, pieces: Sequence[Markup], told: str) -> Markup:
    return _markup('<svg viewBox="0 0 {:g} {:g}" role="img" aria-label="{}">\n{}\n</svg>').format(
        width, height, told, _markup("\n").join(pieces)
    )


def _markup(text: str) -> Markup:
    """A pattern of ours; what is put into it is escaped."""
    from markupsafe import Markup  # noqa: PLC0415 - comes with jinja2, which only reports need

    return Markup(text)  # noqa: S704 - only patterns of this file

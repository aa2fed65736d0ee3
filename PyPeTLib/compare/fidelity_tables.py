"""Figures of fidelity of several methods over the same subjects, as tables and as text for terminals."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from PyPeTLib.compare.cohort import interval_columns
from PyPeTLib.compare.fidelity import FIDELITY, HIGHER, SCOPE_NOTE, SCOPES
from PyPeTLib.compare.statistics import PairedTests, counted, describe, holm, joined, paired_tests, together
from PyPeTLib.compare.text import column_lines
from PyPeTLib.errors import InputError
from PyPeTLib.tables import Cell, Column, DataTable

BY_SUBJECT, SUMMARY, PAIRED = "fidelity_by_subject", "fidelity_summary", "fidelity_paired"

OVER_SUBJECTS = "Intervals are of 95 % and over subjects, not over voxels."

WIDEST = 120
"""Letters in a line of `fidelity_text`."""

_LONGEST_LABEL = 24
_ALPHA = 0.05

_FIGURE_COLUMNS = (
    Column(name="scope", title="Scope"),
    Column(name="method", title="Method"),
    Column(name="metric", title="Name of the figure"),
    Column(name="title", title="Figure"),
    Column(name="unit", title="Unit of the figure"),
    Column(name="better", title="Better when"),
)


@dataclass(frozen=True, kw_only=True)
class FidelityRecord:
    """One figure of one subject's estimate by one method.

    Attributes
    ----------
    subject, method : str
    scope : str
        A key of `SCOPES`.
    metric : str
        A name of `FIDELITY`.
    value : float
        NaN where it is not defined; infinite for the PSNR of equal images. Neither counts in means and tests.
    """

    subject: str
    method: str
    scope: str
    metric: str
    value: float


@dataclass(frozen=True, kw_only=True)
class _Key:
    """What a row is of."""

    scope: str
    method: str
    metric: str

    @property
    def cells(self) -> tuple[Cell, ...]:
        """What stands below `_FIGURE_COLUMNS`."""
        about = FIDELITY[self.metric]
        return self.scope, self.method, self.metric, about.title, about.unit or None, about.better


@dataclass(frozen=True, kw_only=True)
class _Test:
    """The reference method against another one, with p-values after Holm's correction."""

    means: tuple[float | None, float | None]
    """Of the other method and of the reference method, over the pairs that count."""
    test: PairedTests
    t_holm: float | None = None
    wilcoxon_holm: float | None = None


_Figures = Mapping[_Key, Mapping[str, float]]
"""Values by subject."""


def fidelity_tables(records: Sequence[FidelityRecord], *, reference_method: str) -> tuple[DataTable, ...]:
    """Tables of how well methods reproduce the real images, and of the reference method against the others.

    Parameters
    ----------
    records : sequence of FidelityRecord
        Methods stand in tables in the order in which they occur here.
    reference_method : str
        The method that all others are held against.

    Returns
    -------
    tuple of DataTable
        ``fidelity_by_subject``, ``fidelity_summary``, and ``fidelity_paired`` where there is more than one method.

    Raises
    ------
    InputError
        If there are no records, two are of one thing, a scope or figure is unknown, or none is of the reference method.
    """
    figures = _figures(records)
    methods = list(dict.fromkeys(record.method for record in records))
    if reference_method not in methods:
        raise InputError(
            f"there are no figures of the reference method {reference_method!r}, but of {', '.join(methods) or 'none'}."
        )
    tests = _tests(figures, reference_method)
    tables = (_by_subject(figures), _summary(figures, tests, reference_method), _paired(tests, reference_method))
    return tuple(table for table in tables if table.rows)


def fidelity_text(table: DataTable) -> str:
    """The summary of `fidelity_tables` as aligned text of at most 120 letters a line: methods down, figures across.

    Below each mean stand its interval of Student's t distribution and, for all methods but the reference, both p-values
    after Holm's correction.

    Raises
    ------
    InputError
        If it is another table.
    """
    if table.name != SUMMARY:
        raise InputError(f"the text is made of the table {SUMMARY}, found {table.name}")
    names = [column.name for column in table.columns]
    rows = [dict(zip(names, row, strict=True)) for row in table.rows]
    reference = next((str(row["method"]) for row in rows if row["is_reference"]), "")
    lines: list[str] = []
    for scope in dict.fromkeys(str(row["scope"]) for row in rows):
        mine = [row for row in rows if row["scope"] == scope]
        metrics = [name for name in FIDELITY if any(row["metric"] == name for row in mine)]
        numbers = {int(row["subjects"] or 0) for row in mine}
        told = counted(min(numbers), "subject") if len(numbers) == 1 else "subjects as told below"
        head = f"{SCOPES[scope].capitalize()} (scope “{scope}”), {told}; p against {reference}, after Holm's correction"
        lines += textwrap.wrap(head, WIDEST)
        lines += [*_grid(metrics, _text_rows(mine, metrics, with_numbers=len(numbers) > 1)), ""]
    return "\n".join([*lines, *textwrap.wrap(table.note, WIDEST)]) + "\n"


def _figures(records: Sequence[FidelityRecord]) -> _Figures:
    found: dict[_Key, dict[str, float]] = {}
    for record in records:
        if record.scope not in SCOPES:
            raise InputError(f"{record.scope!r} is not among the scopes of figures: {', '.join(SCOPES)}.")
        # an alias or other letters find the same figure
        key = _Key(scope=record.scope, method=record.method, metric=FIDELITY.entry(record.metric).name)
        mine = found.setdefault(key, {})
        if record.subject in mine:
            raise InputError(
                f"two figures {record.metric} of {record.method} are of the subject {record.subject} in the scope "
                f"{record.scope}. Give each once."
            )
        mine[record.subject] = record.value
    methods = list(dict.fromkeys(key.method for key in found))
    every = (_Key(scope=s, method=m, metric=f) for s in SCOPES for m in methods for f in FIDELITY)
    return {key: found[key] for key in every if key in found}


def _tests(figures: _Figures, reference: str) -> dict[_Key, _Test]:
    """Each other method against the reference, corrected over methods and figures within one scope."""
    found: dict[_Key, _Test] = {}
    for key, mine in figures.items():
        best = figures.get(replace(key, method=reference))
        if key.method == reference or best is None:
            continue
        subjects = list(dict.fromkeys([*best, *mine]))
        pairs = [(mine.get(subject), best.get(subject)) for subject in subjects]
        test = paired_tests([one for one, _ in pairs], [other for _, other in pairs])
        means = together(*zip(*pairs, strict=True)).mean(axis=0) if test.n else (None, None)
        found[key] = _Test(means=(means[0], means[1]), test=test)
    for scope in SCOPES:
        family = [key for key in found if key.scope == scope]
        corrected = [holm([getattr(found[key].test, name) for key in family]) for name in ("t_p", "wilcoxon_p")]
        for key, t, wilcoxon in zip(family, *corrected, strict=True):
            found[key] = replace(found[key], t_holm=t, wilcoxon_holm=wilcoxon)
    return found


def _by_subject(figures: _Figures) -> DataTable:
    metrics = [name for name in FIDELITY if any(key.metric == name for key in figures)]
    rows: list[tuple[Cell, ...]] = []
    for scope, method in dict.fromkeys((key.scope, key.method) for key in figures):
        mine = {name: figures.get(_Key(scope=scope, method=method, metric=name), {}) for name in metrics}
        for subject in dict.fromkeys(subject for values in mine.values() for subject in values):
            values = [mine[name].get(subject) for name in metrics]
            notes = (
                f"{FIDELITY[name].title}: {'not defined' if math.isnan(value) else 'infinite, the images are equal'}."
                for name, value in zip(metrics, values, strict=True)
                if value is not None and not math.isfinite(value)
            )
            rows.append((scope, method, subject, *values, joined(*notes)))
    return DataTable(
        name=BY_SUBJECT,
        title="Fidelity of each subject's estimate",
        columns=(
            *_FIGURE_COLUMNS[:2],
            Column(name="subject", title="Subject"),
            *(Column(name=name, title=FIDELITY[name].title, unit=FIDELITY[name].unit) for name in metrics),
            Column(name="note", title="Note"),
        ),
        rows=tuple(rows),
        note=SCOPE_NOTE,
    )


def _summary(figures: _Figures, tests: Mapping[_Key, _Test], reference: str) -> DataTable:
    everybody = len({subject for values in figures.values() for subject in values})
    rows: list[tuple[Cell, ...]] = []
    for key, values in figures.items():
        about = describe(list(values.values()))
        interval = about.interval.within(*FIDELITY[key.metric].bounds)
        test = tests.get(key)
        left_out = everybody - about.n
        rows.append(
            (
                *key.cells,
                key.method == reference,
                about.n,
                left_out,
                about.mean,
                interval.low,
                interval.high,
                about.bootstrap.low,
                about.bootstrap.high,
                about.sd,
                about.median,
                test.t_holm if test else None,
                test.wilcoxon_holm if test else None,
                joined(
                    f"{left_out} of {everybody} subjects have no finite value and are left out." if left_out else "",
                    about.note,
                    interval.note,
                ),
            )
        )
    return DataTable(
        name=SUMMARY,
        title="Fidelity of each method, over subjects",
        columns=(
            *_FIGURE_COLUMNS,
            Column(name="is_reference", title="Reference method"),
            Column(name="subjects", title="Subjects"),
            Column(name="missing", title="Subjects without a value"),
            Column(name="mean", title="Mean"),
            *interval_columns("mean", "Mean", "95 % interval (t)"),
            *interval_columns("bootstrap", "Mean", "95 % interval (BCa bootstrap)"),
            Column(name="sd", title="SD (n − 1)"),
            Column(name="median", title="Median"),
            Column(name="p_t_holm", title="p against the reference method, paired t, Holm"),
            Column(name="p_wilcoxon_holm", title="p against the reference method, Wilcoxon, Holm"),
            Column(name="note", title="Note"),
        ),
        rows=tuple(rows),
        note=joined(
            SCOPE_NOTE,
            OVER_SUBJECTS,
            "Intervals of t are cut where the figure cannot be; bootstrap: 9999 resamples with a fixed seed.",
            _about_p(tests),
        ),
    )


def _paired(tests: Mapping[_Key, _Test], reference: str) -> DataTable:
    rows: list[tuple[Cell, ...]] = []
    for key, found in tests.items():
        test = found.test
        apart = test.difference.value
        towards = 1 if FIDELITY[key.metric].better == HIGHER else -1
        rows.append(
            (
                *key.cells,
                test.n,
                test.missing,
                *found.means,
                apart,
                test.difference.low,
                test.difference.high,
                test.median_difference,
                test.effect_dz,
                test.rank_biserial,
                test.t_p,
                found.t_holm,
                test.wilcoxon_p,
                found.wilcoxon_holm,
                towards * apart > 0 if apart else None,
                test.note,
            )
        )
    change = f"{reference} − method"
    return DataTable(
        name=PAIRED,
        title=f"{reference} against each other method, subject by subject",
        columns=(
            *_FIGURE_COLUMNS,
            Column(name="subjects", title="Subjects"),
            Column(name="missing", title="Subjects without a pair"),
            Column(name="mean_method", title="Mean of the method"),
            Column(name="mean_reference", title=f"Mean of {reference}"),
            Column(name="difference", title=f"Mean of {change}"),
            *interval_columns("difference", f"Mean of {change}", "95 % interval (t)"),
            Column(name="median_difference", title=f"Median of {change}"),
            Column(name="effect_dz", title="Effect size dz"),
            Column(name="rank_biserial", title="Rank-biserial correlation"),
            Column(name="p_t", title="p, paired t"),
            Column(name="p_t_holm", title="p, paired t, Holm"),
            Column(name="p_wilcoxon", title="p, Wilcoxon"),
            Column(name="p_wilcoxon_holm", title="p, Wilcoxon, Holm"),
            Column(name="reference_better", title=f"Mean of {reference} is better"),
            Column(name="note", title="Note"),
        ),
        rows=tuple(rows),
        note=joined(
            SCOPE_NOTE,
            OVER_SUBJECTS,
            _about_p(tests),
            f"Differences are {change}; errors (NMAE, NMSE) are better when lower. Effect size dz: mean over SD of the "
            "differences.",
        ),
    )


def _about_p(tests: Mapping[_Key, _Test]) -> str:
    if not tests:
        return ""
    told = (
        "p-values: two-sided paired t and Wilcoxon signed-rank tests over subjects, each after Holm's correction over "
        "all methods and figures of a scope; choose one test before looking."
    )
    for scope in SCOPES:
        mine = [one.test for key, one in tests.items() if key.scope == scope and one.test.wilcoxon_p is not None]
        most = max((test.n for test in mine), default=0)
        # the least that the signs of so many differences allow
        if mine and len(mine) * 2.0 ** (1 - most) > _ALPHA:
            return (
                f"{told} With {most} subjects and {len(mine)} tests Wilcoxon's p cannot be below {_ALPHA} after the "
                "correction, whatever the differences."
            )
    return told


def _text_rows(rows: Sequence[Mapping[str, Cell]], metrics: Sequence[str], *, with_numbers: bool) -> list[list[str]]:
    """Label and cells of each line."""
    made: list[list[str]] = []
    for method in dict.fromkeys(str(row["method"]) for row in rows):
        mine = {str(row["metric"]): row for row in rows if row["method"] == method}
        found = [mine.get(name, {}) for name in metrics]
        is_reference = any(row.get("is_reference") for row in found)
        parts = textwrap.wrap(f"{method} (reference)" if is_reference else method, _LONGEST_LABEL) or [""]
        made += [[part, *[""] * len(metrics)] for part in parts[:-1]]
        made.append([parts[-1], *map(_mean, found, metrics)])
        made.append(["  95 % interval (t)", *map(_interval, found, metrics)])
        if not is_reference:
            made.append(["  p, paired t", *(_p(row.get("p_t_holm")) for row in found)])
            made.append(["  p, Wilcoxon", *(_p(row.get("p_wilcoxon_holm")) for row in found)])
        if with_numbers:
            made.append(["  subjects", *(str(row.get("subjects", "–")) for row in found)])
    return made


def _grid(metrics: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Aligned lines, of half the figures each where all are too wide."""
    columns = (Column(name="method", title="Method"), *(Column(name=n, title=FIDELITY[n].heading) for n in metrics))
    shown = DataTable(name="text", title="", columns=columns, rows=tuple(map(tuple, rows)))
    lines = column_lines(shown, [column.name for column in columns], left=1)
    if max(map(len, lines)) <= WIDEST or len(metrics) == 1:
        return lines
    half = (len(metrics) + 1) // 2
    first = _grid(metrics[:half], [row[: half + 1] for row in rows])
    return [*first, "", *_grid(metrics[half:], [[row[0], *row[half + 1 :]] for row in rows])]


def _mean(row: Mapping[str, Cell], metric: str) -> str:
    return FIDELITY[metric].text(_value(row.get("mean")))


def _interval(row: Mapping[str, Cell], metric: str) -> str:
    low, high = (_value(row.get(name)) for name in ("mean_low", "mean_high"))
    return "–" if low is None or high is None else f"[{FIDELITY[metric].text(low)}, {FIDELITY[metric].text(high)}]"


def _p(cell: Cell) -> str:
    p = _value(cell)
    return "–" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"


def _value(cell: Cell) -> float | None:
    return float(cell) if isinstance(cell, int | float) else None

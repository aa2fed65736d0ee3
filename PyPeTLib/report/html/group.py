"""The report of many scans: which of them worked, what they gave, and how that is distributed."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PyPeTLib.compare.metrics import METRICS
from PyPeTLib.io.writing import write_whole
from PyPeTLib.maps import QUANTITIES
from PyPeTLib.report.html.charts import Chart, bland_altman_plot, box_plot
from PyPeTLib.report.html.facts import MODALITIES, found, metric_title, symbol
from PyPeTLib.report.html.flags import WORST_FIRST, severity_of
from PyPeTLib.report.html.numbers import is_number, plain
from PyPeTLib.report.html.pages import page
from PyPeTLib.report.html.rows import MAPS, ScanRow, metric_of, quantities_of, reference_of, scan_table
from PyPeTLib.report.html.shown_tables import shown_table
from PyPeTLib.report.summary import RESEARCH_ONLY
from PyPeTLib.tables import Column, DataTable

STATES = ("done", "failed", "skipped")

IN_TABLE = ("pearson", "concordance")
"""Figures of agreement with a column for each map."""

PLOTTED = ("pearson", "concordance", "ssim_brain", "rmse", "bias")

_KINDS = {"relative": "relative values", "absolute": "absolute values", "ratio": "ratio to the mean"}
"""Normalisations of compared maps, as a reader is told."""

_OF_ABSOLUTE_ALONE = ("bias",)
"""Relative values have the mean 0 by their definition."""

_LESIONS = (("core", "Core"), ("hypoperfused", "Hypoperfused tissue"))


def write_group_report(
    path: Path,
    *,
    title: str,
    scans: Sequence[ScanRow],
    tables: Sequence[DataTable] = (),
    comparisons: Sequence[DataTable] = (),
    metrics: Sequence[str] = IN_TABLE,
    warnings: Sequence[str] = (),
) -> None:
    """Write the page of a group of scans; the same input gives the same bytes.

    The table of scans sorts and filters by a script within the page; without scripts it is all there. Medians of maps
    without an absolute scale are marked in the table and not drawn; CT and MR have boxes of their own.

    Parameters
    ----------
    path : Path
        The file to write; links to the scans' reports are relative to it.
    title : str
    scans : sequence of ScanRow
        In the order to show them, the failed and the skipped ones included.
    tables : sequence of DataTable
        Statistics of the group.
    comparisons : sequence of DataTable
        Statistics of pairs, such as of two methods.
    metrics : sequence of str
        Figures of agreement with reference maps that get columns in the table of scans.
    warnings : sequence of str
        Of the group as a whole, such as of scans that were processed in different ways; shown on top.

    Raises
    ------
    InputError
        If the page cannot be written.
    """
    content: dict[str, Any] = {
        "kind": "group",
        "title": title,
        "notice": RESEARCH_ONLY,
        "warnings": list(warnings),
        "counts": _counts(scans),
        "total": len(scans),
        "failed": [scan for scan in scans if scan.state == "failed"],
        "states": list(dict.fromkeys(scan.state for scan in scans)),
        "table": scan_table(scans, metrics),
        "mixed": _mixed(scans),
        "flag_table": _flag_table(scans),
        "medians": _medians(scans),
        "agreement": _agreement(scans),
        "volumes": _volumes(scans),
        "tables": [shown_table(table) for table in tables],
        "comparisons": [shown_table(table) for table in comparisons],
    }
    write_whole(Path(path), page("group.html", content, script="group.js"))


def _counts(scans: Sequence[ScanRow]) -> list[tuple[str, int]]:
    counted = Counter(scan.state for scan in scans)
    return [(state, counted[state]) for state in (*STATES, *sorted(set(counted) - set(STATES)))]


def _mixed(scans: Sequence[ScanRow]) -> str:
    """Which maps lack an absolute scale, and in how many scans; empty if none does."""
    without = {
        symbol(name): sum(1 for scan in scans if found(scan.facts, "maps", name) and not _calibrated(scan, name))
        for name in MAPS
    }
    parts = [f"{name} of {count} scan{'s' * (count > 1)}" for name, count in without.items() if count]
    if not parts:
        return ""
    return (
        f"Uncalibrated: {', '.join(parts)}. Their scale differs from scan to scan: do not compare or average these "
        "values. They are not drawn."
    )


def _calibrated(scan: ScanRow, name: str) -> bool:
    return found(scan.facts, "maps", name, "calibrated") is True


def _flag_table(scans: Sequence[ScanRow]) -> DataTable | None:
    """How many scans raised which flag; None if none did."""
    counted: Counter[tuple[str, str]] = Counter()
    for scan in scans:
        counted.update({(severity_of(flag), str(flag.get("code"))) for flag in scan.facts.get("flags") or ()})
    if not counted:
        return None
    ordered = sorted(counted, key=lambda key: (WORST_FIRST.index(key[0]), -counted[key], key[1]))
    return DataTable(
        name="flags",
        title="Flags by number of scans",
        columns=(
            Column(name="flag", title="Flag"),
            Column(name="severity", title="Severity"),
            Column(name="scans", title="Scans"),
        ),
        rows=tuple((code, severity, counted[severity, code]) for severity, code in ordered),
    )


def _medians(scans: Sequence[ScanRow]) -> list[Chart]:
    """The median of each map over the brain, of calibrated maps only: other values mean nothing side by side."""
    charts = []
    for name in MAPS:
        groups: dict[str, list[tuple[str, float]]] = {}
        for scan in scans:
            median = found(scan.facts, "maps", name, "median")
            if is_number(median) and _calibrated(scan, name):
                modality = str(found(scan.facts, "input", "modality") or "")
                groups.setdefault(MODALITIES.get(modality, modality or "scans"), []).append((scan.name, median))
        if groups:
            charts.append(box_plot(f"Median {symbol(name)}", QUANTITIES[name].unit, dict(sorted(groups.items()))))
    return charts


def _agreement(scans: Sequence[ScanRow]) -> list[Chart]:
    """Figures of agreement with references: one plot for each figure, kind of values and unit, one box for each map."""
    drawn: list[tuple[str, str, dict[str, list[tuple[str, float]]]]] = []
    for (normalisation, words), metric in itertools.product(_KINDS.items(), PLOTTED):
        if normalisation == "relative" and metric in _OF_ABSOLUTE_ALONE:
            continue
        by_unit: dict[str, dict[str, list[tuple[str, float]]]] = {}
        for quantity in quantities_of(scans):
            for scan in scans:
                value = metric_of(scan, quantity, metric, normalisation)
                if is_number(value):
                    reference = reference_of(scan, quantity, normalisation) or {}
                    unit = METRICS[metric].unit(str(reference.get("unit") or ""))
                    boxes = by_unit.setdefault("" if unit == "1" else unit, {})
                    boxes.setdefault(symbol(quantity), []).append((scan.name, float(plain(value))))
        drawn += [(f"{metric_title(metric)}, {words}", unit, groups) for unit, groups in by_unit.items()]
    # room for as many boxes in each plot gives all of them one height
    places = max((len(groups) for _, _, groups in drawn), default=0)
    return [box_plot(title, unit, groups, places=places) for title, unit, groups in drawn]


def _volumes(scans: Sequence[ScanRow]) -> list[Chart]:
    """Lesions' volumes against those of the reference maps."""
    charts = []
    for name, words in _LESIONS:
        pairs = {}
        for scan in scans:
            row = found(scan.facts, "comparison", "lesions", name) or {}
            ours, theirs = row.get("generated_ml"), row.get("reference_ml")
            if is_number(ours) and is_number(theirs):
                pairs[scan.name] = (float(plain(ours)), float(plain(theirs)))
        if pairs:
            charts.append(bland_altman_plot(f"{words}: generated − reference", "ml", pairs))
    return charts

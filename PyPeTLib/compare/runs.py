"""Two runs over the same scans, held against each other by how well each agrees with the references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from PyPeTLib.compare.cohort import (
    MODALITY,
    SCAN_COLUMNS,
    WARNING_ON_SSIM,
    by_subject,
    grouped_by_key,
    interval_columns,
    scan_cells,
)
from PyPeTLib.compare.records import OVERLAP, Key, Record, ScanName, compared, records
from PyPeTLib.compare.statistics import holm, paired_tests
from PyPeTLib.errors import InputError
from PyPeTLib.tables import Cell, Column, DataTable

TESTED = ("ncc", "concordance", "ssim_brain", "ssim_with_background", "mae", "rmse", OVERLAP)
"""Figures that are tested. Others say the same (Pearson's r is NCC, the MSE the square of the RMSE) or have no better
or worse end."""


def paired_tables(
    first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]], *, names: tuple[str, str] = ("A", "B")
) -> tuple[DataTable, ...]:
    """Tests of the differences between two runs over the same scans.

    Parameters
    ----------
    first, second : sequence of mapping
        Summaries of scans with ``scan`` and ``comparison``; scans are matched by their names.
    names : pair of str
        What the tables call the runs.

    Returns
    -------
    tuple of DataTable
        ``paired_tests``, ``paired_values``, and ``paired_left_out`` where something was.

    Raises
    ------
    InputError
        If two summaries of a run are of one scan, or if the runs have no compared scan in common.
    """
    left_out: list[tuple[Cell, ...]] = []
    sides = [_values(summaries) for summaries in (first, second)]
    pairs: list[tuple[Record, Record]] = []
    for place, one in sides[0].items():
        other = sides[1].get(place)
        if other is not None:
            pairs.append((one, other))
    for side, others, name, missing in ((0, 1, *names), (1, 0, *names[::-1])):
        gone: dict[tuple[ScanName, str, str], None] = {}
        for place, record in sides[side].items():
            if place not in sides[others]:
                gone[(record.scan, record.key.symbol, record.key.normalisation)] = None
        left_out += [
            (*scan_cells(scan), symbol, way, f"Only in {name}: {missing} has no such comparison in the same unit.")
            for scan, symbol, way in gone
        ]
    if not pairs:
        raise InputError(
            f"{names[0]} and {names[1]} have no scan in common that both compared with a reference. Give two runs over "
            "one dataset with reference maps."
        )
    for one, other in pairs:
        if (one.value is None or other.value is None) and one.key.metric in TESTED:
            reason = f"{one.key.title} is not defined in {names[0] if one.value is None else names[1]}."
            left_out.append((*scan_cells(one.scan), one.key.symbol, one.key.normalisation, reason))
    tables = (_tests(pairs, names), _pairs(pairs, names), _left_out(left_out))
    return tuple(table for table in tables if table.rows)


def _values(summaries: Sequence[Mapping[str, Any]]) -> dict[tuple[str, Key], Record]:
    # a scan is of one modality, which not all summaries tell
    return {
        (scan.name, replace(record.key, modality="")): record
        for scan, comparison in compared(summaries)
        for record in records(scan, comparison)
    }


def _tests(pairs: Sequence[tuple[Record, Record]], names: tuple[str, str]) -> DataTable:
    partner = {(one.scan.name, one.key): other for one, other in pairs}
    groups = {
        key: [record for record in found if _is_whole(record, partner)]
        for key, found in grouped_by_key([one for one, _ in pairs]).items()
        if key.metric in TESTED
    }
    tests, means = [], []
    for found in groups.values():
        one, other = (
            by_subject(found),
            by_subject([replace(record, value=partner[(record.scan.name, record.key)].value) for record in found]),
        )
        tests.append(paired_tests(one, other))
        means.append([sum(v for v in side if v is not None) / len(side) if side else None for side in (one, other)])
    corrected = [holm([getattr(test, name) for test in tests]) for name in ("wilcoxon_p", "t_p")]
    rows: list[tuple[Cell, ...]] = [
        (
            key.modality or None,
            key.symbol,
            key.normalisation,
            key.metric,
            key.title,
            key.unit or None,
            test.n,
            len(found),
            *mean,
            test.difference.value,
            test.difference.low,
            test.difference.high,
            test.median_difference,
            test.effect_dz,
            test.rank_biserial,
            test.wilcoxon_p,
            wilcoxon,
            test.t_p,
            t,
            test.note,
        )
        for (key, found), test, mean, wilcoxon, t in zip(groups.items(), tests, means, *corrected, strict=True)
    ]
    change = f"{names[1]} − {names[0]}"
    return DataTable(
        name="paired_tests",
        title=f"{names[0]} against {names[1]}: which agrees better with the references",
        columns=(
            MODALITY,
            Column(name="map", title="Map or lesion"),
            Column(name="normalisation", title="Values"),
            Column(name="metric", title="Name of the figure"),
            Column(name="title", title="Figure"),
            Column(name="unit", title="Unit of the figure"),
            Column(name="subjects", title="Subjects"),
            Column(name="scans", title="Pairs of scans"),
            Column(name="mean_a", title=f"Mean of {names[0]}"),
            Column(name="mean_b", title=f"Mean of {names[1]}"),
            Column(name="difference", title=f"Mean of {change}"),
            *interval_columns("difference", f"Mean of {change}", "95 % interval (t)"),
            Column(name="median_difference", title=f"Median of {change}"),
            Column(name="effect_dz", title="Effect size dz"),
            Column(name="rank_biserial", title="Rank-biserial correlation"),
            Column(name="p_wilcoxon", title="p, Wilcoxon"),
            Column(name="p_wilcoxon_holm", title="p, Wilcoxon, Holm"),
            Column(name="p_t", title="p, paired t"),
            Column(name="p_t_holm", title="p, paired t, Holm"),
            Column(name="note", title="Note"),
        ),
        rows=tuple(rows),
        note="Two-sided. Scans of one subject are averaged first; modalities are kept apart. Holm's correction is over "
        "all rows of this table, for each of the two tests; choose one of them before looking. Errors (MAE, RMSE) are "
        "better when lower, all other figures when higher. Effect size dz: mean over SD of the differences. "
        + WARNING_ON_SSIM,
    )


def _is_whole(record: Record, partner: Mapping[tuple[str, Key], Record]) -> bool:
    return record.value is not None and partner[(record.scan.name, record.key)].value is not None


def _pairs(pairs: Sequence[tuple[Record, Record]], names: tuple[str, str]) -> DataTable:
    ordered = sorted(
        ((one, other) for one, other in pairs if one.key.metric in TESTED),
        key=lambda pair: (pair[0].scan.name, pair[0].key.order),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            *scan_cells(one.scan),
            one.key.symbol,
            one.key.normalisation,
            one.key.metric,
            one.key.title,
            one.key.unit or None,
            one.value,
            other.value,
            None if one.value is None or other.value is None else other.value - one.value,
        )
        for one, other in ordered
    ]
    return DataTable(
        name="paired_values",
        title="The pairs behind the tests",
        columns=(
            *SCAN_COLUMNS,
            Column(name="map", title="Map or lesion"),
            Column(name="normalisation", title="Values"),
            Column(name="metric", title="Name of the figure"),
            Column(name="title", title="Figure"),
            Column(name="unit", title="Unit of the figure"),
            Column(name="a", title=names[0]),
            Column(name="b", title=names[1]),
            Column(name="difference", title=f"{names[1]} − {names[0]}"),
        ),
        rows=tuple(rows),
    )


def _left_out(rows: Sequence[tuple[Cell, ...]]) -> DataTable:
    return DataTable(
        name="paired_left_out",
        title="What has no partner",
        columns=(
            *SCAN_COLUMNS,
            Column(name="map", title="Map or lesion"),
            Column(name="normalisation", title="Values"),
            Column(name="reason", title="Reason"),
        ),
        rows=tuple(rows),
    )

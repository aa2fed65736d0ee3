"""Comparisons of many scans as tables: each scan, the cohort, and the agreement of lesions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from PyPeTLib.compare.metrics import METRICS
from PyPeTLib.compare.normalisation import NORMALISATIONS
from PyPeTLib.compare.records import LESIONS, OVERLAP, OVERLAP_BOUNDS, Key, Record, ScanName, compared, records
from PyPeTLib.compare.statistics import (
    Estimate,
    correlation,
    describe,
    intraclass_correlation,
    limits_of_agreement,
)
from PyPeTLib.maps import QUANTITIES
from PyPeTLib.tables import Cell, Column, DataTable

MAP_UNIT = "unit of the map"

WARNING_ON_SSIM = (
    f"“{METRICS['ssim_brain'].title}” is the mean over brain voxels alone. "
    f"“{METRICS['ssim_with_background'].title}” is what Borghouts & Su 2025 (doi:10.48550/arXiv.2511.13310) report: it "
    "counts the empty background around the brain, which is alike in both maps, so it is higher, and grows with the "
    "margin of the pictures. The two must not be held against each other."
)

ORIGINAL = ("ncc", "ssim_with_background", "mae", "mse", "rmse")
"""Figures that the original tool computes."""

MODALITY = Column(name="modality", title="Modality")

SCAN_COLUMNS = (
    Column(name="scan", title="Scan"),
    Column(name="subject", title="Subject"),
    Column(name="session", title="Session"),
    Column(name="run", title="Run"),
    MODALITY,
)


def cohort_tables(summaries: Sequence[Mapping[str, Any]]) -> tuple[DataTable, ...]:
    """Tables of all comparisons with references, for files, workbooks and reports.

    Modalities are never put together, but in ``original_layout``, as the original tool does.

    Parameters
    ----------
    summaries : sequence of mapping
        Those of scans (``summary.json``) with ``scan``, ``input`` and ``comparison``; those without a comparison are
        left out.

    Returns
    -------
    tuple of DataTable
        ``comparison_by_scan``, ``comparison_summary``, ``original_layout``, ``lesions_by_scan``,
        ``lesion_agreement``, ``comparison_failures``; those that would be empty are left out.

    Raises
    ------
    InputError
        If two summaries are of one scan.
    """
    scans = compared(summaries)
    every = [record for scan, comparison in scans for record in records(scan, comparison)]
    overlaps = [
        (scan, lesion, values)
        for scan, comparison in scans
        for lesion, values in (comparison.get("lesions") or {}).items()
    ]
    tables = (
        _by_scan(scans),
        _summary(every),
        _original(every),
        _lesions_by_scan(overlaps),
        _lesion_agreement(overlaps),
        _failures(scans),
    )
    return tuple(table for table in tables if table.rows)


def scan_tables(comparison: Mapping[str, Any]) -> tuple[DataTable, ...]:
    """Tables of one scan: figures, lesions, and what could not be compared.

    Parameters
    ----------
    comparison : mapping
        What `ReferenceComparison.facts` returns.
    """
    nobody = ScanName(name="", subject="")
    overlaps = [(nobody, lesion, values) for lesion, values in (comparison.get("lesions") or {}).items()]
    named = (
        ("comparison", _by_scan([(nobody, comparison)])),
        ("lesion_overlap", _lesions_by_scan(overlaps)),
        ("failures", _failures([(nobody, comparison)])),
    )
    first = len(SCAN_COLUMNS)
    return tuple(
        DataTable(
            name=name,
            title=table.title,
            columns=table.columns[first:],
            rows=tuple(row[first:] for row in table.rows),
            note=table.note,
        )
        for name, table in named
        if table.rows
    )


def interval_columns(name: str, title: str, what: str, unit: str = "") -> tuple[Column, Column]:
    """Columns of the ends of an interval."""
    return (
        Column(name=f"{name}_low", title=f"{title}: {what} from", unit=unit),
        Column(name=f"{name}_high", title=f"{title}: {what} to", unit=unit),
    )


def by_subject(found: Sequence[Record]) -> list[float | None]:
    """The mean of each subject's values, since scans of one subject are not independent; None without a value."""
    grouped: dict[str, list[float]] = {}
    for record in found:
        values = grouped.setdefault(record.scan.subject, [])
        if record.value is not None:
            values.append(record.value)
    return [float(np.mean(values)) if values else None for values in grouped.values()]


def grouped_by_key(found: Sequence[Record]) -> dict[Key, list[Record]]:
    """Records by what they are of, in the order of tables."""
    groups: dict[Key, list[Record]] = {}
    for record in found:
        groups.setdefault(record.key, []).append(record)
    return dict(sorted(groups.items(), key=lambda item: item[0].order))


def scan_cells(scan: ScanName) -> tuple[Cell, ...]:
    """What stands below `SCAN_COLUMNS`."""
    return scan.name, scan.subject, scan.session, scan.run, scan.modality or None


def _by_scan(scans: Sequence[tuple[ScanName, Mapping[str, Any]]]) -> DataTable:
    figures = tuple(
        Column(name=name, title=metric.title, unit={0: "", 1: MAP_UNIT, 2: f"({MAP_UNIT})²"}[metric.power])
        for name, metric in METRICS.items()
    )
    rows: list[tuple[Cell, ...]] = [
        (
            *scan_cells(scan),
            _symbol(reference["quantity"]),
            reference["normalisation"],
            reference["unit"] or None,
            reference["voxels"],
            reference["volume_ml"],
            *(reference["metrics"].get(name) for name in METRICS),
            " ".join(reference.get("doubts") or ()),
            " ".join(note for note in reference["notes"] if note not in (reference.get("doubts") or ())),
        )
        for scan, comparison in scans
        for reference in comparison["references"]
    ]
    return DataTable(
        name="comparison_by_scan",
        title="Each map against its reference",
        columns=(
            *SCAN_COLUMNS,
            Column(name="map", title="Map"),
            Column(name="normalisation", title="Values"),
            Column(name="unit", title="Unit of the map"),
            Column(name="voxels", title="Voxels compared"),
            Column(name="volume_ml", title="Volume compared", unit="ml"),
            *figures,
            Column(name="doubts", title="Doubts"),
            Column(name="notes", title="Notes"),
        ),
        rows=tuple(rows),
        note="Over the voxels where both maps hold values. Relative values are (x − mean)/mean, with a unit of 1; "
        "absolute values were compared where the units of both maps are told. " + WARNING_ON_SSIM,
    )


def _summary(every: Sequence[Record]) -> DataTable:
    rows: list[tuple[Cell, ...]] = []
    for key, found in grouped_by_key(every).items():
        about = describe(by_subject(found))
        interval = about.interval.within(*key.bounds)
        left_out = sum(record.value is None for record in found)
        # why intervals are missing, or that one was cut
        note = about.note or interval.note
        if key.metric == "bias" and key.normalisation and not NORMALISATIONS[key.normalisation].keeps_unit:
            note = "0 by definition: relative values of both maps have one mean."
        if left_out:
            note = f"{left_out} of {len(found)} scans have no value. {note}".strip()
        rows.append(
            (
                key.modality or None,
                key.symbol,
                key.normalisation,
                key.metric,
                key.title,
                key.unit or None,
                about.n,
                len(found) - left_out,
                about.mean,
                about.median,
                about.sd,
                about.minimum,
                about.maximum,
                interval.low,
                interval.high,
                about.bootstrap.low,
                about.bootstrap.high,
                note,
            )
        )
    return DataTable(
        name="comparison_summary",
        title="All subjects: figures of agreement with the references",
        columns=(
            MODALITY,
            Column(name="map", title="Map or lesion"),
            Column(name="normalisation", title="Values"),
            Column(name="metric", title="Name of the figure"),
            Column(name="title", title="Figure"),
            Column(name="unit", title="Unit of the figure"),
            Column(name="subjects", title="Subjects"),
            Column(name="scans", title="Scans"),
            *(
                Column(name=name, title=title)
                for name, title in (("mean", "Mean"), ("median", "Median"), ("sd", "SD (n − 1)"))
            ),
            Column(name="minimum", title="Lowest"),
            Column(name="maximum", title="Highest"),
            *interval_columns("mean", "Mean", "95 % interval (t)"),
            *interval_columns("bootstrap", "Mean", "95 % interval (BCa bootstrap)"),
            Column(name="note", title="Note"),
        ),
        rows=tuple(rows),
        note="Scans of one subject are averaged first, so that all figures are of independent subjects. Bootstrap: "
        "9999 resamples with a fixed seed. Intervals of t are cut where the figure cannot be. " + WARNING_ON_SSIM,
    )


def _original(every: Sequence[Record]) -> DataTable:
    rows: list[tuple[Cell, ...]] = []
    pooled = [replace(record, key=replace(record.key, modality="")) for record in every]
    for key, found in grouped_by_key(pooled).items():
        values = [record.value for record in found if record.value is not None]
        if key.normalisation == "relative" and key.metric in ORIGINAL and values:
            spread = float(np.std(values))
            rows.append((key.map, key.metric, float(np.mean(values)), float(np.median(values)), spread, len(values)))
    names = ("Map_Type", "Similarity_Metric", "Mean", "Median", "Std", "Count")
    return DataTable(
        name="original_layout",
        title="The same in the layout of the original tool's workbook",
        columns=tuple(Column(name=name) for name in names),
        rows=tuple(rows),
        note="Relative values. Over scans of all modalities, and Std over n, as the original tool does. Its “ssim” is "
        "named ssim_with_background here, which is what it computes: " + WARNING_ON_SSIM,
    )


def _lesions_by_scan(overlaps: Sequence[tuple[ScanName, str, Mapping[str, Any]]]) -> DataTable:
    return DataTable(
        name="lesions_by_scan",
        title="Lesions in the generated maps and in the references",
        columns=(
            *SCAN_COLUMNS,
            Column(name="lesion", title="Lesion"),
            Column(name="generated_ml", title="Generated", unit="ml"),
            Column(name="reference_ml", title="Reference", unit="ml"),
            Column(name="difference_ml", title="Generated − reference", unit="ml"),
            Column(name="dice", title="Dice coefficient"),
        ),
        rows=tuple(
            (
                *scan_cells(scan),
                LESIONS.get(lesion, lesion),
                values["generated_ml"],
                values["reference_ml"],
                values["generated_ml"] - values["reference_ml"],
                values[OVERLAP],
            )
            for scan, lesion, values in overlaps
        ),
        note="Lesions of both were found by the same rules, over the voxels that all of the maps hold, so that volumes "
        "may be a little below those of the generated maps alone. There is no Dice coefficient where both are empty.",
    )


def _lesion_agreement(overlaps: Sequence[tuple[ScanName, str, Mapping[str, Any]]]) -> DataTable:
    rows: list[tuple[Cell, ...]] = []
    groups = sorted(dict.fromkeys((scan.modality, lesion) for scan, lesion, _ in overlaps), key=lambda group: group[0])
    for modality, lesion in groups:
        mine = [(scan, values) for scan, name, values in overlaps if (scan.modality, name) == (modality, lesion)]
        ours, theirs = ([float(values[side]) for _, values in mine] for side in ("generated_ml", "reference_ml"))
        dice = describe([values[OVERLAP] for _, values in mine])
        mean_dice = dice.interval.within(*OVERLAP_BOUNDS)
        limits = limits_of_agreement(ours, theirs)
        icc, r = intraclass_correlation(ours, theirs), correlation(ours, theirs)
        notes = (dice.note, mean_dice.note, limits.bias.note, icc.note, r.note)
        rows.append(
            (
                modality or None,
                LESIONS.get(lesion, lesion),
                len({scan.subject for scan, _ in mine}),
                len(mine),
                float(np.mean(ours)),
                float(np.mean(theirs)),
                dice.n,
                dice.median,
                *_ends(mean_dice),
                *_ends(icc),
                *_ends(limits.bias),
                *_ends(limits.lower),
                *_ends(limits.upper),
                *_ends(r),
                " ".join(dict.fromkeys(note for note in notes if note)),
            )
        )
    return DataTable(
        name="lesion_agreement",
        title="Agreement of lesion volumes",
        columns=(
            MODALITY,
            Column(name="lesion", title="Lesion"),
            Column(name="subjects", title="Subjects"),
            Column(name="scans", title="Scans"),
            Column(name="generated_mean_ml", title="Generated, mean", unit="ml"),
            Column(name="reference_mean_ml", title="Reference, mean", unit="ml"),
            Column(name="scans_with_dice", title="Scans with a Dice coefficient"),
            Column(name="dice_median", title="Dice, median"),
            *_estimate_columns("dice_mean", "Dice, mean"),
            *_estimate_columns("icc_a1", "ICC(A,1)"),
            *_estimate_columns("bias_ml", "Bias", "ml"),
            *_estimate_columns("limit_lower_ml", "Lower limit of agreement", "ml"),
            *_estimate_columns("limit_upper_ml", "Upper limit of agreement", "ml"),
            *_estimate_columns("pearson_r", "Pearson r"),
            Column(name="note", title="Note"),
        ),
        rows=tuple(rows),
        note="Scans are taken for independent, also those of one subject. ICC(A,1), which is ICC(2,1): absolute "
        "agreement of single volumes (Shrout & Fleiss 1979; McGraw & Wong 1996). Bias is generated − reference; limits "
        "and their intervals by Bland & Altman 1986 and 1999. All intervals are of 95 %.",
    )


def _failures(scans: Sequence[tuple[ScanName, Mapping[str, Any]]]) -> DataTable:
    return DataTable(
        name="comparison_failures",
        title="What could not be compared",
        columns=(*SCAN_COLUMNS, Column(name="map", title="Map"), Column(name="reason", title="Reason")),
        rows=tuple(
            (*scan_cells(scan), _symbol(failure["quantity"]), failure["reason"])
            for scan, comparison in scans
            for failure in comparison["failed"]
        ),
    )


def _estimate_columns(name: str, title: str, unit: str = "") -> tuple[Column, ...]:
    return (Column(name=name, title=title, unit=unit), *interval_columns(name, title, "95 % interval", unit))


def _ends(estimate: Estimate) -> tuple[Cell, ...]:
    return estimate.value, estimate.low, estimate.high


def _symbol(quantity: str) -> str:
    return QUANTITIES[quantity].symbol if quantity in QUANTITIES else quantity

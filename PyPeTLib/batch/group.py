"""What all scans of a study gave together: tables, a workbook, a report, and the same for programs."""

from __future__ import annotations

import importlib.util
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PyPeTLib.batch.folder import LOCK_NAME
from PyPeTLib.batch.records import DONE, FAILED, LEFT_OUT_NAME, finished_scans, is_own_description, scan_states
from PyPeTLib.compare import cohort_tables
from PyPeTLib.errors import InputError
from PyPeTLib.io import OutputFolder, format_toml, read_toml, write_json
from PyPeTLib.io.dataset import find_scans
from PyPeTLib.io.locks import acquire_lock, release_lock
from PyPeTLib.io.table_files import write_csv, write_workbook
from PyPeTLib.maps import QUANTITIES
from PyPeTLib.tables import Cell, Column, DataTable
from PyPeTLib.version import __version__

FOLDER = "group"

_LESIONS = (
    ("core_ml", "Core", "ml"),
    ("hypoperfused_ml", "Hypoperfused", "ml"),
    ("mismatch_ml", "Mismatch", "ml"),
    ("mismatch_ratio", "Mismatch ratio", ""),
    ("hypoperfusion_intensity_ratio", "Hypoperfusion intensity ratio", ""),
    ("cbv_index", "CBV index", ""),
)
_TMAX = ("4", "6", "8", "10")
_MAPS = ("cbf", "cbv", "mtt", "ttp", "tmax")
_ENTITIES = ("scan", "subject", "session", "run")
_SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True)
class Group:
    """What was written: the folder, and how many scans are in which state."""

    folder: Path
    done: int
    failed: int
    skipped: int


@dataclass(frozen=True, kw_only=True)
class _Scan:
    name: str
    folder: Path
    state: str
    cause: str
    status: Mapping[str, Any]
    summary: Mapping[str, Any]
    """Empty, unless the scan is done."""

    def entity(self, key: str) -> str:
        """A part of the scan's name, such as its subject."""
        label = {"subject": "sub", "session": "ses", "run": "run"}[key]
        parts = (part.partition("-") for part in self.name.split("_"))
        return next((value for entity, _, value in parts if entity == label), "")


def write_group(out: Path, dataset: Path | None = None, *, tell: Callable[[str], None] = lambda _: None) -> Group:
    """Write tables and a report of all scans of a folder of results into its subfolder ``group``, whole or not at all.

    Scans that failed, or whose results are of other inputs than their status names, are listed with their cause and
    take no part in the statistics.

    Parameters
    ----------
    out : Path
        The folder that `run_study` filled.
    dataset : Path, optional
        Results of scans that are no longer in it, such as those of a subject who withdrew, are left out and told.
    tell : callable
        Called with sentences about what could not be made.

    Raises
    ------
    InputError
        If the folder holds no results, or a run is at work in it.
    """
    with _held(out):
        scans = _scans(out)
        if dataset is not None:
            scans = _still_there(scans, dataset, tell)
        if not scans:
            raise InputError(f"{out}: there is no result of any scan. Run 'pypet batch DATASET OUT participant' first.")
        summaries = [scan.summary for scan in scans if scan.summary]
        compared = cohort_tables(summaries)
        tables = tuple(table for table in (_scan_table(scans), _territories(scans), *compared) if table.rows)
        warnings = (*_warnings(scans), *_left_out(out))
        for warning in warnings:
            tell(f"WARNING: {warning}")
        folder = out / FOLDER
        with OutputFolder(folder, overwrite=True) as new:
            for table in tables:
                write_csv(new / f"{table.name}.csv", table)
            write_workbook(new / "group.xlsx", tables, title="All scans of the study")
            _write_report(new, out, scans, compared, warnings, tell)
            write_json(new / "summary.json", {**_facts(scans, tables), "warnings": list(warnings)})
    states = [scan.state for scan in scans]
    return Group(folder=folder, done=states.count(DONE), failed=states.count(FAILED), skipped=states.count(_SKIPPED))


@contextmanager
def _held(out: Path) -> Iterator[None]:
    """The folder of results, while nobody else writes into it."""
    if not out.is_dir() or not is_own_description(out):
        raise InputError(
            f"{out}: this is no folder of results. Give the one that 'pypet batch DATASET OUT participant' filled."
        )
    path = Path(os.path.realpath(out)) / LOCK_NAME
    try:
        lock = acquire_lock(path)
    except OSError as error:
        raise InputError(f"{out}: results cannot be written here: {error.strerror or error}.") from error
    if lock is None:
        raise InputError(f"{out}: another run of 'pypet batch' is at work in this folder. Wait for it.")
    try:
        yield
    finally:
        release_lock(path, lock)


def _scans(out: Path) -> list[_Scan]:
    finished = {scan.folder: scan for scan in finished_scans(out)}
    found = []
    for folder, status in scan_states(out):
        state, cause = FAILED, ""
        if folder in finished:
            state = DONE
        elif status is None:
            state, cause = _SKIPPED, "It was never finished. Go on with 'pypet batch … participant --resume'."
        elif status.get("state") == FAILED:
            cause = str(status.get("cause", ""))
        else:
            state, cause = _SKIPPED, "Its results are not those that its status names. Go on with --resume."
        summary = finished[folder].summary if folder in finished else {}
        found.append(
            _Scan(name=folder.name, folder=folder, state=state, cause=cause, status=status or {}, summary=summary)
        )
    return found


def _left_out(out: Path) -> tuple[str, ...]:
    """What of the dataset took no part, as `run_study` noted it."""
    try:
        lines = (out / LEFT_OUT_NAME).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ()
    return tuple(line for line in lines if line.strip())


def _still_there(scans: list[_Scan], dataset: Path, tell: Callable[[str], None]) -> list[_Scan]:
    there = {scan.name for scan in find_scans(dataset).scans}
    gone = [scan.name for scan in scans if scan.name not in there]
    if gone:
        tell(f"left out, for they are no longer in the dataset: {', '.join(gone)}")
    return [scan for scan in scans if scan.name in there]


def _write_report(
    folder: Path,
    out: Path,
    scans: Sequence[_Scan],
    compared: Sequence[DataTable],
    warnings: Sequence[str],
    tell: Callable[[str], None],
) -> None:
    if importlib.util.find_spec("jinja2") is None:
        tell("jinja2 is not installed, so there is no report")
        return
    from PyPeTLib.report.html import ScanRow, write_group_report  # noqa: PLC0415 - only reports need jinja2

    rows = [
        ScanRow(
            name=scan.name,
            subject=scan.entity("subject"),
            session=scan.entity("session"),
            state=scan.state,
            cause=scan.cause,
            report=_report_of(scan, out),
            summary=scan.summary or None,
        )
        for scan in scans
    ]
    # single values are in the files beside it and in the reports of the scans
    statistics = [table for table in compared if not table.name.endswith("_by_scan")]
    write_group_report(
        folder / "index.html", title="All scans of the study", scans=rows, tables=statistics, warnings=warnings
    )


def _report_of(scan: _Scan, out: Path) -> str | None:
    """The scan's report, from the page of the group on; it lies in a neighbour of the group's folder."""
    if not scan.summary or not (scan.folder / "report.html").is_file():
        return None
    return "/".join(("..", *scan.folder.relative_to(out).parts, "report.html"))


def _scan_table(scans: Sequence[_Scan]) -> DataTable:
    columns = [
        *(Column(name=name, title=name.capitalize()) for name in _ENTITIES),
        Column(name="state", title="State"),
        Column(name="cause", title="Cause"),
        Column(name="modality", title="Modality"),
        Column(name="method", title="Method"),
        Column(name="version", title="PyPeT"),
        Column(name="flags", title="Flags"),
        *(
            Column(name=f"{name}_median", title=f"{QUANTITIES[name].symbol} median", unit=QUANTITIES[name].unit)
            for name in _MAPS
        ),
        Column(name="thresholds", title="Thresholds"),
        Column(name="target_mismatch", title="Criteria of the trial"),
    ]
    columns += [Column(name=name, title=title, unit=unit) for name, title, unit in _LESIONS]
    columns += [Column(name=f"tmax_{step}_ml", title=f"Tmax above {step} s", unit="ml") for step in _TMAX]
    columns.append(Column(name="no_lesions_because", title="Why lesions were not looked for"))
    return DataTable(
        name="scans",
        title="All scans",
        columns=tuple(columns),
        rows=tuple(_scan_row(scan) for scan in scans),
        note="Volumes by the thresholds in each scan's lesions.json. Flags: codes of warnings and notes. Medians over "
        "the brain; those of maps without an absolute scale (DSC) are left out.",
    )


def _scan_row(scan: _Scan) -> tuple[Cell, ...]:
    summary = scan.summary
    lesions = summary.get("lesions") or {}
    tmax = lesions.get("tmax_ml") or {}
    return (
        *(*_who(scan), scan.state, scan.cause, _modality(scan)),
        summary.get("method"),
        summary.get("version"),
        " ".join(flag["code"] for flag in summary.get("flags", ())),
        *(_median(summary, name) for name in _MAPS),
        lesions.get("preset"),
        _verdict(lesions.get("target_mismatch")),
        *(lesions.get(name) for name, _, _ in _LESIONS),
        *(tmax.get(step) for step in _TMAX),
        lesions.get("reason") or None,
    )


def _verdict(target: Mapping[str, Any] | None) -> str | None:
    """What is known of a trial's criteria; None where the thresholds have none."""
    return {True: "met", False: "not met", None: "not known"}[target.get("met")] if target else None


def _median(summary: Mapping[str, Any], name: str) -> float | None:
    """The median of a map over the brain, if its scale is absolute."""
    told = (summary.get("maps") or {}).get(name) or {}
    return told.get("median") if told.get("calibrated") is True else None


def _options(scan: _Scan) -> str:
    """The options of all stages, as text."""
    tables = read_toml(scan.folder / "config.toml")
    tables.pop("input", None)
    return format_toml(tables)


def _processing(scan: _Scan) -> str:
    summary = scan.summary
    return f"{summary.get('method')}, thresholds {(summary.get('lesions') or {}).get('preset')}"


def _warnings(scans: Sequence[_Scan]) -> tuple[str, ...]:
    """What speaks against reading all scans as one group."""
    done = [scan for scan in scans if scan.state == DONE]
    found = []
    by_modality: dict[str, set[str]] = {}
    for scan in done:
        by_modality.setdefault(str(_modality(scan)), set()).add(_options(scan))
    # CT and MR have defaults of their own
    if any(len(options) > 1 for options in by_modality.values()):
        by_method = Counter(_processing(scan) for scan in done)
        told = "; ".join(f"{kind}: {count}" for kind, count in sorted(by_method.items()))
        found.append(
            f"The scans were processed with different options ({told}), so their figures do not belong into one table. "
            "Analyse all of them anew with 'pypet batch … --resume' and one set of options."
        )
    if len({str(scan.status.get("version")) for scan in done}) > 1:
        found.append("The scans were processed with different versions of PyPeT. Go on with --resume.")
    by_series: dict[str, list[str]] = {}
    for scan in done:
        digest = (scan.status.get("inputs") or {}).get("series")
        if digest:
            by_series.setdefault(str(digest), []).append(scan.name)
    found += [
        f"These scans are of one and the same series: {', '.join(names)}." for names in by_series.values() if names[1:]
    ]
    return tuple(found)


def _territories(scans: Sequence[_Scan]) -> DataTable:
    rows = [(scan, row) for scan in scans for row in scan.summary.get("territories", ())]
    names = list(dict.fromkeys(name for _, row in rows for name in row))
    return DataTable(
        name="territories",
        title="Territories of all scans",
        columns=(
            *(Column(name=name, title=name.capitalize()) for name in (*_ENTITIES, "modality")),
            *(Column(name=name, title=name.replace("_", " ").capitalize()) for name in names),
        ),
        rows=tuple((*_who(scan), _modality(scan), *(row.get(name) for name in names)) for scan, row in rows),
    )


def _who(scan: _Scan) -> tuple[Cell, ...]:
    """Values of `_ENTITIES`."""
    return scan.name, scan.entity("subject"), scan.entity("session"), scan.entity("run")


def _modality(scan: _Scan) -> str | None:
    found: str | None = (scan.summary.get("input") or {}).get("modality")
    return found


def _facts(scans: Sequence[_Scan], tables: Sequence[DataTable]) -> dict[str, Any]:
    """The group for programs."""
    return {
        "software": "PyPeT",
        "version": __version__,
        "scans": [
            {
                "scan": scan.name,
                "state": scan.state,
                "cause": scan.cause or None,
                "digest": scan.status.get("digest"),
            }
            for scan in scans
        ],
        "tables": {
            table.name: {
                "title": table.title,
                "note": table.note,
                "columns": [
                    {"name": column.name, "title": column.title, "unit": column.unit} for column in table.columns
                ],
                "rows": [list(row) for row in table.rows],
            }
            for table in tables
        },
    }

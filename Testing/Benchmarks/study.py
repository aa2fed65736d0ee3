"""Scans per minute and memory of whole studies, by how many are analysed at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from layout import markdown_table, median_and_range
from processes import ROOT

from PyPeTLib.execution import usable_cores
from PyPeTLib.phantom.study import write_study

LOOK_SECONDS = 0.05
STUDIES = (("small", 24, ("no", "yes")), ("full", 4, ("no",)))
"""Size of the heads, number of scans, and whether figures and reports are made."""

JOBS = (1, 2)
PLAIN = ("--no-figures",)


@dataclass(frozen=True)
class Usage:
    """What a study took: wall time in s, and the most memory that its processes held together, in bytes."""

    seconds: float
    peak: int


def report(runs: int) -> Iterator[str]:
    """The table of whole studies, from so many runs of each."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="pypet-benchmark-") as name:
        for size, scans, figures in STUDIES:
            dataset = Path(name) / size
            write_study(dataset, scans=scans, size=size, broken=0)
            for shown in figures:
                found = measured_in_turns(dataset, Path(name) / "out", PLAIN if shown == "no" else (), runs)
                rows += [row_of(f"{scans} {size} scans", shown, jobs, scans, found[jobs]) for jobs in JOBS]
            found_again = resumed(dataset, Path(name) / "again", PLAIN)
            rows.append((f"{scans} {size} scans, all up to date", "no", "1", *found_again))
    header = ("study", "figures and reports", "jobs", "wall time, s", "scans per minute", "peak memory, GB")
    yield (
        "## Speed: whole studies\n\n"
        "`python -m PyPeTLib batch DATASET OUT participant --jobs N` on datasets of head phantoms, half of them CT and "
        "half DSC, with reference maps to compare with; small heads are slabs of 40 to 48 mm in large voxels, full "
        f"ones 200×200×23×45 (CT) and 128×128×20×60 (DSC). {usable_cores()} cores, shared by the jobs. Start of all "
        f"processes included; median (range) of {runs}. Memory is that of all processes together, pages that they "
        f"share counted in each.\n\n{markdown_table(header, rows)}"
    )


def measured_in_turns(dataset: Path, out: Path, options: Sequence[str], runs: int) -> dict[int, list[Usage]]:
    """The usage of each run by the number of jobs; what else the machine does meets all of them alike."""
    found: dict[int, list[Usage]] = {jobs: [] for jobs in JOBS}
    for run in range(runs):
        for jobs in JOBS:
            place = out.with_name(f"{out.name}-{dataset.name}-{len(options)}-{run}-{jobs}")
            found[jobs].append(measured_study(dataset, place, "--jobs", str(jobs), *options))
    return found


def resumed(dataset: Path, out: Path, options: Sequence[str]) -> tuple[str, str, str]:
    """Cells of a second run that finds everything done."""
    place = out.with_name(f"{out.name}-{dataset.name}")
    measured_study(dataset, place, *options)
    usage = measured_study(dataset, place, "--resume", "--jobs", "1", *options)
    return f"{usage.seconds:.1f}", "–", f"{usage.peak / 1e9:.2f}"


def row_of(study: str, figures: str, jobs: int, scans: int, usages: Sequence[Usage]) -> tuple[str, ...]:
    """A line of the table."""
    return (
        study,
        figures,
        str(jobs),
        median_and_range([usage.seconds for usage in usages], ".1f"),
        median_and_range([60 * scans / usage.seconds for usage in usages], ".0f"),
        median_and_range([usage.peak / 1e9 for usage in usages]),
    )


def measured_study(dataset: Path, out: Path, *options: str) -> Usage:
    """Analyse a study and measure it; one in which a scan fails ends the benchmark."""
    command = [sys.executable, "-m", "PyPeTLib", "batch", str(dataset), str(out), "participant", "--quiet", *options]
    start, peak = time.perf_counter(), 0
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while process.poll() is None:
        peak = max(peak, sum(map(resident, family(process.pid))))
        time.sleep(LOOK_SECONDS)
    seconds = time.perf_counter() - start
    assert process.stderr is not None
    told = process.stderr.read()
    process.stderr.close()
    if process.returncode:
        raise SystemExit(f"{json.dumps(command)} failed:\n{told}")
    return Usage(seconds, peak)


def family(number: int) -> Iterator[int]:
    """A process and all that it has started (Linux)."""
    yield number
    try:
        started = Path(f"/proc/{number}/task/{number}/children").read_text(encoding="ascii").split()
    except OSError:
        return
    for child in started:
        yield from family(int(child))


def resident(number: int) -> int:
    """Memory of a process in bytes; 0 if it has ended."""
    try:
        pages = int(Path(f"/proc/{number}/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")

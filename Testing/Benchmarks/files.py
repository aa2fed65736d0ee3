"""Files that are damaged, runs that are killed, and how long it takes to read compressed data."""

from __future__ import annotations

import contextlib
import resource
import shutil
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from damage import KINDS
from damage_reading import Tally, files, read_all
from killing import command, kill_runs
from layout import markdown_table, median_and_range
from processes import RSS_UNIT

from PyPeTLib.execution import usable_cores
from PyPeTLib.io import inflate, load_series
from PyPeTLib.io.output_folder import SUMMARY_NAME
from PyPeTLib.phantom import make_head
from PyPeTLib.phantom.write import write_phantom

FILES_PER_KIND = 480
PROCESSES_PER_KIND = 3
KILLS = 25
"""Of runs into a new folder, and as many over a complete one."""

SMALL_HEAD = (64, 64, 6)
READS = 5

DAMAGED_NOTES = """\
{count} files of some kilobytes, made from good ones of NIfTI-1 and NIfTI-2, both byte orders and several types, a third
of the damaged headers compressed (seed {seed}). Each is read as `pypet run` does. What is read is compared with what
Python's gzip, numpy and nibabel make of the same bytes; what is harmless must be read. Memory: growth of the peak of a
process that reads all files of the kind, bombs that inflate to 256 MB included."""

ENDS = """\
{count} of them given to whole processes of `pypet run`: {right} ended as they should, with exit code 2 and nothing
written (or 0 and all files, where it read one and found a brain in it)."""

KILLED_NOTES = """\
`pypet run` on a small phantom, killed (SIGKILL) at random moments, every other one while it writes. SHA-256 of all
files is compared with that of a run that nobody disturbed. After each kill the command is run again: the same bytes,
and nothing left beside the folder."""

READING_NOTES = """\
The series of 200×200×23×45 voxels as int16 in one `.nii.gz` of {megabytes:.0f} MB: seconds for inflating alone, and for
`load_series` with all its checks; median (range) of {runs} in turns."""


def report(seed: int, *, per_kind: int = FILES_PER_KIND, kills: int = KILLS) -> Iterator[str]:
    """The three tables."""
    yield damaged_files(seed, per_kind)
    yield killed_runs(seed, kills)
    yield reading(seed)


def damaged_files(seed: int, per_kind: int, processes: int = PROCESSES_PER_KIND) -> str:
    """A row for each kind of damage."""
    # a process for each kind, whose peak memory is that of the kind alone
    with ProcessPoolExecutor(usable_cores(), mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        jobs = {kind: pool.submit(measured, kind, per_kind, seed) for kind in KINDS}
        found = {kind: job.result() for kind, job in jobs.items()}
    rows = [
        (kind, str(per_kind), str(t.refused), str(t.read), str(len(t.faults)), f"{t.slowest:.2f}", f"{grown / 1e6:.0f}")
        for kind, (t, grown) in found.items()
    ]
    header = ("kind", "files", "refused", "read rightly", "anything else", "slowest, s", "memory, MB")
    faults = [fault for tally, _ in found.values() for fault in tally.faults]
    wrong = [fault for kind in KINDS for fault in whole_processes(kind, processes, seed)]
    faults += wrong
    count = processes * len(KINDS)
    ends = ENDS.format(count=count, right=count - len(wrong))
    notes = DAMAGED_NOTES.format(count=per_kind * len(KINDS), seed=seed)
    return f"## Damaged files\n\n{notes}\n\n{markdown_table(header, rows)}\n\n{ends}{_listed(faults)}"


def _listed(faults: Sequence[str]) -> str:
    return "".join(f"\n\n```\n{fault}\n```" for fault in faults)


def measured(kind: str, count: int, seed: int) -> tuple[Tally, int]:
    """What becomes of files of a kind, and by how many bytes the peak memory of this process grows."""
    with tempfile.TemporaryDirectory() as folder:
        read_all("header: unused fields (harmless)", 1, seed, Path(folder))
        before = peak_memory()
        tally = read_all(kind, count, seed, Path(folder))
        return tally, peak_memory() - before


def peak_memory() -> int:
    """Most bytes that this process has had in memory."""
    status = Path("/proc/self/status")
    if status.is_file():
        # rusage would count the process that started this one
        (line,) = (line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT


def whole_processes(kind: str, count: int, seed: int) -> list[str]:
    """What is wrong in how ``pypet run`` ends with files of a kind."""
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / "damaged_ctp.nii.gz", Path(folder) / "maps"
        for number, damaged in enumerate(files(kind, count, seed)):
            path.write_bytes(damaged.content)
            run = [*command(path, out), "--modality", "ctp", "--frame-interval", "1.5"]
            done = subprocess.run(run, capture_output=True, text=True, check=False)
            written = [one.name for one in Path(folder).iterdir() if one != path]
            told = done.stderr.startswith("pypet: error: ") and "Traceback" not in done.stderr
            whole = done.returncode == 0 and (out / SUMMARY_NAME).is_file()
            if not (whole or (done.returncode == 2 and told and not written)):
                faults.append(f"{kind}, seed {seed}, number {number}: {done.returncode} {written} {done.stderr}")
            shutil.rmtree(out, ignore_errors=True)
    return faults


def killed_runs(seed: int, kills: int) -> str:
    """A row for runs that make a new folder, and one for runs that replace a complete one."""
    rows, faults = [], []
    with tempfile.TemporaryDirectory() as folder:
        phantom = make_head("ctp", seed=seed, shape=SMALL_HEAD)
        series = write_phantom(phantom, Path(folder) / "phantom", "small_ctp")
        for case, overwrite in (("new", False), ("complete, replaced", True)):
            place = Path(folder) / case
            place.mkdir()
            k = kill_runs(series, place, kills, seed, overwrite=overwrite)
            counts = (kills, k.while_writing, k.absent, k.old, k.new, len(k.faults))
            rows.append((case, *map(str, counts)))
            faults += [f"{case}: {fault}" for fault in k.faults]
    header = ("folder", "kills", "while writing", "absent", "the old one", "the new one", "anything else")
    return f"## Killed runs\n\n{KILLED_NOTES}\n\n{markdown_table(header, rows)}{_listed(faults)}"


def reading(seed: int, **head_options: Any) -> str:
    """A row for each way to inflate."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_phantom(make_head("ctp", seed=seed, **head_options), Path(folder), "head_ctp")
        content = path.read_bytes()
        seconds: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in inflate.DECOMPRESSORS}
        for _ in range(READS):
            for name, (inflating, loading) in seconds.items():
                with only_engine(name):
                    inflating.append(duration(lambda: deque(inflate.inflated([content], path, most=4 << 20), maxlen=0)))
                    loading.append(duration(lambda: load_series(path)))
    rows = [(name, *map(median_and_range, both)) for name, both in seconds.items()]
    notes = READING_NOTES.format(megabytes=len(content) / 1e6, runs=READS)
    return f"## Reading compressed files\n\n{notes}\n\n{markdown_table(('with', 'inflating', 'load_series'), rows)}"


def duration(work: Callable[[], object]) -> float:
    """Seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@contextlib.contextmanager
def only_engine(name: str) -> Iterator[None]:
    """Inflate with one of `inflate.DECOMPRESSORS`, as if no other were installed."""
    installed = dict(inflate.DECOMPRESSORS)
    inflate.DECOMPRESSORS.clear()
    inflate.DECOMPRESSORS[name] = installed[name]
    try:
        yield
    finally:
        inflate.DECOMPRESSORS.clear()
        inflate.DECOMPRESSORS.update(installed)

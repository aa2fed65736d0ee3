"""One scan where it is worked on: results that are current stay, what fails becomes a sentence and a log."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PyPeTLib.batch.faults import kept_text, raised_in, told_fault, within
from PyPeTLib.batch.fingerprint import Fingerprint, fingerprint
from PyPeTLib.batch.leftovers import only_here
from PyPeTLib.batch.records import forget, read_status
from PyPeTLib.errors import InputError
from PyPeTLib.io import write_json
from PyPeTLib.io.output_folder import SUMMARY_NAME
from PyPeTLib.job import Job
from PyPeTLib.report.summary import told


@dataclass(frozen=True, kw_only=True)
class Task:
    """A job, the function that does it, and the folders below which paths are told.

    Attributes
    ----------
    job : Job
    perform : callable
        As `PyPeTLib.job.perform`: writes the folder whole or not at all, with ``job.digest`` in its summary.
    roots : tuple of Path
        The dataset and the folder of results.
    """

    job: Job
    perform: Callable[[Job], Any]
    roots: tuple[Path, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a scan.

    Attributes
    ----------
    cause : str
        Why it failed, in one or two sentences, as it may be written; empty if it did not.
    told : str
        The same for the terminal, which names the files of DICOM series, too.
    kind : {"", "input", "fault"}
        What is at fault: the data or options, or PyPeT and the machine.
    log : str
        What was found, or the whole error.
    mark : Fingerprint
    former : bool
        It failed, and the folder that is there was made of other inputs or options.
    ran : bool
        False if the results were there and current.
    warnings : int
        Flags that speak against trusting a map.
    files : mapping of str to int
        Bytes of each file in the result folder when it was made, by its path there.
    seconds : float
        For the terminal alone.
    """

    cause: str = ""
    told: str = ""
    kind: str = ""
    log: str
    mark: Fingerprint
    former: bool = False
    ran: bool = True
    warnings: int = 0
    files: Mapping[str, int] = field(default_factory=dict)
    seconds: float = field(default=0.0, compare=False)


def attempt(task: Task) -> Outcome:
    """Bring the results of a scan up to date; never raises for what is wrong with the scan."""
    start, job, mark = time.perf_counter(), task.job, Fingerprint(inputs={})
    former: Mapping[str, int] = {}
    try:
        with only_here(job.out):
            former = _files_on_record(job.out)
            mark = fingerprint(job)
            outcome = _current(task, mark, former)
            if outcome is None:
                _claim(job.out, former)
                # from here on its status is that of nothing
                forget(job.out)
                task.perform(replace(job, digest=mark.digest, overwrite=True))
                outcome = _made(task, mark)
    except InputError as error:
        outcome = _failed(task, mark, "input", str(error), f"{error}\n")
    except MemoryError as error:
        cause = "There was not enough memory. Take fewer --jobs, or set --memory-limit."
        outcome = _failed(task, mark, "fault", cause, told_fault(error, (), skip=__file__))
    except Exception as error:  # noqa: BLE001 - one scan's fault, whatever it is, must not end the others
        cause = f"{type(error).__name__} in {raised_in(error.__traceback__)}: {_first_line(error)}"
        log = told_fault(error, (), skip=__file__)
        outcome = _failed(task, mark, "fault", cause, log)
    if outcome.cause and task.job.out.is_dir():
        outcome = replace(outcome, files=former)
    return replace(outcome, seconds=time.perf_counter() - start)


def died(task: Task) -> Outcome:
    """The outcome of a scan whose process died whenever it was tried."""
    cause = (
        "The process that analysed it was killed each time it was tried, most often for want of memory. Take fewer "
        "--jobs, give workers more memory, or set --memory-limit."
    )
    try:
        with only_here(task.job.out):
            mark = fingerprint(task.job)
    except InputError:
        mark = Fingerprint(inputs={})
    return _failed(task, mark, "fault", cause, f"{cause}\n")


def stored_summary(out: Path) -> Mapping[str, Any] | None:
    """The summary in a result folder, if there is one that can be read."""
    try:
        content = json.loads((out / SUMMARY_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _current(task: Task, mark: Fingerprint, files: Mapping[str, int]) -> Outcome | None:
    """The outcome if the results are those of the job, and all there."""
    out = task.job.out
    summary = stored_summary(out)
    if summary is None or summary.get("digest") != mark.digest:
        return None
    there = _listed(out)
    if any(there.get(name) != size for name, size in files.items()):
        return None
    return _done(task, summary, mark, ran=False, files=files or there)


def _made(task: Task, mark: Fingerprint) -> Outcome:
    """The outcome by what lies in the folder now."""
    job = task.job
    summary = stored_summary(job.out)
    if summary is None or summary.get("digest") != mark.digest:
        raise RuntimeError(f"{job.out / SUMMARY_NAME} does not hold the digest of its job")
    read = summary.get("input", {}).get("sha256")
    if read and job.series.is_file() and read != mark.inputs["series"]:
        raise InputError(
            f"{job.series}: the file changed while it was being analysed. Run again with --resume when it is complete."
        )
    return _done(task, summary, mark, ran=True, files=_listed(job.out))


def _done(task: Task, summary: Mapping[str, Any], mark: Fingerprint, *, ran: bool, files: Mapping[str, int]) -> Outcome:
    flags = summary.get("flags", ())
    notes = [f"  {note}" for note in summary.get("notes", ())]
    return Outcome(
        log=_kept(task, "\n".join([told(summary), *notes]) + "\n"),
        mark=mark,
        ran=ran,
        warnings=sum(flag["severity"] != "note" for flag in flags),
        files=files,
    )


def _failed(task: Task, mark: Fingerprint, kind: str, cause: str, log: str) -> Outcome:
    return Outcome(
        kind=kind,
        cause=" ".join(_kept(task, cause).split()),
        told=" ".join(within(cause, task.roots).split()),
        log=_kept(task, log),
        mark=mark,
        former=stored_summary(task.job.out) is not None,
    )


def _kept(task: Task, text: str) -> str:
    return kept_text(text, files=task.job.files, roots=task.roots)


def _listed(folder: Path) -> dict[str, int]:
    """Bytes of each file in a folder, by its path there."""
    found = (Path(root, name) for root, _, names in os.walk(folder) for name in names)
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in sorted(found)}


def _files_on_record(out: Path) -> Mapping[str, int]:
    """What the status of a result folder says was written into it; empty without."""
    files = (read_status(out) or {}).get("files")
    return files if isinstance(files, dict) else {}


def _claim(out: Path, files: Mapping[str, int]) -> None:
    """Let a folder whose summary is damaged or lost be replaced, if all of it is of this scan by its status.

    Raises
    ------
    InputError
        If it is not: it may be anybody's.
    """
    summary = stored_summary(out)
    is_known = summary is not None and "pypet" in json.dumps(summary).lower()
    if is_known or not out.is_dir():
        return
    there = _listed(out)
    if not there:
        return
    if there.keys() <= files.keys():
        # the folder is replaced whole, and stays as it is if that fails
        write_json(out / SUMMARY_NAME, {"software": "PyPeT"})
        return
    raise InputError(
        f"{out}: this folder is not empty and holds no usable {SUMMARY_NAME} of PyPeT, so it is not replaced. If "
        "nothing in it is yours, delete this folder and run again with --resume."
    )


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "no message"

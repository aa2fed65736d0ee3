"""One scan where it is worked on: results that are current stay, what fails becomes a sentence and a log."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PyPeTLib.batch.faults import raised_in, told_fault, within
from PyPeTLib.batch.fingerprint import Fingerprint, fingerprint
from PyPeTLib.batch.leftovers import only_here
from PyPeTLib.batch.records import forget
from PyPeTLib.errors import InputError
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
        Why it failed, in one or two sentences; empty if it did not.
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
    seconds : float
        For the terminal alone.
    """

    cause: str = ""
    kind: str = ""
    log: str
    mark: Fingerprint
    former: bool = False
    ran: bool = True
    warnings: int = 0
    seconds: float = field(default=0.0, compare=False)


def attempt(task: Task) -> Outcome:
    """Bring the results of a scan up to date; never raises for what is wrong with the scan."""
    start, job, mark = time.perf_counter(), task.job, Fingerprint(inputs={})
    try:
        with only_here(job.out):
            mark = fingerprint(job)
            outcome = _current(job, mark)
            if outcome is None:
                # from here on its status is that of nothing
                forget(job.out)
                task.perform(replace(job, digest=mark.digest, overwrite=True))
                outcome = _made(job, mark)
    except InputError as error:
        cause = within(str(error), task.roots)
        outcome = _failed(task, mark, "input", cause, f"{cause}\n")
    except MemoryError as error:
        cause = "There was not enough memory. Take fewer --jobs, or set --memory-limit."
        outcome = _failed(task, mark, "fault", cause, told_fault(error, task.roots, skip=__file__))
    except Exception as error:  # noqa: BLE001 - one scan's fault, whatever it is, must not end the others
        cause = f"{type(error).__name__} in {raised_in(error.__traceback__)}: {_first_line(error)}"
        log = told_fault(error, task.roots, skip=__file__)
        outcome = _failed(task, mark, "fault", within(cause, task.roots), log)
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


def _current(job: Job, mark: Fingerprint) -> Outcome | None:
    summary = stored_summary(job.out)
    if summary is None or summary.get("digest") != mark.digest:
        return None
    return _done(summary, mark, ran=False)


def _made(job: Job, mark: Fingerprint) -> Outcome:
    """The outcome by what lies in the folder now."""
    summary = stored_summary(job.out)
    if summary is None or summary.get("digest") != mark.digest:
        raise RuntimeError(f"{job.out / SUMMARY_NAME} does not hold the digest of its job")
    read = summary.get("input", {}).get("sha256")
    if read and job.series.is_file() and read != mark.inputs["series"]:
        raise InputError(
            f"{job.series}: the file changed while it was being analysed. Run again with --resume when it is complete."
        )
    return _done(summary, mark, ran=True)


def _done(summary: Mapping[str, Any], mark: Fingerprint, *, ran: bool) -> Outcome:
    flags = summary.get("flags", ())
    notes = [f"  {note}" for note in summary.get("notes", ())]
    return Outcome(
        log="\n".join([told(summary), *notes]) + "\n",
        mark=mark,
        ran=ran,
        warnings=sum(flag["severity"] != "note" for flag in flags),
    )


def _failed(task: Task, mark: Fingerprint, kind: str, cause: str, log: str) -> Outcome:
    former = stored_summary(task.job.out) is not None
    return Outcome(kind=kind, cause=" ".join(cause.split()), log=log, mark=mark, former=former)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "no message"

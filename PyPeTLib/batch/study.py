"""A study from its dataset to a result folder for each scan: find, plan, run, record."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PyPeTLib.batch.attempt import Outcome, Task, attempt, died
from PyPeTLib.batch.cluster import Cluster
from PyPeTLib.batch.folder import StudyFolder
from PyPeTLib.batch.local import run_locally
from PyPeTLib.batch.records import (
    changed_options,
    scan_states,
    write_config,
    write_description,
    write_left_out,
    write_record,
)
from PyPeTLib.compare.labelmaps import read_labelmap
from PyPeTLib.config import PipelineConfig
from PyPeTLib.errors import InputError
from PyPeTLib.execution import usable_cores
from PyPeTLib.io.dataset import Layout, Scan, find_scans
from PyPeTLib.io.dataset.names import some_of
from PyPeTLib.job import Job, Outputs, perform
from PyPeTLib.presets import merged, preset_file, read_preset
from PyPeTLib.series import Modality

MOST_JOBS = 4
"""At most so many scans at a time on this machine, unless more are asked for: each takes memory of its own."""

_TIMES = frozenset({"frame_interval", "frame_times"})
"""One of them is enough, and both contradict each other."""


@dataclass(frozen=True, kw_only=True)
class StudyResult:
    """What became of a study's scans.

    Attributes
    ----------
    analysed, current : int
        Scans with new results, and those whose results were there and are of the present inputs.
    failed : tuple of (str, str)
        Name of each that failed, in the order of the dataset, and why, as the terminal tells it: files of DICOM series
        are named, which no record does.
    gone : tuple of str
        Scans that have results and are no longer in the dataset; empty if only a part of it was asked for.
    """

    analysed: int
    current: int
    failed: tuple[tuple[str, str], ...]
    gone: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where the work is done.

    Attributes
    ----------
    jobs : int or None
        Scans at a time on this machine.
    scheduler : str or None
        Address of a Dask scheduler, whose workers do the work.
    patience : float
        Seconds that a scheduler and a worker are waited for.
    """

    jobs: int | None = None
    scheduler: str | None = None
    patience: float = 60.0

    def __post_init__(self) -> None:
        if self.jobs is not None and self.jobs < 1:
            raise InputError(f"--jobs must be 1 or more, found {self.jobs}")
        if self.jobs is not None and self.scheduler is not None:
            raise InputError("--jobs is for this machine, and --scheduler for others. Give one of them.")
        if not self.patience > 0:
            raise InputError(f"--wait is given in seconds and must be above 0, found {self.patience:g}")

    @property
    def at_a_time(self) -> int:
        """Scans at a time on this machine; by default one for two cores."""
        return self.jobs or max(1, min(MOST_JOBS, usable_cores() // 2))


def run_study(  # noqa: PLR0913 - a study, where it goes, what of it, how, where, and who is told
    dataset: Path,
    out: Path,
    *,
    arguments: Mapping[str, Any] | None = None,
    participants: Sequence[str] = (),
    sessions: Sequence[str] = (),
    resume: bool = False,
    machine: Machine | None = None,
    tell: Callable[[str], None] = lambda _: None,
    work: Callable[[Job], Any] = perform,
) -> StudyResult:
    """Analyse each scan of a dataset, and record what became of it.

    Parameters
    ----------
    dataset : Path
    out : Path
        Gets a folder for each scan with its log and status beside it, ``config.toml`` and
        ``dataset_description.json``.
    arguments : mapping, optional
        Fields of `PyPeTLib.job.Job` that all scans share.
    participants, sessions : sequence of str
        Labels of those to analyse; all by default.
    resume : bool
        Whether there may be results in ``out``. Those whose inputs, options and version are the present ones stay.
    machine : Machine, optional
    tell : callable
        Called with a line of text for each scan that is finished.
    work : callable
        What is done with a job, as `PyPeTLib.job.perform`.

    Raises
    ------
    InputError
        If nothing can be done at all; what is wrong with single scans is recorded and told, and the rest go on.
    """
    machine, shared = machine or Machine(), _anywhere(arguments or {})
    dataset = dataset.absolute()
    layout = find_scans(dataset, participants=participants, sessions=sessions)
    for problem in layout.problems:
        tell(problem)
    tables = _checked_options(shared)
    _check_outputs(shared, layout, is_here=machine.scheduler is None)
    if machine.scheduler is None and shared.get("threads") is None:
        shared["threads"] = max(1, usable_cores() // machine.at_a_time)
    with ExitStack() as stack:
        folder = stack.enter_context(StudyFolder(out, dataset, resume=resume))
        roots = (dataset, dataset.resolve(), folder.path)
        jobs = [job_of(scan, folder.path, shared) for scan in layout.scans]
        if participants or sessions:
            _check_unchanged(folder.path, jobs, shared.get("inputs", {}), tables)
            # the record is of the whole dataset
            layout_of_all = find_scans(dataset)
        else:
            layout_of_all = layout
        tasks = [Task(job=job, perform=work, roots=roots) for job in jobs]
        finished = _start(tasks, folder, machine, stack, tell)
        write_description(folder.path, dataset)
        write_config(folder.path, shared.get("inputs", {}), tables)
        write_left_out(folder.path, layout_of_all.left_out)
        for task in tasks:
            # no scan removes a folder that another one is about to use
            task.job.out.parent.mkdir(parents=True, exist_ok=True)
        outcomes = _recorded(stack.enter_context(closing(finished)), len(tasks), tell)
        gone = () if participants or sessions else _gone(folder.path, layout)
    names = [task.job.name for task in tasks]
    return StudyResult(
        analysed=sum(not found.cause and found.ran for found in outcomes.values()),
        current=sum(not found.cause and not found.ran for found in outcomes.values()),
        failed=tuple((name, _why(outcomes[name])) for name in names if outcomes[name].cause),
        gone=gone,
    )


def job_of(scan: Scan, out: Path, shared: Mapping[str, Any]) -> Job:
    """The job of a scan: what is given for all scans wins over what the dataset says of this one."""
    given = dict(shared.get("inputs", {}))
    found = {key: value for key, value in scan.facts.items() if not (key in _TIMES and _TIMES & given.keys())}
    own = {"second_echo": scan.second_echo, "mask": scan.brain_mask}
    inputs = found | {key: path for key, path in own.items() if path is not None} | given
    entities = {"name": scan.name, "subject": scan.subject, "session": scan.session, "run": scan.run}
    fields = {**shared, "inputs": inputs, "references": dict(scan.references), "scan": entities, "prefix": scan.prefix}
    return Job(series=scan.series, out=out / scan.folder, **fields)


def _anywhere(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The same with absolute paths: whoever does the work may be in another folder."""

    def absolute(value: Any) -> Any:
        return value.absolute() if isinstance(value, Path) else value

    shared = {key: absolute(value) for key, value in arguments.items()}
    if "inputs" in shared:
        shared["inputs"] = {key: absolute(value) for key, value in shared["inputs"].items()}
    preset = None if shared.get("preset") is None else preset_file(shared["preset"])
    return shared if preset is None else {**shared, "preset": str(preset.absolute())}


def _checked_options(shared: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The tables of options, preset included; what no scan could be analysed with is refused at once."""
    preset = None if shared.get("preset") is None else read_preset(shared["preset"])
    tables = merged({} if preset is None else preset.changes, shared.get("tables", {}))
    refused: list[InputError] = []
    for modality in Modality:
        try:
            PipelineConfig.for_modality(modality, tables)
        except InputError as error:
            refused.append(error)
    if len(refused) == len(Modality):
        where = shared.get("options_file", "")
        raise InputError(f"{where}: {refused[0]}" if where else str(refused[0]))
    return tables


def _check_outputs(shared: Mapping[str, Any], layout: Layout, *, is_here: bool) -> None:
    """Refuse what could be written of no scan, or not on this machine if the work is done here."""
    outputs = shared.get("outputs", Outputs())
    if shared.get("territories") is not None:
        read_labelmap(shared["territories"], names=shared.get("territory_names"))
    if outputs.dicom and not any(scan.layout == "dicom" for scan in layout.scans):
        raise InputError(
            f"{layout.dataset}: --dicom needs scans in DICOM files, whose study the results belong to, and those found "
            "are all NIfTI. Leave it out."
        )
    if outputs.dicom and is_here and importlib.util.find_spec("highdicom") is None:
        raise InputError(
            "--dicom needs the package highdicom, which is not installed. Install it with pip install '.[dicom]'."
        )
    if outputs.pdf and not (outputs.report and outputs.figures):
        raise InputError("--pdf shows the report, and there is none. Leave out --no-report and --no-figures.")
    if outputs.pdf and is_here:
        missing = [name for name in ("matplotlib", "jinja2") if importlib.util.find_spec(name) is None]
        if missing:
            raise InputError(
                f"--pdf needs a report, and {' and '.join(missing)} is missing. Install it, or leave --pdf."
            )
        from PyPeTLib.report.html.pdf import weasyprint_or_why  # noqa: PLC0415 - slow to import

        weasyprint_or_why()


def _check_unchanged(
    out: Path, jobs: Sequence[Job], inputs: Mapping[str, Any], tables: Mapping[str, Mapping[str, Any]]
) -> None:
    """Refuse other options for a part of the dataset where results of the rest are of the former ones."""
    changed = changed_options(out, inputs, tables)
    asked = {job.out for job in jobs}
    others = [folder.name for folder, _ in scan_states(out) if folder not in asked]
    if changed and others:
        raise InputError(
            f"{out}: the results of {some_of(others)} are of other options than those given ({', '.join(changed)}), "
            "and one folder holds results of the same options only. Run the whole dataset with --resume, or choose "
            "another folder for this part."
        )


def _start(
    tasks: Sequence[Task], folder: StudyFolder, machine: Machine, stack: ExitStack, tell: Callable[[str], None]
) -> Generator[tuple[Task, Outcome]]:
    if machine.scheduler is None:
        return run_locally(tasks, attempt, died, jobs=machine.at_a_time)
    cluster = stack.enter_context(Cluster(machine.scheduler, patience=machine.patience))
    workers = cluster.check(folder, tasks)
    tell(f"{len(tasks)} scans for {workers} worker{'s' * (workers != 1)} at {machine.scheduler}")
    return cluster.run(tasks)


def _recorded(finished: Generator[tuple[Task, Outcome]], total: int, tell: Callable[[str], None]) -> dict[str, Outcome]:
    """Outcomes by the names of their scans, each recorded as soon as it is there."""
    outcomes: dict[str, Outcome] = {}
    for task, outcome in finished:
        name = task.job.name
        write_record(task.job.out, name, outcome)
        outcomes[name] = outcome
        tell(f"[{len(outcomes):{len(str(total))}}/{total}] {name}: {_told(outcome)}")
    return outcomes


def _why(outcome: Outcome) -> str:
    return outcome.told or outcome.cause


def _told(outcome: Outcome) -> str:
    if outcome.cause:
        return f"FAILED: {_why(outcome)}"
    if not outcome.ran:
        return "is up to date"
    warnings = f", {outcome.warnings} warning{'s' * (outcome.warnings != 1)}" if outcome.warnings else ""
    return f"done in {outcome.seconds:.1f} s{warnings}"


def _gone(out: Path, layout: Layout) -> tuple[str, ...]:
    """Scans that have results but are no longer in the dataset."""
    here = {out / scan.folder for scan in layout.scans}
    return tuple(folder.name for folder, _ in scan_states(out) if folder not in here)

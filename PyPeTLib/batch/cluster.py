"""Scans on the workers of a Dask cluster, whose scheduler sees to lost workers.

Rocklin 2015, "Dask: Parallel Computation with Blocked algorithms and Task Scheduling",
doi:10.25080/Majora-7b98e3ed-013.
"""

from __future__ import annotations

import contextlib
import importlib.util
import queue
import secrets
import threading
from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PyPeTLib.batch.attempt import Outcome, Task, attempt, died
from PyPeTLib.batch.fingerprint import Fingerprint
from PyPeTLib.batch.folder import StudyFolder
from PyPeTLib.errors import InputError
from PyPeTLib.version import __version__

RETRIES = 2
"""How often a task is run again that no process could even begin."""

_LOOK_SECONDS = 2.0
_FETCH_SECONDS = 10.0
"""How long an answer is fetched, before its worker is taken for lost: it is then worked out again."""

_ONE_AT_A_TIME = threading.Lock()
"""Numerical libraries keep settings for the whole process, so two scans in threads of one would meet."""


class _AnswerLostError(Exception):
    """A finished task's answer went with its worker."""


class Cluster:
    """Context manager for a connection to a Dask scheduler whose workers can do the work.

    Parameters
    ----------
    scheduler : str
        Its address, such as ``tcp://10.0.0.1:8786``, or the path of its ``--scheduler-file``.
    patience : float
        Seconds that a scheduler and a first worker are waited for, and later on a new worker when all are lost.

    Raises
    ------
    InputError
        On entry, if there is no scheduler or worker.
    """

    def __init__(self, scheduler: str, *, patience: float) -> None:
        self.scheduler, self.patience = scheduler, patience
        self._client: Any = None

    def __enter__(self) -> Cluster:
        if importlib.util.find_spec("distributed") is None:
            raise InputError(
                "--scheduler needs the package distributed, which is not installed. Install it with: "
                "pip install 'PyPeTLib[cluster]'"
            )
        import distributed  # noqa: PLC0415 - optional, and slow to import

        is_file = "://" not in self.scheduler and Path(self.scheduler).suffix == ".json"
        where = {"scheduler_file": self.scheduler} if is_file else {"address": self.scheduler}
        if is_file and not Path(self.scheduler).is_file():
            raise InputError(f"--scheduler {self.scheduler}: there is no such file. Start the scheduler first.")
        try:
            connect: Any = distributed.Client
            self._client = connect(**where, timeout=self.patience, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(
                f"--scheduler {self.scheduler}: no Dask scheduler answered within {self.patience:g} s. Check the "
                "address that 'dask scheduler' printed, and that this machine reaches it."
            ) from error
        try:
            self._client.wait_for_workers(1, timeout=self.patience)
        except TimeoutError as error:
            self._close()
            raise InputError(
                f"--scheduler {self.scheduler}: the scheduler has had no worker for {self.patience:g} s. Start workers "
                "with 'dask worker', or wait longer with --wait."
            ) from error
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def check(self, folder: StudyFolder, tasks: Sequence[Task]) -> int:
        """Whether the workers that are there can do the work; their number.

        Raises
        ------
        InputError
            If a worker has another PyPeT, does not see the files, or would run several scans in one process.
        """
        series = tasks[0].job.series
        # not told by its place in this package, which a worker may lack
        look = _examination(str(folder.lock_file), str(series))
        workers = self._workers()
        # a worker that is lost meanwhile is the scheduler's affair
        answers = self._client.run(look, on_error="ignore")
        if not answers:
            raise InputError(f"--scheduler {self.scheduler}: no worker answers. Look into the workers' own logs.")
        for worker, found in sorted(answers.items()):
            if found["version"] != __version__:
                has = "no PyPeT" if found["version"] is None else f"PyPeT {found['version']}"
                raise InputError(f"The worker {worker} has {has}, and this is PyPeT {__version__}. Install the same.")
            if found["token"] != folder.token:
                raise InputError(
                    f"The worker {worker} does not see the folder of results {folder.path}. Choose one on a file "
                    "system that all machines share, under the same path."
                )
            if not found["series"]:
                raise InputError(
                    f"The worker {worker} does not see {series}. The dataset must lie on a file system that all "
                    "machines share, under the same path."
                )
            threads = workers.get(worker, {}).get("nthreads", 1)
            if threads != 1:
                raise InputError(
                    f"The worker {worker} would run {threads} scans at a time in one process. Start workers with "
                    "--nthreads 1, and say with --threads how many cores a scan may use."
                )
        return len(workers)

    def run(self, tasks: Iterable[Task]) -> Generator[tuple[Task, Outcome]]:
        """Work on tasks, and hand each out with its outcome when it is finished.

        What a lost worker was at, the scheduler gives to another one. A scan with which several workers died in turn is
        tried once more behind all others, and then given up.

        Raises
        ------
        InputError
            If the scheduler is lost, or all workers for longer than the patience.
        """
        finished: queue.SimpleQueue[Any] = queue.SimpleQueue()
        running: dict[Any, tuple[Task, bool]] = {}
        study = secrets.token_hex(4)

        def submit(task: Task, *, again: bool) -> None:
            key = f"pypet-{task.job.name}-{study}{'-again' * again}"
            future = self._client.submit(
                attempt_here, task, __version__, key=key, pure=False, retries=RETRIES, priority=-1 if again else 0
            )
            running[future] = task, again
            future.add_done_callback(finished.put)

        for task in tasks:
            submit(task, again=False)
        try:
            while running:
                future = self._next(finished)
                task, again = running[future]
                try:
                    outcome = self._outcome(future, task)
                except _AnswerLostError:
                    future.add_done_callback(finished.put)
                    continue
                del running[future]
                if outcome is None and not again:
                    submit(task, again=True)
                else:
                    yield task, outcome or died(task)
        finally:
            with contextlib.suppress(Exception):
                self._client.cancel(list(running))

    def _next(self, finished: queue.SimpleQueue[Any]) -> Any:
        """The next task that is finished, as long as there is somebody at work."""
        alone = 0.0
        while True:
            try:
                return finished.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                self._check_scheduler()
            alone = 0.0 if self._workers() else alone + _LOOK_SECONDS
            if alone > self.patience:
                raise InputError(
                    f"--scheduler {self.scheduler}: no worker has been left for {self.patience:g} s. Start workers, "
                    "and run again with --resume; what is finished stays."
                )

    def _outcome(self, future: Any, task: Task) -> Outcome | None:
        """The outcome of a task, or None if each worker died that tried it.

        Raises
        ------
        _AnswerLostError
            If its worker was lost before it handed the outcome out.
        """
        from distributed import KilledWorker  # noqa: PLC0415 - optional, and slow to import

        if future.cancelled() or future.status == "lost":
            self._check_scheduler(is_lost=True)
        try:
            outcome = future.result(timeout=_FETCH_SECONDS)
        except KilledWorker:
            return None
        except Exception as error:
            if isinstance(error, TimeoutError) and future.status in ("pending", "finished"):
                raise _AnswerLostError from error
            # what the machinery could not do is this scan's fault alone
            cause = f"The cluster could not run it: {type(error).__name__}: {error}"
            return Outcome(kind="fault", cause=" ".join(cause.split()), log=f"{cause}\n", mark=Fingerprint(inputs={}))
        if not isinstance(outcome, Outcome):
            raise TypeError(f"{task.job.name}: a worker answered {outcome!r}")
        return outcome

    def _check_scheduler(self, *, is_lost: bool = False) -> None:
        if is_lost or self._client.status != "running":
            raise InputError(
                f"--scheduler {self.scheduler}: the connection to the scheduler is lost. Start it again, and run again "
                "with --resume; what is finished stays."
            )

    def _workers(self) -> Mapping[str, Any]:
        return dict(self._client.scheduler_info(n_workers=-1)["workers"])

    def _close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def attempt_here(task: Task, version: str) -> Outcome:
    """Work on a task in a thread of a Dask worker, one at a time; workers of another version refuse."""
    if version != __version__:
        cause = f"A worker has PyPeT {__version__}, and the run was started with PyPeT {version}. Install the same."
        return Outcome(kind="fault", cause=cause, log=f"{cause}\n", mark=Fingerprint(inputs={}))
    with _ONE_AT_A_TIME:
        return attempt(task)


def _examination(lock_file: str, series: str) -> Any:
    """A function that tells what a worker has and sees; it needs nothing of PyPeT to travel there."""

    def look() -> dict[str, Any]:
        import pathlib  # noqa: PLC0415 - on the worker

        try:
            from PyPeTLib.version import __version__ as found  # noqa: PLC0415 - on the worker
        except ImportError:
            found = None  # type: ignore[assignment]
        try:
            token = pathlib.Path(lock_file).read_text(encoding="utf-8")
        except OSError:
            token = ""
        return {"version": found, "token": token, "series": pathlib.Path(series).exists()}

    return look

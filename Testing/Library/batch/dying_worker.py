"""What a worker of Dask does of which the scheduler says in the end that it died of the first scan."""

from __future__ import annotations

from types import SimpleNamespace

from distributed.scheduler import KilledWorker

from PyPeTLib.batch.attempt import attempt


def attempt_but_first(task, version):
    with (task.job.series.parents[2] / "tried.txt").open("a") as file:
        file.write(f"{task.job.name}\n")
    if task.job.name == "sub-01_ctp":
        raise KilledWorker(task.job.name, SimpleNamespace(address="a worker"), 3)
    return attempt(task)

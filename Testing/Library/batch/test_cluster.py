"""A Dask cluster: what is lost is done elsewhere and nothing twice; what cannot work is refused at once."""

from __future__ import annotations

import importlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from PyPeTLib.batch.records import finished_scans
from PyPeTLib.batch.study import Machine, run_study
from PyPeTLib.errors import InputError

pytestmark = [
    pytest.mark.extras,
    pytest.mark.skipif(sys.platform == "win32", reason="nothing is killed by signals there"),
]

QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_lost_worker_loses_no_scan_and_doubles_none(start, stand_ins, make_dataset, tmp_path, tree):
    host, port = "127.0.0.1", free_port()
    address = f"tcp://{host}:{port}"
    common = ["--no-dashboard", "--host", host]
    worker = ["--no-nanny", "--nthreads", 1, "--memory-limit", 0, "--local-directory", tmp_path / "dask"]
    start(["-m", "distributed.cli.dask_scheduler", *common, "--port", port], **QUIET)
    workers = [start(["-m", "distributed.cli.dask_worker", address, *common, *worker], **QUIET) for _ in range(2)]
    dataset, out = make_dataset(*["slow 0.2"] * 6, "input", "fault"), tmp_path / "out"
    lines = []

    def tell(line):
        lines.append(line)
        if line.startswith("[3/8]"):
            # in the middle of a scan
            os.kill(workers[0].pid, signal.SIGKILL)

    machine = Machine(scheduler=address, patience=60.0)
    result = run_study(dataset, out, machine=machine, tell=tell, work=stand_ins.noted)
    assert workers[0].wait(5) == -signal.SIGKILL
    assert (result.analysed, [name for name, _ in result.failed]) == (6, ["sub-07_ctp", "sub-08_ctp"])
    assert len(finished_scans(out)) == 6
    # that at which the worker was lost was begun twice
    assert 8 <= len((dataset / "worked.txt").read_text().split()) <= 9
    assert [name for name in tree(out) if Path(name).name.startswith(".")] == []
    again = run_study(dataset, out, resume=True, machine=machine, work=stand_ins.noted)
    assert (again.analysed, again.current) == (0, 6)


@pytest.fixture
def threads():
    """Scans at a time that a worker of the cluster would take."""
    return 1


@pytest.fixture
def local(threads, monkeypatch, tmp_path):
    """A cluster inside this process, with one worker."""
    distributed = importlib.import_module("distributed")
    monkeypatch.setattr("PyPeTLib.batch.cluster._LOOK_SECONDS", 0.05)
    monkeypatch.setattr("PyPeTLib.batch.cluster._FETCH_SECONDS", 0.5)
    options = {"processes": False, "dashboard_address": None, "memory_limit": 0, "local_directory": tmp_path / "dask"}
    with distributed.LocalCluster(n_workers=1, threads_per_worker=threads, **options) as cluster:
        yield cluster


def study(cluster, dataset, out, stand_ins, *, patience=20.0, **options):
    machine = Machine(scheduler=cluster.scheduler_address, patience=patience)
    return run_study(dataset, out, machine=machine, work=stand_ins.perform, **options)


def test_a_scan_that_every_worker_dies_of_is_given_up(local, stand_ins, make_dataset, tmp_path, monkeypatch):
    engine = importlib.import_module("PyPeTLib.batch.cluster")
    monkeypatch.setattr(engine, "attempt_here", importlib.import_module("dying_worker").attempt_but_first)
    monkeypatch.setattr(engine, "RETRIES", 0)
    dataset = make_dataset("fine", "fine", "fine")
    result = study(local, dataset, tmp_path / "out", stand_ins)
    ((name, cause),) = result.failed
    assert (result.analysed, name) == (2, "sub-01_ctp")
    assert "killed each time" in cause
    # once more behind all others
    tried = (dataset / "tried.txt").read_text().split()
    assert tried.count("sub-01_ctp") == 2
    assert tried[-1] == "sub-01_ctp"


@pytest.mark.parametrize("threads", [2])
def test_several_scans_in_one_process_are_refused(local, stand_ins, make_dataset, tmp_path):
    with pytest.raises(InputError, match=r"would run 2 scans at a time.*--nthreads 1"):
        study(local, make_dataset("fine"), tmp_path / "out", stand_ins)


def test_workers_that_cannot_do_the_work_are_refused(local, stand_ins, make_dataset, tmp_path, monkeypatch):
    dataset, out = make_dataset("fine"), tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr("PyPeTLib.batch.cluster.__version__", "0.0.1")
        with pytest.raises(InputError, match=r"has PyPeT .*, and this is PyPeT 0\.0\.1"):
            study(local, dataset, out, stand_ins)
    with monkeypatch.context() as patch:
        # a folder of the same name on another machine
        patch.setattr("PyPeTLib.batch.folder.os.write", lambda *_: 0)
        with pytest.raises(InputError, match="does not see the folder of results"):
            study(local, dataset, out, stand_ins)
    gone = dataset / "sub-01" / "perf" / "sub-01_ctp.nii.gz"
    with monkeypatch.context() as patch:
        usual = run_study.__globals__["find_scans"]

        def found(*arguments, **options):
            layout = usual(*arguments, **options)
            gone.rename(tmp_path / "elsewhere")
            return layout

        patch.setitem(run_study.__globals__, "find_scans", found)
        with pytest.raises(InputError, match=r"does not see .*sub-01_ctp\.nii\.gz"):
            study(local, dataset, out, stand_ins)
    (tmp_path / "elsewhere").rename(gone)
    # none of it left a result behind
    assert study(local, dataset, out, stand_ins).analysed == 1


def test_a_cluster_without_scheduler_or_workers_is_told(local, stand_ins, make_dataset, tmp_path):
    dataset, out = make_dataset("fine", "fine", "fine"), tmp_path / "out"
    for scheduler, message in (
        (f"tcp://127.0.0.1:{free_port()}", "no Dask scheduler answered"),
        ("nowhere.json", "there is no such file"),
        ("nonsense://1", "no Dask scheduler answered"),
    ):
        with pytest.raises(InputError, match=message):
            run_study(dataset, out, machine=Machine(scheduler=scheduler, patience=0.3), work=stand_ins.perform)
    with pytest.raises(InputError, match=r"no worker has been left.*--resume"):
        # the worker goes when the first scan is finished
        study(local, dataset, out, stand_ins, patience=0.3, tell=lambda line: "1/3" in line and local.scale(0))
    with pytest.raises(InputError, match="has had no worker"):
        study(local, dataset, out, stand_ins, patience=0.3, resume=True)


def test_a_scheduler_that_ends_is_told(local, stand_ins, make_dataset, tmp_path):
    with pytest.raises(InputError, match=r"the connection to the scheduler is lost.*--resume"):
        study(
            local,
            make_dataset("fine", "slow 0.3", "fine"),
            tmp_path / "out",
            stand_ins,
            patience=0.5,
            tell=lambda line: "1/3" in line and local.close(),
        )


def test_a_missing_package_is_told(monkeypatch, stand_ins, make_dataset, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"distributed.*PyPeTLib\[cluster\]"):
        run_study(
            make_dataset("fine"),
            tmp_path / "out",
            machine=Machine(scheduler="tcp://10.0.0.1:1"),
            work=stand_ins.perform,
        )

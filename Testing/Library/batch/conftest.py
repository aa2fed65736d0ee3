"""Datasets whose series say what happens to them, and what a folder holds."""

from __future__ import annotations

import hashlib
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


@pytest.fixture
def stand_ins(monkeypatch):
    """The module of that name, which processes started by the test find as well."""
    monkeypatch.syspath_prepend(str(HERE))
    return importlib.import_module("stand_ins")


@pytest.fixture
def processes(stand_ins):
    """The module of that name."""
    return importlib.import_module("live_processes")


@pytest.fixture
def make_dataset(tmp_path):
    """``make_dataset(what, ...)``: a dataset with one scan for each, of subjects 01, 02 and so on."""

    def make(*contents, folder="dataset"):
        for number, content in enumerate(contents, 1):
            perf = tmp_path / folder / f"sub-{number:02d}" / "perf"
            perf.mkdir(parents=True, exist_ok=True)
            (perf / f"sub-{number:02d}_ctp.nii.gz").write_text(content)
        return tmp_path / folder

    return make


@pytest.fixture
def here(monkeypatch):
    """Studies work in this process, which is quick; nothing may kill it."""

    def run(tasks, work, given_up, *, jobs):
        assert jobs >= 1
        yield from ((task, work(task)) for task in tasks)

    monkeypatch.setattr("PyPeTLib.batch.study.run_locally", run)


@pytest.fixture
def tree():
    """``tree(folder)``: SHA-256 of each file by its path, hidden ones too; folders are there with an empty one."""

    def read(folder):
        return {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            for path in Path(folder).rglob("*")
        }

    return read


@pytest.fixture
def start():
    """``start(arguments, ...)``: a Python process that finds the stand-ins; what is left of it is killed in the end."""
    processes = []

    def begin(arguments, **options):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), str(ROOT)])}
        process = subprocess.Popen([sys.executable, *map(str, arguments)], env=environment, text=True, **options)
        processes.append(process)
        return process

    yield begin
    for process in processes:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()

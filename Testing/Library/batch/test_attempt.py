"""A scan where it is worked on: by one process at a time, after whatever killed ones have left."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest

from PyPeTLib.batch import leftovers
from PyPeTLib.batch.attempt import Task, attempt, died
from PyPeTLib.batch.fingerprint import fingerprint
from PyPeTLib.io.locks import acquire_lock, release_lock
from PyPeTLib.job import Job


@pytest.fixture
def task(stand_ins, make_dataset, tmp_path):
    dataset = make_dataset("fine")
    out = tmp_path / "out" / "sub-01" / "perf" / "sub-01_ctp"
    out.parent.mkdir(parents=True)
    job = Job(series=dataset / "sub-01" / "perf" / "sub-01_ctp.nii.gz", out=out, scan={"name": "sub-01_ctp"})
    return Task(job=job, perform=stand_ins.noted, roots=(dataset,))


def worked(task):
    notes = task.job.series.parents[2] / "worked.txt"
    return len(notes.read_text().split()) if notes.exists() else 0


def test_what_is_current_is_not_done_again(task, tree):
    first = attempt(task)
    before = tree(task.job.out.parent)
    second = attempt(task)
    assert (first.ran, second.ran, worked(task)) == (True, False, 1)
    # what is recorded is the same
    assert (first.log, first.mark) == (second.log, second.mark)
    assert tree(task.job.out.parent) == before


def test_what_killed_runs_left_is_cleared(task, tree):
    out = task.job.out
    clean = attempt(task)
    before = tree(out.parent)
    left = out.with_name(f".{out.name}.pypet")
    (left / "new").mkdir(parents=True)
    (left / "new" / "half.nii.gz").write_text("half")
    (left / "lock").touch()
    out.with_name(f".{out.name}.lock").touch()
    assert attempt(task) == replace(clean, ran=False)
    assert tree(out.parent) == before
    # killed between setting the old folder aside and putting the new one in place
    left.mkdir()
    out.rename(left / "old")
    assert not attempt(task).ran
    assert tree(out.parent) == before


def test_another_process_at_the_same_scan_is_waited_for(task, monkeypatch):
    monkeypatch.setattr(leftovers, "_LOOK_SECONDS", 0.01)
    lock = task.job.out.with_name(f".{task.job.out.name}.lock")
    held = acquire_lock(lock)
    outcomes = []
    thread = threading.Thread(target=lambda: outcomes.append(attempt(task)))
    thread.start()
    thread.join(0.1)
    assert thread.is_alive()
    assert worked(task) == 0
    # it made the results meanwhile
    task.perform(replace(task.job, digest=fingerprint(task.job).digest))
    release_lock(lock, held)
    thread.join(10)
    assert [outcome.ran for outcome in outcomes] == [False]
    monkeypatch.setattr(leftovers, "PATIENCE_SECONDS", 0.0)
    held = acquire_lock(lock)
    assert "another process has been at work" in attempt(task).cause
    release_lock(lock, held)


def test_a_series_that_changes_meanwhile_is_no_result(task, stand_ins):
    def perform(job):
        stand_ins.perform(job)
        summary = json.loads((job.out / "summary.json").read_text())
        summary["input"]["sha256"] = "0" * 64
        (job.out / "summary.json").write_text(json.dumps(summary))

    outcome = attempt(replace(task, perform=perform))
    assert outcome.kind == "input"
    assert "changed while it was being analysed" in outcome.cause


def test_a_folder_that_is_not_ours_is_left_alone(task, tree):
    task.job.out.mkdir()
    (task.job.out / "thesis.txt").write_text("years of work")
    before = tree(task.job.out.parent)
    outcome = attempt(task)
    assert outcome.kind == "input"
    assert "not replaced" in outcome.cause
    assert not outcome.former
    assert tree(task.job.out.parent) == before


def test_want_of_memory_is_told(task):
    def perform(job):
        raise MemoryError

    outcome = attempt(replace(task, perform=perform))
    assert outcome.kind == "fault"
    assert "--memory-limit" in outcome.cause
    assert "killed each time" in died(task).cause

"""Processes of this machine that die or are interrupted."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import subprocess
import sys

import pytest

from PyPeTLib.batch.local import TRIES, run_locally

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nothing is killed by signals there")


@pytest.fixture
def light(stand_ins):
    return importlib.import_module("light_work")


def test_a_process_that_dies_takes_no_other_work_with_it(light, tmp_path):
    kinds = {"a": "slow", "b": "kill", "c": "fine", "d": "kill-once", "e": "end", "f": "fine"}
    notes = tmp_path / "notes.txt"
    items = [(name, what, str(notes)) for name, what in kinds.items()]
    answers = {item[0]: answer for item, answer in run_locally(items, light.work, light.given_up, jobs=2)}
    gone = {"b", "e"}
    assert answers == {name: f"{name} {'given up' if name in gone else 'done'}" for name in kinds}
    # some were not begun yet, or not handed out, when the process beside theirs died
    worked = notes.read_text().split()
    assert all(TRIES - 1 <= worked.count(name) <= TRIES for name in gone)
    assert worked.count("d") == 2
    assert all(1 <= worked.count(name) <= 2 for name in "acf")
    assert multiprocessing.active_children() == []


def test_work_that_is_not_waited_for_ends(light, tmp_path):
    items = [(str(number), "slow", str(tmp_path / "notes.txt")) for number in range(9)]
    answers = run_locally(items, light.work, light.given_up, jobs=2)
    next(answers)
    answers.close()
    assert multiprocessing.active_children() == []
    assert len((tmp_path / "notes.txt").read_text().split()) < 9


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_work_clears_up(start, processes, tmp_path, number):
    notes = tmp_path / "notes.txt"
    process = start(["-m", "light_work", notes], stderr=subprocess.PIPE, start_new_session=True)
    processes.wait_until(lambda: len(list(tmp_path.iterdir())) == 3)
    workers = processes.children(process)
    # Ctrl-C reaches all that the terminal has started
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    assert process.wait(15) == 130
    assert process.stderr.read() == "pypet: interrupted\n"
    assert workers
    processes.wait_until(lambda: not any(map(processes.is_alive, workers)), 2)
    assert list(tmp_path.iterdir()) == [notes]

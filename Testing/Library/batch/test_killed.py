"""A study that is killed and resumed leaves the same bytes as one that nobody disturbed, and no process."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from PyPeTLib.batch.records import finished_scans
from PyPeTLib.batch.study import run_study
from PyPeTLib.cli import main
from PyPeTLib.phantom.study import write_study

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes as Linux shows them")

QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def records(out):
    return len(list(out.rglob("*.status.json")))


@pytest.fixture
def kill(start, processes):
    """``kill(arguments, out, finished, later)``: kill a study so many seconds after so many scans are finished."""

    def killed(arguments, out, finished, later):
        process = start(arguments, **QUIET)
        processes.wait_until(lambda: records(out) >= finished)
        time.sleep(later)
        workers = processes.children(process)
        process.kill()
        process.wait()
        assert workers
        processes.wait_until(lambda: not any(map(processes.is_alive, workers)))

    return killed


def test_of_quick_scans(kill, stand_ins, make_dataset, tmp_path, tree, request):
    dataset = make_dataset(*["slow 0.05", "fine", "input", "slow 0.1", "slow 0.05", "fault", "slow 0.05"] * 2)
    calm, out = tmp_path / "calm", tmp_path / "out"
    kill(["-m", "stand_ins", dataset, out, "--jobs=2"], out, 3, 0.02)
    assert 3 <= records(out) < 14
    request.getfixturevalue("here")
    run_study(dataset, out, resume=True, work=stand_ins.perform)
    run_study(dataset, calm, work=stand_ins.perform)
    assert len(tree(calm)) > 14 * 3
    assert tree(out) == tree(calm)


def test_of_real_scans(kill, tmp_path, tree, here, capsys):
    dataset, calm, out = (tmp_path / name for name in ("dataset", "calm", "out"))
    write_study(dataset, scans=3, broken=1)
    options = ["participant", "--no-figures"]
    kill(["-m", "PyPeTLib", "batch", dataset, out, *options], out, 1, 0.3)
    assert 1 <= records(out) < 3
    # one of the scans is broken
    for folder, more in ((out, ["--resume"]), (calm, [])):
        with pytest.raises(SystemExit) as end:
            main(["batch", str(dataset), str(folder), *options, *more])
        assert end.value.code == 3
    assert len(finished_scans(out)) == 2
    assert tree(out) == tree(calm)
    told = capsys.readouterr()
    assert "2 analysed, 0 up to date, 1 failed" in told.out
    assert "truncated" in told.err

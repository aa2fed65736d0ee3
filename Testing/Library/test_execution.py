"""Threads, progress and cancellation."""

from __future__ import annotations

import sys
import threading
import time

import numpy as np
import pytest

from PyPeTLib.blas import bundled_controls, bundled_limit, single_threaded_blas
from PyPeTLib.errors import CancelledError, PyPeTError
from PyPeTLib.execution import Execution, usable_cores, voxel_slices


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_the_order_of_the_pieces(threads):
    def work(piece):
        time.sleep(0.002 * (7 - piece % 7))
        return piece * 10

    assert Execution(threads=threads).map(work, range(20)) == [piece * 10 for piece in range(20)]


def test_no_pieces_give_no_results():
    assert Execution().map(lambda piece: piece, []) == []


def test_pieces_may_come_from_a_generator():
    assert Execution().map(str, (n for n in range(3))) == ["0", "1", "2"]


def test_work_is_spread_over_the_threads():
    both = threading.Barrier(2, timeout=10)
    assert Execution(threads=2).map(lambda _: both.wait() >= 0, range(2)) == [True, True]


def test_progress_is_told_from_the_calling_thread_and_only_rises():
    told = []

    def progress(stage, fraction):
        told.append((threading.get_ident(), stage, fraction))

    run = Execution(threads=3, progress=progress, stage="mask")
    workers = set(run.map(lambda _: (time.sleep(0.01), threading.get_ident())[1], range(9)))
    assert {ident for ident, *_ in told} == {threading.get_ident()}
    assert threading.get_ident() not in workers
    assert {stage for _, stage, _ in told} == {"mask"}
    fractions = [fraction for *_, fraction in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_cancellation_is_asked_from_the_calling_thread_and_stops_soon():
    done, asked = [], []

    def cancelled():
        asked.append(threading.get_ident())
        return len(done) >= 2

    def work(piece):
        time.sleep(0.02)
        done.append(piece)

    with pytest.raises(CancelledError, match="cancelled during motion"):
        Execution(threads=2, cancelled=cancelled, stage="motion").map(work, range(200))
    assert len(done) < 20
    assert set(asked) == {threading.get_ident()}
    stopped = len(done)
    time.sleep(0.1)
    assert len(done) == stopped


def test_a_single_long_piece_does_not_keep_the_caller_from_asking():
    asked = []
    Execution(threads=1, cancelled=lambda: bool(asked.append(1))).map(lambda _: time.sleep(0.35), [0])
    assert len(asked) >= 3


def test_report_tells_progress_and_stops_when_asked():
    told = []
    run = Execution(progress=lambda *what: told.append(what), cancelled=lambda: len(told) > 1, stage="aif")
    run.report(0.25)
    with pytest.raises(CancelledError, match="during aif"):
        run.report(0.5)
    assert told == [("aif", 0.25), ("aif", 0.5)]
    with pytest.raises(CancelledError, match="during the run"):
        Execution(cancelled=lambda: True).report(0.0)
    assert issubclass(CancelledError, PyPeTError)


def test_an_error_in_a_piece_reaches_the_caller():
    def work(piece):
        if piece == 3:
            raise ZeroDivisionError("piece 3")
        return piece

    with pytest.raises(ZeroDivisionError, match="piece 3"):
        Execution(threads=2).map(work, range(6))


def test_an_error_in_a_piece_stops_the_others():
    done = []

    def work(piece):
        if piece == 0:
            raise ZeroDivisionError
        time.sleep(0.01)
        done.append(piece)

    with pytest.raises(ZeroDivisionError):
        Execution(threads=2).map(work, range(200))
    assert len(done) < 100


def test_none_stands_for_the_defaults():
    run = Execution.of(None, None, None)
    assert run.threads == usable_cores() >= 1
    run.report(0.5)
    assert Execution.of(3).threads == 3


@pytest.mark.parametrize(("n", "size"), [(0, 4), (1, 4), (4, 4), (9, 4), (16_385, 16_384)])
def test_slices_cover_every_voxel_once(n, size):
    seen = np.zeros(n, int)
    for piece in voxel_slices(n, size):
        seen[piece] += 1
        assert 0 < piece.stop - piece.start <= size
    assert (seen == 1).all()


def test_blas_runs_single_threaded_inside_and_as_before_outside():
    threadpoolctl = pytest.importorskip("threadpoolctl")

    def counts():
        return [pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]

    before = counts()
    with single_threaded_blas():
        assert set(counts()) <= {1}
    assert counts() == before


def test_threadpoolctl_may_be_absent(monkeypatch):
    # as inside 3D Slicer; None in sys.modules makes the import fail
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    assert Execution(threads=2).map(abs, [-1, 2]) == [1, 2]


def test_where_there_is_no_threadpoolctl_the_bundled_blas_is_limited_and_let_go(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    controls = bundled_controls()
    assert controls, "numpy from the package index brings OpenBLAS"
    before = [count() for count, _ in controls]
    with single_threaded_blas():
        assert [count() for count, _ in controls] == [1] * len(controls)
    assert [count() for count, _ in controls] == before
    with pytest.raises(KeyError), bundled_limit():
        raise KeyError
    assert [count() for count, _ in controls] == before

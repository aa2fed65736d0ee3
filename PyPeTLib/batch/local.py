"""Work in processes of this machine: one that dies takes no other's work with it, and none outlives the run.

Imports nothing of the library: each process begins by importing this.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from typing import TypeVar

TRIES = 3
"""How often work is tried whose process dies."""

GRACE_SECONDS = 10.0
"""How long processes get to clear up when a run is interrupted."""

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Work = Callable[[Item], Answer]


def run_locally(
    items: Iterable[Item], work: Work[Item, Answer], given_up: Work[Item, Answer], *, jobs: int
) -> Generator[tuple[Item, Answer]]:
    """Work on items in processes, and hand each out with its answer when it is finished.

    When a process dies, the items that were at work with it are tried again one by one, each in a process of its own,
    so that it shows which of them was the cause; that one is given up after `TRIES` tries.

    When the generator is closed or interrupted, the processes clear up and end; when this process is killed, they end
    at once.

    Parameters
    ----------
    items : iterable
    work : callable
        Called with an item in another process, which imports it.
    given_up : callable
        Answers in this process for an item that no process survived.
    jobs : int
        Processes at a time.
    """
    waiting = deque(items)
    while waiting:
        lost = yield from _together(waiting, work, min(jobs, len(waiting)))
        for item in lost:
            yield item, _alone(item, work, given_up)


def _together(
    waiting: deque[Item], work: Work[Item, Answer], jobs: int
) -> Generator[tuple[Item, Answer], None, list[Item]]:
    """Work until all is done or a process died; the items that were under way then."""
    running: dict[Future[Answer], Item] = {}
    lost: list[Item] = []
    with _pool(jobs) as pool:
        is_whole = True
        while running or (waiting and is_whole):
            while waiting and is_whole and len(running) < jobs:
                try:
                    running[pool.submit(_worked, work, waiting[0])] = waiting[0]
                    waiting.popleft()
                except BrokenProcessPool:
                    is_whole = False
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                item = running.pop(future)
                try:
                    answer = future.result()
                except BrokenProcessPool:
                    is_whole = False
                    lost.append(item)
                else:
                    yield item, answer
    return lost


def _alone(item: Item, work: Work[Item, Answer], given_up: Work[Item, Answer]) -> Answer:
    # that it died beside others was the first try
    for _ in range(TRIES - 1):
        with _pool(1) as pool:
            try:
                return pool.submit(_worked, work, item).result()
            except BrokenProcessPool:
                continue
    return given_up(item)


@contextmanager
def _pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that end with the block, however it is left."""
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        _end(set(multiprocessing.active_children()) - others)
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _end(processes: Iterable[BaseProcess]) -> None:
    """Let processes clear up and end, and kill those that do not."""
    ended = list(processes)
    until = time.monotonic() + GRACE_SECONDS
    try:
        for process in ended:
            process.terminate()
        for process in ended:
            process.join(max(0.0, until - time.monotonic()))
    finally:
        for process in ended:
            process.kill()


def _begin() -> None:
    """First of all in a process: Ctrl-C is for the parent to handle, whose end is this one's, too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _worked(work: Work[Item, Answer], item: Item) -> Answer:
    """Work on an item; a polite end (SIGTERM) lets it clear up, and ends the process."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return work(item)
    except KeyboardInterrupt:
        os._exit(1)
    finally:
        signal.signal(signal.SIGTERM, before)

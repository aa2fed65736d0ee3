"""How work is spread over threads and memory, reported and cancelled; the results never depend on it.

Work is cut into pieces whose size does not depend on the number of threads, and BLAS runs single-threaded
inside them, so that the same input gives the same bytes on any machine of one kind.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TypeVar

from PyPeTLib.blas import single_threaded_blas
from PyPeTLib.errors import CancelledError
from PyPeTLib.workspace import Workspace

Piece = TypeVar("Piece")
Outcome = TypeVar("Outcome")

POLL_SECONDS = 0.1
"""How often progress and cancellation are looked at while worker threads run."""

VOXELS_PER_PIECE = 16_384
"""Voxels handled at once by one thread: their curves fit into a core's cache."""


def _no_progress(stage: str, fraction: float) -> None:
    """Progress that nobody watches."""


def _never() -> bool:
    return False


def usable_cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass
class Execution:
    """Threads, progress and cancellation of one run.

    ``progress(stage, fraction)`` and ``cancelled()`` are only ever called from the thread that runs the
    pipeline, so a graphical caller may process its events inside them.
    """

    threads: int = field(default_factory=usable_cores)
    progress: Callable[[str, float], None] = _no_progress
    cancelled: Callable[[], bool] = _never
    workspace: Workspace = field(default_factory=Workspace)
    """Where large arrays live."""
    stage: str = ""

    @classmethod
    def of(
        cls,
        threads: int | None = None,
        progress: Callable[[str, float], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        workspace: Workspace | None = None,
    ) -> Execution:
        """The execution with these settings; None stands for the default."""
        return cls(threads or usable_cores(), progress or _no_progress, cancelled or _never, workspace or Workspace())

    def unwatch(self) -> None:
        """Report to nobody and ask nobody from now on."""
        self.progress, self.cancelled = _no_progress, _never

    def report(self, fraction: float) -> None:
        """Tell how far the present stage is (0…1), and stop here if the caller asked for it."""
        self.progress(self.stage, fraction)
        if self.cancelled():
            raise CancelledError(f"cancelled during {self.stage or 'the run'}")

    def map(self, work: Callable[[Piece], Outcome], pieces: Iterable[Piece]) -> list[Outcome]:
        """``[work(piece) for piece in pieces]`` on the threads of this run, in the order of the pieces."""
        with single_threaded_blas(), ThreadPoolExecutor(max_workers=max(1, self.threads)) as pool:
            futures = [pool.submit(work, piece) for piece in pieces]
            waiting = set(futures)
            try:
                while waiting:
                    done, waiting = wait(waiting, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
                    for future in done:
                        future.result()
                    self.report(1 - len(waiting) / len(futures))
                return [future.result() for future in futures]
            finally:
                for future in waiting:
                    future.cancel()


def voxel_slices(n_voxels: int, size: int = VOXELS_PER_PIECE) -> list[slice]:
    """Fixed pieces of a list of voxels."""
    return [slice(start, min(start + size, n_voxels)) for start in range(0, n_voxels, size)]

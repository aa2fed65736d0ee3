"""What is in memory of the last run: its result, and the stages that the next run need not go through again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import slicer

from PyPeTLib.io import LoadedSeries
from PyPeTLib.memory import StageMemory
from PyPeTLib.pipeline import PipelineResult
from PyPeTSlicer.nodes import RUN
from PyPeTSlicer.outputs import OutputNodes

LARGEST = 4e9
"""Bytes of curves above which nothing is kept for the next run."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """The last run.

    Attributes
    ----------
    sequence : vtkMRMLSequenceNode
    loaded : LoadedSeries
        What was read of it.
    result : PipelineResult
    outputs : OutputNodes
    number : str
        That of the output segmentation.
    search : Run or None
        The last run on the series that searched for an artery: this one, or an earlier one.
    """

    sequence: Any
    loaded: LoadedSeries
    result: PipelineResult
    outputs: OutputNodes
    number: str
    search: Run | None = None

    @property
    def is_current(self) -> bool:
        """Whether its nodes are in the scene, and hold what it made."""
        segmentation = self.outputs.segmentation
        here = all(slicer.mrmlScene.IsNodePresent(node) for node in (self.sequence, segmentation))
        return here and segmentation.GetAttribute(RUN) == self.number


class Session:
    """Remembers one run: the last one."""

    def __init__(self) -> None:
        self.memory = StageMemory()
        self._run: Run | None = None
        self._read: tuple[Any, LoadedSeries] | None = None

    def run_of(self, sequence: Any) -> Run | None:
        """The last run, if it was one on this sequence and its nodes are still there."""
        if self._run is not None and not self._run.is_current:
            self.forget()
        return self._run if self._run is not None and self._run.sequence is sequence else None

    def series(self, key: Any, read: Callable[[], LoadedSeries]) -> LoadedSeries:
        """The series that was read last, if its key is the same, else the one that is read now."""
        if self._read is None or self._read[0] != key:
            # two series need not be in memory at once
            self.forget()
            self._read = (key, read())
        return self._read[1]

    def keep(self, run: Run) -> None:
        """Remember a run in place of the last one; of one with very large curves nothing but its result."""
        curves = run.result.intermediate
        last = self._run
        if not run.result.searched and last is not None and last.loaded is run.loaded:
            run = replace(run, search=_without_curves(last) if last.result.searched else last.search)
        if curves is None or 3 * sum(echo.nbytes for echo in curves.curves.echoes) > LARGEST:
            self.memory.forget()
            run = _without_curves(run)
        self._run = run

    def forget(self) -> None:
        """Give all memory back."""
        self.memory.forget()
        self._run = self._read = None


def _without_curves(run: Run) -> Run:
    """A run that no longer holds the curves before denoising."""
    return replace(run, result=replace(run.result, intermediate=None))

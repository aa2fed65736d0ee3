"""What is made of a run's maps: lesions, comparison with references, territories, pictures, reports."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PyPeTLib.io import LoadedSeries
from PyPeTLib.job.model import Job
from PyPeTLib.pipeline import PipelineResult


class Products:
    """Writes what follows the maps into the folder of a job.

    Parameters
    ----------
    job : Job
    loaded : LoadedSeries
    tell : callable
        Called with sentences about what could not be made.
    """

    def __init__(self, job: Job, loaded: LoadedSeries, tell: Callable[[str], None]) -> None:
        self.job, self.loaded, self.tell = job, loaded, tell

    def of_maps(self, result: PipelineResult, folder: Path) -> dict[str, Any]:
        """Write everything but the report, and return what the summary says of it."""
        if self.job.outputs.figures:
            self._figures(result, folder / "figures")
        return {}

    def report(self, result: PipelineResult, summary: Mapping[str, Any], folder: Path) -> None:
        """Write the report for people."""

    def _figures(self, result: PipelineResult, folder: Path) -> None:
        if importlib.util.find_spec("matplotlib") is None:
            self.tell("matplotlib is not installed, so there are no figures")
            return
        from PyPeTLib.report.figures import write_figures  # noqa: PLC0415 - slow to import

        folder.mkdir()
        write_figures(result, folder)

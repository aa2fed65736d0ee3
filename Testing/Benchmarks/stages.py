"""One run in this process, stage by stage, as a program for `speed`.

``python stages.py SERIES OUT`` does what ``pypet run SERIES OUT --quiet`` does and prints, as JSON, the seconds and
the peak memory in bytes of each stage.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from PyPeTLib import load_series, run_pipeline
from PyPeTLib.io import OutputFolder, write_json
from PyPeTLib.report.figures import write_figures
from PyPeTLib.report.results import write_results
from PyPeTLib.report.summary import summarise


def reset_high_water() -> bool:
    """Let the system forget this process's peak of memory, and say whether it can (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def high_water() -> int:
    """Peak memory in bytes since the last reset."""
    return _status("VmHWM")


def memory_now() -> int | None:
    """Resident memory in bytes, or None where the peak cannot be reset, so that nothing can be compared with it."""
    return _status("VmRSS") if reset_high_water() else None


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith(name)))


class Stages:
    """Seconds and peak memory of consecutive stages; `progress` serves as the callback of the pipeline.

    The peak of a stage is only known where the system lets a process reset its high-water mark (Linux).
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.peaks: dict[str, int] = {}
        self._name = ""
        self._start = 0.0
        self._resettable = False

    def begin(self, name: str) -> None:
        """End the stage that runs, and begin another one."""
        self.end()
        self._name = name
        self._resettable = reset_high_water()
        self._start = time.perf_counter()

    def end(self) -> None:
        """End the stage that runs, if there is one."""
        if not self._name:
            return
        self.seconds[self._name] = time.perf_counter() - self._start
        if self._resettable:
            self.peaks[self._name] = high_water()
        self._name = ""

    def progress(self, stage: str, fraction: float) -> None:
        if stage != self._name:
            self.begin(stage)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("series", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    stages = Stages()
    stages.begin("load")
    loaded = load_series(arguments.series)
    result = run_pipeline(loaded.series, progress=stages.progress)
    with OutputFolder(arguments.out, inputs=[arguments.series]) as folder:
        stages.begin("write")
        write_results(result, loaded, folder)
        write_json(folder / "summary.json", summarise(result, loaded))
        stages.begin("figures")
        write_figures(result, folder / "figures")
        stages.end()
    # the pipeline's own clock knows nothing of what lies between two stages
    print(json.dumps({"seconds": stages.seconds | result.seconds, "peaks": stages.peaks}))


if __name__ == "__main__":
    main()

"""Wall time and peak memory of whole processes.

Linux counts the memory of a process from before it becomes another program, so one that is started by a large
process seems large itself. Commands are therefore run by this file as a small program of its own:
``python processes.py COMMAND ...`` prints the seconds, the peak memory in bytes and the exit code.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes to a unit of ``ru_maxrss``."""


@dataclass(frozen=True)
class Usage:
    """What a process took: wall time in s, peak resident memory in bytes, and what it printed."""

    seconds: float
    peak: int
    printed: str


def measured(command: Sequence[str]) -> Usage:
    """Run a command in the project's folder and measure it; a command that fails ends the benchmark."""
    watcher = [sys.executable, "-I", str(Path(__file__).resolve()), *command]
    done = subprocess.run(watcher, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    printed, _, figures = done.stdout.rstrip("\n").rpartition("\n")
    seconds, peak = json.loads(figures)
    return Usage(seconds, peak, printed)


def main(command: Sequence[str]) -> int:
    """Run a command, and print a last line with its seconds and bytes."""
    start = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    # told to the object, which would wait in vain for a process that is gone
    process.returncode = os.waitstatus_to_exitcode(status)
    print(json.dumps([seconds, usage.ru_maxrss * RSS_UNIT]))
    return process.returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""Wall time and peak memory of whole processes.

Linux counts the memory of a process from before it becomes another program, so one that is started by a large
process seems large itself. Commands are therefore run by this file as a small program of its own:
``python processes.py COMMAND ...`` prints the seconds, the peak memory in bytes and the exit code.

The peak counts pages of files that the process has mapped; the system takes those back when others need the room.
What cannot be taken back, the process's own memory, is looked at every few hundredths of a second (Linux).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes to a unit of ``ru_maxrss``."""


LOOK_SECONDS = 0.03


@dataclass(frozen=True)
class Usage:
    """What a process took: wall time in s, peak resident and peak own memory in bytes, and what it printed."""

    seconds: float
    peak: int
    own: int
    printed: str


def measured(command: Sequence[str]) -> Usage:
    """Run a command in the project's folder and measure it; a command that fails ends the benchmark."""
    watcher = [sys.executable, "-I", str(Path(__file__).resolve()), *command]
    done = subprocess.run(watcher, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    printed, _, figures = done.stdout.rstrip("\n").rpartition("\n")
    return Usage(*json.loads(figures), printed)


def main(command: Sequence[str]) -> int:
    """Run a command, and print a last line with its seconds and bytes."""
    start = time.perf_counter()
    process = subprocess.Popen(command)
    ended = threading.Event()
    own = [0]
    watch = threading.Thread(target=_watch, args=(process.pid, ended, own), daemon=True)
    watch.start()
    _, status, usage = os.wait4(process.pid, 0)
    ended.set()
    seconds = time.perf_counter() - start
    # told to the object, which would wait in vain for a process that is gone
    process.returncode = os.waitstatus_to_exitcode(status)
    print(json.dumps([seconds, usage.ru_maxrss * RSS_UNIT, own[0]]))
    return process.returncode


def _watch(pid: int, ended: threading.Event, own: list[int]) -> None:
    """Keep the largest amount of a process's own memory in ``own[0]``, in bytes."""
    while not ended.wait(LOOK_SECONDS):
        try:
            lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
        except OSError:
            return
        found = [int(line.split()[1]) for line in lines if line.startswith("RssAnon")]
        own[0] = max([own[0], *(1024 * kilobytes for kilobytes in found)])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

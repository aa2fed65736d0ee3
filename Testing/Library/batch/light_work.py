"""Work that needs no numerical library, so that processes begin at once."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from PyPeTLib.batch.local import run_locally
from PyPeTLib.cli import guarded


def work(item):
    """Do what the item says, and note it in a file."""
    name, what, notes = item
    with Path(notes).open("a") as file:
        file.write(f"{name}\n")
    first = Path(notes).read_text().split().count(name) == 1
    if what == "kill" or (what == "kill-once" and first):
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "slow":
        time.sleep(0.3)
    if what == "tidy":
        try:
            Path(notes).with_suffix(f".{name}").touch()
            time.sleep(30)
        finally:
            Path(notes).with_suffix(f".{name}").unlink()
    if what == "end":
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)
    return f"{name} done"


def given_up(item):
    return f"{item[0]} given up"


def work_on_all(notes):
    for _, answer in run_locally([(name, "tidy", notes) for name in "abc"], work, given_up, jobs=2):
        print(answer)


if __name__ == "__main__":
    sys.exit(guarded(lambda: work_on_all(sys.argv[1])))

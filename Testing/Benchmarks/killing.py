"""Runs of ``pypet`` killed at random moments (SIGKILL), and what they leave: the folder they make is whole or absent.

Every other kill is aimed at the time of writing, which is short.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

Hashes = Mapping[str, str]
"""SHA-256 of each file by its path within a folder."""

WORK_FOLDER = ".maps.pypet"
"""Where a run for the folder ``maps`` works until it is done."""


@dataclass(kw_only=True)
class Kills:
    """How many runs were killed, by what they left in place; ``faults`` says what must not happen."""

    absent: int = 0
    old: int = 0
    new: int = 0
    finished: int = 0
    while_writing: int = 0
    faults: list[str] = field(default_factory=list)


def command(series: Path, out: Path, *options: str) -> list[str]:
    """A run of a whole process, without figures."""
    return [sys.executable, "-m", "PyPeTLib", "run", str(series), str(out), "--quiet", "--no-figures", *options]


def hashes(folder: Path) -> Hashes:
    """What a folder holds."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def kill_runs(series: Path, folder: Path, count: int, seed: int, *, overwrite: bool = False) -> Kills:
    """Start a run for the same folder again and again, kill it, look at what is there, and run it to its end.

    Parameters
    ----------
    series : Path
        A phantom.
    folder : Path
        Empty; ``maps`` is made in it.
    count, seed : int
        Of the kills and of their moments.
    overwrite : bool
        Whether ``maps`` is there before each run, whole.
    """
    out, rng, kills = folder / "maps", np.random.default_rng(seed), Kills()
    new, duration = _undisturbed(series, out)
    with tempfile.TemporaryDirectory() as kept:
        old_folder = Path(kept) / "maps"
        shutil.copytree(out, old_folder)
        # by which the old folder is known
        (old_folder / "of_the_old_one.txt").write_text("old", encoding="utf-8")
        old = hashes(old_folder)
        for number in range(count):
            shutil.rmtree(out)
            if overwrite:
                shutil.copytree(old_folder, out)
            run = command(series, out, *["--overwrite"] * overwrite)
            kills.finished += _kill_one(run, folder, duration, rng, aimed=number % 2 == 1)
            left = sorted(path.name for path in folder.iterdir())
            kills.while_writing += WORK_FOLDER in left
            faults = judged(kills, hashes(out), old, new, left)
            # a rerun works whatever was left, gives the same bytes and clears the rest
            again, _ = _undisturbed(series, out, "--overwrite")
            names = sorted(new.keys() | again.keys())
            faults += [f"the rerun gave another {name}" for name in names if again.get(name) != new.get(name)]
            faults += [f"{path.name} is left after a rerun" for path in folder.iterdir() if path != out]
            kills.faults += [f"kill {number}: {fault}" for fault in faults]
    return kills


def _undisturbed(series: Path, out: Path, *options: str) -> tuple[Hashes, float]:
    """What a run makes, and the seconds it takes."""
    start = time.perf_counter()
    done = subprocess.run(command(series, out, *options), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"a run that nobody disturbed failed:\n{done.stderr}")
    return hashes(out), time.perf_counter() - start


def _kill_one(run: Sequence[str], folder: Path, duration: float, rng: np.random.Generator, *, aimed: bool) -> bool:
    """Kill a run at a random moment, an aimed one once it writes; whether it had ended before."""
    process = subprocess.Popen(run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if aimed:
        while process.poll() is None and not (folder / WORK_FOLDER / "new").exists():
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.05 * duration))
    else:
        time.sleep(rng.uniform(0, 1.1 * duration))
    process.kill()
    return process.wait() == 0


def judged(kills: Kills, found: Hashes, old: Hashes, new: Hashes, left: Sequence[str]) -> list[str]:
    """Count what a kill left, and say what it must not have left."""
    faults = []
    if not set(left) <= {"maps", WORK_FOLDER}:
        faults.append(f"{left} are left")
    if found == new:
        kills.new += 1
    elif found == old:
        kills.old += 1
    elif "maps" not in left:
        kills.absent += 1
    else:
        faults.append(f"a folder is left that is neither the old nor the new one: {sorted(found)}")
    return faults

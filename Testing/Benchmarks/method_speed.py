"""Time and memory of each deconvolution method on as many curves as a brain has, each in a process of its own.

``python method_speed.py METHOD`` measures one method and prints, as JSON, the seconds of its runs and the memory it
takes beyond the curves, in multiples of them.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from cases import NO_VALUE, cases
from layout import markdown_table, median_and_range
from processes import measured
from stages import high_water, memory_now

from PyPeTLib.arrays import Curve, Volume
from PyPeTLib.deconvolution import deconvolve
from PyPeTLib.execution import VOXELS_PER_PIECE, Execution
from PyPeTLib.phantom import make_tiles

GRID = (100, 102, 25)
"""A block of 255 000 voxels."""

THREADS = 2
RUNS = 5
ENOUGH_SECONDS = 40.0
"""A slow method is not run again once its runs have taken so long together."""

NOISE_HU = 2.0


def curves(n: int) -> tuple[Volume, Curve, Curve]:
    """Curves of shape (n, 45) with some noise, their AIF and frame times; neighbours are alike."""
    tiles = make_tiles()
    found = np.repeat(tiles.curves.astype(np.float32), -(-n // len(tiles.curves)), axis=0)[:n]
    found += np.float32(NOISE_HU) * np.random.default_rng(0).standard_normal(found.shape, np.float32)
    return found, tiles.aif, tiles.times


def measure(method: str, runs: int, grid: tuple[int, int, int] = GRID) -> dict[str, object]:
    """Seconds of each run, and the peak memory of the first one beyond what was there, in copies of the curves."""
    mask = np.ones(grid, bool)
    tissue, aif, times = curves(mask.size)
    options, execution = cases()[method], Execution(threads=THREADS)
    first = np.zeros_like(mask)
    first.ravel()[: THREADS * VOXELS_PER_PIECE] = True
    # for what only the first call pays
    deconvolve(tissue[: np.count_nonzero(first)], aif, times, options, execution, mask=first)
    gc.collect()
    before = memory_now()
    seconds: list[float] = []
    copies = None
    while len(seconds) < runs and (not seconds or sum(seconds) < ENOUGH_SECONDS):
        start = time.perf_counter()
        deconvolve(tissue, aif, times, options, execution, mask=mask)
        seconds.append(time.perf_counter() - start)
        if len(seconds) == 1 and before is not None:
            copies = (high_water() - before) / tissue.nbytes
    return {"seconds": seconds, "copies": copies}


def report(runs: int = RUNS) -> Iterator[str]:
    """The table, one row a method."""
    rows = []
    for method in cases():
        found = json.loads(measured([sys.executable, str(Path(__file__).resolve()), method, str(runs)]).printed)
        seconds, copies = found["seconds"], found["copies"]
        microseconds = f"{1e6 * np.median(seconds) / np.prod(GRID):.2f}"
        memory = NO_VALUE if copies is None else f"{copies:.2f}"
        rows.append((method, median_and_range(seconds), str(len(seconds)), microseconds, memory))
    header = ("method", "seconds", "runs", "µs a voxel", "memory, copies")
    yield (
        f"## Speed of the methods\n\n{np.prod(GRID)} voxels × 45 frames, {THREADS} threads, default options, each "
        f"method in a process of its own: median (range) after a warm-up on {THREADS * VOXELS_PER_PIECE} voxels. The "
        "memory is the highest that the deconvolution takes beyond the curves it is given, in copies of these "
        f"({np.prod(GRID) * 45 * 4 / 1e6:.0f} MB).\n\n{markdown_table(header, rows)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("method", choices=list(cases()))
    parser.add_argument("runs", type=int)
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.method, arguments.runs)))


if __name__ == "__main__":
    main()

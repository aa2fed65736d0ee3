"""What the machine can do, measured in the same run as everything else."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy
import threadpoolctl
from layout import markdown_table

from PyPeTLib import __version__
from PyPeTLib.execution import usable_cores

COPIED_BYTES = 256 * 2**20
GEMM_SIZE = 2048
REPEATS = 7


def shortest(work: Callable[[], object]) -> float:
    """Seconds of the fastest of a few repetitions: what the machine can do when it is let."""
    work()
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def copy_bandwidth() -> float:
    """GB/s of one thread that copies a large float32 array; a byte read and written counts twice."""
    source = np.ones(COPIED_BYTES // 4, np.float32)
    target = np.zeros_like(source)
    return 2 * COPIED_BYTES / shortest(lambda: np.copyto(target, source)) / 1e9


def gemm_rate() -> float:
    """GFLOP/s of a float32 matrix product with the BLAS of numpy and its own threads."""
    rng = np.random.default_rng(0)
    one, other = (rng.standard_normal((GEMM_SIZE, GEMM_SIZE), np.float32) for _ in range(2))
    product = np.empty_like(one)
    return 2 * GEMM_SIZE**3 / shortest(lambda: np.matmul(one, other, out=product)) / 1e9


def processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def load() -> str:
    """How many processes have wanted a core in the last 1, 5 and 15 minutes."""
    return " / ".join(f"{value:.1f}" for value in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"


def report(command: str) -> str:
    """The machine that a command ran on, as a table."""
    before = load()
    blas = [f"{pool['internal_api']} {pool['version']}" for pool in threadpoolctl.threadpool_info()]
    rows = [
        ("processor", f"{processor()}, {usable_cores()} cores usable"),
        ("load before (1 / 5 / 15 min)", before),
        ("copy bandwidth, one thread", f"{copy_bandwidth():.1f} GB/s (read and written)"),
        ("float32 matrix product", f"{gemm_rate():.0f} GFLOP/s"),
        ("system", f"{platform.system()} {platform.machine()}"),
        ("Python, numpy, scipy", f"{platform.python_version()}, {np.__version__}, {scipy.__version__}"),
        ("BLAS", ", ".join(sorted(set(blas))) or "unknown"),
        ("PyPeT", __version__),
    ]
    return f"## Machine of `{command}`\n\n" + markdown_table(("", "measured"), rows)

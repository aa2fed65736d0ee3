"""Wall time and peak memory of whole runs from file to files, and where they go."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from layout import markdown_table, median_and_range
from processes import Usage, measured

from PyPeTLib.execution import Execution, usable_cores
from PyPeTLib.phantom import RigidMotion, make_head, write_phantom

MOTION = RigidMotion(drift_mm=2.0, drift_degrees=2.0, jump_mm=2.0, jump_degrees=2.0)
CASES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "CTP": ("ctp", {}),
    "CTP, moving": ("ctp", {"motion": MOTION}),
    "DSC": ("dsc", {}),
}
"""Name of a case, and the head phantom it is."""

ORIGINAL_PROCESS = {"CTP": "32.8 s, 2.65 GB", "DSC": "33.7 s, 1.64 GB"}
"""The original PyPeT on still heads of these sizes."""

ORIGIN = (
    "The original PyPeT was measured apart, on heads of these sizes and another machine with 2 cores; medians of 3."
)

ORIGINAL_STAGES = {
    "load": (0.96, 0.17),
    "motion": (16.5, 9.1),
    "mask": (0.3, 14.9),
    "bolus": (0.6, 1.4),
    "aif": (0.3, 0.1),
    "smoothing": (0.5, 0.27),
    "deconvolution": (11.1, 5.8),
}
"""Its stages in s, CTP and DSC, under the names that they have here."""

STAGES = (
    *(
        "load",
        "resample",
        "motion",
        "mask",
        "bolus",
        "symmetry",
        "aif",
        "tissue",
        "smoothing",
        "deconvolution",
        "maps",
        "write",
        "figures",
    ),
)
INTERPRETER = "start, imports, exit"
MODULE = [sys.executable, "-m", "PyPeTLib", "run"]
BY_STAGE = [sys.executable, str(Path(__file__).with_name("stages.py"))]


@dataclass
class Staged:
    """Seconds and peaks of each stage over the runs of a case."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    peaks: dict[str, list[float]] = field(default_factory=dict)

    def add(self, usage: Usage) -> None:
        found = json.loads(usage.printed)
        found["seconds"][INTERPRETER] = usage.seconds - sum(found["seconds"].values())
        found["seconds"]["whole"] = usage.seconds
        if found["peaks"]:
            # the system's own figure knows nothing of what lies before the last reset
            found["peaks"]["whole"] = max(found["peaks"].values())
        for kept, new in ((self.seconds, found["seconds"]), (self.peaks, found["peaks"])):
            for name, value in new.items():
                kept.setdefault(name, []).append(value)


def write_case(name: str, folder: Path) -> Path:
    """The head of a case as a file."""
    modality, changes = CASES[name]
    head = make_head(modality, seed=0, execution=Execution(threads=1), **changes)
    return write_phantom(head, folder / name.replace(", ", "-").lower(), f"head_{modality}")


def report(runs: int) -> Iterator[str]:
    """The tables of speed, from so many runs of each case."""
    with tempfile.TemporaryDirectory(prefix="pypet-benchmark-") as name:
        folder = Path(name)
        with ProcessPoolExecutor(usable_cores(), mp_context=get_context("spawn")) as pool:
            files = dict(zip(CASES, pool.map(write_case, CASES, [folder] * len(CASES)), strict=True))
        yield _whole_processes(files, folder / "maps", runs)
        yield _by_stage(files, folder / "maps", runs)


def _measured_run(command: list[str], file: Path, out: Path, *options: str) -> Usage:
    usage = measured([*command, str(file), str(out), *options])
    shutil.rmtree(out)
    return usage


def _whole_processes(files: Mapping[str, Path], out: Path, runs: int) -> str:
    kinds = {"yes": ("--quiet",), "no": ("--quiet", "--no-figures")}
    usages: dict[tuple[str, str], list[Usage]] = {}
    # in turns, so that what else the machine does meets all cases alike
    for _ in range(runs):
        for case, file in files.items():
            for figures, options in kinds.items():
                usages.setdefault((case, figures), []).append(_measured_run(MODULE, file, out, *options))
    rows = [
        (
            f"{case}, {_size(files[case])}" if figures == "yes" else case,
            figures,
            median_and_range([usage.seconds for usage in found]),
            median_and_range([usage.peak / 1e9 for usage in found]),
            ORIGINAL_PROCESS.get(case, "–"),
        )
        for (case, figures), found in usages.items()
    ]
    table = markdown_table(("head phantom", "figures", "wall time, s", "peak memory, GB", "original PyPeT"), rows)
    return (
        "## Speed: whole processes\n\n"
        f"`python -m PyPeTLib run FILE OUT`, file to files, start of Python included; median (range) of {runs}. "
        f"{ORIGIN}\n\n{table}"
    )


def _by_stage(files: Mapping[str, Path], out: Path, runs: int) -> str:
    staged = {case: Staged() for case in files}
    for _ in range(runs):
        for case, file in files.items():
            staged[case].add(_measured_run(BY_STAGE, file, out))
    rows = []
    for stage in (*STAGES, INTERPRETER, "whole"):
        original = ORIGINAL_STAGES.get(stage)
        cells = [_seconds_and_peak(staged[case], stage) for case in files]
        rows.append((stage, *cells, *(("–", "–") if original is None else (f"{value:.2f}" for value in original))))
    table = markdown_table(("stage", *files, "original, CTP", "original, DSC"), rows)
    return (
        "## Speed: by stage\n\n"
        f"Seconds, and in brackets the peak memory of the process during the stage in GB; median of {runs}, each in a "
        f"process of its own. {ORIGIN}\n\n{table}"
    )


def _seconds_and_peak(staged: Staged, stage: str) -> str:
    seconds = f"{np.median(staged.seconds[stage]):.2f}"
    return f"{seconds} ({np.median(staged.peaks[stage]) / 1e9:.2f})" if stage in staged.peaks else seconds


def _size(file: Path) -> str:
    # as written: int16 .nii.gz
    import nibabel  # noqa: PLC0415 - only here

    return "×".join(str(n) for n in nibabel.load(file).shape)

"""Time and memory of the synthesis of PET: whole processes on files, and the library alone."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from layout import markdown_table, median_and_range
from processes import Usage, measured

from PyPeTLib.geometry import Grid
from PyPeTLib.phantom.pairs import CONTRASTS, Pairs, make_pairs, write_pairs
from PyPeTLib.synthesis import SynthesisOptions, fit, load_subject, predict
from PyPeTLib.synthesis.dataset import SubjectFiles

COMMAND = (sys.executable, "-m", "PyPeTLib", "synthesis")
Made = TypeVar("Made")

N_TRAIN, N_TEST = 12, 8
TRAIN, TRAIN_TWICE, PREDICT, PREDICT_LARGE, EVALUATE = "train", "train, twice", "predict", "predict, large", "evaluate"
MODELS = "64, 8 and 1 patches, global linear, templates"

MOST_TRAIN, MOST_PREDICT, MOST_LARGE, MOST_GB = 20.0, 1.0, 2.0, 1.5
"""What was asked for: seconds to train on 12 heads, to predict one, and one of 128×128×64 voxels; memory."""

MOST_GROWTH = 0.05
"""Of the peak memory with twice the heads, beyond which it is said to grow."""

NOTES = """\
Made heads of {size}³ voxels with T1, T2, FLAIR and PET as `.nii.gz`, and one of {large} voxels; whole processes of
`python -m PyPeTLib synthesis`, start of Python, reading, checks and writing included, pictures and report too; median
(range) of {runs}. `train` makes all its models at once
({models}); `evaluate` compares, draws and tests all of them."""

ALONE_NOTE = """\
Functions of `PyPeTLib.synthesis` in one process, on heads in memory, but for the row of reading; median (range) of
{runs}. A head's plane of symmetry is found anew in each run."""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What was asked of a case; None where nothing was."""

    seconds: float | None = None
    gigabytes: float | None = None


def large_grid(shape: tuple[int, int, int], extent: float = 192.0) -> Grid:
    """A grid of so many voxels in a cube of so many mm around the middle."""
    sizes = extent / np.array(shape)
    affine = np.diag([*sizes, 1.0])
    affine[:3, 3] = -sizes * (np.array(shape) - 1) / 2
    return Grid(shape, affine)


def report(runs: int, size: int = 64, large: tuple[int, int, int] = (128, 128, 64)) -> Iterator[str]:
    """The tables, from so many runs of each case."""
    with tempfile.TemporaryDirectory(prefix="pypet-benchmark-") as name:
        folder = Path(name)
        heads = {
            count: _written(folder / f"of-{count}", make_pairs(train=count, test=N_TEST, size=size))
            for count in (N_TRAIN, 2 * N_TRAIN)
        }
        one = _written(folder / "large", make_pairs(train=0, test=1, grid=large_grid(large)))
        told = "×".join(map(str, large))
        usages = _whole_processes(heads, one, folder, runs)
        notes = NOTES.format(size=size, large=told, runs=runs, models=MODELS)
        table = processes_table(usages, size, told)
        yield f"## Speed: synthesis of PET from MRI\n\n{notes}\n\n{table}\n\n{growth(usages)}"
        seconds = _alone(heads[N_TRAIN], one, runs)
        told_alone = ALONE_NOTE.format(runs=runs)
        yield f"### Without processes and files\n\n{told_alone}\n\n{alone_table(seconds, size, told)}"


def _written(folder: Path, pairs: Pairs) -> Path:
    folder.mkdir()
    write_pairs(folder, pairs)
    return folder


def _whole_processes(heads: Mapping[int, Path], large: Path, folder: Path, runs: int) -> dict[str, list[Usage]]:
    """Usages of each case, in turns, so that what else the machine does meets all alike."""
    models, out = folder / "models", folder / "out"
    first, twice = heads.values()
    commands = {
        TRAIN: ("train", first, models),
        TRAIN_TWICE: ("train", twice, out),
        PREDICT: ("predict", models / "patches-64.npz", out, *_contrasts(first, N_TRAIN)),
        PREDICT_LARGE: ("predict", models / "patches-64.npz", out, *_contrasts(large, 0)),
        EVALUATE: ("evaluate", models, first, out),
    }
    found: dict[str, list[Usage]] = {case: [] for case in commands}
    for _ in range(runs):
        shutil.rmtree(models, ignore_errors=True)
        for case, command in commands.items():
            found[case].append(measured([*COMMAND, *map(str, command)]))
            shutil.rmtree(out, ignore_errors=True)
    return found


def _contrasts(dataset: Path, number: int) -> list[str]:
    """Options that name a test head's MRI."""
    files = [f"{name}={dataset / 'test' / name / f'{number:02d}.nii.gz'}" for name in CONTRASTS]
    return [part for file in files for part in ("--contrast", file)]


def processes_table(usages: Mapping[str, Sequence[Usage]], size: int, large: str) -> str:
    """Wall time and memory of whole processes, and whether they keep to what was asked for."""
    cases = {
        TRAIN: (f"train on {N_TRAIN} heads of {size}³", Limit(seconds=MOST_TRAIN, gigabytes=MOST_GB)),
        TRAIN_TWICE: (f"train on {2 * N_TRAIN} heads of {size}³", Limit(gigabytes=MOST_GB)),
        PREDICT: (f"predict one head of {size}³", Limit(gigabytes=MOST_GB)),
        PREDICT_LARGE: (f"predict one head of {large}", Limit(gigabytes=MOST_GB)),
        EVALUATE: (f"evaluate on {N_TEST} heads of {size}³", Limit(gigabytes=MOST_GB)),
    }
    rows = []
    for case, (name, limit) in cases.items():
        seconds = [usage.seconds for usage in usages[case]]
        peaks = [usage.peak / 1e9 for usage in usages[case]]
        rows.append(
            (
                *(name, median_and_range(seconds), kept(seconds, limit.seconds, " s")),
                *(median_and_range(peaks), kept(peaks, limit.gigabytes, " GB")),
            )
        )
    return markdown_table(("pypet synthesis", "wall time, s", "asked, kept", "peak memory, GB", "asked, kept"), rows)


def kept(values: Sequence[float], limit: float | None, unit: str) -> str:
    """A limit, and whether the median keeps to it."""
    if limit is None:
        return "–"
    return f"< {limit:g}{unit}, {'yes' if np.median(values) < limit else '**no**'}"


def growth(usages: Mapping[str, Sequence[Usage]]) -> str:
    """Whether memory grows with the number of heads, in words."""
    once, twice = (float(np.median([usage.peak for usage in usages[case]])) for case in (TRAIN, TRAIN_TWICE))
    verdict = "does not grow with their number" if twice <= (1 + MOST_GROWTH) * once else "**grows with their number**"
    return f"Peak memory of training on twice the heads: {100 * (twice / once - 1):+.1f} %; it {verdict}."


def _alone(dataset: Path, large: Path, runs: int) -> dict[str, list[float]]:
    """Seconds of each function, run by run."""
    files = [_files(dataset, "train", number) for number in range(N_TRAIN)]
    found: dict[str, list[float]] = {}
    for _ in range(runs):
        seconds, subjects = timed(lambda: [load_subject(one) for one in files])
        found.setdefault("read", []).append(seconds)
        for patches in (1, 8, 64, 216):
            # a new one knows nothing of its plane of symmetry yet
            fresh = [replace(subject) for subject in subjects]
            options = SynthesisOptions(patches=patches)
            seconds, fits = timed(lambda fresh=fresh, options=options: fit(iter(fresh), options))
            found.setdefault(f"fit {patches}", []).append(seconds)
            if patches != SynthesisOptions().patches:
                continue
            heads = {"predict": _files(dataset, "test", N_TRAIN), "predict large": _files(large, "test", 0)}
            for case, one in heads.items():
                subject = load_subject(one).without_pet()
                seconds, _ = timed(lambda subject=subject, fits=fits: predict(fits[0].model, subject))
                found.setdefault(case, []).append(seconds)
    return found


def _files(dataset: Path, split: str, number: int) -> SubjectFiles:
    def path(folder: str) -> Path:
        return dataset / split / folder / f"{number:02d}.nii.gz"

    return SubjectFiles(name=f"{number:02d}", contrasts={name: path(name) for name in CONTRASTS}, pet=path("PET"))


def timed(work: Callable[[], Made]) -> tuple[float, Made]:
    """Seconds that something takes, and what comes of it."""
    start = time.perf_counter()
    made = work()
    return time.perf_counter() - start, made


def alone_table(seconds: Mapping[str, Sequence[float]], size: int, large: str) -> str:
    """Seconds of the library's functions, and whether they keep to what was asked for."""
    cases = {
        "read": (f"read {N_TRAIN} heads of {size}³ from files", None),
        **{f"fit {patches}": (f"fit P = {patches} to {N_TRAIN} heads", MOST_TRAIN) for patches in (1, 8, 64, 216)},
        "predict": (f"predict one head of {size}³, P = 64", MOST_PREDICT),
        "predict large": (f"predict one head of {large}, P = 64", MOST_LARGE),
    }
    rows = [
        (name, median_and_range(seconds[case]), kept(seconds[case], most, " s")) for case, (name, most) in cases.items()
    ]
    return markdown_table(("", "seconds", "asked, kept"), rows)

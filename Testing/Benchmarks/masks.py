"""The brain mask on every kind of head, against the space inside the inner table."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from cases import NO_VALUE
from layout import markdown_table, mean_and_worst

from PyPeTLib import Modality
from PyPeTLib.execution import Execution
from PyPeTLib.masking import MaskOptions, brain_mask
from PyPeTLib.phantom import HEAD_KINDS, kind_options, make_head
from PyPeTLib.phantom.scoring import dice

FRAME_INTERVAL = {Modality.CTP: 5.0, Modality.DSC: 0.5}
"""Seconds: the mean image of CT is taken over the bolus, that of MR before it."""

NOTES = """\
Head phantoms with face, skull base and neck, seeds {seeds}, each in the image that the pipeline makes its mask from,
with default options. Dice against all that lies inside the inner table, CSF included: mean over the seeds and, in
brackets, the lowest. Outside and missed: volume in ml of the mask outside the truth, and of the truth outside the mask,
means. Seconds: the mask alone, on one core beside other work, the median."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What became of one head; volumes in ml."""

    dice: float
    outside: float
    missed: float
    seconds: float


def found(kind: str, modality: Modality, seed: int) -> Found:
    """Make a head of a kind and find its brain."""
    options = kind_options(kind, modality)
    head = make_head(
        modality,
        seed=seed,
        n_frames=8,
        dt=FRAME_INTERVAL[modality],
        execution=Execution(threads=1),
        **options,
    )
    series, truth = head.series, head.masks["intracranial"]
    mean = series.mean(frames=slice(None))
    start = time.perf_counter()
    mask = brain_mask(mean, series.grid, modality, MaskOptions()).mask
    seconds = time.perf_counter() - start
    ml = series.grid.voxel_volume / 1000
    return Found(
        dice=dice(mask, truth),
        outside=ml * int(np.count_nonzero(mask & ~truth)),
        missed=ml * int(np.count_nonzero(truth & ~mask)),
        seconds=seconds,
    )


def report(pool: Executor, seeds: Sequence[int]) -> Iterator[str]:
    """The table, one row a kind."""
    jobs = {
        (kind, modality): [pool.submit(found, kind, modality, seed) for seed in seeds]
        for kind, entry in HEAD_KINDS.items()
        for modality in entry.modalities
    }
    heads = {key: [job.result() for job in one] for key, one in jobs.items()}
    header = ["kind of head"]
    for modality in Modality:
        name = modality.upper()
        header += [f"{name} Dice", f"{name} outside, ml", f"{name} missed, ml", f"{name} s"]
    rows = []
    for entry in HEAD_KINDS.entries():
        row = [f"{entry.name}: {entry.summary}"]
        for modality in Modality:
            row += _cells(heads.get((entry.name, modality), []))
        rows.append(row)
    notes = NOTES.format(seeds=", ".join(map(str, seeds)))
    yield f"## Brain masks\n\n{notes}\n\n{markdown_table(header, rows)}"


def _cells(heads: Sequence[Found]) -> list[str]:
    if not heads:
        return [NO_VALUE] * 4
    return [
        mean_and_worst([head.dice for head in heads], ".3f"),
        *(f"{np.mean([getattr(head, name) for head in heads]):.0f}" for name in ("outside", "missed")),
        f"{np.median([head.seconds for head in heads]):.2f}",
    ]

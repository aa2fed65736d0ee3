"""What each method that is offered for lesions marks on a healthy head, fully automatic: it should be nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np
from cases import cases
from heads import measured_methods, prepared
from layout import markdown_table

from PyPeTLib import Modality
from PyPeTLib.execution import Execution
from PyPeTLib.phantom import make_head
from PyPeTLib.phantom.scoring import CORE_FLOW, HYPOPERFUSION_TMAX

Volumes = tuple[float, float]
"""Of the core and of the region of late Tmax, in ml."""

NOTES = """\
Healthy head phantoms {seeds}, fully automatic (mask and arterial input too), the options of the modality. Volume in ml
of tissue with Tmax > {tmax:g} s, and of the part of it with less than {flow:g} % of the mean flow; no rule of clusters.
Mean over the seeds and, in brackets, the largest."""


def lesion_methods() -> list[str]:
    """Methods offered for Tmax and relative flow."""
    return list(cases("lesions"))


def marked(modality: str, seed: int, **head_options: Any) -> dict[str, Volumes]:
    """Volumes that each method marks on one healthy head."""
    head = make_head(modality, seed=seed, healthy=True, execution=Execution(threads=1), **head_options)
    found = measured_methods(head, prepared(head), lesion_methods())
    return {method: (one.lesions.core_ml, float(one.lesions.late_ml)) for method, one in found.items()}


def report(pool: Executor, seeds: Sequence[int], **head_options: Any) -> Iterator[str]:
    """The table, one row a method."""
    jobs = {modality: [pool.submit(marked, modality, seed, **head_options) for seed in seeds] for modality in Modality}
    heads = {modality: [job.result() for job in one] for modality, one in jobs.items()}
    header = ["method"]
    for modality in Modality:
        header += [f"{modality.upper()} core, ml", f"{modality.upper()} Tmax > {HYPOPERFUSION_TMAX:g} s, ml"]
    rows = [
        (method, *(_cell([head[method][k] for head in heads[modality]]) for modality in Modality for k in (0, 1)))
        for method in lesion_methods()
    ]
    notes = NOTES.format(seeds=", ".join(map(str, seeds)), tmax=HYPOPERFUSION_TMAX, flow=100 * CORE_FLOW)
    yield f"## Healthy heads\n\n{notes}\n\n{markdown_table(header, rows)}"


def _cell(volumes: Sequence[float]) -> str:
    return f"{np.mean(volumes):.2f} ({max(volumes):.2f})"

"""Time and memory that the Slicer module adds to the library: sequence to array, nodes to scene."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from layout import markdown_table, median_and_range
from processes import measured

PROGRAM = Path(__file__).with_name("in_slicer.py")
ENVIRONMENTS = ".venv-slicer-*/bin/python"

STEPS = ("sequence to array", "nodes to scene")


def report(runs: int) -> str:
    """The table for each environment with slicer-core that `make test` has made."""
    pythons = sorted(Path(__file__).parents[2].glob(ENVIRONMENTS), reverse=True)
    title = "## Speed: what the Slicer module adds\n\n"
    if not pythons:
        return f"{title}Not measured: there is no environment with slicer-core; `make test` makes them."
    rows = []
    for python in pythons:
        found = [json.loads(measured([str(python), str(PROGRAM)]).printed) for _ in range(runs)]
        cells = [median_and_range([one["seconds"][step] for one in found]) for step in STEPS]
        added = [sum(one["seconds"][step] for step in STEPS) for one in found]
        copies = [(one["peaks"]["sequence to array"] - one["peaks"]["before"]) / one["series"] for one in found]
        version = python.parts[-3].removeprefix(".venv-slicer-")
        rows.append((version, *cells, median_and_range(added), f"{np.median(copies):.2f}"))
    table = markdown_table(
        ("slicer-core", *(f"{step}, s" for step in STEPS), "together, s", "copies of the series"), rows
    )
    return (
        f"{title}CTP head of 200×200×23×45 as a sequence node; median (range) of {runs}, each in a process of its own, "
        "in the headless host. The last column is the memory that reading the sequence adds, in float32 copies of the "
        f"series.\n\n{table}"
    )

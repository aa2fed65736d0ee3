"""Every deconvolution method on OSIPI's DSC digital reference object, which is not part of the project."""

from __future__ import annotations

import csv
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cases import cases, quantities_of_curves
from layout import markdown_table

from PyPeTLib.arrays import Curve
from PyPeTLib.deconvolution import DeconvolutionOptions, deconvolve
from PyPeTLib.execution import usable_cores
from PyPeTLib.quantification import QuantificationOptions

DATA = Path(os.environ.get("PYPET_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
FILE = DATA / "osipi_dsc_dro.csv"
TITLE = "## OSIPI DSC digital reference object"
PLAIN = QuantificationOptions(density=1.0, large_vessel_haematocrit=0.0, small_vessel_haematocrit=0.0)
"""The reference object is in ml/100ml and knows no haematocrit."""

TOLERANCE = {"cbf": (15.0, 0.1), "cbv": (1.0, 0.1)}
"""OSIPI's: absolute and relative part, which add up."""

TIMED_VOXELS = 131_072
REPEATS = 9


@dataclass(frozen=True, kw_only=True, eq=False)
class ReferenceObject:
    """Curves of shape (cases, t), frame times in s, and truth by the names of the maps."""

    tissue: Curve
    aif: Curve
    times: Curve
    truth: dict[str, Curve]


def read() -> ReferenceObject | None:
    """The reference object, or None where its file is absent."""
    if not FILE.is_file():
        return None
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    tissue, aif = (np.array([np.fromstring(row[key], sep=" ") for row in rows]) for key in ("C_tis", "C_aif"))
    return ReferenceObject(
        tissue=tissue,
        aif=aif,
        times=np.arange(tissue.shape[1], dtype=np.float64) * float(rows[0]["tr"]),
        truth={name: np.array([float(row[name]) for row in rows]) for name in TOLERANCE},
    )


def report() -> str:
    """The table, or a line that says why there is none."""
    reference = read()
    if reference is None:
        return (
            f"{TITLE}\n\nLeft out: {FILE.name} is not in the folder that PYPET_SHARED_DATA names, nor in its default."
        )
    rows = []
    for method, options in cases().items():
        rows.append(_row(method, reference, options, found_by(reference, options)))
    n, frames = reference.tissue.shape
    header = (
        "method",
        "CBF mean error",
        "CBF median ratio",
        "CBF within",
        "CBV mean error",
        "CBV within",
        "µs a voxel",
    )
    return (
        f"{TITLE}\n\n"
        f"{n} cases of {frames} frames, each with its own AIF; default options, the same as for tiles and heads; "
        "mean absolute errors in ml/100ml/min and ml/100ml; how "
        f"many lie within OSIPI's tolerance; time of the deconvolution of {TIMED_VOXELS} voxels on {usable_cores()} "
        f"threads, fastest of {REPEATS}.\n\n{markdown_table(header, rows)}"
    )


def found_by(reference: ReferenceObject, options: DeconvolutionOptions) -> dict[str, Curve]:
    """CBF and CBV of each case."""
    found = {kind: np.empty(len(reference.tissue)) for kind in TOLERANCE}
    for i, (curve, aif) in enumerate(zip(reference.tissue.astype(np.float32), reference.aif, strict=True)):
        values = quantities_of_curves(curve[None], aif, reference.times, options, PLAIN)
        for kind, kept in found.items():
            kept[i] = values[kind][0]
    return found


def _row(
    name: str, reference: ReferenceObject, options: DeconvolutionOptions, found: dict[str, Curve]
) -> tuple[str, ...]:
    errors = {kind: np.abs(found[kind] - reference.truth[kind]) for kind in TOLERANCE}
    within = {
        kind: f"{(errors[kind] <= most + share * reference.truth[kind]).sum()} of {len(reference.tissue)}"
        for kind, (most, share) in TOLERANCE.items()
    }
    ratio = np.median(found["cbf"] / reference.truth["cbf"])
    return (
        name,
        f"{errors['cbf'].mean():.2f}",
        f"{ratio:.2f}",
        within["cbf"],
        f"{errors['cbv'].mean():.3f}",
        within["cbv"],
        f"{_microseconds(reference, options):.2f}",
    )


def _microseconds(reference: ReferenceObject, options: DeconvolutionOptions) -> float:
    """Time of one voxel among many with one AIF."""
    curves = np.resize(reference.tissue.astype(np.float32), (TIMED_VOXELS, reference.times.size))
    mask = np.ones((TIMED_VOXELS // 1024, 32, 32), bool)
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        deconvolve(curves, reference.aif[0], reference.times, options, mask=mask)
        seconds.append(time.perf_counter() - start)
    return 1e6 * min(seconds) / TIMED_VOXELS

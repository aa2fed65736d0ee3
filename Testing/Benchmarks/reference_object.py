"""Every deconvolution method on OSIPI's DSC digital reference object, which is not part of the project."""

from __future__ import annotations

import csv
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from layout import markdown_table

from PyPeTLib import Modality, PipelineConfig
from PyPeTLib.arrays import Curve
from PyPeTLib.deconvolution import METHODS, DeconvolutionOptions, deconvolve
from PyPeTLib.execution import usable_cores
from PyPeTLib.quantification import QuantificationOptions, quantify

DATA = Path(os.environ.get("PYPET_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
FILE = DATA / "osipi_dsc_dro.csv"
TITLE = "## OSIPI DSC digital reference object"
PLAIN = QuantificationOptions(density=1.0, haematocrit_factor=1.0)
"""The reference object is in ml/100ml and knows no haematocrit."""

TOLERANCE = {"cbf": (15.0, 0.1), "cbv": (1.0, 0.1)}
"""OSIPI's: absolute and relative part, which add up."""

TIMED_VOXELS = 32_768
REPEATS = 3


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
        times=np.arange(tissue.shape[1]) * float(rows[0]["tr"]),
        truth={name: np.array([float(row[name]) for row in rows]) for name in TOLERANCE},
    )


def report() -> str:
    """The table, or a line that says why there is none."""
    reference = read()
    if reference is None:
        return (
            f"{TITLE}\n\nLeft out: {FILE.name} is not in the folder that PYPET_SHARED_DATA names, nor in its default."
        )
    preset = PipelineConfig.for_modality(Modality.DSC).deconvolution
    rows = [_row(method, reference, DeconvolutionOptions(method=method)) for method in METHODS]
    rows.append(_row(f"{preset.method}, preset for DSC", reference, preset))
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
        f"{n} cases of {frames} frames, each with its own AIF; mean absolute errors in ml/100ml/min and ml/100ml; how "
        f"many lie within OSIPI's tolerance; time of the deconvolution of {TIMED_VOXELS} voxels on {usable_cores()} "
        f"threads, fastest of {REPEATS}.\n\n{markdown_table(header, rows)}"
    )


def _row(name: str, reference: ReferenceObject, options: DeconvolutionOptions) -> tuple[str, ...]:
    found = {kind: np.empty(len(reference.tissue)) for kind in TOLERANCE}
    for i, (curve, aif) in enumerate(zip(reference.tissue.astype(np.float32), reference.aif, strict=True)):
        estimate = deconvolve(curve[None], aif, reference.times, options)
        values = quantify(curve[None], aif, reference.times, estimate, PLAIN).values
        for kind, kept in found.items():
            kept[i] = values[kind][0]
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
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        deconvolve(curves, reference.aif[0], reference.times, options)
        seconds.append(time.perf_counter() - start)
    return 1e6 * min(seconds) / TIMED_VOXELS

"""The whole pipeline, fully automatic, against head phantoms; and what its method itself makes of perfect data."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from cases import workers
from layout import markdown_table, mean_and_farthest, mean_and_worst

from PyPeTLib import Modality, PerfusionSeries, PipelineConfig, read_series, run_pipeline
from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.assembly import unravelled
from PyPeTLib.contrast import ContrastOptions, concentration, find_bolus
from PyPeTLib.deconvolution import deconvolve
from PyPeTLib.execution import Execution
from PyPeTLib.phantom import HeadPhantom, RigidMotion, make_head, write_phantom
from PyPeTLib.phantom.scoring import CORE_FLOW, HYPOPERFUSION_TMAX, HeadScore, score_head
from PyPeTLib.quantification import quantify

KINDS: Mapping[str, dict[str, Any]] = {
    "plain": {},
    "oblique": {"affine": "oblique"},
    "las": {"affine": "las"},
    "tilted": {"affine": "tilted"},
    "slab of 4 slices": {"slab": 4},
    "tissue 2 s later": {"tissue_lag": 2.0},
    "moving": {"motion": RigidMotion(drift_mm=2.0, drift_degrees=2.0, jump_mm=2.0, jump_degrees=2.0)},
    "healthy": {"healthy": True},
}
REFERENCE = "noise-free, true AIF"
HEADER = (
    *("head", "mask Dice", "pia Dice", "AIF in arteries, %", "CBF r", "CBF bias, %", "CBV r", "CBV bias, %"),
    *("Tmax r", "Tmax > 6 s", "core"),
)

NOTES = """\
Mean over the seeds and, in brackets, the worst. Mask: Dice with everything inside the inner table; a perfect mask
scores about .945 against the pia. AIF: share of its voxels that are at least half artery. Correlations and biases over
tissue voxels. Lesions: Dice with their labels; on the healthy head, which has none, the volume wrongly marked, in ml.
The reference row is the method alone: no noise, true mask and AIF, no smoothing; the bias above it is the data's part.
Oblique, las (left-handed) and tilted heads go through a file. The moving head is scored in the pose of its first
frames, at most 0.2 mm from the truth's. CBF and CBV of DSC are scaled to the truth in normal white matter."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Score of one head, and the volumes in ml marked as hypoperfused and as core."""

    score: HeadScore
    late_ml: float
    core_ml: float


def measure(modality: str, kind: str, seed: int) -> Measured:
    """One head through the pipeline, or for `REFERENCE` through the default method alone."""
    alone = Execution(threads=1)
    if kind == REFERENCE:
        head = make_head(modality, seed=seed, noise=None, execution=alone)
        maps, valid = maps_of_the_method(head)
        return measured(head, maps, valid, head.masks["intracranial"], None)
    head = make_head(modality, seed=seed, execution=alone, **KINDS[kind])
    result = run_pipeline(head.series if head.options.affine == "ras" else _read_back(head), threads=1)
    maps = {name: found.values for name, found in result.maps.items()}
    aif = None if result.aif is None else result.aif.mask
    return measured(head, maps, result.maps.quality_mask, result.brain.mask, aif)


def _read_back(head: HeadPhantom) -> PerfusionSeries:
    """The series as its file tells it: in memory all phantoms are on RAS+ grids already."""
    with tempfile.TemporaryDirectory(prefix="pypet-benchmark-") as folder:
        return read_series(write_phantom(head, folder, f"head_{head.series.modality}"))


def maps_of_the_method(head: HeadPhantom) -> tuple[dict[str, Volume], Mask]:
    """Maps of the modality's default method with the true AIF and without smoothing, and where they hold values."""
    series, mask = head.series, head.masks["intracranial"]
    config = PipelineConfig.for_modality(series.modality)
    signal = series.array()[mask]
    bolus = find_bolus(signal, series.frame_times, series.modality, ContrastOptions())
    curves = concentration(signal, bolus, series.modality, echo_time=series.acquisition.echo_time).curves
    estimate = deconvolve(curves, head.aif, series.frame_times, config.deconvolution, Execution(threads=1))
    found = quantify(curves, head.aif, series.frame_times, estimate, config.quantification)
    return {name: unravelled(v, mask) for name, v in found.values.items()}, unravelled(found.valid["cbf"], mask)


def measured(
    head: HeadPhantom, maps: Mapping[str, Volume], valid: Mask, brain: Mask, aif: Mask | None = None
) -> Measured:
    """Score of maps, and the lesions that they show in tissue."""
    ml = head.series.grid.voxel_volume / 1000
    tissue = head.masks["tissue"] & head.masks["brain"] & valid
    late = tissue & (maps["tmax"] > HYPOPERFUSION_TMAX)
    healthy = tissue & head.masks["healthy_side"]
    reference = maps["cbf"][healthy].mean() if healthy.any() else 0.0
    core = late & (maps["cbf"] < CORE_FLOW * reference)
    return Measured(
        score=score_head(head, maps, valid, brain, aif), late_ml=late.sum() * ml, core_ml=float(core.sum() * ml)
    )


def report(seeds: Sequence[int]) -> Iterator[str]:
    """What the tables mean, and one for each modality."""
    yield f"## Accuracy: head phantoms {', '.join(map(str, seeds))}\n\n{NOTES}"
    with workers() as pool:
        jobs = {
            (modality, kind): [pool.submit(measure, modality, kind, seed) for seed in seeds]
            for modality in Modality
            for kind in (*KINDS, REFERENCE)
        }
        for modality in Modality:
            rows = [_row(kind, [job.result() for job in jobs[modality, kind]]) for kind in (*KINDS, REFERENCE)]
            yield f"### {modality.upper()}\n\n{markdown_table(HEADER, rows)}"


def _row(kind: str, found: Sequence[Measured]) -> tuple[str, ...]:
    def quality(name: str, form: str = ".3f") -> str:
        return mean_and_worst([getattr(one.score, name) for one in found], form)

    def bias(name: str) -> str:
        return mean_and_farthest([100 * getattr(one.score, name) for one in found])

    def most(values: list[float]) -> str:
        return f"{np.mean(values):.1f} ({max(values):.1f}) ml"

    lesions = (quality("hypoperfusion_dice", ".2f"), quality("core_dice", ".2f"))
    if kind == "healthy":
        lesions = (most([one.late_ml for one in found]), most([one.core_ml for one in found]))
    inside = mean_and_worst([100 * one.score.aif_inside for one in found], ".0f")
    given = kind == REFERENCE
    found_alone = ("–", "–", "–") if given else (quality("mask_dice"), quality("pia_dice"), inside)
    return (
        kind,
        *found_alone,
        quality("cbf_r", ".2f"),
        bias("cbf_bias"),
        quality("cbv_r", ".2f"),
        bias("cbv_bias"),
        quality("tmax_r", ".2f"),
        *lesions,
    )

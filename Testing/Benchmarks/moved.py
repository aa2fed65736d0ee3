"""Maps from moved data against those of the same head unmoved: regional flow, correlations and lesions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from accuracy import Measured, measured
from layout import markdown_table, mean_and_worst

from PyPeTLib import Modality
from PyPeTLib.arrays import Curve, LabelVolume, Mask, Volume
from PyPeTLib.execution import Execution
from PyPeTLib.phantom import HeadPhantom, RigidMotion, make_head
from PyPeTLib.pipeline import PipelineResult, run_pipeline

MOTIONS: Mapping[str, RigidMotion | None] = {
    "still": None,
    "2 mm / 2°": RigidMotion(drift_mm=2.0, drift_degrees=2.0, jump_mm=2.0, jump_degrees=2.0),
    "5 mm / 5°, one jump": RigidMotion(drift_mm=1.0, drift_degrees=1.0, jump_mm=5.0, jump_degrees=5.0, jumps=1),
}

BLOCK_MM = 22.0
"""Edge of the regions, about 10 ml of which a half is one kind of tissue on one side."""

SMALLEST_ML = 2.0
"""Regions with less of their tissue are left out."""

HEADER = (
    *("motion", "regional CBF, % (90th percentile)", "CBF r", "CBV r", "Tmax > 6 s Dice", "core Dice"),
    "brain left out, %",
)

NOTES = """\
Head phantoms {seeds} at their noise, fully automatic. Regional CBF: difference between the means of moved and unmoved
maps in blocks of {edge:g} mm of grey or of white matter of one side, over all voxels that hold a value; median over
the regions, with the 90th percentile in brackets, mean over the seeds. The rest is scored against the truth; mean and,
in brackets, the worst. Voxels that are left out count as missed in the lesions' Dice. "Rendered finely": the frames are
drawn, moved and then averaged from slices a quarter as thick, so no interpolation can know what a moved slice shows."""

FINE = 4
"""Slices of which one is averaged."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """Score of one head in one motion; differences of its regions from the unmoved head in percent; share left out."""

    lesions: Measured
    regions: Curve
    left_out: float


def moving_head(modality: str, seed: int, motion: RigidMotion | None, *, fine: bool, **options: Any) -> HeadPhantom:
    """A head; with ``fine``, frames averaged from slices a quarter as thick in which it moved."""
    alone = Execution(threads=1)
    if not fine:
        return make_head(modality, seed=seed, motion=motion, execution=alone, **options)
    still = make_head(modality, seed=seed, execution=alone, **options)
    noise, (x, y, z) = still.options.noise, still.options.shape
    thin = (*still.options.spacing[:2], still.options.spacing[2] / FINE)
    changes = {**options, "shape": (x, y, z * FINE), "spacing": thin, "noise": None}
    moved = make_head(modality, seed=seed, motion=motion, execution=alone, **changes)
    drawn = moved.series
    rng = np.random.default_rng((seed, FINE))
    data = np.empty((x, y, z, drawn.n_frames), np.float32, order="F")
    for k in range(drawn.n_frames):
        frame = drawn.frame(k).reshape(x, y, z, FINE).mean(axis=3)
        if noise:
            frame = frame + noise * rng.standard_normal(frame.shape)
            if still.series.modality is Modality.DSC:
                frame = np.hypot(frame, noise * rng.standard_normal(frame.shape))
        data[..., k] = np.rint(frame)
    return replace(still, series=replace(still.series, data=data), motion=moved.motion)


def regions(head: HeadPhantom) -> LabelVolume:
    """Labels from 1 of the blocks of one tissue on one side; 0 elsewhere."""
    grid, masks = head.series.grid, head.masks
    index = np.indices(grid.shape).reshape(3, -1)
    world = grid.affine[:3, :3] @ index
    block = np.floor((world - world.mean(axis=1, keepdims=True)) / BLOCK_MM).astype(int)
    block -= block.min(axis=1, keepdims=True)
    names = np.ravel_multi_index(tuple(block), tuple(block.max(axis=1) + 1)).reshape(grid.shape)
    kinds = [masks["tissue"] & masks["brain"] & masks[name] for name in ("grey", "white")]
    labels = np.zeros(grid.shape, np.int64)
    for kind, mask in enumerate(kinds):
        labels[mask] = 2 * names[mask] + kind + 1
    return labels


def differences(head: HeadPhantom, found: tuple[Volume, Mask], still: tuple[Volume, Mask]) -> Curve:
    """Absolute differences in percent between the regions' mean flows in two maps with their valid voxels."""
    labels = regions(head)
    least = SMALLEST_ML * 1000 / head.series.grid.voxel_volume
    sizes = np.bincount(labels.ravel())
    means = []
    for values, valid in (found, still):
        inside = valid & (labels > 0)
        counts = np.bincount(labels[inside], minlength=sizes.size)
        means.append(np.bincount(labels[inside], values[inside], minlength=sizes.size) / np.maximum(counts, 1))
    large = np.flatnonzero((sizes >= least) & (np.arange(sizes.size) > 0) & (means[0] != 0) & (means[1] != 0))
    percent: Curve = 100 * np.abs(means[0][large] / means[1][large] - 1)
    return percent


def measure(modality: str, seed: int, *, fine: bool = False, **options: Any) -> dict[str, Case]:
    """One head in all motions."""
    cases: dict[str, Case] = {}
    still: tuple[Volume, Mask] | None = None
    for name, motion in MOTIONS.items():
        head = moving_head(modality, seed, motion, fine=fine, **options)
        result = run_pipeline(head.series, threads=1)
        flow = result.maps["cbf"].values, result.maps.quality_mask
        still = still or flow
        cases[name] = Case(
            lesions=_scored(head, result),
            regions=differences(head, flow, still),
            left_out=1 - result.analysed.sum() / result.brain.mask.sum(),
        )
    return cases


def _scored(head: HeadPhantom, result: PipelineResult) -> Measured:
    maps = {name: found.values for name, found in result.maps.items()}
    return measured(head, maps, result.maps.quality_mask, result.brain.mask)


def report(pool: Executor, seeds: Sequence[int], **options: Any) -> Iterator[str]:
    """What the tables mean, and one for each modality and way of drawing."""
    yield f"## Moved heads\n\n{NOTES.format(seeds=', '.join(map(str, seeds)), edge=BLOCK_MM)}"
    kinds = [(modality, fine) for modality in Modality for fine in (False, True)]
    jobs = {
        (modality, fine): [pool.submit(measure, modality, seed, fine=fine, **options) for seed in seeds]
        for modality, fine in kinds
    }
    for modality, fine in kinds:
        heads = [job.result() for job in jobs[modality, fine]]
        rows = [_row(name, [head[name] for head in heads]) for name in MOTIONS]
        drawn = ", rendered finely" if fine else ""
        yield f"### {modality.upper()}{drawn}\n\n{markdown_table(HEADER, rows)}"


def _row(name: str, cases: Sequence[Case]) -> tuple[str, ...]:
    middle, high = (np.mean([np.percentile(case.regions, q) for case in cases]) for q in (50, 90))

    def quality(score: str) -> str:
        return mean_and_worst([getattr(case.lesions.score, score) for case in cases])

    return (
        name,
        "–" if MOTIONS[name] is None else f"{middle:.1f} ({high:.1f})",
        *(quality(score) for score in ("cbf_r", "cbv_r", "hypoperfusion_dice", "core_dice")),
        f"{100 * np.mean([case.left_out for case in cases]):.0f}",
    )

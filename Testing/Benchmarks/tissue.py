"""Tissue classes, the mirror plane and normal-appearing tissue on head phantoms, fully automatic."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
from heads import QUICK
from layout import markdown_table, mean_and_worst

from PyPeTLib import Modality
from PyPeTLib.arrays import Curve
from PyPeTLib.config import PipelineConfig
from PyPeTLib.execution import Execution
from PyPeTLib.geometry import Grid
from PyPeTLib.masking import MidsagittalPlane, TissueClass, find_mirror, midsagittal_plane
from PyPeTLib.phantom import HeadPhantom, RigidMotion, make_head, rigid_matrices
from PyPeTLib.phantom.conditions import CONDITIONS
from PyPeTLib.phantom.motion import moved
from PyPeTLib.phantom.scoring import dice
from PyPeTLib.pipeline import PipelineResult, run_pipeline

CASES: Mapping[str, Mapping[str, Any]] = {
    "with a lesion": {},
    "oblique": {"affine": "oblique"},
    "slab of 4": {"slab": 4},
    "twice the noise": {"noise": 2.0},
    "frames every 2 s": {"dt": 2.0, "n_frames": 30},
    "moved": {"motion": RigidMotion()},
    "healthy": {"healthy": True},
    "wide ventricles": {"conditions": ("wide-ventricles",)},
    "bleeding": {"conditions": ("haemorrhage",)},
    "shaded": {"conditions": ("shading",)},
}
"""Options of heads; ``noise`` is a factor here."""

NOISE = {Modality.CTP: 6.0, Modality.DSC: 8.0}

Turns = tuple[float, float, float]
"""About the axes to the right, front and top, in degrees."""

POSES: Mapping[str, tuple[Turns, Mapping[str, Any]]] = {
    "as it lies": ((0.0, 0.0, 0.0), {}),
    "bleeding": ((0.0, 0.0, 0.0), {"conditions": ("haemorrhage",)}),
    "slab of 4": ((0.0, 0.0, 0.0), {"slab": 4}),
    "roll 20°": ((0.0, 20.0, 0.0), {}),
    "yaw 20°": ((0.0, 0.0, 20.0), {}),
    "pitch 8°, roll −14°, yaw 14°": ((8.0, -14.0, 14.0), {}),
}

NO_BONE = 0.995
"""Share of a voxel that is neither bone nor scalp: beside bone a voxel shows bone, whatever else it holds."""

NOTES = """\
Head phantoms {seeds}, the whole pipeline with its defaults (mask included), and grey and white matter told apart. CSF:
Dice of voxels that are CSF by half or more, without those mixed with bone, and share of pure CSF that is found. Large
vessels: share that is found of the voxels that are vessel by half or more, and share of those found that are vessel by
a fifth or more. Core: share of the infarct core, without voxels mixed with CSF, that is taken for CSF. Normal tissue:
share of it that lies in the lesion, and its mean flow over that of true tissue outside the lesion. Mean over the seeds
and, in brackets, the worst."""

PLANE_NOTES = """\
The same heads turned as told after they were drawn, with the true mask and the mean of six frames before the bolus.
Angle and distance (at the middle of the brain) to the plane that the phantom's skull is symmetric to; its folds wander
from that plane by 0.5 to 2.4°, so no image tells it better than to about 1°. Outline: the plane of the mask's outline
alone, from which the search starts. Mean and, in brackets, the worst of the seeds."""


@dataclass(frozen=True, kw_only=True)
class ClassScore:
    """Shares and Dice coefficients of one head; see `NOTES`."""

    csf: float
    pure_csf: float
    vessels: float
    right_vessels: float
    core: float
    grey: float
    white: float
    ill: float
    flow: float


def classified(modality: Modality, seed: int, changes: Mapping[str, Any], **head_options: Any) -> ClassScore:
    """One head through the pipeline."""
    options = {**head_options, **changes}
    if "noise" in options:
        options["noise"] *= NOISE[modality]
    head = make_head(modality, seed=seed, execution=Execution(threads=1), **options)
    changed = {"deconvolution": {"method": QUICK}, "tissue": {"grey_white": True}}
    return score(head, run_pipeline(head.series, PipelineConfig.for_modality(modality, changed), threads=1))


def score(head: HeadPhantom, result: PipelineResult) -> ClassScore:
    """What the classes and the normal tissue of a run are worth."""
    shares, found = head.fractions, result.tissue
    vessels = head.arterial_fraction + head.venous_fraction
    seen = result.analysed & (shares["grey"] + shares["white"] + shares["csf"] > NO_BONE)
    csf, vessel = found.mask(TissueClass.CSF), found.mask(TissueClass.VESSEL)
    pure = seen & (shares["csf"] > 0.9) & (shares["vessel"] < 0.02)
    core = head.masks["core"] & (shares["csf"] < 0.1)
    normal, valid = result.normal_tissue, result.maps.quality_mask
    lesion = head.masks["core"] | head.masks["penumbra"]
    flow = result.maps["cbf"].values
    return ClassScore(
        csf=dice(csf & seen, head.masks["csf"] & seen),
        pure_csf=float(csf[pure].mean()),
        vessels=float(vessel[result.analysed & (vessels >= 0.5)].mean()),
        right_vessels=float((vessels[vessel] >= 0.2).mean()),
        core=float(csf[core].mean()) if core.any() else 0.0,
        grey=dice(found.mask(TissueClass.GREY), head.masks["grey"]),
        white=dice(found.mask(TissueClass.WHITE), head.masks["white"]),
        ill=float(lesion[normal].mean()),
        flow=float(flow[normal].mean() / flow[valid & head.masks["tissue"] & ~lesion].mean()),
    )


Planes = tuple[tuple[float, float], tuple[float, float], float]
"""Angle and distance of the outline's plane and of the image's, and the seconds of both together."""


def plane_errors(
    modality: Modality, seed: int, turns: Turns, changes: Mapping[str, Any], **head_options: Any
) -> Planes:
    """How far the planes of a turned head lie from the truth, in degrees and mm."""
    frames = 6
    noise = NOISE[modality]
    head = make_head(
        modality, seed=seed, n_frames=8, noise=noise, execution=Execution(threads=1), **{**head_options, **changes}
    )
    grid, mask = head.series.grid, head.masks["intracranial"]
    turn = rigid_matrices([(0.0, 0.0, 0.0)], [turns], _middle(mask, grid))[0]
    mean = moved(head.series.mean(slice(0, frames)), grid, turn) if any(turns) else head.series.mean(slice(0, frames))
    mask = moved(mask.astype(np.float32), grid, turn) >= 0.5
    to_head = head.to_head @ turn
    truth = MidsagittalPlane(normal=to_head[0, :3], offset=-float(to_head[0, 3]))
    start = time.perf_counter()
    found = find_mirror(mean, mask, grid, modality).plane
    seconds = time.perf_counter() - start
    middle = _middle(mask, grid)
    return _apart(midsagittal_plane(mask, grid), truth, middle), _apart(found, truth, middle), seconds


def _apart(plane: MidsagittalPlane, truth: MidsagittalPlane, at: Curve) -> tuple[float, float]:
    angle = np.degrees(np.arccos(np.clip(plane.normal @ truth.normal, -1, 1)))
    return float(angle), float(abs((plane.normal @ at - plane.offset) - (truth.normal @ at - truth.offset)))


def _middle(mask: np.ndarray, grid: Grid) -> Curve:
    middle: Curve = grid.affine[:3, :3] @ np.argwhere(mask).mean(axis=0) + grid.affine[:3, 3]
    return middle


def report(pool: Executor, seeds: Sequence[int], **head_options: Any) -> Iterator[str]:
    """The table of the classes and that of the plane."""
    jobs = {
        (modality, case): [pool.submit(classified, modality, seed, changes, **head_options) for seed in seeds]
        for modality in Modality
        for case, changes in CASES.items()
        if all(_occurs(name, modality) for name in changes.get("conditions", ()))
    }
    header = ("head", "CSF Dice", "pure CSF", "vessels found", "of which right", "core as CSF, %")
    header = (*header, "grey / white Dice", "lesion in normal tissue, %", "its flow")
    rows = [
        (f"{modality.upper()} {case}", *_class_cells([job.result() for job in found]))
        for (modality, case), found in jobs.items()
    ]
    yield f"## Tissue classes\n\n{NOTES.format(seeds=', '.join(map(str, seeds)))}\n\n{markdown_table(header, rows)}"
    planes = {
        (modality, pose): [pool.submit(plane_errors, modality, seed, *how, **head_options) for seed in seeds]
        for modality in Modality
        for pose, how in POSES.items()
    }
    table = [
        (f"{modality.upper()} {pose}", *_plane_cells([job.result() for job in found]))
        for (modality, pose), found in planes.items()
    ]
    header = ("head", "outline, °", "outline, mm", "image, °", "image, mm", "seconds")
    yield f"### Mirror plane\n\n{PLANE_NOTES}\n\n{markdown_table(header, table)}"


def _occurs(condition: str, modality: Modality) -> bool:
    traits = CONDITIONS.entry(condition).traits
    return not traits or modality.value in traits


def _class_cells(found: Sequence[ClassScore]) -> tuple[str, ...]:
    def cell(value: Callable[[ClassScore], float]) -> str:
        return mean_and_worst([value(one) for one in found])

    return (
        cell(lambda one: one.csf),
        cell(lambda one: one.pure_csf),
        cell(lambda one: one.vessels),
        cell(lambda one: one.right_vessels),
        _and_largest([100 * one.core for one in found]),
        f"{np.mean([one.grey for one in found]):.2f} / {np.mean([one.white for one in found]):.2f}",
        _and_largest([100 * one.ill for one in found]),
        f"{np.mean([one.flow for one in found]):.3f}",
    )


def _plane_cells(found: Sequence[Planes]) -> tuple[str, ...]:
    columns = [[one[k][i] for one in found] for k in (0, 1) for i in (0, 1)]
    return (*(_and_largest(column) for column in columns), f"{np.median([one[2] for one in found]):.2f}")


def _and_largest(values: Sequence[float]) -> str:
    mean = f"{np.mean(values):.2f}"
    return mean if len(values) == 1 else f"{mean} ({max(values):.2f})"

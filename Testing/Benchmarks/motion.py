"""How well and how fast motion is found, on head phantoms in known motion, and which damaged frames are named."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np
from layout import markdown_table
from scipy import ndimage

from PyPeTLib import Modality
from PyPeTLib.arrays import Curve, Volume
from PyPeTLib.execution import Execution
from PyPeTLib.phantom import HeadPhantom, RigidMotion, make_head, rigid_matrices
from PyPeTLib.preprocess.poses import MotionEstimate, MotionOptions, estimate_motion
from PyPeTLib.preprocess.rigid import rigid_parameters

MOVING = RigidMotion(drift_mm=2, drift_degrees=2, jump_mm=5, jump_degrees=5, jumps=2)
FAR = RigidMotion(drift_mm=0, drift_degrees=0, jump_mm=20, jump_degrees=15, jumps=12)
ISOTROPIC = {Modality.CTP: {"shape": (100, 100, 58), "spacing": (2.0, 2.0, 2.0)}} | {
    Modality.DSC: {"shape": (112, 112, 60), "spacing": (2.0, 2.0, 2.0)}
}
CASES: dict[str, dict[str, Any]] = {
    "still": {},
    "drift of 2 mm and 2°, jumps of up to 5 mm and 5°": {"motion": MOVING},
    "twelve jumps of up to 20 mm and 15°": {"motion": FAR},
    "the first motion, slab of 4 slices": {"motion": MOVING, "slab": 4},
    "the first motion, voxels of 2 mm": {"motion": MOVING, "isotropic": True},
}
NOTES = """\
Head phantoms {seeds} with clinical noise (CT 6 HU, DSC 8 of 520) and the bolus. Distance in mm, mean over the brain,
between the true and the estimated place of a frame's anatomy relative to the frame `reference`: before, then mean and
worst frame over all seeds, then the worst angle between the true and the estimated pose. Seconds are those of one
processor core for one series, reading it not counted. Named: frames called unusable, of all; none is damaged."""

DAMAGE_NOTES = """\
Frames damaged one by one in the moving series (drift of 2 mm and 2°, jumps of up to 5 mm and 5°), each kind in one
frame of each head: how many of them are named, and how many of the intact frames are."""


@dataclasses.dataclass(frozen=True)
class Found:
    """What was found on one head: errors of the frames in mm and degrees before and after, seconds, frames named."""

    before: Curve
    after: Curve
    angle: Curve
    seconds: float
    named: int


def errors(head: HeadPhantom, matrices: Curve, reference: int) -> tuple[Curve, Curve]:
    """Distance in mm and angle in degrees between true and estimated pose of each frame."""
    truth = np.tile(np.eye(4), (len(matrices), 1, 1))
    if head.motion is not None:
        truth = np.linalg.inv(head.motion) @ head.motion[reference]
    points = np.argwhere(head.masks["brain"])[::23]
    world = np.c_[points, np.ones(len(points))] @ head.series.affine.T
    apart = np.linalg.norm(world @ (truth - matrices).transpose(0, 2, 1), axis=2).mean(axis=1)
    _, turned = rigid_parameters(np.linalg.inv(truth) @ matrices, world[:, :3].mean(axis=0))
    return apart, np.degrees(np.linalg.norm(turned, axis=1))


def found(modality: str, case: str, seed: int) -> Found:
    """What is found on one head."""
    options = dict(CASES[case])
    if options.pop("isotropic", False):
        options |= ISOTROPIC[Modality(modality)]
    one = Execution(threads=1)
    head = make_head(modality, seed=seed, execution=one, **options)
    start = time.process_time()
    estimate = estimate_motion(head.series, MotionOptions(), one)
    seconds = time.process_time() - start
    before, _ = errors(head, np.tile(np.eye(4), (head.series.n_frames, 1, 1)), estimate.reference)
    after, angle = errors(head, estimate.matrices, estimate.reference)
    return Found(before, after, angle, seconds, int(np.count_nonzero(~estimate.reliable)))


def damages(head: HeadPhantom) -> dict[str, Callable[[Volume], Volume]]:
    """Ways to spoil a frame."""
    rng = np.random.default_rng(0)
    noise = 10 * float(head.options.noise or 0)
    lowest = head.series.frame(0).min()

    def without(frame: Volume, share: float) -> Volume:
        frame[..., : round(share * frame.shape[2])] = lowest
        return frame

    def in_two_poses(frame: Volume) -> Volume:
        frame[..., ::2] = _moved(head, frame, 3, 3)[..., ::2]
        return frame

    def blurred(frame: Volume, way: float) -> Volume:
        return np.mean([_moved(head, frame, part, part) for part in np.linspace(0, way, 5)], axis=0, dtype=np.float32)

    return {
        "empty": np.zeros_like,
        "half of the slices lost": lambda frame: without(frame, 0.5),
        "a fifth of the slices lost": lambda frame: without(frame, 0.2),
        "upside down": lambda frame: frame[..., ::-1],
        "moved by 4 mm and 4° meanwhile": lambda frame: blurred(frame, 4),
        "moved by 8 mm and 8° meanwhile": lambda frame: blurred(frame, 8),
        "every other slice 3 mm and 3° away": in_two_poses,
        "ten times the noise": lambda frame: frame + np.float32(noise) * rng.standard_normal(frame.shape, np.float32),
    }


def _moved(head: HeadPhantom, frame: Volume, way: float, angle: float) -> Volume:
    affine = head.series.affine
    centre = affine[:3] @ [*(np.array(frame.shape) / 2), 1]
    matrix = rigid_matrices([[0.7 * way, 0.7 * way, 0]], [[0, 0, angle]], centre)[0]
    moved: Volume = ndimage.affine_transform(frame, np.linalg.inv(affine) @ matrix @ affine, order=1, mode="nearest")
    return moved


def named_damage(modality: str, seed: int) -> tuple[dict[str, bool], int]:
    """Which damages of one head are named, and how many intact frames are."""
    one = Execution(threads=1)
    head = make_head(modality, seed=seed, motion=MOVING, execution=one)
    series, spoil = head.series, damages(head)
    data = np.stack([series.frame(k) for k in range(series.n_frames)], axis=-1)
    places = np.linspace(7, series.n_frames - 2, len(spoil)).astype(int)
    for place, damage in zip(places, spoil.values(), strict=True):
        data[..., place] = damage(data[..., place].copy())
    estimate: MotionEstimate = estimate_motion(dataclasses.replace(series, data=data), MotionOptions(), one)
    named = {kind: not estimate.reliable[place] for place, kind in zip(places, spoil, strict=True)}
    return named, int(np.count_nonzero(~estimate.reliable)) - sum(named.values())


def report(pool: Executor, seeds: Sequence[int]) -> Iterator[str]:
    """The tables of poses and of damaged frames."""
    poses = {
        (modality, case): [pool.submit(found, modality, case, seed) for seed in seeds]
        for modality in Modality
        for case in CASES
    }
    damaged = {modality: [pool.submit(named_damage, modality, seed) for seed in seeds] for modality in Modality}
    rows = []
    for (modality, case), jobs in poses.items():
        heads = [job.result() for job in jobs]
        before, after, angle = (
            np.concatenate([getattr(head, x) for head in heads]) for x in ("before", "after", "angle")
        )
        rows.append(
            (
                modality.upper(),
                case,
                f"{before.mean():.2f}",
                f"{after.mean():.3f}",
                f"{after.max():.3f}",
                f"{angle.max():.2f}",
                f"{np.mean([head.seconds for head in heads]):.2f}",
                f"{sum(head.named for head in heads)} of {after.size}",
            )
        )
    header = ("", "case", "before, mm", "mean, mm", "worst, mm", "worst, °", "seconds", "named")
    notes = NOTES.format(seeds=", ".join(map(str, seeds)))
    yield f"## Motion\n\n{notes}\n\n{markdown_table(header, rows)}"
    outcomes = {modality: [job.result() for job in jobs] for modality, jobs in damaged.items()}
    kinds = next(iter(outcomes.values()))[0][0]
    rows = [
        (kind, *(f"{sum(head[0][kind] for head in outcomes[m])} of {len(seeds)}" for m in Modality)) for kind in kinds
    ]
    rows.append(("none", *(f"{sum(head[1] for head in outcomes[m])}" for m in Modality)))
    yield f"{DAMAGE_NOTES}\n\n{markdown_table(('damage', *(m.upper() for m in Modality)), rows)}"

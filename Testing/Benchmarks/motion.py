"""How well and how fast motion is found and undone, on head phantoms in known motion.

Run as a program: ``python Testing/Benchmarks/motion.py --seeds 0 1 2 --threads 2``.

The residual is the mean distance, over the brain, between the true and the estimated place of a frame's anatomy,
after the constant pose that the choice of the reference frame leaves open has been removed. ``drift``: 2 mm and 2°
until the end with five jumps of up to 4 mm and 4°; ``jumps``: six of up to 18 mm and 13°; ``slab``: the first motion
seen by four slices; ``still``: no motion, where what is estimated is error.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from PyPeTLib.execution import Execution, usable_cores
from PyPeTLib.phantom import HeadPhantom, RigidMotion, make_head
from PyPeTLib.preprocess.poses import MotionEstimate, MotionOptions, estimate_motion
from PyPeTLib.preprocess.rigid import rigid_matrix, rigid_parameters
from PyPeTLib.preprocess.undoing import apply_motion

DRIFT = RigidMotion(drift_mm=2, drift_degrees=2, jump_mm=4, jump_degrees=4, jumps=5)
JUMPS = RigidMotion(drift_mm=2, drift_degrees=2, jump_mm=18, jump_degrees=13, jumps=6)
CASES = {
    "drift": {"motion": DRIFT},
    "jumps": {"motion": JUMPS},
    "slab": {"motion": DRIFT, "slab": 4},
    "still": {},
}


def errors(head: HeadPhantom, matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Residual of each frame in mm and degrees."""
    series, brain = head.series, head.masks["brain"]
    truth = np.tile(np.eye(4), (series.n_frames, 1, 1)) if head.motion is None else np.linalg.inv(head.motion)
    points = np.argwhere(brain)[::23]
    world = np.c_[points, np.ones(len(points))] @ series.affine.T
    centre = world[:, :3].mean(axis=0)
    shifts, turns = rigid_parameters(np.linalg.inv(truth) @ matrices, centre)
    common = rigid_matrix(np.median(shifts, axis=0), np.median(turns, axis=0), centre)
    apart = np.linalg.norm(world @ (truth @ common - matrices).transpose(0, 2, 1), axis=2).mean(axis=1)
    _, turned = rigid_parameters(np.linalg.inv(truth @ common) @ matrices, centre)
    return apart, np.degrees(np.linalg.norm(turned, axis=1))


def measure(head: HeadPhantom, execution: Execution) -> tuple[MotionEstimate, float, float]:
    """Estimate, with the seconds of the estimation and of the resampling."""
    start = time.perf_counter()
    estimate = estimate_motion(head.series, MotionOptions(), execution)
    between = time.perf_counter()
    apply_motion(head.series, estimate, execution)
    return estimate, between - start, time.perf_counter() - between


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--cases", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--threads", type=int, default=usable_cores())
    arguments = parser.parse_args()
    execution = Execution(threads=arguments.threads)
    print(f"{arguments.threads} threads; before, mean and worst residual in mm, mean and worst in degrees, seconds")
    print("modality case  seed  before   mean  worst   mean°  worst°  moved  estimate  resample")
    for modality in ("ctp", "dsc"):
        for case in arguments.cases:
            for seed in arguments.seeds:
                head = make_head(modality, seed=seed, execution=execution, **CASES[case])
                estimate, estimating, resampling = measure(head, execution)
                before, _ = errors(head, np.tile(np.eye(4), (head.series.n_frames, 1, 1)))
                way, angle = errors(head, estimate.matrices)
                print(
                    f"{modality:8} {case:5} {seed:4d} {before.mean():7.2f} {way.mean():6.3f} {way.max():6.3f} "
                    f"{angle.mean():7.3f} {angle.max():7.3f} {estimate.frames_moved.sum():6d} "
                    f"{estimating:9.2f} {resampling:9.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()

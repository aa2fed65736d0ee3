"""Series as large as a scanner with 320 detector rows makes them, as files.

A head phantom of a quarter of the resolution is enlarged frame by frame and gets its noise voxel by voxel, so that
making the file takes little memory.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from PyPeTLib.execution import Execution
from PyPeTLib.geometry import Grid
from PyPeTLib.io.header import make_header
from PyPeTLib.phantom import make_head

ENLARGED = 4
"""Voxels of the file along each axis to one of the phantom."""

NOISE_HU = 15.0
"""Thin voxels are noisy."""


@dataclass(frozen=True, kw_only=True)
class LargeSeries:
    """A made series: voxels along x, y, z; their size in mm; frames and their interval in s."""

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    n_frames: int
    interval: float

    @property
    def voxels(self) -> str:
        """The size in words."""
        return "×".join(map(str, (*self.shape, self.n_frames)))

    @property
    def bytes(self) -> int:
        """Of the voxels as 16-bit integers."""
        return 2 * int(np.prod(self.shape)) * self.n_frames


def write_large(large: LargeSeries, folder: Path, seed: int = 0) -> Path:
    """Write a CT series of 16-bit integers, not compressed, with its sidecar."""
    x, y, z = (n // ENLARGED for n in large.shape)
    step_x, step_y, step_z = (ENLARGED * size for size in large.spacing)
    head = make_head(
        "ctp",
        seed=seed,
        shape=(x, y, z),
        spacing=(step_x, step_y, step_z),
        noise=None,
        dtype="float32",
        n_frames=large.n_frames,
        dt=large.interval,
        execution=Execution(threads=1),
    )
    affine = head.series.affine.copy()
    affine[:3, :3] /= ENLARGED
    # the outer faces stay where they are
    affine[:3, 3] -= (ENLARGED - 1) / 2 * affine[:3, :3].sum(axis=1)
    grid = Grid(large.shape, affine)
    path = folder / f"large-{large.voxels}_ctp.nii"
    rng = np.random.default_rng(seed)
    header = make_header(grid, np.int16, description="phantom", n_frames=large.n_frames, frame_interval=large.interval)
    with path.open("wb") as file:
        file.write(header)
        for frame in range(large.n_frames):
            coarse = head.series.frame(frame)
            for k in range(large.shape[2]):
                plane = np.repeat(np.repeat(coarse[:, :, k // ENLARGED], ENLARGED, axis=0), ENLARGED, axis=1)
                plane = plane + np.float32(NOISE_HU) * rng.standard_normal(plane.shape, np.float32)
                file.write(np.rint(plane).astype("<i2").tobytes(order="F"))
    facts = {"Modality": "CT", "RepetitionTime": large.interval}
    path.with_suffix(".json").write_text(json.dumps(facts), encoding="utf-8")
    return path

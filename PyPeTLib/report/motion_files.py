"""The motion of the head as files: a table of all frames, and transforms that 3D Slicer loads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PyPeTLib.arrays import Curve
from PyPeTLib.io import write_tsv
from PyPeTLib.io.transforms import write_transform
from PyPeTLib.preprocess.poses import MotionEstimate

COLUMNS = (
    "frame",
    "time_s",
    "right_mm",
    "anterior_mm",
    "superior_mm",
    "rotation_right_deg",
    "rotation_anterior_deg",
    "rotation_superior_deg",
    "displacement_mm",
    "framewise_displacement_mm",
    "residual",
    "resampled",
    "reference",
    "usable",
    "fault",
)
"""Columns of ``motion.tsv``; see `MotionEstimate` for what they hold."""


def motion_table(estimate: MotionEstimate, frame_times: Curve) -> list[dict[str, Any]]:
    """Motion of all frames, a row each.

    Parameters
    ----------
    estimate : MotionEstimate
    frame_times : ndarray, shape (t,)
        Seconds.

    Returns
    -------
    list of dict
        With the keys of `COLUMNS`. ``resampled``: whether the frame moved beyond the threshold; ``reference``:
        whether it is one of those that the others were compared with; ``fault``: why a frame is not usable, else None.
    """
    rows = []
    for frame, time in enumerate(frame_times):
        values = (
            frame,
            float(time),
            *map(float, estimate.translations[frame]),
            *map(float, estimate.rotations[frame]),
            float(estimate.displacement[frame]),
            float(estimate.framewise_displacement[frame]),
            float(estimate.residual[frame]),
            bool(estimate.frames_moved[frame]),
            frame in estimate.averaged,
            bool(estimate.reliable[frame]),
            estimate.faults[frame],
        )
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    return rows


def write_motion(estimate: MotionEstimate, frame_times: Curve, folder: Path, *, prefix: str = "") -> None:
    """Write ``motion.tsv`` and, if anything moved, ``transforms/frame_000.tfm`` and so on for all frames.

    Put on a frame in 3D Slicer, its transform brings the frame onto the reference.

    Parameters
    ----------
    estimate : MotionEstimate
    frame_times : ndarray, shape (t,)
        Seconds.
    folder : Path
        Exists.
    prefix : str
        Before the name of the table.

    Raises
    ------
    InputError
        If a file cannot be written.
    """
    write_tsv(folder / f"{prefix}motion.tsv", motion_table(estimate, frame_times), columns=COLUMNS)
    if not estimate.moved:
        return
    transforms = folder / "transforms"
    transforms.mkdir()
    for frame, matrix in enumerate(estimate.matrices):
        write_transform(transforms / f"frame_{frame:03d}.tfm", matrix, estimate.centre)

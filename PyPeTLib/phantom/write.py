"""Phantoms as files: NIfTI with a BIDS-like sidecar, and the truth beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from PyPeTLib.arrays import Curve
from PyPeTLib.io import write_volume
from PyPeTLib.phantom.base import Phantom
from PyPeTLib.series import Modality, PerfusionSeries

_MODALITIES = {Modality.CTP: "CT", Modality.DSC: "MR"}


def write_phantom(phantom: Phantom, directory: str | Path, stem: str) -> Path:
    """Write a phantom's series and truth on the grid of its own orientation; same phantom, same bytes.

    * ``<stem>.nii.gz``: int16 without scaling where all values are whole, else float32; ``<stem>.json`` beside it
    * ``truth/<map>.nii.gz``, ``truth/<name>_mask.nii.gz``, ``truth/<name>_fraction.nii.gz``
    * ``truth/curves.csv``: time [s], arterial input and venous output at the frames
    * ``truth/motion.tsv``: for each frame the upper three rows of the world matrix from frame to truth, if there is
      motion

    Parameters
    ----------
    phantom : Phantom
    directory : path
        Made if it does not exist; files of the same names are replaced.
    stem : str
        Name of the series without endings.

    Returns
    -------
    Path
        Of the series.
    """
    directory = Path(directory)
    truth = directory / "truth"
    truth.mkdir(parents=True, exist_ok=True)
    series, orientation = phantom.series, phantom.series.orientation
    path = directory / f"{stem}.nii.gz"
    _write_series(path, series)
    sidecar = json.dumps(_sidecar(series), indent=2) + "\n"
    (directory / f"{stem}.json").write_text(sidecar, encoding="utf-8")
    volumes: dict[str, npt.NDArray[Any]] = {**phantom.truth}
    volumes |= {f"{name}_mask": mask.astype(np.uint8) for name, mask in phantom.masks.items()}
    volumes |= {f"{name}_fraction": fraction for name, fraction in phantom.fractions.items()}
    for name, volume in volumes.items():
        write_volume(truth / f"{name}.nii.gz", volume, orientation, dtype=volume.dtype)
    rows = np.stack([series.frame_times, phantom.aif, phantom.vof], axis=1)
    _write_table(truth / "curves.csv", ("time", "aif", "vof"), rows, ",")
    if phantom.motion is not None:
        names = ("frame", "time", *(f"m{row}{column}" for row in range(1, 4) for column in range(1, 5)))
        matrices = phantom.motion[:, :3].reshape(series.n_frames, 12)
        rows = np.column_stack([np.arange(series.n_frames), series.frame_times, matrices])
        _write_table(truth / "motion.tsv", names, rows, "\t")
    return path


def _write_series(path: Path, series: PerfusionSeries) -> None:
    data: npt.NDArray[Any] = series.array()
    frames = [data[..., k] for k in range(series.n_frames)]
    if all(np.array_equal(frame, np.rint(frame)) and np.abs(frame).max() < 32768 for frame in frames):
        data = data.astype(np.int16)
    step = float(np.diff(series.frame_times).mean())
    write_volume(path, data, series.orientation, dtype=data.dtype, frame_interval=step)


def _sidecar(series: PerfusionSeries) -> dict[str, Any]:
    times = series.frame_times
    steps = np.diff(times)
    facts: dict[str, Any] = {"Modality": _MODALITIES[series.modality]}
    # BIDS: either the one or the other
    if times[0] == 0 and np.allclose(steps, steps[0], rtol=0, atol=1e-6):
        facts["RepetitionTime"] = round(float(steps.mean()), 6)
    else:
        facts["VolumeTiming"] = [round(float(t), 6) for t in times]
    if series.acquisition.echo_time is not None:
        facts["EchoTime"] = series.acquisition.echo_time
    return facts


def _write_table(path: Path, names: Sequence[str], rows: Curve, separator: str) -> None:
    lines = [separator.join(names), *(separator.join(f"{value:.10g}" for value in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")

"""The files of a run: maps, masks and tables, all on the input's own grid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from PyPeTLib.aif import SIDES, VesselCurve
from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.assembly import unravelled
from PyPeTLib.contrast import contrast_sign
from PyPeTLib.frames import Frames, ScatteredFrames
from PyPeTLib.io import LoadedSeries, write_json, write_volume
from PyPeTLib.maps import ParameterMap
from PyPeTLib.masking import TITLES, TissueClass
from PyPeTLib.pipeline import PipelineResult
from PyPeTLib.report.motion_files import write_motion
from PyPeTLib.report.summary import map_facts


def write_results(result: PipelineResult, loaded: LoadedSeries, folder: Path, *, prefix: str = "") -> None:
    """Write maps, masks and tables of a run into a folder.

    Parameters
    ----------
    result : PipelineResult
    loaded : LoadedSeries
        The input with the origin of its facts and its hash.
    folder : Path
        Exists and is empty.
    prefix : str
        Before the names of all files but those in ``transforms``.
    """
    orientation = result.series.orientation
    for quantity in result.maps.values():
        _write_map(quantity, quantity.name, result, loaded, folder, prefix)
        if result.config.quantification.relative:
            _write_map(quantity.relative(), f"{quantity.name}_relative", result, loaded, folder, prefix)
    arteries: tuple[VesselCurve | None, ...] = (result.aif,)
    if result.hemispheres is not None:
        arteries = (result.hemispheres.left, result.hemispheres.right)
    masks = {
        "brain_mask": result.on_input_grid(result.brain.mask),
        "valid_mask": result.maps.quality_mask,
        "aif_mask": _places(arteries, result),
        "vof_mask": _places((result.vof,), result),
    }
    for name, mask in masks.items():
        path = folder / f"{prefix}{name}.nii.gz"
        write_volume(path, mask, orientation, dtype=np.uint8, description=f"PyPeT {name}")
    _write_tissue(result, folder, prefix)
    _write_aif(result, folder / f"{prefix}aif.csv")
    write_motion(result.motion.all_frames, result.series.frame_times, folder, prefix=prefix)


def write_stages(result: PipelineResult, folder: Path) -> None:
    """Write what each stage made, for review, into a folder of its own; all on the working grid.

    The series after motion correction and smoothing, its baseline and its projection over time, the concentration
    series and its projection: maximum where contrast raises the signal, minimum where it lowers it.
    """
    folder.mkdir()
    working, mask = result.working, result.analysed
    orientation = working.orientation
    steps = np.diff(working.frame_times)
    interval = float(steps[0]) if np.allclose(steps, steps[0], rtol=1e-3) else 0.0
    extreme = np.maximum if contrast_sign(working.modality) > 0 else np.minimum
    content = ScatteredFrames(result.concentration.curves, mask)
    projection = working.frame(0).copy()
    for frame in range(1, working.n_frames):
        extreme(projection, working.frame(frame), out=projection)
    volumes: dict[str, Volume | Frames] = {
        "preprocessed": working.frames,
        "baseline": result.baseline_image,
        "temporal_projection": projection,
        "concentration": content,
        "concentration_projection": unravelled(result.concentration.curves.max(axis=1), mask),
        "lost_area": unravelled(result.lost, mask),
    }
    for name, volume in volumes.items():
        write_volume(
            folder / f"{name}.nii.gz",
            volume,
            orientation,
            description=f"PyPeT {name}",
            frame_interval=interval,
        )


def _write_map(
    quantity: ParameterMap, stem: str, result: PipelineResult, loaded: LoadedSeries, folder: Path, prefix: str
) -> None:
    unit = quantity.unit if quantity.calibrated else f"{quantity.unit} (uncalibrated)"
    write_volume(
        folder / f"{prefix}{stem}.nii.gz",
        quantity.values,
        result.series.orientation,
        description=f"PyPeT {quantity.quantity.symbol} [{unit}]",
    )
    facts = {**map_facts(quantity, result, loaded), "ValidMask": f"{prefix}valid_mask.nii.gz"}
    write_json(folder / f"{prefix}{stem}.json", facts)


def _write_tissue(result: PipelineResult, folder: Path, prefix: str) -> None:
    """The class of each voxel as a label, and what the labels mean."""
    labels = result.tissue_labels()
    path = folder / f"{prefix}tissue.nii.gz"
    write_volume(path, labels, result.series.orientation, dtype=np.uint8, description="PyPeT tissue classes")
    volumes = result.tissue.volumes()
    facts = {
        str(kind.value): {"Name": TITLES[kind], "Volume_ml": round(volumes.get(kind, 0.0), 3)}
        for kind in TissueClass
        if kind is not TissueClass.OUTSIDE
    }
    write_json(folder / f"{prefix}tissue.json", {"Labels": facts, "CSFLevel": result.tissue.csf_level})


def _places(vessels: Sequence[VesselCurve | None], result: PipelineResult) -> Mask:
    """The voxels of vessels on the grid of the input; none for those that have no place."""
    together = np.zeros(result.series.grid.shape, bool)
    for vessel in vessels:
        if vessel is not None and vessel.mask is not None:
            together |= result.on_input_grid(vessel.mask)
    return together


def _write_aif(result: PipelineResult, path: Path) -> None:
    """The curves of the vessels; the arteries' as they were deconvolved with, scaled to the vein."""
    times, aif = result.working.frame_times, result.aif
    columns: dict[str, Curve] = {"time_s": times}
    if aif is not None:
        columns |= {
            "measured": aif.curve(times, "measured"),
            "fitted": np.full(times.size, np.nan) if aif.fit is None else aif.curve(times, "fitted"),
        }
        if result.vof is not None:
            columns["vof"] = result.vof.measured
        if result.hemispheres is not None:
            columns |= {side: getattr(result.hemispheres, side).curve(times, "measured") for side in SIDES}
    names = list(columns) if aif is not None else ["time_s", "measured", "fitted"]
    table = zip(*columns.values(), strict=True) if aif is not None else ()
    rows = [
        ",".join([f"{time:.10g}", *("" if np.isnan(value) else format(value, ".7g") for value in values)])
        for time, *values in table
    ]
    path.write_text("\n".join([",".join(names), *rows]) + "\n", encoding="utf-8", newline="\n")

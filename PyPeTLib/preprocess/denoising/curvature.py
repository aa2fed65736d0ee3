"""Curvature flow: level sets of each frame shrink with their curvature, so that specks go and edges stay."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Volume
from PyPeTLib.errors import InputError
from PyPeTLib.execution import Execution
from PyPeTLib.preprocess.denoising.model import DENOISERS, DenoisingOptions, Filtered, Surroundings

STEP = 0.05
"""Time step in units of the squared voxel size; the explicit scheme is stable in three dimensions up to 1/16."""


@DENOISERS.register(
    "curvature-flow",
    summary="curvature flow of each frame inside the brain (needs SimpleITK), vessels left out",
    source="Malladi and Sethian 1996, doi:10.1006/gmip.1996.0011",
    traits=("edges", "needs-simpleitk"),
)
def curvature_flow(
    signal: Volume, surroundings: Surroundings, options: DenoisingOptions, execution: Execution
) -> Filtered:
    """Each frame after some steps of the flow; what is no tissue is filled with the nearest tissue first.

    Raises
    ------
    InputError
        If SimpleITK is not installed.
    """
    try:
        import SimpleITK  # noqa: PLC0415 - optional
    except ModuleNotFoundError as error:
        raise InputError(
            "the filter 'curvature-flow' needs SimpleITK, which is not installed. Install it (pip install SimpleITK), "
            f"or choose another of the filters: {', '.join(name for name in DENOISERS if name != 'curvature-flow')}."
        ) from error
    mask, tissue = surroundings.mask, surroundings.tissue
    if options.iterations == 0 or not tissue.any():
        return Filtered(signal=signal)
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    inner = mask[box]
    # each voxel of the box shows the tissue next to it, so no edge of the brain or of a vessel pulls at tissue
    place = np.zeros(inner.shape, bool)
    place[inner] = tissue
    number = np.full(inner.shape, -1, np.intp)
    number[inner] = np.arange(len(signal))
    nearest = ndimage.distance_transform_edt(
        ~place, sampling=surroundings.voxel_sizes, return_distances=False, return_indices=True
    )
    source = number[tuple(nearest)]
    filtered = execution.workspace.like(signal)

    def flow(frame: int) -> None:
        image = SimpleITK.GetImageFromArray(signal[:, frame][source])
        steps: Any = SimpleITK.CurvatureFlowImageFilter()  # type: ignore[no-untyped-call]  # it has no types
        steps.SetNumberOfThreads(1)  # frames run side by side
        steps.SetTimeStep(STEP)
        steps.SetNumberOfIterations(options.iterations)
        found = SimpleITK.GetArrayFromImage(steps.Execute(image))[inner]
        filtered[:, frame] = np.where(tissue, found, signal[:, frame])

    execution.map(flow, range(signal.shape[1]))
    return Filtered(signal=filtered)

"""A PET predicted from MRI volumes of the scene by a trained model: nodes in, the library's prediction, nodes out.

For scripts, inside Slicer::

    from PyPeTSlicer import synthesis
    nodes = synthesis.run("model.npz", {"T1": t1, "T2": t2, "FLAIR": flair}, pet=real_pet)
    nodes.predicted, nodes.table

Research use only: a predicted PET is computed from MRI, and a lesion that MRI does not show cannot appear in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from os import PathLike
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _
from vtk import vtkMatrix4x4

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.compare.fidelity import SCOPES, fidelity
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid, nearest_ras
from PyPeTLib.lesions.hypometabolic import HypometabolicRegions, find_hypometabolic
from PyPeTLib.synthesis import Subject, SynthesisModel, assemble, check_contrasts, load_model, predict
from PyPeTLib.synthesis.alignment import alignment
from PyPeTSlicer import segments
from PyPeTSlicer.running import InputLostError
from PyPeTSlicer.segments import SegmentChoice
from PyPeTSlicer.sequences import grid_of, voxels_of
from PyPeTSlicer.synthesis_nodes import PREDICTED, REAL, Synthesised, SynthesisNodes, write_synthesis

_LEAST_RATIO, _MOST_RATIO = 0.5, 2.0
"""Between the means of real and predicted PET; beyond, they seem to be on different scales."""


def run(
    model: SynthesisModel | str | PathLike[str],
    contrasts: Mapping[str, Any],
    *,
    pet: Any = None,
    brain: Any = None,
    poll: Callable[[str], None] = lambda _stage: None,
) -> SynthesisNodes:
    """Predict the PET of a head and write it into the scene, with the comparison with a real PET where there is one.

    Images are brought onto the voxels of the first contrast by their place in the world; transforms of all count.
    Nodes of the last prediction from the same first contrast are used again.

    Parameters
    ----------
    model : SynthesisModel or path
        A trained model, or the file of one.
    contrasts : mapping of str to vtkMRMLScalarVolumeNode
        By the model's names.
    pet : vtkMRMLScalarVolumeNode, optional
        Real PET, which the prediction never sees.
    brain : SegmentChoice or vtkMRMLVolumeNode, optional
        The brain; without it images must be skull-stripped.
    poll : callable
        Called before each stage with its name; may process events, or raise to stop.

    Raises
    ------
    InputError
        If the model cannot be read, or the images do not suit it.
    CancelledError
        If ``poll`` stopped it, or nodes were removed meanwhile; the scene is as it was then.
    """
    if not isinstance(model, SynthesisModel):
        model = load_model(model)
    nodes = [*contrasts.values(), *(node for node in (pet, _node_of(brain)) if node is not None)]

    def stage(title: str) -> None:
        poll(title)
        if not all(slicer.mrmlScene.IsNodePresent(node) for node in nodes):
            raise InputLostError("A volume was removed, or the scene was closed, while the PET was predicted.")

    stage(str(_("Reading the images")))
    first = _first(model, contrasts)
    subject = _subject(model, contrasts, pet, brain)
    done = _synthesised(model, subject, stage)
    stage(str(_("Writing")))
    return write_synthesis(done, first=first, pet=pet)


def _node_of(brain: Any) -> Any:
    return brain.segmentation if isinstance(brain, SegmentChoice) else brain


def _first(model: SynthesisModel, contrasts: Mapping[str, Any]) -> Any:
    lacking = [name for name in model.contrasts if contrasts.get(name) is None]
    if lacking:
        raise InputError(
            f"the model takes {', '.join(model.contrasts)}, and there is no volume for {', '.join(lacking)}. Give one "
            "for each."
        )
    return contrasts[model.contrasts[0]]


# ---- nodes become a subject


def _subject(model: SynthesisModel, contrasts: Mapping[str, Any], pet: Any, brain: Any) -> Subject:
    first = contrasts[model.contrasts[0]]
    return assemble(
        str(first.GetName()),
        {name: placed(contrasts[name]) for name in model.contrasts},
        pet=None if pet is None else placed(pet),
        mask=None if brain is None else _brain(brain, first),
        resample=True,
    )


def placed(node: Any) -> tuple[Volume, Grid]:
    """The voxels of a volume, shape (i, j, k), and where they lie in the world, with its parent transform.

    Raises
    ------
    InputError
        If the transform bends, or the volume holds no plain values.
    """
    image = node.GetImageData()
    if image is None:
        raise InputError(f"{node.GetName()}: the volume holds no image. Choose another one.")
    components = image.GetNumberOfScalarComponents()
    if components != 1:
        raise InputError(
            f"{node.GetName()}: the volume has {components} values a voxel, such as a colour picture. Choose an image "
            "with one value a voxel."
        )
    return np.array(voxels_of(node), np.float32), _world_grid(node)


def _world_grid(node: Any) -> Grid:
    parent, own = node.GetParentTransformNode(), grid_of(node)
    if parent is None:
        return own
    if not parent.IsTransformToWorldLinear():
        raise InputError(
            f"{node.GetName()}: it lies under the transform {parent.GetName()}, which bends. Harden the transform in "
            "the module Transforms first."
        )
    matrix = vtkMatrix4x4()
    slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(parent, None, matrix)
    to_world = np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])
    return Grid(own.shape, to_world @ own.affine)


def _brain(brain: Any, first: Any) -> tuple[Mask, Grid]:
    """The brain and its grid in the world."""
    if isinstance(brain, SegmentChoice):
        orientation = nearest_ras(grid_of(first))
        return orientation.to_native(segments.mask_of(brain, orientation, first)), _world_grid(first)
    values, grid = placed(brain)
    return values > 0, grid


# ---- what the library makes of it


def _synthesised(model: SynthesisModel, subject: Subject, stage: Callable[[str], None]) -> Synthesised:
    stage(str(_("Predicting")))
    blind = subject.without_pet()
    warnings = list(check_contrasts(model, blind))
    predicted = predict(model, blind)
    pets = {PREDICTED: predicted}
    figures: dict[str, dict[str, float]] = {}
    if subject.pet is not None:
        stage(str(_("Comparing")))
        pets[REAL] = subject.pet
        figures = {scope: fidelity(predicted, subject.pet, subject.mask, scope=scope) for scope in SCOPES}
        warnings += _doubts(subject, predicted)
    stage(str(_("Looking for hypometabolic regions")))
    regions, notes = _regions(subject, pets)
    return Synthesised(
        model=model,
        subject=subject,
        predicted=predicted,
        figures=figures,
        regions=regions,
        warnings=tuple(warnings),
        notes=(*subject.notes, *notes),
    )


def _regions(subject: Subject, pets: Mapping[str, Volume]) -> tuple[dict[str, HypometabolicRegions], list[str]]:
    found, notes = {}, []
    for name, values in pets.items():
        try:
            found[name] = find_hypometabolic(values, subject.mask, subject.mirror)
        except InputError as error:
            notes.append(f"No hypometabolic regions are told of the {name.lower()} PET: {error}")
    return found, notes


def _doubts(subject: Subject, predicted: Volume) -> list[str]:
    """Why a real PET may not be comparable with the predicted one, in words."""
    if subject.pet is None:
        return []
    doubts = []
    if fault := alignment(subject).fault:
        doubts.append(f"The real PET seems not to lie where the MRI lies: {fault}. Register it first.")
    real, made = (float(values[subject.mask].mean(dtype=np.float64)) for values in (subject.pet, predicted))
    ratio = real / made if made > 0 else 0.0
    if not _LEAST_RATIO <= ratio <= _MOST_RATIO:
        doubts.append(
            f"In the brain the real PET is {real:.3g} on average and the predicted one {made:.3g}: they seem to be on "
            "different scales, and then errors and figures tell of the scale, not of the tracer."
        )
    return doubts

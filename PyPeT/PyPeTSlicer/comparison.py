"""Maps of a run against reference volumes of the scene: nodes in, the library's comparison, nodes out or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _
from vtk import vtkMatrix4x4

from PyPeTLib.arrays import Curve, Mask
from PyPeTLib.compare import UNITS, CompareOptions, MapImage, compare_maps
from PyPeTLib.errors import InputError, UnknownNameError
from PyPeTLib.geometry import nearest_ras
from PyPeTLib.maps import QUANTITIES
from PyPeTSlicer import segments
from PyPeTSlicer.comparison_nodes import Compared, ComparisonNodes, write_comparison
from PyPeTSlicer.nodes import INPUT
from PyPeTSlicer.outputs import MAPS, is_empty, is_own, last_outputs
from PyPeTSlicer.running import InputLostError
from PyPeTSlicer.sequences import grid_of, voxels_of

UNIT = "PyPeT.Compare.Unit"
"""Attribute of a reference volume: the unit that the user told for it."""

_UCUM = {
    "mL/min/(100.g)": "ml/100g/min",
    "mL/(100.g)/min": "ml/100g/min",
    "mL/min/100g": "ml/100g/min",
    "mL/min/(100.mL)": "ml/100ml/min",
    "mL/(100.mL)/min": "ml/100ml/min",
    "mL/g/min": "ml/g/min",
    "mL/(100.g)": "ml/100g",
    "mL/100g": "ml/100g",
    "mL/(100.mL)": "ml/100ml",
    "mL/g": "ml/g",
    "mL/mL": "ml/ml",
    "/s": "1/s",
    "/min": "1/min",
}
"""Units of the library by their UCUM codes, where these are not spelt alike."""

_ZERO_IS_A_VALUE = frozenset({"tmax"})
"""Maps that hold 0 where there is no value, although 0 is a value as well."""


_IN_WORDS_OF_THE_PANEL = ("allow the mismatch (allow_mismatch)", "tick “Compare anyway”")


@dataclass(frozen=True, kw_only=True)
class CompareRequest:
    """What a comparison is asked to do.

    Attributes
    ----------
    segmentation : vtkMRMLSegmentationNode
        Output of the run; its brain is what is compared, and it refers to all nodes of the comparison.
    maps, references : mapping of str to vtkMRMLScalarVolumeNode
        By quantity; those that have both are compared.
    options : CompareOptions
    """

    segmentation: Any
    maps: Mapping[str, Any]
    references: Mapping[str, Any]
    options: CompareOptions = field(default_factory=CompareOptions)

    @property
    def quantities(self) -> tuple[str, ...]:
        """The maps that are compared, in the order of the panel."""
        return tuple(name for name in MAPS if self.maps.get(name) and self.references.get(name))


def request_of(parameters: Any, *, allow_mismatch: bool = False) -> CompareRequest:
    """The comparison that the parameters ask for; nothing may be missing."""
    return CompareRequest(
        segmentation=parameters.segmentation,
        maps={name: getattr(parameters, f"{name}Volume") for name in MAPS},
        references={name: getattr(parameters, f"{name}Reference") for name in MAPS},
        options=CompareOptions(normalisation=parameters.normalisation, allow_mismatch=allow_mismatch),
    )


def missing(parameters: Any) -> str:
    """What has to be done before a comparison, in one sentence; empty where nothing is. Looks at no voxel."""
    maps = {name: getattr(parameters, f"{name}Volume") for name in MAPS}
    made = {name: node for name, node in maps.items() if node is not None and is_own(node) and not is_empty(node)}
    if parameters.segmentation is None or not made:
        return str(_("Run first: there are no maps to compare."))
    references = {name: getattr(parameters, f"{name}Reference") for name in MAPS}
    chosen = {name: node for name, node in references.items() if node is not None}
    if not chosen:
        return str(_("Choose a reference for at least one map, or load reference files."))
    for name, node in chosen.items():
        symbol = QUANTITIES[name].symbol
        if name not in made:
            return str(_("{map}: the run gave no such map. Choose no reference for it.")).format(map=symbol)
        if any(node is shown for shown in maps.values()):
            return str(_("{map}: {node} is a map of this run itself. Choose another volume as reference.")).format(
                map=symbol, node=node.GetName()
            )
        if is_empty(node):
            return str(_("{map}: {node} holds no image. Choose another volume as reference.")).format(
                map=symbol, node=node.GetName()
            )
    return ""


def compare(request: CompareRequest, poll: Callable[[str], None] = lambda _symbol: None) -> ComparisonNodes:
    """Compare maps with references, and write what comes out into the scene.

    Parameters
    ----------
    request : CompareRequest
    poll : callable
        Called before each map with its symbol; may process events, or raise to stop.

    Raises
    ------
    InputError
        If maps cannot be compared.
    CancelledError
        If ``poll`` stopped it, or nodes were removed meanwhile; the scene is as it was then.
    """
    compared = []
    for name in request.quantities:
        poll(QUANTITIES[name].symbol)
        _check_there(request)
        compared.append(_compared(request, name))
    poll("")
    _check_there(request)
    return write_comparison(request.segmentation, compared)


def _compared(request: CompareRequest, name: str) -> Compared:
    generated, reference = request.maps[name], request.references[name]
    try:
        comparison = compare_maps(
            name,
            generated_image(generated, name),
            reference_image(reference, generated, name),
            brain=_brain(request.segmentation, generated),
            options=request.options,
        )
    except InputError as error:
        raise InputError(f"{QUANTITIES[name].symbol}: {str(error).replace(*_IN_WORDS_OF_THE_PANEL)}") from error
    return Compared(comparison=comparison, generated=generated, source=reference)


def _check_there(request: CompareRequest) -> None:
    nodes = [request.segmentation]
    nodes += [node for name in request.quantities for node in (request.maps[name], request.references[name])]
    if not all(slicer.mrmlScene.IsNodePresent(node) for node in nodes):
        raise InputLostError("A volume was removed, or the scene was closed, while maps were compared.")


# ---- nodes become images


def generated_image(node: Any, quantity: str) -> MapImage:
    """A map of the run on its own grid, before its parent transform."""
    return _image(node, quantity, grid_of(node).affine)


def reference_image(node: Any, generated: Any, quantity: str) -> MapImage:
    """A reference placed beside the map of the run, on its own grid.

    Parent transforms of both count: the affine leads from the reference's voxels to the space that the generated
    map's voxels are placed in.

    Raises
    ------
    InputError
        If a transform between both bends, or the volume holds no plain values.
    """
    return _image(node, quantity, _between(node, generated) @ grid_of(node).affine)


def _image(node: Any, quantity: str, affine: Curve) -> MapImage:
    components = node.GetImageData().GetNumberOfScalarComponents()
    if components != 1:
        raise InputError(
            f"{node.GetName()}: the volume has {components} values a voxel, such as a colour picture. Choose a map "
            "with one value a voxel."
        )
    values = voxels_of(node)
    return MapImage(
        values=values, affine=affine, valid=_valid(node, quantity), unit=unit_of(node), name=str(node.GetName())
    )


def _valid(node: Any, quantity: str) -> Mask | None:
    """Where a map of PyPeT's holds values; None for volumes that do not tell."""
    if not is_own(node) or node.GetAttribute("PyPeT.RelativeToMean") is not None:
        return None
    valid: Mask = voxels_of(node) != 0
    if quantity in _ZERO_IS_A_VALUE:
        # it has a value wherever the run found a flow
        flow = last_outputs(node.GetNodeReference(INPUT)).volumes.get("cbf")
        if flow is not None and not is_empty(flow) and grid_of(flow).matches(grid_of(node)):
            valid = valid | (voxels_of(flow) != 0)
    return valid


def _between(node: Any, other: Any) -> Curve:
    """From the space that a node's voxels are placed in to that of another's."""
    parents = node.GetParentTransformNode(), other.GetParentTransformNode()
    if parents[0] is parents[1]:
        return np.eye(4)
    for volume, parent in zip((node, other), parents, strict=True):
        if parent is not None and not parent.IsTransformToWorldLinear():
            raise InputError(
                f"{volume.GetName()}: it lies under the transform {parent.GetName()}, which bends. Harden the "
                "transform in the module Transforms and compare again."
            )
    matrix = vtkMatrix4x4()
    slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(*parents, matrix)
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def _brain(segmentation: Any, generated: Any) -> Mask | None:
    """The segment of the brain on a map's own grid; None where there is none."""
    if segmentation.GetSegmentation().GetSegment(segments.BRAIN) is None:
        return None
    orientation = nearest_ras(grid_of(generated))
    choice = segments.SegmentChoice(segmentation=segmentation, segment_id=segments.BRAIN)
    brain: Mask = orientation.to_native(segments.mask_of(choice, orientation, generated))
    return brain


# ---- units


def unit_of(node: Any) -> str:
    """Unit of a volume as the library names it: what the node tells, else what the user told; ``""`` for neither."""
    return told_unit(node) or node.GetAttribute(UNIT) or ""


def told_unit(node: Any) -> str:
    """Unit that a volume tells of itself; ``""`` where it tells none. A scale that is arbitrary has no unit."""
    if node.GetAttribute("PyPeT.Calibrated") == "False":
        return ""
    entry = node.GetVoxelValueUnits()
    code = str(entry.GetCodeValue() or "") if entry is not None else ""
    try:
        unit = UNITS.entry(_UCUM.get(code, code)).name
    except UnknownNameError:
        return ""
    # "no units" is also said of what has an unknown scale
    return "" if unit == "1" else unit


def units_for(quantity: str) -> tuple[str, ...]:
    """Units that maps of a quantity may have."""
    dimension = UNITS[QUANTITIES[quantity].unit].dimension
    return tuple(name for name, unit in UNITS.items() if unit.dimension == dimension)


def tell_unit(node: Any, unit: str) -> None:
    """Keep the unit that the user told for a volume; ``""`` for none."""
    if unit:
        node.SetAttribute(UNIT, unit)
    else:
        node.RemoveAttribute(UNIT)

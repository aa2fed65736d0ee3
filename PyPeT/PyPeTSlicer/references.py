"""Which volumes are references for which maps: paired by name in the scene, or loaded from files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from PyPeTLib.compare import UNITS, pair_by_name, quantity_of_name
from PyPeTLib.errors import InputError, UnknownNameError
from PyPeTLib.io.sidecar import read_sidecar
from PyPeTLib.maps import QUANTITIES
from PyPeTSlicer.comparison import tell_unit, told_unit
from PyPeTSlicer.comparison_nodes import NO_VALUE
from PyPeTSlicer.nodes import INPUT, RUN, Transaction
from PyPeTSlicer.outputs import MAPS


@dataclass(frozen=True, kw_only=True)
class Found:
    """Reference volumes by quantity, and a sentence about each volume and map that found no partner."""

    references: dict[str, Any]
    notes: tuple[str, ...]


def candidates(sequence: Any, maps: Iterable[Any]) -> list[Any]:
    """Volumes of the scene that may be references for the maps of a run, by their names.

    Neither maps of this run nor what reviews and comparisons made, and no frames of a sequence.
    """
    logic = slicer.modules.sequences.logic()
    own = {node.GetID() for node in maps if node is not None}

    def may_be(node: Any) -> bool:
        return (
            node.GetClassName() == "vtkMRMLScalarVolumeNode"
            and not node.GetHideFromEditors()
            and node.GetImageData() is not None
            and node.GetID() not in own
            and (sequence is None or node.GetNodeReferenceID(INPUT) != sequence.GetID())
            and node.GetAttribute(NO_VALUE) is None
            and node.GetAttribute(RUN) is None
            and logic.GetFirstBrowserNodeForProxyNode(node) is None
        )

    every = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    return [node for node in every if may_be(node) and quantity_of_name(node.GetName()) in MAPS]


def pair(volumes: Sequence[Any], wanted: Sequence[str] = MAPS) -> Found:
    """References for maps, from volumes by their names; where several fit, none is taken.

    Parameters
    ----------
    volumes : sequence of vtkMRMLScalarVolumeNode
    wanted : sequence of str
        Quantities of the maps.
    """
    by_name: dict[str, Any] = {}
    for node in volumes:
        # nodes may share a name
        name = str(node.GetName())
        by_name[name if name not in by_name else f"{name} [{node.GetID()}]"] = node
    found = pair_by_name([QUANTITIES[name].symbol for name in wanted], list(by_name))
    return Found(references={one.quantity: by_name[one.reference] for one in found.pairs}, notes=found.notes)


def load_files(paths: Sequence[str | PathLike[str]]) -> list[Any]:
    """Load reference volumes from files, all or none; the unit comes from a JSON sidecar beside a file, if it has one.

    Parameters
    ----------
    paths : sequence of path
        NIfTI, NRRD, or what else Slicer reads as a volume.

    Returns
    -------
    list of vtkMRMLScalarVolumeNode

    Raises
    ------
    InputError
        If a file cannot be used; the scene is as it was then.
    """
    with Transaction():
        return [_load(Path(path)) for path in paths]


def _load(path: Path) -> Any:
    try:
        node = slicer.util.loadVolume(str(path), {"show": False})
    except Exception as error:
        # Slicer's own calls raise what they like
        raise InputError(
            str(_("{file}: Slicer could not load this file as a volume. Choose NIfTI or NRRD files.")).format(
                file=path.name
            )
        ) from error
    if node is None or node.GetClassName() != "vtkMRMLScalarVolumeNode" or node.GetImageData() is None:
        raise InputError(
            str(_("{file}: this is not one volume with one value a voxel, as a map is.")).format(file=path.name)
        )
    fields = read_sidecar(path).fields
    unit = fields.get("Units")
    if not told_unit(node) and isinstance(unit, str) and fields.get("Calibrated", True):
        try:
            tell_unit(node, UNITS.entry(unit).name)
        except UnknownNameError:
            # the user is asked for it
            tell_unit(node, "")
    return node

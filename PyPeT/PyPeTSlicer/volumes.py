"""Maps become scalar volume nodes: voxels, place, coded quantity and unit, colours, window, legend, provenance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import slicer

from PyPeTLib.geometry import Reorientation
from PyPeTLib.maps import ParameterMap
from PyPeTLib.report.colours import colour_scale
from PyPeTSlicer.colours import colour_node, table_of
from PyPeTSlicer.nodes import image_of, matrix_of

_QUANTITY_CODES = {
    "cbf": ("126390", "Absolute Regional Blood Flow"),
    "cbv": ("126391", "Absolute Regional Blood Volume"),
    "mtt": ("113052", "Mean Transit Time"),
    "ttp": ("113069", "Time To Peak"),
    "tmax": ("113084", "Tmax"),
}
"""DICOM PS3.16, context group 7180."""

_OWN_SCHEME = "99PYPET"
"""Coding scheme of maps that the group has no code for; DICOM keeps names that begin with 99 for such."""

_RELATIVE_CODES = {
    "cbf": ("126397", "Relative Regional Blood Flow"),
    "cbv": ("126398", "Relative Regional Blood Volume"),
}
"""Also for maps without an absolute scale."""

_UNIT_CODES = {
    "ml/100g/min": ("mL/min/(100.g)", "ml per 100 g per minute"),
    "ml/100g": ("mL/(100.g)", "ml per 100 g"),
    "s": ("s", "second"),
    "1": ("1", "no units"),
    "1/s": ("/s", "per second"),
    "%": ("%", "percent"),
    "HU": ("[hnsf'U]", "Hounsfield unit"),
}
"""UCUM codes of the library's units."""

FACT = "PyPeT."
"""Beginning of the attributes that tell how a map was made."""

VISIBLE_FROM = 1e-4
"""Values below are transparent: 0 where there is no value, and the few voxels whose value is not above 0."""

NO_RELATIVE_VALUE = -1.0
"""A relative map outside the brain: 100 % below the mean, which is what 0 would be in the map itself."""

NO_SIGNED_VALUE = -1000.0
"""What maps like a delay hold where they have no value: 0 and less are ordinary values of theirs."""

_SIGNED = frozenset({"delay", "k1", "k2", "kep"})

RELATIVE_WINDOW = (-1.0, 1.0)

_LABELS = {"tmax": 7, "ttp": 7, "cbv": 7, "mtt": 8, "delay": 7, "bat": 7, "psr": 7, "peak_height": 7, "shape": 6} | {
    "kep": 6
}
"""Numbers beside the colours where 5 would not be round."""


def fill_volume(node: Any, shown: ParameterMap, orientation: Reorientation, facts: Mapping[str, Any]) -> None:
    """Give a volume node the voxels, place, quantity, unit and provenance of a map.

    Parameters
    ----------
    node : vtkMRMLScalarVolumeNode
    shown : ParameterMap
        On the RAS+ grid of ``orientation``.
    orientation : Reorientation
        The node gets the grid of the input series.
    facts : mapping
        What the map shows and how it was made; each becomes an attribute, `FACT` and its name.
    """
    values = np.where(shown.valid, shown.values, np.float32(value_of_nothing(shown)))
    node.SetAndObserveImageData(image_of(orientation.to_native(values)))
    node.SetIJKToRASMatrix(matrix_of(orientation.native))
    node.SetVoxelValueQuantity(_quantity_of(shown))
    node.SetVoxelValueUnits(_coded(_UNIT_CODES[shown.unit if shown.calibrated else "1"], "UCUM"))
    # no fact of an earlier run stays
    for key in [key for key in node.GetAttributeNames() if key.startswith(FACT)]:
        node.RemoveAttribute(key)
    for key, value in facts.items():
        node.SetAttribute(f"{FACT}{key}", str(value))


def scale_of(node: Any) -> tuple[str | None, str | None]:
    """Unit of the map that a node holds, and whether it has an absolute scale."""
    return node.GetAttribute(f"{FACT}Units"), node.GetAttribute(f"{FACT}Calibrated")


def style(node: Any, shown: ParameterMap) -> None:
    """Give a new volume its colours, window, legend, and a transparent background."""
    relative = is_relative(shown)
    low, high = RELATIVE_WINDOW if relative else _window(shown)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    # white in the middle where the middle is zero
    table = table_of(shown.quantity.name, relative=low == -high)
    display.SetAndObserveColorNodeID(colour_node(table).GetID())
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(low, high)
    display.SetInterpolate(False)
    display.AutoThresholdOff()
    display.SetApplyThreshold(True)
    display.SetThreshold(value_of_nothing(shown) + VISIBLE_FROM, 1e6)
    _add_legend(node, shown)


def _add_legend(node: Any, shown: ParameterMap) -> None:
    legend = slicer.modules.colors.logic().AddDefaultColorLegendDisplayNode(node)
    if legend is None:
        return
    unit = "of mean" if is_relative(shown) else shown.unit if shown.calibrated else "a.u."
    legend.SetTitleText(f"{shown.quantity.symbol}\n{unit}")
    # numbers, also for tables of few colours, which would show names
    legend.SetUseColorNamesForLabels(False)
    legend.SetLabelFormat("%.3g")
    legend.SetNumberOfLabels(_LABELS.get(shown.quantity.name, 5))


def is_relative(shown: ParameterMap) -> bool:
    """Whether a map is ``(x - mean)/mean``."""
    return "relative_to_mean" in shown.provenance


def value_of_nothing(shown: ParameterMap) -> float:
    """What the volume holds where the map has no value; it and what lies below is transparent."""
    if shown.quantity.name in _SIGNED or shown.quantity.window[0] < 0:
        return NO_SIGNED_VALUE
    return NO_RELATIVE_VALUE if is_relative(shown) else 0.0


def _quantity_of(shown: ParameterMap) -> Any:
    name = shown.quantity.name
    code = None if shown.calibrated and not is_relative(shown) else _RELATIVE_CODES.get(name)
    code = code or _QUANTITY_CODES.get(name)
    return _coded((name, shown.quantity.title), _OWN_SCHEME) if code is None else _coded(code, "DCM")


def _window(shown: ParameterMap) -> tuple[float, float]:
    scale = colour_scale(shown)
    return scale.low, scale.high


def _coded(code: tuple[str, str], scheme: str) -> Any:
    entry = slicer.vtkCodedEntry()
    entry.SetValueSchemeMeaning(code[0], scheme, code[1])
    return entry

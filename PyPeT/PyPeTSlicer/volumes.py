"""Maps become scalar volume nodes: voxels, place, coded quantity and unit, colours, window, legend, provenance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import slicer

from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Reorientation
from PyPeTLib.maps import ParameterMap
from PyPeTLib.report.colours import colour_scale
from PyPeTSlicer.colours import DEFAULT, colour_node, is_centred, table_of
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

WINDOW = f"{FACT}Window"
"""Attribute with the standard window of a map: two numbers."""

STEPS = (5, 4, 6, 7, 8, 3)
"""Numbers of steps between the labels of a legend; the first is taken that makes round steps."""

LEGEND_SIZE = (0.16, 0.6)
"""Width and height of a legend as shares of the view."""

LEGEND_PLACES = {"right": (0.97, 0.5), "left": (0.03, 0.5)}
"""Where it lies between the edges of the view."""

LEGEND_NUMBERS = "%5.3g"
"""Blanks before short numbers keep the letters small: Slicer enlarges them until the longest number fills the width."""


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
    node.SetAttribute(WINDOW, " ".join(f"{end:.9g}" for end in _window(shown)))


def scale_of(node: Any) -> tuple[str | None, str | None]:
    """Unit of the map that a node holds, and whether it has an absolute scale."""
    return node.GetAttribute(f"{FACT}Units"), node.GetAttribute(f"{FACT}Calibrated")


def style(node: Any, shown: ParameterMap, scheme: str = DEFAULT) -> None:
    """Give a volume that `fill_volume` filled its colours, window, legend, and a transparent background.

    ``scheme`` is one of `PyPeTSlicer.colours.SCHEMES`.
    """
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    table = table_of(shown.quantity.name, relative=is_relative(shown) or is_centred(shown.quantity), scheme=scheme)
    display.SetAndObserveColorNodeID(colour_node(table).GetID())
    display.SetInterpolate(False)
    display.AutoThresholdOff()
    display.SetApplyThreshold(True)
    display.SetThreshold(value_of_nothing(shown) + VISIBLE_FROM, 1e6)
    unit = "of mean" if is_relative(shown) else shown.unit if shown.calibrated else "a.u."
    reset_window(node)
    add_legend(node, shown.quantity.symbol, unit)


def standard_window(node: Any) -> tuple[float, float] | None:
    """Lower and upper end of the window that a map has by itself; None where the node is no map."""
    ends = (node.GetAttribute(WINDOW) or "").split()
    return (float(ends[0]), float(ends[1])) if len(ends) == 2 else None


def reset_window(node: Any) -> None:
    """Back to the standard window of a map, and to a legend with round numbers; an `InputError` for other nodes."""
    window = standard_window(node)
    if window is None or node.GetDisplayNode() is None:
        raise InputError(f"{node.GetName()} has no standard window: no map of PyPeT, or one of an earlier version.")
    display = node.GetDisplayNode()
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(*window)
    legend = _legend_of(node)
    if legend is not None:
        legend.SetNumberOfLabels(labels(*window))


def labels(low: float, high: float) -> int:
    """How many numbers beside a colour bar are round ones; both ends have a number.

    The steps between them are 1, 2, 5, or else 2.5, or else 1.5, 3 or 4, times a power of 10.
    """
    if not high > low:
        return STEPS[0] + 1
    power = 10.0 ** np.floor(np.log10((high - low) / max(STEPS)))
    for leads in ((1, 2, 5, 10, 20, 50), (2.5, 25), (1.5, 3, 4, 15, 30, 40)):
        for count in STEPS:
            lead = (high - low) / count / power
            if any(abs(lead - wanted) < 1e-6 * wanted for wanted in leads):
                return count + 1
    return STEPS[0] + 1


def add_legend(node: Any, symbol: str, unit: str) -> None:
    """Show what the colours of a displayed volume mean, in the slice views that show the volume; once each."""
    legend = slicer.modules.colors.logic().AddDefaultColorLegendDisplayNode(node)
    if legend is None:
        return
    # a long unit would reach over the brain where three views share a row
    legend.SetTitleText(f"{symbol}\n{unit}".replace("/min", "\n/min"))
    # numbers, also for tables of few colours, which would show names
    legend.SetUseColorNamesForLabels(False)
    legend.SetMaxNumberOfColors(256)
    legend.SetLabelFormat(LEGEND_NUMBERS)
    display = node.GetDisplayNode()
    legend.SetNumberOfLabels(labels(display.GetWindowLevelMin(), display.GetWindowLevelMax()))
    legend.SetSize(*LEGEND_SIZE)
    # where slices are shown in 3D, the bars of all of them would lie on each other
    legend.SetVisibility3D(False)
    place_legend(node, "right")


def place_legend(node: Any, side: str) -> None:
    """Put a volume's legend on the right or left of its views: two volumes in one view need two places."""
    legend = _legend_of(node)
    if legend is not None:
        legend.SetPosition(*LEGEND_PLACES[side])


def _legend_of(node: Any) -> Any:
    return slicer.modules.colors.logic().GetColorLegendDisplayNode(node)


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
    if is_relative(shown):
        return RELATIVE_WINDOW
    scale = colour_scale(shown)
    return scale.low, scale.high


def _coded(code: tuple[str, str], scheme: str) -> Any:
    entry = slicer.vtkCodedEntry()
    entry.SetValueSchemeMeaning(code[0], scheme, code[1])
    return entry

"""The colour tables of the maps, as nodes of the scene; the first scheme has the colours of the report's pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _
from vtk.util.numpy_support import vtk_to_numpy

from PyPeTLib.errors import InputError
from PyPeTLib.maps import QUANTITIES, Quantity

FOLDER = Path(__file__).parents[1] / "Resources" / "ColorTables"

RELATIVE = "PyPeT-Relative"
"""For values on both sides of 0, in every scheme: blue below, light grey at 0, orange above."""


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """Colours for all maps.

    Attributes
    ----------
    title, tooltip : str
        For the user.
    smooth : str
        Name of the table of most maps.
    bands : str
        That of Tmax, which changes at the thresholds.
    """

    title: str
    tooltip: str
    smooth: str
    bands: str


DEFAULT = "perfusion"

SCHEMES: dict[str, Scheme] = {
    DEFAULT: Scheme(
        title=_("Perfusion (rainbow)"),
        tooltip=_("Blue for low and red for high values, as in the report's pictures."),
        smooth="PyPeT-Perfusion",
        bands="PyPeT-Tmax",
    ),
    "asist": Scheme(
        title=_("ASIST-Japan (a-LUT)"),
        tooltip=_(
            "The lookup table that the Acute Stroke Imaging Standardization Group Japan recommends: black, purple, "
            "blue, green, yellow, red. The lowest values are as dark as the background."
        ),
        smooth="PyPeT-ASIST",
        bands="PyPeT-Tmax-ASIST",
    ),
    "even": Scheme(
        title=_("Even (colour-blind safe)"),
        tooltip=_(
            "From dark blue to light yellow in equal steps of lightness: readable with any colour vision and in grey, "
            "and equal differences look equally large."
        ),
        smooth="PyPeT-Even",
        bands="PyPeT-Tmax-Even",
    ),
}
"""Names to choose from. Choosing one changes colours only, no window and no value."""


def table_of(quantity: str, *, relative: bool = False, scheme: str = DEFAULT) -> str:
    """Name of the colour table for a quantity; an `InputError` for a scheme that there is not."""
    if scheme not in SCHEMES:
        raise InputError(f"There is no colour scheme {scheme!r}; choose one of {', '.join(SCHEMES)}.")
    if relative:
        return RELATIVE
    return SCHEMES[scheme].bands if quantity == "tmax" else SCHEMES[scheme].smooth


def read_table(name: str) -> np.ndarray[Any, Any]:
    """Colours of a table as red, green, blue from 0 to 1, shape (n, 3)."""
    rows = [line.split() for line in (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()]
    return np.array([[float(value) / 255 for value in row[2:5]] for row in rows if row and not row[0].startswith("#")])


def colour_node(name: str) -> Any:
    """The node of a table: that of the scene, else a new one."""
    colours = read_table(name)
    for node in slicer.util.getNodesByClass("vtkMRMLColorTableNode"):
        # a table that the user changed, or one of another version, keeps its colours and is not used
        if node.GetName() == name and _holds(node, colours):
            return node
    node = slicer.vtkMRMLColorTableNode()
    node.SetTypeToUser()
    node.SetNumberOfColors(len(colours))
    for index, (red, green, blue) in enumerate(colours):
        node.SetColor(index, str(index), red, green, blue, 1.0)
    node.SetName(name)
    node.SetAttribute("Category", "PyPeT")
    node.SaveWithSceneOn()
    return slicer.mrmlScene.AddNode(node)


def restyle(nodes: Iterable[Any], scheme: str) -> None:
    """Give maps the colours of a scheme; windows, legends and values stay.

    Parameters
    ----------
    nodes : iterable of vtkMRMLScalarVolumeNode
        Those that are no maps of PyPeT, or are not displayed, are left alone.
    scheme : str
        Key of `SCHEMES`; an `InputError` for another.
    """
    for node in nodes:
        table = table_for(node, scheme)
        if table is not None and node.GetDisplayNode() is not None:
            node.GetDisplayNode().SetAndObserveColorNodeID(colour_node(table).GetID())


def scheme_of(node: Any) -> str | None:
    """The scheme that a map is shown in, the first of those that agree; None for other colours."""
    colours = node.GetDisplayNode().GetColorNode() if node.GetDisplayNode() is not None else None
    if colours is None:
        return None
    return next((name for name in SCHEMES if table_for(node, name) == colours.GetName()), None)


def table_for(node: Any, scheme: str) -> str | None:
    """Name of the table for a volume node; None where it is no map of PyPeT."""
    symbol = node.GetAttribute("PyPeT.Symbol")
    quantity = next((found for found in QUANTITIES.values() if found.symbol == symbol), None)
    if quantity is None:
        return None
    is_relative = node.GetAttribute("PyPeT.RelativeToMean") is not None
    return table_of(quantity.name, relative=is_relative or is_centred(quantity), scheme=scheme)


def is_centred(quantity: Quantity) -> bool:
    """Whether 0 is in the middle of a quantity's window."""
    return quantity.window[0] == -quantity.window[1]


def _holds(node: Any, colours: np.ndarray[Any, Any]) -> bool:
    """Whether a colour node has these colours, as exactly as a screen shows them."""
    table = node.GetLookupTable()
    if table is None or node.GetNumberOfColors() != len(colours):
        return False
    return bool(np.abs(vtk_to_numpy(table.GetTable())[:, :3] - np.round(255 * colours)).max() < 2)

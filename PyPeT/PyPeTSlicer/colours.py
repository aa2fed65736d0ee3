"""The colour tables of the maps, as nodes of the scene; the same colours as in the pictures of the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import slicer

FOLDER = Path(__file__).parents[1] / "Resources" / "ColorTables"

PERFUSION, TMAX, RELATIVE = "PyPeT-Perfusion", "PyPeT-Tmax", "PyPeT-Relative"


def table_of(quantity: str, *, relative: bool = False) -> str:
    """Name of the colour table for a quantity."""
    if relative:
        return RELATIVE
    return TMAX if quantity == "tmax" else PERFUSION


def read_table(name: str) -> np.ndarray[Any, Any]:
    """Colours of a table as red, green, blue from 0 to 1, shape (n, 3)."""
    rows = [line.split() for line in (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()]
    return np.array([[float(value) / 255 for value in row[2:5]] for row in rows if row and not row[0].startswith("#")])


def colour_node(name: str) -> Any:
    """The node of a table: that of the scene, else a new one."""
    for node in slicer.util.getNodesByClass("vtkMRMLColorTableNode"):
        if node.GetName() == name:
            return node
    colours = read_table(name)
    node = slicer.vtkMRMLColorTableNode()
    node.SetTypeToUser()
    node.SetNumberOfColors(len(colours))
    for index, (red, green, blue) in enumerate(colours):
        node.SetColor(index, str(index), red, green, blue, 1.0)
    node.SetName(name)
    node.SetAttribute("Category", "PyPeT")
    node.SaveWithSceneOn()
    return slicer.mrmlScene.AddNode(node)

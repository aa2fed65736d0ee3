"""How the volumes of a predicted PET look: colours, windows, legends, and what is transparent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from PyPeTLib.arrays import Volume
from PyPeTSlicer.colours import RELATIVE, SCHEMES, colour_node
from PyPeTSlicer.volumes import add_legend

PET_COLOURS = "vtkMRMLPETProceduralColorNodePET-HotMetalBlue"
"""Slicer's own table with the colours that DICOM calls hot metal blue: black, blue, red, orange, yellow, white."""

_SCALE = "PyPeT.Synthesis.Scale"
"""Attribute of a volume: the model whose values its window was made for."""

_ROUND = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
"""First digits of the ends of windows."""

_ABOVE_ALL = 1e30


def top_of(pets: Sequence[Volume]) -> float:
    """Upper end of one window for all these values: a round number that nearly all stay below."""
    usual = max(float(np.percentile(values, 99.5)) for values in pets if values.size)
    return rounded_up(usual) if usual > 0 else 1.0


def largest_shown(errors: Volume, top: float) -> float:
    """End of the windows of errors: all but the largest errors, from a tenth to half of the PET's own window."""
    usual = float(np.percentile(np.abs(errors), 98)) if errors.size else 0.0
    return rounded_up(max(min(usual, 0.5 * top), 0.1 * top))


def rounded_up(value: float) -> float:
    """The next round number that is not below a positive one."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * digit for digit in _ROUND if power * digit >= value * (1 - 1e-9))


def style_pet(node: Any, top: float, unit: str, scale: str, *, is_predicted: bool) -> None:
    """Give a PET its colours and window, unless it has them for values of this model; the user may have changed them.

    Parameters
    ----------
    node : vtkMRMLScalarVolumeNode
    top : float
        Upper end of the window.
    unit : str
        Empty where it is not told.
    scale : str
        Digest of the model.
    is_predicted : bool
        Whether the legend says that no scanner made it.
    """
    if _is_styled(node, scale):
        return
    display = node.GetDisplayNode()
    colours = slicer.mrmlScene.GetNodeByID(PET_COLOURS)
    display.SetAndObserveColorNodeID(
        PET_COLOURS if colours is not None else colour_node(SCHEMES["even"].smooth).GetID()
    )
    _window(display, 0.0, top)
    _see_through(display, 1e-4 * top)
    add_legend(node, str(_("Synthetic\nPET")) if is_predicted else str(_("Real\nPET")), _shown(unit))


def style_error(node: Any, largest: float, nothing: float, unit: str, scale: str, *, is_signed: bool) -> None:
    """Give errors their colours and window, unless they have them for values of this model.

    Parameters
    ----------
    node : vtkMRMLScalarVolumeNode
    largest : float
        End of the window: symmetric around 0 with the sign, from 0 without.
    nothing : float
        What the volume holds outside the brain.
    unit, scale : str
        As for `style_pet`.
    is_signed : bool
    """
    if _is_styled(node, scale):
        return
    display = node.GetDisplayNode()
    # white in the middle, where both are alike
    table = RELATIVE if is_signed else SCHEMES["even"].smooth
    display.SetAndObserveColorNodeID(colour_node(table).GetID())
    _window(display, -largest if is_signed else 0.0, largest)
    _see_through(display, nothing + 1e-4 * (largest if not is_signed else 1.0))
    add_legend(node, str(_("Error")) if is_signed else str(_("Absolute\nerror")), _shown(unit))
    legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(node)
    if legend is not None and is_signed:
        # 0 has a number, whatever the window
        legend.SetNumberOfLabels(5)


def _is_styled(node: Any, scale: str) -> bool:
    is_new = node.GetDisplayNode() is None
    if is_new:
        node.CreateDefaultDisplayNodes()
    before = node.GetAttribute(_SCALE)
    node.SetAttribute(_SCALE, scale)
    return not is_new and before == scale


def _window(display: Any, low: float, high: float) -> None:
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(low, high)
    display.SetInterpolate(False)


def _see_through(display: Any, visible_from: float) -> None:
    """Make what lies below transparent: there is no value."""
    display.SetApplyThreshold(True)
    display.AutoThresholdOff()
    display.SetThreshold(visible_from, _ABOVE_ALL)


def _shown(unit: str) -> str:
    # a long line would reach over the brain
    return unit or str(_("unit\nnot told"))

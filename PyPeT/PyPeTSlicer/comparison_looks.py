"""How the volumes of a comparison look: windows, colours, and what is transparent."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from slicer.i18n import tr as _

from PyPeTLib.arrays import Volume
from PyPeTLib.compare import Comparison
from PyPeTSlicer.volumes import VISIBLE_FROM

NORMALISED_WINDOWS = {"relative": (-1.0, 1.0), "ratio": (0.0, 2.0)}

_BELOW_ALL = -1000.0
_ROUND = (1.0, 2.0, 4.0, 6.0, 8.0, 10.0)
"""First digits of windows of differences: their halves are round too."""


def show_alike(one: Any, other: Any) -> None:
    """Give a volume the colour table, window and threshold of another."""
    if other.GetDisplayNode() is None:
        other.CreateDefaultDisplayNodes()
    copy_look(one.GetDisplayNode(), other.GetDisplayNode())


def copy_look(display: Any, other: Any) -> None:
    """Give a display node the colour table and window of another; what is so already is not touched."""
    changing = other.StartModify()
    other.SetAndObserveColorNodeID(display.GetColorNodeID())
    other.AutoWindowLevelOff()
    other.SetWindowLevelMinMax(display.GetWindowLevelMin(), display.GetWindowLevelMax())
    other.SetInterpolate(display.GetInterpolate())
    other.EndModify(changing)


def hide(node: Any, nothing: float) -> None:
    """Make voxels without a value transparent."""
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetApplyThreshold(True)
    display.AutoThresholdOff()
    display.SetThreshold(nothing + VISIBLE_FROM, 1e6)


def value_of_nothing(values: Volume, *, is_signed: bool) -> float:
    """What a volume holds where it has no value: whole, and below all values unless these are never negative."""
    lowest = float(values.min(initial=0.0))
    if lowest >= 0 and not is_signed:
        return 0.0
    return _BELOW_ALL if lowest > _BELOW_ALL + 1 else -(10.0 ** (math.ceil(math.log10(-lowest)) + 1))


def window_of_difference(comparison: Comparison, display: Any) -> float:
    """Symmetric window: all but the largest differences, from a tenth to half of the maps' own window.

    Vessels differ by far more than tissue, and would leave it white.
    """
    sizes = np.abs(comparison.difference[comparison.mask])
    usual = float(np.percentile(sizes, 98)) if sizes.size else 0.0
    width = display.GetWindowLevelMax() - display.GetWindowLevelMin()
    wanted = max(min(usual, 0.5 * width), 0.1 * width, 1e-6)
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(power * digit for digit in _ROUND if power * digit >= wanted * (1 - 1e-9))


def shown_unit(comparison: Comparison) -> str:
    """The unit as legends and axes tell it."""
    if comparison.normalisation == "relative":
        return str(_("of mean"))
    if comparison.normalisation == "ratio":
        return str(_("× mean"))
    return comparison.unit or str(_("unit not told"))

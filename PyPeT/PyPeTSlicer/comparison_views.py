"""A comparison in the views: side by side, in turn, or as a checkerboard; both maps in the same colours and window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _

from PyPeTLib.maps import QUANTITIES
from PyPeTSlicer.comparison_looks import copy_look
from PyPeTSlicer.comparison_nodes import MapNodes
from PyPeTSlicer.outputs import MAPS
from PyPeTSlicer.views import LAYOUTS, Arrangement, Plot, Slice, Table, Views

SIDE_BY_SIDE, FLICKER, CHECKERBOARD = "side by side", "flicker", "checkerboard"

_FIRST = LAYOUTS[25]
"""Of the layouts of a comparison: one for each map side by side, then flicker and checkerboard."""

_FLICKER, _CHECKERBOARD = _FIRST + len(MAPS), _FIRST + len(MAPS) + 1


def arrangement(mode: str, nodes: MapNodes, table: Any, board: Any = None) -> Arrangement:
    """What the views show.

    Parameters
    ----------
    mode : str
    nodes : MapNodes
    table : vtkMRMLTableNode
        All figures.
    board : vtkMRMLScalarVolumeNode, optional
        For the checkerboard.
    """
    symbol = QUANTITIES[nodes.quantity].symbol

    def titled(text: str) -> str:
        return str(text).format(map=symbol)

    if mode == FLICKER:
        title = titled(_("{map} generated and reference in turn"))
        return Arrangement(rows=((Slice(title=title, background=nodes.generated),),))
    if mode == CHECKERBOARD:
        return Arrangement(rows=((Slice(title=titled(_("{map} generated and reference")), background=board),),))
    maps = (
        Slice(title=titled(_("{map} generated")), background=nodes.generated),
        Slice(title=titled(_("{map} reference")), background=nodes.reference),
        Slice(title=titled(_("{map} generated − reference")), background=nodes.difference),
    )
    figures = (
        Plot(title=titled(_("{map} joint histogram")), chart=nodes.histogram),
        Plot(title=titled(_("{map} Bland-Altman")), chart=nodes.bland_altman),
        Table(title=str(_("Figures of agreement")), table=table),
    )
    return Arrangement(rows=(maps, figures), heights=(3.0, 2.0))


class InStep:
    """Displays that have the same colour table and window, whichever of them is changed; until `release`.

    Parameters
    ----------
    displays : sequence of vtkMRMLScalarVolumeDisplayNode
        The others are made like the first.
    """

    def __init__(self, *displays: Any) -> None:
        self._displays = displays
        self._is_following = False
        event = vtk.vtkCommand.ModifiedEvent
        self._tags = [(display, display.AddObserver(event, self._follow)) for display in displays]
        self._follow(displays[0])

    def release(self) -> None:
        """Let each go its own way."""
        for display, tag in self._tags:
            display.RemoveObserver(tag)
        self._tags = []

    def _follow(self, changed: Any, _event: Any = None) -> None:
        if self._is_following:
            return
        self._is_following = True
        try:
            for display in self._displays:
                if display is not changed:
                    copy_look(changed, display)
        finally:
            self._is_following = False


class Shown:
    """The comparison as it is shown; gives back what it changed.

    Parameters
    ----------
    views : Views
    told : callable
        Called when the view that flickers shows the other map, with whether it is the reference.
    """

    def __init__(self, views: Views, told: Callable[[bool], None]) -> None:
        self._views, self._told = views, told
        self._in_step: InStep | None = None
        self._flickers: Any = None
        self._pair: tuple[Any, Any] = (None, None)
        self._is_reference = False

    @property
    def mode(self) -> str | None:
        """The way in which a comparison is shown; None where the views show something else."""
        number = self._views.layout
        if number is None or number < _FIRST or number > _CHECKERBOARD:
            return None
        return {_FLICKER: FLICKER, _CHECKERBOARD: CHECKERBOARD}.get(number, SIDE_BY_SIDE)

    def show(self, mode: str, nodes: MapNodes, table: Any, board: Any) -> None:
        """Show a map in one of the ways; raises an `InputError` where there are no views."""
        self.release()
        shown = arrangement(mode, nodes, table, board)
        number = {FLICKER: _FLICKER, CHECKERBOARD: _CHECKERBOARD}.get(mode, _FIRST + MAPS.index(nodes.quantity))
        self._views.show(number, shown)
        alike = [nodes.generated, nodes.reference, *([board] if board is not None else [])]
        self._in_step = InStep(*(node.GetDisplayNode() for node in alike))
        if mode == FLICKER:
            name = next(name for name, _cell in shown.named())
            self._flickers = slicer.app.applicationLogic().GetSliceLogicByLayoutName(name)
            self._pair = (nodes.generated, nodes.reference)
            self._tell(is_reference=False)

    def flick(self) -> bool:
        """Show the other map; whether there is a view that does so."""
        if self._flickers is None or self.mode != FLICKER:
            return False
        self._tell(is_reference=not self._is_reference)
        return True

    def rest(self) -> None:
        """Show the generated map for as long as nothing flickers."""
        if self._flickers is not None and self.mode == FLICKER:
            self._tell(is_reference=False)

    def _tell(self, *, is_reference: bool) -> None:
        """Show one of both maps, and say which."""
        self._is_reference = is_reference
        # one map alone: as a foreground, the other would shine through where it has no value
        self._flickers.GetSliceCompositeNode().SetBackgroundVolumeID(self._pair[is_reference].GetID())
        label = _("Reference") if is_reference else _("Generated")
        self._flickers.GetSliceNode().SetLayoutLabel(label)
        self._told(is_reference)

    def release(self) -> None:
        """Let go of the nodes."""
        if self._in_step is not None:
            self._in_step.release()
        self._in_step = self._flickers = None
        self._pair = (None, None)

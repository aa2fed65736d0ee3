"""A predicted PET in the views: beside the first contrast, and the real PET and the errors where there is one."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from PyPeTSlicer.comparison_views import InStep
from PyPeTSlicer.drawn_segments import Segments
from PyPeTSlicer.mark_segments import read
from PyPeTSlicer.nodes import TITLE
from PyPeTSlicer.synthesis_nodes import PLACE, PREDICTED, REAL, SynthesisNodes
from PyPeTSlicer.views import LAYOUTS, Arrangement, Slice, Table, Views

_ALONE, _COMPARED = LAYOUTS[21], LAYOUTS[22]
"""Layouts of a predicted PET without and with a real one."""


def arrangement(nodes: SynthesisNodes) -> Arrangement:
    """What the views show."""
    predicted = _drawn(nodes, PREDICTED)
    contrast = Slice(title=str(nodes.first.GetName()), background=nodes.first, segments=predicted)
    made = Slice(title=str(_("Predicted PET (synthetic)")), background=nodes.predicted, segments=predicted)
    table = Table(title=nodes.table.GetAttribute(TITLE) or "", table=nodes.table)
    place = read(nodes.segmentation.GetAttribute(PLACE))
    if not nodes.has_real:
        return Arrangement(rows=((contrast, made), (table,)), heights=(3.0, 1.0), place=place)
    real = Slice(title=str(_("Real PET")), background=nodes.real, segments=_drawn(nodes, REAL))
    error = Slice(title=str(_("Error, predicted − real")), background=nodes.error)
    absolute = Slice(title=str(_("Absolute error")), background=nodes.absolute)
    return Arrangement(rows=((contrast, real, made), (error, absolute, table)), place=place)


def _drawn(nodes: SynthesisNodes, segment: str) -> tuple[Segments, ...]:
    if nodes.segmentation.GetSegmentation().GetSegment(segment) is None:
        return ()
    return (Segments(segmentation=nodes.segmentation, outlined=(segment,)),)


class Shown:
    """A predicted PET as it is shown; gives back what it changed.

    Parameters
    ----------
    views : Views
    """

    def __init__(self, views: Views) -> None:
        self._views = views
        self._pair: tuple[Any, Any] | None = None
        self._in_step: InStep | None = None

    @property
    def is_shown(self) -> bool:
        """Whether the views show a predicted PET."""
        return self._views.layout in (_ALONE, _COMPARED)

    def show(self, nodes: SynthesisNodes) -> None:
        """Show a predicted PET; raises an `InputError` where there are no views."""
        self.release()
        self._views.show(_COMPARED if nodes.has_real else _ALONE, arrangement(nodes))
        if nodes.has_real:
            self._pair = (nodes.predicted, nodes.real)
        self.resume()

    def pause(self) -> None:
        """Let both PETs change their looks apart, until `resume`."""
        if self._in_step is not None:
            self._in_step.release()
        self._in_step = None

    def resume(self) -> None:
        """Keep the PETs that are shown in one window and one table of colours, whichever the user changes."""
        if self._pair is not None and self._in_step is None:
            self._in_step = InStep(*(node.GetDisplayNode() for node in self._pair))

    def release(self) -> None:
        """Let go of the nodes."""
        self.pause()
        self._pair = None

    def leave(self) -> None:
        """Give the user's layout back."""
        self.release()
        self._views.leave()

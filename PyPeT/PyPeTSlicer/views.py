"""Layouts of slice views, plots and tables: what is shown where, and the user's own layout given back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import slicer
import vtk

from PyPeTLib.errors import InputError
from PyPeTSlicer.drawn_segments import Segments, draw, let_go

LAYOUTS = range(5017, 5050)
"""Numbers of the layouts that PyPeT describes; Slicer's own are far below."""

_GROUP = 17
"""Linked slice views follow one another within their group; those of the user's layouts are in group 0."""

_USERS_LAYOUT = "PyPeT.UsersLayout"
"""Attribute of the layout node: number of the layout to give back."""

_CROSSHAIR = "PyPeT.Crosshair"
"""Attribute of the layout node: the user had no crosshair."""

_FALLBACK = 3
"""Slicer's four views, where no layout of the user's is known."""


@dataclass(frozen=True, kw_only=True)
class Slice:
    """A slice view: a title, volumes and segments.

    The slice is parallel to the slices of the background volume, whatever their tilt.
    """

    title: str
    background: Any = None
    foreground: Any = None
    opacity: float = 1.0
    orientation: str = "Axial"
    segments: tuple[Segments, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A plot view of a chart node."""

    title: str
    chart: Any


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table view of a table node."""

    title: str
    table: Any


Cell = Slice | Plot | Table

_KINDS: dict[type, tuple[str, str]] = {
    Slice: ("vtkMRMLSliceNode", "PyPeT"),
    Plot: ("vtkMRMLPlotViewNode", "PyPeTPlot"),
    Table: ("vtkMRMLTableViewNode", "PyPeTTable"),
}
"""Class of the view node of each kind of cell, and how the names of the views begin."""


@dataclass(frozen=True, kw_only=True)
class Arrangement:
    """Rows of cells.

    Attributes
    ----------
    rows : tuple of tuple of Cell
    heights : tuple of float
        Shares of the rows; equal where none are given.
    place : tuple of float or None
        In RAS mm, where the slice views go to; None for where they are.
    """

    rows: tuple[tuple[Cell, ...], ...]
    heights: tuple[float, ...] = ()
    place: Sequence[float] | None = None

    def named(self) -> Iterator[tuple[str, Cell]]:
        """Every cell with the name of its view, row by row."""
        counts = dict.fromkeys(_KINDS, 0)
        for row in self.rows:
            for cell in row:
                counts[type(cell)] += 1
                yield f"{_KINDS[type(cell)][1]}{counts[type(cell)]}", cell


class Views:
    """The views that PyPeT arranges; owned by the module's logic, and without effect until `show`.

    While a layout of PyPeT's is shown, the layout node is observed: whoever chooses another layout has all else back
    that `show` had changed.

    Attributes
    ----------
    listeners : list of callable
        Called when another layout of PyPeT's is shown, or none any more.
    """

    def __init__(self) -> None:
        self.listeners: list[Callable[[], None]] = []
        self._shown: Arrangement | None = None
        # a scene that is closed takes the attributes of the layout node along
        self._users_layout: int | None = None
        self._observed: tuple[Any, int] | None = None

    @property
    def layout(self) -> int | None:
        """Number of the layout of PyPeT's that is shown; None where another one is."""
        node = _layout_node()
        number = node.GetViewArrangement() if node is not None else 0
        return number if number in LAYOUTS else None

    def show(self, number: int, arrangement: Arrangement) -> None:
        """Show an arrangement as a layout of this number.

        Raises
        ------
        InputError
            Where the application has no views.
        """
        node = _layout_node()
        if node is None or slicer.app.layoutManager() is None:
            raise InputError("There are no views here: the application runs without a window.")
        place = arrangement.place if arrangement.place is not None else self.place()
        is_first = self.layout is None
        if is_first:
            self._users_layout = int(node.GetViewArrangement())
            node.SetAttribute(_USERS_LAYOUT, str(self._users_layout))
            _show_crosshair(node)
        let_go()
        describe(number, layout_xml(arrangement))
        node.SetViewArrangement(number)
        self._observe(node)
        # the views have their size only now
        slicer.app.processEvents()
        if self.layout != number:
            # somebody chose another one meanwhile
            return
        for name, cell in arrangement.named():
            view = slicer.mrmlScene.GetSingletonNode(name, _KINDS[type(cell)][0])
            if isinstance(cell, Slice):
                _show_slice(name, view, cell)
            elif isinstance(cell, Plot):
                view.SetPlotChartNodeID(cell.chart.GetID())
            else:
                cell.table.SetUseColumnTitleAsColumnHeader(True)
                cell.table.SetLocked(True)
                view.SetTableNodeID(cell.table.GetID())
            view.SetLayoutLabel(cell.title)
        self._shown = arrangement
        self._draw_segments()
        if place is not None:
            self.go_to(place)
        centre = arrangement.place if arrangement.place is not None else self.place()
        crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        if centre is not None and crosshair is not None:
            crosshair.SetCrosshairRAS(centre)
        self._tell()

    def draw(self, arrangement: Arrangement) -> None:
        """Draw the segments of an arrangement in place of those of the one that is shown, whose views it has."""
        self._shown = arrangement
        let_go()
        self._draw_segments()

    def leave(self) -> None:
        """Give the user's layout back; where it is shown already, what else was changed."""
        node = _layout_node()
        before = self._users_layout
        if node is not None:
            before = int(node.GetAttribute(_USERS_LAYOUT) or before or _FALLBACK)
        is_shown = self.layout is not None
        self._give_back()
        if is_shown:
            node.SetViewArrangement(before if before not in LAYOUTS else _FALLBACK)
            self._tell()

    def forget(self) -> None:
        """The scene goes, and all nodes with it; the layout stays until `leave`."""
        self._shown = None

    def _observe(self, node: Any) -> None:
        """Notice when the user chooses another layout."""
        if self._observed is None or self._observed[0] is not node:
            self._stop_observing()
            self._observed = (node, node.AddObserver(vtk.vtkCommand.ModifiedEvent, self._on_layout))

    def _stop_observing(self) -> None:
        if self._observed is not None:
            node, tag = self._observed
            node.RemoveObserver(tag)
            self._observed = None

    def _on_layout(self, _node: Any, _event: Any) -> None:
        # a scene that is closed sets the node back for a moment; who closes it has to leave
        if self.layout is None and not slicer.mrmlScene.IsClosing():
            self._give_back()
            self._tell()

    def _give_back(self) -> None:
        """All that was changed but the layout itself."""
        self._stop_observing()
        self._shown = self._users_layout = None
        let_go()
        node = _layout_node()
        if node is not None:
            node.RemoveAttribute(_USERS_LAYOUT)
            _hide_crosshair(node)

    def _tell(self) -> None:
        for listener in self.listeners:
            listener()

    def go_to(self, place: Sequence[float]) -> None:
        """Move the slice views to a place in RAS mm, as far as their own direction goes."""
        for _, view in self._slices():
            view.JumpSliceByOffsetting(*(float(value) for value in place))

    def place(self) -> tuple[float, float, float] | None:
        """Centre of the first slice view in RAS mm; None where none is shown."""
        for _, view in self._slices():
            matrix = view.GetSliceToRAS()
            return (matrix.GetElement(0, 3), matrix.GetElement(1, 3), matrix.GetElement(2, 3))
        return None

    def _slices(self) -> Iterator[tuple[str, Any]]:
        """The slice views that are shown, with their names."""
        if self._shown is None or self.layout is None:
            return
        for name, cell in self._shown.named():
            if isinstance(cell, Slice):
                view = slicer.mrmlScene.GetSingletonNode(name, "vtkMRMLSliceNode")
                if view is not None:
                    yield name, view

    def _draw_segments(self) -> None:
        """Draw the segments of each cell in its own view."""
        shown = [] if self._shown is None else list(self._shown.named())
        cells = [(f"{_KINDS[Slice][0]}{name}", cell) for name, cell in shown if isinstance(cell, Slice)]
        draw({view_id: cell.segments for view_id, cell in cells})


def _show_crosshair(layout: Any) -> None:
    """Mark the same place in all views, where the user shows no crosshair anyway."""
    node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    if node is not None and node.GetCrosshairMode() == node.NoCrosshair:
        layout.SetAttribute(_CROSSHAIR, "1")
        node.SetCrosshairMode(node.ShowSmallBasic)


def _hide_crosshair(layout: Any) -> None:
    """Give the user's crosshair back: none, unless another one was chosen meanwhile."""
    node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    if node is not None and layout.GetAttribute(_CROSSHAIR) and node.GetCrosshairMode() == node.ShowSmallBasic:
        node.SetCrosshairMode(node.NoCrosshair)
    layout.RemoveAttribute(_CROSSHAIR)


def register() -> None:
    """Describe all layouts by one slice view, so that a scene that was saved in one of them can be loaded."""
    if _layout_node() is None:
        return
    for number in LAYOUTS:
        describe(number, layout_xml(Arrangement(rows=((Slice(title="PyPeT"),),))))


def describe(number: int, xml: str) -> None:
    """Give a layout its description, in place of the one that it has."""
    node = _layout_node()
    if node.IsLayoutDescription(number):
        node.SetLayoutDescription(number, xml)
    else:
        node.AddLayoutDescription(number, xml)


def layout_xml(arrangement: Arrangement) -> str:
    """An arrangement as Slicer describes layouts."""
    names = iter(arrangement.named())
    rows = []
    for index, row in enumerate(arrangement.rows):
        cells = "".join(f"<item>{_view_xml(*next(names))}</item>" for _ in row)
        share = arrangement.heights[index] if arrangement.heights else 1.0
        rows.append(
            f'<item splitSize="{round(1000 * share)}"><layout type="horizontal" split="true">{cells}</layout></item>'
        )
    return f'<layout type="vertical" split="true">{"".join(rows)}</layout>'


def _view_xml(name: str, cell: Cell) -> str:
    kind = _KINDS[type(cell)][0]
    properties = {"viewlabel": cell.title}
    if isinstance(cell, Slice):
        properties |= {"orientation": cell.orientation, "viewcolor": "#6e7f8d", "viewgroup": str(_GROUP)}
    told = "".join(
        f'<property name="{key}" action="default">{escape(value)}</property>' for key, value in properties.items()
    )
    return f'<view class="{kind}" singletontag="{name}">{told}</view>'


def _show_slice(name: str, view: Any, cell: Slice) -> None:
    logic = slicer.app.applicationLogic().GetSliceLogicByLayoutName(name)
    composite = logic.GetSliceCompositeNode()
    composite.SetLinkedControl(False)
    composite.SetBackgroundVolumeID(cell.background.GetID() if cell.background is not None else None)
    composite.SetForegroundVolumeID(cell.foreground.GetID() if cell.foreground is not None else None)
    composite.SetForegroundOpacity(cell.opacity)
    composite.SetLabelVolumeID(None)
    view.SetOrientation(cell.orientation)
    if cell.background is not None:
        view.RotateToVolumePlane(cell.background)
    logic.FitSliceToBackground()
    composite.SetHotLinkedControl(True)
    composite.SetLinkedControl(True)


def _layout_node() -> Any:
    return slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")

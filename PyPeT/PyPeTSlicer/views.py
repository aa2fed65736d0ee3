"""Layouts of slice views, plots and tables: what is shown where, and the user's own layout given back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import slicer

from PyPeTLib.errors import InputError

LAYOUTS = range(5017, 5050)
"""Numbers of the layouts that PyPeT describes; Slicer's own are far below."""

_GROUP = 17
"""Linked slice views follow one another within their group; those of the user's layouts are in group 0."""

_USERS_LAYOUT = "PyPeT.UsersLayout"
"""Attribute of the layout node: number of the layout to give back."""

_CROSSHAIR = "PyPeT.Crosshair"
"""Attribute of the layout node: the user had no crosshair."""

_OWN_VIEW = "PyPeT.View"
"""Attribute of a segmentation's display that draws in one view of PyPeT's: the id of the view."""

_LIMITED = "PyPeT.Limited"
"""Attribute of a display of the user's that is kept out of PyPeT's views."""

_FALLBACK = 3
"""Slicer's four views, where no layout of the user's is known."""


@dataclass(frozen=True, kw_only=True)
class Segments:
    """Segments of a segmentation node that a slice view draws.

    Attributes
    ----------
    segmentation : vtkMRMLSegmentationNode
    outlined, filled : tuple of str
        Ids of segments.
    opacity : float
        Of those that are filled.
    """

    segmentation: Any
    outlined: tuple[str, ...] = ()
    filled: tuple[str, ...] = ()
    opacity: float = 0.6


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
    """The views that PyPeT arranges; owned by the module's logic, and without effect until `show`."""

    def __init__(self) -> None:
        self._shown: Arrangement | None = None

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
            node.SetAttribute(_USERS_LAYOUT, str(node.GetViewArrangement()))
            _show_crosshair(node)
        _let_go_of_segments()
        describe(number, layout_xml(arrangement))
        node.SetViewArrangement(number)
        # the views have their size only now
        slicer.app.processEvents()
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
        self._draw_segments(arrangement)
        if place is not None:
            self.go_to(place)
        centre, crosshair = self.place(), slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        if centre is not None and crosshair is not None:
            crosshair.SetCrosshairRAS(centre)

    def leave(self) -> None:
        """Give the user's layout back; nothing where it is shown already."""
        node = _layout_node()
        _let_go_of_segments()
        self._shown = None
        if node is None or self.layout is None:
            return
        before = int(node.GetAttribute(_USERS_LAYOUT) or _FALLBACK)
        node.RemoveAttribute(_USERS_LAYOUT)
        _hide_crosshair(node)
        node.SetViewArrangement(before if before not in LAYOUTS else _FALLBACK)

    def forget(self) -> None:
        """The scene goes, and all nodes with it."""
        self._shown = None

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

    def _draw_segments(self, arrangement: Arrangement) -> None:
        """Draw the segments of each cell in its own view; those of the user's display only in the user's views."""
        own = {view.GetID() for _, view in self._slices()}
        others = [
            view.GetID()
            for kind in ("vtkMRMLSliceNode", "vtkMRMLViewNode")
            for view in slicer.util.getNodesByClass(kind)
            if view.GetID() not in own
        ]
        for display in _displays():
            if display.GetAttribute(_OWN_VIEW) is None and display.GetNumberOfViewNodeIDs() == 0:
                display.SetViewNodeIDs(others)
                display.SetAttribute(_LIMITED, "1")
        for name, cell in arrangement.named():
            if isinstance(cell, Slice):
                for drawn in cell.segments:
                    _draw(drawn, f"vtkMRMLSliceNode{name}")


def _show_crosshair(layout: Any) -> None:
    """Mark the same place in all views, where the user shows no crosshair anyway."""
    node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    if node is not None and node.GetCrosshairMode() == node.NoCrosshair:
        layout.SetAttribute(_CROSSHAIR, "1")
        node.SetCrosshairMode(node.ShowSmallBasic)


def _hide_crosshair(layout: Any) -> None:
    """Give the user's crosshair back: none."""
    node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    if node is not None and layout.GetAttribute(_CROSSHAIR):
        node.SetCrosshairMode(node.NoCrosshair)
    layout.RemoveAttribute(_CROSSHAIR)


def _let_go_of_segments() -> None:
    """Hide what was drawn in views of PyPeT's, and let the user's displays into all views again."""
    for display in _displays():
        if display.GetAttribute(_OWN_VIEW) is not None:
            display.SetVisibility(False)
        elif display.GetAttribute(_LIMITED) is not None:
            display.RemoveAttribute(_LIMITED)
            display.RemoveAllViewNodeIDs()


def _displays() -> list[Any]:
    """All displays of segmentations."""
    found: list[Any] = slicer.util.getNodesByClass("vtkMRMLSegmentationDisplayNode")
    return found


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


def _draw(drawn: Segments, view_id: str) -> None:
    """Draw segments in one view, by a display of its own.

    It stays with the segmentation, hidden, when the view shows something else: Slicer's drawing of segmentations keeps
    pointers to displays that were removed from the scene, and crashes at the next change of a segment.
    """
    segmentation = drawn.segmentation
    displays = [segmentation.GetNthDisplayNode(index) for index in range(segmentation.GetNumberOfDisplayNodes())]
    own = [display for display in displays if display is not None and display.GetAttribute(_OWN_VIEW) == view_id]
    display = own[0] if own else _new_display(segmentation, view_id)
    content = segmentation.GetSegmentation()
    for index in range(content.GetNumberOfSegments()):
        segment = content.GetNthSegmentID(index)
        is_filled, is_outlined = segment in drawn.filled, segment in drawn.outlined
        display.SetSegmentVisibility(segment, is_filled or is_outlined)
        display.SetSegmentVisibility2DFill(segment, is_filled)
        display.SetSegmentVisibility2DOutline(segment, True)
        display.SetSegmentOpacity2DFill(segment, drawn.opacity)
    display.SetVisibility(True)


def _new_display(segmentation: Any, view_id: str) -> Any:
    display = slicer.vtkMRMLSegmentationDisplayNode()
    display.SetSaveWithScene(False)
    display.SetHideFromEditors(True)
    display.SetAttribute(_OWN_VIEW, view_id)
    # before any view hears of it
    display.SetViewNodeIDs([view_id])
    display.SetVisibility3D(False)
    # one pixel is lost on bone and on coloured maps
    display.SetSliceIntersectionThickness(2)
    slicer.mrmlScene.AddNode(display)
    segmentation.AddAndObserveDisplayNodeID(display.GetID())
    return display


def _layout_node() -> Any:
    return slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")

"""Stand-in for ``slicer.app.layoutManager()``, around the real ``vtkMRMLLayoutLogic`` and its layout node."""
# Names are Slicer's.
# ruff: noqa: N801, N802, N815

from functools import partial

import slicer
import vtk
from PySide6 import QtCore
from PySide6.QtCore import Property, Signal

from .layout_geometry import arrange
from .pythonqt import native
from .view_widgets import WIDGETS, qMRMLPlotWidget, qMRMLSliceWidget, qMRMLTableWidget


@native
class qSlicerLayoutManager(QtCore.QObject):
    """The views of the window: one widget for each view node of the scene, whether the layout shows it or not."""

    layoutChanged = Signal(int)

    def __init__(self, host=None, size=(1200, 800)):
        super().__init__()
        self._host = host
        self._size = size
        self._widgets = {}
        self._cells = []
        self._tabs = []
        self._scene_observers = []
        self._layout_observer = None
        self._logic = slicer.vtkMRMLLayoutLogic()

    # ---- as modules see it

    def _set_layout(self, layout):
        self._logic.GetLayoutNode().SetViewArrangement(layout)

    layout = Property(int, lambda self: self._logic.GetLayoutNode().GetViewArrangement(), _set_layout)
    plotViewCount = Property(int, lambda self: len(self._of_class(qMRMLPlotWidget)))
    tableViewCount = Property(int, lambda self: len(self._of_class(qMRMLTableWidget)))
    threeDViewCount = Property(int, lambda self: 0)

    def setLayout(self, layout):
        """Show the layout with this number."""
        self._set_layout(layout)

    def layoutLogic(self):
        """The layout logic; it knows the layout node."""
        return self._logic

    def mrmlScene(self):
        """The scene."""
        return self._host.scene

    def mrmlSliceLogics(self):
        """The logics of all slice views."""
        return self._host.application_logic.GetSliceLogics()

    def mrmlViewLogics(self):
        """The logics of three-dimensional views: none."""
        return self._host.application_logic.GetViewLogics()

    def sliceViewNames(self):
        """Names of all slice views, those included that the layout does not show."""
        return [widget._node.GetName() for widget in self._of_class(qMRMLSliceWidget)]

    def sliceWidget(self, name):
        """The slice view with this name, or None."""
        return next((w for w in self._of_class(qMRMLSliceWidget) if w._node.GetName() == name), None)

    def plotWidget(self, index):
        """A plot view, or None."""
        return self._nth(qMRMLPlotWidget, index)

    def tableWidget(self, index):
        """A table view, or None."""
        return self._nth(qMRMLTableWidget, index)

    def threeDWidget(self, _index):
        """There are no three-dimensional views."""

    def viewWidget(self, node):
        """The widget of a view node, or None."""
        return self._widgets.get(node)

    def viewWidgets(self):
        """The widgets of all views."""
        return list(self._widgets.values())

    def resetSliceViews(self):
        """Fit all slice views to their background."""
        for widget in self._of_class(qMRMLSliceWidget):
            widget.sliceController().fitSliceToBackground()

    def resetThreeDViews(self):
        """There are no three-dimensional views."""

    def setRenderPaused(self, paused):
        """Pictures are drawn only when they are asked for."""

    def pauseRender(self):
        """Pictures are drawn only when they are asked for."""

    def resumeRender(self):
        """Pictures are drawn only when they are asked for."""

    def _of_class(self, cls):
        return [widget for widget in self._widgets.values() if isinstance(widget, cls)]

    def _nth(self, cls, index):
        widgets = self._of_class(cls)
        return widgets[index] if 0 <= index < len(widgets) else None

    # ---- following the scene

    def _open(self):
        scene = self._host.scene
        self._logic.SetMRMLApplicationLogic(self._host.application_logic)
        self._logic.SetMRMLScene(scene)  # first of all observers, as in the application
        layout_node = self._logic.GetLayoutNode()
        if layout_node.GetViewArrangement() == layout_node.SlicerLayoutInitialView:
            layout_node.SetViewArrangement(layout_node.SlicerLayoutFourUpView)
        followed = (
            (scene.NodeAddedEvent, self._on_node_added),
            (scene.NodeRemovedEvent, self._on_node_removed),
            (scene.EndBatchProcessEvent, self._follow_scene),
            (scene.EndRestoreEvent, self._follow_scene),
            (scene.EndCloseEvent, self._follow_scene),
        )
        self._scene_observers = [scene.AddObserver(event, callback) for event, callback in followed]
        self._follow_scene()

    def _close(self):
        for tag in self._scene_observers:
            self._host.scene.RemoveObserver(tag)
        self._observe_layout(None)
        for node in list(self._widgets):
            self._remove_view(node)
        self._logic.SetMRMLScene(None)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _on_node_added(self, _scene, _event, node):
        if not self._host.scene.IsBatchProcessing() and isinstance(node, slicer.vtkMRMLAbstractViewNode):
            self._add_view(node)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _on_node_removed(self, _scene, _event, node):
        self._remove_view(node)

    def _follow_scene(self, _scene=None, _event=None):
        if self._host.scene.IsBatchProcessing():
            return
        for node in slicer.util.getNodesByClass("vtkMRMLAbstractViewNode"):
            self._add_view(node)
        self._observe_layout(self._logic.GetLayoutNode())
        self._show_layout()

    def _add_view(self, node):
        make = WIDGETS.get(node.GetClassName())
        if make is not None and node not in self._widgets and node.GetParentLayoutNode() is None:
            widget = self._widgets[node] = make()
            widget._attach(self._host, node)

    def _remove_view(self, node):
        widget = self._widgets.pop(node, None)
        if widget is not None:
            widget._close()

    def _observe_layout(self, node):
        if self._layout_observer is not None:
            self._layout_observer()
            self._layout_observer = None
        if node is not None:
            tag = node.AddObserver(vtk.vtkCommand.ModifiedEvent, self._show_layout)
            self._layout_observer = partial(node.RemoveObserver, tag)

    # ---- placing the views

    def _show_layout(self, _node=None, _event=None):
        layout_node = self._logic.GetLayoutNode()
        if self._host.scene.IsBatchProcessing() or layout_node is None:
            return
        if layout_node.GetViewArrangement() == layout_node.SlicerLayoutCustomView:
            return
        for node in self._widgets:
            node.SetMappedInLayout(False)
        self._cells, self._tabs = arrange(self._description(layout_node), self._size)
        for cell in self._cells:
            node = self._node_of(cell)
            if node in self._widgets:
                node.SetMappedInLayout(True)
                self._widgets[node]._place(cell.rect)
        self.layoutChanged.emit(layout_node.GetViewArrangement())

    def _description(self, layout_node):
        description = layout_node.GetCurrentLayoutDescription() or ""
        for index in range(layout_node.GetNumberOfMaximizedViewNodes()):
            view_node = layout_node.GetMaximizedViewNode(index)
            description = self._logic.GetMaximizedViewLayoutDescription(view_node, description)
        return description

    def _node_of(self, cell):
        return self._host.scene.GetSingletonNode(cell.tag, cell.class_name)

    def _resize(self, size):
        """The user makes the window larger or smaller."""
        if size != self._size:
            self._size = size
            self._show_layout()

"""Stand-ins for the view widgets of a window, as ``slicer.app.layoutManager().sliceWidget("Red")`` returns them."""
# Names are Slicer's.
# ruff: noqa: N801, N802

import slicer
from PySide6 import QtGui, QtWidgets

from .mrml_widgets import qMRMLWidget
from .plot_view import plot_picture
from .pythonqt import native
from .table_view import qMRMLTableView
from .views import SliceView, drop_slice_logic, make_slice_logic

BAR_HEIGHT = 24
"""Pixels of the bar with label and controls above a view."""


class _ViewWidget(QtWidgets.QWidget):
    """What all view widgets have: a node, a bar above, a place in the window."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._host = self._node = self._rect = None
        self._controller = qMRMLViewControllerBar()

    def _attach(self, host, node):
        self._host = host
        self._node = node

    def mrmlAbstractViewNode(self):
        """The view node."""
        return self._node

    def controllerWidget(self):
        """The bar above the view."""
        return self._controller

    def _place(self, rect):
        self._rect = rect

    def _close(self):
        """Let go of the scene."""


@native
class qMRMLViewControllerBar(qMRMLWidget):
    """The bar above a view."""


@native
class qMRMLSliceControllerWidget(qMRMLViewControllerBar):
    """The bar above a slice view: acts on the linked views too, as in Slicer."""

    def __init__(self, view=None):
        super().__init__()
        self._view = view

    def mrmlSliceNode(self):
        """The slice node."""
        return self._view.node

    def mrmlSliceCompositeNode(self):
        """What the view shows."""
        return self._view.composite_node

    def sliceLogic(self):
        """The slice logic."""
        return self._view.logic

    def setSliceOffsetValue(self, offset):
        """Move the slider."""
        self._view.move_slider(offset)

    def fitSliceToBackground(self):
        """Show the background volume as large as the view allows."""
        self._view.fit()

    def setSliceOrientation(self, orientation):
        """Choose an orientation by name."""
        self._view.logic.StartSliceNodeInteraction(slicer.vtkMRMLSliceNode.OrientationFlag)
        self._view.node.SetOrientation(orientation)
        self._view.logic.EndSliceNodeInteraction()

    def isLinked(self):
        """Whether other views follow."""
        return bool(self._view.composite_node.GetLinkedControl())

    def setSliceLink(self, linked):
        """Link or unlink all slice views."""
        for node in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            node.SetLinkedControl(linked)

    def setHotLinked(self, linked):
        """Let linked slice views follow while the mouse still moves."""
        for node in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            node.SetHotLinkedControl(linked)


@native
class qMRMLSliceView(QtWidgets.QWidget):
    """The picture of a slice view; drawn only when it is asked for."""

    def __init__(self, view=None):
        super().__init__()
        self._view = view

    def mrmlSliceNode(self):
        """The slice node."""
        return self._view.node

    def renderWindow(self):
        """VTK's window."""
        self._view.prepare()
        return self._view.window

    def interactor(self):
        """VTK's interactor."""
        return self.renderWindow().GetInteractor()

    def displayableManagerByClassName(self, name):
        """One of those that draw into the view, or None."""
        self._view.prepare()
        return self._view.managers.GetDisplayableManagerByClassName(name)

    def forceRender(self):
        """Draw now."""
        self._view.picture()

    def scheduleRender(self):
        """Pictures are drawn when they are asked for."""


@native
class qMRMLSliceWidget(_ViewWidget):
    """A slice view with its bar."""

    def _attach(self, host, node):
        super()._attach(host, node)
        self._logic = make_slice_logic(host, node.GetLayoutName())
        self._view = SliceView(host, node.GetLayoutName(), logic=self._logic)
        self._controller = qMRMLSliceControllerWidget(self._view)
        self._slice_view = qMRMLSliceView(self._view)

    def mrmlSliceNode(self):
        """The slice node."""
        return self._node

    def mrmlSliceCompositeNode(self):
        """What the view shows."""
        return self._logic.GetSliceCompositeNode()

    def sliceLogic(self):
        """The slice logic."""
        return self._logic

    logic = sliceLogic

    def sliceController(self):
        """The bar above the view."""
        return self._controller

    def sliceView(self):
        """The picture below the bar."""
        return self._slice_view

    def fitSliceToBackground(self):
        """Show the background volume as large as the view allows."""
        self._logic.FitSliceToBackground()
        self._node.UpdateMatrices()

    def sliceOrientation(self):
        """The orientation's name."""
        return self._node.GetOrientation()

    def setSliceOrientation(self, orientation):
        """Choose an orientation by name."""
        self._controller.setSliceOrientation(orientation)

    def _place(self, rect):
        super()._place(rect)
        width, height = rect[2], rect[3] - BAR_HEIGHT
        if self._view.size != (width, height):
            self._logic.ResizeSliceNode(width, height)

    def _close(self):
        self._view.close()
        drop_slice_logic(self._host, self._logic)


@native
class qMRMLPlotView(qMRMLWidget):
    """The chart of a plot view node."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._node = None

    def mrmlPlotViewNode(self):
        """The plot view node, or None."""
        return self._node

    def setMRMLPlotViewNode(self, node):
        """Show what this plot view node shows."""
        self._node = node

    def fitToContent(self):
        """Charts that fix no range fit by themselves."""

    def paintEvent(self, _event):
        """Draw the chart."""
        chart = None if self._node is None else self._node.GetPlotChartNode()
        if chart is not None:
            picture = plot_picture(chart, (self.width, self.height))
            height, width, _ = picture.shape
            image = QtGui.QImage(picture.tobytes(), width, height, 3 * width, QtGui.QImage.Format.Format_RGB888)
            painter = QtGui.QPainter(self)
            painter.drawImage(0, 0, image)
            painter.end()


@native
class qMRMLPlotWidget(_ViewWidget):
    """A plot view with its bar."""

    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QVBoxLayout(self)
        self._plot_view = qMRMLPlotView()
        layout.addWidget(self._plot_view)

    def _attach(self, host, node):
        super()._attach(host, node)
        self._plot_view.setMRMLPlotViewNode(node)

    def setMRMLPlotViewNode(self, node):
        """Show what this plot view node shows."""
        self._attach(self._host, node)

    def setMRMLScene(self, scene):
        """Set the scene."""
        self._plot_view.setMRMLScene(scene)

    def mrmlPlotViewNode(self):
        """The plot view node: its chart is what is shown."""
        return self._node

    def plotView(self):
        """The chart below the bar."""
        return self._plot_view

    def plotController(self):
        """The bar above the view."""
        return self._controller


@native
class qMRMLTableWidget(_ViewWidget):
    """A table view with its bar."""

    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QVBoxLayout(self)
        self._table_view = qMRMLTableView()
        layout.addWidget(self._table_view)

    def _attach(self, host, node):
        super()._attach(host, node)
        self._table_view.setMRMLTableViewNode(node)

    def setMRMLTableViewNode(self, node):
        """Show what this table view node shows."""
        self._attach(self._host, node)

    def setMRMLScene(self, scene):
        """Set the scene."""
        self._table_view.setMRMLScene(scene)

    def mrmlTableViewNode(self):
        """The table view node: its table is what is shown."""
        return self._node

    def tableView(self):
        """The table below the bar."""
        return self._table_view

    def tableController(self):
        """The bar above the view."""
        return self._controller

    def _close(self):
        self._table_view.setMRMLTableViewNode(None)


WIDGETS = {
    "vtkMRMLSliceNode": qMRMLSliceWidget,
    "vtkMRMLPlotViewNode": qMRMLPlotWidget,
    "vtkMRMLTableViewNode": qMRMLTableWidget,
}
"""The widget for each class of view node; three-dimensional views have none here."""

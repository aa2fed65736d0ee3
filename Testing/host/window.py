"""The part of ``Host`` that is about the main window: its views, what the user does in them, and pictures."""

import slicer
import slicer.util
import vtk

from . import pictures
from .layout_manager import qSlicerLayoutManager

WINDOW_SIZE = (1200, 800)
"""Width and height of the place for views, in pixels."""
VIEW_CLASSES = (
    "vtkMRMLLayoutNode",
    "vtkMRMLSliceCompositeNode",
    "vtkMRMLSliceDisplayNode",
    "vtkMRMLAbstractViewNode",
)
"""Nodes that come with views and go with them."""


class Window:
    """The main window, closed at first, as with ``--no-main-window``."""

    def __init__(self):
        self.layout_manager = None
        self.selected_modules: list[str] = []
        self.shown_browsers: list = []

    def open_views(self, size=WINDOW_SIZE):
        """Open the window: ``slicer.app.layoutManager()`` and the views of the current layout are there from now on.

        Returns the layout manager. When the window is open already, only its size (width, height) is set.
        """
        if self.layout_manager is None:
            self.layout_manager = qSlicerLayoutManager(self, tuple(size))
            self.layout_manager._open()
        else:
            self.layout_manager._resize(tuple(size))
        return self.layout_manager

    def close_views(self):
        """Close the window; its view nodes go."""
        if self.layout_manager is None:
            return
        manager, self.layout_manager = self.layout_manager, None
        manager._close()
        crosshair = self.crosshair
        crosshair.SetCrosshairMode(crosshair.NoCrosshair)
        for class_name in VIEW_CLASSES:
            for node in slicer.util.getNodesByClass(class_name):
                self.scene.RemoveNode(node)
        manager.deleteLater()

    def open_slice_logic(self, name):
        """The logic of an open slice view by the node's layout name, or None."""
        if self.layout_manager is None:
            return None
        return self.application_logic.GetSliceLogicByLayoutName(name)

    def view(self, name):
        """The open slice view with this layout name: a ``SliceView`` with scroll, zoom, picture and so on."""
        if self.layout_manager is None:
            raise RuntimeError("no views are open: call open_views() first")
        widget = self.layout_manager.sliceWidget(name)
        if widget is None:
            raise KeyError(f"no slice view {name!r}; there are {self.layout_manager.sliceViewNames()}")
        return widget._view

    def shown_views(self):
        """Layout names of the views that the current layout shows, in its order."""
        nodes = (self.layout_manager._node_of(cell) for cell in self.layout_manager._cells)
        return [node.GetLayoutName() for node in nodes]

    # ---- the mouse

    @property
    def crosshair(self):
        """The scene's crosshair node, which knows where the mouse is."""
        return self.scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")

    def move_mouse(self, ras, view=None):
        """Move the mouse to a point in RAS mm; None: out of all views.

        With the layout name of a slice view the mouse is over that view, so the point is taken onto its slice.
        """
        if ras is None:
            self.crosshair.SetCursorPositionInvalid()
        elif view is None:
            self.crosshair.SetCursorPositionRAS(list(ras))
        else:
            shown = self.view(view)
            self.crosshair.SetCursorPositionXYZ([*shown.xy_of(ras), 0.0], shown.node)

    def move_crosshair(self, ras, view=None):
        """Move the mouse with Shift held: the crosshair comes along, and the other slice views jump to the point."""
        self.move_mouse(ras, view)
        crosshair = self.crosshair
        place = [0.0, 0.0, 0.0]
        crosshair.GetCursorPositionRAS(place)
        crosshair.SetCrosshairRAS(place)
        if self.layout_manager is not None and crosshair.GetCrosshairBehavior() != crosshair.NoAction:
            centred = crosshair.GetCrosshairBehavior() == crosshair.CenteredJumpSlice
            slice_node = slicer.vtkMRMLSliceNode
            mode = slice_node.CenteredJumpSlice if centred else slice_node.OffsetJumpSlice
            node = None if view is None else self.view(view).node
            group = -1 if node is None else node.GetViewGroup()
            slice_node.JumpAllSlices(self.scene, *place, mode, group, node)

    def click(self, ras):
        """Click at a point in RAS mm: places a control point, where a module has asked the user to place one."""
        interaction = self.application_logic.GetInteractionNode()
        if interaction.GetCurrentInteractionMode() != interaction.Place:
            return
        node = self.scene.GetNodeByID(self.application_logic.GetSelectionNode().GetActivePlaceNodeID() or "")
        if node is None:
            raise RuntimeError("the user is asked to place a point, but of no node")
        node.AddControlPointWorld(vtk.vtkVector3d(*ras))
        if not interaction.GetPlaceModePersistence():
            interaction.SetCurrentInteractionMode(interaction.ViewTransform)

    # ---- pictures

    def layout_picture(self, size=None, *, dark=False):
        """The whole current layout as the user sees it, shape (height, width, 3); `size` resizes the window."""
        if self.layout_manager is None:
            raise RuntimeError("no views are open: call open_views() first")
        if size is not None:
            self.layout_manager._resize(tuple(size))
        return pictures.layout_picture(self.layout_manager, dark=dark)

    def panel_picture(self, widget, *, dark=False, width=pictures.PANEL_WIDTH):
        """All of a module's panel, or any widget, in Slicer's light or dark style, shape (height, width, 3)."""
        return pictures.panel_picture(widget, dark=dark, width=width)

"""Pictures of slice views, drawn offscreen by Slicer's own slice logic and displayable managers, and a user's mouse."""

import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

MANAGERS = (
    "vtkMRMLVolumeGlyphSliceDisplayableManager",
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLColorLegendDisplayableManager",
)
WHITE = 255


def render_to_array(render_window):
    """Render and return the picture: an array of shape (height, width, 3), uint8, first row on top."""
    render_window.Render()
    grabber = vtk.vtkWindowToImageFilter()
    grabber.SetInput(render_window)
    grabber.ReadFrontBufferOff()
    grabber.Update()
    image = grabber.GetOutput()
    width, height, _ = image.GetDimensions()
    pixels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, -1)
    return pixels[::-1, :, :3].copy()


def write_png(path, picture):
    """Write an array of shape (height, width, 3) as a PNG file."""
    import qt  # noqa: PLC0415 (made by the host after this module is imported)

    height, width, _ = picture.shape
    image = qt.QImage(picture.tobytes(), width, height, 3 * width, qt.QImage.Format_RGB888)
    if not image.save(str(path), "PNG"):
        raise OSError(f"could not write {path}")


def make_slice_logic(host, name):
    """A slice logic known to the application, for the slice node with this layout name, which is made if need be."""
    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLApplicationLogic(host.application_logic)
    host.application_logic.GetSliceLogics().AddItem(logic)
    logic.SetMRMLScene(host.scene)
    existing = host.scene.GetNodeByID(f"vtkMRMLSliceNode{name}")
    if existing is not None:
        logic.SetSliceNode(existing)
    else:
        logic.AddSliceNode(name)
    return logic


def drop_slice_logic(host, logic):
    """Let a slice logic go, with the nodes that it made for three-dimensional views."""
    logic.DeleteSliceModel()
    host.application_logic.GetSliceLogics().RemoveItem(logic)
    logic.SetMRMLScene(None)


class SliceView:
    """One slice view of the scene; `name` is the slice node's layout name, as "Red".

    While views are open (``Host.open_views``) it is the window's view of this name, and `size` None leaves its size.
    """

    def __init__(self, host, name="Red", size=None, *, logic=None):
        self._host = host
        logic = logic or host.open_slice_logic(name)
        self._is_own = logic is None
        self._makes_node = self._is_own and host.scene.GetNodeByID(f"vtkMRMLSliceNode{name}") is None
        self.logic = make_slice_logic(host, name) if self._is_own else logic
        self.node = self.logic.GetSliceNode()
        self.window = None
        self.managers = None
        if size is None and self._is_own:
            size = (400, 400)
        if size is not None:
            self.logic.ResizeSliceNode(*size)

    @property
    def size(self):
        """Width and height in pixels."""
        return tuple(self.node.GetDimensions()[:2])

    @property
    def composite_node(self):
        """Says which volumes the view shows; a module may set its layers itself."""
        return self.logic.GetSliceCompositeNode()

    def show(self, volume=None, *, foreground=None, opacity=0.5, orientation="Axial", offset=None):
        """Show volumes, fitted to the view, in an orientation and at an offset in mm (default: the middle)."""
        if volume is not None:
            self.composite_node.SetBackgroundVolumeID(volume.GetID())
        if foreground is not None:
            self.composite_node.SetForegroundVolumeID(foreground.GetID())
            self.composite_node.SetForegroundOpacity(opacity)
        self.node.SetOrientation(orientation)
        self.logic.FitSliceToBackground()
        if offset is not None:
            self.logic.SetSliceOffset(offset)

    # ---- the picture

    def picture(self):
        """The view as an array of shape (height, width, 3)."""
        self.prepare()
        self.window.SetSize(*self.size)
        self._adopt_legends()
        self._mapper.SetInputConnection(self.logic.GetImageDataConnection())
        return render_to_array(self.window)

    def prepare(self):
        """Make the window and what draws into it, if that was not done yet."""
        if self.window is None:
            self._make_window()
            self._make_displayable_managers()
            self._host.crosshair.Modified()  # who draws it looks at its mode only when it changes

    def _make_window(self):
        self._renderer = vtk.vtkRenderer()
        self._renderer.GetActiveCamera().ParallelProjectionOn()
        self.window = vtk.vtkRenderWindow()
        self.window.SetOffScreenRendering(1)
        self.window.SetSize(*self.size)
        self.window.AddRenderer(self._renderer)
        self._interactor = vtk.vtkRenderWindowInteractor()
        self._interactor.SetRenderWindow(self.window)
        # Slicer shows the blended slice as a background picture, and draws everything else over it.
        self._mapper = vtk.vtkImageMapper()
        self._mapper.SetColorWindow(WHITE)
        self._mapper.SetColorLevel(WHITE / 2)
        actor = vtk.vtkActor2D()
        actor.SetMapper(self._mapper)
        actor.GetProperty().SetDisplayLocationToBackground()
        self._renderer.AddViewProp(actor)

    def _make_displayable_managers(self):
        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        factory.SetMRMLApplicationLogic(self._host.application_logic)
        for manager in MANAGERS:
            if not factory.IsDisplayableManagerRegistered(manager):
                factory.RegisterDisplayableManager(manager)
        self.managers = slicer.vtkMRMLDisplayableManagerGroup()
        self.managers.SetRenderer(self._renderer)
        self.managers.Initialize(factory, self._renderer)
        self.managers.SetMRMLDisplayableNode(self.node)

    def _adopt_legends(self):
        """Show colour legends that were there before this view: their manager looks for them when a layer changes."""
        flags = self.composite_node.GetInteractionFlags()
        self.composite_node.SetInteractionFlags(slicer.vtkMRMLSliceCompositeNode.BackgroundVolumeFlag)
        self.composite_node.Modified()
        self.composite_node.SetInteractionFlags(flags)

    def pixel_of(self, ras):
        """Row and column of the picture where a point in RAS is drawn."""
        x, y = self.xy_of(ras)
        return round(self.size[1] - 1 - y), round(x)

    def xy_of(self, ras):
        """Slicer's display coordinates of a point in RAS: from the left and from below, in pixels."""
        to_xy = vtk.vtkMatrix4x4()
        vtk.vtkMatrix4x4.Invert(self.node.GetXYToRAS(), to_xy)
        return to_xy.MultiplyPoint((*ras, 1))[:2]

    # ---- what the user does with mouse and keys; linked views follow

    @property
    def offset(self):
        """The slice's offset in mm."""
        return self.logic.GetSliceOffset()

    def scroll(self, millimetres):
        """Turn the mouse wheel: move the slice by so much; as in Slicer, never out of the volumes."""
        bounds = [0.0, -1.0, 0.0, -1.0, 0.0, -1.0]
        self.logic.GetSliceBounds(bounds)
        offset = self.offset + millimetres
        if bounds[4] <= offset <= bounds[5]:
            self.move_slider(offset)

    def move_slider(self, offset):
        """Move the slider above the view to an offset in mm."""
        self.logic.StartSliceOffsetInteraction()
        self.logic.SetSliceOffset(offset)
        self.logic.EndSliceOffsetInteraction()

    def zoom(self, factor):
        """Zoom about the middle; a factor of 2 shows everything twice as large."""
        if factor <= 0:
            raise ValueError(f"the factor must be positive, and is {factor}")
        self.logic.StartSliceNodeInteraction(slicer.vtkMRMLSliceNode.FieldOfViewFlag)
        width, height, depth = self.node.GetFieldOfView()
        self.node.SetFieldOfView(width / factor, height / factor, depth)
        self.node.UpdateMatrices()
        self.logic.EndSliceNodeInteraction()

    def pan(self, right, up):
        """Drag the picture by so many mm."""
        self.logic.StartSliceNodeInteraction(slicer.vtkMRMLSliceNode.XYZOriginFlag)
        x, y, z = self.node.GetXYZOrigin()
        self.node.SetSliceOrigin(x - right, y - up, z)
        self.logic.EndSliceNodeInteraction()

    def fit(self):
        """Press "reset field of view"."""
        self.logic.StartSliceNodeInteraction(slicer.vtkMRMLSliceNode.ResetFieldOfViewFlag)
        self.logic.FitSliceToBackground()
        self.node.UpdateMatrices()
        self.logic.EndSliceNodeInteraction()

    def close(self):
        """Let go of the scene; a view of the window stays in it."""
        if self.window is not None:
            self.managers.SetMRMLDisplayableNode(None)
            self.window.Finalize()
            self.window = self.managers = None
        if self._is_own:
            nodes = (self.logic.GetSliceDisplayNode(), self.composite_node, self.node) if self._makes_node else ()
            drop_slice_logic(self._host, self.logic)
            for node in nodes:
                if self._host.scene.IsNodePresent(node):
                    self._host.scene.RemoveNode(node)

"""Pictures of slice views, drawn offscreen by Slicer's own slice logic and displayable managers."""

import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

MANAGERS = (
    "vtkMRMLVolumeGlyphSliceDisplayableManager",
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
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


class SliceView:
    """One slice view of the scene; `name` is the slice node's layout name, as "Red"."""

    def __init__(self, host, name="Red", size=(400, 400)):
        self._host = host
        self._size = size
        self._make_window()
        self._make_logic(name)
        self._make_displayable_managers()

    def _make_window(self):
        self._renderer = vtk.vtkRenderer()
        self._renderer.GetActiveCamera().ParallelProjectionOn()
        self.window = vtk.vtkRenderWindow()
        self.window.SetOffScreenRendering(1)
        self.window.SetSize(*self._size)
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

    def _make_logic(self, name):
        application_logic = self._host.application_logic
        self.logic = slicer.vtkMRMLSliceLogic()
        self.logic.SetMRMLApplicationLogic(application_logic)
        application_logic.GetSliceLogics().AddItem(self.logic)
        self.logic.SetMRMLScene(self._host.scene)
        existing = self._host.scene.GetNodeByID(f"vtkMRMLSliceNode{name}")
        if existing is not None:
            self.logic.SetSliceNode(existing)
            self.node = existing
        else:
            self.node = self.logic.AddSliceNode(name)

    def _make_displayable_managers(self):
        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        factory.SetMRMLApplicationLogic(self._host.application_logic)
        for manager in MANAGERS:
            if not factory.IsDisplayableManagerRegistered(manager):
                factory.RegisterDisplayableManager(manager)
        self._managers = slicer.vtkMRMLDisplayableManagerGroup()
        self._managers.SetRenderer(self._renderer)
        self._managers.Initialize(factory, self._renderer)
        self._managers.SetMRMLDisplayableNode(self.node)

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
        self.logic.ResizeSliceNode(*self._size)
        self.logic.FitSliceToBackground()
        if offset is not None:
            self.logic.SetSliceOffset(offset)

    def picture(self):
        """The view as an array of shape (height, width, 3)."""
        self._adopt_legends()
        self._mapper.SetInputConnection(self.logic.GetImageDataConnection())
        return render_to_array(self.window)

    def _adopt_legends(self):
        """Show colour legends that were there before this view: their manager looks for them when a layer changes."""
        flags = self.composite_node.GetInteractionFlags()
        self.composite_node.SetInteractionFlags(slicer.vtkMRMLSliceCompositeNode.BackgroundVolumeFlag)
        self.composite_node.Modified()
        self.composite_node.SetInteractionFlags(flags)

    def pixel_of(self, ras):
        """Row and column of the picture where a point in RAS is drawn."""
        to_ras = self.node.GetXYToRAS()
        to_xy = vtk.vtkMatrix4x4()
        vtk.vtkMatrix4x4.Invert(to_ras, to_xy)
        x, y, *_ = to_xy.MultiplyPoint((*ras, 1))
        return round(self._size[1] - 1 - y), round(x)

    def close(self):
        """Let go of the scene."""
        self._managers.SetMRMLDisplayableNode(None)
        self._host.application_logic.GetSliceLogics().RemoveItem(self.logic)
        self.logic.SetMRMLScene(None)
        self.window.Finalize()

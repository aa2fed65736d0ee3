"""Stand-ins for Slicer's own widgets, except the node selector."""
# Names are Slicer's.
# ruff: noqa: N801, N802, N815, N816

from PySide6 import QtWidgets
from PySide6.QtCore import Property, Signal

from .ctk_widgets import range_widget, value_widget
from .properties import stored
from .pythonqt import native


@native
class qMRMLWidget(QtWidgets.QWidget):
    """A widget that knows the scene."""

    object_signals = ("mrmlSceneChanged(vtkMRMLScene*)",)
    mrmlSceneChanged = Signal(object)

    def mrmlScene(self):
        """The scene, or None."""
        return self.__dict__.get("_scene")

    def setMRMLScene(self, scene):
        """Set the scene and tell all that listen."""
        if scene is not self.mrmlScene():
            self.__dict__["_scene"] = scene
            self.mrmlSceneChanged.emit(scene)


@native
class qSlicerWidget(qMRMLWidget):
    """The same in the application's library."""


@native
class qSlicerScriptedLoadableModuleWidget(qSlicerWidget):
    """The frame around the panel of a scripted module: `self()` is the Python object with setup() and the rest."""

    def __init__(self, parent=None):
        super().__init__(parent)
        QtWidgets.QVBoxLayout(self)
        self._entered = False
        self._python_object = None
        self._create = None

    isEntered = Property(bool, lambda self: self._entered)
    moduleName = stored("moduleName", str, "")

    def self(self):
        """The module's own widget object."""
        return self._python_object

    def setPythonSource(self, create):
        """Make the module's widget object by calling `create` with this frame."""
        self._create = create
        self._python_object = create(self)

    def setup(self):
        """Let the module build its panel."""
        self._python_object.setup()

    def reload(self):
        """Make the widget object anew, as "Reload" does when the source has been read again."""
        self.setPythonSource(self._create)
        self.setup()

    def enter(self):
        """The user opens the module."""
        self._entered = True
        self._call_if_defined("enter")

    def exit(self):
        """The user goes to another module."""
        self._entered = False
        self._call_if_defined("exit")

    def _call_if_defined(self, name):
        method = getattr(self._python_object, name, None)
        if method is not None:
            method()


def _ignore_scene(_self, _scene):
    """These widgets take the scene for the sake of units, which the host does not have."""


qMRMLSliderWidget = value_widget(
    "qMRMLSliderWidget",
    slider=True,
    extra={"quantity": stored("quantity", str, ""), "setMRMLScene": _ignore_scene},
)
qMRMLSpinBox = value_widget(
    "qMRMLSpinBox",
    slider=False,
    extra={"quantity": stored("quantity", str, ""), "setMRMLScene": _ignore_scene},
)
qMRMLRangeWidget = range_widget("qMRMLRangeWidget")

"""The class ``Host``: starts the scene, its logics and the stand-ins, and plays the user of a module."""

import atexit
import importlib
import importlib.metadata
import os
import shutil
import sys
import tempfile
import time
import types
from pathlib import Path

import slicer
import slicer.util
import vtk
from PySide6 import QtCore, QtWidgets

from . import (
    ctk_widgets,  # noqa: F401 (stand-ins register themselves when they are imported)
    mrml_widgets,
    node_combo_box,  # noqa: F401
    parameter_node,
    pythonqt,
    sample_data,
    scripted,
    ui_loader,
)
from .application import (
    qSlicerApplication,
    qSlicerLoadableModule,
    qSlicerScriptedLoadableModule,
    qSlicerSequencesModule,
)
from .dialogs import Dialogs
from .exceptions import ExceptionCollector
from .input_output import CoreIOManager
from .window import Window

# The logics of Slicer's modules, by the module's name.
MODULE_LOGICS = {
    "Colors": "vtkSlicerColorLogic",
    "Volumes": "vtkSlicerVolumesLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Sequences": "vtkSlicerSequencesLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Plots": "vtkSlicerPlotsLogic",
    "Transforms": "vtkSlicerTransformLogic",
    "CropVolume": "vtkSlicerCropVolumeLogic",
    "Markups": "vtkSlicerMarkupsLogic",
}

POLLING_INTERVAL = 0.002
"""Seconds between looks at Qt's timers."""


class Host(Window):
    """A headless Slicer; use ``Host.start()``, which makes one for the process."""

    _running = None

    @classmethod
    def start(cls, slicer_python=None):
        """Return the host of this process, started on the first call.

        `slicer_python` is the folder ``Base/Python/slicer`` of a Slicer clone (default: the environment variable
        PYPET_SLICER_PYTHON). When given, Slicer's own Python files are used in the place of the stand-ins for them.
        """
        slicer_python = slicer_python or os.environ.get("PYPET_SLICER_PYTHON") or None
        if cls._running is None:
            cls._running = cls(slicer_python)
        elif slicer_python is not None and Path(slicer_python) != cls._running.slicer_python:
            raise RuntimeError("the host of this process runs already, with other Python files")
        return cls._running

    def __init__(self, slicer_python):
        super().__init__()
        self.slicer_python = Path(slicer_python) if slicer_python else None
        self.version = importlib.metadata.version("slicer-core")
        self.temporary_path = tempfile.mkdtemp(prefix="slicer-host-")
        atexit.register(shutil.rmtree, self.temporary_path, ignore_errors=True)
        self._kept_nodes = []
        self.collector = ExceptionCollector()
        self.collector.install()
        self._start_qt()
        self._start_scene()
        self._start_logics()
        self._fill_slicer_namespace()
        self.dialogs = Dialogs()
        self.dialogs.install()
        self._install_python_files()
        sys.modules["SampleData"] = sample_data.make_module()

    def stop(self):
        """Remove the files of this run and give the exception hook back; the process cannot start another host."""
        self.close_views()
        self.collector.uninstall()
        shutil.rmtree(self.temporary_path, ignore_errors=True)

    # ---- starting

    def _start_qt(self):
        settings = QtCore.QSettings
        settings.setDefaultFormat(settings.Format.IniFormat)
        settings.setPath(settings.Format.IniFormat, settings.Scope.UserScope, self.temporary_path)
        QtCore.QCoreApplication.setOrganizationName("host")
        QtCore.QCoreApplication.setApplicationName("Slicer")
        self.qt_application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["Slicer"])
        qt, _ctk = pythonqt.install_modules()
        qt.QUiLoader = ui_loader.StrictUiLoader

    def _start_scene(self):
        self.scene = slicer.vtkMRMLScene()
        self.scene.SetRootDirectory(self.temporary_path)
        # Reading a .mrb needs a cache folder, and a data manager in the scene.
        self._remote_io = slicer.vtkMRMLRemoteIOLogic()
        self._remote_io.GetCacheManager().SetRemoteCacheDirectory(self.temporary_path)
        self._remote_io.SetMRMLScene(self.scene)
        self._remote_io.AddDataIOToScene()
        crosshair = slicer.vtkMRMLCrosshairNode()
        crosshair.SetCrosshairName("default")
        self.scene.AddNode(crosshair)
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(self.scene, True)

    def _start_logics(self):
        logic = self.application_logic = slicer.vtkSlicerApplicationLogic()
        logic.SetMRMLScene(self.scene)
        logic.SetTemporaryPath(self.temporary_path)
        # Slicer's own colour files are not at hand; without a folder for them the colour logic complains.
        logic.SetHomeDirectory(self.temporary_path)
        logic.SetShareDirectory("share")
        Path(self.temporary_path, "share", "ColorFiles").mkdir(parents=True)
        logic.SetSliceLogics(vtk.vtkCollection())
        logic.SetViewLogics(vtk.vtkCollection())
        for factory in (
            slicer.vtkMRMLThreeDViewDisplayableManagerFactory,
            slicer.vtkMRMLSliceViewDisplayableManagerFactory,
        ):
            factory.GetInstance().SetMRMLApplicationLogic(logic)
        self.logics = {}
        for name, class_name in MODULE_LOGICS.items():
            module_logic = self.logics[name] = getattr(slicer, class_name)()
            module_logic.SetMRMLApplicationLogic(logic)
            module_logic.SetMRMLScene(self.scene)
            logic.SetModuleLogic(name, module_logic)

    def _fill_slicer_namespace(self):
        slicer.mrmlScene = self.scene
        self.app = slicer.app = qSlicerApplication(self)
        self.app._io_manager = CoreIOManager(self.scene, self.logics)
        slicer.modules = sys.modules["slicer.modules"] = types.ModuleType("slicer.modules")
        slicer.moduleNames = types.ModuleType("slicer.moduleNames")
        for name, cls in pythonqt.STAND_INS.items():
            if not name.startswith("ctk"):
                setattr(slicer, name, cls)
        for name, module_logic in self.logics.items():
            make = qSlicerSequencesModule if name == "Sequences" else qSlicerLoadableModule
            self._add_module(name, make(name, module_logic))
        slicer.modules.sequences._shown = self.shown_browsers
        slicer.util.selectModule = self._select_module

    def _add_module(self, name, module):
        setattr(slicer.modules, name.lower(), module)
        setattr(slicer.moduleNames, name, name)
        self.app.moduleManager()._add(name, module)

    def _install_python_files(self):
        if self.slicer_python is not None:
            if not (self.slicer_python / "ScriptedLoadableModule.py").is_file():
                raise FileNotFoundError(f"no Slicer Python files in {self.slicer_python}")
            slicer.__path__.append(str(self.slicer_python))
            return
        for name, contents in (
            ("i18n", scripted.I18N_NAMES),
            ("ScriptedLoadableModule", scripted.SCRIPTED_NAMES),
            ("parameterNodeWrapper", parameter_node.WRAPPER_NAMES),
        ):
            module = types.ModuleType(f"slicer.{name}")
            vars(module).update(contents)
            module.__all__ = sorted(contents)
            sys.modules[module.__name__] = module
            setattr(slicer, name, module)

    # ---- modules

    def load_module(self, path):
        """Load a scripted module as Slicer does from an additional module path; return its Python module."""
        path = Path(path).resolve()
        name = path.stem
        if str(path.parent) not in sys.path:
            sys.path.insert(0, str(path.parent))
        python_module = importlib.import_module(name)
        parent = qSlicerScriptedLoadableModule(name, str(path))
        instance = getattr(python_module, name)(parent)
        setattr(slicer.modules, f"{name}Instance", instance)
        parent._create_frame = lambda: self._create_frame(name)
        self._add_module(name, parent)
        return python_module

    def _create_frame(self, name):
        frame = mrml_widgets.qSlicerScriptedLoadableModuleWidget()
        frame.moduleName = name
        frame.setMRMLScene(self.scene)

        def create(parent):
            widget = getattr(sys.modules[name], f"{name}Widget")(parent)
            setattr(slicer.modules, f"{name}Widget", widget)
            return widget

        frame.setPythonSource(create)
        frame.setup()
        return frame

    def open_widget(self, module):
        """Open a module as the user does by choosing it; `module` is its Python module or name; return its widget."""
        name = module if isinstance(module, str) else module.__name__.rpartition(".")[2]
        frame = getattr(slicer.modules, name.lower()).widgetRepresentation()
        frame.enter()
        return frame.self()

    def _select_module(self, module):
        """What ``slicer.util.selectModule`` does here: it keeps the name, in `selected_modules`."""
        self.selected_modules.append(module if isinstance(module, str) else module.objectName)

    def leave(self, widget):
        """Go to another module."""
        widget.parent.exit()

    def reenter(self, widget):
        """Come back to the module."""
        widget.parent.enter()

    def close_widget(self, widget):
        """Leave the module and destroy its panel, as the application does when it ends."""
        frame = widget.parent
        name = frame.moduleName
        if frame.isEntered:
            frame.exit()
        self.app.moduleManager().moduleAboutToBeUnloaded.emit(name)
        for child in frame.findChildren(QtWidgets.QWidget):
            if hasattr(child, "setMRMLScene"):
                child.setMRMLScene(None)
        module = getattr(slicer.modules, name.lower())
        if module._frame is frame:
            module._frame = None
        if getattr(slicer.modules, f"{name}Widget", None) is widget:
            delattr(slicer.modules, f"{name}Widget")
        # Slicer 5.6 leaves observers on the parameter node. When nothing in Python holds the node any more, the garbage
        # collector empties their functions, and the next change of the node crashes: so the host holds it.
        self._kept_nodes.append(slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode"))
        frame.deleteLater()
        self.process_events()

    def startup_completed(self):
        """The moment after all modules are loaded, when sample data are registered."""
        self.app.startupCompleted.emit()

    # ---- the scene

    def process_events(self, milliseconds=0):
        """Let Qt handle what has happened, and for so long what happens: timers that run out meanwhile."""
        until = time.monotonic() + milliseconds / 1000
        self.app.processEvents()
        while time.monotonic() < until:
            time.sleep(POLLING_INTERVAL)
            self.app.processEvents()

    def clear_scene(self):
        """File > Close scene."""
        self.scene.Clear(False)
        self.process_events()

    def save_scene(self, path):
        """Save the scene, as .mrb or .mrml."""
        if not slicer.util.saveScene(str(path), {}):
            raise RuntimeError(f"could not save the scene to {path}")

    def load_scene(self, path):
        """Add a saved scene to the current one."""
        slicer.util.loadScene(str(path), {})
        self.process_events()

    @staticmethod
    def observer_count(obj):
        """How many observers a VTK object has, those of C++ included."""
        # Tags count up from 1. Printing the object would tell too, but MRML nodes leave their observers out.
        next_tag = obj.AddObserver(vtk.vtkCommand.UserEvent, lambda _caller, _event: None)
        obj.RemoveObserver(next_tag)
        return sum(obj.GetCommand(tag) is not None for tag in range(1, next_tag))

    # ---- what went wrong, what was shown, what is answered

    @property
    def exceptions(self):
        """Errors raised in slots and observers since they were last asserted or cleared."""
        return self.collector.errors

    def assert_no_exceptions(self):
        """Fail if a slot or an observer raised."""
        self.collector.assert_none()

    @property
    def messages(self):
        """What the user would have been shown."""
        return self.dialogs.messages

    @property
    def answers(self):
        """Answers to the next questions: a queue, then its `default`, True."""
        return self.dialogs.answers

    @property
    def file_answers(self):
        """Paths for the next file dialogs; when there is none, the dialog is cancelled."""
        return self.dialogs.file_answers

    @property
    def dialog_actions(self):
        """What the user does in the next dialogs before they are answered; each is called with its dialog."""
        return self.dialogs.actions

    @property
    def input_answers(self):
        """Values for the next input dialogs; when there is none, the dialog is cancelled."""
        return self.dialogs.input_answers

    @property
    def testing_enabled(self):
        """What ``slicer.app.testingEnabled()`` says; False at first, as for a user."""
        return self.app._testing

    @testing_enabled.setter
    def testing_enabled(self, value):
        self.app._testing = bool(value)

    @property
    def connect_gui_returns_tag(self):
        """False imitates Slicer 5.6, where ``connectGui`` returns None and so cannot be undone by ``disconnectGui``."""
        return parameter_node.Behaviour.connect_gui_returns_tag

    @connect_gui_returns_tag.setter
    def connect_gui_returns_tag(self, value):
        parameter_node.Behaviour.connect_gui_returns_tag = bool(value)

    def reset(self):
        """Between tests: no views, an empty scene, no messages, no answers, no errors."""
        self.close_views()
        self.clear_scene()
        self.selected_modules.clear()
        self.shown_browsers.clear()
        self.dialogs.reset()
        self.exceptions.clear()
        self.testing_enabled = False
        self.connect_gui_returns_tag = True

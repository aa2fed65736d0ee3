"""Stand-ins for ``slicer.app``, its module manager, and the objects behind ``slicer.modules``."""
# Names are Slicer's.
# ruff: noqa: N801, N802, N815

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Property, Signal

from .properties import stored
from .pythonqt import native


@native
class qSlicerModuleManager(QtCore.QObject):
    """Knows the modules and tells when one goes."""

    moduleLoaded = Signal(str)
    moduleAboutToBeUnloaded = Signal(str)
    moduleUnloaded = Signal(str)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._modules = {}

    def _add(self, name, module):
        self._modules[name] = module
        self.moduleLoaded.emit(name)

    def module(self, name):
        """The module with this name, or None."""
        return self._modules.get(name)

    def modulesNames(self):
        """Names of all modules."""
        return list(self._modules)

    loadedModulesNames = modulesNames


@native
class qSlicerLoadableModule(QtCore.QObject):
    """A module written in C++: here only its logic."""

    name = stored("name", str, "")
    path = stored("path", str, "")
    title = stored("title", str, "")

    def __init__(self, name, logic):
        super().__init__()
        self.setObjectName(name)
        self._logic = logic

    def logic(self):
        """The module's logic."""
        return self._logic


@native
class qSlicerSequencesModule(qSlicerLoadableModule):
    """The module Sequences: its toolbar is a list of the browsers that were shown in it."""

    toolBarVisible = stored("toolBarVisible", bool, False)
    autoShowToolBar = stored("autoShowToolBar", bool, True)

    def __init__(self, name, logic):
        super().__init__(name, logic)
        self._shown = []

    def showSequenceBrowser(self, browser):
        """Show a browser in the toolbar."""
        self._shown.append(browser)
        self.toolBarVisible = True

    def setToolBarActiveBrowserNode(self, browser):
        """Choose a browser in the toolbar."""
        self._shown.append(browser)


@native
class qSlicerScriptedLoadableModule(QtCore.QObject):
    """What a scripted module gets as `parent`, and what ``slicer.modules.<name>`` is."""

    path = stored("path", str, "")
    title = stored("title", str, "")
    categories = stored("categories", "QStringList", [])
    dependencies = stored("dependencies", "QStringList", [])
    contributors = stored("contributors", "QStringList", [])
    associatedNodeTypes = stored("associatedNodeTypes", "QStringList", [])
    helpText = stored("helpText", str, "")
    acknowledgementText = stored("acknowledgementText", str, "")
    icon = stored("icon", QtGui.QIcon, QtGui.QIcon())
    hidden = stored("hidden", bool, False)
    index = stored("index", int, -1)
    widgetRepresentationCreationEnabled = stored("widgetRepresentationCreationEnabled", bool, True)

    def __init__(self, name, path):
        super().__init__()
        self.setObjectName(name)
        self.path = path
        self._frame = None
        self._create_frame = None

    def widgetRepresentation(self):
        """The frame with the module's panel, made when it is first asked for."""
        if self._frame is None and self._create_frame is not None:
            self._frame = self.createNewWidgetRepresentation()
        return self._frame

    def createNewWidgetRepresentation(self):
        """Another frame with a panel of its own."""
        return self._create_frame()

    def logic(self):
        """A scripted module has its logic in Python."""
        return


@native
class qSlicerApplication(QtCore.QObject):
    """``slicer.app``, as far as modules without a main window use it."""

    object_signals = ("mrmlSceneChanged(vtkMRMLScene*)",)
    startupCompleted = Signal()
    lastWindowClosed = Signal()
    aboutToQuit = Signal()
    mrmlSceneChanged = Signal(object)

    applicationName = stored("applicationName", str, "Slicer")
    applicationVersion = stored("applicationVersion", str, "")
    temporaryPath = stored("temporaryPath", str, "")
    cachePath = stored("cachePath", str, "")
    slicerHome = stored("slicerHome", str, "")
    defaultScenePath = stored("defaultScenePath", str, "")
    documentationBaseUrl = stored("documentationBaseUrl", str, "https://slicer.invalid/docs/")
    revision = stored("revision", str, "0")
    repositoryRevision = stored("repositoryRevision", str, "")
    majorVersion = Property(int, lambda self: int(self._version[0]))
    minorVersion = Property(int, lambda self: int(self._version[1]))

    def __init__(self, host):
        super().__init__()
        self._host = host
        self._version = host.version.split(".")
        self._module_manager = qSlicerModuleManager(self)
        self._settings = QtCore.QSettings()
        self._io_manager = None
        self._testing = False
        self.applicationVersion = host.version
        self.temporaryPath = self.cachePath = self.defaultScenePath = self.slicerHome = host.temporary_path

    def mrmlScene(self):
        """The scene."""
        return self._host.scene

    def applicationLogic(self):
        """The application logic: selections, slice and view logics."""
        return self._host.application_logic

    def moduleLogic(self, name):
        """The logic of a module written in C++."""
        return self._host.logics.get(name)

    def moduleManager(self):
        """The module manager."""
        return self._module_manager

    def coreIOManager(self):
        """What reads and writes files."""
        return self._io_manager

    ioManager = coreIOManager

    def layoutManager(self):
        """None, as in an application started without a main window, or the views that the host has opened."""
        return self._host.layout_manager

    def commandOptions(self):
        """No options were given."""

    def errorLogModel(self):
        """No error log."""

    def pythonConsole(self):
        """No console."""

    def settings(self):
        """Settings in a file of this run."""
        return self._settings

    userSettings = revisionUserSettings = defaultSettings = settings

    def testingEnabled(self):
        """Whether Slicer was started with --testing; see ``Host.testing_enabled``."""
        return self._testing

    def processEvents(self, *arguments):
        """Let Qt handle what has happened."""
        QtWidgets.QApplication.processEvents(*arguments)
        QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)

    def setOverrideCursor(self, cursor):
        """Push a cursor."""
        QtWidgets.QApplication.setOverrideCursor(cursor)

    def restoreOverrideCursor(self):
        """Pop a cursor."""
        QtWidgets.QApplication.restoreOverrideCursor()

    def pauseRender(self):
        """There are no views to pause."""

    def resumeRender(self):
        """There are no views to resume."""

    def setRenderPaused(self, _paused):
        """There are no views to pause."""

    def topLevelWidgets(self):
        """All windows; none of them is a main window."""
        return QtWidgets.QApplication.topLevelWidgets()

    def palette(self):
        """Qt's palette."""
        return QtWidgets.QApplication.palette()

    def clipboard(self):
        """Qt's clipboard."""
        return QtWidgets.QApplication.clipboard()

    def keyboardModifiers(self):
        """The modifier keys held down."""
        return QtWidgets.QApplication.keyboardModifiers()

    def translate(self, _context, text, *_arguments):
        """No translations are loaded."""
        return text

    def moduleDocumentationUrl(self, name):
        """Where a module's documentation would be."""
        return f"{self.documentationBaseUrl}{name}"

    def restart(self):
        """Restarting is not possible here."""
        raise RuntimeError("the host cannot restart")

    def quit(self):
        """End the process."""
        raise SystemExit(0)

    def exit(self, code=0):
        """End the process as a script's ``slicer.app.exit`` would."""
        raise SystemExit(code)

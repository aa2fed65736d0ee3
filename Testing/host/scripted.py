"""Stand-ins for Slicer's ``ScriptedLoadableModule.py`` and ``i18n.py``, which ``slicer-core`` does not hold."""
# Names are Slicer's.
# ruff: noqa: N802, N803

import logging
import sys
import unittest
from pathlib import Path

import slicer

from .pythonqt import STAND_INS


class ScriptedLoadableModule:
    """What a module says about itself."""

    def __init__(self, parent):
        self.parent = parent
        self.moduleName = type(self).__name__
        for name in ("title", "helpText", "acknowledgementText"):
            setattr(parent, name, "")
        for name in ("categories", "dependencies", "contributors"):
            setattr(parent, name, [])
        if not hasattr(slicer, "selfTests"):
            slicer.selfTests = {}
        slicer.selfTests[self.moduleName] = self.runTest

    def resourcePath(self, filename):
        """The path of a file in the module's folder Resources."""
        return str(Path(self.parent.path).parent / "Resources" / filename)

    def getDefaultModuleDocumentationLink(self, docPage=None):
        """A sentence with a link to the documentation."""
        url = (
            slicer.app.documentationBaseUrl + docPage if docPage else slicer.app.moduleDocumentationUrl(self.moduleName)
        )
        return f'<p><a href="{url}">Documentation</a></p>'

    def runTest(self, msec=100, **kwargs):
        """Run the class <Name>Test."""
        test = getattr(sys.modules[type(self).__module__], f"{self.moduleName}Test")()
        test.messageDelay = msec
        test.runTest(**kwargs)


class ScriptedLoadableModuleWidget:
    """The panel's controller: `parent` is its frame, `layout` the frame's layout."""

    def __init__(self, parent=None):
        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.developerMode = slicer.util.settingsValue(
            "Developer/DeveloperMode", default=False, converter=slicer.util.toBool
        )
        self.parent = parent if parent is not None else self._make_window()
        self.layout = self.parent.layout()
        if parent is None:
            self.setup()
        slicer.app.moduleManager().connect("moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded)

    @staticmethod
    def _make_window():
        import qt  # noqa: PLC0415 (made by the host after this module is imported)

        window = STAND_INS["qMRMLWidget"]()
        window.setLayout(qt.QVBoxLayout())
        window.setMRMLScene(slicer.mrmlScene)
        return window

    def resourcePath(self, filename):
        """The path of a file in the module's folder Resources."""
        return str(Path(slicer.util.modulePath(self.moduleName)).parent / "Resources" / filename)

    def setup(self):
        """Modules extend this to build their panel."""

    def cleanup(self):
        """Modules override this to let go of the scene."""

    def onReload(self):
        """Read the module's source again and build the panel anew."""
        slicer.util.reloadScriptedModule(self.moduleName)

    def onReloadAndTest(self, **kwargs):
        """Reload, then run the self test."""
        with slicer.util.tryWithErrorDisplay("Reload and Test failed."):
            self.onReload()
            slicer.selfTests[self.moduleName](msec=0, **kwargs)

    def _onModuleAboutToBeUnloaded(self, moduleName):
        if moduleName == self.moduleName:
            self.cleanup()
            slicer.app.moduleManager().disconnect("moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded)


class ScriptedLoadableModuleLogic:
    """The module's work, with its parameter node in the scene."""

    def __init__(self, parent=None):
        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Logic")
        self.isSingletonParameterNode = True

    def getParameterNode(self):
        """The module's parameter node, created if the scene has none."""
        if self.isSingletonParameterNode:
            node = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
            if node is not None:  # a closed scene has lost the attribute
                node.SetAttribute("ModuleName", self.moduleName)
                return node
        else:
            for node in self.getAllParameterNodes():
                return node
        return slicer.mrmlScene.AddNode(self.createParameterNode())

    def getAllParameterNodes(self):
        """All parameter nodes of this module."""
        nodes = slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode")
        return [node for node in nodes if node.GetAttribute("ModuleName") == self.moduleName]

    def createParameterNode(self):
        """A new parameter node, not yet in the scene."""
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
        node.UnRegister(None)
        if self.isSingletonParameterNode:
            node.SetSingletonTag(self.moduleName)
        node.SetAttribute("ModuleName", self.moduleName)
        node.SetName(slicer.mrmlScene.GenerateUniqueName(self.moduleName))
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    """Base of a module's self test."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.messageDelay = 0

    def delayDisplay(self, message, requestedDelay=None, msec=None):
        """Show a message for a while."""
        slicer.util.delayDisplay(message, msec or requestedDelay or self.messageDelay)

    def runTest(self):
        """Modules override this to call all their tests."""
        logging.getLogger().warning("No test is defined in %s", type(self).__name__)


def tr(text):
    """Translate a text within the context of the calling file."""
    return slicer.app.translate("", text)


def translate(context, text):
    """Translate a text within a context."""
    return slicer.app.translate(context, text)


SCRIPTED_NAMES = {
    cls.__name__: cls
    for cls in (
        ScriptedLoadableModule,
        ScriptedLoadableModuleWidget,
        ScriptedLoadableModuleLogic,
        ScriptedLoadableModuleTest,
    )
}
I18N_NAMES = {"tr": tr, "translate": translate}

"""A scripted module for the host's own tests: one widget of each kind, bound to a parameter node."""
# Names are Slicer's.
# ruff: noqa: N802, N815

import enum
import pathlib
from typing import Annotated

import slicer
import vtk
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import Choice, Default, WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class HostExample(ScriptedLoadableModule):
    """What the module says about itself."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Host example")
        self.parent.categories = ["Testing"]
        slicer.app.connect("startupCompleted()", register_sample_data)


def register_sample_data():
    """Offer a data set that is made, not downloaded."""
    import SampleData  # noqa: PLC0415 (exists only when all modules are loaded)

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="HostExample",
        sampleName="HostExampleCube",
        uris="",
        fileNames="",
        nodeNames="",
        customDownloader=make_cube,
    )


def make_cube(_source=None):
    """Make an empty volume."""
    return [slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "HostExampleCube")]


class Method(enum.Enum):
    """Values for a combo box."""

    FAST = 1
    EXACT = 2


@parameterNodeWrapper
class HostExampleParameterNode:
    """One parameter of each type."""

    inputVolume: slicer.vtkMRMLScalarVolumeNode
    segmentation: slicer.vtkMRMLSegmentationNode
    enabled: bool = True
    toggled: bool
    method: Method = Method.EXACT
    kernel: Annotated[str, Choice(["box", "gauss"]), Default("gauss")]
    label: str = "start"
    notes: str
    count: Annotated[int, WithinRange(1, 9)] = 3
    spacing: float = 1.5
    threshold: Annotated[float, WithinRange(0, 50)] = 12.5
    folder: pathlib.Path


class HostExampleWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel, with the life cycle of Slicer's own template."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameterNode = None
        self._guiTag = None

    def setup(self):
        """Build the panel."""
        ScriptedLoadableModuleWidget.setup(self)
        panel = slicer.util.loadUI(self.resourcePath("UI/HostExample.ui"))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        panel.setMRMLScene(slicer.mrmlScene)
        self.logic = HostExampleLogic()
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.ui.applyButton.connect("clicked(bool)", self.onApply)
        self.initializeParameterNode()

    def cleanup(self):
        """Let go of everything."""
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self):
        """The user comes."""
        self.initializeParameterNode()

    def exit(self):
        """The user goes."""
        self.setParameterNode(None)

    def onSceneStartClose(self, _caller, _event):
        """The parameter node is about to go."""
        self.setParameterNode(None)

    def onSceneEndClose(self, _caller, _event):
        """A new parameter node is needed if the panel is open."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self):
        """Bind to the scene's parameter node."""
        self.setParameterNode(self.logic.getParameterNode())

    def setParameterNode(self, node):
        """Bind to this parameter node, or to none."""
        if self._parameterNode is not None:
            self._parameterNode.disconnectGui(self._guiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.checkCanApply)
        self._parameterNode = node
        if node is not None:
            # Slicer 5.6's connectGui returns no tag to disconnect by, so the pairs are collected here.
            widgets = {w.property("SlicerParameterName"): w for w in vars(self.ui).values()}
            widgets.pop(None)
            self._guiTag = node.connectParametersToGui(widgets)
            self.addObserver(node, vtk.vtkCommand.ModifiedEvent, self.checkCanApply)
            self.checkCanApply()

    def checkCanApply(self, _caller=None, _event=None):
        """There must be an input."""
        self.ui.applyButton.enabled = self._parameterNode is not None and self._parameterNode.inputVolume is not None

    def onApply(self):
        """Ask, then work."""
        with slicer.util.tryWithErrorDisplay("The example failed."):
            if slicer.util.confirmOkCancelDisplay("Really?"):
                self.logic.process(self._parameterNode.inputVolume)


class HostExampleLogic(ScriptedLoadableModuleLogic):
    """The work."""

    def getParameterNode(self):
        """The typed parameter node: a new wrapper each time, because a closed scene empties the node."""
        return HostExampleParameterNode(super().getParameterNode())

    def process(self, volume):
        """Fail, if the name says so."""
        if volume.GetName() == "broken":
            raise RuntimeError("the volume is broken")
        volume.SetAttribute("HostExample.Done", "yes")


class HostExampleTest(ScriptedLoadableModuleTest):
    """The module's self test."""

    def runTest(self):
        """Run all tests."""
        self.test_cube()

    def test_cube(self):
        """The sample data can be made."""
        self.assertEqual(make_cube()[0].GetName(), "HostExampleCube")  # noqa: PT009 (Slicer runs it by unittest)

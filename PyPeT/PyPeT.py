"""PyPeT in 3D Slicer: brain perfusion maps from a sequence of volumes. Research use only.

The panel wires, the logic calls `PyPeTSlicer`, which stands between Slicer's nodes and the library `PyPeTLib`.
"""

import contextlib
import enum
import json
import sys
import unittest
from pathlib import Path
from typing import Annotated

import qt
import slicer
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

if sys.version_info < (3, 11):  # noqa: UP036 - whoever has an older Slicer shall read why
    raise ImportError(f"PyPeT needs Python 3.11 or later (Slicer 5.10); this Slicer has {sys.version.split()[0]}.")

try:
    from PyPeTLib.errors import InputError
except ModuleNotFoundError as error:
    # a module path added by hand names this folder alone; the library lies beside it
    beside = Path(__file__).resolve().parents[1]
    if error.name != "PyPeTLib" or not (beside / "PyPeTLib" / "__init__.py").is_file():
        raise
    sys.path.append(str(beside))
    from PyPeTLib.errors import InputError

from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode, vtkMRMLSequenceNode

import PyPeTSlicer
from PyPeTSlicer.self_test import SelfTest


class PyPeT(ScriptedLoadableModule):
    """The module's description."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("PyPeT brain perfusion")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Quantification")]
        self.parent.dependencies = ["Sequences", "Segmentations", "Volumes", "Colors", "SubjectHierarchy"]
        self.parent.contributors = ["The PyPeT developers"]
        self.parent.helpText = _(
            "Quantitative maps (CBF, CBV, MTT, TTP, Tmax), a brain mask and an arterial input function from CT "
            "perfusion or DSC-MRI. Choose a sequence, check what was found, press Run. The tab “MRI → PET” predicts a "
            "PET from MRI by a model that “pypet synthesis train” made. <b>Research use only; not validated for "
            "clinical use.</b>"
        )
        self.parent.acknowledgementText = _(
            "An independent implementation of the workflow of Borghouts and Su (doi:10.48550/arXiv.2511.13310)."
        )
        slicer.app.connect("startupCompleted()", onStartupCompleted)


def onStartupCompleted():
    """Offer the sample data, and describe the layouts, so that scenes saved in them can be loaded."""
    PyPeTSlicer.sample_data.register()
    PyPeTSlicer.views.register()


class SeriesKind(enum.Enum):
    """Modality of a series, as the panel offers it; the values are those of `PyPeTLib.Modality`."""

    UNKNOWN = ""
    CTP = "ctp"
    DSC = "dsc"

    def label(self):
        """What the combo box shows."""
        return {"": _("choose …"), "ctp": _("CT perfusion"), "dsc": _("DSC-MRI")}[self.value]


@parameterNodeWrapper
class PyPeTParameterNode:
    """All choices of the panel; saved with the scene.

    ``frameTimes`` and ``sliceTimes`` are the user's text in seconds, empty for what the sequence says; echo times are
    in ms, 0 where they are unknown; ``advanced`` holds options that differ from the defaults as JSON tables.
    """

    inputSequence: vtkMRMLSequenceNode
    modality: SeriesKind = SeriesKind.UNKNOWN
    frameTimes: str = ""
    echoTime: Annotated[float, WithinRange(0, 200)] = 0.0
    brainSegmentation: vtkMRMLSegmentationNode
    brainSegment: str = ""
    aifSegmentation: vtkMRMLSegmentationNode
    aifSegment: str = ""
    vofSegmentation: vtkMRMLSegmentationNode
    vofSegment: str = ""
    populationAIF: bool = False
    secondEcho: vtkMRMLSequenceNode
    secondEchoTime: Annotated[float, WithinRange(0, 200)] = 0.0
    sliceTimes: str = ""
    whiteMatterSegmentation: vtkMRMLSegmentationNode
    whiteMatterSegment: str = ""
    whiteMatterCBF: Annotated[float, WithinRange(0, 100)] = 0.0
    preset: str = ""
    useEdits: bool = True
    correctMotion: bool = True
    smoothing: Annotated[float, WithinRange(0, 10)] = 3.0
    method: str = "osvd"
    advanced: str = ""
    cbfVolume: vtkMRMLScalarVolumeNode
    cbvVolume: vtkMRMLScalarVolumeNode
    mttVolume: vtkMRMLScalarVolumeNode
    ttpVolume: vtkMRMLScalarVolumeNode
    tmaxVolume: vtkMRMLScalarVolumeNode
    segmentation: vtkMRMLSegmentationNode
    relative: bool = False
    colours: str = "perfusion"
    cbfReference: vtkMRMLScalarVolumeNode
    cbvReference: vtkMRMLScalarVolumeNode
    mttReference: vtkMRMLScalarVolumeNode
    ttpReference: vtkMRMLScalarVolumeNode
    tmaxReference: vtkMRMLScalarVolumeNode
    normalisation: str = "absolute"


class PyPeTWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = self.form = self.segmentCombos = None
        self.sections = []
        self._parameterNode = None
        self._binding = None
        self._isRunning = False
        self._isCancelled = False
        self._isUpdating = False
        self._stage = ""
        self._follower = None

    # ---- life of the panel

    def setup(self):
        """Build the panel; called once."""
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/PyPeT.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        for selector in (self.ui.inputSelector, self.ui.secondEchoSelector):
            selector.addAttribute("vtkMRMLSequenceNode", "DataNodeClassName", "vtkMRMLScalarVolumeNode")
        self.logic = PyPeTLogic()
        self._fillPanel()

        for event, handler in (
            (slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose),
            (slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose),
            (slicer.mrmlScene.StartImportEvent, self.onSceneStartImport),
            (slicer.mrmlScene.EndImportEvent, self.onSceneEndImport),
            (slicer.mrmlScene.EndBatchProcessEvent, self.onSceneEndBatchProcess),
            (slicer.mrmlScene.NodeAboutToBeRemovedEvent, self.onNodeAboutToBeRemoved),
        ):
            self.addObserver(slicer.mrmlScene, event, handler)
        self.loading = PyPeTSlicer.load_section.LoadSection(self)
        self.ui.offerButton.connect("clicked(bool)", self.onOfferButton)
        self.ui.runButton.connect("clicked(bool)", self.onRunButton)
        self.ui.cancelButton.connect("clicked(bool)", self.onCancelButton)
        self.ui.defaultsButton.connect("clicked(bool)", self.onDefaultsButton)
        self.ui.frameTimesEdit.connect("editingFinished()", self.onFrameTimesEdited)
        # an application that is being closed does not wait for a run
        slicer.app.connect("lastWindowClosed()", self.onCancelButton)
        self._showRunning(False)
        self.initializeParameterNode()

    def _fillPanel(self):
        """What is not in the .ui file, because it comes out of the library."""
        self.form = PyPeTSlicer.option_form.OptionForm(self.ui.advancedContents.layout(), self.onAdvancedChanged)
        combos = {
            "brain": self.ui.brainSegmentCombo,
            "aif": self.ui.aifSegmentCombo,
            "vof": self.ui.vofSegmentCombo,
            "whiteMatter": self.ui.whiteMatterSegmentCombo,
        }
        self.segmentCombos = PyPeTSlicer.segment_combos.SegmentCombos(combos, self.onSegmentChosen)
        methods = {entry.name: (entry.name, entry.summary) for entry in self.logic.methods()}
        self.methods = PyPeTSlicer.choices.Choices(self.ui.methodCombo, methods, self.onMethodChosen)
        schemes = {name: (scheme.title, scheme.tooltip) for name, scheme in PyPeTSlicer.colours.SCHEMES.items()}
        self.colours = PyPeTSlicer.choices.Choices(self.ui.coloursCombo, schemes, self.onColoursChosen)
        below = self.ui.sectionsBox.layout()
        self.sections = [
            PyPeTSlicer.preset_section.PresetSection(self, self.ui.presetBox.layout()),
            PyPeTSlicer.review_section.ReviewSection(self, below),
            PyPeTSlicer.steer_section.SteerSection(self, below),
            PyPeTSlicer.probe_section.ProbeSection(self, below),
            PyPeTSlicer.compare_section.CompareSection(self, below),
            PyPeTSlicer.synthesis_section.SynthesisSection(self, self.ui.synthesisTab.layout()),
        ]

    def cleanup(self):
        """Let go of everything; called before the panel goes."""
        self._isCancelled = True
        slicer.app.disconnect("lastWindowClosed()", self.onCancelButton)
        self.setParameterNode(None)
        for section in self.sections:
            section.close()
        self.logic.views.leave()
        self.logic.forget()
        self.removeObservers()

    def enter(self):
        """Called each time the user opens the module."""
        self.initializeParameterNode()

    def exit(self):
        """Called each time the user opens another module."""
        if not self._isRunning:
            self.setParameterNode(None)

    def onReload(self):
        """Reload the library with the module, so that changes of both count; not while it works."""
        if self._isRunning:
            return
        self.cleanup()
        for name in [name for name in sys.modules if name.split(".")[0] in ("PyPeTLib", "PyPeTSlicer")]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def onSceneStartClose(self, caller, event):
        """Forget the parameters before the scene goes, and what layout to give back."""
        self._isCancelled = True
        self.setParameterNode(None)
        self.logic.views.leave()
        self.logic.forget()

    def onSceneEndClose(self, caller, event):
        """Begin with new parameters in the empty scene."""
        if not self._isRunning:
            self.tell("")
            self.ui.summaryText.setPlainText("")
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onSceneStartImport(self, caller, event):
        """Let go of the parameters: selectors lose their nodes while a scene comes in, and would write that down."""
        self.setParameterNode(None)

    def onSceneEndImport(self, caller, event):
        """Show the parameters that came with a scene as they are."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onSceneEndBatchProcess(self, caller, event):
        """Show what changed while many nodes came or went at once."""
        if self.parent.isEntered:
            self.initializeParameterNode()
            self.onParametersModified()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def onNodeAboutToBeRemoved(self, caller, event, node):
        """Choose nothing in place of a node that goes: a selector by itself would choose its neighbour."""
        if self._parameterNode is None:
            return
        for name in PyPeTSlicer.parameters.NODES:
            if getattr(self._parameterNode, name) is node:
                setattr(self._parameterNode, name, None)

    def initializeParameterNode(self):
        """Ensure that the parameter node exists and is observed; choose the only sequence there is."""
        if self._parameterNode is None:
            self.setParameterNode(self.logic.getParameterNode())
        if self._parameterNode.inputSequence is None and not slicer.mrmlScene.IsBatchProcessing():
            eligible = self.logic.eligibleSequences()
            if len(eligible) == 1:
                self._parameterNode.inputSequence = eligible[0]

    def setParameterNode(self, parameterNode):
        """Bind the panel to a parameter node, or to none."""
        # the node itself is observed: what is observed is kept, and there is a new wrapper each time
        modified = vtk.vtkCommand.ModifiedEvent
        if self._parameterNode is not None:
            self._binding.release()
            self._binding = self._follower = None
            self.removeObserver(self._parameterNode.parameterNode, modified, self.onParametersModified)
        self._parameterNode = parameterNode
        if parameterNode is not None:
            self._follower = PyPeTSlicer.following.Follower(parameterNode)
            self._binding = PyPeTSlicer.binding.Binding(parameterNode, [self.ui, *(s.ui for s in self.sections)])
            self.addObserver(parameterNode.parameterNode, modified, self.onParametersModified)
        for section in self.sections:
            section.set_parameters(parameterNode)
        if parameterNode is not None:
            self.onParametersModified()

    # ---- what the user does

    def choose(self, sequence, secondEcho=None):
        """Take a series that was loaded as the input, with its second echo, and show it."""
        self._parameterNode.inputSequence = sequence
        self._parameterNode.secondEcho = secondEcho
        self._show(PyPeTSlicer.sequences.proxy_of(sequence))

    def onOfferButton(self, checked=False):
        """Take the repetition time as frame interval."""
        interval = PyPeTSlicer.parameters.offered_interval(self._parameterNode)
        if interval is not None:
            self._parameterNode.frameTimes = f"{interval:g}"

    def onFrameTimesEdited(self):
        """Keep the user's frame times, once they are typed to their end."""
        if self._parameterNode is not None:
            self._parameterNode.frameTimes = self.ui.frameTimesEdit.text

    def onMethodChosen(self, name):
        """Keep the chosen method."""
        if self._parameterNode is not None:
            self._parameterNode.method = name

    def onColoursChosen(self, name):
        """Show the maps in the chosen colours."""
        if self._parameterNode is not None:
            self._parameterNode.colours = name
            self.logic.showColours(self._parameterNode)

    def onSegmentChosen(self):
        """Keep the chosen segments."""
        if self._parameterNode is not None:
            self.segmentCombos.read_into(self._parameterNode)

    def onAdvancedChanged(self):
        """Keep the advanced options."""
        if self._parameterNode is not None:
            changes = self.form.changes()
            self._parameterNode.advanced = json.dumps(changes) if changes else ""

    def onDefaultsButton(self, checked=False):
        """Back to the defaults of the modality."""
        self.logic.setDefaults(self._parameterNode)

    def onCancelButton(self, checked=False):
        """Ask the run to stop; it does so within a fraction of a second."""
        self._isCancelled = True
        self.ui.cancelButton.enabled = False

    def onRunButton(self, checked=False):
        """Run the pipeline; the scene changes at the end, or not at all."""
        if self._isRunning or self._parameterNode is None:
            return
        self._isCancelled = False
        self._stage = ""
        self._showRunning(True)
        try:
            with self.reported(_("The run failed")):
                outputs = self.logic.process(self._parameterNode, self.onProgress, lambda: self._isCancelled)
                self._showResult(outputs)
        finally:
            self._showRunning(False)
            if not self.parent.isEntered:
                self.setParameterNode(None)

    rerun = onRunButton

    def onProgress(self, stage, share):
        """Show how far the run is, and give the application a turn."""
        self.ui.progressBar.value = round(100 * share)
        if stage != self._stage:
            self._stage = stage
            self.tell(_("Working: {stage} …").format(stage=stage))
        slicer.app.processEvents()

    # ---- what the panel shows

    def onParametersModified(self, caller=None, event=None):
        """Follow the parameters: proposals for a new input, defaults for a new modality, what is missing."""
        node = self._parameterNode
        if node is None or self._isUpdating or slicer.mrmlScene.IsBatchProcessing():
            return
        self._isUpdating = True
        try:
            if self._follower.follow():
                self.tell("")
                self.ui.summaryText.setPlainText("")
            self._showParameters()
        finally:
            self._isUpdating = False
        self._checkCanRun()
        self.followSections()

    def followSections(self):
        """Let the sections show what is there now."""
        if self._parameterNode is not None and not self._isRunning:
            for section in self.sections:
                section.follow()

    def _showParameters(self):
        """Show what is not bound to a parameter of its own."""
        node = self._parameterNode
        self.segmentCombos.show(node)
        if self.ui.frameTimesEdit.text != node.frameTimes:
            self.ui.frameTimesEdit.text = node.frameTimes
        self.colours.show(node.colours)
        self.ui.methodLabel.text = self.methods.show(node.method)
        if node.modality is not SeriesKind.UNKNOWN:
            self.form.set_changes(*PyPeTSlicer.parameters.advanced(node))
        for name in ("echoTimeLabel", "echoTimeSpin", "whiteMatterLabel", "whiteMatterBox", "echoLabel", "echoBox"):
            getattr(self.ui, name).visible = node.modality is SeriesKind.DSC
        self.ui.timingLabel.text = PyPeTSlicer.parameters.describe_times(node)
        offered = PyPeTSlicer.parameters.offered_interval(node)
        self.ui.offerButton.visible = offered is not None
        if offered is not None:
            self.ui.offerButton.text = _("Use the repetition time, {seconds:g} s").format(seconds=offered)

    def _checkCanRun(self):
        missing = self.logic.missing(self._parameterNode) if self._parameterNode is not None else _("No parameters.")
        self.ui.runButton.enabled = not missing and not self._isRunning
        self.ui.runButton.toolTip = missing or _("Compute the maps. The scene changes only when all of them are done.")

    def _showRunning(self, isRunning):
        self._isRunning = isRunning
        self.ui.cancelButton.enabled = isRunning
        self.ui.progressBar.visible = isRunning
        for section in (self.ui.inputsSection, self.ui.processingSection, self.ui.outputsSection):
            section.enabled = not isRunning
        for section in self.sections:
            section.running(isRunning)
        self._checkCanRun()

    def _showResult(self, outputs):
        text, isBad = PyPeTSlicer.words.verdict(outputs.findings)
        self.tell(text, isBad)
        self.ui.summaryText.setPlainText(PyPeTSlicer.words.summary(outputs.findings))
        if self.logic.views.layout is None:
            self._show(self.logic.proxyOf(outputs), outputs.volumes["cbf"])
        for section in self.sections:
            section.follow()

    def _show(self, background, foreground=None):
        """Show volumes in the slice views, where there are any."""
        if slicer.app.layoutManager() is None:
            return
        browser = PyPeTSlicer.sequences.browser_of(self._parameterNode.inputSequence)
        if browser is not None:
            slicer.modules.sequences.showSequenceBrowser(browser)
        slicer.util.setSliceViewerLayers(
            background=background if background is not None else "keep-current",
            foreground=foreground,
            foregroundOpacity=1.0,
            fit=True,
        )

    def reported(self, failure):
        """A context in which errors become a message on the panel."""
        return PyPeTSlicer.reporting.Reported(self.tell, failure)

    def tell(self, message, isBad=False, label=None):
        """Show a message below the buttons, or in a label of a section."""
        label = self.ui.statusLabel if label is None else label
        label.text = message
        isDark = label.palette.color(qt.QPalette.Window).lightness() < 128
        label.styleSheet = f"color: {'#ff8a80' if isDark else '#b00020'}" if isBad else ""


class PyPeTLogic(ScriptedLoadableModuleLogic):
    """What the module does, without a panel; works with no main window.

    Attributes
    ----------
    session : Session
        Remembers the last run, so that the next one begins where its choices differ.
    views : Views
        Layouts of PyPeT's own.
    """

    def __init__(self):
        ScriptedLoadableModuleLogic.__init__(self)
        self.session = PyPeTSlicer.session.Session()
        self.views = PyPeTSlicer.views.Views()
        self.synthesise = PyPeTSlicer.synthesis.run  # a PET from MRI, by a trained model

    def getParameterNode(self):
        """The parameters of the scene."""
        return PyPeTParameterNode(super().getParameterNode())

    def eligibleSequences(self):
        """Sequences of scalar volumes in the scene."""
        return [
            node
            for node in slicer.util.getNodesByClass("vtkMRMLSequenceNode")
            if node.GetAttribute("DataNodeClassName") == "vtkMRMLScalarVolumeNode"
            and node.GetAttribute(PyPeTSlicer.nodes.RUN) is None  # made by a review
        ]

    def methods(self):
        """The deconvolution methods: name, summary and source of each."""
        from PyPeTLib.deconvolution import METHODS

        return METHODS.entries()

    def loadFile(self, path):
        """Load a 4D NIfTI file and return its ``vtkMRMLSequenceNode``; raises an `InputError` where it cannot."""
        return PyPeTSlicer.loading.load_file(path)

    def findDICOM(self, folder):
        """The perfusion series in a folder of DICOM files, for `loadDICOM`."""
        return PyPeTSlicer.dicom_loading.offered(folder)

    def loadDICOM(self, series):
        """Load a series of `findDICOM`; its ``sequence`` and ``second_echo`` are ``vtkMRMLSequenceNode``s."""
        return PyPeTSlicer.dicom_loading.load(series)

    def adopt(self, parameters):
        """Propose what the chosen sequence says of itself, and its last outputs; for the user to confirm."""
        PyPeTSlicer.parameters.adopt(parameters)

    def setDefaults(self, parameters):
        """Set all processing options to the defaults of the modality."""
        PyPeTSlicer.parameters.set_defaults(parameters)

    def missing(self, parameters):
        """What has to be done before a run, in one sentence; empty where nothing is missing."""
        return PyPeTSlicer.parameters.missing(parameters)

    def process(self, parameters, progress=None, cancelled=None):
        """Run the pipeline and write its results into the scene.

        Parameters
        ----------
        parameters : PyPeTParameterNode
        progress : callable, optional
            Called with the stage and the share of the run that is done (0…1).
        cancelled : callable, optional
            Asked often; the run stops soon after it returns true.

        Returns
        -------
        OutputNodes

        Raises
        ------
        InputError
            If something is missing or the input cannot be used.
        CancelledError
            If the run was cancelled or its input lost; the scene is as it was then.
        """
        missing = self.missing(parameters)
        if missing:
            raise InputError(missing)
        request = PyPeTSlicer.parameters.request(parameters)
        outputs = PyPeTSlicer.running.run(request, progress, cancelled, self.session)
        PyPeTSlicer.parameters.take(parameters, outputs)
        return outputs

    def forget(self):
        """Give back the memory of the last run; its nodes stay."""
        self.session.forget()
        self.views.forget()

    def showColours(self, parameters):
        """Show the maps of the last run in the chosen colours."""
        subject = self.subject(parameters)
        if subject is not None:
            PyPeTSlicer.colours.restyle(subject.maps(), parameters.colours)

    def subject(self, parameters):
        """What there is to review: the last run on the chosen sequence; None where there was none."""
        from PyPeTSlicer.review.subject import Subject

        return Subject.of(parameters.inputSequence, self.session)

    def proxyOf(self, outputs):
        """The volume that shows the series which outputs were made from."""
        sequence = outputs.segmentation.GetNodeReference(PyPeTSlicer.nodes.INPUT)
        return PyPeTSlicer.sequences.proxy_of(sequence) if sequence is not None else None


class PyPeTTest(SelfTest, ScriptedLoadableModuleTest):
    """Tests that run in the application: "Reload and Test", or ctest; on phantoms made in code."""

    def setUp(self):
        """An empty scene."""
        slicer.mrmlScene.Clear()

    def runTest(self):
        """Run all tests, each from an empty scene."""
        for name in [name for name in dir(self) if name.startswith("test_")]:
            self.setUp()
            with contextlib.suppress(unittest.SkipTest):
                getattr(self, name)()
        self.setUp()

    def newLogic(self):
        """The logic that is tested."""
        return PyPeTLogic()

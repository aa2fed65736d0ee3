"""PyPeT in 3D Slicer: brain perfusion maps from a sequence of volumes. Research use only.

The panel wires, the logic calls `PyPeTSlicer`, which stands between Slicer's nodes and the library `PyPeTLib`.
"""

import enum
import json
import logging
import sys
import traceback
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

try:
    import PyPeTLib
except ModuleNotFoundError as error:
    # a module path added by hand names this folder alone; the library lies beside it
    beside = Path(__file__).resolve().parents[1]
    if error.name != "PyPeTLib" or not (beside / "PyPeTLib" / "__init__.py").is_file():
        raise
    sys.path.append(str(beside))
    import PyPeTLib  # noqa: F401

from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode, vtkMRMLSequenceNode

MAPS = ("cbf", "cbv", "mtt", "ttp", "tmax")


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
            "perfusion or DSC-MRI. Choose a sequence, check what was found, press Run. <b>Research use only; not "
            "validated for clinical use.</b>"
        )
        self.parent.acknowledgementText = _(
            "An independent implementation of the workflow of Borghouts and Su (doi:10.48550/arXiv.2511.13310)."
        )
        slicer.app.connect("startupCompleted()", registerSampleData)


def registerSampleData():
    """Offer two phantoms in the module Sample Data; they are computed, not downloaded."""
    import SampleData

    from PyPeTSlicer.sample_data import PHANTOMS

    icons = Path(__file__).resolve().parent / "Resources" / "Icons"
    for name, make in PHANTOMS.items():
        SampleData.SampleDataLogic.registerCustomSampleDataSource(
            category="PyPeT",
            sampleName=name,
            uris="",
            fileNames="",
            nodeNames=name,
            thumbnailFileName=str(icons / f"{name.replace(' ', '')}.png"),
            customDownloader=make,
        )


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

    ``frameTimes`` is the user's text in seconds, empty for what the sequence says; ``echoTime`` is in ms, 0 where it is
    unknown; ``advanced`` holds options that differ from the defaults as JSON tables.
    """

    inputSequence: vtkMRMLSequenceNode
    modality: SeriesKind = SeriesKind.UNKNOWN
    frameTimes: str = ""
    echoTime: Annotated[float, WithinRange(0, 200)] = 0.0
    brainSegmentation: vtkMRMLSegmentationNode
    brainSegment: str = ""
    aifSegmentation: vtkMRMLSegmentationNode
    aifSegment: str = ""
    whiteMatterSegmentation: vtkMRMLSegmentationNode
    whiteMatterSegment: str = ""
    whiteMatterCBF: Annotated[float, WithinRange(0, 100)] = 0.0
    useEdits: bool = True
    correctMotion: bool = True
    smoothing: Annotated[float, WithinRange(0, 10)] = 2.0
    method: str = "osvd"
    advanced: str = ""
    cbfVolume: vtkMRMLScalarVolumeNode
    cbvVolume: vtkMRMLScalarVolumeNode
    mttVolume: vtkMRMLScalarVolumeNode
    ttpVolume: vtkMRMLScalarVolumeNode
    tmaxVolume: vtkMRMLScalarVolumeNode
    segmentation: vtkMRMLSegmentationNode
    relative: bool = False


class PyPeTWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.form = None
        self._parameterNode = None
        self._binding = None
        self._isRunning = False
        self._isCancelled = False
        self._isUpdating = False
        self._lastInput = None
        self._lastModality = None

    # ---- life of the panel

    def setup(self):
        """Build the panel; called once."""
        ScriptedLoadableModuleWidget.setup(self)
        from PyPeTSlicer.option_form import OptionForm

        uiWidget = slicer.util.loadUI(self.resourcePath("UI/PyPeT.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.ui.inputSelector.addAttribute("vtkMRMLSequenceNode", "DataNodeClassName", "vtkMRMLScalarVolumeNode")
        self.logic = PyPeTLogic()
        self.form = OptionForm(self.ui.advancedContents.layout(), self.onAdvancedChanged)
        for entry in self.logic.methods():
            self.ui.methodCombo.addItem(entry.name)
            self.ui.methodCombo.setItemData(self.ui.methodCombo.count - 1, entry.summary, qt.Qt.ToolTipRole)

        for event, handler in (
            (slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose),
            (slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose),
            (slicer.mrmlScene.EndImportEvent, self.onSceneEndImport),
        ):
            self.addObserver(slicer.mrmlScene, event, handler)
        self.ui.loadButton.connect("clicked(bool)", self.onLoadButton)
        self.ui.offerButton.connect("clicked(bool)", self.onOfferButton)
        self.ui.runButton.connect("clicked(bool)", self.onRunButton)
        self.ui.cancelButton.connect("clicked(bool)", self.onCancelButton)
        self.ui.defaultsButton.connect("clicked(bool)", self.onDefaultsButton)
        self.ui.methodCombo.connect("currentIndexChanged(int)", self.onMethodChosen)
        for combo in self._segmentCombos().values():
            combo.connect("currentIndexChanged(int)", self.onSegmentChosen)
        self._showRunning(False)
        self.initializeParameterNode()

    def cleanup(self):
        """Let go of everything; called before the panel goes."""
        self._isCancelled = True
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self):
        """Called each time the user opens the module."""
        self.initializeParameterNode()

    def exit(self):
        """Called each time the user opens another module."""
        if not self._isRunning:
            self.setParameterNode(None)

    def onReload(self):
        """Reload the library with the module, so that changes of both count."""
        self.cleanup()
        for name in [n for n in sys.modules if n.split(".")[0] in ("PyPeTLib", "PyPeTSlicer")]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def onSceneStartClose(self, caller, event):
        """Forget the parameters before the scene goes."""
        self._isCancelled = True
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event):
        """Begin with new parameters in the empty scene."""
        if not self._isRunning:
            self._tell("")
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onSceneEndImport(self, caller, event):
        """Show the parameters that came with a scene as they are."""
        if self.parent.isEntered:
            self.setParameterNode(None)
            self.initializeParameterNode()

    def initializeParameterNode(self):
        """Ensure that the parameter node exists and is observed; choose the only sequence there is."""
        if self._parameterNode is None:
            self.setParameterNode(self.logic.getParameterNode())
        if not self._parameterNode.inputSequence and not slicer.mrmlScene.IsBatchProcessing():
            eligible = self.logic.eligibleSequences()
            if len(eligible) == 1:
                self._parameterNode.inputSequence = eligible[0]

    def setParameterNode(self, parameterNode):
        """Bind the panel to a parameter node, or to none."""
        from PyPeTSlicer.binding import Binding

        if self._parameterNode is not None:
            self._binding.release()
            self._binding = None
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParametersModified)
        self._parameterNode = parameterNode
        if parameterNode is not None:
            self._lastInput = self._inputID(parameterNode)
            self._lastModality = parameterNode.modality
            self._binding = Binding(parameterNode, self.ui)
            self.addObserver(parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParametersModified)
            self.onParametersModified()

    # ---- what the user does

    def onLoadButton(self, checked=False):
        """Load a 4D file as a sequence and choose it."""
        path = qt.QFileDialog.getOpenFileName(
            slicer.util.mainWindow(), _("Load a 4D perfusion series"), "", _("4D NIfTI (*.nii *.nii.gz)")
        )
        path = path[0] if isinstance(path, tuple) else path
        if not path:
            return
        with self._reported(_("The file could not be loaded")):
            self._parameterNode.inputSequence = self.logic.loadFile(path)

    def onOfferButton(self, checked=False):
        """Take the repetition time as frame interval."""
        interval = self.logic.offeredInterval(self._parameterNode.inputSequence)
        if interval is not None:
            self._parameterNode.frameTimes = f"{interval:g}"

    def onMethodChosen(self, index):
        """Keep the chosen method."""
        if self._parameterNode is not None and not self._isUpdating and index >= 0:
            self._parameterNode.method = self.ui.methodCombo.itemText(index)

    def onSegmentChosen(self, index):
        """Keep the chosen segments."""
        if self._parameterNode is not None and not self._isUpdating:
            for name, combo in self._segmentCombos().items():
                setattr(self._parameterNode, f"{name}Segment", combo.itemData(combo.currentIndex) or "")

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
        self._showRunning(True)
        try:
            with self._reported(_("The run failed")):
                outputs = self.logic.process(self._parameterNode, self.onProgress, lambda: self._isCancelled)
                self._showResult(outputs)
        finally:
            self._showRunning(False)

    def onProgress(self, stage, share):
        """Show how far the run is, and give the application a turn."""
        self.ui.progressBar.value = round(100 * share)
        self.ui.statusLabel.text = _("Working: {stage} …").format(stage=stage)
        slicer.app.processEvents()

    # ---- what the panel shows

    def onParametersModified(self, caller=None, event=None):
        """Follow the parameters: proposals for a new input, defaults for a new modality, what is missing."""
        node = self._parameterNode
        if node is None or self._isUpdating or slicer.mrmlScene.IsBatchProcessing():
            return
        self._isUpdating = True
        try:
            if self._inputID(node) != self._lastInput:
                self._lastInput = self._inputID(node)
                self.logic.adopt(node)
                self._tell("")
                self.ui.summaryText.setPlainText("")
            if node.modality is not self._lastModality:
                self._lastModality = node.modality
                self.logic.setDefaults(node)
            self._fillSegments()
            self.ui.methodCombo.setCurrentIndex(self.ui.methodCombo.findText(node.method))
            if node.modality is not SeriesKind.UNKNOWN:
                self.form.set_changes(*self.logic.optionsOf(node))
        finally:
            self._isUpdating = False
        self._showInput()
        self._checkCanRun()

    @staticmethod
    def _inputID(parameters):
        return parameters.inputSequence.GetID() if parameters.inputSequence is not None else ""

    def _showInput(self):
        node = self._parameterNode
        isDsc = node.modality is SeriesKind.DSC
        for widget in (self.ui.echoTimeLabel, self.ui.echoTimeSpin, self.ui.whiteMatterLabel, self.ui.whiteMatterBox):
            widget.visible = isDsc
        self.ui.timingLabel.text = self.logic.describeTimes(node)
        offered = self.logic.offeredInterval(node.inputSequence) if not self.logic.hasTimes(node) else None
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
        self._checkCanRun()

    def _showResult(self, outputs):
        from PyPeTLib.report.summary import told
        from PyPeTSlicer.words import for_panel

        self.ui.summaryText.setPlainText(for_panel(told(outputs.findings)))
        worst = {flag["severity"] for flag in outputs.findings["flags"]}
        if "failure" in worst:
            self._tell(_("Done, but the maps hold no usable values: read the summary."), isBad=True)
        elif "warning" in worst:
            self._tell(_("Done, with warnings: read the summary before you use the maps."), isBad=True)
        else:
            self._tell(_("Done."))
        if slicer.app.layoutManager() is not None:
            proxy = self.logic.proxyOf(outputs)
            slicer.util.setSliceViewerLayers(background=proxy, foreground=outputs.volumes["cbf"], foregroundOpacity=1.0)

    def _fillSegments(self):
        """List the segments of the chosen segmentations."""
        for name, combo in self._segmentCombos().items():
            segmentation = getattr(self._parameterNode, f"{name}Segmentation")
            listed = [("", _("find automatically") if name != "whiteMatter" else _("none"))]
            if segmentation is not None:
                content = segmentation.GetSegmentation()
                for index in range(content.GetNumberOfSegments()):
                    segmentId = content.GetNthSegmentID(index)
                    listed.append((segmentId, content.GetSegment(segmentId).GetName()))
            chosen = getattr(self._parameterNode, f"{name}Segment")
            if chosen and chosen not in [segmentId for segmentId, _label in listed]:
                listed.append((chosen, _("{segment} (gone)").format(segment=chosen)))
            combo.clear()
            for segmentId, label in listed:
                combo.addItem(label, segmentId)
            combo.setCurrentIndex([segmentId for segmentId, _label in listed].index(chosen))
            combo.enabled = segmentation is not None

    def _segmentCombos(self):
        return {
            "brain": self.ui.brainSegmentCombo,
            "aif": self.ui.aifSegmentCombo,
            "whiteMatter": self.ui.whiteMatterSegmentCombo,
        }

    def _tell(self, message, isBad=False):
        self.ui.statusLabel.text = message
        self.ui.statusLabel.styleSheet = "color: #b00020" if isBad else ""

    def _reported(self, failure):
        return _Reported(self._tell, failure)


class _Reported:
    """Context manager that turns errors into one message on the panel; a fault of PyPeT also opens a dialog."""

    def __init__(self, tell, failure):
        self._tell, self._failure = tell, failure

    def __enter__(self):
        self._tell("")

    def __exit__(self, kind, error, trace):
        from PyPeTLib.errors import CancelledError, InputError
        from PyPeTSlicer.running import InputLostError
        from PyPeTSlicer.words import for_panel

        if error is None or not isinstance(error, Exception):
            return False
        if isinstance(error, InputLostError):
            self._tell(str(error), isBad=True)
        elif isinstance(error, CancelledError):
            self._tell(_("Cancelled. The scene is as it was."))
        elif isinstance(error, InputError):
            logging.warning("PyPeT: %s", error)
            self._tell(for_panel(str(error)), isBad=True)
        else:
            logging.exception("PyPeT", exc_info=error)
            message = _("{failure}: {error}. This is a fault of PyPeT; the scene is as it was.").format(
                failure=self._failure, error=error or type(error).__name__
            )
            self._tell(message, isBad=True)
            slicer.util.errorDisplay(message, detailedText="".join(traceback.format_exception(error)))
        return True


class PyPeTLogic(ScriptedLoadableModuleLogic):
    """What the module does, without a panel; works with no main window."""

    def getParameterNode(self):
        """The parameters of the scene."""
        return PyPeTParameterNode(super().getParameterNode())

    def eligibleSequences(self):
        """Sequences of scalar volumes in the scene."""
        return [
            node
            for node in slicer.util.getNodesByClass("vtkMRMLSequenceNode")
            if node.GetAttribute("DataNodeClassName") == "vtkMRMLScalarVolumeNode"
        ]

    def methods(self):
        """The deconvolution methods."""
        from PyPeTLib.deconvolution import METHODS

        return METHODS.entries()

    def loadFile(self, path):
        """Load a 4D NIfTI file as a sequence node."""
        from PyPeTSlicer.loading import load_file

        return load_file(path)

    def adopt(self, parameters):
        """Propose what the chosen sequence says of itself, and its last outputs; for the user to confirm."""
        from PyPeTLib.errors import InputError
        from PyPeTSlicer import sequences, timing
        from PyPeTSlicer.outputs import last_outputs

        sequence = parameters.inputSequence
        facts = timing.SequenceFacts.of(sequence) if sequence is not None else None
        kind, echo = None, None
        if facts is not None:
            try:
                frame = sequences.first_frame(sequence)
            except InputError:
                frame = None
            kind, _why = timing.modality(facts, frame)
            echo = timing.echo_time(facts)
        parameters.modality = SeriesKind(kind.value) if kind is not None else SeriesKind.UNKNOWN
        parameters.echoTime = min(1000 * echo, 200.0) if echo is not None else 0.0
        parameters.frameTimes = ""
        for name in ("brain", "aif", "whiteMatter"):
            # a segment drawn on another series has no place here
            setattr(parameters, f"{name}Segmentation", None)
            setattr(parameters, f"{name}Segment", "")
        last = last_outputs(sequence)
        for name in MAPS:
            setattr(parameters, f"{name}Volume", last.volumes.get(name))
        parameters.segmentation = last.segmentation

    def setDefaults(self, parameters):
        """Set all processing options to the defaults of the modality."""
        from PyPeTLib.config import PipelineConfig
        from PyPeTLib.series import Modality

        config = PipelineConfig.for_modality(Modality(parameters.modality.value or "ctp"))
        parameters.correctMotion = config.motion.correct
        parameters.smoothing = config.smoothing.sigma
        parameters.method = config.deconvolution.method
        parameters.advanced = ""

    def optionsOf(self, parameters):
        """Modality and advanced options."""
        from PyPeTLib.series import Modality

        return Modality(parameters.modality.value), json.loads(parameters.advanced or "{}")

    def times(self, parameters):
        """Frame times in seconds and where they came from; raises an `InputError` where they are unknown."""
        from PyPeTSlicer import timing

        return timing.frame_times(timing.SequenceFacts.of(parameters.inputSequence), parameters.frameTimes)

    def hasTimes(self, parameters):
        """Whether the frame times are known."""
        from PyPeTLib.errors import InputError

        try:
            return parameters.inputSequence is None or len(self.times(parameters)[0]) > 0
        except InputError:
            return False

    def describeTimes(self, parameters):
        """The frame times in words, or why they are unknown."""
        from PyPeTLib.errors import InputError
        from PyPeTSlicer.words import for_panel

        if parameters.inputSequence is None:
            return ""
        try:
            times, source = self.times(parameters)
        except InputError as error:
            return for_panel(str(error))
        steps = times[1:] - times[:-1]
        low, high = steps.min(), steps.max()
        apart = f"{low:.4g} s" if high - low < 0.02 * high else f"{low:.4g} to {high:.4g} s"
        return _("{count} frames, {apart} apart ({source})").format(count=len(times), apart=apart, source=source)

    def offeredInterval(self, sequence):
        """The repetition time in seconds where it may be the frame interval."""
        from PyPeTSlicer import timing

        return timing.offered_interval(timing.SequenceFacts.of(sequence)) if sequence is not None else None

    def missing(self, parameters):
        """What has to be done before a run, in one sentence; empty where nothing is missing."""
        from PyPeTLib.errors import InputError
        from PyPeTSlicer import sequences
        from PyPeTSlicer.words import for_panel

        if parameters.inputSequence is None:
            return _("Choose the sequence with the perfusion series, or load a 4D file.")
        try:
            sequences.check_frames(parameters.inputSequence)
            self.times(parameters)
        except InputError as error:
            return for_panel(str(error))
        isDsc = parameters.modality is SeriesKind.DSC
        if parameters.modality is SeriesKind.UNKNOWN:
            return _("Choose the modality: nothing in the series tells it.")
        if isDsc and parameters.echoTime <= 0:
            return _("Give the echo time: DSC needs it, and nothing in the series tells it.")
        if isDsc and bool(self._segment(parameters, "whiteMatter")) != (parameters.whiteMatterCBF > 0):
            return _("Give both the normal white matter and the flow there, or neither.")
        return self._lostSegment(parameters)

    @staticmethod
    def _lostSegment(parameters):
        """A chosen segment that is no longer there, in words; empty where there is none."""
        labels = {"brain": _("Brain mask"), "aif": _("Artery (AIF)"), "whiteMatter": _("Normal white matter")}
        for name, label in labels.items():
            segmentation, segment = getattr(parameters, f"{name}Segmentation"), getattr(parameters, f"{name}Segment")
            if segment and (segmentation is None or segmentation.GetSegmentation().GetSegment(segment) is None):
                return _("{label}: the segment {segment} is gone. Choose another one.").format(
                    label=label, segment=segment
                )
        return ""

    def request(self, parameters):
        """The run that the parameters ask for."""
        from PyPeTSlicer.outputs import OutputNodes
        from PyPeTSlicer.running import RunRequest

        modality, changes = self.optionsOf(parameters)
        isDsc = parameters.modality is SeriesKind.DSC
        panel = {
            "motion": {"correct": parameters.correctMotion},
            "smoothing": {"sigma": parameters.smoothing},
            "deconvolution": {"method": parameters.method},
            "quantification": {
                "relative": parameters.relative,
                "white_matter_cbf": parameters.whiteMatterCBF if isDsc else 0.0,
            },
        }
        for group, values in panel.items():
            changes[group] = {**changes.get(group, {}), **values}
        volumes = {name: getattr(parameters, f"{name}Volume") for name in MAPS}
        return RunRequest(
            sequence=parameters.inputSequence,
            modality=modality,
            frame_times=parameters.frameTimes,
            echo_time=parameters.echoTime / 1000 if isDsc and parameters.echoTime > 0 else None,
            brain=self._segment(parameters, "brain"),
            artery=self._segment(parameters, "aif"),
            white_matter=self._segment(parameters, "whiteMatter") if isDsc else None,
            changes=changes,
            use_edits=parameters.useEdits,
            outputs=OutputNodes(volumes=volumes, segmentation=parameters.segmentation),
        )

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
        from PyPeTLib.errors import InputError
        from PyPeTSlicer.running import run

        missing = self.missing(parameters)
        if missing:
            raise InputError(missing)
        outputs = run(self.request(parameters), progress, cancelled)
        for name in MAPS:
            setattr(parameters, f"{name}Volume", outputs.volumes[name])
        parameters.segmentation = outputs.segmentation
        return outputs

    def proxyOf(self, outputs):
        """The volume that shows the series which outputs were made from."""
        from PyPeTSlicer import nodes, sequences

        sequence = outputs.segmentation.GetNodeReference(nodes.INPUT)
        return sequences.proxy_of(sequence) if sequence is not None else None

    @staticmethod
    def _segment(parameters, name):
        from PyPeTSlicer.segments import SegmentChoice

        segmentation, segment = getattr(parameters, f"{name}Segmentation"), getattr(parameters, f"{name}Segment")
        return SegmentChoice(segmentation=segmentation, segment_id=segment) if segmentation and segment else None


class PyPeTTest(ScriptedLoadableModuleTest):
    """Tests that run in the application: "Reload and Test", or ctest; on a phantom made in code."""

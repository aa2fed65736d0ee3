"""The headless host itself: is it as strict as Slicer, and does it tell when something goes wrong?

All of it must hold with the host's own stand-ins and, with PYPET_SLICER_PYTHON set, with Slicer's real Python files.
"""

import gc
import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
import slicer
import vtk

from host import Host
from host.ui_loader import UiError

EXAMPLE = Path(sys.modules["host"].__file__).parent / "example" / "HostExample.py"
UI_FILE = EXAMPLE.parent / "Resources" / "UI" / "HostExample.ui"


@pytest.fixture(autouse=True)
def _clean_host(host):
    host.reset()
    yield
    host.reset()


def add_volume(name="volume", shape=(10, 20, 30)):
    return slicer.util.addVolumeFromArray(np.zeros(shape, np.float32), name=name)


def add_node(kind, name):
    return slicer.mrmlScene.AddNewNodeByClass(kind, name)


# ---- starting


def test_the_host_runs_once_in_a_process_and_fills_the_slicer_namespace(host):
    assert Host.start() is host
    assert slicer.mrmlScene is host.scene
    assert slicer.app is host.app
    assert slicer.app.layoutManager() is None
    assert slicer.util.mainWindow() is None
    assert slicer.modules.volumes.logic().GetClassName() == "vtkSlicerVolumesLogic"
    assert host.version.split(".")[:2] == [str(slicer.app.majorVersion), str(slicer.app.minorVersion)]
    with pytest.raises(RuntimeError, match="other Python files"):
        Host.start("/somewhere/else")


def test_stand_ins_give_way_to_slicers_own_python_files(host):
    names = ("slicer.ScriptedLoadableModule", "slicer.parameterNodeWrapper", "slicer.i18n")
    real = [hasattr(importlib.import_module(name), "__file__") for name in names]
    assert real == [host.slicer_python is not None] * 3


# ---- PythonQt


def test_properties_are_attributes(qt):
    button = qt.QPushButton("Run")
    assert (button.text, button.enabled, button.name) == ("Run", True, "")
    button.text, button.enabled, button.name = "Stop", False, "stopButton"
    assert (button.text, button.enabled, button.objectName) == ("Stop", False, "stopButton")
    box = qt.QComboBox()
    box.addItems(["a", "b"])
    box.currentIndex = 1
    assert (box.count, box.currentText, box.className()) == (2, "b", "QComboBox")
    with pytest.raises(TypeError, match="cannot set"):
        qt.QSpinBox().value = "many"


@pytest.mark.parametrize("class_name", ["QPushButton", "QLabel", "QTimer", "QVBoxLayout", "QAction"])
def test_unknown_attributes_are_refused(qt, class_name):
    thing = getattr(qt, class_name)()
    with pytest.raises(AttributeError):
        thing.txet  # noqa: B018 (reading is the test)
    with pytest.raises(AttributeError, match="txet"):
        thing.txet = "typing error"


@pytest.mark.parametrize("class_name", ["qMRMLNodeComboBox", "qMRMLWidget", "qSlicerScriptedLoadableModuleWidget"])
def test_unknown_attributes_of_stand_ins_are_refused(host, class_name):
    with pytest.raises(AttributeError, match="txet"):
        getattr(slicer, class_name)().txet = "typing error"
    with pytest.raises(AttributeError):
        slicer.app.txet = "typing error"


def test_python_classes_may_have_attributes_of_their_own(qt):
    class Panel(qt.QWidget):
        pass

    panel = Panel()
    panel.results = [1]
    assert panel.results == [1]


def test_dynamic_properties_are_attributes_once_they_are_set(qt):
    label = qt.QLabel()
    label.setProperty("state", "new")
    label.state = "old"
    assert (label.state, label.property("state")) == ("old", "old")


def test_connecting_by_signature(qt):
    calls = []
    box = qt.QCheckBox()
    box.connect("toggled(bool)", calls.append)
    box.connect("clicked()", lambda: calls.append("clicked"))
    box.click()
    assert calls == [True, "clicked"]
    assert box.disconnect("toggled(bool)", calls.append)
    assert not box.disconnect("toggled(bool)", calls.append)
    box.click()
    assert calls == [True, "clicked", "clicked"]
    label = qt.QLabel()
    box.connect("toggled(bool)", label, "setEnabled(bool)")
    box.checked = True
    box.checked = False
    assert not label.enabled


@pytest.mark.parametrize("signature", ["cliked(bool)", "clicked(int)", "clicked", "text()"])
def test_wrong_signals_are_refused(qt, signature):
    with pytest.raises(AttributeError, match="no signal"):
        qt.QPushButton().connect(signature, print)
    with pytest.raises(AttributeError, match="no signal"):
        slicer.app.connect("startupComplete()", print)


def test_signals_that_carry_nodes_have_their_own_signatures(host):
    calls = []
    selector = slicer.qMRMLNodeComboBox()
    selector.connect("currentNodeChanged(vtkMRMLNode*)", calls.append)
    selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    selector.setMRMLScene(host.scene)
    volume = add_volume()
    selector.setCurrentNode(volume)
    assert calls == [volume]
    with pytest.raises(AttributeError, match="no signal"):
        selector.connect("currentNodeChanged(vtkMRMLVolumeNode*)", calls.append)


# ---- .ui files


def test_load_ui_and_child_widget_variables(host):
    form = slicer.util.loadUI(str(UI_FILE))
    ui = slicer.util.childWidgetVariables(form)
    assert (form.name, ui.applyButton.text, ui.applyButton.enabled) == ("HostExample", "Apply", False)
    assert ui.thresholdSlider.singleStep == 0.5
    assert ui.inputSelector.property("SlicerParameterName") == "inputVolume"
    assert type(ui.inputSelector) is slicer.qMRMLNodeComboBox
    assert ui.inputSelector.mrmlScene() is None
    form.setMRMLScene(host.scene)  # handed on by the connections of the file
    assert ui.inputSelector.mrmlScene() is host.scene
    form.setMRMLScene(None)


def edited_ui(tmp_path, old, new):
    text = UI_FILE.read_text()
    assert old in text
    path = tmp_path / "edited.ui"
    path.write_text(text.replace(old, new, 1))
    return str(path)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('class="QSpinBox"', 'class="QSpinBocks"', "QSpinBocks"),
        ('class="ctkSliderWidget"', 'class="ctkSlider"', "ctkSlider"),
        ('name="singleStep"', 'name="singelStep"', "singelStep"),
        ('name="nodeTypes"', 'name="nodeType"', "nodeType"),
        ('name="SlicerParameterName"', 'name="SlicerParameter"', "SlicerParameter"),
        ("Qt::Vertical", "Qt::Upright", "Upright"),
        ("<sender>HostExample<", "<sender>Panel<", "Panel"),
        ("<signal>mrmlSceneChanged(vtkMRMLScene*)", "<signal>sceneChanged(vtkMRMLScene*)", "sceneChanged"),
        ("<slot>setMRMLScene(vtkMRMLScene*)", "<slot>setScene(vtkMRMLScene*)", "setScene"),
    ],
)
def test_mistakes_in_ui_files_are_refused(host, tmp_path, old, new, reason):
    with pytest.raises(UiError, match=reason):
        slicer.util.loadUI(edited_ui(tmp_path, old, new))


def test_collapsed_contents_are_hidden_and_come_back(qt):
    ctk = sys.modules["ctk"]
    button = ctk.ctkCollapsibleButton()
    layout = qt.QVBoxLayout(button)
    shown, hidden = qt.QLabel("a"), qt.QLabel("b")
    layout.addWidget(shown)
    layout.addWidget(hidden)
    hidden.visible = False
    button.collapsed = True
    assert shown.isHidden()
    button.collapsed = False
    assert not shown.isHidden()
    assert hidden.isHidden()


# ---- exceptions


def test_an_exception_in_a_slot_is_collected(host, qt):
    button = qt.QPushButton()
    button.connect("clicked()", lambda: 1 / 0)
    button.clicked.connect(lambda: {}[0])
    button.click()
    assert {error.kind for error in host.exceptions} == {ZeroDivisionError, KeyError}
    with pytest.raises(AssertionError, match="division by zero"):
        host.assert_no_exceptions()
    host.assert_no_exceptions()


def test_an_exception_in_an_observer_is_collected_and_keeps_nothing_alive(host):
    class Thing:
        alive = True

        def __del__(self):
            Thing.alive = False

    def observer(_caller, _event):
        thing = Thing()
        raise ValueError("not today", id(thing))

    node = add_volume()
    node.AddObserver(vtk.vtkCommand.ModifiedEvent, observer)
    node.Modified()
    assert "not today" in host.exceptions[0].message
    assert "in observer" in str(host.exceptions[0])
    gc.collect()
    assert not Thing.alive


# ---- dialogs


def test_displays_are_recorded_and_questions_answered(host, qt):
    slicer.util.errorDisplay("broken", windowTitle="Oh")
    slicer.util.infoDisplay("fine")
    host.answers.append(False)
    assert not slicer.util.confirmYesNoDisplay("sure?")
    assert slicer.util.confirmOkCancelDisplay("really?")
    assert slicer.util.messageBox("note") == qt.QMessageBox.Ok
    assert qt.QMessageBox.question(None, "t", "q", qt.QMessageBox.Yes | qt.QMessageBox.No) == qt.QMessageBox.Yes
    box = qt.QMessageBox()
    box.text = "modal"
    assert box.exec_() == qt.QMessageBox.Ok
    host.answers.default = False
    assert qt.QDialog().exec() == qt.QDialog.Rejected
    kinds = ["error", "info", "question", "question", "box", "question", "box", "box"]
    assert [message.kind for message in host.messages] == kinds
    assert (host.messages[0].text, host.messages[0].title) == ("broken", "Oh")


def test_file_dialogs_are_answered(host, qt):
    assert qt.QFileDialog.getOpenFileName(None, "Load", "", "*.nii") == ""
    host.file_answers.extend([Path("/data/a.nii"), ["/b", "/c"], "/out"])
    assert qt.QFileDialog.getOpenFileName(None, "Load") == "/data/a.nii"
    assert qt.QFileDialog.getOpenFileNames(None, "Load") == ["/b", "/c"]
    assert qt.QFileDialog.getExistingDirectory(None, "Save") == "/out"
    assert qt.QInputDialog.getText(None, "Name", "New name:") == ""
    host.input_answers.append("brain")
    assert qt.QInputDialog.getText(None, "Name", "New name:") == "brain"


def test_an_error_shown_to_the_user_is_recorded_and_raised_on(host):
    with pytest.raises(RuntimeError, match="inner"), slicer.util.tryWithErrorDisplay("outer"):
        raise RuntimeError("inner")
    assert "outer" in host.messages[0].text
    assert "inner" in host.messages[0].text


def test_settings_belong_to_this_run(host, qt):
    qt.QSettings().setValue("Some/Key", "value")
    assert slicer.app.userSettings().value("Some/Key") == "value"
    assert qt.QSettings().fileName().startswith(host.temporary_path)


# ---- the node selector


@pytest.fixture
def selector(host):
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    selector.noneEnabled = True
    selector.setMRMLScene(host.scene)
    yield selector
    selector.setMRMLScene(None)


def test_the_selector_filters_by_type_and_attribute(selector):
    volume = add_volume()
    add_node("vtkMRMLSegmentationNode", "segmentation")
    labelmap = add_node("vtkMRMLLabelMapVolumeNode", "labels")
    assert selector.nodes() == [volume, labelmap]
    selector.showChildNodeTypes = False
    assert selector.nodes() == [volume]
    selector.addAttribute("vtkMRMLScalarVolumeNode", "Kind", "map")
    assert selector.nodes() == []
    volume.SetAttribute("Kind", "map")
    assert selector.nodes() == [volume]
    volume.SetHideFromEditors(True)
    volume.Modified()
    assert selector.nodes() == []


def test_the_selector_accepts_any_value_and_one_attribute_per_type(selector):
    volume = add_volume()
    selector.addAttribute("vtkMRMLScalarVolumeNode", "First")
    volume.SetAttribute("First", "anything")
    assert selector.nodeCount() == 1
    selector.addAttribute("vtkMRMLScalarVolumeNode", "Second")
    assert selector.nodeCount() == 0


def test_the_selector_follows_removal_renaming_and_scene_close(host, selector):
    first, second = add_volume("first"), add_volume("second")
    selector.setCurrentNode(first)
    first.SetName("renamed")
    assert selector.comboBox().currentText == "renamed"
    host.scene.RemoveNode(first)
    assert selector.currentNode() is second
    seen = []
    selector.currentNodeChanged.connect(seen.append)
    host.clear_scene()
    assert (selector.currentNode(), selector.currentNodeID, seen) == (None, "", [None])


def test_the_selector_is_disabled_without_a_scene_but_remembers(host, qt):
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    first, second = add_volume("first"), add_volume("second")
    selector.setCurrentNode(second)
    assert (selector.enabled, selector.currentNode()) == (False, None)
    selector.setMRMLScene(host.scene)
    assert (selector.enabled, selector.currentNode()) == (True, second)
    selector.setMRMLScene(None)
    other = slicer.qMRMLNodeComboBox()
    other.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    other.setMRMLScene(host.scene)
    assert other.currentNode() is first
    other.setMRMLScene(None)


def test_the_selector_creates_nodes_as_a_user_does(qt, selector):
    added = []
    selector.nodeAddedByUser.connect(added.append)
    selector.baseName = "Result"
    selector.addAttribute("vtkMRMLScalarVolumeNode", "Kind", "map")
    box = selector.comboBox()
    box.activated.emit(box.findText("Create new", qt.Qt.MatchStartsWith))
    assert selector.currentNode().GetName().startswith("Result")
    assert added == [selector.currentNode()]

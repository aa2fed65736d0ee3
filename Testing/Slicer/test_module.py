"""The module as Slicer sees it: its description, its own tests, sample data, reload."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import slicer
from PySide6 import QtCore, QtTest

from host import sample_data

ROOT = Path(__file__).parents[2]


def test_description(module):
    parent = slicer.modules.pypet
    assert parent.title == "PyPeT brain perfusion"
    assert parent.categories == ["Quantification"]
    assert "Research use only" in parent.helpText


@pytest.mark.parametrize("name", ["PyPeT CTP phantom", "PyPeT DSC phantom"])
def test_sample_data_need_one_click_and_then_run(host, panel, name):
    host.startup_completed()
    sample_data.click(name)
    panel.enter()
    node = panel._parameterNode.inputSequence
    assert node.GetName() == name
    assert node.GetNumberOfDataNodes() in (45, 60)
    assert panel.ui.runButton.enabled, panel.ui.runButton.toolTip


def own_tests(module):
    return [name for name in dir(module.PyPeTTest) if name.startswith("test_")]


def test_the_modules_own_tests_pass_one_by_one(host, module):
    host.testing_enabled = True
    loader_names = own_tests(module)
    assert len(loader_names) >= 7
    # without views, those of the review are skipped
    host.open_views()
    for name in loader_names:
        case = module.PyPeTTest(name)
        result = case.run()
        assert result.wasSuccessful(), result.errors + result.failures
        # a main window is more than the views that the host opens
        assert not result.skipped or name == "test_the_panel_runs_by_its_button"
    host.close_views()


def test_reload_and_test_calls_them_all(host, module, monkeypatch):
    called = []
    for name in own_tests(module):
        monkeypatch.setattr(module.PyPeTTest, name, lambda self, name=name: called.append(name))
    slicer.selfTests["PyPeT"]()
    assert called == own_tests(module)


RELOAD = """
import sys
sys.path.insert(0, {testing!r})
from host import Host
host = Host.start()
module = host.load_module({path!r})
panel = host.open_widget(module)
import PyPeTLib.quantification as library, PyPeTSlicer.nodes as room
panel.onReload()
import PyPeTLib.quantification as again, PyPeTSlicer.nodes as room_again
assert again is not library and room_again is not room, "the library was not reloaded"
panel = sys.modules["slicer"].modules.PyPeTWidget
panel.enter()
assert not panel.ui.runButton.enabled
host.assert_no_exceptions()
print("reloaded")
"""


def test_reload_reloads_the_library_too():
    program = RELOAD.format(testing=str(ROOT / "Testing"), path=str(ROOT / "PyPeT" / "PyPeT.py"))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "reloaded" in done.stdout, done.stderr[-3000:]


def test_nothing_heavy_is_imported_when_the_application_starts():
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'Testing')!r})\n"
        "from host import Host\n"
        f"Host.start().load_module({str(ROOT / 'PyPeT' / 'PyPeT.py')!r})\n"
        "heavy = ('scipy', 'SimpleITK', 'PyPeTSlicer.nodes', 'PyPeTLib.pipeline')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip().endswith("[]"), done.stdout + done.stderr[-2000:]


def test_the_panel_lists_what_the_registry_holds(panel):
    from PyPeTLib.deconvolution import METHODS  # noqa: PLC0415 - after a reload it is another object

    combo = panel.ui.methodCombo
    assert [combo.itemText(i) for i in range(combo.count)] == list(METHODS)
    combo.setCurrentIndex(combo.findText("bsvd"))
    assert panel._parameterNode.method == "bsvd"
    assert panel.ui.methodLabel.text == METHODS.entry("bsvd").summary


def test_every_option_is_on_the_panel_or_in_the_form(panel):
    from PyPeTLib.config import PipelineConfig  # noqa: PLC0415
    from PyPeTLib.series import Modality  # noqa: PLC0415

    form = importlib.import_module("PyPeTSlicer.option_form")
    every = {
        (table, name)
        for table, options in PipelineConfig.for_modality(Modality.CTP).to_mapping().items()
        for name in options
    }
    assert set(panel.form._fields) | form.ON_THE_PANEL == every
    assert not set(panel.form._fields) & form.ON_THE_PANEL


def test_a_preset_of_thresholds_shows_its_values_on_the_form(panel, sequence):
    parameters = panel._parameterNode
    parameters.inputSequence = sequence("ctp")
    preset, late = (panel.form.field("lesions", name) for name in ("preset", "hypoperfusion_map"))
    assert (preset.currentText, late.currentText) == ("rapid", "tmax")
    preset.setCurrentIndex(preset.findText("mistar"))
    assert late.currentText == "delay"
    assert json.loads(parameters.advanced) == {"lesions": {"preset": "mistar"}}
    # a value that is the default elsewhere is none here
    late.setCurrentIndex(late.findText("tmax"))
    assert json.loads(parameters.advanced) == {"lesions": {"preset": "mistar", "hypoperfusion_map": "tmax"}}
    late.setCurrentIndex(late.findText("delay"))
    preset.setCurrentIndex(preset.findText("rapid"))
    assert parameters.advanced == ""
    assert late.currentText == "tmax"


def test_advanced_options_are_kept_and_used(panel, sequence):
    parameters = panel._parameterNode
    parameters.inputSequence = sequence("ctp")
    default = panel.form.field("deconvolution", "oscillation_index").value
    panel.form.field("deconvolution", "oscillation_index").setValue(0.02)
    request = importlib.import_module("PyPeTSlicer.parameters").request
    assert '"oscillation_index": 0.02' in parameters.advanced
    assert request(parameters).changes["deconvolution"]["oscillation_index"] == 0.02
    panel.ui.defaultsButton.click()
    assert parameters.advanced == ""
    assert panel.form.field("deconvolution", "oscillation_index").value == pytest.approx(default)
    assert default != pytest.approx(0.02)


def test_the_repetition_time_is_taken_by_a_click(panel, sequence):
    node = sequence("dsc")
    node.SetIndexUnit("")
    node.SetAttribute("MultiVolume.DICOM.RepetitionTime", "1500")
    panel._parameterNode.inputSequence = node
    assert not panel.ui.runButton.enabled
    assert panel.ui.offerButton.text == "Use the repetition time, 1.5 s"
    panel.ui.offerButton.click()
    assert panel._parameterNode.frameTimes == "1.5"
    assert panel.ui.runButton.enabled


@pytest.mark.parametrize(
    ("field", "typed", "value"),
    [
        (lambda panel: panel.ui.echoTimeSpin, "30.5", 30.5),
        (lambda panel: panel.ui.smoothingSpin, "1.25", 1.25),
        (lambda panel: panel.form.field("deconvolution", "oscillation_index"), "0.025", 0.025),
    ],
    ids=["echo time", "smoothing", "an advanced option"],
)
def test_numbers_can_be_typed(host, panel, sequence, field, typed, value):
    panel._parameterNode.inputSequence = sequence("dsc")
    panel.parent.show()
    spin = field(panel)
    spin.setFocus()
    spin.selectAll()
    for character in typed:
        QtTest.QTest.keyClick(spin, character)
    QtTest.QTest.keyClick(spin, QtCore.Qt.Key.Key_Return)
    assert spin.value == pytest.approx(value)
    panel.parent.hide()


def test_frame_times_can_be_typed(host, panel, sequence):
    panel._parameterNode.inputSequence = sequence("dsc")
    panel.parent.show()
    edit = panel.ui.frameTimesEdit
    edit.setFocus()
    for character in "1.25":
        QtTest.QTest.keyClick(edit, character)
    QtTest.QTest.keyClick(edit, QtCore.Qt.Key.Key_Return)
    assert panel._parameterNode.frameTimes == "1.25"
    assert "1.25 s apart" in panel.ui.timingLabel.text
    panel.parent.hide()

"""Modules in the headless host: their panels and parameter nodes, the scene, pictures of it.

All of it must hold with the host's own stand-ins and, with PYPET_SLICER_PYTHON set, with Slicer's real Python files.
"""

import gc
import importlib
import pathlib
import sys
import typing
from pathlib import Path

import numpy as np
import pytest
import slicer
import vtk

from host import sample_data
from host.plot_view import plot_picture
from host.views import SliceView, write_png

EXAMPLE = Path(sys.modules["host"].__file__).parent / "example" / "HostExample.py"


@pytest.fixture(autouse=True)
def _clean_host(host):
    host.reset()
    yield
    host.reset()


@pytest.fixture
def wrapper(host):
    return importlib.import_module("slicer.parameterNodeWrapper")


@pytest.fixture
def example(host):
    if not hasattr(slicer.modules, "hostexample"):
        host.load_module(EXAMPLE)
        host.startup_completed()
    return sys.modules["HostExample"]


@pytest.fixture
def widget(host, example):
    widget = host.open_widget(example)
    yield widget
    host.close_widget(widget)


def add_volume(name="volume", shape=(10, 20, 30)):
    return slicer.util.addVolumeFromArray(np.zeros(shape, np.float32), name=name)


def add_node(kind, name):
    return slicer.mrmlScene.AddNewNodeByClass(kind, name)


# ---- the parameter node


WIDGET_VALUES = {
    "enabled": ("enabledCheckBox", "checked", False),
    "toggled": ("toggleButton", "checked", True),
    "method": ("methodComboBox", "currentText", "FAST"),
    "kernel": ("kernelComboBox", "currentText", "box"),
    "label": ("labelLineEdit", "text", "other"),
    "count": ("countSpinBox", "value", 7),
    "spacing": ("spacingSpinBox", "value", 0.25),
    "threshold": ("thresholdSlider", "value", 33.5),
    "folder": ("folderLineEdit", "currentPath", "/data"),
    "notes": ("notesTextEdit", "plainText", "a note"),
}


def plain(value):
    """A parameter's value as its widget shows it."""
    return getattr(value, "name", value) if not isinstance(value, pathlib.Path) else str(value)


def test_defaults_reach_the_widgets(widget, example):
    assert widget._parameterNode.method is example.Method.EXACT
    ui = widget.ui
    assert (ui.methodComboBox.currentText, ui.methodComboBox.count) == ("EXACT", 2)
    assert (ui.kernelComboBox.currentText, ui.countSpinBox.value, ui.spacingSpinBox.value) == ("gauss", 3, 1.5)
    assert (ui.thresholdSlider.value, ui.thresholdSlider.maximum, ui.countSpinBox.minimum) == (12.5, 50, 1)
    assert (ui.enabledCheckBox.checked, ui.toggleButton.checked, ui.labelLineEdit.text) == (True, False, "start")


@pytest.mark.parametrize("name", WIDGET_VALUES)
def test_each_kind_of_widget_is_bound_both_ways(host, widget, name):
    widget_name, attribute, value = WIDGET_VALUES[name]
    part, node = getattr(widget.ui, widget_name), widget._parameterNode
    before = getattr(node, name)
    setattr(part, attribute, value)
    assert plain(getattr(node, name)) == value
    setattr(node, name, before)
    assert getattr(part, attribute) == plain(before)
    host.assert_no_exceptions()


def test_node_selectors_are_bound_both_ways(host, widget):
    first, second = add_volume("first"), add_volume("second")
    widget.ui.inputSelector.setCurrentNode(second)
    assert widget._parameterNode.inputVolume is second
    assert widget.ui.applyButton.enabled
    widget._parameterNode.inputVolume = first
    assert widget.ui.inputSelector.currentNode() is first
    for volume in (first, second):
        host.scene.RemoveNode(volume)
    assert widget._parameterNode.inputVolume is None
    assert not widget.ui.applyButton.enabled
    host.assert_no_exceptions()


def test_wrong_values_are_refused(widget):
    node = widget._parameterNode
    with pytest.raises(ValueError, match="10"):
        node.count = 10
    with pytest.raises(ValueError, match="sinc"):
        node.kernel = "sinc"
    with pytest.raises(TypeError):
        node.label = 3
    with pytest.raises(TypeError):
        node.inputVolume = add_node("vtkMRMLTableNode", "table")
    with pytest.raises(ValueError, match="None"):
        node.spacing = None
    assert (node.count, node.kernel, node.label, node.inputVolume, node.spacing) == (3, "gauss", "start", None, 1.5)


def test_values_are_written_as_slicer_writes_them(widget):
    node = widget._parameterNode
    node.inputVolume = add_volume()
    raw = node.parameterNode
    names = ("enabled", "method", "kernel", "count", "threshold", "inputVolume", "segmentation")
    assert [raw.GetParameter(name) for name in names] == ["True", "EXACT", "gauss", "3", "12.5", "", ""]
    assert raw.GetNodeReferenceID("inputVolume") == node.inputVolume.GetID()
    assert raw.HasParameter("segmentation")


def test_optional_values_and_unions_of_nodes(wrapper):
    @wrapper.parameterNodeWrapper
    class Node:
        limit: typing.Optional[int]  # noqa: UP045 (Slicer 5.6 does not know the bar)
        mask: typing.Union[slicer.vtkMRMLSegmentationNode, slicer.vtkMRMLTableNode, None]  # noqa: UP007

    node = Node(add_node("vtkMRMLScriptedModuleNode", "node"))
    assert node.limit is None
    node.limit = 4
    assert (node.limit, node.parameterNode.GetParameter("limit.0")) == (4, "4")
    node.limit = None
    assert node.limit is None
    assert not node.parameterNode.HasParameter("limit.0")
    table = node.mask = add_node("vtkMRMLTableNode", "table")
    assert node.mask is table
    assert node.parameterNode.GetNodeReferenceID("mask.1") == table.GetID()
    with pytest.raises(TypeError):
        node.mask = add_volume()


@pytest.mark.parametrize(
    ("kind", "widget_class"),
    [(str, "QComboBox"), (float, "ctkSliderWidget"), (int, "QSlider"), (float, "QSpinBox"), (bool, "QLineEdit")],
)
def test_widgets_that_cannot_show_a_type_are_refused(wrapper, kind, widget_class):
    part = getattr(sys.modules["ctk" if widget_class.startswith("ctk") else "qt"], widget_class)()
    wrapped = wrapper.parameterNodeWrapper(type("Node", (), {"__annotations__": {"value": kind}}))
    node = wrapped(add_node("vtkMRMLScriptedModuleNode", "node"))
    with pytest.raises(RuntimeError):
        node.connectParametersToGui({"value": part})


def test_disconnected_widgets_change_nothing(host, qt, wrapper):
    @wrapper.parameterNodeWrapper
    class Node:
        count: typing.Annotated[int, wrapper.WithinRange(0, 9)]

    raw = add_node("vtkMRMLScriptedModuleNode", "node")
    node, box = Node(raw), qt.QSpinBox()
    tag = node.connectParametersToGui({"count": box})
    box.value = 5
    node.disconnectGui(tag)
    box.value = 7
    assert node.count == 5
    host.connect_gui_returns_tag = False
    if host.slicer_python is None:
        assert node.connectGui(type("Ui", (), {})()) is None


# ---- modules


def test_the_life_of_a_panel_leaves_nothing_behind(host, example):
    observers = [host.observer_count(obj) for obj in (host.scene, slicer.app.applicationLogic())]
    for _ in range(3):
        widget = host.open_widget(example)
        assert slicer.modules.HostExampleWidget is widget
        assert slicer.util.getModuleWidget("HostExample") is widget
        host.leave(widget)
        assert widget._parameterNode is None
        host.clear_scene()
        assert widget._parameterNode is None
        host.reenter(widget)
        assert widget._parameterNode is not None
        host.clear_scene()
        assert widget._parameterNode is not None
        host.close_widget(widget)
        del widget
    gc.collect()
    assert [host.observer_count(obj) for obj in (host.scene, slicer.app.applicationLogic())] == observers
    host.assert_no_exceptions()


def test_a_click_on_apply(host, widget):
    volume = add_volume()
    widget.ui.inputSelector.setCurrentNode(volume)
    host.answers.append(False)
    widget.ui.applyButton.click()
    assert volume.GetAttribute("HostExample.Done") is None
    widget.ui.applyButton.click()
    assert volume.GetAttribute("HostExample.Done") == "yes"
    assert [message.text for message in host.messages] == ["Really?", "Really?"]
    volume.SetName("broken")
    widget.ui.applyButton.click()
    assert host.exceptions[0].kind is RuntimeError
    assert "The example failed." in host.messages[-1].text


def test_reloading_and_the_self_test(host, widget):
    widget.onReload()
    reloaded = slicer.modules.HostExampleWidget
    assert reloaded is not widget
    assert type(reloaded) is not type(widget)
    slicer.selfTests["HostExample"](msec=0)
    assert slicer.util.getNode("HostExampleCube")
    host.assert_no_exceptions()


def test_sample_data_are_made_by_their_downloader(example):
    data = importlib.import_module("SampleData").SampleDataLogic
    (source,) = data.sampleDataSourcesByCategory("HostExample")
    assert source.customDownloader.__name__ == example.make_cube.__name__
    (volume,) = sample_data.click("HostExampleCube")
    assert volume.GetName() == "HostExampleCube"
    with pytest.raises(KeyError, match="no sample data"):
        sample_data.click("Unknown")
    with pytest.raises(TypeError):  # Slicer 5.6 takes the length of the URIs before it looks at the downloader
        data.registerCustomSampleDataSource(sampleName="x", customDownloader=print)


# ---- the scene


def cube_scene():
    """A volume with a bright cube, the cube as a segment."""
    array = np.zeros((20, 40, 40), np.float32)
    array[8:12, 10:20, 5:15] = 100
    volume = slicer.util.addVolumeFromArray(array, name="cube")
    volume.CreateDefaultDisplayNodes()
    volume.GetDisplayNode().AutoWindowLevelOff()
    volume.GetDisplayNode().SetWindowLevel(200, 100)
    segmentation = add_node("vtkMRMLSegmentationNode", "segmentation")
    segmentation.CreateDefaultDisplayNodes()
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segment = segmentation.GetSegmentation().AddEmptySegment("Cube", "Cube", (1, 0, 0))
    mask = (array > 50).astype(np.uint8)
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, segmentation, segment, volume)
    return array, volume, segmentation


def test_a_scene_survives_saving_and_loading(host, widget, tmp_path):
    array, volume, segmentation = cube_scene()
    widget._parameterNode.inputVolume = volume
    widget._parameterNode.segmentation = segmentation
    widget._parameterNode.threshold = 7.5
    host.save_scene(tmp_path / "scene.mrb")
    host.clear_scene()
    assert not slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    assert widget._parameterNode.threshold == 12.5
    host.load_scene(tmp_path / "scene.mrb")
    widget.initializeParameterNode()
    node = widget._parameterNode
    assert (node.threshold, node.segmentation.GetName()) == (7.5, "segmentation")
    assert np.array_equal(slicer.util.arrayFromVolume(node.inputVolume), array)
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(node.segmentation, "Cube", node.inputVolume)
    assert mask.sum() == 400
    host.assert_no_exceptions()


def test_observers_are_counted(host):
    volume = add_volume()
    before = host.observer_count(volume)
    tags = [volume.AddObserver(event, lambda *_: None) for event in ("ModifiedEvent", "AnyEvent")]
    assert host.observer_count(volume) == before + 2
    volume.RemoveObserver(tags[0])
    assert host.observer_count(volume) == before + 1
    assert host.observer_count(vtk.vtkObject()) == 0


def test_files_are_saved_and_loaded(host, tmp_path):
    array, volume, segmentation = cube_scene()
    for node, name in ((volume, "v.nii.gz"), (segmentation, "s.seg.nrrd")):
        assert slicer.util.saveNode(node, str(tmp_path / name), {})
    loaded = slicer.util.loadVolume(tmp_path / "v.nii.gz", {})
    assert np.array_equal(np.sort(slicer.util.arrayFromVolume(loaded), axis=None), np.sort(array, axis=None))
    assert slicer.util.loadSegmentation(tmp_path / "s.seg.nrrd", {}).GetSegmentation().GetNumberOfSegments() == 1
    with pytest.raises(RuntimeError, match="file not found"):
        slicer.util.loadVolume(tmp_path / "none.nrrd", {})


# ---- pictures


def test_a_slice_view_shows_a_bright_square_with_an_outline(host, tmp_path):
    array, volume, segmentation = cube_scene()
    segmentation.GetDisplayNode().SetVisibility2DFill(False)
    segmentation.GetDisplayNode().SetSliceIntersectionThickness(3)
    view = SliceView(host, "Red", size=(300, 300))
    view.show(volume, offset=10)
    picture = view.picture().astype(int)
    ijk_to_ras = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(ijk_to_ras)
    row, column = view.pixel_of(ijk_to_ras.MultiplyPoint((9.5, 14.5, 10, 1))[:3])
    assert picture[row, column].tolist() == pytest.approx([127, 127, 127], abs=3)
    far_row, far_column = view.pixel_of(ijk_to_ras.MultiplyPoint((30, 30, 10, 1))[:3])
    assert picture[far_row, far_column].tolist() == [0, 0, 0]
    red = (picture[:, :, 0] > 200) & (picture[:, :, 1] < 100)
    rows, columns = np.nonzero(red)
    pixels_per_voxel = 300 / array.shape[1]
    assert (rows.min() + rows.max()) / 2 == pytest.approx(row, abs=3)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(column, abs=3)
    assert np.ptp(rows) == pytest.approx(10 * pixels_per_voxel, abs=6)
    write_png(tmp_path / "view.png", view.picture())
    assert (tmp_path / "view.png").stat().st_size > 500
    view.close()


def test_a_colour_legend_is_drawn(host):
    _array, volume, _segmentation = cube_scene()
    view = SliceView(host, "Green", size=(300, 300))
    view.show(volume)
    without = view.picture()
    slicer.modules.colors.logic().AddDefaultColorLegendDisplayNode(volume)
    assert (view.picture() != without)[:, 200:].any()
    view.close()


def test_a_plot_is_drawn_with_the_colours_of_its_series(host):
    time = np.arange(20.0)
    table = add_node("vtkMRMLTableNode", "table")
    slicer.util.updateTableFromArray(table, [time, time**2], ["Time", "AIF"])
    series = add_node("vtkMRMLPlotSeriesNode", "AIF")
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName("Time")
    series.SetYColumnName("AIF")
    series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
    series.SetColor(0, 0, 1)
    chart = add_node("vtkMRMLPlotChartNode", "chart")
    chart.SetTitle("Curves")
    empty = plot_picture(chart).astype(int)
    chart.AddAndObservePlotSeriesNodeID(series.GetID())
    picture = plot_picture(chart).astype(int)
    blue = (picture[:, :, 2] - picture[:, :, 0] > 150).sum()
    assert blue > 300
    assert (empty[:, :, 2] - empty[:, :, 0] > 150).sum() == 0
    assert (picture[:20] < 100).any()  # the title
    series.SetYColumnName("Missing")
    with pytest.raises(ValueError, match="Missing"):
        plot_picture(chart)

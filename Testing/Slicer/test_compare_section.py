"""The part of the panel that compares, and what the views show of it."""

import numpy as np
import pytest
import slicer
from compared_runs import add_reference, add_references, add_run, add_volume

from PyPeTSlicer.comparison_nodes import comparison_of
from PyPeTSlicer.nodes import RUN
from PyPeTSlicer.sequences import grid_of, voxels_of

USERS_LAYOUT = 4


@pytest.fixture
def run(host):
    return add_run()


@pytest.fixture
def panel(run, host, module):
    """Opened with one analysed series in the scene, which it chooses."""
    widget = host.open_widget(module)
    assert widget._parameterNode.cbfVolume is run.cbfVolume
    yield widget
    host.close_widget(widget)


@pytest.fixture
def parameters(panel):
    return panel._parameterNode


@pytest.fixture
def section(panel):
    return next(part for part in panel.sections if part.UI == "Compare")


@pytest.fixture
def views(host):
    manager = host.open_views()
    manager.setLayout(USERS_LAYOUT)
    yield manager
    host.close_views()


@pytest.fixture
def shown(views, parameters, section):
    """CBF and MTT compared, and shown side by side."""
    add_references(parameters, ["cbf", "mtt"], change=lambda v: 1.2 * v)
    section.ui.compareButton.click()
    return comparison_of(parameters.segmentation)


def composite(name):
    return slicer.app.applicationLogic().GetSliceLogicByLayoutName(name).GetSliceCompositeNode()


def backgrounds(host):
    names = [name for name in host.shown_views() if host.scene.GetSingletonNode(name, "vtkMRMLSliceNode")]
    return [composite(name).GetBackgroundVolumeID() for name in names]


def choose(combo, data):
    combo.setCurrentIndex(combo.findData(data))
    combo.activated.emit(combo.currentIndex)


def status(panel):
    return panel.ui.statusLabel.text


# ---- references


def test_what_is_missing_is_the_tooltip_of_the_button(panel, parameters, section):
    assert not section.ui.compareButton.enabled
    assert "Choose a reference" in section.ui.compareButton.toolTip
    segmentation, parameters.segmentation = parameters.segmentation, None
    assert "Run first" in section.ui.compareButton.toolTip
    parameters.segmentation = segmentation
    reference = add_reference(parameters.cbfVolume)
    section.ui.cbfReferenceSelector.setCurrentNode(reference)
    assert panel._parameterNode.cbfReference is reference
    assert section.ui.compareButton.enabled
    slicer.mrmlScene.RemoveNode(reference)
    assert panel._parameterNode.cbfReference is None
    assert not section.ui.compareButton.enabled


def test_references_are_paired_by_name(panel, parameters, section):
    section.ui.pairButton.click()
    assert status(panel).startswith("No reference was found")
    nodes = {name: add_reference(getattr(parameters, f"{name}Volume"), f"Scanner {name}") for name in ("cbf", "tmax")}
    add_reference(parameters.cbvVolume, "Scanner CBV")
    add_reference(parameters.cbvVolume, "Other CBV")
    section.ui.pairButton.click()
    assert parameters.cbfReference is nodes["cbf"]
    assert section.ui.tmaxReferenceSelector.currentNode() is nodes["tmax"]
    assert parameters.cbvReference is None
    assert status(panel).startswith("Paired: CBF, Tmax.")
    assert "Several references are of CBV: 'Scanner CBV', 'Other CBV'" in status(panel)


def test_files_are_loaded_and_paired(host, panel, parameters, section, tmp_path):
    paths = []
    for name in ("cbf", "mtt"):
        node = add_reference(getattr(parameters, f"{name}Volume"), f"file_{name}")
        paths.append(tmp_path / f"file_{name}.nrrd")
        slicer.util.saveNode(node, str(paths[-1]), {})
        slicer.mrmlScene.RemoveNode(node)
    host.file_answers.append(paths)
    section.ui.loadReferencesButton.click()
    assert status(panel).startswith("Paired: CBF, MTT."), status(panel)
    assert parameters.mttReference.GetName().startswith("file_mtt")
    section.ui.loadReferencesButton.click()
    assert status(panel).startswith("Paired"), "nothing is chosen, nothing happens"
    section.ui.compareButton.click()
    assert status(panel) == "Compared: CBF, MTT."


def test_a_unit_is_asked_for_only_where_none_is_told(panel, parameters, section):
    combo = section.ui.tmaxUnitCombo
    assert not combo.isVisibleTo(section.widget)
    parameters.tmaxReference = add_reference(parameters.tmaxVolume, change=lambda v: 1000 * v)
    assert combo.isVisibleTo(section.widget)
    assert combo.enabled
    assert combo.currentText == "unit not told"
    section.ui.compareButton.click()
    assert "Tell the unit" in status(panel)
    choose(combo, "ms")
    section.ui.compareButton.click()
    assert status(panel) == "Compared: Tmax."
    assert "converted from ms to s" in section.ui.comparisonNotesText.toPlainText()
    parameters.tmaxReference = add_reference(parameters.tmaxVolume, tells=True)
    assert (combo.currentText, combo.enabled) == ("s", False)


def test_a_refusal_is_a_line_on_the_panel(host, panel, parameters, section, describe):
    values = np.array(voxels_of(parameters.cbfVolume))
    values[values != 0] = np.random.default_rng(0).permutation(values[values != 0])
    parameters.cbfReference = add_volume("Someone", values, grid_of(parameters.cbfVolume).affine)
    before = describe(host.scene)
    section.ui.compareButton.click()
    assert status(panel).startswith("CBF: Someone ")
    assert "do not seem to show one head" in status(panel)
    assert "tick “Compare anyway”" in status(panel)
    assert describe(host.scene) == before
    assert host.messages == [], "no dialog"
    section.ui.mismatchCheck.checked = True
    section.ui.compareButton.click()
    assert status(panel) == "Compared: CBF."
    assert "do not seem to show one head" in section.ui.comparisonNotesText.toPlainText()
    parameters.cbfReference = add_reference(parameters.cbfVolume)
    assert not section.ui.mismatchCheck.checked, "said of one reference, not of all"


def test_without_views_the_nodes_are_made_all_the_same(panel, parameters, section):
    add_references(parameters, ["cbv", "ttp"])
    section.ui.compareButton.click()
    assert status(panel) == "Compared: CBV, TTP."
    assert list(comparison_of(parameters.segmentation).maps) == ["cbv", "ttp"]
    assert not section.ui.sideBySideButton.enabled


# ---- views


def test_side_by_side_shows_both_maps_the_difference_and_all_figures(host, views, parameters, section, shown):
    nodes = shown.maps["cbf"]
    assert views.layout != USERS_LAYOUT
    assert backgrounds(host) == [nodes.generated.GetID(), nodes.reference.GetID(), nodes.difference.GetID()]
    names = host.shown_views()
    assert len(names) == 6
    plots = [host.scene.GetSingletonNode(name, "vtkMRMLPlotViewNode") for name in names]
    charts = [plot.GetPlotChartNodeID() for plot in plots if plot is not None]
    assert charts == [nodes.histogram.GetID(), nodes.bland_altman.GetID()]
    tables = [host.scene.GetSingletonNode(name, "vtkMRMLTableViewNode") for name in names]
    assert [table.GetTableNodeID() for table in tables if table is not None] == [shown.table.GetID()]
    assert section.ui.sideBySideButton.checked
    # another map in the same way
    choose(section.ui.comparedMapCombo, "mtt")
    assert backgrounds(host)[1] == shown.maps["mtt"].reference.GetID()
    assert "MTT" in section.ui.comparisonNotesText.toPlainText()


def test_the_views_scroll_zoom_and_point_together(host, shown):
    first, *others = (host.view(name) for name in host.shown_views()[:3])
    assert shown.maps["cbf"].generated is not None
    assert all(composite(name).GetLinkedControl() for name in host.shown_views()[:3])
    first.scroll(10)
    first.zoom(2)
    for view in others:
        assert view.offset == pytest.approx(first.offset)
        assert view.node.GetFieldOfView() == pytest.approx(first.node.GetFieldOfView(), rel=0.02)
    place = (5.0, -7.0, first.offset - 12)
    host.move_crosshair(place)
    for view in (first, *others):
        assert view.offset == pytest.approx(place[2], abs=0.1)
    assert host.crosshair.GetCrosshairMode() != host.crosshair.NoCrosshair


def test_one_window_and_one_colour_table_for_both(parameters, section, shown):
    generated, reference = (
        node.GetDisplayNode() for node in (shown.maps["cbf"].generated, shown.maps["cbf"].reference)
    )
    generated.SetWindowLevelMinMax(10, 40)
    assert (reference.GetWindowLevelMin(), reference.GetWindowLevelMax()) == (10, 40)
    reference.SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
    assert generated.GetColorNodeID() == "vtkMRMLColorTableNodeGrey"
    reference.SetWindowLevelMinMax(0, 25)
    assert generated.GetWindowLevelMax() == 25
    section.ui.leaveComparisonButton.click()
    generated.SetWindowLevelMinMax(0, 99)
    assert reference.GetWindowLevelMax() == 25, "after leaving each goes its own way"
    section.ui.sideBySideButton.click()
    assert reference.GetWindowLevelMax() == 99, "and the run's own map is the model again"


def test_flicker_shows_both_in_turn(host, views, parameters, section, shown):
    nodes = shown.maps["cbf"]
    section.ui.flickerButton.click()
    (name,) = host.shown_views()
    layers = composite(name)
    assert layers.GetBackgroundVolumeID() == nodes.generated.GetID()
    # nothing shines through where one of them has no value
    assert layers.GetForegroundVolumeID() is None
    field = host.view(name).node.GetFieldOfView()
    assert section._timer.isActive()
    section.ui.flickerRateSpin.value = 5
    assert section._timer.interval == 200
    seen = set()
    for _ in range(8):
        host.process_events(120)
        label = host.view(name).node.GetLayoutLabel()
        seen.add((layers.GetBackgroundVolumeID(), label, section.ui.flickerShownLabel.text))
    assert seen == {
        (nodes.generated.GetID(), "Generated", "generated"),
        (nodes.reference.GetID(), "Reference", "reference"),
    }
    assert host.view(name).node.GetFieldOfView() == field
    # it ends in every way out
    section.ui.sideBySideButton.click()
    assert not section._timer.isActive()
    section.ui.flickerButton.click()
    views.setLayout(USERS_LAYOUT)
    host.process_events(250)
    assert not section._timer.isActive()


def test_flicker_rests_while_the_module_is_left(host, parameters, panel, section, shown):
    assert shown.maps
    section.ui.flickerButton.click()
    (name,) = host.shown_views()
    section._on_timeout()
    assert composite(name).GetBackgroundVolumeID() == shown.maps["cbf"].reference.GetID()
    host.leave(panel)
    assert not section._timer.isActive()
    assert composite(name).GetBackgroundVolumeID() == shown.maps["cbf"].generated.GetID()
    host.reenter(panel)
    assert section._timer.isActive()


def test_the_checkerboard_follows_its_tile_size(host, parameters, section, shown):
    assert shown.maps
    section.ui.checkerboardButton.click()
    (name,) = host.shown_views()
    board = host.scene.GetNodeByID(composite(name).GetBackgroundVolumeID())
    first = np.array(voxels_of(board))
    section.ui.tileSpin.value = 50
    assert host.scene.GetNodeByID(composite(name).GetBackgroundVolumeID()) is board
    assert not np.array_equal(voxels_of(board), first)
    nodes = shown.maps["cbf"]
    either = (voxels_of(board) == voxels_of(nodes.generated)) | (voxels_of(board) == voxels_of(nodes.reference))
    assert either.all()
    parameters.cbfVolume.GetDisplayNode().SetWindowLevelMinMax(0, 44)
    assert board.GetDisplayNode().GetWindowLevelMax() == 44


def test_leaving_gives_everything_back(host, views, parameters, section, shown):
    assert shown.maps
    section.ui.leaveComparisonButton.click()
    assert views.layout == USERS_LAYOUT
    assert host.crosshair.GetCrosshairMode() == host.crosshair.NoCrosshair
    assert not section.ui.leaveComparisonButton.enabled
    assert not section.ui.sideBySideButton.checked


def test_the_user_is_told_when_the_maps_are_newer_than_the_comparison(parameters, section, shown):
    assert section.ui.compareStatusLabel.text == ""
    assert shown.run == parameters.segmentation.GetAttribute(RUN)
    parameters.segmentation.SetAttribute(RUN, "2")
    parameters.Modified()
    assert "earlier run" in section.ui.compareStatusLabel.text
    section.ui.compareButton.click()
    assert section.ui.compareStatusLabel.text == ""


def test_a_refusal_leaves_the_views_in_step(panel, parameters, section, shown):
    far = add_reference(parameters.mttVolume, "Elsewhere")
    far.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(grid_of(far).affine + np.pad([[999.0]], ((0, 3), (3, 0)))))
    parameters.mttReference = far
    section.ui.compareButton.click()
    assert "have no place in common" in status(panel)
    parameters.cbfVolume.GetDisplayNode().SetWindowLevelMinMax(0, 12)
    assert shown.maps["cbf"].reference.GetDisplayNode().GetWindowLevelMax() == 12
    assert section.ui.sideBySideButton.checked


def test_both_sides_relative(parameters, section, shown):
    assert shown.maps["cbf"].generated is parameters.cbfVolume
    choose(section.ui.normalisationCombo, "relative")
    assert parameters.normalisation == "relative"
    section.ui.compareButton.click()
    nodes = comparison_of(parameters.segmentation).maps["cbf"]
    assert nodes.generated is not parameters.cbfVolume
    assert nodes.generated.GetDisplayNode().GetColorNodeID() == nodes.reference.GetDisplayNode().GetColorNodeID()


def test_nothing_is_observed_any_more_after_close(host, module, views):
    run = add_run()
    panel = host.open_widget(module)
    add_references(panel._parameterNode, ["cbf"])
    section = next(part for part in panel.sections if part.UI == "Compare")
    section.ui.compareButton.click()
    section.ui.flickerButton.click()
    nodes = comparison_of(run.segmentation).maps["cbf"]
    displays = [node.GetDisplayNode() for node in (nodes.generated, nodes.reference)]
    counts = [host.observer_count(display) for display in displays]
    timer = section._timer
    host.close_widget(panel)
    assert views.layout == USERS_LAYOUT
    assert not timer.isActive()
    assert [host.observer_count(display) for display in displays] == [count - 1 for count in counts]


def test_closing_the_scene_while_it_flickers_ends_it(host, parameters, panel, section, shown):
    assert shown.maps
    section.ui.flickerButton.click()
    host.clear_scene()
    assert not section._timer.isActive()
    assert not section.ui.sideBySideButton.enabled
    assert section.ui.comparisonNotesText.toPlainText() == ""
    assert panel._parameterNode.cbfReference is None


def test_a_saved_comparison_is_shown_again(host, parameters, panel, section, shown, views, tmp_path):
    assert shown.maps
    section.ui.leaveComparisonButton.click()
    notes = section.ui.comparisonNotesText.toPlainText()
    host.save_scene(tmp_path / "scene.mrb")
    host.clear_scene()
    assert section.ui.comparedMapCombo.count == 0
    host.load_scene(tmp_path / "scene.mrb")
    assert parameters is not panel._parameterNode
    assert panel._parameterNode.cbfReference.GetName() == "Scanner CBF"
    assert section.ui.comparisonNotesText.toPlainText() == notes
    assert section.ui.comparedMapCombo.count == 2
    section.ui.sideBySideButton.click()
    nodes = comparison_of(panel._parameterNode.segmentation).maps["cbf"]
    assert backgrounds(host) == [nodes.generated.GetID(), nodes.reference.GetID(), nodes.difference.GetID()]
    section.ui.compareButton.click()
    assert status(panel) == "Compared: CBF, MTT."
    assert views.layout != USERS_LAYOUT

"""The window of the headless host: layouts, linked slice views, the mouse, and pictures of what the user sees.

Layout node, layout logic, slice logics and links are Slicer's own; only the widgets around them are stand-ins.
"""

import numpy as np
import pytest
import slicer
import vtk

from host.layout_geometry import arrange

SLICE = """<view class="vtkMRMLSliceNode" singletontag="{0}">
<property name="orientation" action="default">Axial</property>
<property name="viewlabel" action="default">{0}</property>
<property name="viewcolor" action="default">#6e7f8d</property>
<property name="viewgroup" action="default">{1}</property></view>"""
REVIEW = f"""<layout type="vertical" split="true">
<item splitSize="600"><layout type="horizontal">
<item>{SLICE.format("Left", 7)}</item><item>{SLICE.format("Right", 7)}</item><item>{SLICE.format("Alone", 8)}</item>
</layout></item>
<item splitSize="400"><layout type="horizontal">
<item><view class="vtkMRMLPlotViewNode" singletontag="Curves"/></item>
<item><view class="vtkMRMLTableViewNode" singletontag="Values"/></item>
</layout></item></layout>"""
REVIEW_ID = 5917
FOUR_UP = 3
RED_ONLY = 6
CONVENTIONAL_PLOT = 36


@pytest.fixture
def manager(host):
    yield host.open_views()
    host.close_views()


@pytest.fixture
def review(host, manager, cube):
    """An own layout of three slice views, two of them linked, a plot and a table; all show the cube."""
    node = manager.layoutLogic().GetLayoutNode()
    node.AddLayoutDescription(REVIEW_ID, REVIEW)
    manager.setLayout(REVIEW_ID)
    for name in ("Left", "Right", "Alone"):
        composite = manager.sliceWidget(name).mrmlSliceCompositeNode()
        composite.SetBackgroundVolumeID(cube.GetID())
        composite.SetLinkedControl(name != "Alone")
        manager.sliceWidget(name).fitSliceToBackground()
    return manager


@pytest.fixture
def cube(host):
    """A bright cube, voxels of 1 mm: 10 to 20 in j, 5 to 15 in i, 8 to 12 in k."""
    array = np.zeros((20, 40, 40), np.float32)
    array[8:12, 10:20, 5:15] = 100
    volume = slicer.util.addVolumeFromArray(array, name="cube")
    volume.CreateDefaultDisplayNodes()
    volume.GetDisplayNode().AutoWindowLevelOff()
    volume.GetDisplayNode().SetWindowLevel(200, 100)
    return volume


def ras_of(volume, ijk):
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return matrix.MultiplyPoint((*ijk, 1))[:3]


def colour_at(host, name, ras):
    view = host.view(name)
    row, column = view.pixel_of(ras)
    return view.picture()[row, column].astype(int)


# ---- opening and closing


def test_views_come_with_the_window_and_go_with_it(host):
    before = {node.GetID() for node in slicer.util.getNodesByClass("vtkMRMLNode")}
    assert slicer.app.layoutManager() is None
    manager = host.open_views((1000, 700))
    assert slicer.app.layoutManager() is manager
    assert host.open_views() is manager
    assert manager.layout == FOUR_UP
    assert sorted(manager.sliceViewNames()) == ["Green", "Red", "Yellow"]
    assert manager.mrmlSliceLogics().GetNumberOfItems() == 3
    host.close_views()
    assert slicer.app.layoutManager() is None
    assert slicer.app.applicationLogic().GetSliceLogics().GetNumberOfItems() == 0
    assert {node.GetID() for node in slicer.util.getNodesByClass("vtkMRMLNode")} == before
    host.open_views()
    host.reset()
    assert slicer.app.layoutManager() is None
    with pytest.raises(RuntimeError, match="open_views"):
        host.view("Red")


def test_each_slice_node_has_a_logic_of_the_application(manager):
    for name in manager.sliceViewNames():
        widget = manager.sliceWidget(name)
        logic = slicer.app.applicationLogic().GetSliceLogicByLayoutName(name)
        assert widget.sliceLogic() is logic is widget.sliceController().sliceLogic()
        assert widget.mrmlSliceNode().GetLayoutName() == name
        assert widget.mrmlSliceCompositeNode() is logic.GetSliceCompositeNode()
    orientations = {name: manager.sliceWidget(name).sliceOrientation() for name in manager.sliceViewNames()}
    assert orientations == {"Red": "Axial", "Yellow": "Sagittal", "Green": "Coronal"}


def test_what_a_layout_manager_lacks_is_refused(manager):
    assert manager.sliceWidget("Blue") is None
    assert (manager.plotWidget(0), manager.tableWidget(0), manager.threeDWidget(0)) == (None, None, None)
    for thing in (manager, manager.sliceWidget("Red"), manager.sliceWidget("Red").sliceController()):
        with pytest.raises(AttributeError, match="slicewidget"):
            thing.slicewidget  # noqa: B018 (reading is the test)
        with pytest.raises(AttributeError, match="slicewidget"):
            thing.slicewidget = 1


# ---- layouts


def test_the_layout_follows_whoever_sets_it(host, manager):
    seen = []
    manager.connect("layoutChanged(int)", seen.append)
    manager.layout = RED_ONLY
    assert host.shown_views() == ["Red"]
    manager.layoutLogic().GetLayoutNode().SetViewArrangement(CONVENTIONAL_PLOT)
    assert host.shown_views() == ["1", "PlotView1", "Red", "Green", "Yellow"]
    assert (manager.layout, manager.plotViewCount, seen) == (CONVENTIONAL_PLOT, 1, [RED_ONLY, CONVENTIONAL_PLOT])
    assert manager.plotWidget(0).mrmlPlotViewNode().GetName() == "PlotView1"
    assert manager.sliceWidget("Red").mrmlSliceNode().IsMappedInLayout()
    manager.setLayout(RED_ONLY)
    assert not manager.sliceWidget("Green").mrmlSliceNode().IsMappedInLayout()
    assert "Green" in manager.sliceViewNames()  # its widget is only hidden


def test_views_get_the_size_that_their_layout_gives_them(host, review):
    assert host.shown_views() == ["Left", "Right", "Alone", "Curves", "Values"]
    assert {host.view(name).size for name in ("Left", "Right", "Alone")} == {(398, 454), (399, 454)}
    host.open_views((900, 500))
    assert host.view("Left").size == (298, 274)
    width, height, _ = host.view("Left").node.GetFieldOfView()
    assert width / height == pytest.approx(298 / 274)


def test_a_layout_nobody_has_described_is_empty(host, manager):
    manager.setLayout(5999)
    assert host.shown_views() == []
    assert (host.layout_picture() == host.layout_picture()[0, 0]).all()
    manager.setLayout(FOUR_UP)
    assert host.shown_views() == ["Red", "1", "Green", "Yellow"]


def test_boxes_grids_and_tabs_are_placed_as_they_nest():
    view = '<item {}><view class="vtkMRMLSliceNode" singletontag="{}"/></item>'
    grid = "".join(view.format(place, tag) for place, tag in (('row="0" column="0" colspan="2"', "a"), ("", "b")))
    grid = grid.replace("<item >", '<item row="1" column="1">')
    tabs = view.format('name="First"', "c") + view.format('name="Second"', "d")
    boxes = f'<item><layout type="grid">{grid}</layout></item><item><layout type="tab">{tabs}</layout></item>'
    cells, bars = arrange(f'<layout type="horizontal">{boxes}</layout>', (402, 202))
    assert {cell.tag: cell.rect for cell in cells} == {
        "a": (0, 0, 200, 100),
        "b": (101, 102, 99, 100),
        "c": (202, 26, 200, 176),
    }
    assert [(bar.titles, bar.rect) for bar in bars] == [(("First", "Second"), (202, 0, 200, 26))]
    with pytest.raises(ValueError, match="circle"):
        arrange('<layout type="circle"/>', (10, 10))


def test_layout_and_views_survive_a_saved_scene(host, review, tmp_path):
    host.view("Left").scroll(3)
    host.save_scene(tmp_path / "scene.mrb")
    review.setLayout(RED_ONLY)
    host.clear_scene()
    assert host.shown_views() == ["Red"]
    assert host.view("Left").composite_node.GetBackgroundVolumeID() is None
    host.load_scene(tmp_path / "scene.mrb")
    assert review.layout == REVIEW_ID
    assert host.shown_views() == ["Left", "Right", "Alone", "Curves", "Values"]
    for name in ("Left", "Right"):
        assert host.view(name).offset == pytest.approx(13)
        assert host.view(name).composite_node.GetLinkedControl()
        volume = slicer.mrmlScene.GetNodeByID(host.view(name).composite_node.GetBackgroundVolumeID())
        assert volume.GetName() == "cube"
        assert slicer.app.applicationLogic().GetSliceLogicByLayoutName(name) is host.view(name).logic
    host.view("Right").scroll(-2)
    assert host.view("Left").offset == pytest.approx(11)


def test_a_saved_scene_with_a_layout_unknown_here_shows_no_views(host, review, tmp_path):
    host.save_scene(tmp_path / "scene.mrb")
    host.close_views()
    host.clear_scene()
    manager = host.open_views()
    host.load_scene(tmp_path / "scene.mrb")
    assert (manager.layout, host.shown_views()) == (REVIEW_ID, [])
    manager.layoutLogic().GetLayoutNode().AddLayoutDescription(REVIEW_ID, REVIEW)
    manager.layoutLogic().GetLayoutNode().SetViewArrangement(REVIEW_ID)
    assert host.shown_views() == ["Left", "Right", "Alone", "Curves", "Values"]


# ---- the user's mouse


def test_linked_views_of_a_group_scroll_zoom_and_pan_together(host, review):
    left, right, alone = (host.view(name) for name in ("Left", "Right", "Alone"))
    assert (left.offset, right.offset, alone.offset) == (10, 10, 10)
    left.scroll(4)
    assert (left.offset, right.offset, alone.offset) == (14, 14, 10)
    left.scroll(100)  # out of the volume, where the mouse wheel does nothing
    assert left.offset == 14
    widths = [view.node.GetFieldOfView()[0] for view in (left, right, alone)]
    right.zoom(2)
    assert left.node.GetFieldOfView()[0] == right.node.GetFieldOfView()[0] == pytest.approx(widths[1] / 2)
    assert alone.node.GetFieldOfView()[0] == pytest.approx(widths[2])
    left.pan(5, -3)
    assert right.node.GetXYZOrigin() == left.node.GetXYZOrigin() == (-5, 3, 0)
    left.fit()
    assert [view.node.GetFieldOfView()[0] for view in (left, right)] == pytest.approx(widths[:2])
    right.composite_node.SetLinkedControl(False)
    right.scroll(-4)
    assert (left.offset, right.offset) == (10, 6)  # fitting had gone to the middle


def test_linked_views_show_the_same_layers_when_the_user_chooses_one(host, review, cube):
    other = slicer.util.addVolumeFromArray(np.ones((20, 40, 40), np.float32), name="other")
    left = host.view("Left")
    left.logic.StartSliceCompositeNodeInteraction(slicer.vtkMRMLSliceCompositeNode.BackgroundVolumeFlag)
    left.composite_node.SetBackgroundVolumeID(other.GetID())
    left.logic.EndSliceCompositeNodeInteraction()
    assert host.view("Right").composite_node.GetBackgroundVolumeID() == other.GetID()
    assert host.view("Alone").composite_node.GetBackgroundVolumeID() == cube.GetID()


def test_the_mouse_tells_where_it_is(host, review, cube):
    seen = []

    def on_move(crosshair, _event):
        position = [0.0, 0.0, 0.0]
        view = crosshair.GetCursorPositionXYZ([0.0, 0.0, 0.0])
        inside = crosshair.GetCursorPositionRAS(position)
        seen.append((inside, np.round(position, 3).tolist(), view and view.GetLayoutName()))

    crosshair = host.crosshair
    tag = crosshair.AddObserver(crosshair.CursorPositionModifiedEvent, on_move)
    place = list(ras_of(cube, (10, 15, 10)))
    host.move_mouse(place)
    host.move_mouse(place, "Right")
    host.move_mouse(None)
    crosshair.RemoveObserver(tag)
    assert seen == [(True, place, None), (True, place, "Right"), (False, place, None)]


def test_with_shift_the_crosshair_comes_along_and_views_jump(host, review, cube):
    host.move_crosshair(ras_of(cube, (10, 15, 12)))
    assert host.crosshair.GetCrosshairRAS() == pytest.approx(ras_of(cube, (10, 15, 12)))
    assert [host.view(name).offset for name in ("Left", "Right", "Alone", "Red")] == [12] * 4
    host.view("Left").scroll(-3)
    host.move_crosshair(ras_of(cube, (10, 15, 9)), "Left")
    assert [host.view(name).offset for name in ("Left", "Right", "Alone")] == [9, 9, 12]


def test_a_click_places_a_point_where_the_user_was_asked_for_one(host, manager, cube):
    points = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "AIF")
    host.click((1, 2, 3))
    assert points.GetNumberOfControlPoints() == 0
    markups = slicer.modules.markups.logic()
    markups.SetActiveListID(points)
    markups.StartPlaceMode(False)
    defined = []
    points.AddObserver(points.PointPositionDefinedEvent, lambda *_: defined.append(True))
    host.click((1, 2, 3))
    host.click((4, 5, 6))  # the mode has ended
    assert [list(points.GetNthControlPointPositionWorld(0))] == [[1, 2, 3]]
    assert (points.GetNumberOfControlPoints(), defined) == (1, [True])


# ---- what Slicer's helpers do with views


def test_slicers_helpers_find_the_views(host, manager, cube):
    slicer.util.setSliceViewerLayers(background=cube, fit=True, rotateToVolumePlane=True)
    middle = ras_of(cube, (19.5, 19.5, 9.5))
    for name, axis in (("Red", 2), ("Yellow", 0), ("Green", 1)):
        matrix = host.view(name).node.GetSliceToRAS()
        assert matrix.GetElement(axis, 3) == pytest.approx(middle[axis], abs=0.51)
    host.view("Red").zoom(3)
    slicer.util.resetSliceViews()
    assert host.view("Red").node.GetFieldOfView()[1] == pytest.approx(40)
    slicer.util.forceRenderAllViews()


def test_the_panel_runs_with_views_open(host, manager, panel, sequence):
    panel._parameterNode.inputSequence = sequence("ctp")
    panel.ui.runButton.click()
    assert panel.ui.statusLabel.text.startswith("Done"), panel.ui.statusLabel.text
    shown = {
        host.view(name).composite_node.GetForegroundVolumeID() or host.view(name).composite_node.GetBackgroundVolumeID()
        for name in host.shown_views()
        if name in manager.sliceViewNames()
    }
    assert shown
    assert None not in shown
    assert host.layout_picture((600, 400)).std() > 20


# ---- pictures


def test_points_and_crosshair_are_drawn_where_they_are(host, review, cube):
    place, corner = ras_of(cube, (30, 30, 10)), ras_of(cube, (33, 20, 10))
    assert colour_at(host, "Left", place).max() == 0
    points = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "AIF")
    points.CreateDefaultDisplayNodes()
    points.GetDisplayNode().SetSelectedColor(0, 1, 0)
    points.AddControlPointWorld(vtk.vtkVector3d(*place))
    assert colour_at(host, "Left", place).tolist() == pytest.approx([0, 255, 0], abs=10)
    host.view("Left").scroll(3)
    assert colour_at(host, "Left", place).max() == 0
    host.crosshair.SetCrosshairMode(host.crosshair.ShowIntersection)
    host.move_crosshair(corner)
    yellow = host.view("Right").picture()[host.view("Right").pixel_of(corner)[0]].astype(int)
    assert np.median(yellow[:, 0] - yellow[:, 2]) > 80


def test_the_picture_of_a_layout_holds_all_its_views(host, review, cube):
    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "values")
    slicer.util.updateTableFromArray(table, [np.arange(9.0), np.arange(9.0) ** 2], ["Time", "AIF"])
    chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", "chart")
    series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", "AIF")
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName("Time")
    series.SetYColumnName("AIF")
    series.SetPlotType(series.PlotTypeScatter)
    series.SetColor(1, 0, 0)
    chart.AddAndObservePlotSeriesNodeID(series.GetID())
    empty = host.layout_picture()
    review.plotWidget(0).mrmlPlotViewNode().SetPlotChartNodeID(chart.GetID())
    review.tableWidget(0).mrmlTableViewNode().SetTableNodeID(table.GetID())
    full = host.layout_picture()
    assert full.shape == (800, 1200, 3)
    assert (full[:460] == empty[:460]).all()  # the slices
    plot, values = full[510:, :595].astype(int), full[510:, 605:].astype(int)
    assert (plot[..., 0] - plot[..., 2] > 150).sum() > 300
    assert ((values < 100).all(axis=2)).sum() > 300  # the texts
    row, column = host.view("Left").pixel_of(ras_of(cube, (9.5, 14.5, 10)))
    assert full[row + 24, column].tolist() == pytest.approx([127, 127, 127], abs=3)
    bar = full[1, 10].tolist(), full[1, 410].tolist()
    assert bar == ([0x6E, 0x7F, 0x8D], [0x6E, 0x7F, 0x8D])
    dark = host.layout_picture(dark=True)
    assert dark[510:, 605:].mean() < 60
    assert values.mean() > 200
    assert (dark[510:, :595] == full[510:, :595]).all()  # as in Slicer, charts stay light


def test_a_legend_lies_where_it_hides_no_curve(host):
    from host.plot_view import plot_picture  # noqa: PLC0415 - needs the running host

    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "values")
    time = np.arange(40.0)
    slicer.util.updateTableFromArray(table, [time, time**3, time[::-1] ** 3], ["Time", "Rising", "Falling"])
    corners = {}
    for name in ("Rising", "Falling"):
        series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", name)
        series.SetAndObserveTableNodeID(table.GetID())
        series.SetXColumnName("Time")
        series.SetYColumnName(name)
        series.SetPlotType(series.PlotTypeScatter)
        series.SetColor(0, 0, 1)
        chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", "chart")
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
        with_legend = plot_picture(chart).astype(int)
        chart.SetLegendVisibility(False)
        changed = np.nonzero((with_legend != plot_picture(chart)).any(axis=2))
        corners[name] = np.mean(changed[1]) > 320, np.mean(changed[0]) > 200
    assert corners == {"Rising": (False, False), "Falling": (True, False)}


def test_a_panel_is_drawn_light_and_dark(host, qt):
    box = qt.QGroupBox("Settings")
    layout = qt.QFormLayout(box)
    layout.addRow("Method", qt.QComboBox())
    light, dark = host.panel_picture(box), host.panel_picture(box, dark=True, width=300)
    assert light.shape[1] == 520
    assert dark.shape[1] == 300
    assert dark.mean() < 80
    assert light.mean() > 200
    assert not box.visible
    assert host.panel_picture(box).mean() == light.mean()  # the style was given back

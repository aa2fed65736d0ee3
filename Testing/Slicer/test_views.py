"""Layouts of PyPeT's own: what each view shows, linked scrolling, segments in their own view, the way back."""

import pytest
import slicer

from PyPeTLib.errors import InputError
from PyPeTSlicer.views import LAYOUTS, Arrangement, Plot, Segments, Slice, Table, Views, register


@pytest.fixture
def volumes(host, sequence):
    """Two volumes of one head, a chart and a table."""
    proxy = (
        slicer.modules.sequences.logic()
        .GetFirstBrowserNodeForSequenceNode(sequence("ctp"))
        .GetProxyNode(slicer.util.getNodesByClass("vtkMRMLSequenceNode")[0])
    )
    other = slicer.modules.volumes.logic().CloneVolume(slicer.mrmlScene, proxy, "Other")
    other.CreateDefaultDisplayNodes()
    return proxy, other


@pytest.fixture
def nodes(volumes):
    chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", "Chart")
    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "Table")
    return (*volumes, chart, table)


@pytest.fixture
def opened(host):
    host.open_views()
    views = Views()
    yield views
    views.leave()
    host.close_views()


def view(name, kind="vtkMRMLSliceNode"):
    return slicer.mrmlScene.GetSingletonNode(name, kind)


def composite(name):
    return slicer.app.applicationLogic().GetSliceLogicByLayoutName(name).GetSliceCompositeNode()


def arrangement(nodes, **more):
    one, other, chart, table = nodes
    return Arrangement(
        rows=(
            (Slice(title="One", background=one, foreground=other, opacity=0.3), Slice(title="Other", background=other)),
            (Plot(title="Curves", chart=chart), Table(title="Values", table=table)),
        ),
        **more,
    )


def test_each_view_shows_what_it_is_told(host, opened, nodes):
    one, other, chart, table = nodes
    opened.show(LAYOUTS[0], arrangement(nodes))
    assert opened.layout == LAYOUTS[0]
    assert host.shown_views() == ["PyPeT1", "PyPeT2", "PyPeTPlot1", "PyPeTTable1"]
    assert composite("PyPeT1").GetBackgroundVolumeID() == one.GetID()
    assert composite("PyPeT1").GetForegroundVolumeID() == other.GetID()
    assert composite("PyPeT1").GetForegroundOpacity() == pytest.approx(0.3)
    assert composite("PyPeT2").GetBackgroundVolumeID() == other.GetID()
    assert composite("PyPeT2").GetForegroundVolumeID() is None
    assert view("PyPeTPlot1", "vtkMRMLPlotViewNode").GetPlotChartNodeID() == chart.GetID()
    assert view("PyPeTTable1", "vtkMRMLTableViewNode").GetTableNodeID() == table.GetID()
    assert view("PyPeT1").GetLayoutLabel() == "One"


def test_slice_views_scroll_together(host, opened, nodes):
    opened.show(LAYOUTS[0], arrangement(nodes))
    before = view("PyPeT2").GetSliceOffset()
    host.view("PyPeT1").scroll(10.0)
    assert view("PyPeT2").GetSliceOffset() == pytest.approx(before + 10.0, abs=3.0)
    assert view("PyPeT1").GetSliceOffset() == pytest.approx(view("PyPeT2").GetSliceOffset())
    assert view("Red").GetSliceOffset() == pytest.approx(0.0)


def test_the_place_stays_from_one_arrangement_to_the_next(host, opened, nodes):
    opened.show(LAYOUTS[0], arrangement(nodes, place=(0.0, 0.0, 40.0)))
    assert view("PyPeT1").GetSliceOffset() == pytest.approx(40.0)
    opened.show(LAYOUTS[1], Arrangement(rows=((Slice(title="Other", background=nodes[1]),),)))
    assert host.shown_views() == ["PyPeT1"]
    assert view("PyPeT1").GetSliceOffset() == pytest.approx(40.0)
    opened.go_to((0.0, 0.0, 55.0))
    assert view("PyPeT1").GetSliceOffset() == pytest.approx(55.0)


def test_a_layout_may_be_arranged_anew_while_it_is_shown(host, opened, nodes):
    opened.show(LAYOUTS[0], arrangement(nodes))
    opened.show(LAYOUTS[0], Arrangement(rows=((Slice(title="Other", background=nodes[1]),),)))
    assert host.shown_views() == ["PyPeT1"]


@pytest.mark.parametrize("number", [2, 3, 6])
def test_the_users_layout_comes_back(host, opened, nodes, number):
    manager = slicer.app.layoutManager()
    manager.setLayout(number)
    opened.show(LAYOUTS[0], arrangement(nodes))
    opened.show(LAYOUTS[3], arrangement(nodes))
    opened.leave()
    assert manager.layout == number
    assert opened.layout is None
    opened.leave()
    assert manager.layout == number


def test_the_users_own_views_keep_what_they_show(host, opened, nodes):
    one, other = nodes[:2]
    slicer.util.setSliceViewerLayers(background=other)
    composite("Red").SetForegroundVolumeID(one.GetID())
    view("Red").SetSliceOffset(17.0)
    opened.show(LAYOUTS[0], arrangement(nodes, place=(0.0, 0.0, 40.0)))
    host.view("PyPeT1").scroll(8.0)
    opened.leave()
    assert composite("Red").GetBackgroundVolumeID() == other.GetID()
    assert composite("Red").GetForegroundVolumeID() == one.GetID()
    assert view("Red").GetSliceOffset() == pytest.approx(17.0)


def test_segments_are_drawn_in_the_view_that_asks_for_them(host, opened, volumes, logic):
    parameters = logic.getParameterNode()
    parameters.inputSequence = slicer.util.getNodesByClass("vtkMRMLSequenceNode")[0]
    logic.adopt(parameters)
    segmentation = logic.process(parameters).segmentation
    own = segmentation.GetDisplayNode()
    cells = (
        Slice(
            title="Brain",
            background=volumes[0],
            segments=(Segments(segmentation=segmentation, outlined=("Brain",), filled=("AIF",)),),
        ),
        Slice(title="None", background=volumes[0]),
    )
    opened.show(LAYOUTS[2], Arrangement(rows=(cells,)))
    assert segmentation.GetNumberOfDisplayNodes() == 2
    shown = segmentation.GetNthDisplayNode(1)
    assert shown.GetViewNodeIDs() == (view("PyPeT1").GetID(),)
    assert shown.GetSegmentVisibility("Brain")
    assert shown.GetSegmentVisibility("AIF")
    assert not shown.GetSegmentVisibility("VOF")
    assert not shown.GetSegmentVisibility2DFill("Brain")
    assert shown.GetSegmentVisibility2DFill("AIF")
    assert view("PyPeT1").GetID() not in own.GetViewNodeIDs()
    assert view("Red").GetID() in own.GetViewNodeIDs()
    # as many times as a user opens it
    opened.show(LAYOUTS[2], Arrangement(rows=(cells,)))
    assert segmentation.GetNumberOfDisplayNodes() == 2
    opened.leave()
    assert not shown.GetVisibility()
    assert own.GetVisibility()
    assert own.GetNumberOfViewNodeIDs() == 0


def test_segments_may_change_while_they_are_drawn_and_after(host, opened, volumes, logic):
    parameters = logic.getParameterNode()
    parameters.inputSequence = slicer.util.getNodesByClass("vtkMRMLSequenceNode")[0]
    logic.adopt(parameters)
    segmentation = logic.process(parameters).segmentation
    content = segmentation.GetSegmentation()
    for number in range(6):
        drawn = Segments(segmentation=segmentation, outlined=("Brain", "New"), filled=("AIF",))
        cells = [
            Slice(title="One", background=volumes[0], segments=(drawn,)),
            Slice(title="Two", background=volumes[1]),
        ]
        opened.show(LAYOUTS[number], Arrangement(rows=(tuple(cells if number % 2 else cells[::-1]),)))
        host.layout_picture((400, 300))
        content.AddEmptySegment("New", "New")
        host.layout_picture((400, 300))
        content.RemoveSegment("New")
        if number == 3:
            opened.leave()
        logic.process(parameters)
    assert host.layout_picture((400, 300)).any()


def test_a_display_of_the_users_comes_back_in_a_loaded_scene(host, opened, volumes, logic, tmp_path):
    parameters = logic.getParameterNode()
    parameters.inputSequence = slicer.util.getNodesByClass("vtkMRMLSequenceNode")[0]
    logic.adopt(parameters)
    segmentation = logic.process(parameters).segmentation
    drawn = Segments(segmentation=segmentation, outlined=("Brain",))
    opened.show(LAYOUTS[0], Arrangement(rows=((Slice(title="One", background=volumes[0], segments=(drawn,)),),)))
    host.save_scene(tmp_path / "scene.mrb")
    opened.forget()
    host.clear_scene()
    host.load_scene(tmp_path / "scene.mrb")
    Views().leave()
    display = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")[0].GetDisplayNode()
    assert display.GetNumberOfViewNodeIDs() == 0
    assert display.GetVisibility()


def test_without_a_window_there_is_a_sentence(host, nodes):
    with pytest.raises(InputError, match="no views"):
        Views().show(LAYOUTS[0], arrangement(nodes))


def test_a_scene_saved_in_a_layout_of_pypets_loads_and_gives_the_users_layout_back(host, opened, nodes, tmp_path):
    register()
    manager = slicer.app.layoutManager()
    manager.setLayout(6)
    opened.show(LAYOUTS[0], arrangement(nodes))
    host.save_scene(tmp_path / "scene.mrb")
    opened.leave()
    opened.forget()
    host.clear_scene()
    host.load_scene(tmp_path / "scene.mrb")
    again = Views()
    assert again.layout == LAYOUTS[0]
    again.leave()
    assert manager.layout == 6


def test_closing_the_scene_while_a_layout_is_shown(host, opened, nodes):
    opened.show(LAYOUTS[0], arrangement(nodes))
    opened.forget()
    host.clear_scene()
    assert opened.place() is None
    opened.leave()

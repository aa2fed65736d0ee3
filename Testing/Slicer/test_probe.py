"""Curves and values at places: what the mouse, points and segments read equals what the library reads there."""

import dataclasses
import time

import numpy as np
import pytest
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from PyPeTLib import PipelineConfig, run_pipeline
from PyPeTLib.memory import StageMemory
from PyPeTLib.probing import Probe
from PyPeTSlicer.nodes import RUN
from PyPeTSlicer.outputs import OutputNodes, write_outputs
from PyPeTSlicer.probe import CROSSHAIR, MOUSE, NOTHING, POINTS, Probing
from PyPeTSlicer.probe_output import AIF, CHARTS, CONCENTRATION, RESIDUE, RESPONSE, ROLE, SIGNAL, value_in_words
from PyPeTSlicer.segments import SegmentChoice
from PyPeTSlicer.sequences import proxy_of
from PyPeTSlicer.session import Run


@pytest.fixture
def crosshair(host):
    return slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")


@pytest.fixture(scope="module")
def analysed():
    """What was read and found of each head, by modality: the scene is empty in each test, but need not be analysed."""
    return {}


@pytest.fixture
def ran(logic, sequence, analysed):
    """``ran(modality)``: the run of a head, in memory."""

    def run(modality):
        parameters = logic.getParameterNode()
        node = parameters.inputSequence = sequence(modality, "oblique")
        logic.adopt(parameters)
        if modality not in analysed:
            logic.process(parameters)
            made = logic.session.run_of(node)
            analysed[modality] = (made.loaded, made.result)
            return made
        loaded, result = analysed[modality]
        outputs = write_outputs(result, loaded, sequence=node, proxy=proxy_of(node), wanted=OutputNodes(), given=set())
        parameters.segmentation = outputs.segmentation
        number = outputs.segmentation.GetAttribute(RUN)
        return Run(sequence=node, loaded=loaded, result=result, outputs=outputs, number=number)

    return run


@pytest.fixture
def probing(ran):
    """``probing(modality)``: a probe that follows the mouse; closed at the end."""
    made = []

    def probe(modality="ctp"):
        one = Probing(ran(modality))
        one.follow(MOUSE)
        made.append(one)
        return one

    yield probe
    for one in made:
        one.close()


def some_places(run, count=4):
    """Places of analysed voxels in the series' own RAS mm, a little off their centres."""
    voxels = np.argwhere(run.result.analysed)
    voxels = voxels[np.random.default_rng(3).choice(len(voxels), count)]
    offset = run.result.series.affine[:3, :3] @ [0.2, -0.3, 0.1]
    return [tuple((run.result.series.affine @ [*voxel, 1.0])[:3] + offset) for voxel in voxels]


def column(node, name):
    found = node.GetTable().GetColumnByName(name)
    assert found is not None, name
    return vtk_to_numpy(found)


def words(node, name):
    table = node.GetTable()
    array = table.GetColumnByName(name)
    return dict(
        zip(
            (table.GetColumn(0).GetValue(i) for i in range(table.GetNumberOfRows())),
            (array.GetValue(i) for i in range(table.GetNumberOfRows())),
            strict=True,
        )
    )


def table_of(probing, name):
    return probing.run.outputs.segmentation.GetNodeReference(f"{ROLE}{name}Table")


def expect_shown(probing, label, reading):
    """All tables show a reading of the library under a name."""
    curves, found = reading.curves, reading.deconvolved
    content, response = table_of(probing, CONCENTRATION), table_of(probing, RESPONSE)
    for end, expected in (
        ("", curves.smoothed),
        (" measured", curves.measured),
        (" fit", None if found is None else found.response.fitted),
    ):
        shown = column(content, f"{label}{end}")
        if expected is None:
            assert np.isnan(shown).all()
        else:
            np.testing.assert_allclose(shown, expected, rtol=1e-12)
    if found is not None:
        np.testing.assert_allclose(column(response, f"{label} k"), found.response.values, rtol=1e-12)
        np.testing.assert_allclose(column(response, f"{label} R"), found.response.residue, rtol=1e-12)
        np.testing.assert_allclose(column(response, "Lag"), found.response.lags)
    signal = column(table_of(probing, SIGNAL), label)
    np.testing.assert_allclose(signal[np.isfinite(signal)], curves.signals[0], rtol=1e-12)
    told = words(probing.values, label)
    for value in reading.values.values():
        assert told[value.symbol] == value_in_words(value)


@pytest.mark.parametrize("modality", ["ctp", "dsc"])
def test_what_the_mouse_reads_is_what_the_library_reads(probing, crosshair, modality, record_property):
    one = probing(modality)
    library = Probe.of(one.run.result)
    took = []
    for place in some_places(one.run, 12):
        start = time.perf_counter()
        crosshair.SetCursorPositionRAS(place)
        took.append(time.perf_counter() - start)
        expect_shown(one, "Cursor", library.at(place))
    record_property("median_ms", 1e3 * float(np.median(took)))
    assert np.median(took) < 0.25
    assert {name: one.chart(name).GetNumberOfPlotSeriesNodes() for name in CHARTS} == {
        SIGNAL: 1,
        CONCENTRATION: 4,
        RESPONSE: 1,
        RESIDUE: 1,
    }
    assert table_of(one, CONCENTRATION).GetColumnUnitLabel("Cursor") == ("HU" if modality == "ctp" else "1/s")
    content = table_of(one, CONCENTRATION)
    assert column(content, AIF).max() == pytest.approx(column(content, "Cursor").max())


def test_nodes_and_arrays_are_made_once_and_tell_once(probing, crosshair):
    one = probing()
    first, second, *_ = some_places(one.run)
    crosshair.SetCursorPositionRAS(first)
    nodes = slicer.mrmlScene.GetNumberOfNodes()
    table = table_of(one, CONCENTRATION)
    array = table.GetTable().GetColumnByName("Cursor")
    told = []
    tag = table.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: told.append(1))
    crosshair.SetCursorPositionRAS(second)
    assert len(told) == 1
    assert table.GetTable().GetColumnByName("Cursor") is array
    assert slicer.mrmlScene.GetNumberOfNodes() == nodes
    # within a voxel there is nothing new
    crosshair.SetCursorPositionRAS([value + 0.01 for value in second])
    assert len(told) == 1
    table.RemoveObserver(tag)


def test_the_crosshair_is_followed_instead(probing, crosshair):
    one = probing()
    first, second, *_ = some_places(one.run)
    one.follow(CROSSHAIR)
    crosshair.SetCrosshairRAS(first)
    crosshair.SetCursorPositionRAS(second)
    expect_shown(one, "Cursor", Probe.of(one.run.result).at(first))
    one.follow(NOTHING)
    assert one.readings == []


def test_outside_there_is_only_what_is_known(probing, crosshair):
    one = probing()
    place = some_places(one.run)[0]
    crosshair.SetCursorPositionRAS(place)
    crosshair.SetCursorPositionRAS([900.0, 0.0, 0.0])
    assert np.isnan(column(table_of(one, CONCENTRATION), "Cursor")).all()
    assert "outside the series" in words(one.values, "Cursor")["Note"]
    # out of all views: the last place stays
    crosshair.SetCursorPositionInvalid()
    assert one.readings[0][1].voxel is None
    corner = (one.run.result.series.affine @ [0, 0, 0, 1.0])[:3]
    crosshair.SetCursorPositionRAS(corner)
    assert "Outside the brain" in words(one.values, "Cursor")["Note"]
    np.testing.assert_allclose(column(table_of(one, SIGNAL), "Cursor"), one.run.result.series.array()[0, 0, 0])


def test_points_are_kept_compared_and_moved(probing, crosshair):
    one = probing()
    library = Probe.of(one.run.result)
    first, second, third, fourth = some_places(one.run)
    crosshair.SetCursorPositionRAS(fourth)
    points = one.make_points()
    assert one.make_points() is points
    assert one.run.outputs.segmentation.GetNodeReference(POINTS) is points
    points.AddControlPoint(vtk.vtkVector3d(*first))
    points.AddControlPoint(vtk.vtkVector3d(*second))
    labels = [slot.label for slot, _ in one.readings]
    assert labels == ["Cursor", *(points.GetNthControlPointLabel(index) for index in (0, 1))]
    for label, place in zip(labels, (fourth, first, second), strict=True):
        expect_shown(one, label, library.at(place))
    points.SetNthControlPointPosition(1, *third)
    expect_shown(one, labels[2], library.at(third))
    colours = {one.chart(SIGNAL).GetNthPlotSeriesNode(index).GetColor() for index in range(3)}
    assert len(colours) == 3
    assert [one.chart(SIGNAL).GetNthPlotSeriesNode(index).GetName() for index in range(3)] == labels
    points.SetNthControlPointLabel(0, "Thalamus")
    expect_shown(one, "Thalamus", library.at(first))
    points.RemoveNthControlPoint(0)
    assert [slot.label for slot, _ in one.readings] == ["Cursor", labels[2]]
    expect_shown(one, labels[2], library.at(third))
    assert one.chart(SIGNAL).GetNumberOfPlotSeriesNodes() == 2
    one.clear()
    assert [slot.label for slot, _ in one.readings] == ["Cursor"]


def test_transforms_of_the_series_and_of_the_points_count(probing, crosshair):
    one = probing()
    place = some_places(one.run)[0]
    moved = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = vtk.vtkMatrix4x4()
    for row, value in enumerate((30.0, -12.0, 5.0)):
        matrix.SetElement(row, 3, value)
    moved.SetMatrixTransformToParent(matrix)
    expected = Probe.of(one.run.result).at(place)
    world = [place[0] + 30, place[1] - 12, place[2] + 5]
    crosshair.SetCursorPositionRAS(world)
    proxy_of(one.run.sequence).SetAndObserveTransformNodeID(moved.GetID())
    expect_shown(one, "Cursor", expected)
    points = one.make_points()
    points.AddControlPoint(vtk.vtkVector3d(*place))
    points.SetAndObserveTransformNodeID(moved.GetID())
    expect_shown(one, points.GetNthControlPointLabel(0), expected)


def test_a_segment_reads_its_mean(probing):
    one = probing()
    one.follow(NOTHING)
    segmentation = one.run.outputs.segmentation
    reading = one.add_region(SegmentChoice(segmentation=segmentation, segment_id="Brain"))
    expected = Probe.of(one.run.result).region(one.run.result.brain.mask)
    assert reading.n_voxels == expected.n_voxels > 100
    expect_shown(one, "Brain", expected)
    assert "±" in words(one.values, "Brain")["CBF"]
    assert " ml" in words(one.values, "Brain")["Place"]
    slicer.mrmlScene.RemoveNode(segmentation)
    assert one.is_closed


@pytest.mark.parametrize("what", ["scene", "series", "run"])
def test_ends_with_what_it_reads(host, probing, crosshair, logic, what):
    observed = host.observer_count(slicer.mrmlScene) + host.observer_count(crosshair)
    one = probing()
    crosshair.SetCursorPositionRAS(some_places(one.run)[0])
    if what == "scene":
        host.clear_scene()
    elif what == "series":
        slicer.mrmlScene.RemoveNode(one.run.sequence)
    else:
        logic.process(logic.getParameterNode())
        crosshair.SetCursorPositionRAS([1.0, 2.0, 3.0])
    assert one.is_closed
    assert host.observer_count(slicer.mrmlScene) + host.observer_count(crosshair) == observed
    crosshair.SetCursorPositionRAS([2.0, 2.0, 3.0])


def test_observers_go_when_it_is_closed(host, probing, crosshair):
    before = host.observer_count(slicer.mrmlScene) + host.observer_count(crosshair)
    one = probing()
    proxy = proxy_of(one.run.sequence)
    points = one.make_points()
    counts = host.observer_count(proxy), host.observer_count(points)
    one.close()
    assert (host.observer_count(proxy), host.observer_count(points)) == (counts[0] - 1, counts[1] - 4)
    assert host.observer_count(slicer.mrmlScene) + host.observer_count(crosshair) <= before + 1


def test_removed_nodes_are_made_anew_and_removed_points_are_left_out(probing, crosshair):
    one = probing()
    first, second, *_ = some_places(one.run)
    points = one.make_points()
    points.AddControlPoint(vtk.vtkVector3d(*first))
    crosshair.SetCursorPositionRAS(first)
    slicer.mrmlScene.RemoveNode(points)
    assert [slot.label for slot, _ in one.readings] == ["Cursor"]
    for node in (table_of(one, CONCENTRATION), one.chart(SIGNAL), one.values):
        slicer.mrmlScene.RemoveNode(node)
    crosshair.SetCursorPositionRAS(second)
    expect_shown(one, "Cursor", Probe.of(one.run.result).at(second))
    assert one.make_points().GetNumberOfControlPoints() == 0


def test_a_method_without_a_response_says_so(ran, crosshair):
    run = ran("ctp")
    config = PipelineConfig.for_modality("ctp", {"deconvolution": {"method": "peak-height"}})
    result = run_pipeline(run.loaded.series, config, memory=StageMemory())
    one = Probing(dataclasses.replace(run, result=result))
    one.follow(MOUSE)
    place = some_places(one.run)[0]
    crosshair.SetCursorPositionRAS(place)
    expect_shown(one, "Cursor", Probe.of(result).at(place))
    assert one.chart(RESIDUE).GetNumberOfPlotSeriesNodes() == 0
    assert "no impulse response" in words(one.values, "Cursor")["Note"]
    one.close()


# ---- the panel


@pytest.fixture
def section(panel):
    return next(part for part in panel.sections if type(part).__name__ == "ProbeSection")


def run_on(panel, sequence, modality="ctp"):
    panel._parameterNode.inputSequence = sequence(modality)
    panel.ui.runButton.click()
    assert panel.ui.statusLabel.text.startswith("Done"), panel.ui.statusLabel.text


def test_the_panel_reads_at_the_mouse_at_points_and_in_segments(host, panel, section, sequence, crosshair):
    ui = section.ui
    assert not ui.probeCheck.enabled
    assert "run PyPeT first" in ui.probeReadout.text
    run_on(panel, sequence)
    assert ui.probeCheck.enabled
    ui.probeCheck.checked = True
    run = section.probing.run
    crosshair.SetCursorPositionRAS(some_places(run)[0])
    cbf = Probe.of(run.result).at(some_places(run)[0]).values["cbf"]
    assert f"CBF {value_in_words(cbf)} ml/100g/min" in ui.probeReadout.text
    assert "Cerebral blood flow" in ui.probeReadout.toolTip
    ui.probePlaceButton.click()
    host.click(some_places(run)[1])
    assert section.probing.points.GetNumberOfControlPoints() == 1
    ui.probeSegmentationSelector.setCurrentNode(run.outputs.segmentation)
    assert ui.probeRegionButton.enabled
    ui.probeRegionButton.click()
    assert len(section.probing.readings) == 3
    ui.probeFollowCombo.setCurrentIndex(2)
    # points and regions are read again in the next run
    panel.ui.runButton.click()
    assert section.probing.run is panel.logic.session.run_of(panel._parameterNode.inputSequence) is not run
    assert [slot.label for slot, _ in section.probing.readings] == ["P1", "Brain"]
    ui.probeClearButton.click()
    assert section.probing.readings == []
    ui.probeCheck.checked = False
    assert section.probing is None


def test_the_panel_says_why_nothing_is_read(host, panel, section, sequence, crosshair):
    run_on(panel, sequence)
    section.ui.probeCheck.checked = True
    assert section.probing is not None
    panel.logic.session.forget()
    section.follow()
    assert section.probing is None
    assert "Run again" in section.ui.probeReadout.text
    host.clear_scene()
    assert "run PyPeT first" in section.ui.probeReadout.text
    crosshair.SetCursorPositionRAS([0.0, 0.0, 0.0])


def test_the_plot_is_shown_beside_slices_and_values(host, panel, section, sequence):
    host.open_views()
    run_on(panel, sequence)
    section.ui.probeShowButton.click()
    probing = section.probing
    views = {node.GetPlotChartNodeID() for node in slicer.util.getNodesByClass("vtkMRMLPlotViewNode")}
    assert probing.chart(CONCENTRATION).GetID() in views
    section.ui.probePlotCombo.setCurrentIndex(2)
    views = {node.GetPlotChartNodeID() for node in slicer.util.getNodesByClass("vtkMRMLPlotViewNode")}
    assert probing.chart(RESPONSE).GetID() in views

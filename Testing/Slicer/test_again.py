"""Runs after the first: the same nodes, edited segments, other series, other modality, saved scenes."""

import numpy as np
import pytest
import slicer

from PyPeTSlicer import segments
from PyPeTSlicer.sequences import proxy_of

MAPS = ("cbf", "cbv", "mtt", "ttp", "tmax")


def outputs(parameters):
    return {name: getattr(parameters, f"{name}Volume") for name in MAPS} | {"segmentation": parameters.segmentation}


def paint_more(parameters, segment):
    """Add the voxels beside those of a segment, as a user's brush would."""
    node, reference = parameters.segmentation, parameters.cbfVolume
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment, reference)
    more = mask | np.roll(mask, 1, axis=2)
    slicer.util.updateSegmentBinaryLabelmapFromArray(more, node, segment, reference)
    return more


def segment_of(parameters, segment):
    return slicer.util.arrayFromSegmentBinaryLabelmap(parameters.segmentation, segment, parameters.cbfVolume)


def test_the_second_run_writes_into_the_same_nodes(host, panel, sequence):
    panel._parameterNode.inputSequence = sequence("ctp")
    panel.ui.runButton.click()
    first = outputs(panel._parameterNode)
    smooth = slicer.util.arrayFromVolume(first["cbf"]).copy()
    count = host.scene.GetNumberOfNodes()
    first["cbf"].GetDisplayNode().SetWindowLevelMinMax(0, 33)
    panel.ui.smoothingSpin.value = 0.0
    panel.ui.runButton.click()
    assert outputs(panel._parameterNode) == first
    assert host.scene.GetNumberOfNodes() == count
    assert not np.array_equal(slicer.util.arrayFromVolume(first["cbf"]), smooth)
    assert first["cbf"].GetDisplayNode().GetWindowLevelMax() == 33, "the user's window stays"


def test_a_map_with_another_scale_is_shown_anew(panel, sequence, heads):
    parameters = panel._parameterNode
    parameters.inputSequence = sequence("dsc")
    panel.ui.runButton.click()
    flow = parameters.cbfVolume
    legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(flow)
    assert legend.GetTitleText() == "CBF\na.u."
    white = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "White matter")
    segments.write_segments(
        white,
        {"Brain": heads("dsc").masks["white"] & heads("dsc").masks["healthy_side"]},
        heads("dsc").series.orientation,
        set(),
    )
    parameters.whiteMatterSegmentation, parameters.whiteMatterSegment = white, "Brain"
    parameters.whiteMatterCBF = 22.0
    panel.ui.runButton.click()
    assert panel.ui.statusLabel.text.startswith("Done"), panel.ui.statusLabel.text
    assert parameters.cbfVolume is flow
    legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(flow)
    assert legend.GetTitleText() == "CBF\nml/100g\n/min"
    assert flow.GetDisplayNode().GetWindowLevelMax() == 80
    assert flow.GetAttribute("PyPeT.WhiteMatterScale") is not None
    parameters.whiteMatterSegmentation = None
    parameters.whiteMatterCBF = 0.0
    panel.ui.runButton.click()
    assert flow.GetAttribute("PyPeT.WhiteMatterScale") is None, "no fact of an earlier run stays"
    assert slicer.modules.colors.logic().GetColorLegendDisplayNode(flow).GetTitleText() == "CBF\na.u."


def test_a_name_that_the_user_gave_stays(panel, sequence):
    panel._parameterNode.inputSequence = sequence("ctp")
    panel.ui.runButton.click()
    panel._parameterNode.cbfVolume.SetName("Flow of Mr X")
    panel.ui.runButton.click()
    assert panel._parameterNode.cbfVolume.GetName() == "Flow of Mr X"
    assert panel._parameterNode.cbvVolume.GetName() == "Head CBV"


@pytest.mark.parametrize("segment", ["AIF", "Brain"])
def test_an_edited_segment_is_the_input_of_the_next_run(panel, sequence, segment):
    parameters = panel._parameterNode
    parameters.inputSequence = sequence("ctp")
    panel.ui.runButton.click()
    painted = paint_more(parameters, segment)
    for _ in range(2):
        panel.ui.runButton.click()
        assert panel.ui.statusLabel.text.startswith("Done"), panel.ui.statusLabel.text
        np.testing.assert_array_equal(segment_of(parameters, segment) > 0, painted > 0)
    if segment == "AIF":
        assert parameters.cbfVolume.GetAttribute("PyPeT.AIFSource") == "mask"


def test_untouched_segments_are_found_anew(panel, sequence):
    parameters = panel._parameterNode
    parameters.inputSequence = sequence("ctp")
    panel.ui.runButton.click()
    panel.ui.runButton.click()
    assert parameters.cbfVolume.GetAttribute("PyPeT.AIFSource") == "automatic"


def test_edits_do_not_count_where_the_user_says_so_or_removes_them(panel, sequence):
    parameters = panel._parameterNode
    parameters.inputSequence = sequence("ctp")
    panel.ui.runButton.click()
    found = segment_of(parameters, "AIF").copy()
    paint_more(parameters, "AIF")
    panel.ui.useEditsCheck.checked = False
    panel.ui.runButton.click()
    np.testing.assert_array_equal(segment_of(parameters, "AIF"), found)
    panel.ui.useEditsCheck.checked = True
    paint_more(parameters, "AIF")
    parameters.segmentation.GetSegmentation().RemoveSegment("AIF")
    panel.ui.runButton.click()
    np.testing.assert_array_equal(segment_of(parameters, "AIF"), found)


def test_other_segments_and_colours_of_the_segmentation_stay(panel, sequence):
    parameters = panel._parameterNode
    parameters.inputSequence = sequence("ctp")
    panel.ui.runButton.click()
    content = parameters.segmentation.GetSegmentation()
    content.AddEmptySegment("Mine", "Mine")
    content.GetSegment("Brain").SetColor(0.1, 0.2, 0.3)
    panel.ui.runButton.click()
    assert content.GetSegment("Mine") is not None
    assert content.GetSegment("Brain").GetColor() == pytest.approx((0.1, 0.2, 0.3))


def test_a_segment_of_another_segmentation_as_artery(panel, sequence, heads):
    parameters = panel._parameterNode
    parameters.inputSequence = sequence("ctp", "oblique")
    series = heads("ctp", "oblique").series
    artery = heads("ctp", "oblique").arterial_fraction > 0.5
    assert artery.sum() > 3
    own = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Drawn")
    segments.write_segments(own, {"AIF": artery}, series.orientation, set())
    parameters.aifSegmentation = own
    panel.ui.aifSegmentCombo.setCurrentIndex(panel.ui.aifSegmentCombo.findText("AIF"))
    assert parameters.aifSegment == "AIF"
    panel.ui.runButton.click()
    assert panel.ui.statusLabel.text.startswith("Done"), panel.ui.statusLabel.text
    assert segment_of(parameters, "AIF").sum() == artery.sum()
    assert parameters.cbfVolume.GetAttribute("PyPeT.AIFSource") == "mask"
    own.GetSegmentation().RemoveSegment("AIF")
    parameters.Modified()
    assert "is gone" in panel.ui.runButton.toolTip


def test_nodes_made_by_the_selectors_are_filled(panel, sequence):
    parameters = panel._parameterNode
    parameters.inputSequence = sequence("ctp")
    flow = panel.ui.cbfSelector.addNode()
    segmentation = panel.ui.segmentationSelector.addNode()
    panel.ui.runButton.click()
    assert panel.ui.statusLabel.text.startswith("Done"), panel.ui.statusLabel.text
    assert parameters.cbfVolume is flow
    assert slicer.util.arrayFromVolume(flow).max() > 0
    assert flow.GetDisplayNode().GetColorNode().GetName() == "PyPeT-Perfusion"
    assert parameters.segmentation is segmentation
    assert segment_of(parameters, "Brain").sum() > 0


def test_nothing_is_written_over_that_is_no_earlier_result(panel, sequence):
    parameters = panel._parameterNode
    one, two = sequence("ctp", name="One"), sequence("ctp", name="Two")
    parameters.inputSequence = one
    panel.ui.runButton.click()
    of_one = parameters.cbfVolume
    parameters.cbvVolume = of_one
    assert "CBV and CBF are to be written into the same node, One CBF" in panel.ui.runButton.toolTip
    parameters.inputSequence = two
    parameters.cbfVolume = of_one
    assert "CBF: One CBF belongs to another series, One" in panel.ui.runButton.toolTip
    parameters.cbfVolume = proxy_of(two)
    assert "holds what PyPeT did not make" in panel.ui.runButton.toolTip
    assert not panel.ui.runButton.enabled
    parameters.cbfVolume = None
    assert panel.ui.runButton.enabled


def test_removing_a_node_never_chooses_its_neighbour(panel, sequence):
    parameters = panel._parameterNode
    one, two = sequence("ctp", name="One"), sequence("ctp", name="Two")
    parameters.inputSequence = one
    panel.ui.runButton.click()
    slicer.mrmlScene.RemoveNode(parameters.cbfVolume)
    assert parameters.cbfVolume is None
    assert panel.ui.cbfSelector.currentNode() is None
    slicer.mrmlScene.RemoveNode(parameters.segmentation)
    assert parameters.segmentation is None
    parameters.inputSequence = two
    slicer.mrmlScene.RemoveNode(two)
    assert parameters.inputSequence is None


def test_a_renamed_segment_keeps_its_id_and_name(panel, sequence):
    parameters = panel._parameterNode
    parameters.inputSequence = sequence("ctp")
    panel.ui.runButton.click()
    content = parameters.segmentation.GetSegmentation()
    content.GetSegment("AIF").SetName("Left carotid")
    panel.ui.runButton.click()
    assert panel.ui.statusLabel.text.startswith("Done"), panel.ui.statusLabel.text
    assert content.GetSegment("AIF").GetName() == "Left carotid"
    assert content.GetNumberOfSegments() == len({"Brain", "AIF", "VOF", "CSF", "Large vessels"})


def test_a_scene_that_comes_in_beside_changes_nothing(host, panel, sequence, tmp_path):
    parameters = panel._parameterNode
    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Other")
    slicer.util.updateVolumeFromArray(volume, np.ones((3, 3, 3), np.float32))
    path = tmp_path / "other.nrrd"
    slicer.util.saveNode(volume, str(path))
    slicer.mrmlScene.RemoveNode(volume)
    parameters.inputSequence = sequence("dsc")
    panel.ui.smoothingSpin.value = 1.5
    panel.ui.runButton.click()
    before = outputs(parameters)
    host.scene.StartState(host.scene.ImportState)
    slicer.util.loadVolume(str(path))
    host.scene.EndState(host.scene.ImportState)
    parameters = panel._parameterNode
    assert parameters.inputSequence is not None
    assert outputs(parameters) == before
    assert parameters.smoothing == 1.5
    assert panel.ui.runButton.enabled


@pytest.mark.parametrize("state", ["ImportState", "BatchProcessState"])
def test_what_changes_while_many_nodes_come_is_shown_at_the_end(host, panel, sequence, state):
    node = sequence("dsc")
    host.scene.StartState(getattr(host.scene, state))
    panel.logic.getParameterNode().inputSequence = node
    host.scene.EndState(getattr(host.scene, state))
    assert panel.ui.inputSelector.currentNode() is node
    assert "40 frames" in panel.ui.timingLabel.text


def test_another_segmentation_means_choosing_the_segment_anew(panel, sequence):
    parameters = panel._parameterNode
    parameters.inputSequence = sequence("ctp")
    drawn = [slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name) for name in ("First", "Second")]
    for node in drawn:
        node.GetSegmentation().AddEmptySegment("Brain", "Brain")
    parameters.brainSegmentation = drawn[0]
    assert "choose one of the segments" in panel.ui.runButton.toolTip
    panel.ui.brainSegmentCombo.setCurrentIndex(1)
    assert parameters.brainSegment == "Brain"
    parameters.brainSegmentation = drawn[1]
    assert parameters.brainSegment == ""
    assert "choose one of the segments" in panel.ui.runButton.toolTip
    parameters.brainSegmentation = None
    assert panel.ui.runButton.enabled


def test_two_series_in_one_scene_never_share_outputs(panel, sequence):
    parameters = panel._parameterNode
    one, two = sequence("ctp", name="One"), sequence("dsc", name="Two")
    parameters.inputSequence = one
    panel.ui.runButton.click()
    of_one = outputs(parameters)
    values = slicer.util.arrayFromVolume(of_one["cbf"]).copy()
    parameters.inputSequence = two
    assert all(node is None for node in outputs(parameters).values())
    panel.ui.runButton.click()
    of_two = outputs(parameters)
    assert of_two["cbf"].GetName() == "Two CBF"
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(of_one["cbf"]), values)
    parameters.inputSequence = one
    assert outputs(parameters) == of_one
    parameters.inputSequence = two
    assert outputs(parameters) == of_two


def test_switching_the_modality_brings_its_defaults(panel, module, sequence):
    parameters = panel._parameterNode
    parameters.inputSequence = sequence("ctp")
    assert parameters.modality is module.SeriesKind.CTP
    assert panel.ui.smoothingSpin.value == 3.0
    assert not panel.ui.echoTimeSpin.isVisibleTo(panel.parent)
    panel.ui.modalityCombo.setCurrentIndex(2)
    assert parameters.modality is module.SeriesKind.DSC
    assert panel.ui.smoothingSpin.value == 1.5
    assert panel.ui.echoTimeSpin.isVisibleTo(panel.parent)
    assert not panel.ui.runButton.enabled
    assert "echo time" in panel.ui.runButton.toolTip
    panel.ui.echoTimeSpin.value = 30.0
    assert panel.ui.runButton.enabled


def test_a_saved_scene_brings_everything_back(host, panel, module, sequence, tmp_path):
    parameters = panel._parameterNode
    parameters.inputSequence = sequence("dsc")
    panel.ui.smoothingSpin.value = 1.25
    panel.ui.methodCombo.setCurrentIndex(panel.ui.methodCombo.findText("bsvd"))
    panel.form.field("aif", "erosion").setValue(2.5)
    panel.ui.frameTimesEdit.text = "1.5"
    panel.onFrameTimesEdited()
    panel.ui.runButton.click()
    assert panel.ui.statusLabel.text.startswith("Done"), panel.ui.statusLabel.text
    values = {
        name: slicer.util.arrayFromVolume(node).copy() for name, node in outputs(parameters).items() if name in MAPS
    }
    brain = segment_of(parameters, "Brain").copy()
    path = tmp_path / "scene.mrb"
    host.save_scene(path)
    host.clear_scene()
    assert panel._parameterNode.inputSequence is None
    host.load_scene(path)

    parameters = panel._parameterNode
    assert parameters.inputSequence.GetName() == "Head"
    assert parameters.modality is module.SeriesKind.DSC
    assert parameters.echoTime == pytest.approx(30)
    assert (parameters.smoothing, parameters.method, parameters.frameTimes) == (1.25, "bsvd", "1.5")
    assert panel.ui.smoothingSpin.value == 1.25
    assert panel.ui.methodCombo.currentText == "bsvd"
    assert panel.form.field("aif", "erosion").value == 2.5
    for name, array in values.items():
        volume = getattr(parameters, f"{name}Volume")
        np.testing.assert_array_equal(slicer.util.arrayFromVolume(volume), array)
        assert volume.GetDisplayNode().GetColorNode().GetName().startswith("PyPeT-")
        assert volume.GetAttribute("PyPeT.Method") == "bsvd"
        assert slicer.modules.colors.logic().GetColorLegendDisplayNode(volume) is not None
    np.testing.assert_array_equal(segment_of(parameters, "Brain"), brain)
    table = parameters.segmentation.GetNodeReference("PyPeT.Curves")
    assert slicer.util.arrayFromTableColumn(table, "Time")[1] == 1.5
    assert parameters.segmentation.GetNodeReference("PyPeT.Chart").GetNumberOfPlotSeriesNodes() == 4
    assert parameters.segmentation.GetNodeReference("PyPeT.Summary").GetNumberOfRows() > 10
    # and the next run goes into the same nodes, the segments not mistaken for edited ones
    panel.ui.runButton.click()
    assert panel._parameterNode.cbfVolume.GetAttribute("PyPeT.AIFSource") == "automatic"
    assert len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")) == 6, "five maps and the series"

"""From each kind of input to five volumes, masks, curves and a folder, by the panel's own button."""

import nibabel
import numpy as np
import pytest
import slicer
from comparing import expect_equal, expect_segment

from PyPeTLib.series import Modality
from PyPeTSlicer import running
from PyPeTSlicer.sequences import proxy_of

MAPS = ("cbf", "cbv", "mtt", "ttp", "tmax")
AFFINES = ("ras", "las", "oblique", "tilted", "permuted")


def from_nifti(host, panel, head_files, modality, affine, tmp_path):
    host.file_answers.append(str(head_files(modality, affine)))
    panel.ui.loadButton.click()
    return panel._parameterNode.inputSequence


def from_sequence_file(host, panel, head_files, modality, affine, tmp_path):
    node = panel.logic.loadFile(head_files(modality, affine))
    path = tmp_path / "head.seq.nrrd"
    assert slicer.util.saveNode(node, str(path))
    host.clear_scene()
    assert slicer.util.loadSequence(str(path)) is not None
    panel.enter()
    return panel._parameterNode.inputSequence


def from_dicom_like_node(host, panel, head_files, modality, affine, tmp_path):
    """As an importer of DICOM leaves it: numbered frames, the times in ms as labels, the echo time in ms."""
    node = panel.logic.loadFile(head_files(modality, affine))
    times = [float(node.GetNthIndexValue(i)) for i in range(node.GetNumberOfDataNodes())]
    volumes = [node.GetNthDataNode(i) for i in range(len(times))]
    other = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "Imported")
    for index, volume in enumerate(volumes):
        other.SetDataNodeAtValue(volume, str(index))
    other.SetAttribute("MultiVolume.FrameLabels", ",".join(f"{1000 * time:.0f}" for time in times))
    other.SetAttribute("MultiVolume.FrameIdentifyingDICOMTagUnits", "ms")
    if modality == "dsc":
        other.SetAttribute("MultiVolume.DICOM.EchoTime", "30")
        other.SetAttribute("DICOM.Modality", "MR")
    slicer.mrmlScene.RemoveNode(node)
    panel._parameterNode.inputSequence = other
    return other


def confirm_modality(panel, module, modality):
    """A user's look at what was proposed: set only where nothing told it."""
    if panel._parameterNode.modality is module.SeriesKind.UNKNOWN:
        panel.ui.modalityCombo.setCurrentIndex([kind.value for kind in module.SeriesKind].index(modality))


@pytest.mark.parametrize("source", [from_nifti, from_sequence_file, from_dicom_like_node], ids=lambda f: f.__name__)
@pytest.mark.parametrize("modality", ["ctp", "dsc"])
def test_maps_and_masks_equal_those_of_the_command_line(
    host, panel, module, head_files, library_run, tmp_path, source, modality
):
    node = source(host, panel, head_files, modality, "oblique", tmp_path)
    assert node is not None
    confirm_modality(panel, module, modality)
    assert panel.ui.runButton.enabled, panel.ui.runButton.toolTip

    panel.ui.runButton.click()

    assert panel.ui.statusLabel.text.startswith("Done"), panel.ui.statusLabel.text
    parameters = panel._parameterNode
    for name in MAPS:
        expect_equal(getattr(parameters, f"{name}Volume"), library_run(modality, "oblique") / f"{name}.nii.gz")
    for segment, file in (("Brain", "brain_mask"), ("AIF", "aif_mask"), ("VOF", "vof_mask")):
        expect_segment(
            parameters.segmentation, segment, parameters.cbfVolume, library_run(modality, "oblique") / f"{file}.nii.gz"
        )


@pytest.mark.parametrize("affine", AFFINES)
def test_outputs_lie_where_the_input_lies(logic, sequence, heads, at, affine):
    parameters = logic.getParameterNode()
    parameters.inputSequence = sequence("ctp", affine)
    logic.adopt(parameters)
    outputs = logic.process(parameters)
    head = heads("ctp", affine)

    def tmax_in(mask):
        places = np.argwhere(mask)[:: max(1, mask.sum() // 40)]
        points = (np.column_stack([places, np.ones(len(places))]) @ head.series.affine.T)[:, :3]
        return np.median([at(outputs.volumes["tmax"], point) for point in points])

    assert tmax_in(head.masks["penumbra"] | head.masks["core"]) > 6 > tmax_in(head.masks["healthy_side"])


def test_the_five_volumes_say_what_they_show(logic, sequence):
    parameters = logic.getParameterNode()
    parameters.inputSequence = sequence("ctp")
    logic.adopt(parameters)
    outputs = logic.process(parameters)
    cbf = outputs.volumes["cbf"]
    assert cbf.GetName() == "Head CBF"
    assert cbf.GetVoxelValueQuantity().GetCodeValue() == "126390"
    assert cbf.GetVoxelValueUnits().GetCodeValue() == "mL/min/(100.g)"
    assert cbf.GetAttribute("PyPeT.Method") == "osvd"
    assert cbf.GetAttribute("PyPeT.Modality") == "ctp"
    assert "Research use only" in cbf.GetAttribute("PyPeT.Notice")
    assert cbf.GetNodeReference("PyPeT.Input") is parameters.inputSequence
    display = cbf.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0, 80)
    assert display.GetApplyThreshold()
    assert 0 < display.GetLowerThreshold() < 0.01
    assert display.GetColorNode().GetName() == "PyPeT-Perfusion"
    legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(cbf)
    assert legend.GetTitleText() == "CBF\nml/100g\n/min"


def test_curves_plot_and_summary(logic, sequence, heads):
    parameters = logic.getParameterNode()
    parameters.inputSequence = sequence("dsc")
    logic.adopt(parameters)
    outputs = logic.process(parameters)
    table = outputs.curves.GetTable()
    names = [table.GetColumnName(i) for i in range(table.GetNumberOfColumns())]
    assert names == ["Time", "AIF measured", "AIF fit", "VOF", "Brain mean"]
    times = slicer.util.arrayFromTableColumn(outputs.curves, "Time")
    np.testing.assert_allclose(times, heads("dsc").series.frame_times)
    assert outputs.curves.GetColumnUnitLabel("AIF measured") == "1/s"
    assert float(outputs.curves.GetAttribute("PyPeT.BolusArrival")) > 3
    assert outputs.chart.GetNumberOfPlotSeriesNodes() == 4
    assert outputs.chart.GetNthPlotSeriesNode(0).GetTableNode() is outputs.curves
    assert "bolus arrives at" in outputs.chart.GetTitle()
    summary = outputs.summary.GetTable()
    found = {
        summary.GetValue(r, 0).ToString(): summary.GetValue(r, 1).ToString() for r in range(summary.GetNumberOfRows())
    }
    assert found["Echo time"] == "30"
    uncalibrated = "[uncalibrated: 0, at least 1]"
    assert found["Note"].endswith(uncalibrated)
    assert uncalibrated in outputs.volumes["cbf"].GetAttribute("PyPeT.Flags")
    assert found["Frames"] == "40"
    assert "tmax" in " ".join(found).casefold()
    assert "osvd" in outputs.summary.GetAttribute("PyPeT.Config")


def test_one_folder_a_run_beside_the_input(logic, sequence):
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    parameters = logic.getParameterNode()
    parameters.inputSequence = sequence("ctp")
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "Somebody")
    study = hierarchy.CreateStudyItem(patient, "Today")
    hierarchy.CreateItem(study, proxy_of(parameters.inputSequence))
    logic.adopt(parameters)
    outputs = logic.process(parameters)
    assert hierarchy.GetItemParent(outputs.folder) == study
    assert hierarchy.GetItemName(outputs.folder) == "PyPeT Head"
    for node in (*outputs.volumes.values(), outputs.segmentation, outputs.curves, outputs.chart, outputs.summary):
        assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == outputs.folder


def test_parent_transform_of_the_series_goes_to_the_outputs(logic, sequence):
    parameters = logic.getParameterNode()
    parameters.inputSequence = sequence("ctp")
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    proxy_of(parameters.inputSequence).SetAndObserveTransformNodeID(transform.GetID())
    logic.adopt(parameters)
    outputs = logic.process(parameters)
    assert outputs.volumes["tmax"].GetTransformNodeID() == transform.GetID()
    assert outputs.segmentation.GetTransformNodeID() == transform.GetID()


def test_relative_maps_on_demand(logic, sequence, head_files, library_run):
    parameters = logic.getParameterNode()
    parameters.inputSequence = sequence("ctp")
    logic.adopt(parameters)
    parameters.relative = True
    outputs = logic.process(parameters)
    assert set(outputs.relative) == set(MAPS)
    valid = np.asarray(nibabel.load(library_run("ctp") / "valid_mask.nii.gz").dataobj) > 0
    expected = np.asarray(nibabel.load(library_run("ctp") / "cbf_relative.nii.gz").dataobj)
    found = slicer.util.arrayFromVolume(outputs.relative["cbf"]).T
    np.testing.assert_allclose(found[valid], expected[valid], rtol=1e-4, atol=1e-5)
    assert (found[~valid & (expected == 0)] == -1).all(), "no value is 100 % below the mean, which is transparent"


def test_the_proxy_volume_serves_as_input_too(host, logic, sequence):
    node = sequence("ctp")
    proxy = proxy_of(node)
    outputs = running.run(running.RunRequest(sequence=proxy, modality=Modality.CTP))
    assert outputs.volumes["cbf"].GetNodeReference("PyPeT.Input") is node

"""What a run gives beside the five maps: further maps, the vein, curves; equal to the files of `pypet run`."""

import csv

import numpy as np
import pytest
import slicer
from comparing import expect_equal, expect_segment

from PyPeTLib.maps import QUANTITIES
from PyPeTSlicer import batch, segments

CTP_ALL = ("delay", "bat", "peak_height")
BAYES = ("delay", "shape", "cbf_sd", "cbv_sd", "mtt_sd", "delay_sd")
LEAKAGE = ("k1", "k2", "kep")

JOBS = {
    "all maps of CT": ("ctp", "osvd", {"quantification": {"maps": "all"}}, CTP_ALL),
    "all maps of DSC": ("dsc", "osvd", {"quantification": {"maps": "all"}}, (*CTP_ALL, "psr")),
    "uncertainties": ("ctp", "gamma-bayes", {}, BAYES),
    "leakage": ("dsc", "bsvd", {"contrast": {"leakage": "bidirectional"}}, LEAKAGE),
}


def choose(panel, method, changes):
    """Set options as a user does: the method on the panel, the others in the form."""
    panel.ui.methodCombo.setCurrentIndex(panel.ui.methodCombo.findText(method))
    for group, options in changes.items():
        for name, value in options.items():
            combo = panel.form.field(group, name)
            combo.setCurrentIndex(combo.findText(value))


def config_file(folder, method, changes):
    """The same options as a file for the command line."""
    tables = {"deconvolution": {"method": method}, **changes}
    lines = [f"[{group}]\n" + "".join(f'{k} = "{v}"\n' for k, v in table.items()) for group, table in tables.items()]
    path = folder / "options.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def press_run(panel):
    assert panel.ui.runButton.enabled, panel.ui.runButton.toolTip
    panel.ui.runButton.click()
    assert panel.ui.statusLabel.text.startswith("Done"), panel.ui.statusLabel.text


def volume(name, series="Head"):
    """The only volume of this name."""
    (node,) = (n for n in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") if n.GetName() == f"{series} {name}")
    return node


def volume_names():
    return sorted(node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"))


@pytest.mark.parametrize(("modality", "method", "changes", "further"), JOBS.values(), ids=JOBS)
def test_further_maps_equal_those_of_the_command_line(
    panel, head_files, library_run, tmp_path, modality, method, changes, further
):
    expected = library_run(modality, "oblique", "--config", config_file(tmp_path, method, changes))
    panel._parameterNode.inputSequence = panel.logic.loadFile(head_files(modality, "oblique"))
    series = panel._parameterNode.inputSequence.GetName()
    choose(panel, method, changes)
    press_run(panel)
    files = {path.name.removesuffix(".nii.gz") for path in expected.glob("*.nii.gz")}
    assert files - {"brain_mask", "valid_mask", "aif_mask", "vof_mask", "tissue", "lesions"} == {
        *further,
        *("cbf", "cbv", "mtt", "ttp", "tmax"),
    }
    for name in further:
        node, quantity = volume(QUANTITIES[name].symbol, series), QUANTITIES[name]
        expect_equal(node, expected / f"{name}.nii.gz", only_where=expected / "valid_mask.nii.gz")
        assert node.GetAttribute("PyPeT.Quantity") == quantity.title
        assert node.GetAttribute("PyPeT.Method") == method
        assert node.GetVoxelValueQuantity().GetCodeMeaning() == quantity.title
        assert node.GetNodeReference("PyPeT.Input") is panel._parameterNode.inputSequence
        display = node.GetDisplayNode()
        assert display.GetColorNode().GetName().startswith("PyPeT-")
        if quantity.name not in ("cbf_sd", "cbv_sd") or modality == "ctp":
            assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == pytest.approx(quantity.window)
        assert slicer.modules.colors.logic().GetColorLegendDisplayNode(node) is not None


@pytest.mark.parametrize("job", ["uncertainties", "leakage"])
def test_further_maps_on_the_batch(host, head_files, library_run, tmp_path, job):
    modality, method, changes, further = JOBS[job]
    options = config_file(tmp_path, method, changes)
    expected = library_run(modality, "oblique", "--config", options)
    out, series = tmp_path / "out", head_files(modality, "oblique")
    call = ["--input", str(series), "--output", str(out), "--config", str(options), "--no-figures", "--quiet"]
    assert batch.main(call) == 0
    host.load_scene(out / "scene.mrb")
    for name in (*further, "cbf"):
        assert (out / f"{name}.nii.gz").read_bytes() == (expected / f"{name}.nii.gz").read_bytes()
        node = volume(QUANTITIES[name].symbol, f"oblique_{modality}")
        expect_equal(node, expected / f"{name}.nii.gz", only_where=expected / "valid_mask.nii.gz")
    segmentation = slicer.util.getNode(f"oblique_{modality} segmentation")
    expect_segment(segmentation, "VOF", node, expected / "vof_mask.nii.gz")


def test_units_are_coded(panel, sequence):
    panel._parameterNode.inputSequence = sequence("dsc")
    choose(panel, "osvd", {"quantification": {"maps": "all"}, "contrast": {"leakage": "bidirectional"}})
    press_run(panel)
    found = {name: volume(name).GetVoxelValueUnits().GetCodeValue() for name in ("Ta", "PSR", "PH", "K1", "K2")}
    assert found == {"Ta": "s", "PSR": "%", "PH": "/s", "K1": "1", "K2": "/s"}


def test_values_below_zero_are_seen_where_they_mean_something(panel, sequence, heads):
    panel._parameterNode.inputSequence = sequence("ctp")
    choose(panel, "osvd", {"quantification": {"maps": "all"}})
    press_run(panel)
    delay = volume("Ta")
    values = slicer.util.arrayFromVolume(delay).T
    outside = ~heads("ctp").masks["brain"]
    inside = values[values > -1000]
    assert (values[outside] == -1000).mean() > 0.9
    assert inside.min() < 0 < np.median(inside)
    shown_from = delay.GetDisplayNode().GetLowerThreshold()
    assert -1000 < shown_from < inside.min()


def test_further_maps_come_once_stay_and_say_when_they_are_old(host, panel, sequence, describe):
    parameters = panel._parameterNode
    parameters.inputSequence = sequence("ctp")
    choose(panel, "gamma-bayes", {})
    press_run(panel)
    count, names = host.scene.GetNumberOfNodes(), volume_names()
    assert "Head SD CBF" in names
    uncertainty = volume("SD CBF")
    uncertainty.GetDisplayNode().SetWindowLevelMinMax(0, 7)
    press_run(panel)
    assert volume_names() == names
    assert host.scene.GetNumberOfNodes() == count
    assert volume("SD CBF") is uncertainty
    assert uncertainty.GetDisplayNode().GetWindowLevelMax() == 7, "the user's window stays"

    choose(panel, "osvd", {})
    press_run(panel)
    assert "Head SD CBF" not in volume_names()
    assert uncertainty.GetName() == "Head SD CBF (earlier run)"
    assert host.scene.GetNumberOfNodes() == count
    once_more = describe(host.scene)[uncertainty.GetID()]
    press_run(panel)
    assert describe(host.scene)[uncertainty.GetID()] == once_more

    choose(panel, "gamma-bayes", {})
    press_run(panel)
    assert volume_names() == names
    assert volume("SD CBF") is uncertainty
    uncertainty.SetName("My uncertainty")
    choose(panel, "osvd", {})
    press_run(panel)
    assert uncertainty.GetName() == "My uncertainty", "a name that the user chose stays"


def test_relative_maps_of_an_earlier_run_say_so_too(panel, sequence):
    panel._parameterNode.inputSequence = sequence("ctp")
    panel.ui.relativeCheck.checked = True
    press_run(panel)
    assert "Head CBF relative" in volume_names()
    panel.ui.relativeCheck.checked = False
    press_run(panel)
    assert "Head CBF relative (earlier run)" in volume_names()
    assert "Head CBF relative" not in volume_names()


def test_a_further_map_that_serves_as_another_output_is_made_anew(panel, sequence):
    parameters = panel._parameterNode
    parameters.inputSequence = sequence("ctp")
    choose(panel, "gamma-bayes", {})
    press_run(panel)
    taken = volume("SD CBF")
    parameters.cbfVolume = taken
    press_run(panel)
    assert parameters.cbfVolume is taken
    assert taken.GetAttribute("PyPeT.Symbol") == "CBF"
    assert volume("SD CBF") is not taken


def test_a_fault_while_writing_takes_further_maps_back(host, panel, sequence, describe, monkeypatch):
    from PyPeTSlicer import curves  # noqa: PLC0415 - beside its only use

    panel._parameterNode.inputSequence = sequence("ctp")
    choose(panel, "gamma-bayes", {})
    press_run(panel)
    choose(panel, "osvd", {"quantification": {"maps": "all"}})
    before = describe(host.scene)

    def fail(*_arguments):
        raise RuntimeError("the plot broke")

    monkeypatch.setattr(curves, "plot", fail)
    panel.ui.runButton.click()
    assert "the plot broke" in panel.ui.statusLabel.text
    host.messages.clear()
    assert describe(host.scene) == before


def test_a_saved_scene_keeps_further_maps_for_the_next_run(host, panel, sequence, tmp_path):
    panel._parameterNode.inputSequence = sequence("ctp")
    choose(panel, "gamma-bayes", {})
    press_run(panel)
    names = volume_names()
    values = slicer.util.arrayFromVolume(volume("SD MTT")).copy()
    host.save_scene(tmp_path / "scene.mrb")
    host.clear_scene()
    host.load_scene(tmp_path / "scene.mrb")
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(volume("SD MTT")), values)
    press_run(panel)
    assert volume_names() == names


def test_vein_and_curves_equal_those_of_the_command_line(panel, head_files, library_run):
    expected = library_run("dsc", "oblique")
    parameters = panel._parameterNode
    parameters.inputSequence = panel.logic.loadFile(head_files("dsc", "oblique"))
    press_run(panel)
    expect_segment(parameters.segmentation, "VOF", parameters.cbfVolume, expected / "vof_mask.nii.gz")
    table = parameters.segmentation.GetNodeReference("PyPeT.Curves")
    with (expected / "aif.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for column, key in (("Time", "time_s"), ("AIF measured", "measured"), ("AIF fit", "fitted"), ("VOF", "vof")):
        listed = [float(row[key]) for row in rows]
        np.testing.assert_allclose(slicer.util.arrayFromTableColumn(table, column), listed, rtol=1e-5, atol=1e-5)
    assert table.GetColumnUnitLabel("VOF") == "1/s"
    assert float(table.GetAttribute("PyPeT.AIFScale")) > 1
    chart = parameters.segmentation.GetNodeReference("PyPeT.Chart")
    plotted = [chart.GetNthPlotSeriesNode(i).GetYColumnName() for i in range(chart.GetNumberOfPlotSeriesNodes())]
    assert plotted == ["AIF measured", "AIF fit", "VOF", "Brain mean"]


def test_both_arteries_are_marked_where_each_side_has_its_own(panel, head_files, library_run, tmp_path):
    changes = {"aif": {"sides": "each"}}
    expected = library_run("ctp", "ras", "--config", config_file(tmp_path, "osvd", changes))
    parameters = panel._parameterNode
    parameters.inputSequence = panel.logic.loadFile(head_files("ctp"))
    choose(panel, "osvd", changes)
    press_run(panel)
    expect_equal(parameters.cbfVolume, expected / "cbf.nii.gz")
    expect_segment(parameters.segmentation, "AIF", parameters.cbfVolume, expected / "aif_mask.nii.gz")
    names = [n.GetName() for n in slicer.util.getNodesByClass("vtkMRMLPlotSeriesNode")]
    assert names == ["AIF measured", "AIF fit", "AIF left", "AIF right", "VOF", "Brain mean"]
    choose(panel, "osvd", {"aif": {"sides": "whole"}})
    press_run(panel)
    chart = parameters.segmentation.GetNodeReference("PyPeT.Chart")
    assert chart.GetNumberOfPlotSeriesNodes() == 4
    choose(panel, "osvd", changes)
    press_run(panel)
    assert [n.GetName() for n in slicer.util.getNodesByClass("vtkMRMLPlotSeriesNode")] == names, "used again"


def test_segments_without_voxels_are_empty(panel, sequence, heads):
    """A population curve has no place, and a run without artery has none either."""
    parameters = panel._parameterNode
    parameters.inputSequence = sequence("ctp")
    press_run(panel)
    panel.ui.populationCheck.checked = True
    press_run(panel)
    found = slicer.util.arrayFromSegmentBinaryLabelmap(parameters.segmentation, segments.AIF, parameters.cbfVolume)
    assert found is None or not found.any()
    panel.ui.populationCheck.checked = False
    press_run(panel)
    assert parameters.cbfVolume.GetAttribute("PyPeT.AIFSource") == "automatic", "an empty segment is no edit"

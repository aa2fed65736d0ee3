"""Maps of a run against reference volumes: figures, geometry, units, nodes, refusals."""

import json
import math

import compared_runs
import numpy as np
import pytest
import slicer
from compared_runs import add_reference, add_references, add_run, add_transform, add_volume

from PyPeTLib.compare import METRICS, CompareOptions, MapImage, compare_maps
from PyPeTLib.errors import CancelledError, InputError
from PyPeTLib.geometry import nearest_ras
from PyPeTSlicer import comparison, comparison_charts, comparison_nodes, references, segments
from PyPeTSlicer.comparison_nodes import FIGURES, NO_VALUE, ROLE, comparison_of
from PyPeTSlicer.nodes import INPUT, subject_hierarchy
from PyPeTSlicer.sequences import grid_of, voxels_of


@pytest.fixture
def run(host):
    return add_run()


def compared(run, **more):
    return comparison.compare(comparison.request_of(run, **more))


def figures(run):
    return json.loads(comparison_of(run.segmentation).table.GetAttribute(FIGURES))


def cells(table):
    rows = range(table.GetNumberOfRows())
    return {table.GetCellText(row, 0): [table.GetCellText(row, 1 + n) for n in range(5)] for row in rows}


def test_a_map_and_its_copy_agree_entirely(run):
    add_references(run, tells=True)
    nodes = compared(run)
    assert list(nodes.maps) == list(compared_runs.MAPS)
    for quantity, found in figures(run).items():
        for name in ("ncc", "pearson", "concordance", "ssim_brain", "ssim_with_background"):
            assert found[name] == 1, (quantity, name)
        for name in ("mae", "mse", "rmse", "bias", "limit_lower", "limit_upper"):
            assert found[name] == 0, (quantity, name)
    shown = cells(nodes.table)
    assert shown["NCC"] == ["1"] * 5
    assert shown["MAE"][0] == "0 ml/100g/min"
    columns = [nodes.table.GetTable().GetColumnName(n) for n in range(6)]
    assert columns == ["Figure", "CBF", "CBV", "MTT", "TTP", "Tmax"]


@pytest.mark.parametrize("affine", ["ras", "oblique"])
@pytest.mark.parametrize("grid", ["flipped", "permuted", "cropped", "finer", "rotated"])
def test_the_grid_of_the_reference_does_not_matter(host, affine, grid):
    run = add_run(affine=affine)
    add_references(run, ["cbf"], grid=getattr(compared_runs, grid))
    nodes = compared(run).maps["cbf"]
    found = figures(run)["cbf"]
    if grid == "rotated":
        # turned twice, neighbours are mixed
        assert found["pearson"] > 0.9
        assert found["of_generated"] > 70
    else:
        assert found["pearson"] == pytest.approx(1, abs=1e-6)
        assert found["mae"] == pytest.approx(0, abs=1e-3)
        assert found["of_generated"] > 85
    assert grid_of(nodes.reference).matches(grid_of(run.cbfVolume))
    assert grid_of(nodes.difference).matches(grid_of(run.cbfVolume))


def test_the_nodes_hold_what_the_library_computes(host):
    run = add_run("dsc")
    rng = np.random.default_rng(3)
    add_references(run, change=lambda v: v * (1 + 0.2 * rng.standard_normal(v.shape)))
    nodes = compared(run)
    for quantity, index in (("cbf", 0), ("ttp", 3)):
        map_node, reference = getattr(run, f"{quantity}Volume"), getattr(run, f"{quantity}Reference")
        orientation = nearest_ras(grid_of(map_node))
        choice = segments.SegmentChoice(segmentation=run.segmentation, segment_id="Brain")
        brain = orientation.to_native(segments.mask_of(choice, orientation, map_node))
        expected = compare_maps(
            quantity,
            MapImage(
                values=voxels_of(map_node),
                affine=grid_of(map_node).affine,
                valid=voxels_of(map_node) != 0,
                unit="s" if quantity == "ttp" else "",
            ),
            MapImage(values=voxels_of(reference), affine=grid_of(reference).affine),
            brain=brain,
        )
        found = figures(run)[quantity]
        for name, value in expected.metrics.items():
            assert found[name] == pytest.approx(value, rel=1e-6), name
            text = cells(nodes.table)[METRICS[name].title][index].split(" ")[0]
            assert float(text) == pytest.approx(value, rel=1e-3, abs=1e-6), name
        shown = nodes.maps[quantity]
        mask = expected.mask
        np.testing.assert_allclose(voxels_of(shown.difference)[mask], expected.difference[mask], rtol=1e-6)
        np.testing.assert_allclose(voxels_of(shown.reference)[mask], expected.reference[mask], rtol=1e-6)
        assert (voxels_of(shown.difference)[~mask] == float(shown.difference.GetAttribute(NO_VALUE))).all()


def test_a_known_difference_is_found(run):
    add_references(run, ["mtt"], change=lambda v: v + 2)
    nodes = compared(run).maps["mtt"]
    found = figures(run)["mtt"]
    for name in ("bias", "limit_lower", "limit_upper"):
        assert found[name] == pytest.approx(-2, abs=1e-4)
    difference = voxels_of(nodes.difference)
    assert difference[difference != float(nodes.difference.GetAttribute(NO_VALUE))] == pytest.approx(-2, abs=1e-4)


def test_zero_is_a_time_to_maximum(run):
    values = np.array(voxels_of(run.tmaxVolume))
    inside = voxels_of(run.cbfVolume) != 0
    values[np.nonzero(inside)[0][:1], np.nonzero(inside)[1][:1], np.nonzero(inside)[2][:1]] = 0
    slicer.util.updateVolumeFromArray(run.tmaxVolume, np.ascontiguousarray(values.T))
    valid = comparison.generated_image(run.tmaxVolume, "tmax").valid
    np.testing.assert_array_equal(valid, inside)


# ---- transforms


MOVE = np.array([[0.9, -0.3, 0.1, 12], [0.3, 0.95, 0, -30], [-0.1, 0.05, 1, 8], [0, 0, 0, 1]])


def test_parent_transforms_of_both_count(run):
    transform = add_transform(MOVE)
    run.cbfReference = add_reference(run.cbfVolume)
    matrix = np.linalg.inv(MOVE) @ grid_of(run.cbfReference).affine
    run.cbfReference.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))
    run.cbfReference.SetAndObserveTransformNodeID(transform.GetID())
    compared(run)
    assert figures(run)["cbf"]["mae"] == pytest.approx(0, abs=1e-3)
    # the map moves, and the reference lies where the map is seen
    run.cbfVolume.SetAndObserveTransformNodeID(transform.GetID())
    run.cbfReference.SetAndObserveTransformNodeID(None)
    run.cbfReference.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(MOVE @ grid_of(run.cbfVolume).affine))
    run.segmentation.SetAndObserveTransformNodeID(transform.GetID())
    nodes = compared(run).maps["cbf"]
    assert figures(run)["cbf"]["mae"] == pytest.approx(0, abs=1e-3)
    assert nodes.reference.GetTransformNodeID() == transform.GetID(), "seen where the map is seen"


def test_a_transform_that_bends_counts_only_where_it_lies_between(run):
    transform = add_transform()
    run.cbfReference = add_reference(run.cbfVolume)
    run.cbfReference.SetAndObserveTransformNodeID(transform.GetID())
    with pytest.raises(InputError, match=r"CBF: Reference: it lies under the transform Bent, which bends\. Harden"):
        compared(run)
    for node in (run.cbfVolume, run.segmentation):
        node.SetAndObserveTransformNodeID(transform.GetID())
    compared(run)
    assert figures(run)["cbf"]["mae"] == 0


# ---- units


def coded(node, code):
    entry = slicer.vtkCodedEntry()
    entry.SetValueSchemeMeaning(code, "UCUM", code)
    node.SetVoxelValueUnits(entry)


@pytest.mark.parametrize(
    ("code", "unit"),
    [("mL/min/(100.g)", "ml/100g/min"), ("mL/(100.g)", "ml/100g"), ("s", "s"), ("ms", "ms"), ("1", ""), ("km", "")],
)
def test_a_volume_tells_its_unit(host, code, unit):
    node = add_volume("Map", np.ones((3, 4, 5), np.float32), np.eye(4))
    assert comparison.unit_of(node) == ""
    coded(node, code)
    assert comparison.unit_of(node) == unit
    comparison.tell_unit(node, "min")
    assert comparison.unit_of(node) == (unit or "min"), "what the volume itself tells goes before"


def test_maps_of_a_run_tell_their_units(host):
    of_ct, of_mr = add_run("ctp"), add_run("dsc", name="Other")
    assert comparison.unit_of(of_ct.cbfVolume) == "ml/100g/min"
    assert comparison.unit_of(of_mr.cbfVolume) == "", "without a reference value its scale is arbitrary"
    assert comparison.unit_of(of_mr.tmaxVolume) == "s"


def test_units_are_converted(run):
    add_references(run, ["tmax"], change=lambda v: 1000 * v)
    with pytest.raises(InputError, match=r"Tmax: .*in ms.*Tell the unit"):
        compared(run)
    comparison.tell_unit(run.tmaxReference, "ms")
    nodes = compared(run)
    assert figures(run)["tmax"]["mae"] == pytest.approx(0, abs=1e-4)
    assert any("converted from ms to s" in note for note in nodes.notes["tmax"])
    assert nodes.maps["tmax"].reference.GetVoxelValueUnits().GetCodeValue() == "s"


# ---- how it looks


def test_both_maps_have_one_look_and_the_difference_a_symmetric_one(run):
    add_references(run, ["cbf", "tmax"], change=lambda v: 1.2 * v)
    run.cbfVolume.GetDisplayNode().SetWindowLevelMinMax(5, 55)
    for nodes in compared(run).maps.values():
        generated, reference, difference = (
            node.GetDisplayNode() for node in (nodes.generated, nodes.reference, nodes.difference)
        )
        assert reference.GetColorNodeID() == generated.GetColorNodeID()
        assert reference.GetWindowLevelMin() == generated.GetWindowLevelMin()
        assert reference.GetWindowLevelMax() == generated.GetWindowLevelMax()
        assert difference.GetColorNode().GetName() == "PyPeT-Relative"
        assert difference.GetWindowLevelMin() == -difference.GetWindowLevelMax() < 0
        nothing = float(nodes.difference.GetAttribute(NO_VALUE))
        assert (
            nothing
            < difference.GetLowerThreshold()
            < voxels_of(nodes.difference)[voxels_of(nodes.difference) > nothing].min()
        )
    assert nodes.generated is run.tmaxVolume


@pytest.mark.parametrize(("normalisation", "mean"), [("relative", 0), ("ratio", 1)])
def test_both_sides_are_normalised(run, normalisation, mean):
    add_references(run, ["cbf"], change=lambda v: 3 * v)
    run.normalisation = normalisation
    before = np.array(voxels_of(run.cbfVolume))
    nodes = compared(run).maps["cbf"]
    assert nodes.generated is not run.cbfVolume
    np.testing.assert_array_equal(voxels_of(run.cbfVolume), before)
    assert figures(run)["cbf"]["mae"] == pytest.approx(0, abs=1e-5), "a factor between both is gone"
    for node in (nodes.generated, nodes.reference):
        values = voxels_of(node)
        assert values[values != float(node.GetAttribute(NO_VALUE))].mean() == pytest.approx(mean, abs=0.02)
        assert node.GetVoxelValueUnits().GetCodeValue() == "1"
        assert node.GetDisplayNode().GetColorNode().GetName() == "PyPeT-Relative"
    # and back
    run.normalisation = "absolute"
    normalised = nodes.generated
    assert compared(run).maps["cbf"].generated is run.cbfVolume
    assert not slicer.mrmlScene.IsNodePresent(normalised)


def test_the_plots_show_pairs_and_differences(run):
    add_references(run, ["cbf"], change=lambda v: 1.1 * v, tells=True)
    nodes = compared(run).maps["cbf"]
    histogram, differences = nodes.histogram, nodes.bland_altman
    names = [histogram.GetNthPlotSeriesNode(n).GetName() for n in range(histogram.GetNumberOfPlotSeriesNodes())]
    assert names[-1] == "equal"
    assert 3 <= len(names) <= 1 + len(comparison_charts.LEVELS)
    for n in range(len(names) - 1):
        series = histogram.GetNthPlotSeriesNode(n)
        x, y = (
            slicer.util.arrayFromTableColumn(series.GetTableNode(), column)
            for column in (series.GetXColumnName(), series.GetYColumnName())
        )
        # all pairs lie on one line, as wide as two bins
        assert np.abs(y - 1.1 * x).max() < 2 * np.diff(np.unique(x)).min()
    assert histogram.GetXAxisRange() == histogram.GetYAxisRange()
    lines = {
        differences.GetNthPlotSeriesNode(n).GetYColumnName(): differences.GetNthPlotSeriesNode(n)
        for n in range(differences.GetNumberOfPlotSeriesNodes())
    }
    found = figures(run)["cbf"]
    for line, name in (("bias", "bias"), ("upper limit", "limit_upper"), ("lower limit", "limit_lower")):
        heights = slicer.util.arrayFromTableColumn(lines[line].GetTableNode(), line)
        assert heights == pytest.approx(found[name], rel=1e-4)
    assert "[ml/100g/min]" in differences.GetYAxisTitle()
    assert nodes.difference.GetVoxelValueUnits().GetCodeValue() == "mL/min/(100.g)"
    # a unit that one side alone tells is not that of both
    run.cbfReference.SetVoxelValueUnits(None)
    nodes = compared(run).maps["cbf"]
    assert "[unit not told]" in nodes.bland_altman.GetYAxisTitle()
    assert nodes.difference.GetVoxelValueUnits() is None


def test_a_checkerboard_has_tiles_of_both(run):
    add_references(run, ["cbf"], change=lambda v: v + 500)
    nodes = compared(run).maps["cbf"]
    for tile in (15.0, 40.0):
        board = comparison_nodes.set_checkerboard(run.segmentation, nodes, tile)
        values, held = voxels_of(board), voxels_of(run.cbfVolume) != 0
        sizes = run.cbfVolume.GetSpacing()
        places = np.stack(
            np.meshgrid(*(np.arange(n) * s for n, s in zip(values.shape, sizes, strict=True)), indexing="ij")
        )
        is_own = (places // tile).sum(axis=0) % 2 == 0
        expected = np.where(is_own, voxels_of(nodes.generated), voxels_of(nodes.reference))
        np.testing.assert_array_equal(values[held], expected[held])
        assert 0.3 < is_own[held].mean() < 0.7
    assert (
        len([n for n in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") if "checkerboard" in n.GetName()]) == 1
    )


# ---- nodes in the scene


def test_nodes_are_used_again_and_lie_in_a_folder(host, run):
    add_references(run, ["cbf", "mtt"])
    first = compared(run)
    folder = subject_hierarchy().GetItemParent(subject_hierarchy().GetItemByDataNode(first.maps["cbf"].reference))
    assert subject_hierarchy().GetItemName(folder) == "Comparison"
    above = subject_hierarchy().GetItemParent(folder)
    assert above == subject_hierarchy().GetItemParent(subject_hierarchy().GetItemByDataNode(run.segmentation))
    first.maps["cbf"].difference.GetDisplayNode().SetWindowLevelMinMax(-3, 3)
    count = host.scene.GetNumberOfNodes()
    values = np.array(voxels_of(run.cbfReference)) * 1.3
    slicer.util.updateVolumeFromArray(run.cbfReference, np.ascontiguousarray(values.T))
    second = compared(run)
    assert second == first
    assert figures(run)["cbf"]["mae"] > 1
    assert second.maps["cbf"].difference.GetDisplayNode().GetWindowLevelMax() == 3, "the user's window stays"
    # more series where bins of more levels are filled, and nothing else
    assert 0 <= host.scene.GetNumberOfNodes() - count <= len(comparison_charts.LEVELS)
    names = sorted(n.GetName() for n in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"))
    assert [name for name in names if "CBF" in name] == [
        "Head CBF",
        "Head CBF difference",
        "Head CBF reference (resampled)",
        "Scanner CBF",
    ]


def test_what_is_not_compared_any_more_goes(host, run):
    add_references(run, ["cbf", "mtt"])
    reference, run.mttReference = run.mttReference, None
    compared(run)
    before = {node.GetID() for node in slicer.util.getNodesByClass("vtkMRMLNode")}
    run.mttReference = reference
    compared(run)
    assert run.segmentation.GetNodeReference(f"{ROLE}mtt.reference") is not None
    assert len(slicer.util.getNodesByClass("vtkMRMLNode")) > len(before) + 6
    run.mttReference = None
    assert list(compared(run).maps) == ["cbf"]
    assert run.segmentation.GetNodeReference(f"{ROLE}mtt.reference") is None
    after = slicer.util.getNodesByClass("vtkMRMLNode")
    assert [node.GetName() for node in after if node.GetID() not in before] == []
    assert slicer.mrmlScene.IsNodePresent(reference)
    assert slicer.mrmlScene.IsNodePresent(run.mttVolume)


def test_a_refused_map_leaves_the_scene_as_it_was(host, run, describe):
    add_references(run, ["cbf"])
    compared(run)
    add_references(run, ["cbf"], change=lambda v: 2 * v)
    far = add_reference(run.mttVolume, "Elsewhere")
    affine = grid_of(far).affine + np.pad([[1000.0]] * 3, ((0, 1), (3, 0)))
    far.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(affine))
    run.mttReference = far
    before, table = describe(host.scene), figures(run)
    with pytest.raises(InputError, match="MTT: Elsewhere and Head MTT have no place in common"):
        compared(run)
    assert describe(host.scene) == before
    assert figures(run) == table


@pytest.mark.parametrize("is_first", [True, False])
def test_a_fault_while_nodes_are_written_leaves_the_scene_as_it_was(host, run, describe, monkeypatch, is_first):
    add_references(run, ["cbf"])
    if not is_first:
        compared(run)
        add_references(run, ["cbf"], change=lambda v: 2 * v)
    before = describe(host.scene)
    folders = subject_hierarchy().GetNumberOfItems()

    def fails(*_arguments):
        raise RuntimeError("no ink")

    monkeypatch.setattr(comparison_charts, "draw_bland_altman", fails)
    with pytest.raises(RuntimeError, match="no ink"):
        compared(run)
    assert describe(host.scene) == before
    assert subject_hierarchy().GetNumberOfItems() == folders
    assert (comparison_of(run.segmentation) is None) == is_first


def test_cancelling_or_losing_a_node_leaves_the_scene_as_it_was(host, run, describe):
    add_references(run, ["cbf", "mtt"])
    before = describe(host.scene)

    def cancel(symbol):
        if symbol == "MTT":
            raise CancelledError("cancelled")

    with pytest.raises(CancelledError):
        comparison.compare(comparison.request_of(run), cancel)
    assert describe(host.scene) == before

    def lose(symbol):
        if symbol == "MTT":
            slicer.mrmlScene.RemoveNode(run.mttReference)

    with pytest.raises(CancelledError, match="A volume was removed"):
        comparison.compare(comparison.request_of(run), lose)
    assert comparison_of(run.segmentation) is None


def test_another_head_is_refused_unless_the_user_insists(run):
    values = np.array(voxels_of(run.cbfVolume))
    other = np.random.default_rng(0).permutation(values[values != 0])
    values[values != 0] = other
    run.cbfReference = add_volume("Someone", values, grid_of(run.cbfVolume).affine)
    with pytest.raises(InputError, match=r"CBF: Someone .*do not seem to show one head.*tick “Compare anyway”"):
        compared(run)
    notes = compared(run, allow_mismatch=True).notes["cbf"]
    assert any("do not seem to show one head" in note for note in notes)


def test_a_colour_picture_is_refused(run):
    picture = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "Picture")
    slicer.util.updateVolumeFromArray(picture, np.ones((4, 5, 6, 3), np.uint8))
    run.cbfReference = picture
    with pytest.raises(InputError, match="Picture: the volume has 3 values a voxel"):
        compared(run)


def test_what_is_missing_is_said(host):
    run = add_run()
    assert "Choose a reference" in comparison.missing(run)
    run.cbfReference = run.mttVolume
    assert "CBF: Head MTT is a map of this run itself" in comparison.missing(run)
    run.cbfReference = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty")
    assert "Empty holds no image" in comparison.missing(run)
    add_references(run, ["cbf"])
    assert comparison.missing(run) == ""
    run.cbfVolume = None
    assert "the run gave no such map" in comparison.missing(run)
    run.segmentation = None
    assert "Run first" in comparison.missing(run)


def test_a_saved_scene_brings_tables_and_plots_back(host, run, tmp_path):
    add_references(run, ["cbf", "tmax"], change=lambda v: 1.1 * v)
    nodes = compared(run)
    expected, notes = figures(run), nodes.notes
    difference = np.array(voxels_of(nodes.maps["tmax"].difference))
    text = cells(nodes.table)
    host.save_scene(tmp_path / "scene.mrb")
    host.clear_scene()
    host.load_scene(tmp_path / "scene.mrb")
    segmentation = slicer.util.getNode("Head segmentation")
    found = comparison_of(segmentation)
    assert list(found.maps) == ["cbf", "tmax"]
    assert json.loads(found.table.GetAttribute(FIGURES)) == expected
    assert found.notes == notes
    assert cells(found.table) == text
    np.testing.assert_array_equal(voxels_of(found.maps["tmax"].difference), difference)
    chart = found.maps["cbf"].histogram
    assert chart.GetNumberOfPlotSeriesNodes() >= 3
    for index in range(chart.GetNumberOfPlotSeriesNodes()):
        series = chart.GetNthPlotSeriesNode(index)
        column = slicer.util.arrayFromTableColumn(series.GetTableNode(), series.GetYColumnName())
        assert np.isfinite(column).all()
        assert column.dtype == np.float64
    assert found.maps["cbf"].source.GetName() == "Scanner CBF"
    assert found.maps["cbf"].generated.GetNodeReference(INPUT) is not None


# ---- which volumes


def test_volumes_of_the_scene_are_paired_by_name(run):
    add_references(run)
    compared(run)
    other = add_run(name="Second")
    maps = [getattr(run, f"{name}Volume") for name in compared_runs.MAPS]
    found = {node.GetName() for node in references.candidates(run.inputSequence, maps)}
    assert found == {f"Scanner {n.upper()}" for n in compared_runs.MAPS} | {
        getattr(other, f"{name}Volume").GetName() for name in compared_runs.MAPS
    }
    paired = references.pair([run.cbfReference, other.cbfVolume, run.tmaxReference])
    assert paired.references == {"tmax": run.tmaxReference}
    assert any("Several references are of CBF" in note for note in paired.notes)
    again = add_volume("Scanner TMAX", np.ones((3, 3, 3), np.float32), np.eye(4))
    assert "tmax" not in references.pair([run.tmaxReference, again]).references, "two of one name are two"


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd"])
def test_files_are_loaded_all_or_none(host, run, tmp_path, describe, ending):
    paths = []
    for name in ("scanner_CBF", "scanner_Tmax"):
        node = add_reference(run.cbfVolume, name)
        paths.append(tmp_path / f"{name}{ending}")
        assert slicer.util.saveNode(node, str(paths[-1]), {})
        for part in (node.GetDisplayNode(), node.GetStorageNode(), node):
            slicer.mrmlScene.RemoveNode(part)
    (tmp_path / "scanner_Tmax.json").write_text(json.dumps({"Units": "s"}), encoding="utf-8")
    before = describe(host.scene)
    broken = tmp_path / f"broken_MTT{ending}"
    broken.write_text("nothing", encoding="utf-8")
    with pytest.raises(InputError, match="broken_MTT"):
        references.load_files([*paths, broken])
    assert describe(host.scene) == before
    loaded = references.load_files(paths)
    found = references.pair(loaded)
    # names that were in the scene before get a number
    stems = {name: node.GetName()[: len("scanner_CBF")] for name, node in found.references.items()}
    assert stems == {"cbf": "scanner_CBF", "tmax": "scanner_Tma"}
    assert found.notes
    assert all("has no reference" in note for note in found.notes)
    if ending == ".nii.gz":
        assert comparison.unit_of(found.references["tmax"]) == "s", "from the sidecar"
    run.cbfReference = found.references["cbf"]
    compared(run)
    assert figures(run)["cbf"]["mae"] == pytest.approx(0, abs=1e-3)
    assert math.isclose(figures(run)["cbf"]["pearson"], 1, abs_tol=1e-6)


def test_options_reach_the_library(run):
    request = comparison.request_of(run, allow_mismatch=True)
    assert request.options == CompareOptions(normalisation="absolute", allow_mismatch=True)

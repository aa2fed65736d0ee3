"""A predicted PET from volumes of the scene: values and places, comparison, nodes, refusals."""

import numpy as np
import pytest
import slicer
import synthesised
from compared_runs import add_transform
from synthesised import add_brain, add_head, add_volume

from PyPeTLib.compare.fidelity import fidelity
from PyPeTLib.errors import CancelledError, InputError
from PyPeTLib.lesions.hypometabolic import find_hypometabolic
from PyPeTLib.synthesis import predict, save_model
from PyPeTSlicer import synthesis, synthesis_table
from PyPeTSlicer.comparison_nodes import NO_VALUE
from PyPeTSlicer.nodes import subject_hierarchy
from PyPeTSlicer.segments import SegmentChoice
from PyPeTSlicer.sequences import grid_of, voxels_of
from PyPeTSlicer.synthesis_nodes import MODEL, SYNTHETIC, synthesis_of
from PyPeTSlicer.synthesis_parameters import by_names, candidates

CLASSES = ("vtkMRMLScalarVolumeNode", "vtkMRMLTableNode", "vtkMRMLSegmentationNode")


@pytest.fixture(scope="module")
def model():
    return synthesised.model()


@pytest.fixture
def subject():
    return synthesised.head()


@pytest.fixture
def head(host, subject):
    """Contrasts by name, and the PET, of a head that is in the scene."""
    return add_head(subject)


def expected(model, subject):
    return subject.orientation.to_native(predict(model, subject.without_pet()))


def cells(table):
    return {table.GetCellText(row, 0): table.GetCellText(row, 1) for row in range(table.GetNumberOfRows())}


def counts():
    return {name: len(slicer.util.getNodesByClass(name)) for name in CLASSES}


# ---- what is predicted, and where


@pytest.mark.parametrize("order", ["ras", "oblique"])
def test_it_is_the_librarys_prediction_on_the_voxels_of_the_first_contrast(host, model, order):
    subject = synthesised.head(order)
    contrasts, _pet = add_head(subject)
    nodes = synthesis.run(model, contrasts)
    assert grid_of(nodes.predicted).matches(grid_of(contrasts["T1"]))
    np.testing.assert_allclose(voxels_of(nodes.predicted), expected(model, subject), atol=1e-6)
    assert nodes.predicted.GetName() == "Head T1 synthetic PET"
    assert nodes.predicted.GetAttribute(SYNTHETIC)
    assert nodes.predicted.GetAttribute(MODEL) == model.digest
    assert not nodes.has_real
    assert nodes.notes == []
    assert nodes.warnings == []


def test_transforms_of_all_images_count(model, head, subject):
    contrasts, pet = head
    plain = np.array(voxels_of(synthesis.run(model, contrasts).predicted))
    turn = np.deg2rad(30)
    moved = np.array(
        [[np.cos(turn), -np.sin(turn), 0, 5], [np.sin(turn), np.cos(turn), 0, -9], [0, 0, 1, 40], [0, 0, 0, 1]]
    )
    transform = add_transform(moved)
    contrasts["T1"].SetAndObserveTransformNodeID(transform.GetID())
    contrasts["T2"].SetAndObserveTransformNodeID(transform.GetID())
    # the same place without a transform
    for node in (contrasts["FLAIR"], pet):
        node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(moved @ grid_of(node).affine))
    nodes = synthesis.run(model, contrasts, pet=pet)
    np.testing.assert_allclose(voxels_of(nodes.predicted), plain, atol=1e-5)
    for node in (nodes.predicted, nodes.real, nodes.error, nodes.segmentation):
        assert node.GetParentTransformNode() is transform
    assert nodes.notes == [], "nothing had to be resampled"
    placed = nodes.segmentation.GetAttribute("PyPeT.Synthesis.Place")
    assert placed
    np.testing.assert_allclose(voxels_of(nodes.real), voxels_of(pet), atol=1e-6)


def test_a_transform_that_bends_is_refused(model, head, describe):
    contrasts, _pet = head
    contrasts["T2"].SetAndObserveTransformNodeID(add_transform().GetID())
    before = describe(slicer.mrmlScene)
    with pytest.raises(InputError, match=r"Head T2: it lies under the transform Bent, which bends\. Harden"):
        synthesis.run(model, contrasts)
    assert describe(slicer.mrmlScene) == before


def test_images_on_other_grids_are_resampled_by_their_place_and_that_is_said(host, model, subject):
    contrasts, pet = add_head(subject)
    plain = np.array(voxels_of(synthesis.run(model, contrasts).predicted))
    # the last slice first, and outermost voxels cut off, so that the same index is another place
    affine = grid_of(contrasts["FLAIR"]).affine.copy()
    values = np.array(voxels_of(contrasts["FLAIR"]))
    n = values.shape[2]
    affine[:3, 3] += affine[:3, 0] + (n - 1) * affine[:3, 2]
    affine[:3, 2] *= -1
    contrasts["FLAIR"] = add_volume("Other", values[1:-1, :, ::-1], affine)
    nodes = synthesis.run(model, contrasts, pet=pet)
    np.testing.assert_allclose(voxels_of(nodes.predicted), plain, atol=2e-3 * plain.max())
    assert len(nodes.notes) == 1
    assert "FLAIR" in nodes.notes[0]
    assert "grid" in nodes.notes[0]


@pytest.mark.parametrize("kind", ["segment", "volume", "labelmap"])
def test_the_brain_may_be_given(host, model, subject, kind):
    contrasts, _pet = add_head(subject)
    inner = subject.mask.copy()
    inner[:, :, :10] = False
    marked = subject.orientation.to_native(inner)
    if kind == "segment":
        node = add_brain(subject, contrasts["T1"])
        slicer.util.updateSegmentBinaryLabelmapFromArray(
            np.ascontiguousarray(marked.T.astype(np.uint8)), node, "brain", contrasts["T1"]
        )
        brain = SegmentChoice(segmentation=node, segment_id="brain")
    else:
        brain = add_volume("Brain", marked.astype(np.uint8), grid_of(contrasts["T1"]).affine)
        if kind == "labelmap":
            label = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "Label")
            label.SetAndObserveImageData(brain.GetImageData())
            label.CopyOrientation(brain)
            brain = label
    predicted = voxels_of(synthesis.run(model, contrasts, brain=brain).predicted)
    assert (predicted[~marked] == 0).all()
    assert (predicted[marked] > 0).mean() > 0.9


# ---- compared with a real PET


def test_errors_figures_and_regions_are_those_of_the_library(model, head, subject):
    contrasts, pet = head
    nodes = synthesis.run(model, contrasts, pet=pet)
    predicted, mask = predict(model, subject.without_pet()), subject.mask
    native = subject.orientation.to_native
    difference = native(predicted - subject.pet)
    inside = native(mask)
    np.testing.assert_allclose(voxels_of(nodes.error)[inside], difference[inside], atol=1e-6)
    np.testing.assert_allclose(voxels_of(nodes.absolute)[inside], abs(difference[inside]), atol=1e-6)
    assert (voxels_of(nodes.error)[~inside] == float(nodes.error.GetAttribute(NO_VALUE))).all()
    shown = cells(nodes.table)
    for scope, words in (("mask", "in the brain"), ("volume", "whole volume")):
        wanted = fidelity(predicted, subject.pet, mask, scope=scope)
        assert nodes.figures[scope] == pytest.approx(wanted, rel=1e-6)
        assert set(wanted) == {"psnr", "ssim", "nmae", "nmse", "ncc"}
        assert float(shown[f"PSNR ↑, {words}"].removesuffix(" dB")) == pytest.approx(wanted["psnr"], rel=1e-3)
        assert float(shown[f"NMAE ↓, {words}"]) == pytest.approx(wanted["nmae"], rel=1e-3)
    for segment, values in (("Predicted", predicted), ("Real", subject.pet)):
        regions = find_hypometabolic(values, mask, subject.mirror)
        found = slicer.util.arrayFromSegmentBinaryLabelmap(nodes.segmentation, segment, nodes.predicted)
        np.testing.assert_array_equal(found.T > 0, native(regions.mask))
        assert shown[f"Hypometabolic left, {segment.lower()} PET"] == f"{regions.left_ml:.1f} ml"
        assert shown[f"Hypometabolic right, {segment.lower()} PET"] == f"{regions.right_ml:.1f} ml"
        difference_told = f"{100 * regions.deficit:+.0f} %" if regions.volume_ml else "none"
        assert shown[f"Difference to the other side, {segment.lower()} PET"] == difference_told
    assert shown["Trained on"] == f"{synthesised.TRAINED_ON} subjects"


def test_both_pets_look_alike_and_errors_have_0_in_the_middle(model, head):
    contrasts, pet = head
    nodes = synthesis.run(model, contrasts, pet=pet)
    predicted, real, error = (node.GetDisplayNode() for node in (nodes.predicted, nodes.real, nodes.error))
    assert predicted.GetColorNodeID() == real.GetColorNodeID()
    assert "PET" in predicted.GetColorNode().GetName()
    window = predicted.GetWindowLevelMin(), predicted.GetWindowLevelMax()
    assert window == (real.GetWindowLevelMin(), real.GetWindowLevelMax())
    assert window[0] == 0
    assert np.percentile(voxels_of(nodes.predicted), 99) < window[1] < 3 * voxels_of(nodes.predicted).max()
    assert error.GetWindowLevelMin() == -error.GetWindowLevelMax() < 0
    legends = slicer.modules.colors.logic()
    assert legends.GetColorLegendDisplayNode(nodes.predicted).GetTitleText().startswith("Synthetic\nPET")
    assert pet.GetDisplayNode() is None or pet.GetDisplayNode().GetColorNodeID() != predicted.GetColorNodeID(), (
        "the user's own volume is not restyled"
    )


def test_a_pet_on_another_scale_or_at_another_place_is_doubted(host, model, subject):
    contrasts, pet = add_head(subject)
    slicer.util.updateVolumeFromArray(pet, slicer.util.arrayFromVolume(pet) * 40)
    warnings = synthesis.run(model, contrasts, pet=pet).warnings
    assert any("different scales" in text for text in warnings)
    slicer.util.updateVolumeFromArray(pet, slicer.util.arrayFromVolume(pet) / 40)
    affine = grid_of(pet).affine.copy()
    affine[0, 3] += 16
    pet.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(affine))
    nodes = synthesis.run(model, contrasts, pet=pet)
    assert any("seems not to lie where the MRI lies" in text for text in nodes.warnings)


def test_swapped_contrasts_are_warned_of_and_missing_ones_refused(model, head):
    contrasts, _pet = head
    swapped = contrasts | {"T1": contrasts["T2"], "T2": contrasts["T1"]}
    assert synthesis.run(model, swapped).warnings
    with pytest.raises(InputError, match="no volume for FLAIR"):
        synthesis.run(model, {name: contrasts[name] for name in ("T1", "T2")})


# ---- nodes


def test_the_next_run_uses_the_same_nodes_and_keeps_the_users_window(model, head):
    contrasts, pet = head
    nodes = synthesis.run(model, contrasts, pet=pet)
    before = counts()
    nodes.predicted.GetDisplayNode().SetWindowLevelMinMax(0, 0.123)
    nodes.predicted.SetName("Mine")
    again = synthesis.run(model, contrasts, pet=pet)
    assert counts() == before
    assert again.predicted is nodes.predicted
    assert again.predicted.GetName() == "Mine"
    assert again.predicted.GetDisplayNode().GetWindowLevelMax() == pytest.approx(0.123)
    hierarchy = subject_hierarchy()
    folders = {
        hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node))
        for node in (again.predicted, again.error, again.table, again.segmentation)
    }
    assert len(folders) == 1
    assert hierarchy.GetItemName(folders.pop()) == "PyPeT synthetic PET Head T1"


def test_without_a_real_pet_the_errors_of_the_last_run_go(model, head):
    contrasts, pet = head
    displays = len(slicer.util.getNodesByClass("vtkMRMLSegmentationDisplayNode"))
    first = synthesis.run(model, contrasts, pet=pet)
    gone = [node.GetID() for node in (first.real, first.error, first.absolute)]
    again = synthesis.run(model, contrasts)
    assert again.predicted is first.predicted
    assert not again.has_real
    assert again.figures == {}
    assert all(slicer.mrmlScene.GetNodeByID(node_id) is None for node_id in gone)
    assert slicer.mrmlScene.IsNodePresent(pet)
    assert again.segmentation.GetSegmentation().GetNumberOfSegments() == 1
    assert len(slicer.util.getNodesByClass("vtkMRMLSegmentationDisplayNode")) == displays + 1, "they are never removed"


def test_each_first_contrast_has_a_prediction_of_its_own(model, head, subject):
    contrasts, _pet = head
    other, _other_pet = add_head(subject, "Other")
    one, two = synthesis.run(model, contrasts), synthesis.run(model, other)
    assert one.predicted is not two.predicted
    assert synthesis_of(contrasts["T1"]).predicted is one.predicted
    assert synthesis_of(contrasts["T2"]) is None


@pytest.mark.parametrize("is_first", [True, False])
def test_a_failure_leaves_the_scene_as_it_was(model, head, describe, monkeypatch, is_first):
    contrasts, pet = head
    if not is_first:
        synthesis.run(model, contrasts, pet=pet)
    before = describe(slicer.mrmlScene)

    def fail(*_):
        raise RuntimeError("no table today")

    monkeypatch.setattr(synthesis_table, "fill", fail)
    with pytest.raises(RuntimeError, match="no table"):
        synthesis.run(model, contrasts | {"T2": contrasts["T2"]}, pet=pet)
    assert describe(slicer.mrmlScene) == before


def test_a_volume_that_goes_meanwhile_ends_it(model, head):
    contrasts, _pet = head
    before = counts()["vtkMRMLScalarVolumeNode"]

    def remove(stage):
        if stage == "Predicting":
            slicer.mrmlScene.RemoveNode(contrasts["FLAIR"])

    with pytest.raises(CancelledError):
        synthesis.run(model, contrasts, poll=remove)
    assert counts()["vtkMRMLScalarVolumeNode"] == before - 1


def test_scripts_call_the_logic_with_a_file(logic, model, head, tmp_path):
    contrasts, _pet = head
    save_model(tmp_path / "model.npz", model)
    nodes = logic.synthesise(tmp_path / "model.npz", contrasts)
    assert voxels_of(nodes.predicted).max() > 0


# ---- by names


def test_contrasts_are_found_by_the_words_of_names(host, model, subject):
    names = ("sub-01_T1w", "SUB-01 flair", "T2 FLAIR", "PET")
    nodes = {name: add_volume(name, np.ones((2, 2, 2), np.float32), np.eye(4)) for name in names}
    found = by_names(("T1", "T2", "FLAIR"), candidates())
    assert found.contrasts == {"T1": nodes["sub-01_T1w"], "FLAIR": nodes["SUB-01 flair"]}
    assert found.notes == ("T2 FLAIR may be T2 or FLAIR: choose it by hand.", "T2: no volume has this name.")
    add_volume("T1", np.ones((2, 2, 2), np.float32), np.eye(4))
    assert "T1: several volumes fit (sub-01_T1w, T1)." in by_names(("T1",), candidates()).notes


def test_what_this_module_made_is_no_contrast(model, head):
    contrasts, pet = head
    before = {node.GetID() for node in candidates()}
    synthesis.run(model, contrasts, pet=pet)
    assert {node.GetID() for node in candidates()} == before

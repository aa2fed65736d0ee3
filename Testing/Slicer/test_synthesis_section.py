"""The tab that predicts a PET: choices, what is missing, the prediction, and what the views show of it."""

import pytest
import slicer
import synthesised
from synthesised import CONTRASTS, add_brain, add_head

from PyPeTLib.report.summary import RESEARCH_ONLY
from PyPeTLib.synthesis import save_model
from PyPeTSlicer.sequences import voxels_of
from PyPeTSlicer.synthesis_nodes import synthesis_of

USERS_LAYOUT = 4


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model.npz"
    save_model(path, synthesised.model())
    return path


@pytest.fixture
def section(panel):
    return next(part for part in panel.sections if part.UI == "Synthesis")


@pytest.fixture
def ui(section):
    return section.ui


@pytest.fixture
def head(host):
    return add_head(synthesised.head())


@pytest.fixture
def views(host):
    manager = host.open_views()
    manager.setLayout(USERS_LAYOUT)
    yield manager
    host.close_views()


@pytest.fixture
def chosen(section, ui, head, model_file):
    """Model, contrasts and real PET are chosen by the widgets."""
    contrasts, pet = head
    ui.modelPathEdit.currentPath = str(model_file)
    for number, name in enumerate(CONTRASTS, start=1):
        getattr(ui, f"contrastSelector{number}").setCurrentNode(contrasts[name])
    ui.realPetSelector.setCurrentNode(pet)
    return contrasts, pet


def selected(ui):
    return [getattr(ui, f"contrastSelector{number}").currentNode() for number in range(1, 4)]


def composite(name):
    return slicer.app.applicationLogic().GetSliceLogicByLayoutName(name).GetSliceCompositeNode()


def backgrounds(host):
    names = [name for name in host.shown_views() if host.scene.GetSingletonNode(name, "vtkMRMLSliceNode")]
    return [composite(name).GetBackgroundVolumeID() for name in names]


# ---- the tab, the model


def test_the_panel_has_two_tabs_and_begins_with_perfusion(panel, section):
    tabs = panel.ui.partsTabs
    assert [tabs.tabText(index) for index in range(tabs.count)] == ["Perfusion", "MRI → PET"]
    assert tabs.currentIndex == 0
    assert panel.ui.synthesisTab.isAncestorOf(section.widget)
    assert panel.ui.perfusionTab.isAncestorOf(panel.ui.runButton)
    assert not panel.ui.perfusionTab.isAncestorOf(panel.ui.noticeLabel), "said above both"


def test_what_a_model_is_and_what_to_keep_in_mind_stands_there(ui, model_file, section):
    assert RESEARCH_ONLY in ui.synthesisNoticeLabel.text
    assert "does not show cannot appear" in ui.synthesisNoticeLabel.text
    ui.modelPathEdit.currentPath = str(model_file)
    for told in ("T1, T2, FLAIR", "8 patches", "trained on 3 subjects", synthesised.model().digest[:12]):
        assert told in ui.modelInfoLabel.text
    assert "trained on 3 subjects" in ui.synthesisNoticeLabel.text
    assert RESEARCH_ONLY in ui.synthesisNoticeLabel.text
    labels = [getattr(ui, f"contrastLabel{number}") for number in range(1, 7)]
    assert [label.text for label in labels if label.isVisibleTo(section.widget)] == ["T1:", "T2:", "FLAIR:"]
    shown = [getattr(ui, f"contrastSelector{number}").isVisibleTo(section.widget) for number in range(1, 7)]
    assert shown == [True] * 3 + [False] * 3


def test_a_file_that_is_no_model_or_damaged_is_told_beside_the_field(ui, model_file, section, tmp_path):
    ui.modelPathEdit.currentPath = str(tmp_path / "none.npz")
    assert ui.modelInfoLabel.text == "none.npz: there is no such file."
    assert ui.modelInfoLabel.styleSheet
    damaged = tmp_path / "damaged.npz"
    content = bytearray(model_file.read_bytes())
    content[len(content) // 2] ^= 255
    damaged.write_bytes(content)
    ui.modelPathEdit.currentPath = str(damaged)
    assert "damaged.npz" in ui.modelInfoLabel.text
    assert ui.modelInfoLabel.styleSheet
    assert ui.predictButton.toolTip == ui.modelInfoLabel.text
    assert not ui.predictButton.enabled
    assert not ui.contrastSelector1.isVisibleTo(section.widget)
    # repaired under the same name
    damaged.write_bytes(model_file.read_bytes())
    section.follow()
    assert "trained on" in ui.modelInfoLabel.text
    assert not ui.modelInfoLabel.styleSheet


# ---- choices


def test_what_is_missing_is_the_tooltip_of_the_button(ui, head, model_file, panel):
    contrasts, pet = head

    def reason():
        assert ui.predictButton.enabled == ui.predictButton.toolTip.startswith("Predict the PET on")
        return ui.predictButton.toolTip

    assert "Choose a model file" in reason()
    ui.modelPathEdit.currentPath = str(model_file)
    assert reason() == "Choose a volume for T1."
    ui.contrastSelector1.setCurrentNode(contrasts["T1"])
    ui.contrastSelector2.setCurrentNode(contrasts["T1"])
    assert "T1 and T2 are the same volume" in reason()
    ui.contrastSelector2.setCurrentNode(contrasts["T2"])
    ui.contrastSelector3.setCurrentNode(contrasts["FLAIR"])
    assert ui.predictButton.enabled
    ui.realPetSelector.setCurrentNode(contrasts["T2"])
    assert "is chosen for T2" in reason()
    ui.realPetSelector.setCurrentNode(pet)
    ui.brainMaskSelector.setCurrentNode(add_brain(synthesised.head(), pet))
    assert reason() == "Brain: choose one of the segments."
    ui.brainMaskSegmentCombo.setCurrentIndex(1)
    ui.brainMaskSegmentCombo.activated.emit(1)
    assert ui.predictButton.enabled, reason()
    ui.predictButton.click()
    assert ui.predictStatusLabel.text.startswith("Done"), ui.predictStatusLabel.text
    ui.realPetSelector.setCurrentNode(synthesis_of(contrasts["T1"]).predicted)
    assert "was made by this tab" in reason()


def test_contrasts_are_chosen_by_names_only_when_asked_for(ui, head, model_file):
    contrasts, _pet = head
    ui.modelPathEdit.currentPath = str(model_file)
    assert selected(ui) == [None, None, None]
    ui.byNamesButton.click()
    assert selected(ui) == [contrasts[name] for name in CONTRASTS]
    assert ui.predictStatusLabel.text == "Chosen: T1: Head T1, T2: Head T2, FLAIR: Head FLAIR."
    assert ui.realPetSelector.currentNode() is None


def test_nothing_takes_the_place_of_a_volume_that_goes(ui, chosen, section):
    contrasts, pet = chosen
    slicer.mrmlScene.RemoveNode(contrasts["T2"])
    slicer.mrmlScene.RemoveNode(pet)
    assert selected(ui) == [contrasts["T1"], None, contrasts["FLAIR"]]
    assert ui.realPetSelector.currentNode() is None
    assert ui.predictButton.toolTip == "Choose a volume for T2."


def test_choices_of_the_tab_come_back_with_the_module(host, panel, ui, chosen, model_file):
    contrasts, pet = chosen
    host.leave(panel)
    host.reenter(panel)
    assert ui.modelPathEdit.currentPath == str(model_file)
    assert selected(ui) == [contrasts[name] for name in CONTRASTS]
    assert ui.realPetSelector.currentNode() is pet


# ---- the prediction


def test_without_views_the_nodes_are_made_all_the_same(host, panel, ui, chosen, section, monkeypatch):
    seen = []
    show = section._on_stage

    def watched(title):
        show(title)
        seen.append(ui.predictStatusLabel.text)
        assert not ui.predictButton.enabled

    monkeypatch.setattr(section, "_on_stage", watched)
    panel.ui.statusLabel.text = "of the other tab"
    ui.predictButton.click()
    assert seen[:3] == ["Reading the images …", "Predicting …", "Comparing …"]
    assert seen[-1] == "Writing …"
    assert ui.predictStatusLabel.text == "Done.", ui.synthesisNotesText.toPlainText()
    assert panel.ui.statusLabel.text == "of the other tab"
    notes = ui.synthesisNotesText.toPlainText()
    assert notes.startswith("Predicted on the voxels of Head T1. Hypometabolic: predicted ")
    nodes = synthesis_of(chosen[0]["T1"])
    assert nodes.has_real
    assert voxels_of(nodes.predicted).max() > 0
    assert not ui.showSynthesisButton.enabled
    assert ui.predictButton.enabled, "and again"
    assert host.messages == []


def test_warnings_stand_in_the_notes(ui, chosen):
    contrasts, _pet = chosen
    ui.realPetSelector.setCurrentNode(None)
    ui.contrastSelector1.setCurrentNode(contrasts["T2"])
    ui.contrastSelector2.setCurrentNode(contrasts["T1"])
    ui.predictButton.click()
    assert "with warnings" in ui.predictStatusLabel.text
    assert ui.predictStatusLabel.styleSheet
    assert ui.synthesisNotesText.toPlainText().startswith("Warning: ")
    # the notes belong to the first contrast that is chosen
    ui.contrastSelector1.setCurrentNode(contrasts["T1"])
    assert ui.synthesisNotesText.toPlainText() == ""


def test_a_refusal_is_a_line_on_the_tab(host, ui, chosen, describe):
    contrasts, _pet = chosen
    slicer.util.updateVolumeFromArray(contrasts["T2"], 0 * slicer.util.arrayFromVolume(contrasts["T2"]))
    before = describe(host.scene)
    ui.predictButton.click()
    assert "T2" in ui.predictStatusLabel.text
    assert ui.predictStatusLabel.styleSheet
    assert describe(host.scene) == before
    assert host.messages == [], "no dialog"
    assert ui.predictButton.enabled


# ---- views


def test_with_a_real_pet_six_linked_views_are_shown_and_given_back(host, views, panel, ui, chosen):
    contrasts, _pet = chosen
    ui.predictButton.click()
    nodes = synthesis_of(contrasts["T1"])
    shown = [contrasts["T1"], nodes.real, nodes.predicted, nodes.error, nodes.absolute]
    assert backgrounds(host) == [node.GetID() for node in shown]
    table = host.scene.GetSingletonNode(host.shown_views()[-1], "vtkMRMLTableViewNode")
    assert table.GetTableNodeID() == nodes.table.GetID()
    assert "Research use only" in table.GetLayoutLabel()
    assert "synthetic" in host.view("PyPeT3").node.GetLayoutLabel()
    first = host.view("PyPeT1")
    first.scroll(16)
    assert all(host.view(f"PyPeT{number}").offset == pytest.approx(first.offset) for number in range(2, 6))
    assert ui.showSynthesisButton.checked
    nodes.predicted.GetDisplayNode().SetWindowLevelMinMax(0, 0.7)
    assert nodes.real.GetDisplayNode().GetWindowLevelMax() == pytest.approx(0.7)
    ui.predictButton.click()
    nodes.real.GetDisplayNode().SetWindowLevelMinMax(0, 0.6)
    assert nodes.predicted.GetDisplayNode().GetWindowLevelMax() == pytest.approx(0.6), "after another run too"
    slicer.util.updateVolumeFromArray(contrasts["T2"], 0 * slicer.util.arrayFromVolume(contrasts["T2"]))
    ui.predictButton.click()
    assert ui.predictStatusLabel.styleSheet
    nodes.real.GetDisplayNode().SetWindowLevelMinMax(0, 0.5)
    assert nodes.predicted.GetDisplayNode().GetWindowLevelMax() == pytest.approx(0.5), "after one that failed"
    host.leave(panel)
    nodes.real.GetDisplayNode().SetWindowLevelMinMax(0, 0.6)
    assert nodes.predicted.GetDisplayNode().GetWindowLevelMax() == pytest.approx(0.6), "while another module is open"
    host.reenter(panel)
    ui.leaveSynthesisButton.click()
    assert views.layout == USERS_LAYOUT
    assert not ui.leaveSynthesisButton.enabled
    nodes.predicted.GetDisplayNode().SetWindowLevelMinMax(0, 0.9)
    assert nodes.real.GetDisplayNode().GetWindowLevelMax() == pytest.approx(0.6), "each goes its own way"


def test_regions_are_outlined_where_they_belong(host, views, ui, chosen):
    ui.predictButton.click()
    nodes = synthesis_of(chosen[0]["T1"])
    displays = slicer.util.getNodesByClass("vtkMRMLSegmentationDisplayNode")
    drawn = {
        display.GetAttribute("PyPeT.View"): [
            name for name in ("Predicted", "Real") if display.GetSegmentVisibility(name)
        ]
        for display in displays
        if display.GetVisibility() and display.GetAttribute("PyPeT.View")
    }
    view_ids = {name: f"vtkMRMLSliceNode{name}" for name in ("PyPeT1", "PyPeT2", "PyPeT3")}
    assert drawn == {
        view_ids["PyPeT1"]: ["Predicted"],
        view_ids["PyPeT2"]: ["Real"],
        view_ids["PyPeT3"]: ["Predicted"],
    }
    assert nodes.segmentation.GetSegmentation().GetNumberOfSegments() == 2


def test_without_a_real_pet_contrast_and_prediction_stand_side_by_side(host, views, ui, chosen):
    contrasts, _pet = chosen
    ui.predictButton.click()
    ui.realPetSelector.setCurrentNode(None)
    ui.predictButton.click()
    nodes = synthesis_of(contrasts["T1"])
    assert backgrounds(host) == [contrasts["T1"].GetID(), nodes.predicted.GetID()], (
        "the real PET is gone from the views"
    )
    views.setLayout(USERS_LAYOUT)
    assert not ui.showSynthesisButton.checked
    ui.showSynthesisButton.click()
    assert backgrounds(host)[1] == nodes.predicted.GetID()


# ---- the scene


def test_a_saved_scene_shows_it_again(host, views, ui, chosen, model_file, tmp_path):
    ui.predictButton.click()
    ui.leaveSynthesisButton.click()
    figures = synthesis_of(chosen[0]["T1"]).figures
    notes = ui.synthesisNotesText.toPlainText()
    host.save_scene(tmp_path / "scene.mrb")
    host.clear_scene()
    assert ui.modelPathEdit.currentPath == ""
    assert not ui.showSynthesisButton.enabled
    assert ui.synthesisNotesText.toPlainText() == ""
    host.load_scene(tmp_path / "scene.mrb")
    assert ui.modelPathEdit.currentPath == str(model_file)
    assert [node.GetName() for node in selected(ui)] == ["Head T1", "Head T2", "Head FLAIR"]
    assert ui.realPetSelector.currentNode().GetName() == "Head measured"
    assert ui.synthesisNotesText.toPlainText() == notes
    nodes = synthesis_of(ui.contrastSelector1.currentNode())
    assert nodes.figures == figures
    ui.showSynthesisButton.click()
    assert backgrounds(host)[2] == nodes.predicted.GetID()
    count = len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"))
    ui.predictButton.click()
    assert len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")) == count


def test_what_is_shown_may_be_removed_and_the_scene_closed(host, views, ui, chosen):
    contrasts, _pet = chosen
    ui.predictButton.click()
    nodes = synthesis_of(contrasts["T1"])
    slicer.mrmlScene.RemoveNode(nodes.error)
    ui.showSynthesisButton.click()
    assert backgrounds(host) == [contrasts["T1"].GetID(), nodes.predicted.GetID()], "no half of a comparison"
    ui.predictButton.click()
    again = synthesis_of(contrasts["T1"])
    assert again.has_real
    slicer.mrmlScene.RemoveNode(again.predicted)
    assert not ui.showSynthesisButton.enabled
    ui.predictButton.click()
    host.clear_scene()
    assert views.layout == USERS_LAYOUT
    assert not ui.showSynthesisButton.checked


def test_nothing_is_observed_any_more_after_close(host, module, views, head, model_file):
    panel = host.open_widget(module)
    ui = next(part for part in panel.sections if part.UI == "Synthesis").ui
    ui.modelPathEdit.currentPath = str(model_file)
    ui.byNamesButton.click()
    ui.realPetSelector.setCurrentNode(head[1])
    ui.predictButton.click()
    nodes = synthesis_of(head[0]["T1"])
    displays = [node.GetDisplayNode() for node in (nodes.predicted, nodes.real)]
    counts = [host.observer_count(display) for display in displays]
    host.close_widget(panel)
    assert views.layout == USERS_LAYOUT
    assert [host.observer_count(display) for display in displays] == [count - 1 for count in counts]

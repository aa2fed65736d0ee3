"""The second tab of the panel: a PET predicted from MRI by a trained model, and its comparison with a real one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ctk
import slicer
import vtk
from slicer.i18n import tr as _

from PyPeTLib.report.summary import RESEARCH_ONLY
from PyPeTLib.synthesis import SynthesisModel
from PyPeTSlicer import synthesis
from PyPeTSlicer.nodes import TITLE
from PyPeTSlicer.reporting import Reported
from PyPeTSlicer.sections import Section
from PyPeTSlicer.synthesis_nodes import SynthesisNodes, is_own, synthesis_of
from PyPeTSlicer.synthesis_parameters import (
    MOST_CONTRASTS,
    ModelFiles,
    SynthesisChoices,
    by_names,
    candidates,
    describe,
    missing,
)
from PyPeTSlicer.synthesis_views import Shown
from PyPeTSlicer.words import for_panel


class SynthesisSection(Section):
    """Model, images, the prediction, and what the views show of it."""

    UI = "Synthesis"

    def __init__(self, panel: Any, layout: Any) -> None:
        super().__init__(panel, layout)
        self._choices: SynthesisChoices | None = None
        self._files = ModelFiles()
        self._shown = Shown(panel.logic.views)
        self._is_filling = False
        self._notes = ""
        ui = self.ui
        ui.modelPathEdit.filters = ctk.ctkPathLineEdit.Files
        ui.modelPathEdit.connect("currentPathChanged(QString)", self.on_model)
        for number in range(1, MOST_CONTRASTS + 1):
            self._selector(number).connect("currentNodeChanged(vtkMRMLNode*)", self._on_contrast(number))
        ui.byNamesButton.connect("clicked(bool)", self.on_by_names)
        ui.brainMaskSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.on_brain)
        ui.brainMaskSegmentCombo.connect("activated(int)", self.on_segment)
        ui.realPetSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.on_pet)
        ui.predictButton.connect("clicked(bool)", self.on_predict)
        ui.showSynthesisButton.connect("clicked(bool)", self.on_show)
        ui.leaveSynthesisButton.connect("clicked(bool)", self.on_leave)
        panel.logic.views.listeners.append(self._on_views)
        scene = slicer.mrmlScene
        self._tags = [
            scene.AddObserver(scene.StartCloseEvent, lambda _scene, _event: self._shown.release()),
            scene.AddObserver(scene.NodeAboutToBeRemovedEvent, self._on_node_goes),
            scene.AddObserver(scene.NodeRemovedEvent, self._on_node_gone),
        ]
        self._show()

    @property
    def model(self) -> SynthesisModel | None:
        """The chosen model; None where there is none that can be read."""
        return self._files.read(self._choices.model)[0] if self._choices is not None else None

    # ---- life of the part

    def bind(self) -> None:
        """Other parameters, or none."""
        self._choices = SynthesisChoices(self.parameters.parameterNode) if self.parameters is not None else None
        self.follow()

    def follow(self) -> None:
        """Show what is chosen and what was predicted."""
        if self._choices is None or self._is_filling:
            return
        if not self._shown.is_shown:
            self._shown.release()
        self._show()

    def running(self, is_running: bool) -> None:  # noqa: FBT001 - as of all parts
        """No prediction while maps are made."""
        super().running(is_running)
        if not is_running:
            self.follow()

    def close(self) -> None:
        """Let go of the scene and of what is shown."""
        self._shown.release()
        # the application may clean up twice
        if self._on_views in self.logic.views.listeners:
            self.logic.views.listeners.remove(self._on_views)
        for tag in self._tags:
            slicer.mrmlScene.RemoveObserver(tag)

    # ---- what the user does

    def on_model(self, path: str) -> None:
        """Keep the chosen file."""
        if self._is_open:
            self._choices.model = path  # type: ignore[union-attr]

    def on_by_names(self, _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - a slot
        """Choose contrasts among the volumes of the scene by their names."""
        model = self.model
        if model is None or self._choices is None:
            return
        found = by_names(model.contrasts, candidates())
        for name, node in found.contrasts.items():
            self._choices.choose(name, node)
        named = ", ".join(f"{name}: {node.GetName()}" for name, node in found.contrasts.items())
        chosen = str(_("Chosen: {volumes}.")).format(volumes=named) if named else str(_("Nothing was chosen."))
        self._tell(" ".join((chosen, *found.notes)), False)

    def on_brain(self, node: Any) -> None:
        """Keep the chosen brain."""
        if self._is_open:
            self._choices.brain = node  # type: ignore[union-attr]

    def on_segment(self, index: int) -> None:
        """Keep the chosen segment."""
        if self._is_open:
            self._choices.segment = self.ui.brainMaskSegmentCombo.itemData(index) or ""  # type: ignore[union-attr]

    def on_pet(self, node: Any) -> None:
        """Keep the chosen real PET."""
        if self._is_open:
            self._choices.pet = node  # type: ignore[union-attr]

    def on_predict(self, _checked: bool = False) -> None:  # noqa: FBT001, FBT002
        """Predict the PET; the scene changes when all is done, or not at all."""
        choices, model = self._choices, self.model
        if choices is None or model is None:
            return
        self.ui.predictButton.enabled = False
        # while they are written, the nodes that are shown must not follow each other
        self._shown.pause()
        try:
            with self._reported(_("The PET could not be predicted")):
                nodes = synthesis.run(
                    model, choices.contrasts(model), pet=choices.pet, brain=choices.brain_choice(), poll=self._on_stage
                )
                self.ui.modelPathEdit.addCurrentPathToHistory()
                self._tell_result(nodes)
                if slicer.app.layoutManager() is not None:
                    self._shown.show(nodes)
        finally:
            self._shown.resume()
            self.follow()

    def on_show(self, _checked: bool = False) -> None:  # noqa: FBT001, FBT002
        """Show the prediction side by side with what there is."""
        nodes = self._nodes()
        if nodes is not None:
            with self._reported(_("The predicted PET could not be shown")):
                self._shown.show(nodes)
        self._show_result()

    def on_leave(self, _checked: bool = False) -> None:  # noqa: FBT001, FBT002
        """Give the user's layout back."""
        self._shown.leave()
        self._show_result()

    def _on_contrast(self, number: int) -> Callable[[Any], None]:
        def on_chosen(node: Any) -> None:
            model = self.model
            if self._is_open and model is not None and number <= len(model.contrasts):
                self._choices.choose(model.contrasts[number - 1], node)  # type: ignore[union-attr]

        return on_chosen

    # ---- what happens then

    @property
    def _is_open(self) -> bool:
        """Whether what the widgets say is what the user chose."""
        return self._choices is not None and not self._is_filling and not slicer.mrmlScene.IsBatchProcessing()

    @vtk.calldata_type(vtk.VTK_OBJECT)  # type: ignore[untyped-decorator]
    def _on_node_goes(self, _scene: Any, _event: Any, node: Any) -> None:
        """A selector by itself would choose the neighbour of a node that goes."""
        if self._choices is not None:
            self._choices.forget(node)
        if is_own(node):
            self._shown.release()

    @vtk.calldata_type(vtk.VTK_OBJECT)  # type: ignore[untyped-decorator]
    def _on_node_gone(self, _scene: Any, _event: Any, node: Any) -> None:
        if is_own(node) and not slicer.mrmlScene.IsClosing():
            self._show_result()

    def _on_views(self) -> None:
        if not self._shown.is_shown:
            self._shown.release()
        self._show_result()

    def _on_stage(self, title: str) -> None:
        # drawn at once, without giving anybody else a turn: nodes must not change meanwhile
        self.ui.predictStatusLabel.text = str(_("{stage} …")).format(stage=title)
        self.ui.predictStatusLabel.repaint()

    def _tell_result(self, nodes: SynthesisNodes) -> None:
        if nodes.warnings:
            self._tell(str(_("Done, with warnings: read the notes before you look at the PET.")), True)
        elif nodes.notes:
            self._tell(str(_("Done. The notes say what was done with the images.")), False)
        else:
            self._tell(str(_("Done.")), False)

    def _reported(self, failure: str) -> Reported:
        return Reported(self._tell, failure)

    def _tell(self, message: str, is_bad: bool) -> None:  # noqa: FBT001 - as `Reported` calls it
        self.panel.tell(message, is_bad, self.ui.predictStatusLabel)

    # ---- what the part shows

    def _show(self) -> None:
        """Show all choices; widgets that are filled change none."""
        self._is_filling = True
        try:
            model, error = self._files.read(self._choices.model) if self._choices is not None else (None, "")
            self._show_model(model, error)
            self._show_images(model)
        finally:
            self._is_filling = False
        reason = missing(self._choices, model, error) if self._choices is not None else str(_("No parameters."))
        self.ui.predictButton.enabled = not reason
        self.ui.predictButton.toolTip = reason or _(
            "Predict the PET on the voxels of the first contrast. The scene changes only when all is done."
        )
        self._show_result()

    def _show_model(self, model: SynthesisModel | None, error: str) -> None:
        ui = self.ui
        path = self._choices.model if self._choices is not None else ""
        if ui.modelPathEdit.currentPath != path:
            ui.modelPathEdit.currentPath = path
        self.panel.tell(error if model is None else describe(model), bool(error), ui.modelInfoLabel)
        ui.modelInfoLabel.visible = bool(path)
        ui.synthesisNoticeLabel.text = notice(model)

    def _show_images(self, model: SynthesisModel | None) -> None:
        ui, choices = self.ui, self._choices
        names = model.contrasts if model is not None else ()
        for number in range(1, MOST_CONTRASTS + 1):
            label, selector = getattr(ui, f"contrastLabel{number}"), self._selector(number)
            is_wanted = number <= len(names)
            label.visible = selector.visible = is_wanted
            if is_wanted and choices is not None:
                label.text = f"{names[number - 1]}:"
                self._select(selector, choices.contrast(names[number - 1]))
        ui.byNamesButton.enabled = bool(names)
        if choices is not None:
            self._select(ui.brainMaskSelector, choices.brain)
            self._select(ui.realPetSelector, choices.pet)
            self._show_segments(choices)

    def _select(self, selector: Any, node: Any) -> None:
        if selector.currentNode() is not node:
            selector.setCurrentNode(node)

    def _show_segments(self, choices: SynthesisChoices) -> None:
        combo, node = self.ui.brainMaskSegmentCombo, choices.brain
        is_segmentation = node is not None and node.IsA("vtkMRMLSegmentationNode")
        combo.visible = is_segmentation
        if not is_segmentation:
            return
        content = node.GetSegmentation()
        ids = [content.GetNthSegmentID(index) for index in range(content.GetNumberOfSegments())]
        listed = {"": str(_("choose a segment"))} | {one: content.GetSegment(one).GetName() for one in ids}
        listed.setdefault(choices.segment, str(_("{segment} (gone)")).format(segment=choices.segment))
        if [combo.itemData(index) for index in range(combo.count)] != list(listed):
            combo.clear()
            for segment_id, label in listed.items():
                combo.addItem(label, segment_id)
        combo.setCurrentIndex(list(listed).index(choices.segment))

    def _show_result(self) -> None:
        nodes = self._nodes()
        has_views = slicer.app.layoutManager() is not None
        self.ui.showSynthesisButton.enabled = nodes is not None and has_views
        self.ui.showSynthesisButton.checked = self._shown.is_shown
        self.ui.leaveSynthesisButton.enabled = self._shown.is_shown
        text = ""
        if nodes is not None:
            warnings = (str(_("Warning: {text}")).format(text=for_panel(text)) for text in nodes.warnings)
            made = str(_("Predicted on the voxels of {volume}.")).format(volume=nodes.first.GetName())
            gist = nodes.table.GetAttribute(TITLE) or ""
            notes = (for_panel(note) for note in nodes.notes)
            text = "\n".join((*warnings, f"{made} {gist}", *notes, nodes.table.GetDescription() or ""))
        if text != self._notes:
            self._notes = text
            self.ui.synthesisNotesText.setPlainText(text)

    def _nodes(self) -> SynthesisNodes | None:
        """The last prediction from the first contrast that is chosen."""
        model = self.model
        if model is None or self._choices is None:
            return None
        return synthesis_of(self._choices.contrast(model.contrasts[0]))

    def _selector(self, number: int) -> Any:
        return getattr(self.ui, f"contrastSelector{number}")


def notice(model: SynthesisModel | None) -> str:
    """What to keep in mind, always in sight."""
    told = [
        str(_("A predicted PET is computed from MRI and is no measurement.")),
        str(_("A lesion that the MRI does not show cannot appear in it.")),
    ]
    if model is not None:
        trained = _("This model was trained on {count} subjects; it knows no heads, scanners or sequences but such.")
        told.append(str(trained).format(count=model.subjects))
    return " ".join((*told, str(_(RESEARCH_ONLY))))

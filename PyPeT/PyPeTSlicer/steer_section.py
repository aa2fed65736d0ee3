"""The panel's part for corrections: another artery, an edited mask, and the run that follows."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from PyPeTSlicer import nodes, steering
from PyPeTSlicer.review import candidates
from PyPeTSlicer.review.steps import STEPS, Review
from PyPeTSlicer.review.subject import Subject
from PyPeTSlicer.sections import Section
from PyPeTSlicer.segments import AIF, BRAIN, VOF

AIF_STEP = next(step for step in STEPS if step.name == "AIF")
"""The step that shows the candidates."""


class SteerSection(Section):
    """Arteries by a click or from the list of candidates; segments to edit or to find anew."""

    UI = "Steer"

    def __init__(self, panel: Any, layout: Any) -> None:
        super().__init__(panel, layout)
        self._review = Review(self.logic.views)
        self._placing: tuple[Any, int] | None = None
        self._listed: list[tuple[str, ...]] | None = None
        self._is_filling = False
        for segment_id, title in (
            (BRAIN, _("Brain mask")),
            (AIF, _("Artery (AIF)")),
            (VOF, _("Vein (VOF)")),
        ):
            self.ui.segmentCombo.addItem(title, segment_id)
        self.ui.steerSection.connect("contentsCollapsed(bool)", lambda _collapsed: self.follow())
        self.ui.placeButton.connect("clicked(bool)", self.on_place)
        self.ui.candidatesTable.connect("itemSelectionChanged()", self.on_candidate)
        self.ui.useCandidateButton.connect("clicked(bool)", self.on_use_candidate)
        self.ui.editButton.connect("clicked(bool)", self.on_edit)
        self.ui.findButton.connect("clicked(bool)", self.on_find)
        self.ui.rerunButton.connect("clicked(bool)", self.on_rerun)

    # ---- what the user does

    def on_place(self, checked: bool = False) -> None:  # noqa: FBT001, FBT002 - a slot
        """Let the next click into a view choose the artery; pressed again, do not."""
        self._stop_placing()
        if checked:
            node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "PyPeT artery")
            node.SetSaveWithScene(False)
            node.SetHideFromEditors(True)
            node.CreateDefaultDisplayNodes()
            event = slicer.vtkMRMLMarkupsNode.PointPositionDefinedEvent
            self._placing = (node, node.AddObserver(event, self.on_placed))
            logic = slicer.app.applicationLogic()
            logic.GetSelectionNode().SetReferenceActivePlaceNodeClassName("vtkMRMLMarkupsFiducialNode")
            logic.GetSelectionNode().SetActivePlaceNodeID(node.GetID())
            logic.GetInteractionNode().SetPlaceModePersistence(0)
            logic.GetInteractionNode().SetCurrentInteractionMode(slicer.vtkMRMLInteractionNode.Place)
        self.ui.placeButton.checked = self._placing is not None

    def on_placed(self, node: Any, _event: Any) -> None:
        """Take the artery from the surroundings of the point."""
        place = [0.0, 0.0, 0.0]
        node.GetNthControlPointPositionWorld(0, place)
        # not while the node itself is telling of its point
        qt.QTimer.singleShot(0, lambda: self._take_place(place))

    def on_candidate(self) -> None:
        """Go to the chosen candidate and show its curve."""
        subject, row = self._subject(), self._row()
        self._enable(subject)
        if subject is not None and row is not None and not self._is_filling and self.logic.views.layout is not None:
            with self.panel.reported(_("The candidate could not be shown")):
                place = candidates.show_candidate(subject, row)
                if self._review.step is AIF_STEP:
                    self._review.draw(subject)
                self.logic.views.go_to(place)

    def on_use_candidate(self, _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - a slot
        """Take the artery from the chosen candidate."""
        row = self._row()
        if row is not None:
            self._correct(lambda subject: steering.artery_of_candidate(self.parameters, subject, row))

    def on_edit(self, _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - a slot
        """Open the Segment Editor."""
        subject = self._subject()
        if subject is not None:
            with self.panel.reported(_("The Segment Editor could not be opened")):
                steering.edit(self.parameters, subject, self._segment_id())

    def on_find(self, _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - a slot
        """Let the next run find the segment anew."""
        self._correct(lambda subject: steering.find_again(self.parameters, subject, self._segment_id()))

    def on_rerun(self, _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - a slot
        """Run again, and say what that took."""
        self.ui.steerLabel.text = ""
        before = self._number()
        start = time.perf_counter()
        self.panel.rerun()
        seconds = time.perf_counter() - start
        if self._number() == before:
            return
        ran = ", ".join(self.logic.session.memory.ran)
        told = (
            _("Run again in {seconds:.1f} s: {stages}.") if ran else _("Run again in {seconds:.1f} s: nothing changed.")
        )
        self.ui.steerLabel.text = str(told).format(seconds=seconds, stages=ran)

    # ---- what is shown

    def follow(self) -> None:
        """List the candidates of the run, and say which segments are the user's own."""
        subject = self._subject()
        if not self.ui.steerSection.collapsed:
            rows = candidates.rows(subject) if subject is not None else []
            if rows != self._listed:
                self._listed = rows
                self._fill(rows)
        self._enable(subject)
        owned = steering.of_user(subject) if subject is not None else []
        self.ui.ownedLabel.text = (
            str(_("Yours: {segments}.")).format(segments=", ".join(owned))
            if owned
            else str(_("All found automatically."))
        )

    def running(self, is_running: bool) -> None:  # noqa: FBT001 - said by the method's name
        """No corrections while a run goes on."""
        self.ui.steerContents.enabled = not is_running

    def close(self) -> None:
        """Stop placing."""
        self._stop_placing()

    def bind(self) -> None:
        """Another parameter node: what was begun for the last one ends."""
        self._stop_placing()

    def _fill(self, rows: list[tuple[str, ...]]) -> None:
        table = self.ui.candidatesTable
        chosen = table.currentRow()
        self._is_filling = True
        try:
            table.setRowCount(len(rows))
            for index, row in enumerate(rows):
                for column, text in enumerate(row):
                    table.setItem(index, column, qt.QTableWidgetItem(text))
            table.resizeColumnsToContents()
            table.setCurrentCell(chosen if chosen < len(rows) else -1, 0)
        finally:
            self._is_filling = False

    def _enable(self, subject: Subject | None) -> None:
        self.ui.steerContents.enabled = subject is not None
        self.ui.useCandidateButton.enabled = self._row() is not None
        why = "" if subject is not None else str(_("Nothing to correct yet: press Run first."))
        self.ui.steerContents.toolTip = why

    # ---- corrections

    def _take_place(self, place: list[float]) -> None:
        self._stop_placing()
        radius = self.ui.radiusSpin.value
        self._correct(lambda subject: steering.artery_at(self.parameters, subject, place, radius))

    def _correct(self, change: Any) -> None:
        """Change an input of the run, then run if that is wanted."""
        subject = self._subject()
        if subject is None:
            return
        done = False
        self.ui.steerLabel.text = ""
        with self.panel.reported(_("The correction failed")), self._changing():
            change(subject)
            done = True
        if done and self.ui.atOnceCheck.checked:
            self.on_rerun()
        self.follow()

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Several parameters change as one."""
        state = self.parameters.parameterNode.StartModify()
        try:
            yield
        finally:
            self.parameters.parameterNode.EndModify(state)

    def _stop_placing(self) -> None:
        if self._placing is not None:
            node, tag = self._placing
            self._placing = None
            node.RemoveObserver(tag)
            nodes.remove(node)
            interaction = slicer.app.applicationLogic().GetInteractionNode()
            interaction.SetCurrentInteractionMode(slicer.vtkMRMLInteractionNode.ViewTransform)
        self.ui.placeButton.checked = False

    def _subject(self) -> Subject | None:
        found: Subject | None = self.logic.subject(self.parameters) if self.parameters is not None else None
        return found

    def _number(self) -> str:
        subject = self._subject()
        return subject.number if subject is not None else ""

    def _row(self) -> int | None:
        row = int(self.ui.candidatesTable.currentRow())
        return row if row >= 0 and self.ui.candidatesTable.selectedItems() else None

    def _segment_id(self) -> str:
        return str(self.ui.segmentCombo.itemData(self.ui.segmentCombo.currentIndex))

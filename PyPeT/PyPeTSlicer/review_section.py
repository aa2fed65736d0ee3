"""The panel's list of review steps."""

from __future__ import annotations

from typing import Any

import qt
import slicer
import vtk
from slicer.i18n import tr as _

from PyPeTLib.errors import InputError
from PyPeTSlicer.reporting import Reported
from PyPeTSlicer.review import residue
from PyPeTSlicer.review.steps import STEPS, Review, Step
from PyPeTSlicer.review.subject import Subject
from PyPeTSlicer.sections import Section

COLUMNS = 2


class ReviewSection(Section):
    """One button for each step; those that cannot be opened say why in their tooltip."""

    UI = "Review"

    def __init__(self, panel: Any, layout: Any) -> None:
        super().__init__(panel, layout)
        self._review = Review(self.logic.views)
        self.logic.views.listeners.append(self._mark)
        self._shown: tuple[str, str, str] | None = None
        self._buttons: dict[str, Any] = {}
        grid = self.ui.stepsBox.layout()
        for index, step in enumerate(STEPS):
            button = qt.QPushButton(step.title())
            button.setIcon(qt.QIcon(panel.resourcePath(f"Icons/Step{step.name}.png")))
            button.checkable = True
            button.connect("clicked(bool)", lambda _checked, step=step: self.on_step(step))
            grid.addWidget(button, index // COLUMNS, index % COLUMNS)
            self._buttons[step.name] = button
        self.ui.residueHereButton.connect("clicked(bool)", self.on_residue_here)
        self.ui.leaveReviewButton.connect("clicked(bool)", self.on_leave)
        scene = slicer.mrmlScene
        self._tag = scene.AddObserver(scene.NodeRemovedEvent, self._on_removed)

    def close(self) -> None:
        """Let go of the scene."""
        slicer.mrmlScene.RemoveObserver(self._tag)

    def follow(self) -> None:
        """Say which steps can be opened; show the open one anew after a run, and after a scene was loaded."""
        subject = self._subject()
        reasons = {step.name: self._reason(step, subject) for step in STEPS}
        for step in STEPS:
            button = self._buttons[step.name]
            button.enabled = not reasons[step.name]
            button.toolTip = reasons[step.name] or step.tip()
        opened = self._review.step
        if opened is not None and self._shown != self._state(opened, subject):
            self._show_anew(opened, subject, reasons[opened.name])
        self._mark()

    def on_step(self, step: Step) -> None:
        """Open a step."""
        subject = self._subject()
        with self.panel.reported(_("The step could not be shown")):
            if subject is None:
                raise InputError(self._reason(step, subject))
            # kept first: what cannot be opened is not tried again and again
            self._shown = self._state(step, subject)
            self._review.open(step, subject)
        self._mark()

    def on_residue_here(self, _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - a slot
        """Show the residue function of the voxel at the crosshair."""
        subject, opened = self._subject(), self._review.step
        if subject is None or opened is None:
            return
        with self.panel.reported(_("The voxel could not be shown")):
            crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
            residue.show_residue_at(subject, subject.local(crosshair.GetCrosshairRAS()))
            self._review.open(opened, subject)

    def on_leave(self, _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - a slot
        """Give the user's layout back."""
        self._review.leave()
        # a comparison that is left this way ends, too
        self.panel.followSections()

    def _show_anew(self, step: Step, subject: Subject | None, reason: str) -> None:
        """Show the open step of another run, or none: that of the last run would be taken for this one's.

        What the panel says of the run itself stays.
        """
        self._shown = self._state(step, subject)
        if subject is None or reason:
            self._review.leave()
            closed = str(_("The step {step} was closed: {reason}")).format(step=step.title(), reason=reason)
            self._add(closed)
            return
        with Reported(self._add, _("The step could not be shown")):
            self._review.open(step, subject)

    @vtk.calldata_type(vtk.VTK_OBJECT)  # type: ignore[untyped-decorator]
    def _on_removed(self, _scene: Any, _event: Any, node: Any) -> None:
        """A run is gone with its segmentation, and so is what there was to see of it."""
        if node.IsA("vtkMRMLSegmentationNode") and not slicer.mrmlScene.IsBatchProcessing():
            self.panel.followSections()

    def _add(self, message: str, is_bad: bool = False) -> None:  # noqa: FBT001, FBT002 - as the panel's own
        """Show a message behind that of the panel."""
        label = self.panel.ui.statusLabel
        both = f"{label.text} {message}".strip()
        if is_bad:
            self.panel.tell(both, isBad=True)
        else:
            # as good or bad as it was
            label.text = both

    def _mark(self) -> None:
        """Show which step is open."""
        opened = self._review.step
        for step in STEPS:
            self._buttons[step.name].checked = step is opened
        # the probe's layout is left here, too
        self.ui.residueHereButton.enabled = opened is not None and opened.name == "Residue"
        self.ui.leaveReviewButton.enabled = self.logic.views.layout is not None
        if opened is None:
            self._shown = None

    def _subject(self) -> Subject | None:
        found: Subject | None = self.logic.subject(self.parameters) if self.parameters is not None else None
        return found

    def _reason(self, step: Step, subject: Subject | None) -> str:
        """Why a step cannot be opened; empty where it can."""
        if slicer.app.layoutManager() is None:
            return str(_("There are no views here: the application runs without a window."))
        if subject is None:
            return str(_("Nothing to review yet: press Run first."))
        return step.unavailable(subject)

    def _state(self, step: Step, subject: Subject | None) -> tuple[str, str, str]:
        if subject is None:
            return step.name, "", ""
        return step.name, str(subject.segmentation.GetID()), subject.number

"""The panel's list of review steps."""

from __future__ import annotations

from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

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
        self.ui.leaveReviewButton.connect("clicked(bool)", self.on_leave)

    def follow(self) -> None:
        """Say which steps can be opened; show the open one anew after a run, and after a scene was loaded."""
        subject = self.logic.subject(self.parameters) if self.parameters is not None else None
        for step in STEPS:
            reason = self._reason(step, subject)
            button = self._buttons[step.name]
            button.enabled = not reason
            button.toolTip = reason or step.tip()
        opened = self._review.step
        if opened is not None and subject is not None and self._shown != self._state(opened, subject):
            self.on_step(opened)
        self._mark()

    def on_step(self, step: Step) -> None:
        """Open a step."""
        subject = self.logic.subject(self.parameters)
        if subject is not None:
            # kept first: what cannot be opened is not tried again and again
            self._shown = self._state(step, subject)
            with self.panel.reported(_("The step could not be shown")):
                self._review.open(step, subject)
        self._mark()

    def on_leave(self, _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - a slot
        """Give the user's layout back."""
        self._review.leave()
        self._shown = None
        self._mark()

    def _mark(self) -> None:
        """Show which step is open."""
        opened = self._review.step
        for step in STEPS:
            self._buttons[step.name].checked = step is opened
        self.ui.leaveReviewButton.enabled = opened is not None

    def _reason(self, step: Step, subject: Subject | None) -> str:
        """Why a step cannot be opened; empty where it can."""
        if slicer.app.layoutManager() is None:
            return str(_("There are no views here: the application runs without a window."))
        if subject is None:
            return str(_("Nothing to review yet: press Run first."))
        return step.unavailable(subject)

    def _state(self, step: Step, subject: Subject) -> tuple[str, str, str]:
        return step.name, str(subject.segmentation.GetID()), subject.number

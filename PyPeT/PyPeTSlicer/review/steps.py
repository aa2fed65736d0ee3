"""The steps in their order, and the review that opens one after the other."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from slicer.i18n import tr as _

from PyPeTLib.errors import InputError
from PyPeTSlicer.review.subject import Subject
from PyPeTSlicer.views import LAYOUTS, Arrangement, Views


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the review.

    Attributes
    ----------
    name : str
        Also that of its icon.
    room : str
        Module of this package with the functions ``unavailable`` and ``arrangement``.
    title, tip : callable
        Give what the list shows and its tooltip, in the user's language.
    """

    name: str
    room: str
    title: Callable[[], str]
    tip: Callable[[], str]

    @property
    def layout(self) -> int:
        """Number of its layout."""
        return LAYOUTS[STEPS.index(self)]

    def unavailable(self, subject: Subject) -> str:
        """Why the step cannot be opened; empty where it can."""
        try:
            return str(self._call("unavailable")(subject))
        except InputError as error:
            return str(error)

    def arrangement(self, subject: Subject) -> Arrangement:
        """What the views show."""
        found: Arrangement = self._call("arrangement")(subject)
        return found

    def _call(self, name: str) -> Any:
        # a step's room is imported when it is first asked for
        return getattr(importlib.import_module(f"PyPeTSlicer.review.{self.room}"), name)


STEPS: tuple[Step, ...] = (
    Step(
        name="Input",
        room="input_series",
        title=lambda: _("Input"),
        tip=lambda: _("The series as it was analysed, and its projection: every frame, every slice."),
    ),
    Step(
        name="Motion",
        room="motion",
        title=lambda: _("Motion"),
        tip=lambda: _("Before and after motion correction, and how far the head moved in each frame."),
    ),
    Step(
        name="Mask",
        room="mask",
        title=lambda: _("Mask"),
        tip=lambda: _("The outline of the brain on the image, and the brain alone."),
    ),
    Step(
        name="Bolus",
        room="bolus",
        title=lambda: _("Bolus"),
        tip=lambda: _("The mean curve of the brain, and where the bolus arrives."),
    ),
    Step(
        name="Concentration",
        room="concentration",
        title=lambda: _("Concentration"),
        tip=lambda: _("Contrast agent in every voxel over time, and its projection."),
    ),
    Step(
        name="AIF",
        room="arterial",
        title=lambda: _("AIF"),
        tip=lambda: _("Where the arterial input function was taken, its curve and fit, the vein, and all candidates."),
    ),
    Step(
        name="Residue",
        room="residue",
        title=lambda: _("Residue"),
        tip=lambda: _("Residue function of a voxel, and how well it explains the measured curve."),
    ),
    Step(
        name="Maps",
        room="all_maps",
        title=lambda: _("Maps"),
        tip=lambda: _("All maps side by side."),
    ),
    Step(
        name="Lesions",
        room="lesions",
        title=lambda: _("Lesions"),
        tip=lambda: _("Tissue of low flow and of late arrival, with volumes. Research use only."),
    ),
    Step(
        name="Quality",
        room="findings",
        title=lambda: _("Quality"),
        tip=lambda: _("Everything that speaks against trusting the maps."),
    ),
)


class Review:
    """Opens the steps of a run, and gives the user's layout back.

    Parameters
    ----------
    views : Views
    """

    def __init__(self, views: Views) -> None:
        self._views = views

    @property
    def step(self) -> Step | None:
        """The step that is open."""
        number = self._views.layout
        return next((step for step in STEPS if step.layout == number), None)

    def open(self, step: Step, subject: Subject) -> None:
        """Show a step.

        Raises
        ------
        InputError
            If it cannot be opened, with the reason.
        """
        reason = step.unavailable(subject)
        if reason:
            raise InputError(reason)
        self._views.show(step.layout, step.arrangement(subject))

    def draw(self, subject: Subject) -> None:
        """Draw the segments of the open step anew; places and volumes stay in view as they are."""
        step = self.step
        if step is not None and not step.unavailable(subject):
            self._views.draw(step.arrangement(subject))

    def leave(self) -> None:
        """Give the user's layout back."""
        self._views.leave()

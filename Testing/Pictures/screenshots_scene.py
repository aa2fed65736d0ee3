"""A head in the headless host, analysed by the module's panel, with its views open: what the pictures are taken of."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in ("Testing", "PyPeT", ".")]

from host import Host  # noqa: E402 - after the path is set

HOST = Host.start()

from PyPeTLib.phantom import make_head  # noqa: E402 - after the host has started
from PyPeTLib.phantom.faults import degrade  # noqa: E402
from PyPeTSlicer.sample_data import add_series  # noqa: E402
from PyPeTSlicer.sequences import browser_of  # noqa: E402

WINDOW = (1200, 800)
"""Width and height of the place for views, in pixels."""

PANEL_WIDTH = 560
"""Pixels of the panel."""

SECTIONS = (
    "inputsSection",
    "processingSection",
    "outputsSection",
    "reviewSection",
    "steerSection",
    "probeSection",
    "compareSection",
)
"""Names of the parts of the panel that fold."""

NAMES = {"ctp": "CT perfusion", "dsc": "DSC perfusion"}


class Scene:
    """A head that was analysed, in a scene of its own.

    Parameters
    ----------
    modality : str
        ``"ctp"`` or ``"dsc"``, in the full size of the sample data.
    faults : mapping of str to float, optional
        What is wrong with the series, see `PyPeTLib.phantom.faults`.
    **changes
        Further options of `PyPeTLib.phantom.make_head`.
    """

    def __init__(self, modality: str, faults=None, **changes):
        HOST.reset()
        HOST.open_views(WINDOW)
        self.head = degrade(make_head(modality, seed=0, **changes), faults or {}).head
        module = HOST.load_module(ROOT / "PyPeT" / "PyPeT.py")
        self.panel = HOST.open_widget(module)
        self.sequence = add_series(self.head.series, NAMES[modality])
        self.parameters = self.panel._parameterNode
        self.parameters.inputSequence = self.sequence
        HOST.process_events()

    def run(self):
        """Press Run."""
        self.panel.ui.runButton.click()
        HOST.process_events()
        HOST.assert_no_exceptions()

    @property
    def result(self):
        """What the last run made."""
        return self.panel.logic.session.run_of(self.sequence).result

    def section(self, name: str):
        """A part of the panel, by the name of its .ui file."""
        return next(part for part in self.panel.sections if name == part.UI)

    def open_step(self, name: str):
        """Press the button of a step of the review."""
        section = self.section("Review")
        button = section._buttons[name]
        if not button.enabled:
            raise RuntimeError(f"the step {name} cannot be opened: {button.toolTip}")
        button.click()
        HOST.process_events()
        HOST.assert_no_exceptions()
        if not button.checked:
            raise RuntimeError(f"the step {name} was not opened: {self.panel.ui.statusLabel.text}")

    def go_to(self, place):
        """Move the slice views and the crosshair to a place in RAS mm."""
        self.panel.logic.views.go_to(place)
        HOST.crosshair.SetCrosshairRAS(place)

    def show_frame(self, number: int):
        """Move the slider of time to a frame of the input."""
        browser_of(self.sequence).SetSelectedItemNumber(int(number))
        HOST.process_events()

    def leave_review(self):
        """Press "Leave the review"."""
        self.section("Review").ui.leaveReviewButton.click()

    def close_up(self, place, factor: float = 2.5):
        """Bring a place to the middle of the first view and zoom in, as a user would."""
        view = HOST.view("PyPeT1")
        x, y, _ = self.panel.logic.views.place()
        # patient's right is on the left
        view.pan(place[0] - x, y - place[1])
        view.zoom(factor)
        self.panel.logic.views.go_to(place)

    def stop_placing(self):
        """Click with the right button, which ends the placing of points."""
        interaction = HOST.application_logic.GetInteractionNode()
        interaction.SetCurrentInteractionMode(interaction.ViewTransform)
        self.settle()

    def settle(self):
        """Let everything happen that waits for its turn."""
        HOST.process_events(50)
        HOST.assert_no_exceptions()

    def resize(self, size=WINDOW):
        """Give the window a size."""
        HOST.open_views(size)

    def picture(self, *, size=None):
        """All views as they are drawn."""
        return HOST.layout_picture(size)

    # ---- the panel

    def open_sections(self, *names: str):
        """Open these sections of the panel, and close all others."""
        parts = [self.panel.ui, *(part.ui for part in self.panel.sections)]
        for part in parts:
            for name in SECTIONS:
                if hasattr(part, name):
                    getattr(part, name).collapsed = name not in names
        HOST.process_events()

    def panel_picture(self, *, dark: bool = False):
        """The whole panel."""
        return HOST.panel_picture(self.panel, dark=dark, width=PANEL_WIDTH)

    def section_picture(self, name: str, *, dark: bool = False):
        """One of its parts."""
        return HOST.panel_picture(self.section(name).widget, dark=dark, width=PANEL_WIDTH)

    def close(self):
        """Close panel, window and scene."""
        HOST.close_widget(self.panel)
        HOST.reset()

    # ---- where to look

    @property
    def lesion(self):
        """A place in RAS mm in the slice with most of the lesion."""
        lesion = self.head.masks["core"] | self.head.masks["penumbra"]
        height = int(lesion.sum(axis=(0, 1)).argmax())
        return self.in_ras([*np.argwhere(lesion[..., height]).mean(axis=0), height])

    @property
    def peak(self) -> int:
        """The frame of the input in which the brain holds most contrast."""
        from PyPeTSlicer.review.bolus import peak_frame  # noqa: PLC0415 - reads what the run made

        return int(self.result.motion.kept[peak_frame(self.result)])

    @property
    def arterial_peak(self) -> int:
        """The frame of the input in which the artery holds most contrast."""
        return int(self.result.motion.kept[self.result.aif.measured.argmax()])

    @property
    def opposite(self):
        """The place opposite to the lesion, in RAS mm."""
        mirror = self.result.mirror.matrix
        return tuple(float(value) for value in (mirror @ [*self.lesion, 1.0])[:3])

    @property
    def farthest(self) -> int:
        """The frame of the input, of those that were analysed, that lies farthest from the reference."""
        motion = self.result.motion
        return int(motion.kept[motion.all_frames.displacement[motion.kept].argmax()])

    @property
    def artery(self):
        """The middle of the arterial input function, in RAS mm."""
        return self._analysed_place(np.argwhere(self.result.aif.mask))

    @property
    def other_artery(self):
        """The middle of the second-best candidate of the search, in RAS mm."""
        return self._analysed_place(self.result.aif.candidates[1].places)

    def _analysed_place(self, voxels):
        """The voxel nearest to the middle of some, on the grid that was analysed, in RAS mm."""
        voxel = voxels[np.linalg.norm(voxels - voxels.mean(axis=0), axis=1).argmin()]
        return tuple(float(value) for value in (self.result.working.grid.affine @ [*voxel, 1.0])[:3])

    def in_ras(self, voxel):
        """The place of a voxel of the head in RAS mm."""
        return tuple(float(value) for value in (self.head.series.affine @ [*voxel, 1.0])[:3])

"""Parts of the panel, each with a .ui file and a room of its own."""

from __future__ import annotations

from typing import Any

import slicer


class Section:
    """A part of the panel.

    Parameters
    ----------
    panel : PyPeTWidget
        Has ``logic``, ``tell(message, isBad)``, ``reported(failure)``, ``rerun()`` and
        ``followSections()``.
    layout : QLayout
        Receives the part at its end.
    """

    UI = ""
    """Name of the .ui file, without its ending."""

    def __init__(self, panel: Any, layout: Any) -> None:
        self.panel = panel
        self.parameters: Any = None
        self.widget = slicer.util.loadUI(panel.resourcePath(f"UI/{self.UI}.ui"))
        layout.addWidget(self.widget)
        self.ui = slicer.util.childWidgetVariables(self.widget)
        self.widget.setMRMLScene(slicer.mrmlScene)

    @property
    def logic(self) -> Any:
        """The module's logic."""
        return self.panel.logic

    def set_parameters(self, parameters: Any) -> None:
        """Bind to a parameter node, or to none."""
        self.parameters = parameters
        self.bind()

    def bind(self) -> None:
        """The parameter node is another one, or none."""

    def follow(self) -> None:
        """Show what is there now: called when a parameter has changed, after a run, and when the scene is another."""

    def running(self, is_running: bool) -> None:  # noqa: FBT001 - said by the method's name
        """A run begins or has ended."""
        self.widget.enabled = not is_running

    def close(self) -> None:
        """Let go of everything that is observed."""

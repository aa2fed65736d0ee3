"""Combo boxes of named choices, each with a tooltip of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import qt


class Choices:
    """A combo box that offers names under titles.

    Parameters
    ----------
    combo : QComboBox
    offered : mapping of str to tuple of str
        Name to title and tooltip.
    chosen : callable
        Called with the name that the user chooses.
    """

    def __init__(self, combo: Any, offered: Mapping[str, tuple[str, str]], chosen: Callable[[str], None]) -> None:
        self._combo, self._names, self._chosen = combo, list(offered), chosen
        self._is_showing = False
        for index, (name, (title, tip)) in enumerate(offered.items()):
            combo.addItem(title, name)
            combo.setItemData(index, tip, qt.Qt.ToolTipRole)
        combo.connect("currentIndexChanged(int)", self._on_change)

    def show(self, name: str) -> str:
        """Select a name, or nothing where it is not offered; returns its tooltip."""
        index = self._names.index(name) if name in self._names else -1
        self._is_showing = True
        try:
            self._combo.setCurrentIndex(index)
        finally:
            self._is_showing = False
        return str(self._combo.itemData(index, qt.Qt.ToolTipRole) or "")

    def _on_change(self, index: int) -> None:
        if not self._is_showing and index >= 0:
            self._chosen(self._names[index])

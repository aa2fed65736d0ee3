"""Combo boxes that list the segments of a chosen segmentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from slicer.i18n import tr as _

from PyPeTSlicer.parameters import chosen_segment


class SegmentCombos:
    """The panel's combo boxes for segments.

    Parameters
    ----------
    combos : mapping of str to QComboBox
        By the prefix of the parameters that they belong to.
    changed : callable
        Called when the user chooses.
    """

    def __init__(self, combos: Mapping[str, Any], changed: Callable[[], None]) -> None:
        self._combos, self._changed = combos, changed
        self._is_filling = False
        for combo in combos.values():
            combo.connect("currentIndexChanged(int)", self._on_change)

    def show(self, parameters: Any) -> None:
        """List the segments, with the chosen ones selected."""
        self._is_filling = True
        try:
            for name, combo in self._combos.items():
                self._fill(combo, *chosen_segment(parameters, name))
        finally:
            self._is_filling = False

    def read_into(self, parameters: Any) -> None:
        """Keep what is selected."""
        for name, combo in self._combos.items():
            setattr(parameters, f"{name}Segment", combo.itemData(combo.currentIndex) or "")

    def _fill(self, combo: Any, segmentation: Any, chosen: str) -> None:
        listed = {"": str(_("choose a segment"))}
        if segmentation is not None:
            content = segmentation.GetSegmentation()
            ids = [content.GetNthSegmentID(index) for index in range(content.GetNumberOfSegments())]
            listed |= {segment_id: content.GetSegment(segment_id).GetName() for segment_id in ids}
        listed.setdefault(chosen, str(_("{segment} (gone)")).format(segment=chosen))
        combo.clear()
        for segment_id, label in listed.items():
            combo.addItem(label, segment_id)
        combo.setCurrentIndex(list(listed).index(chosen))
        combo.visible = segmentation is not None

    def _on_change(self, _index: int) -> None:
        if not self._is_filling:
            self._changed()

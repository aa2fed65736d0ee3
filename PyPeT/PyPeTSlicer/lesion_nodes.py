"""What a run finds of lesions, as nodes: a segmentation and the table of its volumes. Research use only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slicer.i18n import tr as _

from PyPeTLib.geometry import Reorientation
from PyPeTLib.lesions import Lesions, lesions_table
from PyPeTLib.report.summary import RESEARCH_ONLY
from PyPeTLib.tables import Cell
from PyPeTSlicer import curves
from PyPeTSlicer.mark_segments import Mark, fill_marks, inner_place, written
from PyPeTSlicer.nodes import TITLE
from PyPeTSlicer.words import for_panel

SEGMENTS, TABLE = "Lesions", "LesionVolumes"
"""Roles of the nodes in the review."""

CORE, PENUMBRA, HYPOPERFUSED = "Core", "Penumbra", "Hypoperfused"
"""Ids of the segments."""

PLACE = "PyPeT.Place"
"""Attribute of the segmentation: where to look first."""

_COLOURS = {CORE: (1.0, 0.0, 1.0), PENUMBRA: (0.2, 0.9, 0.4), HYPOPERFUSED: (1.0, 1.0, 1.0)}


def segments_title() -> str:
    """Name of the segmentation, after that of the series."""
    return str(_("lesions"))


def table_title() -> str:
    """Name of the table, after that of the series."""
    return str(_("lesion volumes"))


def fill_segments(node: Any, lesions: Lesions, orientation: Reorientation) -> None:
    """Put the lesions into a segmentation; empty segments where there are none.

    Parameters
    ----------
    node : vtkMRMLSegmentationNode
    lesions : Lesions
    orientation : Reorientation
        Of the input series.
    """
    masks = {
        HYPOPERFUSED: (lesions.hypoperfused, _("Hypoperfused")),
        PENUMBRA: (lesions.penumbra, _("Penumbra")),
        CORE: (lesions.core, _("Core")),
    }
    marks = {key: Mark(mask=mask, name=name, colour=_COLOURS[key]) for key, (mask, name) in masks.items()}
    fill_marks(node, marks.items(), orientation)
    inner = lesions.core if lesions.core.any() else lesions.hypoperfused
    node.SetAttribute(PLACE, written(inner_place(inner, lesions.grid)))


def fill_table(node: Any, lesions: Lesions) -> None:
    """Put the volumes into a table node, and the two that matter most into the title of the view that shows it."""
    curves.fill_rows(node, (_("Item"), _("Value"), _("Unit")), rows(lesions))
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    # whose thresholds these are, and what is left out
    node.SetDescription(lesions_table(lesions).note)
    title = _("Core {core:.1f} ml, hypoperfused {late:.1f} ml. Research use only")
    node.SetAttribute(TITLE, str(title).format(core=lesions.core_volume, late=lesions.hypoperfused_volume))


def rows(lesions: Lesions) -> list[tuple[str, str, str]]:
    """What the table says: item, value, unit."""
    options = lesions.options
    changed = str(_("{preset}, changed")) if options.changed else "{preset}"
    return [
        *((str(item), _text(value, str(unit)), str(unit)) for item, value, unit in lesions_table(lesions).rows),
        (str(_("Thresholds")), changed.format(preset=options.preset), ""),
        (str(_("Smallest cluster that counts")), f"{options.smallest_cluster:g}", "ml"),
        (str(_("Gaps of tissue that are closed, up to")), f"{2 * options.closing:g}", "mm"),
        (str(_("Notice")), str(_(RESEARCH_ONLY)), ""),
    ]


def in_short(facts: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Rows of the run's summary: the volumes, or why there are none; of what `lesions_facts` gives."""
    if not facts["available"]:
        return [(str(_("Lesions")), str(_("none told: {reason}")).format(reason=for_panel(facts["reason"])), "")]
    named = {"core_ml": _("Core"), "hypoperfused_ml": _("Hypoperfused"), "mismatch_ml": _("Mismatch")}
    return [(str(name), f"{facts[key]:.1f}", "ml") for key, name in named.items()]


def _text(value: Cell, unit: str) -> str:
    if value is None:
        return str(_("none"))
    if not isinstance(value, float):
        return str(value)
    return f"{value:.1f}" if unit else f"{value:.2f}"

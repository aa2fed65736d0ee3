"""Step Maps: all maps of the run side by side, with the same places in view."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from PyPeTLib.maps import QUANTITIES
from PyPeTSlicer.outputs import RELATIVE
from PyPeTSlicer.review.subject import Subject
from PyPeTSlicer.views import Arrangement, Slice

FEW, MANY = 3, 4
"""Maps in a row: of up to nine, and of more."""


def unavailable(subject: Subject) -> str:
    """Why the step cannot be opened; empty where it can."""
    if subject.result is not None and not subject.result.maps.quality_mask.any():
        return str(_("The maps hold no values: there was no bolus or no artery. See the step Quality."))
    if not shown(subject):
        return str(_("The maps of this run hold no values, or are no longer in the scene."))
    return ""


def arrangement(subject: Subject) -> Arrangement:
    """One view a map: CBF, CBV, MTT, TTP, Tmax, then the others, then relative maps."""
    cells = [Slice(title=title, background=node) for title, node in shown(subject)]
    width = FEW if len(cells) <= FEW * FEW else MANY
    return Arrangement(rows=tuple(tuple(cells[start : start + width]) for start in range(0, len(cells), width)))


def shown(subject: Subject) -> list[tuple[str, Any]]:
    """Title and volume of every map of the run; maps of earlier runs are not among them."""
    maps, relative = [], []
    given = of_this_run(subject)
    for name, quantity in QUANTITIES.items():
        node = subject.map_node(name) if name in given else None
        if node is None:
            continue
        unit = node.GetAttribute("PyPeT.Units") or ""
        unit = unit if node.GetAttribute("PyPeT.Calibrated") != "False" else _("arbitrary unit")
        maps.append((f"{quantity.symbol} [{unit}]", node))
        other = node.GetNodeReference(RELATIVE)
        if other is not None and subject.config.quantification.relative:
            relative.append((str(_("{symbol} relative to its mean")).format(symbol=quantity.symbol), other))
    return [*maps, *relative]


def of_this_run(subject: Subject) -> set[str]:
    """Names of the maps that the last run gave; nodes of others may be left from earlier runs."""
    if subject.result is not None:
        return set(subject.result.maps)
    # the summary has a line for each map that holds values
    table = subject.told
    items = [table.GetCellText(row, 0) for row in range(table.GetNumberOfRows())]
    return {item.removesuffix(" median").lower() for item in items if item.endswith(" median")}

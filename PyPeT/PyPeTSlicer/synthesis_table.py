"""What is told of a predicted PET, as rows of a table: figures against a real PET, regions, the model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from slicer.i18n import tr as _

from PyPeTLib.compare.fidelity import FIDELITY
from PyPeTLib.lesions.hypometabolic import HypometabolicOptions, HypometabolicRegions, rule
from PyPeTLib.report.summary import RESEARCH_ONLY
from PyPeTSlicer.curves import fill_rows

if TYPE_CHECKING:
    from PyPeTSlicer.synthesis_nodes import Synthesised

Row = tuple[str, str]

_PETS = ("Predicted", "Real")


def fill(node: Any, done: Synthesised) -> None:
    """Put all rows into a table node."""
    fill_rows(node, (_("Item"), _("Value")), rows(done))
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    node.SetDescription(rule(HypometabolicOptions()))


def title(done: Synthesised) -> str:
    """The gist in one line, as the title of the view that shows the table."""
    volumes = [
        f"{str(_('predicted')) if name == _PETS[0] else str(_('real'))} {done.regions[name].volume_ml:.0f} ml"
        for name in _PETS
        if name in done.regions
    ]
    told = str(_("Hypometabolic: {volumes}.")).format(volumes=", ".join(volumes)) if volumes else ""
    return " ".join(part for part in (told, str(_("Research use only."))) if part)


def rows(done: Synthesised) -> list[Row]:
    """What the table says: item, and value with its unit."""
    model = done.model
    scopes = {"mask": str(_("in the brain")), "volume": str(_("whole volume"))}
    told: list[Row] = [
        (f"{metric.title} {_arrow(metric.better)}, {scopes[scope]}", _number(done.figures[scope][name], metric.unit))
        for scope in scopes
        if scope in done.figures
        for name, metric in FIDELITY.items()
    ]
    titles = {_PETS[0]: str(_("predicted PET")), _PETS[1]: str(_("real PET"))}
    for name, label in titles.items():
        if name in done.regions:
            told += _region_rows(done.regions[name], label)
    return [
        *told,
        (str(_("Model takes")), ", ".join(model.contrasts)),
        (str(_("Trained on")), str(_("{count} subjects")).format(count=model.subjects)),
        (str(_("Patches")), str(model.options.patches)),
        (str(_("Unit of the PET")), model.unit or str(_("not told"))),
        (str(_("Digest of the model")), model.digest[:12]),
        (str(_("Notice")), str(_(RESEARCH_ONLY))),
    ]


def _region_rows(regions: HypometabolicRegions, label: str) -> list[Row]:
    return [
        (str(_("Hypometabolic left, {pet}")).format(pet=label), f"{regions.left_ml:.1f} ml"),
        (str(_("Hypometabolic right, {pet}")).format(pet=label), f"{regions.right_ml:.1f} ml"),
        (str(_("Difference to the other side, {pet}")).format(pet=label), _percent(regions.deficit)),
    ]


def _percent(share: float) -> str:
    return f"{100 * share:+.0f} %" if math.isfinite(share) else str(_("none"))


def _number(value: float, unit: str) -> str:
    if math.isnan(value):
        return str(_("not defined"))
    return " ".join(part for part in ("∞" if math.isinf(value) else f"{value:.4g}", unit) if part)


def _arrow(better: str) -> str:
    return "↑" if better == "higher" else "↓"

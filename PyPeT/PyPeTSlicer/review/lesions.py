"""Step Lesions: tissue that contrast reaches late and tissue of low flow, with their volumes. Research use only."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from PyPeTLib.deconvolution import METHODS
from PyPeTLib.lesions import Lesions, find_lesions, why_no_lesions
from PyPeTSlicer import curves as run_curves
from PyPeTSlicer.drawn_segments import Segments
from PyPeTSlicer.review import marks, timelines
from PyPeTSlicer.review.subject import Subject
from PyPeTSlicer.segments import BRAIN
from PyPeTSlicer.views import Arrangement, Slice, Table
from PyPeTSlicer.words import for_panel

SEGMENTS, TABLE = "Lesions", "LesionVolumes"
"""Roles of the nodes."""

CORE, PENUMBRA, HYPOPERFUSED = "Core", "Penumbra", "Hypoperfused"
"""Ids of the segments."""

PLACE = "PyPeT.Place"

_COLOURS = {CORE: (1.0, 0.0, 1.0), PENUMBRA: (0.2, 0.9, 0.4), HYPOPERFUSED: (1.0, 1.0, 1.0)}


def unavailable(subject: Subject) -> str:
    """Why the step cannot be opened; empty where it can."""
    result = subject.result
    if result is not None:
        reason = why_no_lesions(result)
        if reason:
            return for_panel(reason)
    elif "lesions" not in METHODS.entry(subject.config.deconvolution.method).traits:
        method = subject.config.deconvolution.method
        return str(_("Tmax of the method {method} may not be held against thresholds.")).format(method=method)
    if subject.map_node("tmax") is None or subject.map_node("cbf") is None:
        return str(_("The maps of this run are no longer in the scene."))
    return timelines.missing(subject, SEGMENTS, TABLE)


def arrangement(subject: Subject) -> Arrangement:
    """Tmax with the outlines, flow with the core, and the volumes."""
    segmentation, table = nodes(subject)
    brain = Segments(segmentation=subject.segmentation, outlined=(BRAIN,))
    place = marks.read(segmentation.GetAttribute(PLACE))
    return Arrangement(
        rows=(
            (
                Slice(
                    title=_("Tmax: outlines of late tissue and core. Research use only"),
                    background=subject.map_node("tmax"),
                    segments=(brain, Segments(segmentation=segmentation, outlined=(HYPOPERFUSED, CORE))),
                ),
                Slice(
                    title=_("Flow: core and penumbra. Research use only"),
                    background=subject.map_node("cbf"),
                    segments=(brain, Segments(segmentation=segmentation, filled=(CORE,), outlined=(PENUMBRA,))),
                ),
            ),
            (Table(title=table.GetAttribute(timelines.TITLE), table=table),),
        ),
        heights=(0.68, 0.32),
        place=None if place is None else marks.in_world(subject, place),
    )


def nodes(subject: Subject) -> tuple[Any, Any]:
    """The segmentation of the lesions and the table of their volumes, made from the run or as they were saved.

    Raises
    ------
    InputError
        If hardly any tissue appears normal, so that there is nothing to hold the flow against.
    """
    found: list[Lesions] = []

    def lesions() -> Lesions:
        # found once for both nodes
        if not found:
            found.append(find_lesions(timelines.result_of(subject)))
        return found[0]

    if subject.result is not None and subject.existing(SEGMENTS) is None:
        # before there is a node that an error would leave empty
        lesions()
    segmentation = marks.marked(subject, SEGMENTS, _("lesions"), lambda: _marks(lesions()).items())
    table = subject.node(TABLE, "vtkMRMLTableNode", _("lesion volumes"), lambda node: _fill(node, lesions()))
    if found:
        inner = found[0].core if found[0].core.any() else found[0].hypoperfused
        segmentation.SetAttribute(PLACE, marks.written(marks.inner_place(inner, found[0].grid)))
    return segmentation, table


def _marks(lesions: Lesions) -> dict[str, marks.Mark]:
    masks = {
        HYPOPERFUSED: (lesions.hypoperfused, _("Hypoperfused")),
        PENUMBRA: (lesions.penumbra, _("Penumbra")),
        CORE: (lesions.core, _("Core")),
    }
    return {key: marks.Mark(mask=mask, name=name, colour=_COLOURS[key]) for key, (mask, name) in masks.items()}


def rows(lesions: Lesions) -> list[tuple[str, str, str]]:
    """What the table says: item, value, unit."""
    options = lesions.options
    none = str(_("none"))

    def ratio(value: float | None) -> str:
        return none if value is None else f"{value:.2f}"

    low = f"{options.core_flow:.0%}".replace("%", " %")
    listed = [
        (_("Core: flow below {low} of normal tissue, and hypoperfused").format(low=low), lesions.core_volume),
        (_("Hypoperfused: Tmax above {s:g} s").format(s=options.hypoperfusion_tmax), lesions.hypoperfused_volume),
        (_("Mismatch (penumbra)"), lesions.mismatch_volume),
    ]
    table = [(str(item), f"{value:.1f}", "ml") for item, value in listed]
    table.append((str(_("Mismatch ratio")), ratio(lesions.mismatch_ratio), ""))
    table += [
        (str(_("Tmax above {s:g} s")).format(s=step), f"{volume:.1f}", "ml")
        for step, volume in lesions.tmax_volumes.items()
    ]
    unit = lesions.flow_unit if lesions.calibrated else str(_("arbitrary unit"))
    return [
        *table,
        (str(_("Hypoperfusion intensity ratio (Tmax above 10 s to 6 s)")), ratio(lesions.intensity_ratio), ""),
        (str(_("Mean flow of normal-appearing tissue")), f"{lesions.normal_flow:.1f}", unit),
        (str(_("Volume of that tissue")), f"{lesions.normal_volume:.0f}", "ml"),
        (str(_("Smallest cluster that counts")), f"{options.smallest_cluster:g}", "ml"),
        (str(_("Notice")), str(_("Research use only; not validated for clinical use.")), ""),
    ]


def _fill(node: Any, lesions: Lesions) -> None:
    run_curves.fill_rows(node, (_("Item"), _("Value"), _("Unit")), rows(lesions))
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    node.SetAttribute(
        timelines.TITLE,
        _("Core {core:.1f} ml, hypoperfused {late:.1f} ml. Research use only").format(
            core=lesions.core_volume, late=lesions.hypoperfused_volume
        ),
    )

"""Step Lesions: tissue that contrast reaches late and tissue of low flow, with their volumes. Research use only."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from PyPeTLib.deconvolution import METHODS
from PyPeTLib.lesions import Lesions, find_lesions, why_no_lesions
from PyPeTLib.maps import QUANTITIES
from PyPeTSlicer import lesion_nodes, mark_segments
from PyPeTSlicer.drawn_segments import Segments
from PyPeTSlicer.lesion_nodes import CORE, HYPOPERFUSED, PENUMBRA, PLACE, SEGMENTS, TABLE
from PyPeTSlicer.review import marks, timelines
from PyPeTSlicer.review.subject import Subject
from PyPeTSlicer.segments import BRAIN
from PyPeTSlicer.views import Arrangement, Slice, Table
from PyPeTSlicer.words import for_panel


def unavailable(subject: Subject) -> str:
    """Why the step cannot be opened; empty where it can."""
    result, options = subject.result, subject.config.lesions
    if result is not None:
        told = subject.run.outputs.findings.get("lesions", {}) if subject.run is not None else {}
        reason = why_no_lesions(result, options) or told.get("reason", "")
        if reason:
            return for_panel(reason)
    elif "lesions" not in METHODS.entry(subject.config.deconvolution.method).traits:
        method = subject.config.deconvolution.method
        return str(_("Tmax of the method {method} may not be held against thresholds.")).format(method=method)
    if any(subject.map_node(name) is None for name in (options.hypoperfusion_map, options.core_map)):
        return str(_("The maps of this run are no longer in the scene."))
    return timelines.missing(subject, SEGMENTS, TABLE)


def arrangement(subject: Subject) -> Arrangement:
    """The maps that were held against thresholds with what they showed, and the volumes."""
    segmentation, table = nodes(subject)
    options = subject.config.lesions
    brain = Segments(segmentation=subject.segmentation, outlined=(BRAIN,))
    place = mark_segments.read(segmentation.GetAttribute(PLACE))
    late = str(_("{map}: outlines of late tissue and core. Research use only"))
    low = str(_("{map}: core and penumbra. Research use only"))
    return Arrangement(
        rows=(
            (
                Slice(
                    title=late.format(map=QUANTITIES[options.hypoperfusion_map].symbol),
                    background=subject.map_node(options.hypoperfusion_map),
                    segments=(brain, Segments(segmentation=segmentation, outlined=(HYPOPERFUSED, CORE))),
                ),
                Slice(
                    title=low.format(map=_("Flow") if options.core_map == "cbf" else QUANTITIES["cbv"].symbol),
                    background=subject.map_node(options.core_map),
                    segments=(brain, Segments(segmentation=segmentation, filled=(CORE,), outlined=(PENUMBRA,))),
                ),
            ),
            (Table(title=table.GetAttribute(timelines.TITLE), table=table),),
        ),
        heights=(0.68, 0.32),
        place=None if place is None else marks.in_world(subject, place),
    )


def nodes(subject: Subject) -> tuple[Any, Any]:
    """The segmentation of the lesions and the table of their volumes, as the run made them; anew if one was removed.

    Raises
    ------
    InputError
        If hardly any tissue appears normal, so that there is nothing to hold the flow against.
    """
    found: list[Lesions] = []

    def lesions() -> Lesions:
        # found once for both nodes
        if not found:
            found.append(find_lesions(timelines.result_of(subject), subject.config.lesions))
        return found[0]

    if subject.result is not None and subject.existing(SEGMENTS) is None:
        # before there is a node that an error would leave empty
        lesions()
    segmentation = marks.filled(
        subject,
        SEGMENTS,
        lesion_nodes.segments_title(),
        lambda node: lesion_nodes.fill_segments(node, lesions(), marks.orientation_of(subject)),
    )
    table = subject.node(
        TABLE,
        "vtkMRMLTableNode",
        lesion_nodes.table_title(),
        lambda node: lesion_nodes.fill_table(node, lesions()),
    )
    return segmentation, table

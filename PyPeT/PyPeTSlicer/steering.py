"""What the user corrects in a run: artery, vein and brain become segments of the user's, which the next run takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import slicer
from slicer.i18n import tr as _

from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Reorientation, ball, nearest_ras
from PyPeTSlicer import segments, sequences
from PyPeTSlicer.review import candidates
from PyPeTSlicer.review.subject import Subject
from PyPeTSlicer.segments import AIF, BRAIN, VOF

CORRECTABLE = {BRAIN: "brain", AIF: "aif", VOF: "vof"}
"""Segments that a run takes from the user, and the prefix of the parameters that choose another one in their place."""


def artery_at(parameters: Any, subject: Subject, place: Sequence[float], radius: float) -> None:
    """Take the arterial input function from the surroundings of a place.

    Parameters
    ----------
    parameters : PyPeTParameterNode
    subject : Subject
    place : sequence of float
        In RAS mm of the world: a parent transform of the series counts.
    radius : float
        In mm.

    Raises
    ------
    InputError
        If the place lies outside the series.
    """
    orientation = _orientation(subject)
    _give(parameters, subject, AIF, ball(orientation.ras, subject.local(place), radius), orientation)


def artery_of_candidate(parameters: Any, subject: Subject, row: int) -> None:
    """Take the arterial input function from a candidate of the automatic search."""
    _give(parameters, subject, AIF, candidates.mask_of_candidate(subject, row), _orientation(subject))


def find_again(parameters: Any, subject: Subject, segment_id: str) -> None:
    """Let the next run find a segment anew."""
    subject.segmentation.GetSegmentation().RemoveSegment(segment_id)
    _choose_none(parameters, segment_id)


def edit(parameters: Any, subject: Subject, segment_id: str) -> None:
    """Open the Segment Editor with a segment on the series; the next run takes what is drawn there.

    Raises
    ------
    InputError
        Where the application has no window.
    """
    if slicer.app.layoutManager() is None:
        raise InputError(_("There is no Segment Editor here: the application runs without a window."))
    content = subject.segmentation.GetSegmentation()
    if content.GetSegment(segment_id) is None:
        content.AddEmptySegment(segment_id, segment_id)
    _choose_none(parameters, segment_id)
    slicer.util.selectModule("SegmentEditor")
    module = getattr(slicer.modules, "segmenteditor", None)
    if module is None:
        return
    editor = module.widgetRepresentation().self().editor
    editor.setSegmentationNode(subject.segmentation)
    source = subject.proxy
    if hasattr(editor, "setSourceVolumeNode"):
        editor.setSourceVolumeNode(source)
    else:
        editor.setMasterVolumeNode(source)
    editor.setCurrentSegmentID(segment_id)


def of_user(subject: Subject) -> list[str]:
    """The segments that are the user's own."""
    return [segment_id for segment_id in CORRECTABLE if segments.is_of_user(subject.segmentation, segment_id)]


def _give(parameters: Any, subject: Subject, segment_id: str, mask: Any, orientation: Reorientation) -> None:
    segments.give_segment(subject.segmentation, segment_id, mask, orientation)
    _choose_none(parameters, segment_id)


def _choose_none(parameters: Any, segment_id: str) -> None:
    """The run's own segment counts, not one that was chosen in its place."""
    prefix = CORRECTABLE[segment_id]
    setattr(parameters, f"{prefix}Segmentation", None)
    setattr(parameters, f"{prefix}Segment", "")
    if segment_id == AIF:
        parameters.populationAIF = False
    parameters.useEdits = True


def _orientation(subject: Subject) -> Reorientation:
    if subject.sequence is None:
        raise InputError(_("The series is no longer in the scene. Load it again."))
    return nearest_ras(sequences.grid_of(subject.sequence.GetNthDataNode(0)))

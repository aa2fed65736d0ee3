"""Step Mask: the outline of the brain on the image, the brain alone, every frame, and the classes of tissue."""

from __future__ import annotations

import numpy as np
from slicer.i18n import tr as _

from PyPeTLib.masking import TITLES
from PyPeTLib.pipeline import PipelineResult
from PyPeTLib.series import Modality
from PyPeTSlicer.drawn_segments import Segments
from PyPeTSlicer.review import images, timelines
from PyPeTSlicer.review.subject import Subject
from PyPeTSlicer.segments import BRAIN, TISSUES
from PyPeTSlicer.views import Arrangement, Slice

IMAGE, ALONE = "MaskImage", "MaskBrain"


def unavailable(subject: Subject) -> str:
    """Why the step cannot be opened; empty where it can."""
    return timelines.missing(subject, IMAGE, ALONE)


def arrangement(subject: Subject) -> Arrangement:
    """The outline on the mean image, the brain alone; below them every frame, and tissue."""

    def alone() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        result = timelines.result_of(subject)
        nothing = np.float32(timelines.AIR if subject.modality is Modality.CTP else 0)
        return np.where(result.brain.mask, result.baseline_image, nothing)

    image = images.baseline(subject, IMAGE, _("mask image"))
    brain = images.still(subject, ALONE, _("brain alone"), alone, lambda: timelines.signal_window(subject))
    series = timelines.working_proxy(subject)
    for shown in (image, brain):
        timelines.same_window(shown, series)
    if subject.result is not None:
        image.SetAttribute(timelines.TITLE, _title(subject.result))
    outline = Segments(segmentation=subject.segmentation, outlined=(BRAIN,))
    tissue = Segments(segmentation=subject.segmentation, filled=tuple(TITLES[kind] for kind in TISSUES), opacity=0.5)
    return Arrangement(
        rows=(
            (
                Slice(title=image.GetAttribute(timelines.TITLE), background=image, segments=(outline,)),
                Slice(title=_("Brain alone"), background=brain),
            ),
            (
                Slice(title=_("Every frame"), background=series, segments=(outline,)),
                Slice(title=_("Classes: CSF blue, large vessels red"), background=image, segments=(tissue,)),
            ),
        ),
    )


def _title(result: PipelineResult) -> str:
    """Where the mask came from, and how large it is."""
    is_given = result.brain.method == "given"
    text = _("Brain mask, given by the user: {volume:.0f} ml") if is_given else _("Brain mask, found: {volume:.0f} ml")
    return str(text).format(volume=result.brain.volume(result.working.grid))

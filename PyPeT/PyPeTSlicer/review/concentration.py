"""Step Concentration: contrast agent in each voxel over time, as it was deconvolved, and its projection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from slicer.i18n import tr as _

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.frames import ScatteredFrames
from PyPeTLib.geometry import Grid
from PyPeTLib.projection import Projection, Slab, middle_third
from PyPeTLib.series import Modality
from PyPeTSlicer.review import images, timelines
from PyPeTSlicer.review.subject import Subject
from PyPeTSlicer.review.timelines import Strip
from PyPeTSlicer.views import Arrangement, Slice

SEQUENCE, PROJECTION = "Concentration", "ConcentrationProjection"


def unavailable(subject: Subject) -> str:
    """Why the step cannot be opened; empty where it can."""
    if subject.result is not None and not len(subject.result.concentration.curves):
        return str(_("No voxel of the brain could be analysed in this run, so there is no concentration to show."))
    return timelines.missing(subject, SEQUENCE, PROJECTION)


def arrangement(subject: Subject) -> Arrangement:
    """The concentration beside its projection."""
    shown = timelines.timeline(subject, SEQUENCE, _("concentration"), lambda: _strip(subject))[1]
    projected, projected_title = images.projections(
        subject,
        PROJECTION,
        _("concentration projection"),
        source=lambda: _projected(subject),
        window=_window_of_vessels,
    )
    title = _("Contrast [HU above baseline]") if subject.modality is Modality.CTP else _("Contrast [ΔR2*, 1/s]")
    return Arrangement(
        rows=(
            (
                Slice(title=title, background=shown),
                Slice(title=projected_title, background=projected),
            ),
        )
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Cut:
    """The concentration without what lies beside the brain: there is nothing, but it would take memory.

    All slices stay, so that they count as in the series. ``native`` is the same grid in the input's order of axes.
    """

    frames: ScatteredFrames
    analysed: Mask
    grid: Grid
    native: Grid

    @classmethod
    def of(cls, subject: Subject) -> _Cut:
        result = timelines.result_of(subject)
        orientation = result.working.orientation
        columns = np.broadcast_to(result.analysed.any(axis=2, keepdims=True), result.analysed.shape)
        box, grid = _box_around(columns, result.working.grid)
        analysed = result.analysed[box]
        return cls(
            frames=ScatteredFrames(result.concentration.curves, analysed),
            analysed=analysed,
            grid=grid,
            native=_box_around(orientation.to_native(columns), orientation.native)[1],
        )


def _box_around(mask: Mask, grid: Grid) -> tuple[tuple[slice, slice, slice], Grid]:
    """The smallest box that holds a mask, and its own grid."""
    i, j, k = (np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3))
    shift = np.eye(4)
    shift[:3, 3] = i[0], j[0], k[0]
    sizes = int(np.ptp(i)) + 1, int(np.ptp(j)) + 1, int(np.ptp(k)) + 1
    box = (slice(i[0], i[-1] + 1), slice(j[0], j[-1] + 1), slice(k[0], k[-1] + 1))
    return box, Grid(sizes, grid.affine @ shift)


def _strip(subject: Subject) -> Strip:
    """The frames, as they were deconvolved."""
    result, cut = timelines.result_of(subject), _Cut.of(subject)
    to_native = result.working.orientation.to_native
    # tissue, in which a lesion shows, takes up a fraction of what vessels do
    highest = float(np.percentile(result.concentration.curves.max(axis=1), 90))
    return Strip(
        grid=cut.native,
        frames=(to_native(cut.frames.frame(index)) for index in range(result.working.n_frames)),
        places=result.motion.kept,
        window=(0.0, highest),
    )


def _projected(subject: Subject) -> tuple[Slab, Callable[[int], Volume]]:
    """The middle third of the slices, as far as the brain reaches in them."""
    cut = _Cut.of(subject)
    part = middle_third(cut.grid.shape[2])
    return Slab(grid=cut.grid, kind=Projection.MAXIMUM, part=part, within=cut.analysed), cut.frames.frame


def _window_of_vessels(values: Volume) -> tuple[float, float]:
    """Black to white over all frames: up to the large vessels."""
    peaks = values.max(axis=2)
    return 0.0, float(np.percentile(peaks[peaks > 0], 95)) if (peaks > 0).any() else 1.0

"""Single images of a run as volumes, and projections of its frames as sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from slicer.i18n import tr as _

from PyPeTLib.arrays import Volume
from PyPeTLib.geometry import Grid
from PyPeTLib.projection import Projection, Slab
from PyPeTSlicer.nodes import image_of, matrix_of
from PyPeTSlicer.review.subject import Subject
from PyPeTSlicer.review.timelines import TITLE, Strip, result_of, show_grey, signal_window, timeline


def still(
    subject: Subject, role: str, title: str, image: Callable[[], Volume], window: Callable[[], tuple[float, float]]
) -> Any:
    """A volume with one image of a run, on the grid that was analysed.

    Parameters
    ----------
    subject : Subject
    role : str
        By which it is found again.
    title : str
        Its name, after that of the series.
    image : callable
        Gives a float32 array of shape (x, y, z); only called if the volume is missing or older than the run.
    window : callable
        Gives the values shown black and white, unless the user has chosen others.
    """

    def fill(node: Any) -> None:
        result = result_of(subject)
        orientation = result.working.orientation
        node.SetAndObserveImageData(image_of(orientation.to_native(image())))
        node.SetIJKToRASMatrix(matrix_of(orientation.native))
        proxy = subject.proxy
        node.SetAndObserveTransformNodeID(proxy.GetTransformNodeID() if proxy is not None else None)
        if node.GetDisplayNode() is None:
            show_grey(node, *window())

    return subject.node(role, "vtkMRMLScalarVolumeNode", title, fill)


def baseline(subject: Subject, role: str, title: str) -> Any:
    """A volume with the mean image before the bolus; see `still`."""
    return still(subject, role, title, lambda: result_of(subject).baseline_image, lambda: signal_window(subject))


def projections(
    subject: Subject,
    role: str,
    title: str,
    *,
    source: Callable[[], tuple[Slab, Callable[[int], Volume]]],
    window: Callable[[Volume], tuple[float, float]],
) -> tuple[Any, str]:
    """The projections of all frames that were analysed: the volume that shows their sequence, and its title.

    Its one slice is as thick as the whole stack, so that it stays in view whichever slice the linked views show.

    Parameters
    ----------
    subject : Subject
    role, title : str
        As of `timeline`.
    source : callable
        Gives what is projected, and what makes a frame on its grid from the frame's number.
    window : callable
        Gives the values shown black and white from all projections, shape (x, y, t).
    """

    def strip() -> Strip:
        result = result_of(subject)
        slab, frame = source()
        images = np.concatenate([slab.project(frame(index)) for index in range(result.working.n_frames)], axis=2)
        return Strip(
            grid=_always_in_view(slab),
            frames=(images[..., index : index + 1] for index in range(images.shape[2])),
            places=result.motion.kept,
            window=window(images),
            title=slab_title(slab),
        )

    sequence, proxy = timeline(subject, role, title, strip)
    return proxy, str(sequence.GetAttribute(TITLE))


def slab_title(slab: Slab) -> str:
    """What a view of a projection shows."""
    text = (
        _("Maximum of slices {first} to {last}")
        if slab.kind is Projection.MAXIMUM
        else _("Minimum of slices {first} to {last}")
    )
    return str(text).format(first=slab.part.start + 1, last=slab.part.stop)


def _always_in_view(slab: Slab) -> Grid:
    whole = slice(0, slab.grid.shape[2])
    return Slab(grid=slab.grid, kind=slab.kind, part=whole).projected

"""Frames over time: sequences that run with the input's, so that one slider of time moves them all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from PyPeTLib.arrays import IntArray
from PyPeTLib.errors import InputError
from PyPeTLib.execution import Execution
from PyPeTLib.frames import Frames, StoredFrames
from PyPeTLib.geometry import Grid
from PyPeTLib.pipeline import PipelineResult
from PyPeTLib.series import Modality
from PyPeTSlicer import loading, nodes, sequences
from PyPeTSlicer.nodes import Transaction, image_of, matrix_of, remove
from PyPeTSlicer.review.subject import Subject

WORKING = "Working"
"""Role of the series as it was analysed, where that is not the input itself."""

GREY = "vtkMRMLColorTableNodeGrey"

TITLE = nodes.TITLE

_WINDOW = "PyPeT.Window"
"""Attribute with the window that fits what a node holds: its lowest and its highest value."""

_MADE_OF = "PyPeT.MadeOf"
"""Attribute that stands for what the frames of a sequence were made of."""

_CT_WINDOW = (0.0, 100.0)
"""In HU: brain, blood and the passage of the bolus."""

_WIDEST = 500.0
"""In HU: a wider window hides the bolus in the brain."""

AIR = -1000.0
"""In HU: what lies outside the brain where it is shown alone."""

_NARROW = (np.dtype(np.int16), np.dtype(np.uint16), np.dtype(np.uint8))


@dataclass(frozen=True, kw_only=True, eq=False)
class Strip:
    """Frames that are made one after the other.

    Attributes
    ----------
    grid : Grid
        Where their voxels lie.
    frames : iterable of ndarray, shape (i, j, k)
        On this grid, of float32 or 16-bit integers.
    places : ndarray of int
        Which frames of the input they stand for.
    window : tuple of float
        Values shown black and white.
    title : str
        Of the view that shows them, where the run has a say in it.
    made_of : str
        Stands for all that the frames depend on; a sequence that was filled with the same is left as it is. Empty
        where they are made anew for each run.
    """

    grid: Grid
    frames: Iterable[np.ndarray[Any, Any]]
    places: IntArray
    window: tuple[float, float]
    title: str = ""
    made_of: str = ""


def timeline(subject: Subject, role: str, title: str, strip: Callable[[], Strip]) -> tuple[Any, Any]:
    """A sequence of a run's own frames, played by the browser of the input.

    Frames have the index values of the input, so those that the run left out shift nothing: where there is none, the
    one before stays in view.

    Parameters
    ----------
    subject : Subject
    role : str
        By which it is found again.
    title : str
        Its name, after that of the series.
    strip : callable
        Gives the frames; only called if they are missing or older than the run.

    Returns
    -------
    sequence : vtkMRMLSequenceNode
    proxy : vtkMRMLScalarVolumeNode
        Which shows the frame that is chosen in the browser.

    Raises
    ------
    InputError
        If the series is no longer what was analysed.
    """
    changed = _changed(subject)
    if changed:
        raise InputError(changed)
    source = subject.sequence
    sequence = subject.node(role, "vtkMRMLSequenceNode", title, lambda node: _fill(node, source, strip()))
    browser = browser_of(source)
    is_new = browser.GetProxyNode(sequence) is None
    if not browser.IsSynchronizedSequenceNode(sequence):
        browser.AddSynchronizedSequenceNode(sequence)
    if is_new:
        slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    proxy, shown = browser.GetProxyNode(sequence), browser.GetProxyNode(source)
    if shown is not None:
        proxy.SetAndObserveTransformNodeID(shown.GetTransformNodeID())
    if is_new:
        subject.file(proxy)
        low, high = map(float, sequence.GetAttribute(_WINDOW).split())
        show_grey(proxy, low, high)
    return sequence, proxy


def input_proxy(subject: Subject) -> Any:
    """The volume that shows the input; in CT with a window for the brain, where that from air to bone was chosen."""
    source = subject.sequence
    browser = browser_of(source)
    proxy = browser.GetProxyNode(source)
    if proxy is None:
        slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
        proxy = browser.GetProxyNode(source)
    if proxy.GetDisplayNode() is None or _is_useless(proxy, subject):
        show_grey(proxy, *signal_window(subject))
    return proxy


def browser_of(sequence: Any) -> Any:
    """The browser of a sequence, made where there is none."""
    if sequences.browser_of(sequence) is None:
        with Transaction() as scene:
            loading.browse(scene, sequence)
    return sequences.browser_of(sequence)


def discard(subject: Subject, role: str) -> None:
    """Remove a sequence of an earlier run, which this one has no use for, with the volume that shows it."""
    sequence = subject.existing(role)
    if sequence is None:
        return
    browser = sequences.browser_of(sequence)
    proxy = browser.GetProxyNode(sequence) if browser is not None else None
    if browser is not None:
        browser.RemoveSynchronizedSequenceNode(sequence.GetID())
    for node in (proxy, sequence):
        if node is not None:
            remove(node)


def missing(subject: Subject, *roles: str) -> str:
    """Why a step that shows these nodes cannot be opened; empty where it can."""
    if subject.sequence is None:
        return str(_("The series of this run is no longer in the scene."))
    changed = _changed(subject)
    if changed:
        return changed
    if not all(subject.has(role) for role in roles):
        return str(
            _("The run is no longer in memory, and this step was not open before the scene was saved. Run again.")
        )
    return ""


def working_proxy(subject: Subject) -> Any:
    """The volume that shows the series as it was analysed: the input's own, unless it was resampled or corrected."""
    result = subject.result
    if result is not None and not differs(result):
        discard(subject, WORKING)
        return input_proxy(subject)
    if not subject.has(WORKING):
        return input_proxy(subject)

    def strip() -> Strip:
        result = result_of(subject)
        return Strip(
            grid=result.working.orientation.native,
            frames=stored_alike(result),
            places=result.motion.kept,
            window=_window_of(input_proxy(subject)),
            made_of=_made_of(result, subject.sequence),
        )

    return timeline(subject, WORKING, _("as analysed"), strip)[1]


def result_of(subject: Subject) -> PipelineResult:
    """The run's result, from which nodes are made: they are only while it is in memory."""
    if subject.result is None:
        raise RuntimeError("the run is no longer in memory")
    return subject.result


def differs(result: PipelineResult) -> bool:
    """Whether the frames that were analysed have other voxels than the input."""
    return result.motion.applied or result.working.grid.shape != result.series.grid.shape


def stored_alike(result: PipelineResult) -> Iterable[np.ndarray[Any, Any]]:
    """The frames that were analysed, in the native order, as whole numbers where those of the input are."""
    working = result.working
    kind = _narrow_type(result.series.frames)
    execution = Execution()

    def frame(index: int) -> np.ndarray[Any, Any]:
        made: np.ndarray[Any, Any] = working.frame(index)
        if kind is not None:
            limits = np.iinfo(kind)
            made = np.rint(made).clip(limits.min, limits.max).astype(kind)
        return working.orientation.to_native(made)

    # as many at a time as there are threads: all of them would take as much memory as the series
    for first in range(0, working.n_frames, execution.threads):
        yield from execution.map(frame, range(first, min(first + execution.threads, working.n_frames)))


def analysed_frame(subject: Subject, index: int) -> np.ndarray[Any, Any]:
    """A frame that was analysed, in RAS+ order; from the sequence that shows it, so that it is not corrected twice."""
    result, sequence = result_of(subject), subject.existing(WORKING)
    if differs(result) and sequence is not None:
        native = sequences.voxels_of(sequence.GetNthDataNode(index))
        return np.asarray(result.working.orientation.to_ras(native), np.float32)
    return result.working.frame(index)


_TOO_DARK = 10
"""Above so many times the brain's signal, the upper end of a window leaves the brain black."""


def signal_window(subject: Subject) -> tuple[float, float]:
    """Values to show black and white: the brain window of CT, or what covers the brain's signal in MR."""
    result = subject.result
    if subject.modality is Modality.CTP:
        return _CT_WINDOW
    if result is not None:
        inside = result.baseline_image[result.brain.mask]
    else:
        voxels = sequences.first_frame(subject.sequence)
        inside = voxels[voxels > voxels.mean()]
    return 0.0, 1.3 * float(np.percentile(inside, 98)) if inside.size else 1.0


def show_grey(volume: Any, low: float, high: float) -> None:
    """Show a volume in shades of grey between two values."""
    if volume.GetDisplayNode() is None:
        volume.CreateDefaultDisplayNodes()
    display = volume.GetDisplayNode()
    display.SetAndObserveColorNodeID(GREY)
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(low, high if high > low else low + 1.0)


def same_window(volume: Any, other: Any) -> None:
    """Show a volume with the window of another."""
    if volume is not other:
        show_grey(volume, *_window_of(other))


def _window_of(volume: Any) -> tuple[float, float]:
    display = volume.GetDisplayNode()
    return float(display.GetWindowLevelMin()), float(display.GetWindowLevelMax())


def _changed(subject: Subject) -> str:
    """Whether the series has other frames than the run, in words; empty where it has not, or nobody knows."""
    result, found = subject.result, subject.sequence.GetNumberOfDataNodes()
    if result is None or result.series.n_frames == found:
        return ""
    text = _("The series had {before} frames when it was analysed, and has {now}. Run again.")
    return str(text).format(before=result.series.n_frames, now=found)


def _is_useless(volume: Any, subject: Subject) -> bool:
    """Whether all of the brain would be one shade of grey.

    In MR so it would be by the window that Slicer makes of an empty or spiky first frame.
    """
    low, high = _window_of(volume)
    if subject.modality is Modality.CTP:
        return high - low > _WIDEST
    result = subject.result
    if result is None or not result.brain.mask.any():
        return False
    middle = float(np.median(result.baseline_image[result.brain.mask]))
    return not low < middle < high or high > _TOO_DARK * middle


def _fill(sequence: Any, source: Any, strip: Strip) -> None:
    """Put frames into a sequence node, with the index of the input."""
    if strip.made_of and sequence.GetAttribute(_MADE_OF) == strip.made_of:
        return
    # whoever watches is told once, not of every frame
    modified = sequence.StartModify()
    try:
        sequence.RemoveAllDataNodes()
        # no input for a run
        sequence.SetHideFromEditors(True)
        sequence.SetIndexType(source.GetIndexType())
        sequence.SetIndexName(source.GetIndexName())
        sequence.SetIndexUnit(source.GetIndexUnit())
        sequence.SetNumericIndexValueTolerance(source.GetNumericIndexValueTolerance())
        sequence.SetAttribute(_WINDOW, " ".join(f"{value:.6g}" for value in strip.window))
        matrix = matrix_of(strip.grid)
        for place, frame in zip(strip.places, strip.frames, strict=True):
            volume = slicer.vtkMRMLScalarVolumeNode()
            volume.SetName(sequence.GetName())
            volume.SetAndObserveImageData(image_of(frame))
            volume.SetIJKToRASMatrix(matrix)
            sequence.SetDataNodeAtValue(volume, source.GetNthIndexValue(int(place)))
        sequence.SetAttribute(_MADE_OF, strip.made_of)
        sequence.SetAttribute(TITLE, strip.title)
    finally:
        sequence.EndModify(modified)


def _made_of(result: PipelineResult, source: Any) -> str:
    """The motion that was undone, how, and in which frames: a run that begins behind it corrects nothing anew."""
    estimate, options = result.motion.estimate, result.config
    frames = [source.GetNthDataNode(index).GetImageData() for index in range(source.GetNumberOfDataNodes())]
    parts = (
        estimate.matrices.tobytes(),
        result.motion.kept.tobytes(),
        repr((options.motion, options.resample)).encode(),
        repr([frame.GetMTime() for frame in frames]).encode(),
    )
    return hashlib.sha256(b"|".join(parts)).hexdigest()[:32]


def _narrow_type(frames: Frames) -> np.dtype[Any] | None:
    """The type of frames that are held as whole numbers; None for all others."""
    if not isinstance(frames, StoredFrames) or (frames.slope, frames.intercept) != (1, 0):
        return None
    return frames.stored.dtype if frames.stored.dtype in _NARROW else None

"""One run: nodes in, the pipeline, nodes out; cancel, failure or a lost input leave the scene as it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import slicer

from PyPeTLib.config import Given, PipelineConfig
from PyPeTLib.errors import CancelledError, InputError
from PyPeTLib.io import LoadedSeries
from PyPeTLib.io.sidecar import Sidecar, resolve_modality
from PyPeTLib.pipeline import STAGES, run_pipeline
from PyPeTLib.series import Modality
from PyPeTSlicer import segments, sequences, timing
from PyPeTSlicer.colours import DEFAULT
from PyPeTSlicer.nodes import INPUT, RUN
from PyPeTSlicer.outputs import OutputNodes, write_outputs
from PyPeTSlicer.segments import AIF, BRAIN, VOF, SegmentChoice
from PyPeTSlicer.session import Run, Session

READING, WRITING = "reading", "writing"

_SHARES = {
    READING: 3,
    "resample": 1,
    "motion": 10,
    "mask": 6,
    "bolus": 8,
    "symmetry": 2,
    "aif": 12,
    "tissue": 1,
    "smoothing": 22,
    "deconvolution": 32,
    "maps": 2,
    WRITING: 4,
}
"""Rough shares of the whole time, for a progress bar that moves evenly."""


class InputLostError(CancelledError):
    """The sequence left the scene while it was being analysed."""


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """What a run is asked to do.

    Attributes
    ----------
    sequence : vtkMRMLSequenceNode
        Or the proxy volume of one.
    modality : Modality
    frame_times : str
        Seconds from one frame to the next, or all times; empty for what the sequence says.
    echo_time : float or None
        In seconds; for DSC.
    slice_times : str
        One time in seconds for each slice, from the lowest to the highest; empty for what the sequence says.
    second_echo : vtkMRMLSequenceNode or None
        The same frames at a longer echo time; for DSC.
    second_echo_time : float or None
        In seconds.
    brain, artery, vein, white_matter : SegmentChoice or None
        Segments of the user's in place of what PyPeT finds.
    population : bool
        Whether a standard bolus takes the place of the artery.
    changes : mapping
        Options that differ from the defaults of the modality, as nested tables.
    use_edits : bool
        Whether segments that PyPeT wrote and the user edited are an input.
    outputs : OutputNodes
        Nodes to write into.
    colours : str
        Of new maps: a key of `colours.SCHEMES`.
    """

    sequence: Any
    modality: Modality
    frame_times: str = ""
    echo_time: float | None = None
    slice_times: str = ""
    second_echo: Any = None
    second_echo_time: float | None = None
    brain: SegmentChoice | None = None
    artery: SegmentChoice | None = None
    vein: SegmentChoice | None = None
    population: bool = False
    white_matter: SegmentChoice | None = None
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    use_edits: bool = True
    outputs: OutputNodes = field(default_factory=OutputNodes)
    colours: str = DEFAULT


def run(
    request: RunRequest,
    progress: Callable[[str, float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    session: Session | None = None,
) -> OutputNodes:
    """Analyse a sequence and write the results into the scene.

    Parameters
    ----------
    request : RunRequest
    progress : callable, optional
        Called with the stage and the share of the whole run that is done (0…1); may process events.
    cancelled : callable, optional
        Asked often; the run stops soon after it returns true.
    session : Session, optional
        Remembers the run, and spares it the stages that the last one went through with the same inputs.

    Raises
    ------
    InputError
        If the input cannot be used.
    CancelledError
        If the run was cancelled; `InputLostError` if the sequence was removed or the scene closed meanwhile.
    """
    sequence = sequences.sequence_of(request.sequence)
    # observing nothing leaves nothing behind: whether the input is still there is asked instead
    watch = _Watch(sequence, progress, cancelled)
    watch.report(READING, 0.0)

    def read() -> LoadedSeries:
        return _read(request, sequence, lambda: watch.report(READING, 0.5))

    loaded = read() if session is None else session.series(_state(request, sequence), read)
    config = PipelineConfig.for_modality(request.modality, request.changes)
    given, origin = _given(request, sequence, loaded.series)
    memory = None if session is None else session.memory
    result = run_pipeline(loaded.series, config, watch.report, watch.is_over, given=given, memory=memory)
    watch.report(WRITING, 0.0)
    # from here to the end nobody else gets a turn, so the scene cannot change in between
    outputs = write_outputs(
        result,
        loaded,
        sequence=sequence,
        proxy=sequences.proxy_of(sequence),
        wanted=_still_there(request.outputs),
        given=origin,
        scheme=request.colours,
    )
    if session is not None:
        number = outputs.segmentation.GetAttribute(RUN)
        session.keep(Run(sequence=sequence, loaded=loaded, result=result, outputs=outputs, number=number))
    return outputs


def _state(request: RunRequest, sequence: Any) -> tuple[Any, ...]:
    """All that a series is read from: while it is the same, the series is."""

    def content(node: Any) -> tuple[Any, ...]:
        if node is None:
            return ()
        frames = [node.GetNthDataNode(index) for index in range(node.GetNumberOfDataNodes())]
        images = [frame.GetImageData().GetMTime() for frame in frames if frame.GetImageData() is not None]
        # not when the node itself was modified: a scene that is saved touches it
        facts = timing.SequenceFacts.of(node)
        return (node.GetID(), facts, *(frame.GetMTime() for frame in frames), *images)

    second = None if request.second_echo is None else sequences.sequence_of(request.second_echo)
    told = (request.modality, request.frame_times, request.echo_time, request.slice_times, request.second_echo_time)
    return (content(sequence), content(second), told)


def _read(request: RunRequest, sequence: Any, poll: Callable[[], None]) -> LoadedSeries:
    """The series that the run is asked for, with its second echo."""
    facts = timing.SequenceFacts.of(sequence)
    times, times_source = timing.frame_times(facts, request.frame_times)
    by_slice, slice_source = timing.slice_times(facts, request.slice_times)
    if request.modality is Modality.DSC and not request.echo_time:
        raise InputError(f"{sequence.GetName()}: a DSC series needs its echo time. Give it with --echo-time.")
    sources = {"modality": "chosen", "frame_times": times_source, "orientation": "IJK to RAS matrix"}
    sources |= timing.remarks(facts)
    if request.modality is Modality.DSC:
        sources["echo_time"] = "chosen"
    if by_slice is not None:
        sources["slice_times"] = slice_source
    loaded = sequences.read_sequence(
        sequence,
        modality=request.modality,
        frame_times=times,
        echo_time=request.echo_time,
        sources=sources,
        slice_times=by_slice,
        poll=poll,
    )
    # refuses Hounsfield values that are said to be DSC
    resolve_modality(request.modality.value, Sidecar(), loaded.series.frame(0), name=loaded.series.name)
    if request.second_echo is None:
        return loaded
    if not request.second_echo_time:
        raise InputError(f"{facts.name}: the second echo needs its own echo time. Give it with --second-echo-time.")
    second = sequences.read_sequence(
        sequences.sequence_of(request.second_echo),
        modality=Modality.DSC,
        frame_times=times,
        echo_time=request.second_echo_time,
        sources={},
        poll=poll,
    )
    return sequences.with_second_echo(loaded, second, f"{second.series.name}, echo time chosen")


class _Watch:
    """Progress over all stages, and whether there is still something to work for."""

    def __init__(
        self,
        sequence: Any,
        progress: Callable[[str, float], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self._sequence, self._id = sequence, sequence.GetID()
        self._progress, self._cancelled = progress, cancelled
        before = 0
        self._starts = {}
        for stage in (READING, *STAGES, WRITING):
            self._starts[stage] = before
            before += _SHARES[stage]
        self._whole = before
        self._done = 0.0

    def report(self, stage: str, share: float) -> None:
        # a stage that begins anew inside does not turn the bar back
        self._done = max(self._done, (self._starts[stage] + share * _SHARES[stage]) / self._whole)
        if self._progress is not None:
            self._progress(stage, self._done)
        if self.is_over():
            raise CancelledError("cancelled")

    def is_over(self) -> bool:
        if slicer.mrmlScene.GetNodeByID(self._id) is not self._sequence:
            raise InputLostError(
                "The series was removed, or the scene was closed, while it was being analysed. Nothing was written."
            )
        return self._cancelled is not None and self._cancelled()


def _given(request: RunRequest, sequence: Any, series: Any) -> tuple[Given, set[str]]:
    """Masks that the run is to use, and the ids of the segments that were the user's."""
    proxy = sequences.proxy_of(sequence)
    masks: dict[str, np.ndarray[Any, Any] | None] = {}
    last = request.outputs.segmentation
    own = last if request.use_edits and last is not None and last.GetScene() is not None else None
    choices = {BRAIN: request.brain, AIF: request.artery, VOF: request.vein}
    for segment_id, choice in choices.items():
        if segment_id == AIF and request.population:
            continue
        if choice is not None:
            masks[segment_id] = segments.mask_of(choice, series.orientation, proxy)
        elif own is not None and _made_from(own, sequence):
            masks[segment_id] = segments.edited_mask(own, segment_id, series.orientation, proxy)
    white = request.white_matter
    given = Given(
        brain_mask=masks.get(BRAIN),
        aif_mask=masks.get(AIF),
        aif_population=request.population,
        vof_mask=masks.get(VOF),
        white_matter=segments.mask_of(white, series.orientation, proxy) if white is not None else None,
    )
    # those chosen from elsewhere are chosen again at the next run; only edits have to be remembered
    edited = {segment_id for segment_id, mask in masks.items() if mask is not None}
    return given, {segment_id for segment_id in edited if choices[segment_id] is None}


def _made_from(segmentation: Any, sequence: Any) -> bool:
    made_from = segmentation.GetNodeReferenceID(INPUT)
    return made_from is None or made_from == sequence.GetID()


def _still_there(wanted: OutputNodes) -> OutputNodes:
    """The wanted nodes without those that were removed from the scene meanwhile."""

    def alive(node: Any) -> Any:
        return node if node is not None and slicer.mrmlScene.GetNodeByID(node.GetID() or "") is node else None

    return OutputNodes(
        volumes={name: alive(node) for name, node in wanted.volumes.items()}, segmentation=alive(wanted.segmentation)
    )

"""What the choices in the parameter node mean: proposals for an input, what is missing, the run they ask for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from slicer.i18n import tr as _

from PyPeTLib.config import PipelineConfig
from PyPeTLib.errors import InputError
from PyPeTLib.series import Modality
from PyPeTSlicer import segments, sequences, timing
from PyPeTSlicer.nodes import INPUT
from PyPeTSlicer.outputs import MAPS, OutputNodes, is_empty, is_own, last_outputs
from PyPeTSlicer.running import RunRequest
from PyPeTSlicer.words import for_panel

SEGMENTS = ("brain", "aif", "vof", "whiteMatter")
"""Prefixes of the parameters that choose a segment."""

NODES = (
    "inputSequence",
    "secondEcho",
    *(f"{name}Segmentation" for name in SEGMENTS),
    *(f"{name}Volume" for name in MAPS),
    *(f"{name}Reference" for name in MAPS),
    "segmentation",
)
"""Parameters that hold a node."""

LARGEST_ECHO_TIME_MS = 200.0


def adopt(parameters: Any) -> None:
    """Propose what the chosen sequence says of itself, for the user to confirm, and the nodes of its last run.

    Choices that belong to another series go.
    """
    sequence = parameters.inputSequence
    modality, echo_time = proposed(sequence) if sequence is not None else (None, None)
    kind = type(parameters.modality)
    parameters.modality = kind(modality.value if modality is not None else "")
    parameters.echoTime = _milliseconds(echo_time)
    parameters.frameTimes = ""
    parameters.sliceTimes = ""
    parameters.secondEcho = None
    parameters.populationAIF = False
    for name in SEGMENTS:
        setattr(parameters, f"{name}Segmentation", None)
        setattr(parameters, f"{name}Segment", "")
    last = last_outputs(sequence)
    for name in MAPS:
        setattr(parameters, f"{name}Reference", None)
        setattr(parameters, f"{name}Volume", last.volumes.get(name))
    parameters.segmentation = last.segmentation


def adopt_second_echo(parameters: Any) -> None:
    """Propose the echo time that the second echo says of itself."""
    second = parameters.secondEcho
    found = None if second is None else timing.echo_time(timing.SequenceFacts.of(second))
    parameters.secondEchoTime = _milliseconds(found)


def proposed(sequence: Any) -> tuple[Modality | None, float | None]:
    """Modality and echo time in seconds that a sequence proposes; None where nothing tells."""
    facts = timing.SequenceFacts.of(sequence)
    try:
        frame = sequences.first_frame(sequence)
    except InputError:
        frame = None
    return timing.modality(facts, frame)[0], timing.echo_time(facts)


def set_defaults(parameters: Any) -> None:
    """Set all processing options to the defaults of the modality."""
    config = PipelineConfig.for_modality(Modality(parameters.modality.value or Modality.CTP.value))
    parameters.correctMotion = config.motion.correct
    parameters.smoothing = config.denoising.sigma
    parameters.method = config.deconvolution.method
    parameters.advanced = ""
    parameters.preset = ""


def defaults(modality: Modality, changes: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The options that hold where changes say nothing, as nested tables.

    They are those of the modality; published thresholds of lesions that the changes name bring their own.
    """
    plain: dict[str, dict[str, Any]] = PipelineConfig.for_modality(modality).to_mapping()
    named = changes.get("lesions", {}).get("preset")
    if named is None:
        return plain
    lesions = PipelineConfig.for_modality(modality, {"lesions": {"preset": named}}).to_mapping()["lesions"]
    return {**plain, "lesions": {**lesions, "preset": plain["lesions"]["preset"]}}


def chosen_segment(parameters: Any, name: str) -> tuple[Any, str]:
    """Segmentation node and segment id chosen for the brain, the artery or white matter."""
    return getattr(parameters, f"{name}Segmentation"), getattr(parameters, f"{name}Segment")


def advanced(parameters: Any) -> tuple[Modality, dict[str, dict[str, Any]]]:
    """Modality, and the options that differ from its defaults."""
    return Modality(parameters.modality.value), json.loads(parameters.advanced or "{}")


def frame_times(parameters: Any) -> Any:
    """Frame times in seconds and where they came from; an `InputError` where they are unknown."""
    return timing.frame_times(timing.SequenceFacts.of(parameters.inputSequence), parameters.frameTimes)


def describe_times(parameters: Any) -> str:
    """The frame times in words, or why they are unknown."""
    if parameters.inputSequence is None:
        return ""
    try:
        times, source = frame_times(parameters)
    except InputError as error:
        return for_panel(str(error))
    steps = times[1:] - times[:-1]
    low, high = steps.min(), steps.max()
    apart = f"{low:.4g} s" if high - low < 0.02 * high else f"{low:.4g} to {high:.4g} s"
    return str(_("{count} frames, {apart} apart ({source})")).format(count=len(times), apart=apart, source=source)


def offered_interval(parameters: Any) -> float | None:
    """The repetition time in seconds, where the frame times are unknown and it may be their interval."""
    if parameters.inputSequence is None:
        return None
    try:
        frame_times(parameters)
    except InputError:
        return timing.offered_interval(timing.SequenceFacts.of(parameters.inputSequence))
    return None


def missing(parameters: Any) -> str:
    """What has to be done before a run, in one sentence; empty where nothing is missing. Looks at no voxel."""
    if parameters.inputSequence is None:
        return str(_("Choose the sequence with the perfusion series, or load a 4D file."))
    try:
        sequences.check_frames(parameters.inputSequence)
        frame_times(parameters)
        timing.slice_times(timing.SequenceFacts.of(parameters.inputSequence), parameters.sliceTimes)
    except InputError as error:
        return for_panel(str(error))
    if not parameters.modality.value:
        return str(_("Choose the modality: nothing in the series tells it."))
    if is_dsc(parameters) and parameters.echoTime <= 0:
        return str(_("Give the echo time: DSC needs it, and nothing in the series tells it."))
    if is_dsc(parameters) and bool(chosen_segment(parameters, "whiteMatter")[1]) != (parameters.whiteMatterCBF > 0):
        return str(_("Give both the normal white matter and the flow there, or neither."))
    return _unfit_second_echo(parameters) or _unfit_segment(parameters) or _unfit_output(parameters)


def is_dsc(parameters: Any) -> bool:
    """Whether the series is said to be DSC."""
    return bool(parameters.modality.value == Modality.DSC.value)


def request(parameters: Any) -> RunRequest:
    """The run that the parameters ask for; nothing may be missing."""
    modality, changes = advanced(parameters)
    panel = {
        "motion": {"correct": parameters.correctMotion},
        "denoising": {"sigma": parameters.smoothing},
        "deconvolution": {"method": parameters.method},
        "quantification": {
            "relative": parameters.relative,
            "white_matter_cbf": parameters.whiteMatterCBF if is_dsc(parameters) else 0.0,
        },
    }
    for table, values in panel.items():
        changes[table] = {**changes.get(table, {}), **values}
    return RunRequest(
        sequence=parameters.inputSequence,
        modality=modality,
        frame_times=parameters.frameTimes,
        echo_time=parameters.echoTime / 1000 if is_dsc(parameters) else None,
        brain=_choice(parameters, "brain"),
        artery=_choice(parameters, "aif"),
        vein=_choice(parameters, "vof"),
        population=parameters.populationAIF,
        slice_times=parameters.sliceTimes,
        second_echo=parameters.secondEcho if is_dsc(parameters) else None,
        second_echo_time=parameters.secondEchoTime / 1000,
        white_matter=_choice(parameters, "whiteMatter") if is_dsc(parameters) else None,
        changes=changes,
        use_edits=parameters.useEdits,
        colours=parameters.colours,
        outputs=OutputNodes(
            volumes={name: getattr(parameters, f"{name}Volume") for name in MAPS}, segmentation=parameters.segmentation
        ),
    )


def take(parameters: Any, outputs: OutputNodes) -> None:
    """Choose the nodes of a run as the outputs of the next."""
    for name in MAPS:
        setattr(parameters, f"{name}Volume", outputs.volumes.get(name))
    parameters.segmentation = outputs.segmentation


def _choice(parameters: Any, name: str) -> segments.SegmentChoice | None:
    segmentation, segment = chosen_segment(parameters, name)
    return segments.SegmentChoice(segmentation=segmentation, segment_id=segment) if segmentation and segment else None


def _milliseconds(echo_time: float | None) -> float:
    return min(1000 * echo_time, LARGEST_ECHO_TIME_MS) if echo_time is not None else 0.0


def _unfit_second_echo(parameters: Any) -> str:
    """Why the second echo does not serve, in words; empty where it does or there is none."""
    first, second = parameters.inputSequence, parameters.secondEcho
    if second is None or not is_dsc(parameters):
        return ""
    if second is first:
        return str(_("Second echo: choose the sequence of the longer echo, not the series itself."))
    try:
        sequences.check_frames(second)
    except InputError as error:
        return for_panel(str(error))
    counts = first.GetNumberOfDataNodes(), second.GetNumberOfDataNodes()
    if counts[0] != counts[1]:
        unequal = _("Second echo: {second} has {found} frames, the series {wanted}. Choose two echoes of one scan.")
        return str(unequal).format(second=second.GetName(), found=counts[1], wanted=counts[0])
    if parameters.secondEchoTime <= parameters.echoTime:
        return str(_("Give the echo time of the second echo; it is longer than that of the series."))
    return ""


def _unfit_segment(parameters: Any) -> str:
    """A segment that is still to be chosen, not needed or no longer there, in words; empty where there is none."""
    if parameters.populationAIF and parameters.aifSegmentation is not None:
        return str(_("Choose an artery or the population curve, not both."))
    for name in SEGMENTS:
        segmentation, segment = chosen_segment(parameters, name)
        if segmentation is None and not segment:
            continue
        label = _segment_label(name)
        if segmentation is not None and not segment:
            return str(_("{label}: choose one of the segments.")).format(label=label)
        if segmentation is None or segmentation.GetSegmentation().GetSegment(segment) is None:
            return str(_("{label}: the segment {segment} is gone. Choose another one.")).format(
                label=label, segment=segment
            )
    return ""


def _segment_label(name: str) -> str:
    labels = {"brain": _("Brain mask"), "aif": _("Artery (AIF)"), "vof": _("Vein (VOF)")}
    return str(labels.get(name) or _("Normal white matter"))


def _unfit_output(parameters: Any) -> str:
    """Why a chosen output node must not be written into, in words; empty where all may be.

    Nothing is overwritten that is not an earlier result of the same kind for the same series.
    """
    nodes = {name.upper(): getattr(parameters, f"{name}Volume") for name in MAPS}
    nodes["Segmentation"] = parameters.segmentation
    seen: dict[str, str] = {}
    for label, node in nodes.items():
        if node is None:
            continue
        if node.GetID() in seen:
            return str(_("{label} and {other} are to be written into the same node, {node}. Choose another.")).format(
                label=label, other=seen[node.GetID()], node=node.GetName()
            )
        seen[node.GetID()] = label
        problem = _why_unfit(node, parameters.inputSequence)
        if problem:
            return str(_("{label}: {node} {problem}. Choose “Create new …” or an empty node.")).format(
                label=label, node=node.GetName(), problem=problem
            )
    return ""


def _why_unfit(node: Any, sequence: Any) -> str:
    if is_empty(node):
        return ""
    if not is_own(node):
        return str(_("holds what PyPeT did not make"))
    if node.GetAttribute("PyPeT.RelativeToMean") is not None:
        return str(_("is a relative map"))
    made_from = node.GetNodeReference(INPUT)
    if made_from is None:
        return str(_("belongs to a series that is gone"))
    if made_from is not sequence:
        return str(_("belongs to another series, {series}")).format(series=made_from.GetName())
    return ""

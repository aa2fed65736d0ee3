"""Multi-frame images with functional groups: Enhanced CT and Enhanced MR (DICOM PS3.3, C.7.6.16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyPeTLib.errors import InputError
from PyPeTLib.io.dicom.clocks import seconds_of_stamp
from PyPeTLib.io.dicom.image import Header, Image
from PyPeTLib.io.dicom.values import file_clocks, known, labels, milliseconds, number, numbers, text, whole

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def frame_images(header: Header, dataset: Dataset) -> tuple[Image, ...]:
    """The images of a multi-frame file; what a frame does not say itself is taken from the shared groups.

    Raises
    ------
    InputError
        If the file describes another number of images than it holds.
    """
    groups = dataset.PerFrameFunctionalGroupsSequence
    if len(groups) != header.n_frames:
        raise InputError(
            f"{header.name}: this multi-frame file is damaged: it describes {len(groups)} images but should hold "
            f"{header.n_frames}. Copy or export it again."
        )
    shared = dataset.get("SharedFunctionalGroupsSequence")
    common = shared[0] if shared else None
    # of the whole file: they tell volumes apart where each has a file of its own
    of_file = file_clocks(dataset), labels(dataset)
    return tuple(_image(header, index, group, common, of_file) for index, group in enumerate(groups))


def _image(
    header: Header, index: int, frame: Dataset, common: Dataset | None, of_file: tuple[dict[str, float], dict[str, int]]
) -> Image:
    content = _group(frame, common, "FrameContentSequence")
    plane = _group(frame, common, "PlanePositionSequence")
    turned = _group(frame, common, "PlaneOrientationSequence")
    measures = _group(frame, common, "PixelMeasuresSequence")
    scale = _group(frame, common, "PixelValueTransformationSequence")
    echo = _group(frame, common, "MREchoSequence")
    thickness = None
    if measures is not None:
        thickness = number(measures, "SpacingBetweenSlices") or number(measures, "SliceThickness")
    slope, intercept = (None if scale is None else number(scale, key) for key in ("RescaleSlope", "RescaleIntercept"))
    clocks, names = _times(frame, common, content)
    return Image(
        header=header,
        index=index,
        position=None if plane is None else numbers(plane, "ImagePositionPatient", 3),
        orientation=None if turned is None else numbers(turned, "ImageOrientationPatient", 6),
        spacing=None if measures is None else numbers(measures, "PixelSpacing", 2),
        thickness=thickness,
        slope=1.0 if slope is None else slope,
        intercept=intercept or 0.0,
        is_scaled=slope is not None and intercept is not None,
        echo_time=None if echo is None else milliseconds(echo, "EffectiveEchoTime"),
        clocks={**of_file[0], **clocks},
        labels={**of_file[1], **names},
        # within the file the order of its frames stands for the number
        instance=index,
    )


def _times(frame: Dataset, common: Dataset | None, content: Dataset | None) -> tuple[dict[str, float], dict[str, int]]:
    """Clocks in seconds and numbers of the frame from its functional groups."""
    temporal = _group(frame, common, "TemporalPositionSequence")
    trigger = _group(frame, common, "CardiacSynchronizationSequence")
    found: dict[str, float | None] = {
        "TemporalPositionTimeOffset": None if temporal is None else number(temporal, "TemporalPositionTimeOffset"),
        "NominalCardiacTriggerDelayTime": (
            None if trigger is None else milliseconds(trigger, "NominalCardiacTriggerDelayTime")
        ),
    }
    numbered: dict[str, int | None] = {}
    if content is not None:
        found["FrameAcquisitionDateTime"] = seconds_of_stamp(text(content, "FrameAcquisitionDateTime"))
        found["FrameReferenceDateTime"] = seconds_of_stamp(text(content, "FrameReferenceDateTime"))
        numbered["TemporalPositionIndex"] = whole(content, "TemporalPositionIndex")
        numbered["AcquisitionNumber"] = whole(content, "FrameAcquisitionNumber")
    return known(found), {name: value for name, value in numbered.items() if value is not None}


def _group(frame: Dataset, common: Dataset | None, name: str) -> Dataset | None:
    """The item of a functional group: the frame's own, or else that of all frames."""
    for holder in (frame, common):
        items = None if holder is None else holder.get(name)
        if items:
            item: Dataset = items[0]
            return item
    return None

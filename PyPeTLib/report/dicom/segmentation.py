"""Segmentations (PS3.3, A.51): masks as binary segments, which may overlap."""

from __future__ import annotations

from collections.abc import Sequence

import highdicom as hd
import numpy as np

from PyPeTLib.geometry import Reorientation
from PyPeTLib.report.dicom.codes import BRAIN, SEGMENTATION
from PyPeTLib.report.dicom.content import Segment
from PyPeTLib.report.dicom.frames import PlaneItems, concept, kept_planes
from PyPeTLib.report.dicom.identity import MAKER, RESEARCH, equipment, signed, stand_in
from PyPeTLib.report.dicom.planes import Planes, frames_of
from PyPeTLib.report.dicom.referring import refer
from PyPeTLib.report.dicom.source import Source
from PyPeTLib.version import __version__


def segmentation(
    segments: Sequence[Segment], orientation: Reorientation, planes: Planes, source: Source, offset: int, what: str
) -> hd.seg.Segmentation:
    """Masks as one Segmentation; frames without a voxel are left out, unless there are no others.

    What the user gave is called manual, everything else automatic.
    """
    masks = [frames_of(orientation.to_native(segment.mask)) for segment in segments]
    items = PlaneItems.of(planes, source)
    made = hd.seg.Segmentation(
        source_images=[items.image(stand_in(source))],
        pixel_array=np.stack(masks, axis=-1).astype(np.uint8),
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[_description(number, segment) for number, segment in enumerate(segments, 1)],
        content_label=what.upper().replace(" ", "_")[:16],
        content_description=f"{MAKER} {what}, {RESEARCH}"[:64],
        pixel_measures=items.measures,
        plane_orientation=items.orientation,
        plane_positions=items.positions,
        **equipment(source, offset, what),
    )
    refer(made, source, kept_planes(made, planes), SEGMENTATION, once=True)
    signed(made, source)
    return made


def _description(number: int, segment: Segment) -> hd.seg.SegmentDescription:
    kinds = hd.seg.SegmentAlgorithmTypeValues
    algorithm = hd.AlgorithmIdentificationSequence(name=MAKER, family=concept(segment.family), version=__version__)
    made = hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=segment.label[:64],
        segmented_property_category=concept(segment.category),
        segmented_property_type=concept(segment.kind),
        algorithm_type=kinds.MANUAL if segment.given else kinds.AUTOMATIC,
        algorithm_identification=None if segment.given else algorithm,
        anatomic_regions=None if segment.kind == BRAIN else [concept(BRAIN)],
        display_color=hd.color.CIELabColor.from_rgb(*segment.colour),
    )
    made.SegmentDescription = segment.description[:1024]
    return made

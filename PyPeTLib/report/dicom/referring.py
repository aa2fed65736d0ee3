"""References to the source: which instances an object was made of, and of which images each of its frames."""

from __future__ import annotations

from collections.abc import Iterable

from pydicom.dataset import Dataset

from PyPeTLib.report.dicom.codes import SOURCE_IMAGE, Code
from PyPeTLib.report.dicom.source import Source


def item_of(code: Code) -> Dataset:
    """A code as an item of a sequence."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code
    return item


def refer(made: Dataset, source: Source, planes: Iterable[int], derivation: Code, *, once: bool = False) -> None:
    """Write the references into a multi-frame object (PS3.3, C.7.6.16.2.6 and C.12.2).

    The object refers to all instances. Where it is known which source images lie in the plane of a frame, the frame
    refers to them; else all frames refer to all instances.

    Parameters
    ----------
    made : Dataset
        With functional groups; references that it has are replaced.
    source : Source
    planes : iterable of int
        The plane of each frame.
    derivation : Code
        How the frames came from the source.
    once : bool
        Let a frame refer to the first of the images of its plane only, not to all times: many segments would repeat
        them until they outweigh the masks.
    """
    made.ReferencedSeriesSequence = _series(source)
    made.pop("SourceImageSequence", None)
    shared = made.SharedFunctionalGroupsSequence[0]
    groups = made.PerFrameFunctionalGroupsSequence
    for group in (shared, *groups):
        group.pop("DerivationImageSequence", None)
    if not source.of_plane:
        everything = [(index, 0) for index in range(len(source.instances))]
        shared.DerivationImageSequence = [_derivation(source, everything, derivation, same_place=False)]
        return
    of_plane = {}
    for group, plane in zip(groups, planes, strict=True):
        if plane not in of_plane:
            images = source.of_plane[plane][: 1 if once else None]
            of_plane[plane] = _derivation(source, images, derivation, same_place=True)
        group.DerivationImageSequence = [of_plane[plane]]


def _series(source: Source) -> list[Dataset]:
    by_series: dict[str, list[Dataset]] = {}
    for instance in source.instances:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = instance.sop_class, instance.uid
        by_series.setdefault(instance.series, []).append(item)
    series = []
    for uid, items in by_series.items():
        one = Dataset()
        one.SeriesInstanceUID, one.ReferencedInstanceSequence = uid, items
        series.append(one)
    return series


def _derivation(source: Source, images: Iterable[tuple[int, int]], derivation: Code, *, same_place: bool) -> Dataset:
    of_instance: dict[int, list[int]] = {}
    for index, frame in images:
        of_instance.setdefault(index, []).append(frame)
    purpose = item_of(SOURCE_IMAGE)
    items = []
    for index, frames in of_instance.items():
        item = Dataset()
        item.ReferencedSOPClassUID = source.instances[index].sop_class
        item.ReferencedSOPInstanceUID = source.instances[index].uid
        if frames[0]:
            item.ReferencedFrameNumber = frames
        item.SpatialLocationsPreserved = "YES" if same_place else "NO"
        item.PurposeOfReferenceCodeSequence = [purpose]
        items.append(item)
    made = Dataset()
    made.DerivationCodeSequence = [item_of(derivation)]
    made.SourceImageSequence = items
    return made

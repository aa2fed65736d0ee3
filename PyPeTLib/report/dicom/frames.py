"""Planes as highdicom takes them, and what the objects have in common."""

from __future__ import annotations

from dataclasses import dataclass

import highdicom as hd
import numpy as np
from pydicom.dataset import Dataset

from PyPeTLib.report.dicom.codes import BRAIN, Code
from PyPeTLib.report.dicom.planes import Planes
from PyPeTLib.report.dicom.referring import item_of
from PyPeTLib.report.dicom.source import Source


@dataclass(frozen=True, kw_only=True, eq=False)
class PlaneItems:
    """Position, orientation and spacing of planes as items of functional groups."""

    planes: Planes
    measures: hd.PixelMeasuresSequence
    orientation: hd.PlaneOrientationSequence
    positions: list[hd.PlanePositionSequence]

    @classmethod
    def of(cls, planes: Planes, source: Source) -> PlaneItems:
        """The items for all planes; slices are as thick as the source says, else as far apart as they are."""
        return cls(
            planes=planes,
            measures=hd.PixelMeasuresSequence(
                pixel_spacing=planes.pixel_spacing,
                slice_thickness=_thickness(source) or planes.gap,
                spacing_between_slices=planes.gap,
            ),
            orientation=hd.PlaneOrientationSequence("PATIENT", [float(value) for value in planes.orientation]),
            positions=[
                hd.PlanePositionSequence("PATIENT", [float(value) for value in position])
                for position in planes.positions
            ],
        )

    def image(self, anchor: Dataset) -> Dataset:
        """A stand-in for a source image, placed in the first plane."""
        anchor.Columns, anchor.Rows = self.planes.shape[:2]
        anchor.ImageOrientationPatient = self.orientation[0].ImageOrientationPatient
        anchor.ImagePositionPatient = self.positions[0][0].ImagePositionPatient
        anchor.PixelSpacing = self.measures[0].PixelSpacing
        anchor.SliceThickness = self.measures[0].SliceThickness
        anchor.SpacingBetweenSlices = self.measures[0].SpacingBetweenSlices
        return anchor


def concept(code: Code) -> hd.sr.CodedConcept:
    """A code as highdicom takes it."""
    return hd.sr.CodedConcept(code.value, code.scheme, code.meaning)


def anatomy() -> Dataset:
    """What all frames show: the brain, both sides of it."""
    item = Dataset()
    item.AnatomicRegionSequence = [item_of(BRAIN)]
    item.FrameLaterality = "B"
    return item


def kept_planes(made: Dataset, planes: Planes) -> list[int]:
    """The plane of each frame of an object, by its position: highdicom sorts frames and may leave empty ones out."""
    positions = np.array(
        [
            [float(value) for value in group.PlanePositionSequence[0].ImagePositionPatient]
            for group in made.PerFrameFunctionalGroupsSequence
        ]
    )
    apart = np.linalg.norm(positions[:, None] - planes.positions, axis=2)
    return [int(plane) for plane in apart.argmin(axis=1)]


def _thickness(source: Source) -> float | None:
    header = source.header
    if "SharedFunctionalGroupsSequence" in header:
        shared = header.SharedFunctionalGroupsSequence
        measures = shared[0].get("PixelMeasuresSequence") if shared else None
        header = measures[0] if measures else Dataset()
    try:
        return float(header.get("SliceThickness") or 0) or None
    except (TypeError, ValueError):
        return None

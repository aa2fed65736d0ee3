"""What is exported of a run: its maps, masks and lesions, without anything of DICOM but codes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from PyPeTLib.aif import VesselCurve
from PyPeTLib.arrays import Mask
from PyPeTLib.geometry import Reorientation
from PyPeTLib.lesions import Lesions
from PyPeTLib.maps import ParameterMap
from PyPeTLib.masking import TITLES, TissueClass
from PyPeTLib.pipeline import PipelineResult
from PyPeTLib.report.dicom.codes import (
    ABNORMAL,
    ANATOMY,
    ARTERY,
    BRAIN,
    CLUSTERS,
    INFARCT,
    LESION,
    MORPHOLOGY,
    TISSUE_CODES,
    VEIN,
    Code,
)

GIVEN = ("given", "mask")
"""How the run calls masks that came from the user."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Segment:
    """A mask with its meaning.

    Attributes
    ----------
    label : str
        Up to 64 characters.
    mask : ndarray of bool, shape (x, y, z)
        On the RAS+ grid.
    category, kind : Code
        What sort of thing it is, and what it is.
    colour : tuple of int
        Recommended red, green and blue, 0…255.
    description : str
        How it came about.
    family : Code
        The sort of algorithm that found it.
    given : bool
        Whether the user gave it.
    """

    label: str
    mask: Mask
    category: Code
    kind: Code
    colour: tuple[int, int, int]
    description: str = ""
    family: Code = MORPHOLOGY
    given: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Content:
    """What is exported, on one grid.

    Attributes
    ----------
    orientation : Reorientation
        From the grid of the files to the RAS+ one, which all arrays below are on.
    maps : tuple of ParameterMap
    segments : tuple of Segment
        Anatomy and vessels; those without a voxel are left out of the file.
    lesions : tuple of Segment
        Written even where empty: no core is a finding.
    """

    orientation: Reorientation
    maps: tuple[ParameterMap, ...] = ()
    segments: tuple[Segment, ...] = ()
    lesions: tuple[Segment, ...] = ()


def content_of(result: PipelineResult, lesions: Lesions | None) -> Content:
    """Maps, masks and lesions of a run, on the grid of its series."""
    arteries: tuple[VesselCurve | None, ...] = (result.aif,)
    if result.hemispheres is not None:
        arteries = (result.hemispheres.left, result.hemispheres.right)
    method = result.brain.method
    brain = Segment(
        label="Brain mask",
        mask=result.on_input_grid(result.brain.mask),
        category=ANATOMY,
        kind=BRAIN,
        colour=(216, 168, 144),
        description=f"Intracranial space: brain, CSF and vessels; method {method}",
        given=method in GIVEN,
    )
    segments = [
        brain,
        *_vessel(arteries, result, "Arterial input function", ARTERY, (220, 40, 40)),
        *_vessel((result.vof,), result, "Venous output function", VEIN, (60, 110, 230)),
        *_tissue(result),
    ]
    return Content(
        orientation=result.series.orientation,
        maps=tuple(result.maps.values()),
        segments=tuple(segments),
        lesions=() if lesions is None else _lesions(lesions),
    )


def _vessel(
    vessels: Iterable[VesselCurve | None],
    result: PipelineResult,
    label: str,
    kind: Code,
    colour: tuple[int, int, int],
) -> list[Segment]:
    """The voxels whose curves were taken; none for a curve that has no place."""
    placed = [(vessel.mask, vessel.source) for vessel in vessels if vessel is not None and vessel.mask is not None]
    if not placed:
        return []
    sources = sorted({source for _, source in placed})
    return [
        Segment(
            label=label,
            mask=np.logical_or.reduce([result.on_input_grid(mask) for mask, _ in placed]),
            category=ANATOMY,
            kind=kind,
            colour=colour,
            description=f"Voxels whose mean curve is the {label[0].lower()}{label[1:]}; source: {', '.join(sources)}",
            family=CLUSTERS,
            given=all(source in GIVEN for source in sources),
        )
    ]


def _tissue(result: PipelineResult) -> list[Segment]:
    colours = {
        TissueClass.TISSUE: (170, 170, 150),
        TissueClass.CSF: (90, 200, 230),
        TissueClass.VESSEL: (200, 60, 120),
        TissueClass.GREY: (130, 130, 130),
        TissueClass.WHITE: (240, 240, 220),
    }
    labels = result.tissue_labels()
    return [
        Segment(
            label=TITLES[tissue],
            mask=labels == tissue,
            category=category,
            kind=kind,
            colour=colours[tissue],
            description="Class of tissue, told by signal and contrast",
        )
        for tissue, (category, kind) in TISSUE_CODES.items()
    ]


def _lesions(lesions: Lesions) -> tuple[Segment, ...]:
    rules = ", ".join(f"{name} {value}" for name, value in lesions.options.to_mapping().items())
    notice = f"Found by thresholds on maps, research use only: {rules}"
    return (
        Segment(
            label="Core (estimated)",
            mask=lesions.core,
            category=ABNORMAL,
            kind=INFARCT,
            colour=(230, 60, 60),
            description=notice,
        ),
        Segment(
            label="Hypoperfused, core included (estimated)",
            mask=lesions.hypoperfused,
            category=ABNORMAL,
            kind=LESION,
            colour=(60, 180, 90),
            description=notice,
        ),
    )

"""Parametric Maps (PS3.3, A.75): the values of a map as float32, with quantity and unit."""

from __future__ import annotations

import highdicom as hd
import numpy as np

from PyPeTLib.arrays import Volume
from PyPeTLib.geometry import Reorientation
from PyPeTLib.maps import ParameterMap
from PyPeTLib.report.colours import colour_scale
from PyPeTLib.report.dicom.codes import (
    PERFUSION_ANALYSIS,
    PRIVATE_SCHEME,
    is_private,
    quantity_terms,
    unit_code,
)
from PyPeTLib.report.dicom.frames import PlaneItems, anatomy, concept, kept_planes
from PyPeTLib.report.dicom.identity import RESEARCH, equipment, signed, stand_in
from PyPeTLib.report.dicom.planes import Planes, frames_of
from PyPeTLib.report.dicom.referring import refer
from PyPeTLib.report.dicom.source import Source


def parametric_map(
    shown: ParameterMap, orientation: Reorientation, planes: Planes, source: Source, offset: int
) -> hd.pm.ParametricMap:
    """A map as a Parametric Map; voxels without a value hold NaN.

    0 is a valid Tmax, and any other number might be taken for a measurement. The standard allows NaN as padding value
    (PS3.3, C.7.6.24), and NaN lies in no range, so that the real world value mapping leaves it alone.
    """
    values = _values(shown, orientation)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    scale = colour_scale(shown)
    items = PlaneItems.of(planes, source)
    made = hd.pm.ParametricMap(
        source_images=[items.image(stand_in(source))],
        pixel_array=values,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[_mapping(shown, (low, high))],
        voi_lut_transformations=[
            hd.VOILUTTransformation(
                window_center=(scale.low + scale.high) / 2,
                window_width=scale.high - scale.low,
                voi_lut_function=hd.VOILUTFunctionValues.LINEAR_EXACT,
            )
        ],
        image_flavor=hd.pm.ImageFlavorValues.PERFUSION,
        content_label=shown.name.upper()[:16],
        content_description=f"{_title(shown)}, {RESEARCH}"[:64],
        pixel_measures=items.measures,
        plane_orientation=items.orientation,
        plane_positions=items.positions,
        coding_schemes=_schemes(shown),
        **equipment(source, offset, shown.quantity.symbol),
    )
    made.FloatPixelPaddingValue = made.FloatPixelPaddingRangeLimit = float("nan")
    made.SharedFunctionalGroupsSequence[0].FrameAnatomySequence = [anatomy()]
    refer(made, source, kept_planes(made, planes), PERFUSION_ANALYSIS)
    signed(made, source)
    return made


def _values(shown: ParameterMap, orientation: Reorientation) -> Volume:
    values: Volume = np.where(shown.valid, shown.values, np.float32(np.nan)).astype(np.float32, copy=False)
    return frames_of(orientation.to_native(values))


def _mapping(shown: ParameterMap, value_range: tuple[float, float]) -> hd.pm.RealWorldValueMapping:
    """The values as they are: slope 1, intercept 0."""
    terms = quantity_terms(shown)
    mapping = hd.pm.RealWorldValueMapping(
        lut_label=shown.quantity.symbol[:16],
        lut_explanation=_title(shown)[:64],
        unit=concept(unit_code(shown)),
        value_range=value_range,
        slope=1.0,
        intercept=0.0,
        quantity_definition=concept(terms[0][1]),
    )
    mapping.QuantityDefinitionSequence.extend(
        hd.sr.CodeContentItem(name=concept(name), value=concept(value)) for name, value in terms[1:]
    )
    return mapping


def _title(shown: ParameterMap) -> str:
    title = shown.quantity.title
    reference = str(shown.provenance.get("reference", "")).replace("-", " ")
    if not shown.calibrated:
        return f"{title}, no absolute scale"
    return f"{title}, from {reference}" if reference else title


def _schemes(shown: ParameterMap) -> list[hd.coding_schemes.CodingSchemeIdentificationItem] | None:
    """What our private scheme is, where it is used."""
    if not is_private(shown):
        return None
    return [
        hd.coding_schemes.CodingSchemeIdentificationItem(PRIVATE_SCHEME, name="PyPeT", responsible_organization="PyPeT")
    ]

"""The coded terms of the objects: what a map measures, in which unit, and what a segment is.

Quantities come from DICOM PS3.16, CID 4108 (perfusion model parameters, which replaced the codes of the brain alone)
and CID 4109; units are UCUM, those of flow and volume as CID 4108 writes them. Segments take SNOMED CT codes of
CID 7150 (categories), CID 7151 (types) and CID 5, their algorithms families of CID 7162. The core's morphology, an
infarct, is SNOMED CT too, but in no context group of segments; groups may be extended. What no standard names is in a
scheme of our own, ``99PYPET``.
"""

from __future__ import annotations

from typing import NamedTuple

from PyPeTLib.maps import ParameterMap
from PyPeTLib.masking import TissueClass

PRIVATE_SCHEME = "99PYPET"
"""Schemes that begin with 99 are private by PS3.16, section 8.2."""


class Code(NamedTuple):
    """A coded term."""

    value: str
    scheme: str
    meaning: str


QUANTITY = Code("246205007", "SCT", "Quantity")
FINDING_SITE = Code("363698007", "SCT", "Finding Site")
DERIVATION = Code("121401", "DCM", "Derivation")
STANDARD_DEVIATION = Code("386136009", "SCT", "Standard Deviation")
BRAIN = Code("12738006", "SCT", "Brain")
PERFUSION_ANALYSIS = Code("129104", "DCM", "Perfusion image analysis")
SEGMENTATION = Code("113076", "DCM", "Segmentation")
SOURCE_IMAGE = Code("121322", "DCM", "Source image for image processing operation")

_QUANTITIES = {
    "cbf": Code("126390", "DCM", "Absolute Regional Blood Flow"),
    "cbv": Code("126391", "DCM", "Absolute Regional Blood Volume"),
    "mtt": Code("113052", "DCM", "Mean Transit Time"),
    "ttp": Code("113069", "DCM", "Time To Peak"),
    "tmax": Code("113084", "DCM", "Tmax"),
    "bat": Code("126371", "DCM", "Bolus Arrival Time"),
    "kep": Code("126313", "DCM", "kep"),
}
_WITHOUT_SCALE = {
    "cbf": Code("126397", "DCM", "Relative Regional Blood Flow"),
    "cbv": Code("126398", "DCM", "Relative Regional Blood Volume"),
}
_UNITS = {
    "ml/100g/min": Code("ml/(100.g)/min", "UCUM", "ml/(100.g)/min"),
    "ml/100g": Code("ml/(100.g)", "UCUM", "ml/(100.g)"),
    "s": Code("s", "UCUM", "second"),
    "1/s": Code("/s", "UCUM", "/s"),
    "%": Code("%", "UCUM", "Percent"),
    "HU": Code("[hnsf'U]", "UCUM", "Hounsfield unit"),
    "1": Code("1", "UCUM", "no units"),
}
_ARBITRARY = Code("[arb'U]", "UCUM", "arbitrary unit")
_SD = "_sd"

ANATOMY = Code("91723000", "SCT", "Anatomical Structure")
SUBSTANCE = Code("91720002", "SCT", "Body Substance")
TISSUE = Code("85756007", "SCT", "Tissue")
ABNORMAL = Code("49755003", "SCT", "Morphologically Abnormal Structure")
ARTERY = Code("51114001", "SCT", "Artery")
VEIN = Code("29092000", "SCT", "Vein")
LESION = Code("52988006", "SCT", "Lesion")
INFARCT = Code("55641003", "SCT", "Infarct")

MORPHOLOGY = Code("123104", "DCM", "Morphological Operations")
CLUSTERS = Code("123107", "DCM", "Cluster Analysis")

TISSUE_CODES = {
    TissueClass.TISSUE: (TISSUE, Code("91772007", "SCT", "Parenchyma")),
    TissueClass.CSF: (SUBSTANCE, Code("65216001", "SCT", "Cerebrospinal Fluid")),
    TissueClass.VESSEL: (ANATOMY, Code("59820001", "SCT", "Blood Vessel")),
    TissueClass.GREY: (ANATOMY, Code("389081007", "SCT", "Gray Matter")),
    TissueClass.WHITE: (ANATOMY, Code("389080008", "SCT", "White Matter")),
}
"""Category and type of the classes that are something; ``OTHER`` is what is left."""


def quantity_terms(shown: ParameterMap) -> tuple[tuple[Code, Code], ...]:
    """What a map measures, as pairs of name and value: the quantity, the site and, for uncertainties, the statistic.

    Flow and volume without an absolute scale are relative ones.
    """
    of, is_deviation = shown.name.removesuffix(_SD), shown.name.endswith(_SD)
    codes = _QUANTITIES if shown.calibrated else {**_QUANTITIES, **_WITHOUT_SCALE}
    terms = [(QUANTITY, codes.get(of) or _private(shown, of)), (FINDING_SITE, BRAIN)]
    return (*terms, (DERIVATION, STANDARD_DEVIATION)) if is_deviation else tuple(terms)


def unit_code(shown: ParameterMap) -> Code:
    """The unit of a map's values; arbitrary where they have no absolute scale."""
    return _UNITS.get(shown.unit, _ARBITRARY) if shown.calibrated else _ARBITRARY


def is_private(shown: ParameterMap) -> bool:
    """Whether a map's quantity has a code of our own only."""
    return any(value.scheme == PRIVATE_SCHEME for _, value in quantity_terms(shown))


def _private(shown: ParameterMap, name: str) -> Code:
    title = shown.quantity.title if name == shown.name else name
    return Code(name.upper(), PRIVATE_SCHEME, title[:64])

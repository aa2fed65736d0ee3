"""What exported objects say: quantities and units, segments, patient and study, identifiers."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess

import numpy as np
import pydicom
import pytest

from PyPeTLib.lesions import LesionOptions
from PyPeTLib.report.dicom import codes
from PyPeTLib.report.dicom.export import write_content
from PyPeTLib.version import __version__

from .conftest import SHAPE, UPRIGHT, a_map, a_segment

pytestmark = pytest.mark.extras

PICTURE = np.arange(30 * 40 * 3, dtype=np.uint32).astype(np.uint8).reshape(30, 40, 3)


def whole_content(pieces):
    """Every kind of map, masks that overlap, an empty one, lesions without a core."""
    values = pieces.data[..., 0] / 10
    valid = values > 3
    maps = [
        *(a_map(name, values, UPRIGHT, valid) for name in ("cbf", "mtt", "tmax", "delay", "k2", "psr", "shape")),
        a_map("cbv", values, UPRIGHT, valid, calibrated=False),
        a_map("cbf_sd", values, UPRIGHT, valid),
        a_map("delay_sd", values, UPRIGHT, valid),
        a_map("peak_height", values, UPRIGHT, valid, unit="HU"),
        a_map("ttp", values, UPRIGHT, valid, provenance={"reference": "scan-start"}),
        a_map("bat", values, UPRIGHT, np.zeros(SHAPE, bool)),
    ]
    brain = values > 10
    return pieces.content(
        maps=tuple(maps),
        segments=(
            a_segment("Brain mask", brain, given=True),
            a_segment("Arterial input function", brain & (values > 40), kind=codes.ARTERY, family=codes.CLUSTERS),
            a_segment("CSF", np.zeros(SHAPE, bool), kind=codes.VEIN),
        ),
        lesions=(
            a_segment("Core", np.zeros(SHAPE, bool), category=codes.ABNORMAL, kind=codes.INFARCT),
            a_segment("Hypoperfused", values > 30, category=codes.ABNORMAL, kind=codes.LESION),
        ),
    )


@pytest.fixture(scope="module")
def content(upright):
    return whole_content(upright)


@pytest.fixture(scope="module")
def written(upright, content, tmp_path_factory):
    """Paths by stem."""
    paths = write_content(content, upright.loaded.files, tmp_path_factory.mktemp("out"), picture=PICTURE)
    return {path.stem: path for path in paths}


@pytest.fixture(scope="module")
def read(written):
    return {stem: pydicom.dcmread(path) for stem, path in written.items()}


def mapping_of(dataset):
    (mapping,) = dataset.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence
    return mapping


def terms_of(dataset):
    terms = {}
    for item in mapping_of(dataset).QuantityDefinitionSequence:
        value = item.ConceptCodeSequence[0]
        terms[item.ConceptNameCodeSequence[0].CodeMeaning] = (value.CodingSchemeDesignator, value.CodeValue)
    return terms


def test_all_is_written_under_names_that_tell_nobody(written, content):
    assert set(written) == {*(shown.name for shown in content.maps), "masks", "lesions", "summary"}


def test_the_validator_finds_no_error(written):
    program = shutil.which("dciodvfy")
    assert program, "install dicom3tools"
    for path in written.values():
        done = subprocess.run([program, path], capture_output=True, text=True, check=False)
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith(("Error", "Warning"))]
        # its tables are older than the term of PS3.3 C.8.32 for quantities, and cannot know private schemes
        known = ("<QUANTITY> for value 4", "<99PYPET> for value 1")
        assert not [line for line in lines if not any(one in line for one in known)], (path.name, lines)


def test_values_are_exact_and_none_is_nan(read, content):
    for shown in content.maps:
        dataset = read[shown.name]
        values = np.frombuffer(dataset.FloatPixelData, "<f4")
        assert np.isnan(values).sum() == np.count_nonzero(~shown.valid)
        np.testing.assert_array_equal(np.sort(values[~np.isnan(values)]), np.sort(shown.values[shown.valid]))
        assert np.isnan(dataset.FloatPixelPaddingValue)
        assert np.isnan(dataset.FloatPixelPaddingRangeLimit)
        mapping = mapping_of(dataset)
        assert (mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept) == (1, 0)
        low = shown.values[shown.valid].min() if shown.valid.any() else 0
        assert mapping.DoubleFloatRealWorldValueFirstValueMapped == low
        assert dataset.ContentQualification == "RESEARCH"


@pytest.mark.parametrize(
    ("name", "quantity", "unit"),
    [
        ("cbf", ("DCM", "126390"), "ml/(100.g)/min"),
        ("cbv", ("DCM", "126398"), "[arb'U]"),  # without a scale it is a relative one
        ("mtt", ("DCM", "113052"), "s"),
        ("ttp", ("DCM", "113069"), "s"),
        ("tmax", ("DCM", "113084"), "s"),
        ("bat", ("DCM", "126371"), "s"),
        ("delay", ("99PYPET", "DELAY"), "s"),
        ("k2", ("99PYPET", "K2"), "/s"),
        ("psr", ("99PYPET", "PSR"), "%"),
        ("shape", ("99PYPET", "SHAPE"), "1"),
        ("peak_height", ("99PYPET", "PEAK_HEIGHT"), "[hnsf'U]"),
        ("cbf_sd", ("DCM", "126390"), "ml/(100.g)/min"),
        ("delay_sd", ("99PYPET", "DELAY"), "s"),
    ],
)
def test_quantities_and_units_are_coded(read, name, quantity, unit):
    terms = terms_of(read[name])
    assert terms["Quantity"] == quantity
    assert terms["Finding Site"] == ("SCT", "12738006")
    assert ("Derivation" in terms) == name.endswith("_sd")
    (found,) = mapping_of(read[name]).MeasurementUnitsCodeSequence
    assert (found.CodingSchemeDesignator, found.CodeValue) == ("UCUM", unit)
    schemes = [item.CodingSchemeDesignator for item in read[name].get("CodingSchemeIdentificationSequence", ())]
    assert schemes == (["99PYPET"] if quantity[0] == "99PYPET" else [])


def test_codes_are_those_of_the_standard(content):
    from pydicom.sr.codedict import codes as known  # noqa: PLC0415 - slow to import

    context = {code.value for cid in (known.cid4108, known.cid4109, known.cid4107) for code in cid.concepts.values()}
    for shown in content.maps:
        code = codes.quantity_terms(shown)[0][1]
        assert code.scheme == codes.PRIVATE_SCHEME or code.value in context
    types = {code.value for code in known.cid7151.concepts.values()} | {
        code.value for code in known.cid5.concepts.values()
    }
    categories = {code.value for code in known.cid7150.concepts.values()}
    # the core is an infarct, which the context group does not have
    segments = [*codes.TISSUE_CODES.values(), (codes.ANATOMY, codes.ARTERY), (codes.ABNORMAL, codes.LESION)]
    for category, kind in [*segments, (codes.ANATOMY, codes.VEIN), (codes.ANATOMY, codes.BRAIN)]:
        assert category.value in categories
        assert kind.value in types


def test_a_viewer_is_told_of_what_has_no_scale_and_of_where_times_begin(read):
    assert "no absolute scale" in mapping_of(read["cbv"]).LUTExplanation
    assert "no absolute scale" in read["cbv"].ContentDescription
    assert "from scan start" in mapping_of(read["ttp"]).LUTExplanation
    window = read["mtt"].SharedFunctionalGroupsSequence[0].FrameVOILUTSequence[0]
    assert (window.WindowCenter, window.WindowWidth, window.VOILUTFunction) == (7, 14, "LINEAR_EXACT")


def test_segments_hold_the_masks(written, content, read):
    import highdicom  # noqa: PLC0415

    masks = highdicom.seg.segread(written["masks"])
    told = [masks.get_segment_description(number) for number in masks.segment_numbers]
    # what is empty is no vein
    assert [one.segment_label for one in told] == ["Brain mask", "Arterial input function"]
    assert [one.algorithm_type.value for one in told] == ["MANUAL", "AUTOMATIC"]
    assert told[1].algorithm_identification.version == __version__
    assert told[1].segmented_property_type.value == "51114001"
    array = masks.get_volume(allow_missing_positions=True).array
    assert [int(array[..., k].sum()) for k in (0, 1)] == [int(one.mask.sum()) for one in content.segments[:2]]
    lesions = read["lesions"]
    assert [item.SegmentLabel for item in lesions.SegmentSequence] == ["Core", "Hypoperfused"]
    referred = {
        group.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        for group in lesions.PerFrameFunctionalGroupsSequence
    }
    assert referred == {2}, "an empty core is told of, without frames"


def test_the_picture_is_kept(read):
    np.testing.assert_array_equal(read["summary"].pixel_array, PICTURE)
    assert read["summary"].BurnedInAnnotation == "YES"
    assert "research use only" in read["summary"].SeriesDescription


def test_all_belong_to_the_patient_study_and_frame_of_reference_of_the_source(upright, read):
    source = pydicom.dcmread(upright.loaded.files[0], stop_before_pixels=True)
    same = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyTime")
    numbers, last = set(), "094117.750000"
    for stem, dataset in read.items():
        for keyword in (*same, "AccessionNumber", "StudyID", "ReferringPhysicianName", "SpecificCharacterSet"):
            assert dataset[keyword].value == source[keyword].value, (stem, keyword)
        if stem != "summary":
            assert dataset.FrameOfReferenceUID == source.FrameOfReferenceUID
        assert dataset.Manufacturer == "PyPeT"
        assert dataset.SoftwareVersions == f"PyPeT {__version__}"
        assert (dataset.ContentDate, dataset.ContentTime) == ("20210923", last)
        numbers.add(int(dataset.SeriesNumber))
    assert len(numbers) == len(read)
    assert all(300 < number < 400 for number in numbers)


def test_the_same_gives_the_same_bytes_and_anything_else_other_identifiers(upright, content, written, read, tmp_path):
    few = dataclasses.replace(content, maps=content.maps[:1])
    again = write_content(few, upright.loaded.files, tmp_path / "again", picture=PICTURE)
    for path in again:
        assert path.read_bytes() == written[path.stem].read_bytes()
    changed = content.maps[0].values.copy()
    changed[content.maps[0].valid] += np.float32(1e-3)
    other = dataclasses.replace(few, maps=(dataclasses.replace(content.maps[0], values=changed),), segments=())
    paths = write_content(other, upright.loaded.files[:-1], tmp_path / "other")
    for path in paths:
        dataset = pydicom.dcmread(path)
        assert dataset.SOPInstanceUID != read[path.stem].SOPInstanceUID
        assert dataset.SeriesInstanceUID != read[path.stem].SeriesInstanceUID
    uids = [uid for one in read.values() for uid in (one.SOPInstanceUID, one.SeriesInstanceUID)]
    assert len(set(uids)) == len(uids)
    for dataset in read.values():
        assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
        for uid in (dataset.SOPInstanceUID, dataset.SeriesInstanceUID):
            assert uid.is_valid
            assert uid.startswith("2.25.")


def test_rules_of_lesions_fit_into_a_description():
    # ST holds 1024 characters
    assert len(str(LesionOptions().to_mapping())) < 800

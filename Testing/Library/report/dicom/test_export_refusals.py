"""What cannot be exported is refused with a reason and leaves nothing; odd sources are taken as they are."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pydicom
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid, nearest_ras
from PyPeTLib.report.dicom import export as room
from PyPeTLib.report.dicom.export import write_content

from .conftest import SHAPE, UPRIGHT, a_map, a_segment

pytestmark = pytest.mark.extras


@pytest.fixture(scope="module")
def content(upright):
    return upright.content(maps=(upright.frame_map(),))


def edited(files, folder, edit, which=slice(None)):
    """Copies of files with changed headers."""
    paths = []
    for number, path in enumerate(files):
        dataset = pydicom.dcmread(path)
        if number in range(len(files))[which]:
            edit(dataset)
        paths.append(folder / path.name)
        dataset.save_as(paths[-1])
    return paths


def without(keyword):
    return lambda dataset: dataset.__delattr__(keyword)


def test_a_series_of_other_files_is_refused(content, tmp_path):
    with pytest.raises(InputError, match=r"head\.nii\.gz: the series came from no DICOM files.*Leave out"):
        write_content(content, (), tmp_path / "out", name="head.nii.gz")
    assert not (tmp_path / "out").exists()


def test_a_missing_package_is_named(content, upright, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"highdicom.*pip install '\.\[dicom\]'"):
        write_content(content, upright.loaded.files, tmp_path / "out")


@pytest.mark.parametrize("keyword", ["FrameOfReferenceUID", "StudyInstanceUID"])
def test_what_ties_objects_to_the_source_must_be_there(content, upright, tmp_path, keyword):
    files = edited(upright.loaded.files, tmp_path, without(keyword), slice(0, 1))
    with pytest.raises(InputError, match=f"no {keyword}"):
        write_content(content, files, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("keyword", ["PatientID", "FrameOfReferenceUID"])
def test_files_of_several_patients_or_places_are_refused_without_a_name(content, upright, tmp_path, keyword, making):
    files = edited(upright.loaded.files, tmp_path, lambda dataset: setattr(dataset, keyword, "1.2.3"), slice(-1, None))
    with pytest.raises(InputError, match=f"{keyword} differs") as caught:
        write_content(content, files, tmp_path / "out")
    assert not any(word in str(caught.value) for word in (*making.WORDS_OF_THE_PATIENT, "1.2.3"))


def test_source_files_that_are_gone_or_damaged_are_named(content, upright, tmp_path):
    files = [*upright.loaded.files[:2], tmp_path / "IM00002.dcm"]
    with pytest.raises(InputError, match=r"IM00002\.dcm: this source file is gone"):
        write_content(content, files, tmp_path / "out")
    files[2].write_bytes(b"no DICOM")
    with pytest.raises(InputError, match=r"IM00002\.dcm: .* cannot be read"):
        write_content(content, files, tmp_path / "out")


def test_rows_and_columns_at_no_right_angle_are_refused(content, upright, tmp_path):
    sheared = UPRIGHT.copy()
    sheared[:3, 1] = 0.4, 2.5, 0
    slanted = dataclasses.replace(content, orientation=nearest_ras(Grid(SHAPE, sheared)))
    with pytest.raises(InputError, match="not at right angles"):
        write_content(slanted, upright.loaded.files, tmp_path / "out")


def test_a_failure_halfway_leaves_what_was_there(content, upright, tmp_path, monkeypatch):
    from PyPeTLib.report.dicom import segmentation  # noqa: PLC0415 - needs highdicom

    out = tmp_path / "out"
    out.mkdir()
    (out / "cbf.dcm").write_bytes(b"former")
    monkeypatch.setattr(segmentation, "segmentation", lambda *_: 1 / 0)
    more = dataclasses.replace(content, lesions=(a_segment("Core", np.ones(SHAPE, bool)),))
    with pytest.raises(ZeroDivisionError):
        write_content(more, upright.loaded.files, out)
    assert [path.name for path in out.iterdir()] == ["cbf.dcm"]
    assert (out / "cbf.dcm").read_bytes() == b"former"


def test_what_the_source_says_is_copied_however_odd_and_never_warned_about(content, upright, tmp_path, capfd):
    def make_odd(dataset):
        dataset.SpecificCharacterSet = "ISO_IR 100"
        dataset.PatientName = "Müller"
        for keyword in ("StudyDate", "StudyTime", "AccessionNumber", "SeriesNumber", "PatientBirthDate"):
            delattr(dataset, keyword)
        for keyword in ("AcquisitionDate", "AcquisitionTime", "ContentDate", "ContentTime", "SeriesDate"):
            dataset.pop(keyword, None)
        dataset.PatientSex = "X"
        dataset.PatientAge = "066Y"
        dataset.LossyImageCompression, dataset.LossyImageCompressionRatio = "01", "8"
        dataset.LossyImageCompressionMethod = "ISO_15444_1"

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        files = edited(upright.loaded.files, tmp_path, make_odd)
    (path,) = write_content(content, files, tmp_path / "out")
    dataset = pydicom.dcmread(path)
    assert (str(dataset.PatientName), dataset.PatientSex, dataset.PatientAge) == ("Müller", "X", "066Y")
    assert (dataset.StudyDate or "", dataset.PatientBirthDate or "") == ("", "")
    # there must be one, and nothing tells it
    assert (dataset.ContentDate, dataset.ContentTime) == ("19000101", "000000")
    assert dataset.SeriesNumber == 90001
    assert (dataset.LossyImageCompression, float(dataset.LossyImageCompressionRatio)) == ("01", 8)
    assert capfd.readouterr() == ("", "")


def test_images_that_are_in_no_plane_are_referred_to_by_all(content, upright, tmp_path):
    def move(dataset):
        dataset.ImagePositionPatient = [0, 0, 0]

    files = edited(upright.loaded.files, tmp_path, move, slice(0, 1))
    (path,) = write_content(content, files, tmp_path / "out")
    dataset = pydicom.dcmread(path)
    (derivation,) = dataset.SharedFunctionalGroupsSequence[0].DerivationImageSequence
    assert len(derivation.SourceImageSequence) == len(files)
    assert {item.SpatialLocationsPreserved for item in derivation.SourceImageSequence} == {"NO"}
    assert not any("DerivationImageSequence" in group for group in dataset.PerFrameFunctionalGroupsSequence)


def test_a_single_slice_is_as_thick_as_it_is_far_from_the_next(upright, tmp_path):
    orientation = nearest_ras(Grid((*SHAPE[:2], 1), UPRIGHT))
    values = upright.data[:, :, :1, 0]
    single = type(upright.content())(orientation=orientation, maps=(a_map("cbf", values, UPRIGHT),))
    (path,) = write_content(single, upright.loaded.files[:1], tmp_path / "out")
    measures = pydicom.dcmread(path).SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert measures.SliceThickness == measures.SpacingBetweenSlices == 5

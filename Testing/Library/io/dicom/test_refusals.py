"""What cannot be a perfusion series is refused, and the message names the file and the way on."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from dicom_making import WORDS_OF_THE_PATIENT

from PyPeTLib.errors import InputError
from PyPeTLib.io.dicom import find_series, load_dicom

TIMES = np.array([0, 1, 2, 3, 4, 7, 10, 13.0])


def refused(folder, pattern, **facts):
    with pytest.raises(InputError, match=pattern) as caught:
        load_dicom(folder, **facts)
    for word in WORDS_OF_THE_PATIENT:
        assert word not in str(caught.value)
    return str(caught.value)


def file_of(folder, position, frame):
    """Name of the file of a slice and frame, as the maker numbers them without shuffling."""
    return f"IM{5 * frame + position:05d}.dcm"


def test_a_missing_slice_is_named_with_its_neighbours(study):
    folder = study.make(skip=[(2, 4)])
    message = refused(folder, r"series 3: an image is missing: the slice at 22.00 mm .* in frame 5 of 8")
    assert file_of(folder, 1, 4) in message
    assert file_of(folder, 3, 4) in message
    assert find_series(folder)[0].remarks == ("1 image missing",)


@pytest.mark.parametrize("frame", [0, 3, 7])
def test_a_missing_slice_is_found_where_slices_have_times_of_their_own(study, frame):
    times = 1.5 * np.arange(8) + np.array([0, 0.6, 0.2, 0.8, 0.4])[:, None]
    folder = study.make(times=times, skip=[(3, frame)])
    message = refused(folder, rf"27.00 mm along the normal in frame {frame + 1} of 8")
    assert file_of(folder, 2, frame) in message


def test_slices_that_are_missing_in_turn_are_all_found(study):
    """Each slice lacks one image of another frame, so that counts alone look complete."""
    folder = study.make(skip=[(z, z) for z in range(5)])
    refused(folder, r"5 images are missing: .* in frame 1 of 8 .*, and 2 more")


def test_a_missing_image_of_a_multi_frame_file_is_found(study):
    refused(study.make(enhanced=True, skip=[(2, 4)]), r"22.00 mm .* frame 5 of 8 \(beside MF0000.dcm \(image ")


def test_a_slice_that_is_missing_at_all_times_is_named_by_its_place(study):
    folder = study.make(skip=[(2, t) for t in range(8)])
    refused(folder, r"none at 22.00 mm .* between IM00001.dcm \(17.00 mm\) and IM00003.dcm \(27.00 mm\)")


def test_uneven_spacing_is_refused(study):
    def edit(dataset, position, _):
        dataset.ImagePositionPatient[2] += 1.2 * (position == 4)

    refused(study.make(edit=edit), r"not evenly spaced: from IM00003.dcm to IM00004.dcm it is 6.20 mm.*5.00 mm")


def test_identical_copies_are_dropped_and_counted(study, same):
    folder = study.make(twice=[(1, 2), (3, 0)])
    loaded = load_dicom(folder)
    same(loaded, study.truth())
    assert loaded.sources["duplicates"].startswith("2 images came twice")
    assert find_series(folder)[0].remarks == ("2 duplicates",)


@pytest.mark.parametrize("own_uid", [False, True])
def test_copies_that_differ_are_refused_with_both_names(study, own_uid):
    folder = study.make(twice=[(1, 2)])
    path = folder / f"copy_{file_of(folder, 1, 2)}"
    dataset = pydicom.dcmread(path)
    pixels = bytearray(dataset.PixelData)
    pixels[7] ^= 1
    dataset.PixelData = bytes(pixels)
    if own_uid:
        dataset.SOPInstanceUID += ".7"
    dataset.save_as(path)
    name = file_of(folder, 1, 2)
    refused(folder, rf"{name} and copy_{name} are two different images of one")


@pytest.mark.parametrize("cut", [-50, 700, 300, 140])
def test_a_truncated_file_is_named(study, cut):
    folder = study.make()
    path = folder / file_of(folder, 2, 3)
    path.write_bytes(path.read_bytes()[:cut])
    refused(folder, path.name)


def test_a_damaged_compressed_file_is_named(study):
    folder = study.make(syntax="rle")
    path = folder / file_of(folder, 2, 3)
    path.write_bytes(path.read_bytes()[:-150])
    refused(folder, rf"{path.name}: .*damaged.*RLE Lossless")


def test_another_matrix_size_is_named(study):
    def edit(dataset, position, frame):
        if (position, frame) == (2, 3):
            dataset.Rows, dataset.Columns = 5, 24

    refused(study.make(edit=edit), r"IM00017.dcm: the image has 24×5 pixels, but 39 others of its series have 12×10")


def test_another_direction_is_named(study):
    def edit(dataset, position, frame):
        if (position, frame) == (2, 3):
            dataset.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]

    refused(study.make(edit=edit), "IM00017.dcm: this image has another direction")


def test_a_file_without_position_is_named(study):
    def edit(dataset, position, frame):
        if (position, frame) == (2, 3):
            del dataset.ImagePositionPatient

    refused(study.make(edit=edit), "IM00017.dcm: the file holds no usable ImagePositionPatient")


@pytest.mark.parametrize("vendor", ["none", "number"])
def test_missing_times_are_asked_for(study, vendor):
    refused(study.make(vendor=vendor, modality="ctp"), "frame times are unknown.*--frame-interval.*--frame-times")


def test_one_interval_is_refused_where_whole_frames_are_missing(study, same):
    def edit(dataset, _, frame):
        dataset.TemporalPositionIdentifier = frame + 1 + (frame > 3)

    folder = study.make(vendor="number", modality="dsc", edit=edit)
    refused(folder, r"whole frames are missing \(temporal position 5\).*--frame-times", frame_interval=1.5)
    same(load_dicom(folder, frame_times=TIMES), study.truth(modality="dsc"))
    assert "1 frame missing" in find_series(folder)[0].remarks


def test_content_time_that_differs_between_slices_is_no_frame_time(study):
    times = 1.5 * np.arange(8) + 0.1 * np.arange(5)[:, None]
    refused(study.make(vendor="content", times=times), "frame times are unknown.*--frame-interval")


def test_slices_that_stray_from_their_times_are_refused_and_times_can_be_given(study, same):
    times = 1.5 * np.arange(8) + 0.9 * np.random.default_rng(2).random((5, 1)) * (1 + np.arange(8) % 2)
    folder = study.make(times=times)
    refused(folder, r"AcquisitionTime is contradictory.*stray by up to .* s \(IM000\d\d.dcm.*--frame-times")
    same(load_dicom(folder, frame_interval=1.5), study.truth(times=1.5 * np.arange(8)))


def test_frame_numbers_that_contradict_the_times_are_refused(study):
    def edit(dataset, _, frame):
        dataset.TemporalPositionIdentifier = {3: 5, 4: 4}.get(frame, frame + 1)

    refused(study.make(edit=edit), r"AcquisitionTime and TemporalPositionIdentifier contradict each other.*IM000")


def test_clocks_that_contradict_each_other_are_refused(study):
    def edit(dataset, _, frame):
        dataset.TriggerTime = str(500 * frame)

    refused(study.make(edit=edit, modality="dsc"), r"by AcquisitionTime the last frame is 13 s .*TriggerTime 3.5 s")


def test_whole_seconds_give_way_to_a_finer_clock_and_are_told_without(study):
    times = 1.4 * np.arange(8)

    def coarse(dataset, *_):
        dataset.AcquisitionTime = dataset.AcquisitionTime[:6]

    def with_trigger(dataset, position, frame):
        coarse(dataset)
        dataset.TriggerTime = f"{1400 * frame}"

    loaded = load_dicom(study.make("a", times=times, edit=with_trigger, modality="dsc", start=30_000))
    np.testing.assert_allclose(loaded.series.frame_times, times)
    loaded = load_dicom(study.make("b", times=times, edit=coarse, start=30_000))
    np.testing.assert_allclose(loaded.series.frame_times, np.floor(times))
    assert "in whole seconds" in loaded.sources["frame_times"]


def test_table_positions_with_different_numbers_of_frames_are_refused(study):
    times = 3.0 * np.arange(8) + np.array([0, 0, 1.5, 1.5, 1.5])[:, None]

    def edit(dataset, position, frame):
        dataset.AcquisitionNumber = 2 * frame + (1 if position < 2 else 2)

    folder = study.make(times=times, skip=[(0, 7), (1, 7)], edit=edit)
    refused(folder, r"7 at 12.0 to 17.0 mm, 8 at 22.0 to 32.0 mm.*IM00037.dcm")


def test_table_positions_scanned_one_after_the_other_are_refused(study):
    refused(study.make(times=TIMES + np.array([0, 0, 30, 30, 30])[:, None]), "one after the other")


def test_magnitude_and_phase_images_in_one_series_are_refused(study):
    def phase(dataset, position, frame):
        dataset.SOPInstanceUID = f"9.{position}.{frame}"
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "P", "ND"]

    folder = study.make(modality="dsc")
    study.make("study/phase", data=-study.data, modality="dsc", edit=phase)
    refused(folder, "there are phase images among the others")


def test_what_the_options_say_must_agree(study):
    folder = study.make()
    refused(folder, "the files are CT, but --modality says dsc", modality="dsc")
    refused(folder, "must be auto, ctp or dsc", modality="pet")
    refused(folder, "only a DSC series has a second echo", second_echo=study.make("b", modality="dsc"))
    refused(folder, "no series 9 among.*Found: DICOM series 3", series=9)
    refused(folder, "lists 3 slice times", slice_times=[0, 1, 2])
    refused(folder, "Give one of them", frame_interval=1, frame_times=TIMES)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("scan.nii.gz", "this is a NIfTI file, not DICOM.*pypet run"),
        ("images", "but 1 in NIfTI. Give the file"),
        ("dataset", "folders of subjects.*pypet batch DATASET OUT"),
        ("empty", "no DICOM file here. Give the folder of the DICOM files"),
    ],
)
def test_without_dicom_it_says_what_is_there(tmp_path, path, words):
    for folder in ("images", "dataset/sub-01", "empty"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("scan.nii.gz", "images/scan.nii.gz", "dataset/sub-01/sub-01_ctp.nii.gz"):
        (tmp_path / name).write_bytes(bytes(400))
    with pytest.raises(InputError, match=words):
        find_series(tmp_path / path)

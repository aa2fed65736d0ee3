"""DICOM files are read as the NIfTI file of the same content: values, places, times, slice times, echo times."""

from __future__ import annotations

import warnings

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from dicom_making import WORDS_OF_THE_PATIENT, make_series

from PyPeTLib.errors import InputError
from PyPeTLib.io import load_scan, write_volume
from PyPeTLib.io.dicom import find_series, load_dicom

TIMES = np.array([0, 1, 2, 3, 4, 7, 10, 13.0])
STRAIGHT = np.array([[2.0, 0, 0, -24], [0, 2.5, 0, -30], [0, 0, 5, 12], [0, 0, 0, 1.0]])


def rotated(angle, axis):
    """A rotation by degrees about an axis of the patient."""
    a = np.radians(angle)
    turn = np.eye(4)
    i, j = [k for k in range(3) if k != axis]
    turn[i, i] = turn[j, j] = np.cos(a)
    turn[i, j], turn[j, i] = -np.sin(a), np.sin(a)
    return turn


def tilted(angle):
    """Slices that stay upright while the table moves along: a gantry that is tilted about the left-right axis."""
    affine = rotated(angle, 0) @ STRAIGHT
    affine[:3, 2] = 0, 0, 5
    return affine


AFFINES = {
    "straight": STRAIGHT,
    "oblique": rotated(17, 1) @ rotated(-9, 0) @ STRAIGHT,
    "tilt": tilted(15),
    "coronal": STRAIGHT @ np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1.0]]),
}


MAKES = [("ctp", vendor, False) for vendor in ("siemens", "ge", "canon", "content")]
MAKES += [("dsc", vendor, False) for vendor in ("siemens", "ge", "philips")]
MAKES += [(modality, vendor, True) for modality in ("ctp", "dsc") for vendor in ("siemens", "philips")]


@pytest.mark.parametrize(("modality", "vendor", "enhanced"), MAKES)
def test_every_make_gives_the_same_series(study, same, modality, vendor, enhanced):
    folder = study.make(modality=modality, vendor=vendor, enhanced=enhanced, shuffle=3)
    loaded = load_dicom(folder)
    same(loaded, study.truth(modality=modality))
    named = {"ge": "TriggerTime" if modality == "dsc" else "AcquisitionTime", "philips": "TriggerTime"}
    named |= {"canon": "AcquisitionDateTime", "content": "ContentTime", "siemens": "AcquisitionTime"}
    expected = {"siemens": "FrameAcquisitionDateTime", "philips": "TemporalPositionTimeOffset"} if enhanced else named
    assert expected[vendor] in loaded.sources["frame_times"]
    assert loaded.series.name == "DICOM series 3"
    assert loaded.files[0].parent == folder
    assert len(loaded.files) == (1 if enhanced else 40)


@pytest.mark.parametrize(("affine", "enhanced"), [*((a, False) for a in AFFINES.values()), (tilted(15), True)])
def test_voxels_lie_where_the_nifti_file_has_them(study, same, affine, enhanced):
    folder = study.make(affine=affine, shuffle=1, enhanced=enhanced)
    same(load_dicom(folder), study.truth(affine=affine))


@pytest.mark.parametrize("affine", [AFFINES["straight"], AFFINES["oblique"]], ids=["straight", "oblique"])
def test_voxels_lie_where_gdcm_has_them(study, affine):
    """An independent reader: SimpleITK's series reader on the files of one frame."""
    folder = study.make(affine=affine)
    loaded = load_dicom(folder)
    reader = SimpleITK.ImageSeriesReader()
    files = [str(path) for path in loaded.files[10:15]]
    reader.SetFileNames(files)
    image = reader.Execute()
    values, frame = SimpleITK.GetArrayFromImage(image), loaded.series.frame(2)
    for k, j, i in np.ndindex(*values.shape):
        place = np.array(image.TransformIndexToPhysicalPoint((i, j, k))) * (-1, -1, 1)
        index = np.rint((np.linalg.inv(loaded.series.affine) @ [*place, 1])[:3]).astype(int)
        assert frame[tuple(index)] == values[k, j, i]


def test_results_go_back_to_the_grid_of_the_files(study, tmp_path):
    series = load_dicom(study.make(affine=AFFINES["oblique"])).series
    native = series.orientation.to_native(series.array())
    # columns run to the left and rows to the back, as the files have it
    np.testing.assert_array_equal(native, study.data[::-1, ::-1])
    assert series.orientation.native.shape == (12, 10, 5)


def test_a_tilted_gantry_keeps_its_shear_and_says_so(study):
    folder = study.make(affine=tilted(15))
    assert "tilt of 15.0°" in load_dicom(folder).sources["orientation"]
    assert "tilt 15.0°" in find_series(folder)[0].remarks


@pytest.mark.parametrize("vendor", ["siemens", "canon"])
def test_times_go_on_at_midnight(study, same, vendor):
    folder = study.make(vendor=vendor, start=86_390.5)
    same(load_dicom(folder), study.truth())


def test_times_go_on_at_midnight_where_the_date_stays(study, same):
    def edit(dataset, *_):
        dataset.AcquisitionDate = "20210923"

    same(load_dicom(study.make(start=86_390.5, edit=edit)), study.truth())


def test_fractions_of_seconds_are_kept(study, same):
    times = np.arange(8) * 1.3475 + 0.004 * np.arange(8) ** 2
    same(load_dicom(study.make(times=times)), study.truth(times=times))


def test_slices_with_times_of_their_own_become_slice_times(study, same):
    offsets = np.array([0, 0.6, 0.2, 0.8, 0.4])
    folder = study.make(times=1.5 * np.arange(8) + offsets[:, None], modality="dsc", shuffle=5)
    loaded = load_dicom(folder)
    same(loaded, study.truth(times=1.5 * np.arange(8), modality="dsc", slice_times=offsets))
    assert "AcquisitionTime" in loaded.sources["slice_times"]
    assert find_series(folder)[0].remarks == ("slices over 0.8 s",)


def test_a_shuttle_is_one_series_with_the_time_of_each_table_position(study, same):
    offsets = np.array([0, 0, 1.6, 1.6, 1.6])
    folder = study.make(times=TIMES * 2 + offsets[:, None], shuffle=4)
    same(load_dicom(folder), study.truth(times=TIMES * 2, slice_times=offsets))
    assert find_series(folder)[0].remarks == ("shuttle, 1.6 s apart",)


def test_a_shuttle_that_numbers_its_acquisitions_one_after_the_other(study, same):
    offsets = np.array([1.5, 1.5, 1.5, 0, 0])

    def edit(dataset, position, frame):
        dataset.AcquisitionNumber = 2 * frame + (2 if position < 3 else 1)

    folder = study.make(times=3.0 * np.arange(8) + offsets[:, None], edit=edit)
    same(load_dicom(folder), study.truth(times=3.0 * np.arange(8), slice_times=offsets))


@pytest.mark.parametrize("options", [{"dtype": "uint16"}, {"dtype": "uint16", "bits_stored": 12}])
def test_integers_stay_as_they_are_stored(study, same, options):
    loaded = load_dicom(study.make(**options))
    same(loaded, study.truth())
    frames = loaded.series.frames
    assert (frames.stored.dtype, frames.slope, frames.intercept) == (np.uint16, 1.0, -1024.0)


@pytest.mark.parametrize(
    "options",
    [
        {"slope": 0.5, "intercept": -100.0},
        {"slope": [1.0, 2.0, 0.5, 0.25, 1.0], "intercept": [0.0, -200.0, 0.0, 8.0, 1.0]},
        {"dtype": "float32"},
        {"dtype": "int32"},
        {"syntax": "implicit"},
        {"syntax": "rle"},
        {"syntax": "rle", "enhanced": True},
        {"enhanced": True, "slope": [1.0, 2.0, 0.5, 0.25, 1.0], "intercept": [0.0, -200.0, 0.0, 8.0, 1.0]},
        {"enhanced": True, "per_volume": True, "shuffle": 2},
        {"bits_stored": 12},
    ],
    ids=",".join,
)
def test_values_of_every_kind_are_read(study, same, options):
    # even numbers, which a slope of 2 can store
    data = study.data // 2 * 2
    same(load_dicom(study.make(data=data, **options)), study.truth(data=data))


def test_bits_that_do_not_count_are_ignored(study, same):
    """Twelve bits are stored; the four above them hold an overlay."""

    def edit(dataset, *_):
        pixels = np.frombuffer(dataset.PixelData, "<u2")
        dataset.PixelData = (pixels & 0x0FFF | 0x5000).astype("<u2").tobytes()

    same(load_dicom(study.make(bits_stored=12, edit=edit)), study.truth())


def test_two_echoes_of_one_series_become_two(study, same):
    second = study.data // 2
    folder = study.make(modality="dsc", second=second, echo_times=(0.03, 0.06), shuffle=8)
    loaded = load_dicom(folder)
    same(loaded, study.truth(modality="dsc"))
    assert loaded.series.second_echo.acquisition.echo_time == 0.06
    np.testing.assert_array_equal(loaded.series.second_echo.array(), second)
    assert "EchoTime of the files = 0.06 s" in loaded.sources["second_echo"]
    assert len(loaded.files) == 80
    assert find_series(folder)[0].remarks == ("two echoes",)


def test_the_second_echo_may_lie_elsewhere(study):
    first = study.make("first", modality="dsc")
    second = study.make("second", data=study.data // 2, modality="dsc", echo_times=(0.05,), series_number=4)
    loaded = load_dicom(first, second_echo=second)
    np.testing.assert_array_equal(loaded.series.second_echo.array(), study.data // 2)
    assert loaded.series.second_echo.acquisition.echo_time == 0.05


def test_times_may_be_given_where_the_files_have_none(study, same):
    folder = study.make(vendor="none")
    loaded = load_dicom(folder, frame_interval=1.5)
    same(loaded, study.truth(times=1.5 * np.arange(8)))
    assert loaded.sources["frame_times"] == "--frame-interval 1.5 s, frames in the order of InstanceNumber"
    given = load_dicom(study.make("other"), frame_interval=2)
    assert "not over 13 s, as AcquisitionTime of each image says" in given.sources["frame_times"]


def test_repetition_time_serves_an_echo_planar_series_without_times(study, same):
    def edit(dataset, _, frame):
        dataset.TemporalPositionIdentifier, dataset.NumberOfTemporalPositions = frame + 1, 8

    folder = study.make(modality="dsc", vendor="number", edit=edit)
    loaded = load_dicom(folder)
    same(loaded, study.truth(modality="dsc", times=1.5 * np.arange(8)))
    assert "RepetitionTime 1.5 s for each of 8 temporal positions" in loaded.sources["frame_times"]
    for wrong in ({"MRAcquisitionType": "3D"}, {"AcquisitionDuration": 60.0}):
        other = study.make(f"other{list(wrong)}", modality="dsc", vendor="number", edit=edit, more=wrong)
        with pytest.raises(InputError, match="--frame-interval"):
            load_dicom(other)


def test_the_begin_of_a_philips_dynamic_is_a_frame_time(study, same):
    def edit(dataset, _, frame):
        block = dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
        block.add_new(0xA0, "FL", float(TIMES[frame]))
        del dataset.TriggerTime

    for syntax in ("explicit", "implicit"):
        loaded = load_dicom(study.make(syntax, modality="dsc", vendor="philips", edit=edit, syntax=syntax))
        same(loaded, study.truth(modality="dsc"))
        assert "DynamicScanBeginTime" in loaded.sources["frame_times"]


def test_slices_that_are_not_axial_have_no_times_of_their_own(study, same):
    affine = AFFINES["coronal"]
    folder = study.make(times=1.5 * np.arange(8) + 0.2 * np.arange(5)[:, None], affine=affine)
    with pytest.raises(InputError, match=r"up to 0.8 s apart .*not axial"):
        load_dicom(folder)
    same(load_dicom(folder, frame_interval=1.5), study.truth(times=1.5 * np.arange(8), affine=affine))


def test_the_hash_is_that_of_the_content(study):
    plain = load_dicom(study.make("a"))

    def rename(dataset, *_):
        dataset.PatientName, dataset.SeriesInstanceUID = "Roe^Richard", "1.2.3.4"

    assert load_dicom(study.make("b", shuffle=9, syntax="rle", edit=rename)).sha256 == plain.sha256
    assert load_dicom(study.make("c", times=TIMES + 0.1 * (TIMES > 4))).sha256 != plain.sha256
    changed = study.data.copy()
    changed[3, 4, 2, 5] += 1
    assert load_dicom(study.make("e", data=changed)).sha256 != plain.sha256


def test_a_scan_is_whatever_the_path_holds(study, tmp_path, same):
    folder = study.make("deep/down", shuffle=1)
    (folder / "notes.txt").write_text("no DICOM file", encoding="utf-8")
    truth = study.truth()
    same(load_scan(tmp_path / "deep"), truth)
    same(load_scan(tmp_path / "truth.nii.gz", modality="ctp"), truth)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no DICOM file here"):
        load_scan(tmp_path / "empty")
    with pytest.raises(InputError, match="--series"):
        load_scan(tmp_path / "truth.nii.gz", series=3)


def test_one_multi_frame_file_is_enough(study, same):
    folder = study.make(enhanced=True)
    same(load_scan(folder / "MF0000.dcm"), study.truth())


def test_nothing_of_the_patient_comes_out(study, capfd):
    folder = study.make(twice=[(1, 2)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = load_dicom(folder)
    words = [*loaded.sources.values(), loaded.series.name, loaded.sha256, *capfd.readouterr()]
    for word in WORDS_OF_THE_PATIENT:
        assert not any(word in text for text in words)


def test_a_result_of_the_series_is_written_where_it_was_measured(study, tmp_path):
    series = load_dicom(study.make(affine=tilted(12))).series
    write_volume(tmp_path / "map.nii.gz", series.frame(3), series.orientation)
    back = nib.load(tmp_path / "map.nii.gz")
    np.testing.assert_array_equal(back.get_fdata(), study.data[::-1, ::-1, :, 3])
    np.testing.assert_allclose(back.affine, series.orientation.native.affine, atol=1e-4)


def test_old_files_without_preamble_are_read(study, same):
    folder = study.make(syntax="implicit")
    for path in folder.iterdir():
        content = path.read_bytes()
        # what follows the file meta information, which says its own length
        path.write_bytes(content[144 + int.from_bytes(content[140:144], "little") :])
    same(load_dicom(folder), study.truth())


def test_mr_values_are_not_taken_for_scanned_by_a_wrong_class(tmp_path):
    data = np.full((12, 10, 5, 8), -1000, np.int16)
    data[3:9] = 40
    data[..., 4:] += 3
    make_series(tmp_path / "a", data, STRAIGHT, TIMES, modality="dsc")
    with pytest.raises(InputError, match="Hounsfield"):
        load_dicom(tmp_path / "a")

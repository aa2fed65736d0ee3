"""Series are found, told apart and listed, without a word of the patient."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_making import SECONDARY_CAPTURE, WORDS_OF_THE_PATIENT

from PyPeTLib.cli import main
from PyPeTLib.errors import InputError
from PyPeTLib.io.dicom import find_series, is_dicom, load_dicom


@pytest.fixture(scope="module")
def mixed(tmp_path_factory, make_study):
    """A study folder as a scanner exports it: a perfusion series among others, all in one folder."""

    def capture(dataset, *_):
        dataset.SOPClassUID = SECONDARY_CAPTURE

    study = make_study(tmp_path_factory.mktemp("mixed"))
    one = study.data[..., :1]
    study.make("all/a", data=one, times=[0.0], series_number=1, image_type=("ORIGINAL", "PRIMARY", "LOCALIZER"))
    study.make("all", series_number=2, shuffle=2)
    study.make("all/b", data=one, times=[0.0], series_number=4)
    study.make("all/c", series_number=5, image_type=("DERIVED", "SECONDARY", "MPR"))
    study.make("all/d", data=one, times=[0.0], series_number=6, edit=capture)
    study.make("all/e", series_number=7, modality="dsc", echo_times=(0.002,), more={"ScanningSequence": "GR"})
    study.make("all/f", series_number=8, modality="dsc", image_type=("ORIGINAL", "PRIMARY", "M", "MOSAIC"))
    folder = study.folder / "all"
    (folder / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM and no more")
    (folder / "readme.txt").write_text("no DICOM", encoding="utf-8")
    return folder


def test_every_series_is_found_and_only_perfusion_is_taken(mixed, study, same):
    found = find_series(mixed)
    assert [one.number for one in found] == ["1", "2", "4", "5", "6", "7", "8"]
    assert [one.kind for one in found] == ["unknown", "ctp", *["unknown"] * 5]
    reasons = [one.reason for one in found]
    for reason, expected in zip(
        reasons, ["localizer", "", "single volume", "derived", "secondary capture", "2 ms", "mosaic"], strict=True
    ):
        assert expected in reason
        assert bool(expected) == bool(reason)
    assert found[1].intervals == (1.0, 3.0)
    assert (found[1].n_slices, found[1].n_frames, found[1].size) == (5, 8, (12, 10))
    same(load_dicom(mixed), study.truth())
    same(load_dicom(mixed / "DICOMDIR"), study.truth())


def test_a_series_is_chosen_by_number_or_uid(mixed, study, same):
    derived = load_dicom(mixed, series=5)
    same(derived, study.truth())
    assert "derived images" in derived.sources["values"]
    uid = find_series(mixed)[3].uid
    assert load_dicom(mixed, series=uid).sha256 == derived.sha256
    with pytest.raises(InputError, match="series 4 is no perfusion series: a single volume"):
        load_dicom(mixed, series="4")
    with pytest.raises(InputError, match=r"mosaic"):
        load_dicom(mixed, series=8)
    # who says that it is DSC answers the doubt
    assert load_dicom(mixed / "e", modality="dsc").series.acquisition.echo_time == 0.002


def test_several_perfusion_series_must_be_chosen_from(study):
    study.make("all/a", series_number=3)
    study.make("all/b", series_number=301)
    study.make("all/c", series_number=3, edit=lambda d, *_: setattr(d, "SeriesInstanceUID", "1.9"))
    with pytest.raises(InputError, match=r"3 series could be meant.*--series.*series 3, CT.*series 3.2.*series 301"):
        load_dicom(study.folder / "all")
    assert load_dicom(study.folder / "all", series="3.2").series.name == "DICOM series 3.2"
    study.make("all/d", series_number=12, modality="dsc")
    assert load_dicom(study.folder / "all", modality="dsc").series.name == "DICOM series 12"


def test_the_table_holds_what_a_reader_needs_and_nothing_of_the_patient(mixed, capsys):
    assert main(["list", str(mixed)]) == 0
    table = capsys.readouterr().out
    lines = table.splitlines()
    assert lines[0].split()[:3] == ["series", "modality", "kind"]
    assert lines[2].split() == ["2", "CT", "ctp", "5", "x", "8", "12", "x", "10", "1,", "3", "-"]
    assert "not taken: derived images" in lines[4]
    for word in WORDS_OF_THE_PATIENT:
        assert word not in table
    assert main(["list", str(mixed), "--descriptions"]) == 0
    assert "Perfusion Doe" in capsys.readouterr().out


def test_what_is_dicom_is_told_from_its_bytes(study, tmp_path):
    folder = study.make()
    assert is_dicom(folder)
    assert is_dicom(next(folder.iterdir()))
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "a.dcm").write_bytes(b"\0" * 500)
    assert not is_dicom(tmp_path / "none")
    assert main(["list", str(tmp_path / "none")]) == 2


def test_files_may_be_given_one_by_one(study, same):
    folder = study.make()
    same(load_dicom(sorted(folder.iterdir())), study.truth())


def test_too_few_frames_are_no_series(study):
    study.make("few", data=study.data[..., :5], times=np.arange(5.0))
    with pytest.raises(InputError, match=r"no perfusion series.*5 frames are too few"):
        load_dicom(study.folder / "few")

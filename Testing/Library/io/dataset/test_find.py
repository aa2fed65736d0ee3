"""Scans of a dataset by their folders and names: layouts, labels, what is odd, what is refused."""

from __future__ import annotations

import os
import pickle
from pathlib import Path, PurePosixPath

import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.io.dataset import find_scans

SUB = "sub-01/ses-01"
STEM = "sub-01_ses-01"


def problem(layout, *words: str) -> str:
    """The only problem, which must hold these words."""
    (sentence,) = layout.problems
    for word in words:
        assert word in sentence, sentence
    assert sentence.endswith(".")
    return sentence


def names(layout) -> list[str]:
    return [scan.name for scan in layout.scans]


def test_original_layout(found):
    layout = found(
        f"{SUB}/{STEM}_ctp.nii.gz",
        f"{SUB}/brain_mask.nii.gz",
        *(f"{SUB}/perfusion-maps/{STEM}_{name}.nii.gz" for name in ("cbf", "cbv", "mtt", "ttp", "TMAX")),
        "sub-02/ses-01/sub-02_ses-01_mrp.nii",
    )
    first, second = layout.scans
    assert (first.subject, first.session, first.run, first.suffix, first.modality) == ("01", "01", "", "ctp", "ctp")
    assert first.series == layout.dataset / SUB / f"{STEM}_ctp.nii.gz"
    assert first.brain_mask == layout.dataset / SUB / "brain_mask.nii.gz"
    assert list(first.references) == ["cbf", "cbv", "mtt", "ttp", "tmax"]
    assert first.references["tmax"].name == f"{STEM}_TMAX.nii.gz"
    assert (second.name, second.modality, second.references) == ("sub-02_ses-01_mrp", "dsc", {})
    # the reader of a series does not know this suffix
    assert dict(first.facts) == {}
    assert dict(second.facts) == {"modality": "dsc"}
    assert (layout.kind, layout.problems, layout.description) == ("original", (), "")


def test_names_of_results(found):
    layout = found("sub-01/ses-02/perf/sub-01_ses-02_acq-fast_run-1_dsc.nii.gz", "sub-02/perf/sub-02_perf.nii.gz")
    scan, plain = layout.scans
    assert scan.name == "sub-01_ses-02_acq-fast_run-1_dsc"
    assert scan.prefix == "sub-01_ses-02_acq-fast_run-1_"
    assert scan.folder == PurePosixPath("sub-01/ses-02/perf/sub-01_ses-02_acq-fast_run-1_dsc")
    assert (scan.run, scan.entities["acq"]) == ("1", "fast")
    assert (plain.folder, plain.session, plain.modality) == (PurePosixPath("sub-02/perf/sub-02_perf"), "", "auto")
    assert layout.kind == "bids"


def test_scans_travel_to_other_processes(found):
    layout = found(f"{SUB}/{STEM}_ctp.nii.gz", f"{SUB}/perfusion-maps/{STEM}_cbf.nii.gz")
    assert pickle.loads(pickle.dumps(layout)) == layout  # noqa: S301 - its own bytes


def test_the_order_is_natural_and_does_not_depend_on_the_disk(found, monkeypatch):
    files = [
        f"sub-{n}/ses-{s}/sub-{n}_ses-{s}_run-{r}_dsc.nii.gz" for n in (2, 10, 1) for s in (11, 9) for r in (10, 2)
    ]
    layout = found(*files)
    assert names(layout) == [f"sub-{n}_ses-{s}_run-{r}_dsc" for n in (1, 2, 10) for s in (9, 11) for r in (2, 10)]
    scandir = os.scandir

    class Backwards:
        def __init__(self, folder):
            with scandir(folder) as entries:
                self.entries = sorted(entries, key=lambda entry: entry.name, reverse=True)

        def __enter__(self):
            return iter(self.entries)

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(os, "scandir", Backwards)
    assert find_scans(layout.dataset) == layout


def test_two_echoes_are_one_scan(found):
    layout = found(*(f"sub-01/perf/sub-01_run-1_echo-{n}_dsc.nii.gz" for n in (1, 2)))
    (scan,) = layout.scans
    assert scan.name == "sub-01_run-1_dsc"
    assert scan.series.name == "sub-01_run-1_echo-1_dsc.nii.gz"
    assert scan.second_echo.name == "sub-01_run-1_echo-2_dsc.nii.gz"
    assert not layout.problems


def test_a_first_echo_alone_is_a_scan(found):
    (scan,) = found("sub-01/perf/sub-01_echo-1_dsc.nii.gz").scans
    assert (scan.name, scan.second_echo) == ("sub-01_dsc", None)


@pytest.mark.parametrize(
    ("files", "left", "words"),
    [
        (["sub-02_ses-01_ctp.nii.gz"], [], "subject and session of their folders"),
        (["sub-01_ctp.nii.gz"], [], "subject and session of their folders"),
        (["ctp.nii.gz"], [], "subject and session of their folders"),
        ([f"{STEM}_fast_ctp.nii.gz"], [], "keys and labels"),
        ([f"{STEM}_space-ncct_ctp.nii.gz"], [], "computed from others"),
        ([f"{STEM}_desc-preproc_ctp.nii.gz"], [], "computed from others"),
        ([f"{STEM}_part-phase_dsc.nii.gz"], [], "no magnitudes"),
        ([f"{STEM}_echo-a_dsc.nii.gz"], [], "is no number"),
        ([f"{STEM}_echo-1_ctp.nii.gz"], [], "CT has no echoes"),
        ([f"{STEM}_echo-2_dsc.nii.gz"], [], "first echo of these series is missing"),
        ([f"{STEM}_dsc.nii.gz", f"{STEM}_dsc.nii"], [], "same scan by their names"),
        ([f"{STEM}_dsc.nii.gz", f"perf/{STEM}_dsc.nii.gz"], [], "same scan by their names"),
        ([f"{STEM}_dsc.nii.gz", f"{STEM}_echo-1_dsc.nii.gz"], [], "same scan by their names"),
        ([f"{STEM}_echo-{n}_dsc.nii.gz" for n in (1, 2, 3)], [f"{STEM}_dsc"], "Two echoes"),
    ],
)
def test_odd_series_are_told_and_left_out(found, files, left, words):
    layout = found("sub-09/ses-01/sub-09_ses-01_ctp.nii.gz", *(f"{SUB}/{name}" for name in files))
    assert names(layout) == [*left, "sub-09_ses-01_ctp"]
    sentence = next(sentence for sentence in layout.problems if words in sentence)
    assert f"{SUB}/{files[-1]}" in sentence


def test_other_images_are_no_ones_business(found):
    layout = found(
        f"{SUB}/{STEM}_ctp.nii.gz",
        *(f"{SUB}/{STEM}_{word}.nii.gz" for word in ("ncct", "cta", "T1w", "asl")),
        f"{SUB}/anat/{STEM}_FLAIR.nii.gz",
        f"{SUB}/._{STEM}_dsc.nii.gz",
        f"{SUB}/.cache/{STEM}_dsc.nii.gz",
        f"{SUB}/{STEM}_ctp.txt",
        "code/run.py",
        "sourcedata/sub-01/x.dcm",
    )
    assert names(layout) == [f"{STEM}_ctp"]
    assert not layout.problems


def test_results_of_pypet_are_no_scans(found):
    layout = found(
        f"{SUB}/{STEM}_ctp.nii.gz",
        f"{SUB}/maps/{STEM}_dsc.nii.gz",
        f"derivatives/{SUB}/perf/{STEM}_ctp.nii.gz",
        **{f"{SUB}/maps/summary.json": {"software": "PyPeT"}},
    )
    assert names(layout) == [f"{STEM}_ctp"]
    assert not layout.problems


def test_series_beside_sessions_are_told(found):
    layout = found(f"{SUB}/{STEM}_ctp.nii.gz", "sub-01/sub-01_ctp.nii.gz")
    problem(layout, "beside the folders of sessions", "sub-01/sub-01_ctp.nii.gz")


def test_misspelt_folders_and_copies_are_told(found):
    layout = found(
        f"{SUB}/{STEM}_ctp.nii.gz",
        f"{SUB}/{STEM}_ctp_copy.nii.gz",
        f"{SUB}/old name.nii.gz",
        "sub-01/ses02/sub-01_ses-02_ctp.nii.gz",
        "sub02/ses-01/sub-02_ses-01_ctp.nii.gz",
        "Patient_3/readme.txt",
        "Doe/a/b/1.dcm",
        "other/x.nii.gz",
        "notes/readme.txt",
        "results/sub-01/perf/sub-01_ctp/sub-01_cbf.nii.gz",
        "loose.nii.gz",
        **{"results/dataset_description.json": {"Name": "of PyPeT"}},
    )
    assert names(layout) == [f"{STEM}_ctp"]
    folders, loose, sessions, copies = layout.problems
    assert folders.endswith("sub-01, so they were left out: Doe, other, Patient_3, sub02.")
    assert loose.endswith(": loose.nii.gz.")
    assert sessions.endswith(": sub-01/ses02.")
    assert copies.endswith(f": {SUB}/old name.nii.gz, {SUB}/{STEM}_ctp_copy.nii.gz.")
    # for files
    folders, loose, sessions, copies = layout.left_out
    assert folders.endswith(": ..., Patient_3, sub02.")
    assert loose.endswith(": ....")
    assert sessions.endswith(": sub-01/ses02.")
    assert copies.endswith(f": {SUB}/..., {SUB}/{STEM}_ctp_copy.nii.gz.")


def test_odd_labels_and_empty_subjects_are_told(found):
    layout = found(
        f"{SUB}/{STEM}_ctp.nii.gz",
        "sub-A_1/ses-01/sub-A_1_ses-01_ctp.nii.gz",
        "sub-02/anat/sub-02_T1w.nii.gz",
        "sub-03/ses-0.1/sub-03_ctp.nii.gz",
    )
    assert names(layout) == [f"{STEM}_ctp"]
    labels, empty = layout.problems
    assert "letters and digits" in labels
    assert "sub-A_1, sub-03/ses-0.1" in labels
    assert empty == "No perfusion scan was found in these folders: sub-02, sub-03."


def test_many_places_of_one_problem_are_one_sentence(found):
    layout = found(f"{SUB}/{STEM}_ctp.nii.gz", *(f"sub-{n}/readme.txt" for n in range(10, 20)))
    assert problem(layout).endswith("sub-10, sub-11, sub-12, sub-13, sub-14 and 5 more.")


def test_raw_data_may_lie_a_folder_deeper(found):
    layout = found(
        f"raw_data/{SUB}/{STEM}_ctp.nii.gz",
        f"derivatives/{SUB}/perfusion-maps/{STEM}_tmax.nii.gz",
        **{"dataset_description.json": {"Name": "A study"}},
    )
    (scan,) = layout.scans
    assert list(scan.references) == ["tmax"]
    assert layout.description == "A study"
    assert find_scans(layout.dataset / "raw_data").scans == layout.scans


def test_the_folder_one_works_in_will_do(tree, monkeypatch):
    dataset = tree(f"raw_data/{SUB}/{STEM}_ctp.nii.gz", f"derivatives/{SUB}/perfusion-maps/{STEM}_tmax.nii.gz")
    monkeypatch.chdir(dataset / "raw_data")
    layout = find_scans(".")
    assert layout.dataset == dataset / "raw_data"
    assert list(layout.scans[0].references) == ["tmax"]
    monkeypatch.chdir(dataset.parent)
    assert find_scans("data").scans[0].series.parts[0] == "data"


def test_a_damaged_description_is_told(found):
    layout = found(f"{SUB}/{STEM}_ctp.nii.gz", **{"dataset_description.json": "{"})
    assert layout.description == ""
    problem(layout, "no usable JSON", "dataset_description.json")


def test_links(found, tree, tmp_path):
    dataset = tree(f"{SUB}/{STEM}_ctp.nii.gz")
    stored = tmp_path / "store.nii.gz"
    stored.touch()
    session = dataset / SUB
    (session / f"{STEM}_dsc.nii.gz").symlink_to(stored)
    (session / f"{STEM}_run-2_dsc.nii.gz").symlink_to(tmp_path / "not-fetched.nii.gz")
    (session / "back").symlink_to(dataset)
    (session / "round").symlink_to(session / "round")
    (dataset / "sub-02").symlink_to(dataset / "sub-01")
    layout = find_scans(dataset)
    assert names(layout) == [f"{STEM}_ctp", f"{STEM}_dsc"]
    told = "\n".join(layout.problems)
    assert f"lead nowhere and were left out; fetch what they stand for: {SUB}/round, {SUB}/{STEM}_run-2" in told
    assert f"lead back to a folder that holds them and were left out: {SUB}/back" in told
    assert "subject and session of their folders" in told
    assert "sub-02/ses-01/sub-01_ses-01_ctp.nii.gz" in told


def test_folders_that_cannot_be_read_are_told(tree, monkeypatch):
    dataset = tree(f"{SUB}/{STEM}_ctp.nii.gz", "sub-02/ses-01/sub-02_ses-01_ctp.nii.gz")
    scandir = os.scandir

    def guarded(folder):
        if Path(folder).name == "sub-02":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", guarded)
    layout = find_scans(dataset)
    assert names(layout) == [f"{STEM}_ctp"]
    assert "These folders cannot be read and were left out; check the access rights: sub-02." in layout.problems


@pytest.mark.parametrize("given", [["02"], ["sub-02"], ["sub-02/"], ["sub-02", "02"]])
def test_participants_are_chosen_by_label(tree, given):
    dataset = tree(*(f"sub-0{n}/sub-0{n}_ctp.nii.gz" for n in (1, 2, 3)))
    assert names(find_scans(dataset, participants=given)) == ["sub-02_ctp"]
    assert names(find_scans(dataset, participants=["03", "01"])) == ["sub-01_ctp", "sub-03_ctp"]


def test_sessions_are_chosen_by_label(tree):
    dataset = tree(*(f"sub-01/ses-{n}/sub-01_ses-{n}_ctp.nii.gz" for n in ("a", "b")), "sub-02/sub-02_ctp.nii.gz")
    for given in ("b", "ses-b"):
        layout = find_scans(dataset, sessions=[given])
        assert names(layout) == ["sub-01_ses-b_ctp"]
        problem(layout, "No perfusion scan", "sub-02")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"participants": ["1"]}, "there is no participant 1. Those there are: 01, 02. Did you mean 01?"),
        ({"participants": ["01", "sub-9"]}, "there is no participant 9."),
        ({"sessions": ["02"]}, "there is no session 02. Those there are: 01."),
        ({"participants": ["02"], "sessions": ["01"]}, "There are no sessions."),
    ],
)
def test_unknown_labels_are_refused(tree, asked, words):
    dataset = tree(f"{SUB}/{STEM}_ctp.nii.gz", "sub-02/sub-02_ctp.nii.gz")
    with pytest.raises(InputError) as error:
        find_scans(dataset, **asked)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("absent", "no such folder"),
        ("readme.txt", "this is a file"),
        ("scans", "it holds b, a.txt. Expected are files such as sub-01/ses-01/sub-01_ses-01_ctp.nii.gz"),
        ("empty", "it is empty"),
        ("sub-01", "is the folder of one subject: give "),
    ],
)
def test_what_is_no_dataset_is_refused(tree, name, words):
    dataset = tree("readme.txt", "scans/a.txt", "scans/b/sub-01_ctp.nii.gz", f"{SUB}/{STEM}_ctp.nii.gz") / name
    if name == "empty":
        dataset.mkdir()
    with pytest.raises(InputError) as error:
        find_scans(dataset)
    assert words in str(error.value)
    assert str(error.value).startswith(f"{dataset}: ")


def test_without_scans_it_says_what_was_found(tree):
    with pytest.raises(InputError) as error:
        find_scans(tree(f"{SUB}/{STEM}_T1w.nii.gz", f"{SUB}/notes.txt"))
    assert "Expected are files such as" in str(error.value)
    assert f"Found were {SUB}/notes.txt, {SUB}/{STEM}_T1w.nii.gz." in str(error.value)


def test_without_scans_it_says_what_was_left_out(tree):
    with pytest.raises(InputError, match=r"begin with the subject and session.*sub-01/ctp\.nii\.gz"):
        find_scans(tree("sub-01/ctp.nii.gz"))


class TestDicom:
    @pytest.mark.parametrize(
        ("folder", "suffix"),
        [("dicom", "perf"), ("ctp", "ctp"), ("CT_Perfusion_4D", "perf"), ("perf/dsc", "dsc"), ("dicom/ctp", "ctp")],
    )
    def test_a_folder_is_a_scan(self, found, folder, suffix):
        layout = found(
            f"{SUB}/{folder}/0001.dcm", f"{SUB}/{folder}/0002.dcm", f"{SUB}/perfusion-maps/{STEM}_cbf.nii.gz"
        )
        (scan,) = layout.scans
        assert (scan.name, scan.layout, scan.modality) == (f"{STEM}_{suffix}", "dicom", "auto")
        assert scan.series == layout.dataset / SUB / folder
        assert list(scan.references) == ["cbf"]
        assert [path.name for path in scan.inputs] == ["0001.dcm", "0002.dcm", f"{STEM}_cbf.nii.gz"]
        assert (layout.kind, layout.problems) == ("dicom", ())

    def test_one_folder_for_each_frame_is_one_scan(self, found):
        (scan,) = found(*(f"sub-01/ctp/frame{n}/{n}.dcm" for n in range(3))).scans
        assert scan.series.name == "ctp"

    def test_files_in_the_folder_of_the_session_are_a_scan(self, found):
        (scan,) = found(f"{SUB}/1.dcm", f"{SUB}/2.dcm").scans
        assert scan.series.name == "ses-01"

    def test_the_folder_of_the_perfusion_counts(self, found):
        layout = found(*(f"{SUB}/{name}/1.dcm" for name in ("ctp", "ncct", "cta", "dsc")))
        assert names(layout) == [f"{STEM}_ctp", f"{STEM}_dsc"]
        assert not layout.problems

    def test_what_is_ambiguous_is_told(self, found):
        layout = found(
            f"{SUB}/{STEM}_ctp.nii.gz",
            f"{SUB}/ctp/1.dcm",
            "sub-02/a/1.dcm",
            "sub-02/b/1.dcm",
            "sub-03/ctp_1/1.dcm",
            "sub-03/ctp_2/1.dcm",
        )
        assert names(layout) == [f"{STEM}_ctp"]
        beside, unnamed, several, _ = layout.problems
        assert "Beside NIfTI files" in beside
        assert "None of these folders of DICOM files is named" in unnamed
        assert "sub-02/a, sub-02/b" in unnamed
        assert "sub-03/ctp_1, sub-03/ctp_2" in several

    def test_both_formats_are_a_mixed_dataset(self, found):
        assert found("sub-01/ctp/1.dcm", "sub-02/perf/sub-02_ctp.nii.gz").kind == "mixed"

    def test_files_without_the_preamble_are_no_scan(self, tree):
        dataset = tree("sub-01/ctp/1")
        (dataset / "sub-01/ctp/1").write_bytes(bytes(200))
        with pytest.raises(InputError, match="no perfusion scans"):
            find_scans(dataset)

"""What the digest of a job follows, and what it does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from PyPeTLib.batch.fingerprint import fingerprint
from PyPeTLib.errors import InputError
from PyPeTLib.job import Job, Outputs


@pytest.fixture
def job(tmp_path):
    for name in ("dsc.nii.gz", "echo2.nii.gz", "mask.nii.gz", "cbf.nii.gz", "atlas.nii.gz", "times.txt", "mine.toml"):
        (tmp_path / name).write_text(name)
    (tmp_path / "mine.toml").write_text("[aif]\nerosion = 2.0\n")
    return Job(
        series=tmp_path / "dsc.nii.gz",
        out=tmp_path / "out",
        inputs={
            "second_echo": tmp_path / "echo2.nii.gz",
            "mask": tmp_path / "mask.nii.gz",
            "frame_times": str(tmp_path / "times.txt"),
            "aif": "population",
            "echo_time": 0.03,
        },
        preset=str(tmp_path / "mine.toml"),
        references={"cbf": tmp_path / "cbf.nii.gz"},
        territories=tmp_path / "atlas.nii.gz",
        tables={"deconvolution": {"method": "bsvd"}},
        scan={"name": "sub-01_dsc"},
    )


def digest(job):
    return fingerprint(job).digest


@pytest.mark.parametrize(
    "name",
    ["dsc.nii.gz", "echo2.nii.gz", "mask.nii.gz", "cbf.nii.gz", "atlas.nii.gz", "times.txt", "dsc.json", "cbf.json"],
)
def test_each_file_and_sidecar_counts(job, tmp_path, name):
    before = digest(job)
    assert digest(job) == before
    (tmp_path / name).write_text("other")
    assert digest(job) != before


def test_the_content_of_a_preset_counts_and_not_its_place(job, tmp_path):
    before = digest(job)
    moved = (tmp_path / "mine.toml").rename(tmp_path / "yours.toml")
    assert digest(replace(job, preset=str(moved))) == before
    moved.write_text("[aif]\nerosion = 3.0\n")
    assert digest(replace(job, preset=str(moved))) != before


@pytest.mark.parametrize(
    "change",
    [
        {"tables": {"deconvolution": {"method": "osvd"}}},
        {"inputs": {}},
        {"prefix": "sub-01_"},
        {"references": {}},
        {"territories": None},
        {"preset": None},
        {"scan": {"name": "sub-02_dsc"}},
        {"outputs": Outputs(figures=False)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_each_option_counts(job, change):
    assert digest(replace(job, **change)) != digest(job)


def test_what_results_do_not_depend_on_does_not_count(job, tmp_path):
    other = replace(
        job,
        out=tmp_path / "elsewhere",
        threads=3,
        memory_limit=2.0,
        scratch=tmp_path,
        overwrite=True,
        options_file="x.toml",
        digest="x",
    )
    assert digest(other) == digest(job)


def test_the_folder_of_the_dataset_does_not_count(job, tmp_path):
    before = digest(replace(job, inputs={}, preset=None, references={}, territories=None))
    moved = (tmp_path / "dsc.nii.gz").rename(tmp_path.with_name("moved_dsc.nii.gz").parent / "dsc.nii.gz")
    assert digest(replace(job, series=moved, inputs={}, preset=None, references={}, territories=None)) == before


def test_a_folder_counts_by_the_files_in_it(tmp_path):
    dicom = tmp_path / "dicom"
    dicom.mkdir()
    for name in ("a", "b"):
        (dicom / name).write_text(name)
    job = Job(series=dicom, out=tmp_path / "out")
    before = fingerprint(job)
    # its name may be that of the patient
    assert set(before.inputs) == {"series"}
    renamed = dicom.rename(tmp_path / "other")
    assert digest(replace(job, series=renamed)) == before.digest
    (renamed / "c").write_text("c")
    assert digest(replace(job, series=renamed)) != before.digest


def test_arrays_and_lists_of_the_same_times_are_the_same(job):
    lists = replace(job, inputs={"frame_times": [0.0, 1.5]})
    assert digest(lists) == digest(replace(job, inputs={"frame_times": np.array([0.0, 1.5])}))
    assert digest(lists) != digest(replace(job, inputs={"frame_times": [0.0, 1.6]}))


def test_a_missing_file_is_told(job, tmp_path):
    (tmp_path / "mask.nii.gz").unlink()
    with pytest.raises(InputError, match=r"mask.nii.gz: there is no such file"):
        fingerprint(job)

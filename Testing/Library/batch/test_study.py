"""A study: what is recorded, what stays, what is done again, what is refused."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from PyPeTLib.batch.folder import LOCK_NAME
from PyPeTLib.batch.records import finished_scans, read_status
from PyPeTLib.batch.study import Machine, run_study
from PyPeTLib.cli import main
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid, nearest_ras
from PyPeTLib.io import write_volume
from PyPeTLib.io.locks import acquire_lock, release_lock
from PyPeTLib.job import Outputs

# the maker of DICOM files lies there, where other tests find it too
sys.path.append(str(Path(__file__).parents[1] / "io"))

from dicom_making import WORDS_OF_THE_PATIENT

pytestmark = pytest.mark.usefixtures("here")


def scan_folder(out, number):
    return out / f"sub-{number:02d}" / "perf" / f"sub-{number:02d}_ctp"


def states(out, count):
    return [read_status(scan_folder(out, number))["state"] for number in range(1, count + 1)]


def test_what_fails_is_told_and_the_rest_go_on(stand_ins, make_dataset, tmp_path, tree):
    dataset, out = make_dataset("fine", "input", "fault", "fine"), tmp_path / "out"
    lines = []
    result = run_study(dataset, out, tell=lines.append, work=stand_ins.perform)
    assert (result.analysed, result.current, len(result.failed)) == (2, 0, 2)
    assert [name for name, _ in result.failed] == ["sub-02_ctp", "sub-03_ctp"]
    assert states(out, 4) == ["done", "failed", "failed", "done"]
    bad, broken = (read_status(scan_folder(out, number)) for number in (2, 3))
    assert (bad["kind"], broken["kind"]) == ("input", "fault")
    assert bad["cause"] == "sub-02/perf/sub-02_ctp.nii.gz: this is no image. Export it again."
    assert "KeyError" in broken["cause"]
    log = scan_folder(out, 3).with_suffix(".log").read_text()
    assert log.startswith("Traceback")
    assert str(tmp_path) not in log
    assert "return {}" in log
    assert len([line for line in lines if line.startswith("[")]) == 4
    # of a scan that failed there is nothing but the record
    assert [name for name in tree(out) if name.startswith("sub-03/perf/")] == [
        "sub-03/perf/sub-03_ctp.log",
        "sub-03/perf/sub-03_ctp.status.json",
    ]
    assert not (out / LOCK_NAME).exists()
    assert [scan.name for scan in finished_scans(out)] == ["sub-01_ctp", "sub-04_ctp"]


def test_the_folder_is_described_as_a_derivative(stand_ins, make_dataset, tmp_path):
    dataset, out = make_dataset("fine"), tmp_path / "out"
    (dataset / "dataset_description.json").write_text(json.dumps({"Name": "Strokes", "DatasetDOI": "doi:10.0/x"}))
    arguments = {"tables": {"deconvolution": {"method": "bsvd"}}, "inputs": {"modality": "ctp"}}
    run_study(dataset, out, work=stand_ins.perform, arguments=arguments)
    described = json.loads((out / "dataset_description.json").read_text())
    assert described["DatasetType"] == "derivative"
    assert described["GeneratedBy"][0]["Name"] == "PyPeT"
    assert described["SourceDatasets"] == [{"DOI": "doi:10.0/x"}]
    assert (out / "config.toml").read_text() == '[input]\nmodality = "ctp"\n\n[deconvolution]\nmethod = "bsvd"\n'
    for path in (out / "dataset_description.json", out / "config.toml"):
        assert str(tmp_path) not in path.read_text()


def test_only_what_is_missing_or_changed_is_done_again(stand_ins, make_dataset, tmp_path, tree):
    dataset, out = make_dataset("fine", "fine", "fine"), tmp_path / "out"

    def resumed(**options):
        (dataset / "worked.txt").unlink(missing_ok=True)
        result = run_study(dataset, out, resume=True, work=stand_ins.noted, **options)
        assert not result.failed
        worked = dataset / "worked.txt"
        return [name.removesuffix("_ctp") for name in worked.read_text().split()] if worked.exists() else []

    assert resumed() == ["sub-01", "sub-02", "sub-03"]
    before = tree(out)
    series = [dataset / f"sub-{number:02d}" / "perf" / f"sub-{number:02d}_ctp.nii.gz" for number in (1, 2, 3)]
    os.utime(series[0], (1, 1))
    assert resumed() == []
    assert tree(out) == before
    series[1].write_text("fine indeed")
    assert resumed() == ["sub-02"]
    series[2].with_name("sub-03_ctp.json").write_text('{"RepetitionTime": 1.5}')
    assert resumed() == ["sub-03"]
    assert resumed(arguments={"tables": {"aif": {"erosion": 2.0}}}) == ["sub-01", "sub-02", "sub-03"]
    # its record is lost, its results are not
    scan_folder(out, 1).with_name("sub-01_ctp.status.json").unlink()
    scan_folder(out, 1).with_name("sub-01_ctp.log").unlink()
    before = tree(out)
    assert resumed(arguments={"tables": {"aif": {"erosion": 2.0}}, "threads": 3}) == []
    assert tree(out).keys() - before.keys() == {"sub-01/perf/sub-01_ctp.log", "sub-01/perf/sub-01_ctp.status.json"}


def test_former_results_outlive_a_try_that_fails(stand_ins, make_dataset, tmp_path, tree):
    dataset, out = make_dataset("fine", "fine"), tmp_path / "out"
    run_study(dataset, out, work=stand_ins.perform)
    before = tree(scan_folder(out, 1))
    for content in ("fault", "input"):
        (dataset / "sub-01" / "perf" / "sub-01_ctp.nii.gz").write_text(content)
        run_study(dataset, out, resume=True, work=stand_ins.perform)
        assert tree(scan_folder(out, 1)) == before
        status = read_status(scan_folder(out, 1))
        assert (status["state"], status["folder_of_other_inputs"]) == ("failed", True)
        assert [scan.name for scan in finished_scans(out)] == ["sub-02_ctp"]
    (dataset / "sub-01" / "perf" / "sub-01_ctp.nii.gz").write_text("fine")
    result = run_study(dataset, out, resume=True, work=stand_ins.perform)
    assert (result.analysed, result.current) == (0, 2)
    assert len(finished_scans(out)) == 2


def test_results_are_not_written_over(stand_ins, make_dataset, tmp_path):
    dataset, out = make_dataset("fine", "fine"), tmp_path / "out"
    run_study(dataset, out, participants=["01"], work=stand_ins.perform)
    with pytest.raises(InputError, match=r"holds results.*--resume"):
        run_study(dataset, out, work=stand_ins.perform)
    result = run_study(dataset, out, resume=True, work=stand_ins.perform)
    assert (result.analysed, result.current) == (1, 1)


def test_scans_that_left_the_dataset_are_told_and_left_alone(stand_ins, make_dataset, tmp_path, tree):
    dataset, out = make_dataset("fine", "fine"), tmp_path / "out"
    run_study(dataset, out, work=stand_ins.perform)
    before = tree(out)
    (dataset / "sub-02" / "perf" / "sub-02_ctp.nii.gz").unlink()
    part = run_study(dataset, out, resume=True, participants=["01"], work=stand_ins.perform)
    whole = run_study(dataset, out, resume=True, work=stand_ins.perform)
    assert (part.gone, whole.gone) == ((), ("sub-02_ctp",))
    assert "sub-02" in (out / "left_out.txt").read_text()
    assert {name: content for name, content in tree(out).items() if name != "left_out.txt"} == before


def test_one_run_at_a_time(stand_ins, make_dataset, tmp_path):
    dataset, out = make_dataset("fine"), tmp_path / "out"
    out.mkdir()
    lock = acquire_lock(out / LOCK_NAME)
    with pytest.raises(InputError, match="another run of 'pypet batch' is at work"):
        run_study(dataset, out, work=stand_ins.perform)
    release_lock(out / LOCK_NAME, lock)
    # that of a run that was killed
    (out / LOCK_NAME).write_text("of nobody")
    assert run_study(dataset, out, work=stand_ins.perform).analysed == 1


def test_other_peoples_folders_are_refused(stand_ins, make_dataset, tmp_path, tree):
    dataset = make_dataset("fine")
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "thesis.txt").write_text("years of work")
    (tmp_path / "file").touch()
    before = tree(tmp_path)
    for out, message in (
        (theirs, "not empty.*names no PyPeT"),
        (dataset, "holds the dataset"),
        (tmp_path, "holds the dataset"),
        (tmp_path / "file", "this is a file"),
    ):
        with pytest.raises(InputError, match=message):
            run_study(dataset, out, resume=True, work=stand_ins.perform)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tables": {"deconvolution": {"method": "magic"}}, "options_file": "mine.toml"}, "mine.toml: .*magic"),
        ({"preset": "no-such"}, "no-such"),
        ({"territories": "nowhere.nii.gz"}, "nowhere.nii.gz: there is no such file"),
        ({"inputs": {"colour": "red"}}, "no colour"),
        ({"territories": __file__}, "test_study.py"),
        ({"outputs": Outputs(dicom=True)}, "--dicom needs scans in DICOM files"),
        ({"outputs": Outputs(pdf=True, report=False)}, "--pdf shows the report"),
        ({"outputs": Outputs(pdf=True, figures=False)}, "--pdf shows the report"),
    ],
)
def test_options_that_suit_no_scan_are_refused_at_once(stand_ins, make_dataset, tmp_path, arguments, message):
    dataset, out = make_dataset("fine"), tmp_path / "out"
    with pytest.raises(InputError, match=message):
        run_study(dataset, out, arguments=arguments, work=stand_ins.perform)
    assert not out.exists() or not list(out.iterdir())


@pytest.mark.parametrize(
    ("outputs", "module", "message"),
    [
        (Outputs(pdf=True), "jinja2", "jinja2 is missing"),
        (Outputs(pdf=True), "matplotlib", "matplotlib is missing"),
        (Outputs(dicom=True), "highdicom", "--dicom needs the package highdicom"),
    ],
)
def test_packages_that_no_scan_can_do_without_are_asked_for_at_once(
    stand_ins, make_dataset, tmp_path, monkeypatch, outputs, module, message
):
    dataset, out = make_dataset("fine"), tmp_path / "out"
    if outputs.dicom:
        (dataset / "sub-02" / "ctp").mkdir(parents=True)
        (dataset / "sub-02" / "ctp" / "1.dcm").write_bytes(bytes(128) + b"DICM")
    find_spec = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *rest: None if name == module else find_spec(name))
    with pytest.raises(InputError, match=message):
        run_study(dataset, out, arguments={"outputs": outputs}, work=stand_ins.perform)
    assert not out.exists()


def test_other_options_for_a_part_are_refused(stand_ins, make_dataset, tmp_path, tree):
    dataset, out = make_dataset("fine", "fine"), tmp_path / "out"
    other = {"tables": {"deconvolution": {"method": "bsvd"}}}
    # nothing else is there yet
    run_study(dataset, out, participants=["01"], work=stand_ins.perform)
    assert run_study(dataset, out, resume=True, participants=["01"], arguments=other, work=stand_ins.perform).analysed
    assert run_study(dataset, out, resume=True, work=stand_ins.perform).analysed == 2
    before = tree(out)
    with pytest.raises(InputError, match=r"sub-02_ctp are of other options .*\[deconvolution\] method.*whole dataset"):
        run_study(dataset, out, resume=True, participants=["01"], arguments=other, work=stand_ins.perform)
    assert tree(out) == before
    assert run_study(dataset, out, resume=True, participants=["01"], work=stand_ins.perform).current == 1
    assert run_study(dataset, out, resume=True, arguments=other, work=stand_ins.perform).analysed == 2


def test_what_the_dataset_has_beside_is_written(stand_ins, make_dataset, tmp_path):
    dataset, out = make_dataset("fine", "fine"), tmp_path / "out"
    copy = dataset / "sub-02" / "perf" / "sub-02_ctp_copy.nii.gz"
    copy.touch()
    for name in ("sub03", "patient 4", "Doe_Jane/study"):
        (dataset / name).mkdir(parents=True)
        (dataset / name / "Doe_Jane_0001.dcm").write_bytes(bytes(128) + b"DICM")
    told = []
    run_study(dataset, out, tell=told.append, work=stand_ins.perform)
    assert any("Doe_Jane" in line for line in told)
    written = (out / "left_out.txt").read_text()
    assert "sub-02/perf/sub-02_ctp_copy.nii.gz" in written
    assert "..., patient 4, sub03." in written
    assert not any(word in written for word in WORDS_OF_THE_PATIENT)
    # a part of the dataset does not shorten the record
    run_study(dataset, out, resume=True, participants=["01"], work=stand_ins.perform)
    assert (out / "left_out.txt").read_text() == written
    copy.unlink()
    for name in ("sub03", "patient 4", "Doe_Jane"):
        shutil.rmtree(dataset / name)
    run_study(dataset, out, resume=True, work=stand_ins.perform)
    assert not (out / "left_out.txt").exists()


def test_results_that_lost_a_file_are_made_again(stand_ins, make_dataset, tmp_path, tree):
    dataset, out = make_dataset("fine", "fine"), tmp_path / "out"
    run_study(dataset, out, work=stand_ins.perform)
    before = tree(out)
    (made,) = scan_folder(out, 1).glob("*cbf.txt")
    for harm in (made.unlink, lambda: made.write_text("cut")):
        harm()
        result = run_study(dataset, out, resume=True, work=stand_ins.perform)
        assert (result.analysed, result.current) == (1, 1)
        assert tree(out) == before
    # what somebody put there is no reason
    (scan_folder(out, 1) / "notes.txt").touch()
    assert run_study(dataset, out, resume=True, work=stand_ins.perform).current == 2
    # also where a try that failed lies between
    series = dataset / "sub-02" / "perf" / "sub-02_ctp.nii.gz"
    series.write_text("fault")
    run_study(dataset, out, resume=True, work=stand_ins.perform)
    next(scan_folder(out, 2).glob("*cbf.txt")).unlink()
    series.write_text("fine")
    assert run_study(dataset, out, resume=True, work=stand_ins.perform).analysed == 1


@pytest.mark.parametrize("content", ["{", "[]", "{}", None])
def test_a_damaged_summary_is_made_again(stand_ins, make_dataset, tmp_path, tree, content):
    dataset, out = make_dataset("fine"), tmp_path / "out"
    run_study(dataset, out, work=stand_ins.perform)
    before = tree(out)
    summary = scan_folder(out, 1) / "summary.json"
    if content is None:
        summary.unlink()
    else:
        summary.write_text(content)
    assert run_study(dataset, out, resume=True, work=stand_ins.perform).analysed == 1
    assert tree(out) == before
    # with somebody's file in it, nothing is replaced, however often one tries
    (scan_folder(out, 1) / "thesis.txt").write_text("years of work")
    summary.write_text("{")
    for _ in range(2):
        ((_, cause),) = run_study(dataset, out, resume=True, work=stand_ins.perform).failed
        assert "delete this folder" in cause
    assert (scan_folder(out, 1) / "thesis.txt").exists()


def test_a_group_of_scans_that_failed_tells_so_by_its_exit_code(stand_ins, make_dataset, tmp_path):
    dataset, out = make_dataset("input"), tmp_path / "out"
    run_study(dataset, out, work=stand_ins.perform)
    with pytest.raises(SystemExit) as end:
        main(["batch", str(dataset), str(out), "group", "--quiet"])
    assert end.value.code == 3


def test_names_of_dicom_files_are_told_and_not_written(tmp_path):
    """Export programs call files and folders after the patient."""
    dataset, out = tmp_path / "dataset", tmp_path / "out"
    for number in (1, 2, 3, 4):
        folder = dataset / f"sub-{number:02d}" / "Doe_Jane ctp"
        (folder / "Secret Clinic").mkdir(parents=True)
        for frame in range(3):
            file = folder / "Secret Clinic" / f"Doe_Jane 19560317_{frame:04d}.dcm"
            file.write_bytes(bytes(128) + b"DICM" + bytes(40))

    def work(job):
        name = "Secret Clinic/Doe_Jane 19560317_0001.dcm"
        path = job.series / name
        if job.name.startswith("sub-01"):
            raise InputError(f"{name}: the file is truncated: slice 3 at 12.00 mm, {path.name} (image 2).")
        if job.name.startswith("sub-02"):
            raise OSError(5, "Input/output error", str(path))
        if job.name.startswith("sub-03"):
            raise InputError(f"{path.parent}: the folder cannot be read. See /elsewhere/x/bad.json and {job.series}.")
        raise InputError(f"{job.series / 'Doe_Jane gone.dcm'}: there is no such file.")

    told = []
    result = run_study(dataset, out, work=work, tell=told.append)
    assert "Doe_Jane 19560317_0001.dcm: the file is truncated" in dict(result.failed)["sub-01_ctp"]
    assert any("Doe_Jane 19560317_0001.dcm: the file is truncated" in line for line in told)
    records = [path for path in out.rglob("*") if path.is_file()]
    assert len(records) >= 8
    for path in records:
        text = path.read_text()
        assert not any(word in text for word in (*WORDS_OF_THE_PATIENT, str(tmp_path), "elsewhere")), text
    causes = [read_status(scan_folder(out, number))["cause"] for number in (1, 2, 3, 4)]
    assert causes[0] == (
        "a file of the series: the file is truncated: slice 3 at 12.00 mm, a file of the series (image 2)."
    )
    assert "Input/output error: 'a file of the series'" in causes[1]
    assert causes[2] == "a file of the series: the folder cannot be read. See bad.json and the series."
    assert causes[3] == "a file of the series: there is no such file."


def test_jobs_and_scheduler_are_checked():
    for wrong in ({"jobs": 0}, {"jobs": 2, "scheduler": "tcp://10.0.0.1:8786"}, {"patience": 0.0}):
        with pytest.raises(InputError, match=r"--jobs|--wait"):
            Machine(**wrong)


def test_paths_are_those_that_any_process_finds(stand_ins, make_dataset, tmp_path, monkeypatch):
    make_dataset("fine")
    (tmp_path / "mine.toml").write_text("[aif]\nerosion = 2.0\n")
    grid = Grid((2, 2, 2), np.eye(4))
    write_volume(tmp_path / "atlas.nii.gz", np.ones((2, 2, 2), dtype=np.int16), nearest_ras(grid), dtype=np.int16)
    (tmp_path / "times.txt").touch()
    monkeypatch.chdir(tmp_path)
    jobs = []

    def work(job):
        jobs.append(job)
        monkeypatch.chdir("/")
        stand_ins.perform(job)

    arguments = {
        "preset": "mine.toml",
        "territories": Path("atlas.nii.gz"),
        "inputs": {"frame_times": Path("times.txt")},
    }
    assert run_study(Path("dataset"), Path("out"), arguments=arguments, work=work).analysed == 1
    (job,) = jobs
    assert all(path.is_absolute() for path in (*job.files, job.out, Path(job.preset)))

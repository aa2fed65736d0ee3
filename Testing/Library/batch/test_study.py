"""A study: what is recorded, what stays, what is done again, what is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from PyPeTLib.batch.folder import LOCK_NAME
from PyPeTLib.batch.records import finished_scans, read_status
from PyPeTLib.batch.study import Machine, run_study
from PyPeTLib.errors import InputError
from PyPeTLib.io.locks import acquire_lock, release_lock

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
    assert tree(out) == before


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
    ],
)
def test_options_that_suit_no_scan_are_refused_at_once(stand_ins, make_dataset, tmp_path, arguments, message):
    dataset, out = make_dataset("fine"), tmp_path / "out"
    with pytest.raises(InputError, match=message):
        run_study(dataset, out, arguments=arguments, work=stand_ins.perform)
    assert not out.exists() or not list(out.iterdir())


def test_jobs_and_scheduler_are_checked():
    for wrong in ({"jobs": 0}, {"jobs": 2, "scheduler": "tcp://10.0.0.1:8786"}, {"patience": 0.0}):
        with pytest.raises(InputError, match=r"--jobs|--wait"):
            Machine(**wrong)


def test_paths_are_those_that_any_process_finds(stand_ins, make_dataset, tmp_path, monkeypatch):
    make_dataset("fine")
    (tmp_path / "mine.toml").write_text("[aif]\nerosion = 2.0\n")
    (tmp_path / "atlas.nii.gz").touch()
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

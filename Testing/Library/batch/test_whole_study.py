"""A whole study by one command: maps, lesions and comparisons of each scan, then tables and a report of all."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from PyPeTLib.batch.group import write_group
from PyPeTLib.cli import main
from PyPeTLib.errors import InputError
from PyPeTLib.io import read_volume
from PyPeTLib.phantom.study import write_study

BROKEN = {"truncated": "truncated", "no-frame-times": "frame times", "few-frames": "frames are too few"}
"""The damages of the made study, and what the cause must say."""


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "dataset"
    write_study(folder, scans=24, size="small")
    return folder


@pytest.fixture(scope="module")
def study(dataset, tmp_path_factory):
    """The made study of 24 scans, analysed by one command: ``(dataset, out, exit code, what was told)``."""
    out = tmp_path_factory.mktemp("results") / "out"
    with pytest.MonkeyPatch.context() as patch:

        def run(tasks, work, given_up, *, jobs):
            yield from ((task, work(task)) for task in tasks)

        patch.setattr("PyPeTLib.batch.study.run_locally", run)
        with pytest.raises(SystemExit) as end:
            main(["batch", str(dataset), str(out), "--no-figures", "--jobs", "1", "--quiet"])
    return dataset, out, end.value.code


def truth(dataset):
    """What each scan of the dataset is, by its name."""
    lines = (dataset / "truth.tsv").read_text(encoding="utf-8").splitlines()
    heads, *rows = (line.split("\t") for line in lines)
    facts = (dict(zip(heads, row, strict=True)) for row in rows)
    return {Path(fact["series"]).name.removesuffix(".nii.gz"): fact for fact in facts}


@pytest.mark.accuracy
def test_every_scan_is_done_or_named_with_its_cause(study):
    dataset, out, code = study
    facts = truth(dataset)
    rows = {row["scan"]: row for row in rows_of(out / "group" / "scans.csv")}
    assert code == 3
    assert set(rows) == set(facts)
    assert len(rows) == 24
    damaged = {name: fact["damage"] for name, fact in facts.items() if fact["damage"] not in ("", "n/a", "none")}
    assert sorted(damaged.values()) == sorted(BROKEN)
    for name, row in rows.items():
        assert row["state"] == ("failed" if name in damaged else "done"), row
        if name in damaged:
            assert BROKEN[damaged[name]] in row["cause"]


@pytest.mark.accuracy
def test_lesions_of_the_group_are_those_of_the_scans_and_of_the_truth(study):
    dataset, out, _ = study
    facts = truth(dataset)
    found, true = [], []
    for row in rows_of(out / "group" / "scans.csv"):
        if row["state"] != "done":
            continue
        folder = next(out.glob(f"sub-*/**/{row['scan']}"))
        prefix = row["scan"].rpartition("_")[0]
        volume = read_volume(folder / f"{prefix}_lesions.nii.gz")
        late = np.count_nonzero(volume.data) * volume.grid.voxel_volume / 1000
        assert late == pytest.approx(float(row["hypoperfused_ml"]), abs=1e-3)
        found.append(late)
        true.append(float(facts[row["scan"]]["hypoperfused_ml"]))
    found, true = np.array(found), np.array(true)
    assert (found[true == 0] <= 1.5).all()
    assert np.median(found[true > 0] / true[true > 0]) == pytest.approx(0.9, abs=0.15)


@pytest.mark.accuracy
def test_statistics_are_of_the_scans_that_have_references(study):
    _, out, _ = study
    group = out / "group"
    rows = rows_of(group / "comparison_by_scan.csv")
    compared = {row["scan"] for row in rows if row["map"] == "CBF" and row["normalisation"] == "relative"}
    done = {row["scan"] for row in rows_of(group / "scans.csv") if row["state"] == "done"}
    assert len(done - compared) == 2
    assert len(compared) == 19
    values = [float(row["ncc"]) for row in rows if row["map"] == "CBF" and row["normalisation"] == "relative"]
    summary = rows_of(group / "original_layout.csv")
    counts = {row["Count"] for row in summary if row["Map_Type"] == "cbf"}
    assert counts == {"19"}
    (of_cbf,) = (row for row in summary if row["Map_Type"] == "cbf" and row["Similarity_Metric"] == "ncc")
    assert float(of_cbf["Mean"]) == pytest.approx(np.mean(values), rel=1e-6)
    assert float(of_cbf["Std"]) == pytest.approx(np.std(values), rel=1e-6)
    book = openpyxl.load_workbook(group / "group.xlsx")
    assert {"scans", "comparison_summary", "original_layout", "lesion_agreement"} <= set(book.sheetnames)
    assert book["scans"].max_row == 25
    page = (group / "index.html").read_text(encoding="utf-8")
    assert all(name in page for name in done)


@pytest.mark.accuracy
def test_a_group_leaves_out_who_left_the_dataset_and_what_is_not_finished(study, tmp_path):
    dataset, out, _ = study
    smaller, copy = tmp_path / "dataset", tmp_path / "out"
    shutil.copytree(dataset, smaller)
    shutil.copytree(out, copy)
    gone = sorted(path.name for path in smaller.glob("sub-*"))[0]
    shutil.rmtree(smaller / gone)
    unfinished = next(path for path in sorted(copy.glob("sub-*/**/*.status.json")) if gone not in path.name)
    name = unfinished.name.removesuffix(".status.json")
    unfinished.unlink()
    told = []
    found = write_group(copy, smaller, tell=told.append)
    rows = {row["scan"]: row for row in rows_of(copy / "group" / "scans.csv")}
    assert gone in " ".join(told)
    assert not any(scan.startswith(gone) for scan in rows)
    assert rows[name]["state"] == "skipped"
    assert "--resume" in rows[name]["cause"]
    assert found.skipped == 1
    for table in copy.glob("group/*.csv"):
        assert gone not in table.read_text(encoding="utf-8")
    assert gone not in json.dumps(json.loads((copy / "group" / "summary.json").read_text(encoding="utf-8")))


@pytest.mark.accuracy
def test_a_group_warns_of_scans_that_do_not_belong_together(study, tmp_path):
    dataset, out, _ = study
    calm = []
    write_group(out, dataset, tell=calm.append)
    assert calm == []
    copy = tmp_path / "out"
    shutil.copytree(out, copy)
    (copy / "left_out.txt").write_text("sub99: this is no scan\n", encoding="utf-8")
    first, second, *_ = sorted(copy.glob("sub-*/**/*_ctp.status.json"))
    config = first.with_name(first.name.removesuffix(".status.json")) / "config.toml"
    config.write_text(config.read_text(encoding="utf-8").replace('method = "osvd"', 'method = "bsvd"'))
    same = json.loads(first.read_text(encoding="utf-8"))["inputs"]["series"]
    other = json.loads(second.read_text(encoding="utf-8"))
    second.write_text(json.dumps(other | {"inputs": other["inputs"] | {"series": same}}), encoding="utf-8")
    told = []
    write_group(copy, dataset, tell=told.append)
    assert len(told) == 3
    page = (copy / "group" / "index.html").read_text(encoding="utf-8")
    for words in ("different options", "one and the same series", "sub99: this is no scan"):
        assert sum(words in line for line in told) == 1
        assert words in page


def test_a_group_needs_results(tmp_path):
    with pytest.raises(InputError, match="no folder of results"):
        write_group(tmp_path)

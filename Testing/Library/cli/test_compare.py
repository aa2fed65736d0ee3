"""``pypet compare``: two maps, two folders, an output of a batch with a dataset, and two outputs."""

import csv
import json

import numpy as np
import openpyxl
import pytest

from PyPeTLib.cli import main
from PyPeTLib.compare import METRICS
from PyPeTLib.geometry import Grid, nearest_ras
from PyPeTLib.io import write_volume

GRID = Grid((40, 48, 5), np.diag([-4.0, 4.0, 8.0, 1.0]) + np.eye(4, k=3) * 10)


def head(seed=0):
    """Values with detail inside an ellipse, and the ellipse."""
    x, y, _ = np.meshgrid(*(np.linspace(-1, 1, n) for n in GRID.shape), indexing="ij")
    brain = x**2 / 0.7 + y**2 / 0.8 < 1
    random = np.random.default_rng(seed)
    return np.where(brain, random.gamma(4, 10, GRID.shape), 0).astype(np.float32), brain


def write(path, values, **sidecar):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_volume(path, np.asarray(values, np.float32), nearest_ras(GRID))
    if sidecar:
        path.with_name(path.name.replace(".nii.gz", ".json")).write_text(json.dumps(sidecar), encoding="utf-8")
    return path


def result(folder, quality, *, prefix="", seed=0, scan=None):
    """A folder as a run writes it: maps that are so much like those of `head`."""
    values, brain = head(seed)
    noise = np.random.default_rng(9).gamma(4, 10, GRID.shape)
    for name, unit in (("cbf", "ml/100g/min"), ("tmax", "s")):
        made = np.where(brain, quality * values + (1 - quality) * noise, 0)
        write(folder / f"{prefix}{name}.nii.gz", made, Units=unit, Calibrated=True, ValidMask="valid_mask.nii.gz")
    write_volume(folder / f"{prefix}valid_mask.nii.gz", brain, nearest_ras(GRID), dtype=np.uint8)
    summary = {"software": "PyPeT", "maps": {"cbf": {}, "tmax": {}}, "input": {"modality": "ctp"}, **(scan or {})}
    (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    return folder


def table(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def pair(tmp_path):
    folder = result(tmp_path / "maps", 0.9)
    values, _ = head()
    write(tmp_path / "reference" / "rapid_cbf.nii.gz", 1.05 * values)
    write(tmp_path / "reference" / "rapid_tmax.nii.gz", values, Units="s")
    return folder, tmp_path / "reference"


def test_two_maps_are_compared_by_their_names(pair, tmp_path, capsys) -> None:
    maps, references = pair
    files = [str(maps / "cbf.nii.gz"), str(references / "rapid_cbf.nii.gz")]
    assert main(["compare", *files]) == 0
    relative = capsys.readouterr().out
    assert all(entry.item.title in relative for entry in METRICS.entries())
    assert "CBF relative" in relative
    assert "CBF absolute" not in relative
    out = tmp_path / "out"
    assert main(["compare", *files, "--reference-unit", "ml/100ml/min", "--out", str(out), "--no-figures"]) == 0
    assert "converted from ml/100ml/min" in capsys.readouterr().out
    facts = json.loads((out / "comparison.json").read_text(encoding="utf-8"))
    assert [entry["normalisation"] for entry in facts["references"]] == ["relative", "absolute"]
    assert (facts["generated"], facts["reference"]) == ("cbf.nii.gz", "rapid_cbf.nii.gz")
    assert float(table(out / "comparison.csv")[1]["ncc"]) > 0.95
    assert main(["compare", *files, "--out", str(out), "--no-figures"]) == 2
    assert main(["compare", *files, "--out", str(out), "--no-figures", "--overwrite"]) == 0


def test_folders_are_compared_map_by_map_with_pictures(pair, tmp_path, capsys) -> None:
    maps, references = pair
    write(references / "notes_ttp.nii.gz", head()[0])
    assert main(["compare", str(maps), str(references), "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "notes_ttp.nii.gz has no generated map" in printed
    assert "Tmax absolute" in printed
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"cbf.png", "cbf_agreement.png", "tmax.png", "comparison.csv", "comparison.json", "summary.json"} <= names


def test_a_mask_and_one_normalisation(pair, tmp_path, capsys) -> None:
    maps, references = pair
    values, brain = head()
    half = brain & (np.arange(GRID.shape[1])[:, None] < 24)
    mask = write(tmp_path / "half.nii.gz", half)
    files = [str(maps / "tmax.nii.gz"), str(references / "rapid_tmax.nii.gz")]
    assert main(["compare", *files, "--mask", str(mask), "--normalisation", "absolute", "--background", "zero"]) == 0
    printed = capsys.readouterr().out
    assert str(int((half & (values != 0)).sum())) in printed
    assert "relative" not in printed


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["maps/cbf.nii.gz", "reference/rapid_tmax.nii.gz"], "The names say cbf and tmax"),
        (["maps/cbf.nii.gz", "reference"], "one is a file and the other a folder"),
        (["maps/none.nii.gz", "reference"], "there is no such file"),
        (["maps", "reference", "--unit", "s"], "there are several maps"),
        (["maps", "reference", "--unit", "abc=s"], "abc is no map that is known"),
        (["maps/cbf.nii.gz", "reference/rapid_cbf.nii.gz", "--reference-unit", "miles"], "miles"),
        (["maps/cbf.nii.gz", "reference/rapid_cbf.nii.gz", "--quantity", "abc"], "known are cbf"),
        (["maps/cbf.nii.gz", "reference/rapid_cbf.nii.gz", "--normalisation", "abc"], "abc"),
        (["maps/cbf.nii.gz", "reference/rapid_cbf.nii.gz", "--out", "maps", "--overwrite"], "lies inside the output"),
        (["maps/cbf.nii.gz", "elsewhere/cbf.nii.gz"], "allow the mismatch (--allow-mismatch)"),
        (["maps", "dataset"], "dataset is a dataset of many scans, and maps is no output of 'pypet batch'"),
        (["dataset", "maps"], "First comes what PyPeT made"),
        (["dataset", "results"], "pypet compare results dataset --out DIR"),
        (["maps", "nothing"], "nothing: no file in this folder is a map by its name. Name the files"),
    ],
)
def test_bad_use_is_told(pair, tmp_path, monkeypatch, capsys, arguments, told) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "elsewhere" / "cbf.nii.gz", head(5)[0])
    write(tmp_path / "dataset" / "sub-01" / "perfusion-maps" / "sub-01_cbf.nii.gz", head()[0])
    result(tmp_path / "results" / "sub-01" / "perf" / "sub-01_ctp", 0.9, prefix="sub-01_")
    (tmp_path / "nothing").mkdir()
    assert main(["compare", *arguments]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_if_one_reference_is_of_another_head_none_is_compared(pair, tmp_path, capsys) -> None:
    maps, references = pair
    write(references / "rapid_cbf.nii.gz", head()[0][::-1])
    folders = [str(maps), str(references)]
    assert main(["compare", *folders, "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert "tmax: Left out: the reference CBF does not show this head" in told
    assert not (tmp_path / "out").exists()
    assert main(["compare", *folders, "--allow-mismatch"]) == 0
    lines = capsys.readouterr().out.splitlines()
    # above the figures
    assert lines[0].startswith("WARNING: CBF: ")
    assert "do not seem to show one head" in lines[0]
    assert [line for line in lines if "Pearson" in line]
    assert sum("were compared." in line for line in lines) == 2


def references_of(values):
    metrics = dict.fromkeys(METRICS, 0.5) | {"ncc": values[0], "ssim_brain": values[1]}
    entry = {"quantity": "cbf", "unit": "1", "normalisation": "relative", "metrics": metrics, "voxels": 9}
    return {"references": [{**entry, "volume_ml": 1.0, "notes": []}], "failed": [], "lesions": None}


def test_two_outputs_of_a_batch_are_tested_in_pairs(tmp_path, capsys) -> None:
    for run, gain in (("osvd", 0.0), ("tikhonov", 0.05)):
        for i in range(5):
            scan = {"name": f"sub-{i:02d}_ctp", "subject": f"{i:02d}"}
            facts = references_of((0.6 + 0.02 * i + gain * (1 + 0.02 * i), 0.5))
            folder = tmp_path / run / f"sub-{i:02d}" / "perf" / f"sub-{i:02d}_ctp"
            folder.mkdir(parents=True)
            summary = {"software": "PyPeT", "maps": {}, "scan": scan, "comparison": facts}
            (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    runs = [str(tmp_path / "osvd"), str(tmp_path / "tikhonov")]
    out = tmp_path / "tests"
    assert main(["compare", *runs, "--out", str(out)]) == 0
    assert "Mean of tikhonov − osvd" in capsys.readouterr().out
    rows = {row["metric"]: row for row in table(out / "paired_tests.csv")}
    assert float(rows["ncc"]["difference"]) == pytest.approx(0.052)
    assert float(rows["ncc"]["p_wilcoxon"]) == pytest.approx(2 / 2**5)
    book = openpyxl.load_workbook(out / "comparison.xlsx")
    assert book.sheetnames == ["Read me", "paired_tests", "paired_values"]
    assert main(["compare", runs[0], runs[0]]) == 0
    empty = tmp_path / "empty" / "sub-01" / "perf"
    result(empty, 0.9)
    assert main(["compare", runs[0], str(tmp_path / "empty")]) == 2
    assert "no scan of this output was compared" in capsys.readouterr().err


def test_a_dataset_against_an_output_of_a_batch(tmp_path, capsys) -> None:
    dataset, output = tmp_path / "dataset", tmp_path / "results"
    for i in (1, 2, 3):
        values, _ = head(i)
        session = dataset / f"sub-{i:02d}" / "ses-01"
        name = f"sub-{i:02d}_ses-01"
        session.mkdir(parents=True)
        write_volume(
            session / f"{name}_ctp.nii.gz", np.zeros((4, 4, 2, 5), np.float32), nearest_ras(Grid((4, 4, 2), np.eye(4)))
        )
        for quantity in ("cbf", "mtt"):
            write(session / "perfusion-maps" / f"{name}_{quantity}.nii.gz", values)
        if i < 3:
            result(output / f"sub-{i:02d}/ses-01/perf/{name}_ctp", 0.9, prefix=f"{name}_", seed=i)
    out = tmp_path / "out"
    arguments = ["compare", str(output), str(dataset)]
    assert main(arguments) == 2
    assert "--out DIR" in capsys.readouterr().err
    assert main([*arguments, "--out", str(out), "--no-figures"]) == 0
    printed = capsys.readouterr().out
    assert f"sub-03_ses-01_ctp: {output} holds no result of it" in printed
    assert "Lesions are not compared here" in printed
    assert "DATASET OUT participant group" in printed
    rows = table(out / "comparison_by_scan.csv")
    assert [(row["scan"], row["map"]) for row in rows] == [("sub-01_ses-01_ctp", "CBF"), ("sub-02_ses-01_ctp", "CBF")]
    assert all(float(row["ncc"]) > 0.9 for row in rows)
    assert {row["modality"] for row in rows} == {"ctp"}
    assert {row["map"] for row in table(out / "comparison_failures.csv")} == {"MTT"}
    assert (out / "sub-01/ses-01/perf/sub-01_ses-01_ctp/comparison.csv").is_file()
    assert "original_layout" in openpyxl.load_workbook(out / "comparison.xlsx").sheetnames
    for i in (1, 2):  # mirrored
        name = f"sub-{i:02d}_ses-01_cbf.nii.gz"
        write(dataset / f"sub-{i:02d}" / "ses-01" / "perfusion-maps" / name, head(i)[0][::-1])
    assert main([*arguments, "--out", str(out), "--no-figures", "--overwrite"]) == 0
    printed = capsys.readouterr().out
    assert "the reference sub-01_ses-01_cbf.nii.gz and the generated" in printed
    assert "WARNING: no map of any scan was compared" in printed
    assert not (out / "comparison_by_scan.csv").exists()

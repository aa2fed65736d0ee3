"""`pypet run` on files: what it writes, that it repeats itself, and how it ends when the user stops it."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from PyPeTLib.cli import main
from PyPeTLib.maps import QUANTITIES

MAPS = ("cbf", "cbv", "mtt", "ttp", "tmax")
FIXED = {
    "brain_mask.nii.gz",
    "aif_mask.nii.gz",
    "valid_mask.nii.gz",
    "tissue.nii.gz",
    "tissue.json",
    "lesions.nii.gz",
    "lesions.json",
    "report.html",
    "aif.csv",
    "motion.tsv",
    "config.toml",
    "summary.json",
}
FILES = FIXED | {f"{name}{end}" for name in MAPS for end in (".nii.gz", ".json")}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("modality", ["ctp", "dsc"])
def test_writes_every_file_on_the_grid_of_the_input(
    modality: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    series = request.getfixturevalue(f"{modality}_file")
    out = tmp_path / "maps"
    assert main(["run", str(series), str(out), "--quiet"]) == 0
    assert set(contents(out)) >= FILES
    source = nib.load(series)
    for name in MAPS:
        image = nib.load(out / f"{name}.nii.gz")
        assert image.shape == source.shape[:3]
        np.testing.assert_allclose(image.affine, source.affine, atol=1e-5)
        sidecar = json.loads((out / f"{name}.json").read_text(encoding="utf-8"))
        assert sidecar["Units"] == QUANTITIES[name].unit
        assert len(sidecar["InputSHA256"]) == 64
        values = np.asarray(image.dataobj)
        outside = ~np.asarray(nib.load(out / "brain_mask.nii.gz").dataobj).astype(bool)
        assert np.isfinite(values).all()
        assert not values[outside].any()
    assert json.loads((out / "cbf.json").read_text(encoding="utf-8"))["Calibrated"] is (modality == "ctp")
    labels = np.asarray(nib.load(out / "tissue.nii.gz").dataobj)
    told = json.loads((out / "tissue.json").read_text(encoding="utf-8"))["Labels"]
    np.testing.assert_array_equal(labels > 0, ~outside)
    voxel = np.prod(source.header.get_zooms()[:3]) / 1000
    assert {fact["Name"] for fact in told.values() if fact["Volume_ml"]} == {"Tissue", "CSF", "Large vessels", "Other"}
    for label, fact in told.items():
        assert fact["Volume_ml"] == pytest.approx((labels == int(label)).sum() * voxel, abs=0.01)
    figures = {path.name for path in (out / "figures").iterdir()}
    assert {f"{name}.png" for name in (*MAPS, "mask", "bolus", "aif", "motion", "summary")} <= figures


def test_same_bytes_with_any_number_of_threads_and_from_its_own_config(ctp_file: Path, tmp_path: Path) -> None:
    first, second, again = tmp_path / "first", tmp_path / "second", tmp_path / "again"
    assert main(["run", str(ctp_file), str(first), "--quiet", "--threads", "1", "--method", "bcSVD1"]) == 0
    assert main(["run", str(ctp_file), str(second), "--quiet", "--threads", "3", "--method", "bcSVD1"]) == 0
    assert contents(first) == contents(second)
    assert main(["run", str(ctp_file), str(again), "--quiet", "--config", str(first / "config.toml")]) == 0
    # Given frame times are a source of their own in the summary and the report; all else is the same.
    differing = {name for name, bytes_ in contents(first).items() if contents(again)[name] != bytes_}
    assert differing <= {"summary.json", "report.html"}


def test_aif_as_mask_and_as_curve_win_over_the_automatic_one(ctp_file: Path, tmp_path: Path) -> None:
    auto, mask, curve = tmp_path / "auto", tmp_path / "mask", tmp_path / "curve"
    assert main(["run", str(ctp_file), str(auto), "--quiet", "--no-figures"]) == 0
    assert (
        main(["run", str(ctp_file), str(mask), "--quiet", "--no-figures", "--aif", str(auto / "aif_mask.nii.gz")]) == 0
    )
    lines = (auto / "aif.csv").read_text(encoding="utf-8").splitlines()
    given = tmp_path / "given.csv"
    given.write_text(
        "time_s,value\n" + "".join(",".join(line.split(",")[:2]) + "\n" for line in lines[1:]), encoding="utf-8"
    )
    assert main(["run", str(ctp_file), str(curve), "--quiet", "--no-figures", "--aif", str(given)]) == 0
    expected = np.asarray(nib.load(auto / "cbf.nii.gz").dataobj)
    for folder, source in ((mask, "mask"), (curve, "curve")):
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        assert summary["aif"]["source"] == source
        np.testing.assert_allclose(np.asarray(nib.load(folder / "cbf.nii.gz").dataobj), expected, rtol=2e-4, atol=1e-3)


def test_relative_maps_come_beside_the_absolute_ones(ctp_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "maps"
    assert main(["run", str(ctp_file), str(out), "--quiet", "--no-figures", "--relative"]) == 0
    valid = np.asarray(nib.load(out / "valid_mask.nii.gz").dataobj).astype(bool)
    absolute = np.asarray(nib.load(out / "cbv.nii.gz").dataobj)
    relative = np.asarray(nib.load(out / "cbv_relative.nii.gz").dataobj)
    sidecar = json.loads((out / "cbv_relative.json").read_text(encoding="utf-8"))
    mean = sidecar["RelativeToMean"]
    assert sidecar["Units"] == "1"
    np.testing.assert_allclose(relative[valid], absolute[valid] / mean - 1, atol=1e-4)


def test_stages_are_saved_for_review(dsc_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "maps"
    assert main(["run", str(dsc_file), str(out), "--quiet", "--no-figures", "--save-stages"]) == 0
    shape = nib.load(dsc_file).shape
    assert nib.load(out / "stages/preprocessed.nii.gz").shape == shape
    assert nib.load(out / "stages/concentration.nii.gz").shape == shape
    assert nib.load(out / "stages/baseline.nii.gz").shape == shape[:3]
    lowest = np.asarray(nib.load(out / "stages/temporal_projection.nii.gz").dataobj)
    np.testing.assert_allclose(lowest, np.asarray(nib.load(out / "stages/preprocessed.nii.gz").dataobj).min(axis=3))


def test_white_matter_gives_dsc_a_scale(dsc_file: Path, tmp_path: Path) -> None:
    white = dsc_file.parent / "truth/white_mask.nii.gz"
    out = tmp_path / "maps"
    arguments = ["run", str(dsc_file), str(out), "--quiet", "--no-figures"]
    assert main([*arguments, "--white-matter-mask", str(white), "--white-matter-cbf", "22"]) == 0
    cbf = np.asarray(nib.load(out / "cbf.nii.gz").dataobj)
    inside = np.asarray(nib.load(white).dataobj).astype(bool) & (cbf != 0)
    assert cbf[inside].mean() == pytest.approx(22, rel=1e-3)
    assert json.loads((out / "cbf.json").read_text(encoding="utf-8"))["Calibrated"] is True


def test_interrupted_run_leaves_nothing(ctp_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "maps"
    command = [sys.executable, "-m", "PyPeTLib", "run", str(ctp_file), str(out)]
    for delay in (0.8, 1.6, 2.2):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        if process.returncode == 0:  # it was quicker than the signal
            assert out.is_dir()
            break
        assert process.returncode in (130, -signal.SIGINT), errors
        left = [path.name for path in tmp_path.iterdir()]
        # stopped after the folder had taken its place, it is whole
        assert left == [] or (left == ["maps"] and (out / "summary.json").exists())


def test_downsampled_run_returns_to_the_grid_of_the_input(ctp_file: Path, tmp_path: Path) -> None:
    config = tmp_path / "half.toml"
    config.write_text("[resample]\nmax_in_plane = 50\n", encoding="utf-8")
    full, half = tmp_path / "full", tmp_path / "half"
    assert main(["run", str(ctp_file), str(full), "--quiet", "--no-figures"]) == 0
    # larger voxels dilute the artery, so both runs get the same curve
    rows = [line.split(",") for line in (full / "aif.csv").read_text(encoding="utf-8").splitlines()]
    aif = tmp_path / "aif.csv"
    aif.write_text("time_s,value\n" + "".join(f"{row[0]},{row[1]}\n" for row in rows[1:]), encoding="utf-8")
    arguments = ["--quiet", "--no-figures", "--config", str(config), "--aif", str(aif)]
    assert main(["run", str(ctp_file), str(half), *arguments]) == 0
    one, other = (nib.load(folder / "cbv.nii.gz") for folder in (full, half))
    np.testing.assert_allclose(one.affine, other.affine)
    brains = [np.asarray(nib.load(folder / "brain_mask.nii.gz").dataobj).astype(bool) for folder in (full, half)]
    overlap = 2 * (brains[0] & brains[1]).sum() / (brains[0].sum() + brains[1].sum())
    assert overlap > 0.95
    both = brains[0] & brains[1]
    means = [np.asarray(image.dataobj)[both].mean() for image in (one, other)]
    assert means[1] == pytest.approx(means[0], rel=0.15)


def test_vein_and_standard_bolus_are_written_and_repeat_from_their_config(ctp_file: Path, tmp_path: Path) -> None:
    first, again, marked = tmp_path / "first", tmp_path / "again", tmp_path / "marked"
    assert main(["run", str(ctp_file), str(first), "--quiet", "--no-figures", "--aif", "population"]) == 0
    summary = json.loads((first / "summary.json").read_text(encoding="utf-8"))
    assert summary["aif"]["source"] == "population"
    assert summary["vof"]["source"] == "automatic"
    assert "population-aif" in {flag["code"] for flag in summary["flags"]}
    assert (first / "aif.csv").read_text(encoding="utf-8").startswith("time_s,measured,fitted,vof\n")
    vein = first / "vof_mask.nii.gz"
    assert np.asarray(nib.load(vein).dataobj).any()
    assert not np.asarray(nib.load(first / "aif_mask.nii.gz").dataobj).any()
    assert (
        main(["run", str(ctp_file), str(again), "--quiet", "--no-figures", "--config", str(first / "config.toml")]) == 0
    )
    assert (again / "cbf.nii.gz").read_bytes() == (first / "cbf.nii.gz").read_bytes()
    assert main(["run", str(ctp_file), str(marked), "--quiet", "--no-figures", "--vof", str(vein)]) == 0
    summary = json.loads((marked / "summary.json").read_text(encoding="utf-8"))
    assert summary["vof"]["source"] == "mask"
    assert summary["aif"]["vein_to_artery_area"] > 0.8
    assert summary["aif"]["quality"]["before_tissue_arrival_s"] > 0


def test_both_sides_are_written(ctp_file: Path, tmp_path: Path) -> None:
    config, out = tmp_path / "sides.toml", tmp_path / "maps"
    config.write_text('[aif]\nsides = "each"\nrule = "mouridsen"\n', encoding="utf-8")
    assert main(["run", str(ctp_file), str(out), "--quiet", "--no-figures", "--config", str(config)]) == 0
    header = (out / "aif.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header == "time_s,measured,fitted,vof,left,right"
    aif = json.loads((out / "summary.json").read_text(encoding="utf-8"))["aif"]
    assert (aif["rule"], aif["sides"], aif["borrowed"]) == ("mouridsen", "each", None)
    voxels = np.asarray(nib.load(out / "aif_mask.nii.gz").dataobj).sum()
    assert voxels == aif["left"]["voxels"] + aif["right"]["voxels"]

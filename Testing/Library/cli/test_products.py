"""What `pypet run` makes of the maps, lesions and territories, and what it refuses before any work is done."""

import csv
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from PyPeTLib.cli import main


def summary_of(folder: Path) -> dict:
    return json.loads((folder / "summary.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def products(ctp_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with thresholds of its own, and the halves of the image as territories, beside a reference."""
    folder = tmp_path_factory.mktemp("products")
    source = nib.load(ctp_file)
    halves = np.zeros(source.shape[:3], np.int16)
    # RAS+: the first axis runs to the right
    halves[: source.shape[0] // 2], halves[source.shape[0] // 2 :] = 1, 2
    if source.affine[0, 0] < 0:
        halves = 3 - halves
    nib.save(nib.Nifti1Image(halves, source.affine), folder / "halves.nii.gz")
    (folder / "names.json").write_text(json.dumps({"1": "Half left", "2": "Half right"}))
    arguments = [str(ctp_file), str(folder / "maps"), "--quiet", "--no-figures", "--lesions", "defuse-3"]
    labels = ["--territories", str(folder / "halves.nii.gz"), "--territory-names", str(folder / "names.json")]
    assert main(["run", *arguments, *labels]) == 0
    return folder / "maps"


def test_lesions_in_the_summary_are_those_of_the_labelmap(products: Path) -> None:
    lesions = summary_of(products)["lesions"]
    image = nib.load(products / "lesions.nii.gz")
    labels = np.asarray(image.dataobj)
    voxel = abs(np.linalg.det(image.affine[:3, :3])) / 1000
    assert lesions["preset"] == "defuse-3"
    assert lesions["target_mismatch"] is not None
    assert lesions["hypoperfused_ml"] > 5
    assert lesions["core_ml"] == pytest.approx((labels == 2).sum() * voxel)
    assert lesions["hypoperfused_ml"] == pytest.approx((labels > 0).sum() * voxel)
    assert lesions["mismatch_ml"] == pytest.approx((labels == 1).sum() * voxel)


def test_territories_are_those_of_the_maps(products: Path) -> None:
    with (products / "territories.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["map"].casefold() == "tmax"]
    tmax = np.asarray(nib.load(products / "tmax.nii.gz").dataobj)
    valid = np.asarray(nib.load(products / "valid_mask.nii.gz").dataobj).astype(bool)
    # neither CSF nor large vessels
    valid &= np.isin(np.asarray(nib.load(products / "tissue.nii.gz").dataobj), (1, 5, 6))
    halves = np.asarray(nib.load(products.parent / "halves.nii.gz").dataobj)
    means = {row["name"]: float(row["mean"]) for row in rows}
    assert means["Half left"] == pytest.approx(tmax[valid & (halves == 1)].mean(), rel=1e-5)
    assert means["Half right"] == pytest.approx(tmax[valid & (halves == 2)].mean(), rel=1e-5)
    assert {row["map"] for row in summary_of(products)["territories"]} >= {rows[0]["map"]}


def test_thresholds_of_the_delay_bring_its_map(ctp_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "maps"
    assert main(["run", str(ctp_file), str(out), "--quiet", "--no-figures", "--lesions", "mistar"]) == 0
    assert (out / "delay.nii.gz").is_file()
    lesions = summary_of(out)["lesions"]
    assert lesions["available"]
    assert lesions["hypoperfused_ml"] > 5


def test_thresholds_are_repeated_by_the_config_of_a_run(products: Path, ctp_file: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "again", tmp_path / "other"
    config = ["--config", str(products / "config.toml"), "--quiet", "--no-figures"]
    assert main(["run", str(ctp_file), str(again), *config]) == 0
    assert (again / "lesions.nii.gz").read_bytes() == (products / "lesions.nii.gz").read_bytes()
    assert summary_of(again)["lesions"] == summary_of(products)["lesions"]
    # another name takes its own thresholds, not those that the file lists
    assert main(["run", str(ctp_file), str(other), *config, "--lesions", "syngo"]) == 0
    assert summary_of(other)["lesions"]["options"]["core_map"] == "cbv"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--lesions", "rapyd"], "rapid"),
        (["--pdf", "--no-report"], "--no-report"),
        (["--pdf", "--no-figures"], "--no-figures"),
        (["--dicom"], "DICOM"),
        (["--territories", "nowhere.nii.gz"], "nowhere.nii.gz"),
        (["--series", "3"], "DICOM"),
    ],
)
def test_what_could_not_be_made_is_refused_and_nothing_is_left(
    options: list[str], message: str, ctp_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(ctp_file), str(tmp_path / "maps"), "--quiet", *options]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []

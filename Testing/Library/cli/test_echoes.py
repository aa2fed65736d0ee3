"""`pypet run` with two echoes and slice times: what it records repeats the run."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from PyPeTLib.cli import main
from PyPeTLib.io import read_toml


@pytest.fixture(scope="module")
def echoes(dsc_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The head at half its echo time, and as it was."""
    folder = tmp_path_factory.mktemp("echoes")
    image = nib.load(dsc_file)
    data = np.asarray(image.dataobj).astype(np.float32)
    base = np.maximum(data[..., :5].mean(axis=3, keepdims=True), 1)
    paths = []
    for name, share, echo_time in (("first", 0.5, 0.015), ("second", 1.0, 0.03)):
        paths.append(folder / f"{name}_dsc.nii.gz")
        nib.save(nib.Nifti1Image(base * np.maximum(data / base, 0) ** share, image.affine, image.header), paths[-1])
        facts = {**json.loads(dsc_file.with_name("small_dsc.json").read_text(encoding="utf-8")), "EchoTime": echo_time}
        paths[-1].with_name(f"{name}_dsc.json").write_text(json.dumps(facts), encoding="utf-8")
    return paths[0], paths[1]


def test_two_echoes_and_slice_times_are_recorded_and_repeat(echoes: tuple[Path, Path], tmp_path: Path) -> None:
    first, second = echoes
    listed = tmp_path / "slices.txt"
    listed.write_text("\n".join(f"{0.1 * k:.1f}" for k in range(10)), encoding="utf-8")
    out, again = tmp_path / "out", tmp_path / "again"
    quiet = ["--quiet", "--no-figures"]
    extra = ["--second-echo", str(second), "--slice-times", str(listed)]
    assert main(["run", str(first), str(out), *quiet, *extra]) == 0
    kept = read_toml(out / "config.toml")["input"]
    assert kept["second_echo"] == str(second.resolve())
    assert (kept["echo_time"], kept["second_echo_time"]) == (0.015, 0.03)
    np.testing.assert_allclose(kept["slice_times"], 0.1 * np.arange(10))
    sources = json.loads((out / "summary.json").read_text(encoding="utf-8"))["input"]["sources"]
    assert "second_dsc.nii.gz" in sources["second_echo"]
    assert sources["slice_times"] == "--slice-times slices.txt"
    assert main(["run", str(first), str(again), *quiet, "--config", str(out / "config.toml")]) == 0
    for name in ("cbf", "cbv", "mtt", "tmax"):
        one, two = ((folder / f"{name}.nii.gz").read_bytes() for folder in (out, again))
        assert one == two


def test_two_echoes_of_one_rate_give_the_maps_of_one(echoes: tuple[Path, Path], tmp_path: Path) -> None:
    quiet = ["--quiet", "--no-figures", "--no-motion", "--smoothing-mm", "0"]
    first, second = echoes
    assert main(["run", str(second), str(tmp_path / "one"), *quiet]) == 0
    assert main(["run", str(first), str(tmp_path / "two"), *quiet, "--second-echo", str(second)]) == 0
    one, two = (np.asarray(nib.load(tmp_path / name / "tmax.nii.gz").dataobj) for name in ("one", "two"))
    valid = [
        np.asarray(nib.load(tmp_path / name / "valid_mask.nii.gz").dataobj).astype(bool) for name in ("one", "two")
    ]
    both = valid[0] & valid[1]
    assert both.sum() > 0.9 * valid[0].sum()
    assert np.median(np.abs(one - two)[both]) < 0.05

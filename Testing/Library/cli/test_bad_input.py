"""Each kind of bad input: exit code 2, a message that names the file and the way out, and nothing written."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from PyPeTLib.cli import main

Case = Callable[[Path], list[str]]


def save(path: Path, data: np.ndarray, *, step: float = 1.0, affine: np.ndarray | None = None) -> Path:
    image = nib.Nifti1Image(data, np.diag([2.0, 2, 5, 1]) if affine is None else affine)
    if data.ndim > 3:
        image.header.set_xyzt_units("mm", "sec")
        image.header["pixdim"][4] = step
    nib.save(image, path)
    return path


def series(frames: int = 20, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(40, 5, (16, 16, 6, frames)).astype(np.float32)


def ctp(folder: Path, data: np.ndarray | None = None, **options: float) -> Path:
    return save(folder / "head_ctp.nii.gz", series() if data is None else data, **options)


def three_dimensional(folder: Path) -> list[str]:
    return [str(ctp(folder, series()[..., 0]))]


def no_frame_times(folder: Path) -> list[str]:
    return [str(ctp(folder, step=0.0))]


def times_not_increasing(folder: Path) -> list[str]:
    times = folder / "times.txt"
    times.write_text("\n".join(["0", "1", "1", *map(str, range(3, 20))]), encoding="utf-8")
    return [str(ctp(folder)), "--frame-times", str(times)]


def times_of_another_count(folder: Path) -> list[str]:
    times = folder / "times.txt"
    times.write_text("\n".join(map(str, range(19))), encoding="utf-8")
    return [str(ctp(folder)), "--frame-times", str(times)]


def dsc_without_echo_time(folder: Path) -> list[str]:
    return [str(save(folder / "head_dsc.nii.gz", series())), "--modality", "dsc"]


def mask_on_another_grid(folder: Path) -> list[str]:
    mask = save(folder / "mask.nii.gz", np.ones((16, 16, 5), np.uint8))
    return [str(ctp(folder)), "--mask", str(mask)]


def aif_on_another_grid(folder: Path) -> list[str]:
    mask = save(folder / "aif.nii.gz", np.ones((16, 16, 6), np.uint8), affine=np.diag([3.0, 2, 5, 1]))
    return [str(ctp(folder)), "--aif", str(mask)]


def empty_mask(folder: Path) -> list[str]:
    mask = save(folder / "mask.nii.gz", np.zeros((16, 16, 6), np.uint8))
    return [str(ctp(folder)), "--mask", str(mask)]


def constant_series(folder: Path) -> list[str]:
    return [str(ctp(folder, np.full((16, 16, 6, 20), 40, np.int16)))]


def not_a_number(folder: Path) -> list[str]:
    data = series()
    data[3, 3, 3, 3] = np.nan
    return [str(ctp(folder, data))]


def infinite(folder: Path) -> list[str]:
    data = series()
    data[3, 3, 3, 3] = np.inf
    return [str(ctp(folder, data))]


def seven_frames(folder: Path) -> list[str]:
    return [str(ctp(folder, series(7)))]


def truncated_gzip(folder: Path) -> list[str]:
    path = ctp(folder)
    path.write_bytes(path.read_bytes()[:-5000])
    return [str(path)]


def not_an_image(folder: Path) -> list[str]:
    path = folder / "head_ctp.nii.gz"
    path.write_bytes(gzip.compress(b"this is a letter, not a head" * 100))
    return [str(path)]


def missing_file(folder: Path) -> list[str]:
    return [str(folder / "head_ctp.nii.gz")]


def milliseconds_for_seconds(folder: Path) -> list[str]:
    path = save(folder / "head_dsc.nii.gz", series())
    (folder / "head_dsc.json").write_text(json.dumps({"EchoTime": 30, "Modality": "MR"}), encoding="utf-8")
    return [str(path), "--modality", "dsc"]


def unknown_method(folder: Path) -> list[str]:
    return [str(ctp(folder)), "--modality", "ctp", "--method", "bsdv"]


def unknown_option(folder: Path) -> list[str]:
    config = folder / "options.toml"
    config.write_text("[aif]\nerosoin = 2\n", encoding="utf-8")
    return [str(ctp(folder)), "--modality", "ctp", "--config", str(config)]


def option_out_of_range(folder: Path) -> list[str]:
    return [str(ctp(folder)), "--modality", "ctp", "--smoothing-mm", "-1"]


def curve_too_short(folder: Path) -> list[str]:
    curve = folder / "aif.csv"
    curve.write_text("time_s,value\n0,0\n5,100\n9,10\n", encoding="utf-8")
    return [str(ctp(folder)), "--aif", str(curve)]


def half_a_calibration(folder: Path) -> list[str]:
    path = save(folder / "head_dsc.nii.gz", series())
    return [str(path), "--modality", "dsc", "--echo-time", "0.03", "--white-matter-cbf", "22"]


def dsc(folder: Path, name: str, **shape: int) -> Path:
    return save(folder / f"{name}_dsc.nii.gz", series(**shape) + 600)


def echoes_in_the_wrong_order(folder: Path) -> list[str]:
    first, second = dsc(folder, "a"), dsc(folder, "b", seed=1)
    times = ["--echo-time", "0.05", "--second-echo-time", "0.012"]
    return [str(first), "--modality", "dsc", "--second-echo", str(second), *times]


def second_echo_without_its_time(folder: Path) -> list[str]:
    first, second = dsc(folder, "a"), dsc(folder, "b", seed=1)
    return [str(first), "--modality", "dsc", "--second-echo", str(second), "--echo-time", "0.012"]


def second_echo_of_fewer_frames(folder: Path) -> list[str]:
    first, second = dsc(folder, "a"), dsc(folder, "b", frames=19, seed=1)
    times = ["--echo-time", "0.012", "--second-echo-time", "0.05"]
    return [str(first), "--modality", "dsc", "--second-echo", str(second), *times]


def second_echo_of_ct(folder: Path) -> list[str]:
    return [str(ctp(folder)), "--second-echo", str(dsc(folder, "b")), "--second-echo-time", "0.05"]


def second_echo_time_alone(folder: Path) -> list[str]:
    return [str(dsc(folder, "a")), "--modality", "dsc", "--echo-time", "0.012", "--second-echo-time", "0.05"]


def slice_times_of_another_count(folder: Path) -> list[str]:
    times = folder / "slices.txt"
    times.write_text("0\n0.5\n", encoding="utf-8")
    return [str(ctp(folder)), "--slice-times", str(times)]


def slice_times_beyond_the_frame(folder: Path) -> list[str]:
    times = folder / "slices.txt"
    times.write_text("\n".join(map(str, [0, 200, 400, 600, 800, 1000])), encoding="utf-8")
    return [str(ctp(folder)), "--slice-times", str(times)]


def leakage_of_ct(folder: Path) -> list[str]:
    config = folder / "options.toml"
    config.write_text('[contrast]\nleakage = "bsw"\n', encoding="utf-8")
    return [str(ctp(folder)), "--config", str(config)]


@pytest.mark.parametrize(
    ("case", "named"),
    [
        (three_dimensional, ["head_ctp.nii.gz", "one volume", "4 dimensions"]),
        (no_frame_times, ["head_ctp.nii.gz", "--frame-interval"]),
        (times_not_increasing, ["times.txt", "increas"]),
        (times_of_another_count, ["19", "20"]),
        (dsc_without_echo_time, ["head_dsc.nii.gz", "--echo-time"]),
        (mask_on_another_grid, ["mask.nii.gz", "16×16×5", "16×16×6"]),
        (aif_on_another_grid, ["aif.nii.gz", "3×2×5"]),
        (empty_mask, ["mask.nii.gz", "empty"]),
        (constant_series, ["head_ctp.nii.gz", "constant"]),
        (not_a_number, ["head_ctp.nii.gz", "NaN"]),
        (infinite, ["head_ctp.nii.gz", "infinite"]),
        (seven_frames, ["head_ctp.nii.gz", "7", "8"]),
        (truncated_gzip, ["head_ctp.nii.gz", "truncated"]),
        (not_an_image, ["head_ctp.nii.gz"]),
        (missing_file, ["head_ctp.nii.gz"]),
        (milliseconds_for_seconds, ["30", "seconds"]),
        (unknown_method, ["bsdv", "bsvd"]),
        (unknown_option, ["options.toml", "erosoin", "erosion"]),
        (option_out_of_range, ["sigma", "-1"]),
        (curve_too_short, ["aif.csv", "9"]),
        (half_a_calibration, ["--white-matter-mask"]),
        (echoes_in_the_wrong_order, ["b_dsc.nii.gz", "0.012 s", "must be longer", "0.05 s"]),
        (second_echo_without_its_time, ["b_dsc.nii.gz", "--second-echo-time"]),
        (second_echo_of_fewer_frames, ["b_dsc.nii.gz", "20", "19"]),
        (second_echo_of_ct, ["head_ctp.nii.gz", "CT", "second echo"]),
        (second_echo_time_alone, ["--second-echo FILE"]),
        (slice_times_of_another_count, ["slices.txt", "2 slice times", "6 slices"]),
        (slice_times_beyond_the_frame, ["head_ctp.nii.gz", "200 s", "seconds"]),
        (leakage_of_ct, ["contrast.leakage", "CT", "'none'"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_bad_input(case: Case, named: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inputs, outputs = tmp_path / "in", tmp_path / "out"
    inputs.mkdir()
    outputs.mkdir()
    arguments = case(inputs)
    if "--modality" not in arguments:
        arguments += ["--modality", "ctp"]
    code = main(["run", *arguments, str(outputs / "maps")])
    message = capsys.readouterr().err
    assert code == 2, message
    assert message.startswith("pypet: error: ")
    assert "Traceback" not in message
    for word in named:
        assert word in message
    assert list(outputs.iterdir()) == []


def test_existing_output_is_not_touched(ctp_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "maps"
    out.mkdir()
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    assert main(["run", str(ctp_file), str(out)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    # even with --overwrite a folder that PyPeT did not make stays
    assert main(["run", str(ctp_file), str(out), "--overwrite"]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["maps"]
    assert (out / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_unwritable_output(ctp_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("", encoding="utf-8")
    assert main(["run", str(ctp_file), str(blocker / "maps")]) == 2
    assert "file" in capsys.readouterr().err


@pytest.mark.parametrize(("first", "last", "flags"), [(0, 9, {"no-bolus"}), (0, 16, {"truncated-bolus"})])
def test_missing_or_cut_off_bolus_gives_maps_with_a_flag(
    first: int, last: int, flags: set[str], ctp_file: Path, tmp_path: Path
) -> None:
    image = nib.load(ctp_file)
    cut = nib.Nifti1Image(np.asarray(image.dataobj)[..., first:last], image.affine, image.header)
    path = tmp_path / "cut_ctp.nii.gz"
    nib.save(cut, path)
    out = tmp_path / "maps"
    assert main(["run", str(path), str(out), "--quiet", "--frame-interval", "1"]) == 0
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert flags <= {flag["code"] for flag in summary["flags"]}
    if "no-bolus" in flags:
        assert not np.asarray(nib.load(out / "valid_mask.nii.gz").dataobj).any()
        assert not np.asarray(nib.load(out / "cbf.nii.gz").dataobj).any()

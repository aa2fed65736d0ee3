"""Presets on the command line: `pypet presets` and `pypet run --preset`."""

import json
import tomllib
from pathlib import Path

import pytest

from PyPeTLib.cli import main
from PyPeTLib.presets import preset_text, presets


def run(series: Path, out: Path, *more: object) -> int:
    return main(["run", str(series), str(out), "--quiet", "--no-figures", *map(str, more)])


def used(out: Path) -> dict:
    return tomllib.loads((out / "config.toml").read_text(encoding="utf-8"))


def without_input(out: Path) -> dict:
    return {table: options for table, options in used(out).items() if table != "input"}


def test_presets_are_listed_with_summary_and_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    for preset in presets():
        assert f"{preset.name} ({preset.modality}): {preset.title}" in printed
        assert preset.summary in printed
        assert all(source in printed for source in preset.sources)


def test_a_preset_is_printed_as_it_stands(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["presets", "show", "dsc-tumour"]) == 0
    printed = capsys.readouterr().out
    assert printed == preset_text("dsc-tumour")
    own = tmp_path / "mine.toml"
    own.write_text(printed, encoding="utf-8")
    assert main(["presets", "show", str(own)]) == 0
    assert capsys.readouterr().out == printed
    assert main(["presets", "show", "tumor"]) == 2
    assert "not among the presets: ctp-stroke" in capsys.readouterr().err


@pytest.fixture(scope="module")
def original(ctp_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with the preset `original-pypet`."""
    out = tmp_path_factory.mktemp("runs") / "original"
    assert run(ctp_file, out, "--preset", "original-pypet") == 0
    return out


def test_a_run_with_a_preset_keeps_its_options_and_repeats_from_them(
    original: Path, ctp_file: Path, tmp_path: Path
) -> None:
    options = used(original)
    preset = tomllib.loads(preset_text("original-pypet"))
    for table in set(preset) - {"preset"}:
        assert options[table].items() >= preset[table].items(), table
    assert "preset" not in options
    assert (original / "cbf_relative.nii.gz").is_file()
    # the same options again: as a preset, which leaves aside what belongs to another series, and as a configuration
    text = (original / "config.toml").read_text(encoding="utf-8")
    other = tmp_path / "other.toml"
    other.write_text(text.replace("[input]", '[input]\nmask = "/gone/brain.nii.gz"'), encoding="utf-8")
    for name, given in (("again", ["--preset", other]), ("once more", ["--config", original / "config.toml"])):
        assert run(ctp_file, tmp_path / name, *given) == 0
        assert without_input(tmp_path / name) == without_input(original)
        assert "mask" not in used(tmp_path / name)["input"]
        for image in ("cbf", "tmax", "ttp"):
            assert (tmp_path / name / f"{image}.nii.gz").read_bytes() == (original / f"{image}.nii.gz").read_bytes()
    assert run(ctp_file, tmp_path / "never", "--config", other) == 2


def test_options_win_over_a_configuration_and_that_over_a_preset(ctp_file: Path, tmp_path: Path) -> None:
    config = tmp_path / "some.toml"
    config.write_text('[denoising]\nsigma = 2.0\n[deconvolution]\nmethod = "osvd"\nsvd_threshold = 0.15\n')
    given = ["--preset", "original-pypet", "--config", config, "--method", "bsvd"]
    assert run(ctp_file, tmp_path / "out", *given, "--no-motion") == 0
    options = used(tmp_path / "out")
    assert options["aif"]["rule"] == "paper"
    assert options["denoising"]["method"] == "gaussian"
    assert options["denoising"]["sigma"] == 2.0
    assert options["deconvolution"]["svd_threshold"] == 0.15
    assert options["deconvolution"]["method"] == "bsvd"
    assert options["motion"]["correct"] is False


@pytest.mark.parametrize(
    ("preset", "message"),
    [
        (
            "dsc-tumour",
            "the preset dsc-tumour is for DSC-MRI, and this series is CT perfusion. Choose one for it: ctp-s",
        ),
        ("ctp-strok", "Did you mean 'ctp-stroke'?"),
        ("none.toml", "there is no such file"),
        ("{tmp}/bad.toml", "bad.toml: unknown option 'aif.rool'"),
    ],
)
def test_a_preset_that_does_not_serve_is_refused_and_nothing_written(
    ctp_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], preset: str, message: str
) -> None:
    (tmp_path / "bad.toml").write_text('[aif]\nrool = "paper"\n')
    assert run(ctp_file, tmp_path / "out", "--preset", preset.format(tmp=tmp_path)) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_preset_given_as_configuration_is_told_where_it_goes(
    ctp_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "mine.toml"
    own.write_text(preset_text("ctp-stroke"), encoding="utf-8")
    assert run(ctp_file, tmp_path / "out", "--config", own) == 2
    assert "this is a preset. Give it with --preset" in capsys.readouterr().err


def test_the_folder_of_the_results_must_not_hold_the_preset(original: Path, ctp_file: Path) -> None:
    before = (original / "summary.json").read_bytes()
    assert run(ctp_file, original, "--preset", original / "config.toml", "--overwrite") == 2
    assert (original / "summary.json").read_bytes() == before
    assert json.loads(before)["method"] == "bsvd-simpson"

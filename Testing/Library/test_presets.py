"""Presets: what they hold, how they are read and written, and what is refused."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import PyPeTLib.presets
from PyPeTLib.config import PipelineConfig
from PyPeTLib.errors import InputError, UnknownNameError
from PyPeTLib.phantom import make_head
from PyPeTLib.pipeline import run_pipeline
from PyPeTLib.presets import merged, preset_names, preset_text, presets, read_preset, write_preset
from PyPeTLib.series import Modality

ROOT = Path(__file__).parents[2]
NAMES = ("ctp-stroke", "dsc-stroke", "dsc-tumour", "original-pypet")
MODALITIES = {"ctp": ("ctp",), "dsc": ("dsc",), "both": ("ctp", "dsc")}


def options_of(preset, modality):
    return PipelineConfig.for_modality(Modality(modality), preset.changes)


def test_names_are_those_of_the_files():
    assert preset_names() == NAMES
    assert tuple(preset.name for preset in presets()) == NAMES
    assert all(preset_text(name).startswith("# ") for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_says_what_it_is_for_and_where_its_choices_come_from(name):
    preset = read_preset(name)
    assert preset.title
    assert len(preset.summary) > 80
    assert preset.sources
    assert all(re.search(r"doi:10\.\d{4,}/\S+|AJNR Am J Neuroradiol 27:859", source) for source in preset.sources)
    assert preset.modality == {"ctp-stroke": "ctp", "original-pypet": "both"}.get(name, "dsc")


@pytest.mark.parametrize("name", NAMES)
def test_no_preset_leaves_a_check_out_or_asks_for_what_only_a_user_can_give(name):
    preset = read_preset(name)
    for modality in MODALITIES[preset.modality]:
        options, defaults = options_of(preset, modality), PipelineConfig.for_modality(Modality(modality))
        assert options.motion.correct
        assert options.motion.leave_out
        assert options.quantification.white_matter_cbf == 0
        # limits below which arteries, brains and bolus are refused
        assert options.mask == defaults.mask
        assert options.aif.minimum_contrast_to_noise == defaults.aif.minimum_contrast_to_noise


@pytest.mark.parametrize("modality", ["ctp", "dsc"])
def test_those_for_strokes_are_the_validated_defaults(modality):
    assert options_of(read_preset(f"{modality}-stroke"), modality) == PipelineConfig.for_modality(Modality(modality))


def test_that_for_tumours_counts_no_leaked_contrast():
    head = make_head("dsc", seed=1, shape=(64, 64, 10), leakage=0.01, healthy=True)
    shares = {}
    for name in ("dsc-stroke", "dsc-tumour"):
        result = run_pipeline(head.series, options_of(read_preset(name), "dsc"))
        cbv = result.maps["cbv"]
        ratio = np.divide(cbv.values, head.truth["cbv"], out=np.zeros_like(cbv.values), where=head.truth["cbv"] > 0)
        normal = head.masks["brain"] & ~head.masks["leaky"] & cbv.valid & (ratio > 0)
        # relative to tissue that does not leak: CBV of DSC has no scale of its own
        shares[name] = np.median(ratio[head.masks["leaky"] & cbv.valid]) / np.median(ratio[normal])
    assert shares["dsc-stroke"] < 0.6
    assert shares["dsc-tumour"] == pytest.approx(1, abs=0.1)
    assert {"k1", "k2", "kep", "psr", "peak_height"} <= set(result.maps)
    assert result.config.tissue.grey_white


def test_that_of_the_original_has_its_choices():
    options = options_of(read_preset("original-pypet"), "ctp")
    assert (
        options.deconvolution.method
        == PipelineConfig.from_mapping({"deconvolution": {"method": "bcSVD1"}}).deconvolution.method
    )
    assert (options.aif.rule, options.aif.curve, options.aif.partial_volume) == ("paper", "fitted", False)
    assert (options.denoising.method, options.denoising.sigma) == ("gaussian", 1.0)
    assert (options.quantification.relative, options.quantification.ttp_reference) == (True, "scan-start")
    assert "not reproduced" in read_preset("original-pypet").summary


def test_a_preset_is_refused_for_the_other_modality():
    preset = read_preset("dsc-tumour")
    preset.check(Modality.DSC)
    with pytest.raises(InputError, match="dsc-tumour is for DSC-MRI, and this series is CT perfusion") as refused:
        preset.check(Modality.CTP)
    assert str(refused.value).endswith("Choose one for it: ctp-stroke, original-pypet.")
    for modality in Modality:
        read_preset("original-pypet").check(modality)


@pytest.mark.parametrize("wrong", ["dsc-tumor", "DSC-Tumour"])
def test_an_unknown_name_gets_the_known_ones_and_the_nearest(wrong):
    with pytest.raises(UnknownNameError, match="Did you mean 'dsc-tumour'") as refused:
        read_preset(wrong)
    assert all(name in str(refused.value) for name in NAMES)
    with pytest.raises(UnknownNameError, match="not among the presets") as refused:
        read_preset("xyz")
    assert "mean" not in str(refused.value)


def test_what_is_written_is_read_again(tmp_path):
    changes = {"deconvolution": {"method": "bsvd", "svd_threshold": 0.1 + 0.2}, "aif": {"partial_volume": False}}
    path = tmp_path / "Mine, 3 T.toml"
    head = {
        "title": "Ours",
        "summary": 'With "quotes" and ümlauts',
        "modality": "dsc",
        "sources": ("A 2020, doi:10.1/x",),
    }
    made = write_preset(path, changes, **head)
    assert read_preset(path) == read_preset(str(path)) == made
    assert (made.name, made.changes) == ("Mine, 3 T", changes)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_file_is_not_overwritten_unasked_nor_half_written(tmp_path):
    path = tmp_path / "mine.toml"
    write_preset(path, {}, title="First")
    before = path.read_bytes()
    with pytest.raises(InputError, match="there is such a file already"):
        write_preset(path, {}, title="Second")
    with pytest.raises(InputError, match=r"unknown option 'deconvolution\.metod'"):
        write_preset(path, {"deconvolution": {"metod": "bsvd"}}, title="Second", overwrite=True)
    assert path.read_bytes() == before
    write_preset(path, {}, title="Second", overwrite=True)
    assert read_preset(path).title == "Second"
    with pytest.raises(InputError, match=r"nowhere.*mine\.toml"):
        write_preset(tmp_path / "nowhere" / "mine.toml", {}, title="Third")
    with pytest.raises(InputError, match=r"must end in \.toml"):
        write_preset(tmp_path / "mine.txt", {}, title="Third")


BAD = {
    "unknown option": ("[aif]\nerrosion = 1.0\n", "unknown option 'aif.errosion'"),
    "unknown table": ("[smoothing]\nsigma = 1.0\n", "unknown option 'smoothing'"),
    "bad value": ("[denoising]\nsigma = -1.0\n", "'sigma' must lie between"),
    "option without a table": ("sigma = 1.0\n", "unknown option 'sigma'"),
    "unknown key": ('[preset]\nauthor = "me"\n', r"\[preset\] has no author; known: title"),
    "bad modality": ('[preset]\nmodality = "mr"\n', "must be one of ctp, dsc, both; found 'mr'"),
    "bad sources": ('[preset]\nsources = "Wu 2003"\n', "must be a list of texts"),
    "no title": ('[preset]\ntitle = " "\n', "the title not empty"),
    "no table": ("preset = 1\n", r"\[preset\] and \[input\] must be tables"),
    "no TOML": ("[preset\n", "line 1: this is not valid TOML"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_a_bad_file_is_named_with_its_fault(tmp_path, text, message):
    path = tmp_path / "bad.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message) as refused:
        read_preset(path)
    assert str(path) in str(refused.value)


def test_the_configuration_of_a_run_serves_as_preset_for_its_modality(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text('[input]\nseries = "/gone.nii.gz"\nmodality = "dsc"\necho_time = 0.03\n[aif]\nerosion = 2.0\n')
    preset = read_preset(path)
    assert (preset.name, preset.title, preset.modality) == ("config", "config", "dsc")
    assert preset.changes == {"aif": {"erosion": 2.0}}
    path.write_text("[aif]\nerosion = 2.0\n")
    assert read_preset(path).modality == "both"


def test_layers_lie_over_each_other():
    layers = ({"a": {"x": 1, "y": 1}}, {"a": {"y": 2}, "b": {"z": 2}}, {"b": {"z": 3}})
    assert merged(*layers) == {"a": {"x": 1, "y": 2}, "b": {"z": 3}}
    assert layers[0] == {"a": {"x": 1, "y": 1}}


def test_names_are_listed_without_anything_heavy():
    program = "import sys; from PyPeTLib.presets import preset_names; preset_names(); print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "False"


def test_the_package_carries_the_files():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["PyPeTLib"]
    folder = Path(PyPeTLib.presets.__file__).parents[1]
    carried = {path.stem for pattern in patterns for path in folder.glob(pattern)}
    assert set(NAMES) <= carried

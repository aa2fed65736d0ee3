"""Presets on the panel: what is offered, what choosing, saving and loading do, and that maps equal those of files."""

import json

import pytest
from comparing import expect_equal

from PyPeTLib.cli import main as pypet
from PyPeTLib.errors import InputError
from PyPeTLib.presets import read_preset
from PyPeTSlicer import batch, option_form, presets

MAPS = ("cbf", "cbv", "mtt", "ttp", "tmax")
PROCESSING = ("correctMotion", "smoothing", "method", "relative", "advanced")


@pytest.fixture(autouse=True)
def own_folder(host):
    """The folder of own presets, empty before and after."""
    folder = presets.own_folder()
    assert str(folder).startswith(host.temporary_path)
    yield folder
    if folder.is_dir():
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()


@pytest.fixture
def section(panel):
    return next(section for section in panel.sections if type(section).__name__ == "PresetSection")


@pytest.fixture
def parameters(panel):
    return panel._parameterNode


@pytest.fixture
def combo(section):
    return section.ui.presetCombo


def keys(combo):
    return [combo.itemData(index) for index in range(combo.count)]


def choose(combo, key):
    index = keys(combo).index(key)
    combo.setCurrentIndex(index)
    combo.activated.emit(index)


def processing(parameters):
    values = {name: getattr(parameters, name) for name in PROCESSING}
    return values | {"advanced": json.loads(values["advanced"] or "{}")}


def set_modality(parameters, value):
    parameters.modality = type(parameters.modality)(value)


def test_presets_of_the_modality_are_offered(qt, section, combo, parameters):
    assert not combo.enabled
    assert section.ui.presetLabel.text == "Choose the modality first: presets belong to one."
    set_modality(parameters, "ctp")
    assert combo.enabled
    assert keys(combo) == ["", "ctp-stroke", "original-pypet"]
    assert combo.currentText == "Defaults"
    set_modality(parameters, "dsc")
    assert keys(combo) == ["", "dsc-stroke", "dsc-tumour", "original-pypet"]
    assert "doi:10.3174/ajnr.A4759" in combo.itemData(2, qt.Qt.ToolTipRole)


def test_a_chosen_preset_sets_all_options_and_says_what_it_is(section, combo, parameters):
    set_modality(parameters, "dsc")
    parameters.relative = True
    choose(combo, "dsc-tumour")
    assert parameters.preset == "dsc-tumour"
    assert processing(parameters) == {
        "correctMotion": True,
        "smoothing": 1.5,
        "method": "osvd",
        "relative": False,
        "advanced": {
            "contrast": {"leakage": "bidirectional"},
            "tissue": {"grey_white": True},
            "quantification": {"volume": "area", "maps": "all"},
        },
    }
    assert section.ui.presetLabel.text.startswith("For tumours, not for strokes")
    assert "Boxerman" in section.ui.presetLabel.toolTip
    assert section.ui.presetChangedLabel.text == ""
    choose(combo, "")
    assert processing(parameters)["advanced"] == {}
    assert parameters.preset == ""


def test_what_is_changed_afterwards_is_told_and_choosing_again_undoes_it(panel, section, combo, parameters):
    set_modality(parameters, "ctp")
    choose(combo, "original-pypet")
    before = processing(parameters)
    panel.ui.smoothingSpin.value = 2.5
    panel.form.field("aif", "partial_volume").setChecked(True)
    told = section.ui.presetChangedLabel.text
    assert told == "Changed: aif.partial_volume = on (was off), denoising.sigma = 2.5 (was 1)."
    assert combo.currentText == "Original PyPeT, for comparison"
    choose(combo, "original-pypet")
    assert processing(parameters) == before
    assert section.ui.presetChangedLabel.text == ""


def test_another_modality_brings_its_defaults(section, combo, parameters):
    set_modality(parameters, "ctp")
    choose(combo, "original-pypet")
    set_modality(parameters, "dsc")
    assert parameters.preset == ""
    assert parameters.method == "osvd"
    assert combo.currentText == "Defaults"


def test_saved_options_come_back_as_they_were(host, panel, section, combo, parameters):
    set_modality(parameters, "ctp")
    parameters.method, parameters.smoothing, parameters.relative = "tikhonov", 2.25, True
    parameters.advanced = json.dumps({"aif": {"erosion": 0.1 + 0.2}, "denoising": {"rank": 4}})
    before = processing(parameters)
    host.dialogs.input_answers.append(" Ours, 80 kV ")
    section.ui.presetSaveButton.click()
    assert parameters.preset == "Ours, 80 kV"
    assert combo.currentText == "Ours, 80 kV"
    assert section.ui.presetChangedLabel.text == ""
    assert "aif.erosion" in section.ui.presetLabel.text
    path = presets.own_folder() / "Ours, 80 kV.toml"
    assert str(path) in panel.ui.statusLabel.text
    assert read_preset(path).modality == "ctp"
    choose(combo, "")
    assert processing(parameters) != before
    choose(combo, "Ours, 80 kV")
    assert processing(parameters) == before
    set_modality(parameters, "dsc")
    assert "Ours, 80 kV" not in keys(combo)


def test_a_preset_is_overwritten_only_if_the_user_says_so(host, section, combo, parameters):
    set_modality(parameters, "ctp")
    path = presets.own_folder() / "Mine.toml"
    for method, answer, kept in (("bsvd", True, "bsvd"), ("osvd", False, "bsvd"), ("ssvd", True, "ssvd")):
        parameters.method = method
        host.dialogs.answers.default = answer
        host.dialogs.input_answers.append("Mine")
        section.ui.presetSaveButton.click()
        assert read_preset(path).changes["deconvolution"]["method"] == kept
    questions = [message.text for message in host.dialogs.messages if "already" in message.text]
    assert questions == ["There is a preset “Mine” already. Overwrite it?"] * 2


def test_nothing_is_saved_without_a_name_that_serves(host, panel, section, parameters):
    set_modality(parameters, "ctp")
    section.ui.presetSaveButton.click()
    assert panel.ui.statusLabel.text == ""
    for name, told in (("../up", "cannot be the name"), ("ctp-stroke", "is a preset of PyPeT"), ("a" * 61, "up to 60")):
        host.dialogs.input_answers.append(name)
        section.ui.presetSaveButton.click()
        assert told in panel.ui.statusLabel.text, name
    assert not presets.own_folder().exists()
    assert parameters.preset == ""


def test_an_own_file_that_cannot_be_used_is_told_and_others_are_offered(host, section, combo, parameters):
    folder = presets.own_folder()
    folder.mkdir(parents=True)
    (folder / "Broken.toml").write_text("[aif]\nrool = 1\n")
    (folder / "Fine.toml").write_text('[preset]\ntitle = "Fine one"\n')
    set_modality(parameters, "ctp")
    assert keys(combo)[-1] == "Fine"
    assert "unknown option 'aif.rool'" in section.ui.presetChangedLabel.text


def test_a_preset_that_is_gone_stays_named(host, section, combo, parameters):
    set_modality(parameters, "ctp")
    host.dialogs.input_answers.append("Mine")
    section.ui.presetSaveButton.click()
    (presets.own_folder() / "Mine.toml").unlink()
    section.bind()
    assert combo.currentText == "Mine (not found)"
    assert section.ui.presetLabel.text.startswith("This preset is not here")


def test_the_configuration_of_a_run_can_be_loaded(host, panel, section, combo, parameters, library_run, tmp_path):
    config = library_run("ctp", "ras", "--preset", "original-pypet") / "config.toml"
    set_modality(parameters, "ctp")
    host.dialogs.file_answers.append(config)
    section.ui.presetLoadButton.click()
    assert parameters.preset == str(config)
    assert combo.currentText == "config"
    loaded = processing(parameters)
    choose(combo, "original-pypet")
    assert processing(parameters) == loaded
    set_modality(parameters, "dsc")
    before = processing(parameters)
    host.dialogs.file_answers.append(config)
    section.ui.presetLoadButton.click()
    assert "is for CT perfusion, and this series is DSC-MRI" in panel.ui.statusLabel.text
    assert processing(parameters) == before
    assert parameters.preset == ""


def test_what_the_panel_cannot_hold_is_refused_before_anything_is_set(panel, section, parameters, host, tmp_path):
    set_modality(parameters, "ctp")
    before = processing(parameters)
    for text, told in (
        ('[denoising]\nsigma = 15.0\n[deconvolution]\nmethod = "bsvd"\n', "the panel up to 10 mm"),
        ("[quantification]\nwhite_matter_cbf = 22.0\n", "scales DSC maps"),
        ('[aif]\nrool = "paper"\n', "unknown option 'aif.rool'"),
    ):
        (tmp_path / "own.toml").write_text(text)
        host.dialogs.file_answers.append(tmp_path / "own.toml")
        section.ui.presetLoadButton.click()
        assert told in panel.ui.statusLabel.text
        assert processing(parameters) == before


def test_the_flow_of_white_matter_stays_the_user_s_unless_a_preset_names_one(parameters, section, combo, tmp_path):
    set_modality(parameters, "dsc")
    parameters.whiteMatterCBF = 24.0
    choose(combo, "dsc-stroke")
    assert parameters.whiteMatterCBF == 24.0
    assert section.ui.presetChangedLabel.text == ""
    presets.save(parameters, "Mine")
    assert "white_matter_cbf" not in (presets.own_folder() / "Mine.toml").read_text(encoding="utf-8")
    (tmp_path / "own.toml").write_text("[quantification]\nwhite_matter_cbf = 22.0\n")
    presets.apply(parameters, read_preset(tmp_path / "own.toml"))
    assert parameters.whiteMatterCBF == 22.0


def test_the_library_refuses_to_overwrite_unasked(parameters):
    set_modality(parameters, "ctp")
    presets.save(parameters, "Mine")
    with pytest.raises(InputError, match="there is such a file already"):
        presets.save(parameters, "Mine")


@pytest.mark.parametrize(("modality", "name"), [("ctp", "original-pypet"), ("dsc", "dsc-tumour")])
def test_the_maps_are_those_of_the_command_line(
    panel, section, combo, parameters, sequence, library_run, modality, name
):
    parameters.inputSequence = sequence(modality)
    choose(combo, name)
    panel.ui.runButton.click()
    assert panel.ui.statusLabel.text.startswith("Done"), panel.ui.statusLabel.text
    folder = library_run(modality, "ras", "--preset", name)
    for made in MAPS:
        expect_equal(getattr(parameters, f"{made}Volume"), folder / f"{made}.nii.gz")
    assert parameters.preset == name
    assert section.ui.presetChangedLabel.text == ""


def test_the_batch_script_takes_presets(host, head_files, library_run, tmp_path, section, parameters):
    set_modality(parameters, "ctp")
    parameters.method = "bsvd"
    presets.save(parameters, "Mine")
    own = presets.own_folder() / "Mine.toml"
    host.clear_scene()
    source, out = head_files("ctp"), tmp_path / "out"
    arguments = ["--input", str(source), "--output", str(out), "--no-figures", "--quiet", "--preset", str(own)]
    assert batch.main(arguments) == 0
    assert pypet(["run", str(source), str(tmp_path / "files"), *arguments[4:]]) == 0
    for name in MAPS:
        assert (out / f"{name}.nii.gz").read_bytes() == (tmp_path / "files" / f"{name}.nii.gz").read_bytes()
    assert batch.main([*arguments[:-1], "dsc-tumour", "--overwrite"]) == 2


def test_both_sides_agree_on_what_has_a_field_of_its_own():
    assert {*presets.ON_THE_PANEL.values(), presets.FLOW} == option_form.ON_THE_PANEL
    assert presets.LARGEST_SMOOTHING_MM == 10.0

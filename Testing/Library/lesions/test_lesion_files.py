"""What is written and told of lesions."""

import dataclasses
import json

import nibabel
import numpy as np
import pytest

from PyPeTLib.geometry import Grid, nearest_ras
from PyPeTLib.lesions import LesionOptions, lesions_facts, lesions_table, write_lesions
from PyPeTLib.lesions.model import Lesions

LPS = Grid((12, 10, 6), np.array([[-2.0, 0, 0, 20], [0, -2, 0, 30], [0, 0, 5, -7], [0, 0, 0, 1]]))
"""Voxels of 20 mm³, first two axes reversed."""

KEYS = {
    *("available", "reason", "preset", "options", "normal", "core_ml", "hypoperfused_ml", "penumbra_ml"),
    *("mismatch_ml", "mismatch_ratio", "hypoperfusion_intensity_ratio", "cbv_index", "tmax_ml"),
    *("cbf_ml", "incomplete", "target_mismatch"),
}


@pytest.fixture
def lesions():
    grid = nearest_ras(LPS).ras
    late, core = np.zeros(grid.shape, bool), np.zeros(grid.shape, bool)
    late[1:6, 2:7, 1:4] = core[2:4, 3:5, 2] = True
    return Lesions(
        core=core,
        hypoperfused=late,
        grid=grid,
        options=LesionOptions.of("defuse-3"),
        tmax_volumes={4.0: 2.0, 6.0: 1.5, 8.0: 0.6, 10.0: 0.3},
        flow_volumes={0.2: 0.02, 0.3: 0.08, 0.34: 0.1, 0.38: 0.2},
        cbv_index=0.8,
        normal_flow=24.5,
        normal_volume=640.0,
        flow_unit="ml/100g/min",
        calibrated=False,
    )


def test_facts_hold_every_figure(lesions):
    facts = lesions_facts(lesions)
    assert set(facts) == KEYS
    assert (facts["core_ml"], facts["hypoperfused_ml"], facts["mismatch_ml"]) == pytest.approx((0.08, 1.5, 1.42))
    assert facts["mismatch_ratio"] == pytest.approx(1.5 / 0.08)
    assert facts["hypoperfusion_intensity_ratio"] == pytest.approx(0.2)
    assert facts["tmax_ml"] == {"4": 2.0, "6": 1.5, "8": 0.6, "10": 0.3}
    assert facts["normal"] == {
        "reference": "whole",
        "cbf": 24.5,
        "unit": "ml/100g/min",
        "volume_ml": 640.0,
        "calibrated": False,
    }
    assert facts["target_mismatch"]["met"] is False
    assert [one["met"] for one in facts["target_mismatch"]["criteria"]] == [True, False, True]
    assert facts["incomplete"] == facts["target_mismatch"]["reason"] == ""
    json.dumps(facts, allow_nan=False)


def test_facts_without_lesions_have_the_same_keys_and_the_reason():
    facts = lesions_facts("no artery was found", LesionOptions.of("mistar"))
    assert set(facts) == KEYS
    assert not facts["available"]
    assert (facts["reason"], facts["preset"], facts["core_ml"]) == ("no artery was found", "mistar", None)
    assert facts["options"]["hypoperfusion_map"] == "delay"


def test_the_table_says_rules_units_and_sources(lesions):
    table = lesions_table(lesions)
    items = {row[0]: row[1:] for row in table.rows}
    assert items["Core: CBF below 30 % of normal tissue, and hypoperfused"] == (pytest.approx(0.08), "ml")
    assert items["Mean flow of normal-appearing tissue"] == (24.5, "arbitrary unit")
    assert items["defuse-3: mismatch >= 15, not met"] == (pytest.approx(1.42), "ml")
    assert "doi:10.1056/NEJMoa1713973" in table.note
    assert "Research use only" in table.note


def test_what_a_slab_does_not_show_is_not_known(lesions, tmp_path):
    part = dataclasses.replace(lesions, incomplete="only 32 mm of the brain are in view")
    facts = lesions_facts(part)
    assert facts["target_mismatch"]["met"] is None
    assert facts["target_mismatch"]["reason"] == facts["incomplete"] == part.incomplete
    assert [one["met"] for one in facts["target_mismatch"]["criteria"]] == [None, None, None]
    table = lesions_table(part)
    told = "defuse-3: core < 70, not known: only 32 mm of the brain are in view"
    assert {row[0]: row[1] for row in table.rows}[told] == pytest.approx(0.08)
    assert "not the volumes of the whole brain: only 32 mm" in table.note
    assert "whole brain" not in lesions_table(lesions).note
    write_lesions(part, nearest_ras(LPS), tmp_path)
    figures = json.loads((tmp_path / "lesions.json").read_text())["Figures"]
    assert (figures["target_mismatch"]["met"], figures["incomplete"]) == (None, part.incomplete)


def test_files_lie_on_the_grid_of_the_input(lesions, tmp_path):
    write_lesions(lesions, nearest_ras(LPS), tmp_path, prefix="sub-01_")
    image = nibabel.load(tmp_path / "sub-01_lesions.nii.gz")
    labels = np.asarray(image.dataobj)
    assert labels.dtype == np.uint8
    np.testing.assert_allclose(image.affine, LPS.affine)
    # the first two axes are reversed in the file
    np.testing.assert_array_equal(labels[::-1, ::-1], lesions.labels)
    facts = json.loads((tmp_path / "sub-01_lesions.json").read_text())
    counts = np.bincount(labels.ravel(), minlength=3) * 0.02
    assert facts["Labels"]["1"]["Volume_ml"] == pytest.approx(counts[1])
    assert facts["Labels"]["2"]["Volume_ml"] == pytest.approx(counts[2])
    assert facts["Thresholds"]["hypoperfusion_tmax"] == 6.0
    assert any("doi:" in source for source in facts["Sources"])
    assert "Research use only" in facts["Notice"]
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    write_lesions(lesions, nearest_ras(LPS), tmp_path, prefix="sub-01_")
    assert before == {file.name: file.read_bytes() for file in tmp_path.iterdir()}

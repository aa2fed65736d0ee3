"""Whole runs on heads with faults: each raises its flag, a clean one none, and none is wrong without a flag."""

from __future__ import annotations

import dataclasses
import importlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from PyPeTLib.maps import PerfusionMaps
from PyPeTLib.phantom.faults import FAULTS, degrade
from PyPeTLib.pipeline import run_pipeline
from PyPeTLib.quality import FLAGS, Severity
from PyPeTLib.registry import Registry

pytestmark = pytest.mark.accuracy

SMALL = {"shape": (56, 56, 8)}
MIXTURES = range(4)


@pytest.fixture
def degradations(monkeypatch):
    """The benchmark, whose modules import each other by their bare names."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "Benchmarks"))
    return importlib.import_module("degradations")


@pytest.mark.parametrize("modality", ["ctp", "dsc"])
def test_a_clean_head_raises_no_alarm(clean_results, modality):
    flags = clean_results[modality].flags
    assert [flag.code for flag in flags if flag.severity is not Severity.NOTE] == []
    # what is told all the same belongs to every head of this kind
    assert {flag.code for flag in flags} <= {"uncalibrated", "scaled-aif", "truncated-curves"}


@pytest.mark.parametrize(
    ("modality", "name", "level", "code"),
    [
        ("ctp", "blank-frames", 2, "unusable-frames"),
        ("ctp", "clipping", 120, "clipped-values"),
        ("ctp", "gap", 5, "missing-frames"),
        ("ctp", "offset", 50, "intensity-scale"),
        ("ctp", "tissue-as-artery", 1, "vein-above-aif"),
        ("ctp", "wrong-interval", 10, "implausible-aif-width"),
        ("dsc", "cropped-side", 0.5, "cut-brain"),
        ("dsc", "late-start", 13, "inverted-contrast"),
        ("dsc", "vein-as-artery", 1, "late-aif"),
    ],
)
def test_a_fault_raises_its_flag_with_a_number_beyond_its_threshold(clean_heads, modality, name, level, code):
    faulty = degrade(clean_heads[modality], {name: level})
    result = run_pipeline(faulty.series, faulty.config, given=faulty.given)
    raised = {flag.code: flag for flag in result.flags}
    assert set(raised) <= set(FLAGS)
    flag, kind = raised[code], FLAGS[code]
    assert flag.severity is kind.severity
    assert flag.unit == kind.unit
    assert not kind.least <= flag.value <= kind.most
    assert flag.message.endswith(".")


@pytest.mark.parametrize("number", MIXTURES)
def test_random_mixtures_of_faults_are_refused_or_flagged_or_right(degradations, number):
    found = degradations.outcome(*degradations.mixture(number), **SMALL)
    assert found.verdict in degradations.VERDICTS
    assert found.verdict not in ("crashed", "unflagged, wrong"), degradations.mixture(number)


@pytest.mark.parametrize(("modality", "expected"), [("ctp", 0.2), ("dsc", 0.0)])
def test_the_error_of_flow_is_that_of_normal_tissue(degradations, clean_heads, clean_results, modality, expected):
    head, result = clean_heads[modality], clean_results[modality]
    values = (1.2 * head.truth["cbf"]).astype(np.float32)
    values[head.masks["core"] | head.masks["penumbra"]] = 500
    flow = dataclasses.replace(result.maps["cbf"], values=values)
    maps = PerfusionMaps(maps={**result.maps.maps, "cbf": flow}, quality_mask=result.maps.quality_mask)
    # without a scale, flow of grey matter relative to white matter is what counts
    assert degradations.flow_error(head, dataclasses.replace(result, maps=maps)) == pytest.approx(expected, abs=1e-4)


def test_tables_have_a_row_for_each_fault_and_sum_up(degradations, monkeypatch):
    few: Registry = Registry("faults of this test")
    for name in ("inverted", "slab"):
        few.register(name, summary="")(FAULTS[name])
    monkeypatch.setattr(degradations, "FAULTS", few)
    told = {
        (): degradations.Outcome(notes=("scaled-aif",), error=-0.3),
        ("inverted",): degradations.Outcome(alarms=("no-bolus",)),
        ("slab",): degradations.Outcome(error=0.7),
    }
    monkeypatch.setattr(degradations, "clean", lambda *_, **__: told[()])
    monkeypatch.setattr(degradations, "outcome", lambda _, faults, *__, **___: told[tuple(faults)])
    monkeypatch.setattr(degradations, "draw_faults", lambda rng: {str(rng.choice(["inverted", "slab"])): 1.0})
    with ThreadPoolExecutor(1) as pool:
        flags, clean, single, mixtures = degradations.report(pool, count=12)
    assert all(f"| {code} " in flags for code in FLAGS)
    assert "0 of 10" in clean
    assert "scaled-aif 10" in clean
    assert "no-bolus (no value)" in single
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in mixtures.splitlines() if "|" in line][2:]
    counts = {name: [int(cell) for cell in cells[:5]] for name, _, *cells in rows}
    assert counts["**all**"] == [a + b for a, b in zip(counts["inverted"], counts["slab"], strict=True)]
    assert sum(counts["**all**"]) == 12
    assert counts["inverted"][1] == sum(counts["inverted"])
    assert counts["slab"][4] == sum(counts["slab"]) == mixtures.count("- CTP") + mixtures.count("- DSC")
    assert rows[-1][-1] == "+70%"


def test_mixtures_are_the_same_every_time_and_of_both_modalities(degradations):
    drawn = [degradations.mixture(number) for number in range(40)]
    assert drawn == [degradations.mixture(number) for number in range(40)]
    assert {modality for modality, _, _ in drawn} == {"ctp", "dsc"}
    assert np.unique([len(faults) for _, faults, _ in drawn]).tolist() == [1, 2, 3]

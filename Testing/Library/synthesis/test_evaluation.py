"""Evaluations: against methods whose figures are known, with what they may see and what is kept of them."""

import csv
import dataclasses
import math
import weakref

import numpy as np
import pytest

from PyPeTLib.compare.labelmaps import LabelNames, make_labelmap
from PyPeTLib.compare.scores import read_scores
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.synthesis.evaluation import evaluate
from PyPeTLib.synthesis.evaluation_tables import LowRegions, hypometabolic_agreement_table
from PyPeTLib.synthesis.subject import subject_of_arrays

N = 4
SHAPE = (28, 32, 26)
GRID = Grid(SHAPE, np.diag([6.0, 6.0, 6.0, 1.0]) - np.eye(4, k=3) * 80)
SIDES = ("left", "right", "right", "left")


def made(number):
    """A head of noise on a symmetric brain, with a lesion on one side; axes run to the right."""
    random = np.random.default_rng(number)
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    mask = (x / 0.8) ** 2 + (y / 0.9) ** 2 + (z / 0.85) ** 2 < 1
    at = 0.4 if SIDES[number] == "right" else -0.4
    lesion = (x - at) ** 2 + y**2 + z**2 < (0.3 + 0.03 * number) ** 2
    pet = np.where(mask, np.where(lesion, 0.4, 1) * (1 + 0.02 * random.standard_normal(SHAPE) + 0.1 * number), 0)
    return subject_of_arrays(f"s{number}", {"T1": pet.astype(np.float32)}, mask, GRID, pet=pet.astype(np.float32))


@pytest.fixture(scope="module")
def subjects():
    return [made(number) for number in range(N)]


@pytest.fixture(scope="module")
def methods(subjects):
    """Methods that know what they should not: the real PET, a half of it, and nothing where the second head is."""
    real = {subject.name: subject.pet for subject in subjects}
    return {
        "half": lambda subject: real[subject.name] / 2,
        "absent": lambda subject: None if subject.name == subjects[1].name else real[subject.name] / 4,
        "real": lambda subject: real[subject.name],
    }


@pytest.fixture(scope="module")
def evaluation(subjects, methods):
    return evaluate(methods, iter(subjects))


@pytest.fixture(scope="module")
def tables(evaluation):
    return {table.name: table for table in evaluation.tables()}


def rows(table, **wanted):
    names = [column.name for column in table.columns]
    found = [dict(zip(names, row, strict=True)) for row in table.rows]
    return [row for row in found if all(row[name] == value for name, value in wanted.items())]


def test_the_last_method_is_the_reference_and_perfect_figures_are_perfect(evaluation) -> None:
    assert evaluation.reference_method == "real"
    values = {(r.metric, r.scope): r.value for r in evaluation.records if r.method == "real"}
    assert values["psnr", "volume"] == math.inf
    assert values["nmae", "mask"] == values["nmse", "volume"] == 0
    assert values["ncc", "mask"] == pytest.approx(1)
    halves = [r.value for r in evaluation.records if (r.method, r.metric) == ("half", "nmae")]
    assert halves == pytest.approx([0.5] * 2 * N)


def test_methods_never_see_the_pet_and_a_missing_prediction_is_told(subjects, evaluation) -> None:
    seen = []

    def blind(subject):
        seen.append(subject.pet)
        return np.where(subject.mask, np.float32(1), np.float32(0))

    evaluate({"blind": blind}, subjects[:1])
    assert seen == [None]
    assert "absent" in evaluation.notes[0]
    assert subjects[1].name in evaluation.notes[0]
    assert sum(r.method == "absent" for r in evaluation.records) == 2 * 5 * (N - 1)


def test_a_perfect_prediction_has_the_real_regions_and_territories(tables, subjects) -> None:
    for row, side in zip(rows(tables["hypometabolic"]), SIDES, strict=True):
        assert row["real_ml"] == row["predicted_ml"] > 0
        assert row["sides_agree"] is True
        assert row["dice"] == 1
        assert row["real_side"] == side
        assert row["predicted_in_real"] < 0
    agreement = rows(tables["territory_agreement"], figure="mean")
    assert all(row["bias"] == 0 and row["icc"] == pytest.approx(1) for row in agreement)
    asymmetry = rows(tables["territory_agreement"], figure="asymmetry")
    assert {row["side"] for row in asymmetry} == {"left and right"}
    named = {row["name"] for row in rows(tables["territories"])}
    assert {row["subject"] for row in rows(tables["territories"])} == {subject.name for subject in subjects}
    assert len(named) == len(agreement) >= 8


def test_half_the_pet_is_a_bias_of_half_the_mean(subjects, methods) -> None:
    found = evaluate({"real": methods["real"], "half": methods["half"]}, subjects[:3])
    tables = {table.name: table for table in found.tables()}
    for row in rows(tables["territory_agreement"], figure="mean"):
        assert row["mean_predicted"] == pytest.approx(row["mean_real"] / 2)
        assert row["bias"] == pytest.approx(-row["mean_real"] / 2)
        assert row["pearson"] == pytest.approx(1)
    # what has no scale is the same
    for row in rows(tables["hypometabolic"]):
        assert row["dice"] == pytest.approx(1, abs=0.02)


def test_what_lies_outside_the_brain_is_no_error(subjects) -> None:
    one = subjects[0]
    scalp = np.where(one.mask, one.pet, np.float32(3))
    found = evaluate({"real": lambda _: one.pet}, [dataclasses.replace(one, pet=scalp)])
    assert {r.value for r in found.records if r.metric == "nmse"} == {0}


def test_given_territories_count_for_all_or_for_each(subjects, methods) -> None:
    one = subjects[0]
    labels = np.where(one.mask, 1, 0)
    labelmap = make_labelmap(labels, one.grid, LabelNames(names={1: "everything"}), name="whole")
    for given in (labelmap, lambda subject: labelmap):
        found = evaluate({"half": methods["half"]}, [one], territories=given)
        (real, half) = rows(found.territories[one.name], name="everything")
        assert real["mean"] == pytest.approx(float(one.pet[one.mask].mean()), rel=1e-5)
        assert half["mean"] == pytest.approx(real["mean"] / 2)
        assert found.means[one.name] == pytest.approx((real["mean"], half["mean"]), rel=1e-5)


def test_scores_are_held_against_real_and_predicted_figures(evaluation, tmp_path) -> None:
    volumes = {name: low.volumes[0] for name, low in evaluation.low.items()}
    with (tmp_path / "scores.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("subject", "nihss"))
        writer.writerows((name, 3 + volume / 10) for name, volume in volumes.items())
    table = evaluation.tables(read_scores(tmp_path / "scores.csv"))[-1]
    assert table.name == "scores"
    text = [" ".join(map(str, row)) for row in table.rows]
    for image in ("real PET", "predicted PET"):
        assert any("hypometabolic volume" in line and image in line for line in text)
        assert any("asymmetry" in line and image in line for line in text)
        assert any("mean PET" in line and image in line for line in text)


def test_each_subject_is_handed_over_and_then_forgotten(subjects, methods) -> None:
    alive, most, handed = [], [], []

    def fresh():
        for number in range(N):
            subject = made(number)
            alive.append(weakref.ref(subject))
            most.append(sum(ref() is not None for ref in alive))
            yield subject
            del subject

    evaluate({"real": methods["real"]}, fresh(), each=lambda found: handed.append(found.subject.name))
    assert handed == [subject.name for subject in subjects]
    # the one at work, and the next while it is made
    assert max(most) <= 2


def test_what_cannot_be_evaluated_is_refused(subjects, methods) -> None:
    real = {"real": methods["real"]}
    for bad, given, match in (
        ({}, subjects, "no method"),
        (real, [], "no subject"),
        (real, [subjects[0], subjects[0]], "two subjects"),
        (real, [subjects[0].without_pet()], "no PET"),
        ({"absent": lambda _: None}, subjects, "predicts nothing"),
    ):
        with pytest.raises(InputError, match=match):
            evaluate(bad, given)
    with pytest.raises(InputError, match="nonsense"):
        evaluate(real, subjects, reference_method="nonsense")


def test_sides_are_not_compared_where_the_real_pet_has_no_region() -> None:
    nothing = LowRegions(real=(0, 0, math.nan), predicted=(4.0, 1.0, -0.3), dice=0.0, predicted_there=None)
    silent = LowRegions(real=(9.0, 2.0, -0.4), predicted=(0, 0, math.nan), dice=0.0, predicted_there=0.01)
    table = hypometabolic_agreement_table({"a": nothing, "b": silent})
    first, second = rows(table)
    assert (first["sides_agree"], first["real_side"], first["real_deficit"]) == (None, "none", None)
    assert (second["sides_agree"], second["predicted_side"]) == (False, "none")
    assert "1 of 2 subjects" in table.note

"""Figures of many scans as tables, and two runs held against each other."""

import math

import numpy as np
import pytest
from scipy import stats

from PyPeTLib.compare import METRICS, cohort_tables, paired_tables
from PyPeTLib.compare.runs import TESTED
from PyPeTLib.compare.statistics import describe, holm, intraclass_correlation
from PyPeTLib.errors import InputError

NCC = (0.81, 0.74, 0.9, 0.66, 0.79, 0.85)
CORE = ((10.0, 12.0, 0.7), (0.0, 0.0, None), (33.5, 30.0, 0.81), (5.0, 9.0, 0.4), (80.0, 71.0, 0.85), (21.0, 22.0, 0.6))


def reference(ncc, *, quantity="cbf", normalisation="relative", unit="1", **metrics):
    values = {name: 0.5 + 0.1 * i for i, name in enumerate(METRICS)} | {"ncc": ncc, "ssim_brain": ncc} | metrics
    return {
        "quantity": quantity,
        "unit": unit,
        "normalisation": normalisation,
        "metrics": values,
        "voxels": 1000,
        "volume_ml": 12.5,
        "notes": ["All of it."],
    }


def summary(i, references, *, lesion=None, failed=(), session="", modality="ctp"):
    lesions = None
    if lesion is not None:
        values = dict(zip(("generated_ml", "reference_ml", "dice"), lesion, strict=True))
        lesions = {"core": values, "hypoperfused": values}
    name = f"sub-{i:02d}{'_ses-' + session if session else ''}_ctp"
    return {
        "scan": {"name": name, "subject": f"{i:02d}", "session": session, "run": ""},
        "input": {"modality": modality},
        "comparison": {"references": references, "failed": list(failed), "lesions": lesions},
    }


@pytest.fixture
def cohort():
    failed = {"quantity": "tmax", "reason": "another head"}
    return [
        summary(i, [reference(ncc)], lesion=CORE[i], failed=[failed] if i == 2 else []) for i, ncc in enumerate(NCC)
    ]


def rows(tables, name):
    table = next(table for table in tables if table.name == name)
    return [dict(zip((column.name for column in table.columns), row, strict=True)) for row in table.rows]


def row(tables, name, **where):
    found = [r for r in rows(tables, name) if all(r[key] == value for key, value in where.items())]
    assert len(found) == 1
    return found[0]


def test_all_scans_and_their_summary(cohort) -> None:
    tables = cohort_tables([*cohort, {"input": {"file": "no references"}}])
    assert [table.name for table in tables] == [
        "comparison_by_scan",
        "comparison_summary",
        "original_layout",
        "lesions_by_scan",
        "lesion_agreement",
        "comparison_failures",
    ]
    assert [r["ncc"] for r in rows(tables, "comparison_by_scan")] == list(NCC)
    found = row(tables, "comparison_summary", map="CBF", metric="ncc")
    expected = describe(NCC)
    assert (found["subjects"], found["scans"], found["normalisation"], found["unit"]) == (6, 6, "relative", "1")
    assert (found["mean"], found["median"], found["sd"]) == (expected.mean, expected.median, expected.sd)
    assert (found["mean_low"], found["bootstrap_high"]) == (expected.interval.low, expected.bootstrap.high)
    assert found["bootstrap_low"] < found["mean"] < found["bootstrap_high"]
    failed = row(tables, "comparison_failures", scan="sub-02_ctp")
    assert (failed["map"], failed["reason"]) == ("Tmax", "another head")
    assert cohort_tables(cohort) == tables


def test_the_layout_of_the_original_tool(cohort) -> None:
    tables = cohort_tables(cohort)
    made = rows(tables, "original_layout")
    assert list(made[0]) == ["Map_Type", "Similarity_Metric", "Mean", "Median", "Std", "Count"]
    assert [r["Similarity_Metric"] for r in made] == ["ncc", "ssim_with_background", "mae", "mse", "rmse"]
    assert made[0]["Map_Type"] == "cbf"
    assert (made[0]["Mean"], made[0]["Count"]) == (pytest.approx(np.mean(NCC)), 6)
    assert made[0]["Std"] == pytest.approx(np.std(NCC))


def test_units_keep_groups_apart_and_stand_in_the_table() -> None:
    absolute = {"quantity": "tmax", "normalisation": "absolute"}
    scans = [
        summary(0, [reference(0.8), reference(0.8, unit="s", **absolute)]),
        summary(1, [reference(0.7), reference(0.7, unit="s", **absolute)]),
        summary(2, [reference(0.6, unit="", **absolute)]),
    ]
    tables = cohort_tables(scans)
    assert row(tables, "comparison_summary", map="Tmax", metric="mse", unit="(s)²")["scans"] == 2
    assert row(tables, "comparison_summary", map="Tmax", metric="mse", unit=None)["scans"] == 1
    assert row(tables, "comparison_summary", map="Tmax", metric="ncc", subjects=3)["unit"] == "1"
    by_scan = next(table for table in tables if table.name == "comparison_by_scan")
    headings = {column.name: column.heading for column in by_scan.columns}
    assert headings["mae"] == "MAE [unit of the map]"
    assert headings["mse"] == "MSE [(unit of the map)²]"
    assert headings["volume_ml"] == "Volume compared [ml]"
    assert headings["ncc"] == "NCC"


def test_modalities_are_put_together_only_in_the_original_layout() -> None:
    scans = [summary(i, [reference(ncc)], lesion=CORE[i], modality=("ctp", "dsc")[i % 2]) for i, ncc in enumerate(NCC)]
    tables = cohort_tables(scans)
    for place, modality in enumerate(("ctp", "dsc")):
        found = row(tables, "comparison_summary", map="CBF", metric="ncc", modality=modality)
        assert (found["subjects"], found["mean"]) == (3, pytest.approx(np.mean(NCC[place::2])))
        lesions = row(tables, "lesion_agreement", lesion="core", modality=modality)
        assert (lesions["scans"], lesions["generated_mean_ml"]) == (
            3,
            pytest.approx(np.mean([core[0] for core in CORE[place::2]])),
        )
    assert row(tables, "comparison_by_scan", scan="sub-03_ctp")["modality"] == "dsc"
    assert rows(tables, "original_layout")[0]["Count"] == 6
    assert "modality" not in rows(tables, "original_layout")[0]
    tests = paired_tables(scans, [{**scan, "input": {}} for scan in scans])
    assert row(tests, "paired_tests", map="CBF", metric="ncc", modality="dsc")["subjects"] == 3


def test_intervals_end_where_the_figure_ends() -> None:
    scans = [summary(i, [reference(ncc, mse=mse)]) for i, (ncc, mse) in enumerate([(0.99, 1), (0.98, 400), (0.6, 5)])]
    tables = cohort_tables(scans)
    ncc, mse, bias = (row(tables, "comparison_summary", metric=name) for name in ("ncc", "mse", "bias"))
    assert ncc["mean_high"] == 1
    assert ncc["mean_low"] == describe([0.99, 0.98, 0.6]).interval.low
    assert "cut at 1" in ncc["note"]
    assert (mse["mean_low"], mse["mean_high"]) == (0, describe([1, 400, 5]).interval.high)
    assert "cut at 0" in mse["note"]
    assert "0 by definition" in bias["note"]


def test_scans_of_one_subject_count_once() -> None:
    scans = [
        summary(0, [reference(0.6)], session="1"),
        summary(0, [reference(0.8)], session="2"),
        summary(1, [reference(0.9)]),
        summary(2, [reference(None)]),
    ]
    found = row(cohort_tables(scans), "comparison_summary", map="CBF", metric="ncc")
    assert (found["subjects"], found["scans"]) == (2, 3)
    assert found["mean"] == pytest.approx((0.7 + 0.9) / 2)
    assert "1 of 4 scans have no value" in found["note"]


@pytest.mark.parametrize("values", [[0.8], [0.8, 0.8, 0.8], [None, None], [math.nan, 0.7]])
def test_few_and_equal_values_have_no_interval_but_a_note(values) -> None:
    scans = [summary(i, [reference(value)], lesion=(1.0, 1.0, value)) for i, value in enumerate(values)]
    found = row(cohort_tables(scans), "comparison_summary", map="CBF", metric="ncc")
    assert (found["mean_low"], found["bootstrap_low"]) == (None, None)
    assert found["note"]
    assert row(cohort_tables(scans), "lesion_agreement", lesion="core")["icc_a1"] is None


def test_agreement_of_lesions(cohort) -> None:
    tables = cohort_tables(cohort)
    found = row(tables, "lesion_agreement", lesion="core")
    ours, theirs = np.array(CORE)[:, :2].astype(float).T
    expected = intraclass_correlation(ours, theirs)
    assert (found["icc_a1"], found["icc_a1_low"], found["icc_a1_high"]) == (expected.value, expected.low, expected.high)
    assert found["bias_ml"] == pytest.approx((ours - theirs).mean())
    spread = (ours - theirs).std(ddof=1)
    assert found["limit_upper_ml"] == pytest.approx((ours - theirs).mean() + 1.96 * spread)
    assert found["limit_upper_ml_low"] < found["limit_upper_ml"] < found["limit_upper_ml_high"]
    # both empty is no overlap
    assert (found["scans"], found["scans_with_dice"]) == (6, 5)
    assert found["dice_mean"] == pytest.approx(np.mean([0.7, 0.81, 0.4, 0.85, 0.6]))
    assert row(tables, "lesions_by_scan", scan="sub-04_ctp", lesion="core")["difference_ml"] == 9.0


def test_a_scan_given_twice_is_refused(cohort) -> None:
    with pytest.raises(InputError, match="two summaries are of the scan sub-00_ctp"):
        cohort_tables([*cohort, cohort[0]])
    assert cohort_tables([]) == ()


def test_two_runs_are_tested_in_pairs(cohort) -> None:
    change = np.array([0.03, 0.05, -0.01, 0.08, 0.02, 0.04])
    better = [summary(i, [reference(ncc + change[i])], lesion=CORE[i]) for i, ncc in enumerate(NCC)]
    tables = paired_tables(cohort, better, names=("osvd", "tikhonov"))
    found = row(tables, "paired_tests", map="CBF", metric="ncc")
    assert found["difference"] == pytest.approx(change.mean())
    assert found["p_wilcoxon"] == pytest.approx(stats.wilcoxon(change, method="exact").pvalue)
    assert found["p_t"] == pytest.approx(stats.ttest_rel(np.array(NCC) + change, NCC).pvalue)
    every = rows(tables, "paired_tests")
    assert [r["metric"] for r in every] == [*TESTED[:-1], "dice", "dice"]
    for test in ("wilcoxon", "t"):
        assert [r[f"p_{test}_holm"] for r in every] == list(holm([r[f"p_{test}"] for r in every]))
    # the same in both runs
    assert row(tables, "paired_tests", map="CBF", metric="mae")["p_wilcoxon"] is None
    assert (found["subjects"], found["mean_a"]) == (6, pytest.approx(np.mean(NCC)))
    pair = row(tables, "paired_values", scan="sub-03_ctp", metric="ncc")
    assert (pair["a"], pair["b"]) == (NCC[3], NCC[3] + change[3])
    titles = [column.title for table in tables for column in table.columns]
    assert "Mean of tikhonov − osvd" in titles


def test_what_has_no_partner_is_left_out_and_told(cohort) -> None:
    other = [summary(i, [reference(0.5 + 0.01 * i)]) for i in range(1, 7)]
    other[2]["comparison"]["references"][0]["metrics"]["ncc"] = None
    tables = paired_tables(cohort, other, names=("A", "B"))
    found = row(tables, "paired_tests", map="CBF", metric="ncc")
    assert (found["subjects"], found["scans"]) == (4, 4)
    left_out = rows(tables, "paired_left_out")
    assert {r["scan"] for r in left_out if r["map"] == "CBF"} == {"sub-00_ctp", "sub-06_ctp", "sub-03_ctp"}
    assert row(tables, "paired_left_out", scan="sub-03_ctp", map="CBF")["reason"] == "NCC is not defined in B."
    assert "Only in A" in row(tables, "paired_left_out", scan="sub-00_ctp", map="CBF")["reason"]
    assert "Only in A" in row(tables, "paired_left_out", scan="sub-01_ctp", map="core")["reason"]
    with pytest.raises(InputError, match="no scan in common"):
        paired_tables(cohort[:1], other)

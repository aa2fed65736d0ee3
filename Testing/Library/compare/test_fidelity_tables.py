"""Tables of fidelity against scipy and corrections by hand; the text for terminals."""

import math

import numpy as np
import pytest
from scipy import stats

from PyPeTLib.compare.fidelity import FIDELITY
from PyPeTLib.compare.fidelity_tables import WIDEST, FidelityRecord, fidelity_tables, fidelity_text
from PyPeTLib.errors import InputError

METHODS = ("mean template", "P = 8", "P = 64")
BEST = "P = 64"
N = 6


def records_of(values, *, scope="volume", metric="psnr"):
    return [
        FidelityRecord(subject=f"s{i}", method=method, scope=scope, metric=metric, value=value)
        for method, mine in values.items()
        for i, value in enumerate(mine)
    ]


def rows_of(table):
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in table.rows]


@pytest.fixture(scope="module")
def values():
    """Values by scope, figure and method, of six subjects."""
    random = np.random.default_rng(2)
    subjects = random.normal(0, 0.2, N)
    middle = {"psnr": (24.0, 27.0, 29.0), "nmae": (0.22, 0.17, 0.13)}
    return {
        (scope, metric): {
            method: m * (1 + 0.05 * subjects + random.normal(0, 0.01, N))
            for method, m in zip(METHODS, means, strict=True)
        }
        for scope in ("volume", "mask")
        for metric, means in middle.items()
    }


@pytest.fixture(scope="module")
def tables(values):
    records = [r for (scope, metric), mine in values.items() for r in records_of(mine, scope=scope, metric=metric)]
    return {table.name: table for table in fidelity_tables(records, reference_method=BEST)}


def test_tables_and_the_order_of_their_rows(tables, values) -> None:
    assert list(tables) == ["fidelity_by_subject", "fidelity_summary", "fidelity_paired"]
    order = [(s, m, f) for s in ("volume", "mask") for m in METHODS for f in ("psnr", "nmae")]
    assert [(r["scope"], r["method"], r["metric"]) for r in rows_of(tables["fidelity_summary"])] == order
    others = [key for key in order if key[1] != BEST]
    assert [(r["scope"], r["method"], r["metric"]) for r in rows_of(tables["fidelity_paired"])] == others
    found = rows_of(tables["fidelity_by_subject"])
    assert len(found) == 2 * 3 * N
    assert found[N]["method"] == "P = 8"
    assert found[N]["nmae"] == values["volume", "nmae"]["P = 8"][0]
    for table in tables.values():
        assert "must not be held against each other" in table.note
    for name in ("fidelity_summary", "fidelity_paired"):
        assert "over subjects, not over voxels" in tables[name].note


def test_the_summary_is_of_subjects(tables, values) -> None:
    for row in rows_of(tables["fidelity_summary"]):
        mine = values[row["scope"], row["metric"]][row["method"]]
        low, high = stats.t.interval(0.95, N - 1, loc=mine.mean(), scale=stats.sem(mine))
        figures = [row[name] for name in ("mean", "mean_low", "mean_high", "sd", "median")]
        assert figures == pytest.approx([mine.mean(), low, high, mine.std(ddof=1), np.median(mine)])
        assert mine.min() <= row["bootstrap_low"] < row["mean"] < row["bootstrap_high"] <= mine.max()
        assert (row["subjects"], row["missing"]) == (N, 0)
        assert (row["better"], row["unit"]) == (("higher", "dB") if row["metric"] == "psnr" else ("lower", None))


def test_the_reference_method_is_tested_against_each_other_one(tables, values) -> None:
    for row in rows_of(tables["fidelity_paired"]):
        mine, best = (values[row["scope"], row["metric"]][method] for method in (row["method"], BEST))
        apart = best - mine
        assert row["difference"] == pytest.approx(apart.mean())
        assert (row["mean_method"], row["mean_reference"]) == pytest.approx((mine.mean(), best.mean()))
        assert row["effect_dz"] == pytest.approx(apart.mean() / apart.std(ddof=1))
        assert row["p_t"] == pytest.approx(stats.ttest_rel(best, mine).pvalue)
        assert row["p_wilcoxon"] == pytest.approx(stats.wilcoxon(apart, method="exact").pvalue)
        low, high = stats.t.interval(0.95, N - 1, loc=apart.mean(), scale=stats.sem(apart))
        assert (row["difference_low"], row["difference_high"]) == pytest.approx((low, high))
        assert row["reference_better"] is True


def test_holms_correction_is_within_a_scope(tables) -> None:
    rows = rows_of(tables["fidelity_paired"])
    for scope in ("volume", "mask"):
        family = sorted((r for r in rows if r["scope"] == scope), key=lambda r: r["p_t"])
        highest = 0.0
        for rank, row in enumerate(family):
            highest = max(highest, min(1.0, row["p_t"] * (len(family) - rank)))
            assert row["p_t_holm"] == pytest.approx(highest)
            # all of six differences have one sign: 2 of 64 orders of signs, four tests
            assert row["p_wilcoxon"] == pytest.approx(2 / 64)
            assert row["p_wilcoxon_holm"] == pytest.approx(4 * 2 / 64)
    tested = {(r["scope"], r["method"], r["metric"]): r for r in rows}
    for row in rows_of(tables["fidelity_summary"]):
        pair = tested.get((row["scope"], row["method"], row["metric"]))
        expected = (pair["p_t_holm"], pair["p_wilcoxon_holm"]) if pair else (None, None)
        assert (row["p_t_holm"], row["p_wilcoxon_holm"]) == expected


def test_too_few_subjects_for_wilcoxon_are_told(tables) -> None:
    assert "With 6 subjects and 4 tests Wilcoxon's p cannot be below 0.05" in tables["fidelity_paired"].note
    enough = {"a": np.arange(9.0), "b": np.arange(9.0) * 1.1 + 1}
    assert "cannot be below" not in fidelity_tables(records_of(enough), reference_method="b")[1].note


def test_which_method_is_better_depends_on_the_figure() -> None:
    ours, theirs = [1.0, 1.1, 1.3], [0.5, 0.9, 1.0]
    for metric, better in {"psnr": True, "ssim": True, "ncc": True, "nmae": False, "nmse": False}.items():
        made = fidelity_tables(records_of({"a": theirs, "b": ours}, metric=metric), reference_method="b")
        assert rows_of(made[2])[0]["reference_better"] is better, metric
    equal = fidelity_tables(records_of({"a": ours, "b": ours}), reference_method="b")
    row = rows_of(equal[2])[0]
    assert (row["difference"], row["reference_better"], row["p_t"], row["p_wilcoxon"]) == (0, None, None, None)
    assert "differences are equal" in row["note"]


def test_subjects_without_a_value_are_left_out_and_told() -> None:
    records = records_of({"a": [20.0, 21.0, math.nan, 23.5], "b": [22.0, math.inf, 24.0, 26.0]})
    records.append(FidelityRecord(subject="s9", method="a", scope="volume", metric="psnr", value=25.0))
    by_subject, summary, paired = (rows_of(table) for table in fidelity_tables(records, reference_method="b"))
    assert [row["note"] for row in by_subject if row["note"]] == [
        "PSNR: not defined.",
        "PSNR: infinite, the images are equal.",
    ]
    assert [(row["subjects"], row["missing"]) for row in summary] == [(4, 1), (3, 2)]
    assert [row["mean"] for row in summary] == pytest.approx([22.375, 24.0])
    assert "2 of 5 subjects have no finite value" in summary[1]["note"]
    # pairs of s0 and s3
    assert (paired[0]["subjects"], paired[0]["missing"]) == (2, 3)
    assert paired[0]["difference"] == pytest.approx(2.25)
    assert (paired[0]["mean_method"], paired[0]["mean_reference"]) == pytest.approx((21.75, 24.0))


def test_intervals_are_cut_where_a_figure_cannot_be() -> None:
    made = fidelity_tables(records_of({"a": [0.999, 0.93, 0.999]}, metric="ssim"), reference_method="a")
    row = rows_of(made[1])[0]
    assert row["mean_high"] == 1
    assert "cut at 1" in row["note"]
    assert [table.name for table in made] == ["fidelity_by_subject", "fidelity_summary"]


def test_the_order_of_subjects_does_not_matter(values) -> None:
    records = records_of(values["volume", "psnr"])
    turned = [r for method in METHODS for r in reversed(records) if r.method == method]
    for one, other in zip(
        *(fidelity_tables(given, reference_method=BEST)[1:] for given in (records, turned)), strict=True
    ):
        for row, again in zip(rows_of(one), rows_of(other), strict=True):
            for name, value in row.items():
                # resamples are drawn by place
                loose = name.startswith("bootstrap")
                same = pytest.approx(value, rel=5e-3 if loose else 1e-9) if isinstance(value, float) else value
                assert again[name] == same, name


def test_records_that_cannot_be_put_together_are_refused() -> None:
    records = records_of({"a": [1.0, 2.0]})
    with pytest.raises(InputError, match="reference method 'b', but of a"):
        fidelity_tables(records, reference_method="b")
    with pytest.raises(InputError, match="but of none"):
        fidelity_tables([], reference_method="b")
    with pytest.raises(InputError, match="two figures psnr of a are of the subject s1"):
        fidelity_tables([*records, records[1]], reference_method="a")
    with pytest.raises(InputError, match="'pnsr' is not among the figures of fidelity"):
        fidelity_tables(records_of({"a": [1.0]}, metric="pnsr"), reference_method="a")
    with pytest.raises(InputError, match="'head' is not among the scopes"):
        fidelity_tables(records_of({"a": [1.0]}, scope="head"), reference_method="a")


def test_the_text_is_the_table(tables) -> None:
    text = fidelity_text(tables["fidelity_summary"])
    lines = text.splitlines()
    assert max(map(len, lines)) <= WIDEST
    assert (
        lines[0]
        == "Whole volume, background included (scope “volume”), 6 subjects; p against P = 64, after Holm's correction"
    )
    assert lines[1].split() == ["Method", "PSNR", "[dB]", "↑", "NMAE", "↓"]
    # columns end together
    blocks = [i for i, line in enumerate(lines) if line.startswith("Method")]
    assert len({len(line) for line in lines[blocks[0] : blocks[0] + 11]}) == 1
    row = rows_of(tables["fidelity_summary"])[0]
    assert lines[2].split() == [
        "mean",
        "template",
        f"{row['mean']:.2f}",
        f"{rows_of(tables['fidelity_summary'])[1]['mean']:.4f}",
    ]
    assert f"[{row['mean_low']:.2f}, {row['mean_high']:.2f}]" in lines[3]
    assert lines[5].split()[2:] == ["0.125", "0.125"]
    reference = lines.index(next(line for line in lines if line.startswith("P = 64 (reference)")))
    assert "p," not in lines[reference + 2]
    assert "In the brain only (scope “mask”)" in text
    assert "must not be held against each other" in " ".join(lines)
    with pytest.raises(InputError, match="fidelity_paired"):
        fidelity_text(tables["fidelity_paired"])


def test_the_text_stays_narrow_whatever_the_names_and_values() -> None:
    records = [
        FidelityRecord(subject=f"s{i}", method=method, scope="volume", metric=metric, value=value * (1 + i / 10))
        for method, value in (("a linear model of all contrasts, the whole brain at once, raw", 1e7), ("b", 2e-9))
        for metric in FIDELITY
        for i in range(3 if metric != "ssim" else 1)
    ]
    lines = fidelity_text(fidelity_tables(records, reference_method="b")[1]).splitlines()
    assert max(map(len, lines)) <= WIDEST
    text = "\n".join(lines)
    assert "1.100e+07" in text
    for metric in FIDELITY.values():
        assert metric.heading in text
    assert next(line.split() for line in lines if line.startswith("  subjects"))[1:] == ["3", "1", "3"]

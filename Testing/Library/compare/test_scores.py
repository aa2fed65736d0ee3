"""Tables of clinical scores, and figures held against them."""

import math

import numpy as np
import pytest
from scipy import stats

from PyPeTLib.compare.correlations import correlate
from PyPeTLib.compare.scores import Scores, read_scores, score_correlations
from PyPeTLib.errors import InputError


@pytest.fixture
def write(tmp_path):
    def written(text, name="scores.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return written


def rows_of(table):
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in table.rows]


def test_scores_are_read(write) -> None:
    found = read_scores(write("subject,nihss,mrs,sex\r\ns1,12,3,f\r\ns2,,n/a,m\r\n\r\ns3,4.5,NA,f\r\n"))
    assert found == Scores(
        name="scores.csv",
        subjects=("s1", "s2", "s3"),
        values={"nihss": {"s1": 12.0, "s3": 4.5}, "mrs": {"s1": 3.0}},
        ignored=("sex",),
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("age\tparticipant_id\tnihss\n70\tsub-01\t4\n71\tsub-02\t5\n", "participants.tsv"),
        ("age;ID;nihss\n70;sub-01;4\n71;sub-02;5\n", "scores.csv"),
        ('\ufeffage,Subject,nihss\n70,"sub-01",4\n71, sub-02 ,5', "scores.csv"),
        ("patient,age,nihss\nsub-01,70,4\nsub-02,71,5\n", "SCORES.CSV"),
        (",age,nihss\nsub-01,70,4e0\nsub-02,71,+5\n", "scores.txt"),
    ],
)
def test_subjects_are_found_by_heading_or_first(write, text, name) -> None:
    found = read_scores(write(text, name))
    assert found.subjects == ("sub-01", "sub-02")
    assert found.values == {"age": {"sub-01": 70, "sub-02": 71}, "nihss": {"sub-01": 4, "sub-02": 5}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "scores.csv: the file is empty"),
        ("subject,nihss\n", "a header and no subject"),
        ("subject,nihss\ns1,4\ns2,5\ns1,6\n", "subject s1 stands in the lines 2 and 4"),
        ("subject,nihss\ns1,4\n,5\n", "line 3: the column subject names no subject"),
        ("subject,nihss\ns1,four\ns2,5\n", "line 2: 'four' in the column nihss is no finite number"),
        ("subject,nihss\ns1,inf\ns2,5\n", "line 2: 'inf' in the column nihss"),
        ("subject,nihss\ns1,1_0\ns2,5\n", "line 2: '1_0' in the column nihss"),
        ("subject;nihss\ns1;4,5\ns2;5\n", "'4,5' .* with a point"),
        ("subject,sex\ns1,f\ns2,m\n", "no column holds numbers beside the subjects .subject."),
        ("subject,nihss\ns1,\ns2,NA\n", "no column holds numbers"),
        ("subject\ns1\n", "no column holds numbers"),
        ("s1,4\ns2,5\n", "first line holds numbers"),
        ("subject,NIHSS,nihss\ns1,4,5\n", "two columns are called 'nihss'"),
        ("subject,id,nihss\ns1,4,5\n", "subject and id could both hold the subjects"),
        ("subject,nihss,\ns1,4,5\n", "column 3 has no name"),
        ("subject,nihss\ns1,4,5\n", "line 2: 3 cells below 2 headings"),
        ('subject,nihss\ns1,"4\n', "this is no line of a table"),
        (b"PK\x03\x04\x00\x00,\n", "not a text file"),
        (b"subject,nihss\n\xff\xfe,4\n", "not a text file"),
    ],
)
def test_tables_that_cannot_be_used_are_refused(write, text, message) -> None:
    with pytest.raises(InputError, match=message):
        read_scores(write(text))


def test_other_files_are_refused(write, tmp_path) -> None:
    with pytest.raises(InputError, match="come as CSV or TSV"):
        read_scores(write("subject,nihss\ns1,4\n", "scores.xlsx"))
    with pytest.raises(InputError, match="no such file"):
        read_scores(tmp_path / "none.csv")


@pytest.fixture(scope="module")
def scored():
    """Two figures and two scores of twelve subjects, of which not all have all."""
    random = np.random.default_rng(6)
    severity = random.gamma(2, 4, 12)
    names = [f"s{i:02d}" for i in range(12)]
    volume = dict(zip(names, severity * 3 + random.normal(0, 4, 12), strict=True))
    asymmetry = dict(zip(names[:10], random.normal(0, 1, 10), strict=True))
    asymmetry["s03"] = math.nan
    scores = {
        "nihss": dict(zip(names, np.round(severity), strict=True)),
        "mrs": {name: float(min(6, s // 3)) for name, s in zip(names[1:], severity[1:], strict=True)},
    }
    scores["mrs"]["s99"] = 2.0
    values = {"volume": volume, "asymmetry": asymmetry}
    return values, Scores(name="scores.csv", subjects=(*names, "s99"), values=scores, ignored=("sex",))


def test_each_figure_is_held_against_each_score(scored) -> None:
    values, scores = scored
    table = score_correlations(values, scores)
    rows = rows_of(table)
    assert [(row["figure"], row["score"]) for row in rows] == [(f, s) for f in values for s in ("nihss", "mrs")]
    for row in rows:
        figure, score = values[row["figure"]], scores.values[row["score"]]
        both = [s for s in figure if s in score and math.isfinite(figure[s])]
        x, y = [figure[s] for s in both], [score[s] for s in both]
        assert row["subjects"] == len(both)
        rho, r = stats.spearmanr(x, y), stats.pearsonr(x, y)
        assert (row["spearman_rho"], row["pearson_r"]) == pytest.approx((rho[0], r[0]))
        assert row["pearson_r_p"] == pytest.approx(r[1])
        found = correlate(x, y)
        assert (row["spearman_rho_low"], row["spearman_rho_high"]) == (
            found.spearman.estimate.low,
            found.spearman.estimate.high,
        )
        assert row["pearson_r_interval"] == "BCa"
    assert rows[0]["spearman_rho"] > 0.7
    assert rows[0]["spearman_rho_low"] > 0
    assert "ignored: sex" in table.note


def test_holms_correction_is_over_the_table(scored) -> None:
    rows = rows_of(score_correlations(*scored))
    for name in ("spearman_rho", "pearson_r"):
        highest = 0.0
        for rank, row in enumerate(sorted(rows, key=lambda row: row[f"{name}_p"])):
            highest = max(highest, min(1.0, row[f"{name}_p"] * (4 - rank)))
            assert row[f"{name}_p_holm"] == pytest.approx(highest)


def test_subjects_without_a_partner_are_named(scored) -> None:
    rows = {(row["figure"], row["score"]): row for row in rows_of(score_correlations(*scored))}
    assert rows["volume", "nihss"]["note"] == ""
    told = rows["volume", "mrs"]
    assert (told["without_score"], told["without_figure"]) == (1, 1)
    assert told["note"] == "No score: s00. No figure: s99."
    told = rows["asymmetry", "nihss"]
    assert (told["subjects"], told["without_figure"]) == (9, 3)
    assert told["note"] == "No figure: s03, s10, s11."


def test_many_without_a_partner_are_counted() -> None:
    values = {"volume": {f"s{i:02d}": float(i % 7) for i in range(20)}}
    scores = Scores(name="a.csv", subjects=("s00", "s01"), values={"nihss": {"s00": 1.0, "s01": 2.0}})
    row = rows_of(score_correlations(values, scores))[0]
    assert row["without_score"] == 18
    assert row["note"].startswith("No score: s02, s03, s04, s05, s06, s07, s08, s09 and 10 more.")
    assert "2 pairs: no correlation" in row["note"]
    assert row["spearman_rho"] is row["spearman_rho_p_holm"] is None


def test_the_order_of_subjects_does_not_matter(scored) -> None:
    values, scores = scored
    turned = {name: dict(reversed(mine.items())) for name, mine in values.items()}
    backwards = Scores(
        name=scores.name,
        subjects=scores.subjects[::-1],
        values={name: dict(reversed(mine.items())) for name, mine in scores.values.items()},
        ignored=scores.ignored,
    )
    assert score_correlations(turned, backwards) == score_correlations(values, scores)


def test_subjects_that_are_all_strangers_are_refused(scored) -> None:
    _, scores = scored
    with pytest.raises(InputError, match=r"none of its subjects \(s00, .* and 5 more\).*\(sub-00\)"):
        score_correlations({"volume": {"sub-00": 1.0}}, scores)
    with pytest.raises(InputError, match="no figures"):
        score_correlations({}, scores)

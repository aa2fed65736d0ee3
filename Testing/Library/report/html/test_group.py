"""The report of a group as text, and its drawings."""

from __future__ import annotations

import re

import numpy as np
import pytest
from report_making import Page, comparison_of, flag, lesions_of, summary_of

from PyPeTLib.errors import InputError
from PyPeTLib.report.html import ScanRow, write_group_report
from PyPeTLib.report.html.charts import bland_altman_plot, box_plot
from PyPeTLib.tables import Column, DataTable

HOSTILE = """<script>alert("x")</script>&"""


def scan(number: int, modality: str = "ctp", **more) -> ScanRow:
    summary = summary_of(modality)
    summary["lesions"] = lesions_of(10.0 + number)
    summary["comparison"] = comparison_of(10.0 + number, 11.0 + 2 * number)
    summary["maps"]["cbf"]["median"] = 20.0 + number
    given = {"subject": f"{number:02d}", "report": f"sub-{number:02d}/report.html", "summary": summary}
    return ScanRow(name=f"sub-{number:02d}", **(given | more))


@pytest.fixture
def written(tmp_path):
    def write(scans, **more) -> tuple[str, Page]:
        path = tmp_path / "index.html"
        write_group_report(path, title="Study", scans=scans, **more)
        text = path.read_text(encoding="utf-8")
        return text, Page(text)

    return write


def cells(page: Page, name: str) -> dict[str, str]:
    """The cells of a scan by their headings."""
    headings = [text for attrs, text in page.all("th") if "data-sort" in attrs]
    texts = [text for attrs, text in page.all("td", "th") if "data-key" in attrs]
    start = texts.index(name)
    return dict(zip(headings, texts[start : start + len(headings)], strict=True))


def test_each_scan_has_its_row_with_link_flags_volumes_and_metrics(written):
    other = scan(2)
    other.summary["flags"] = [flag("note", "a"), flag("failure", "late"), flag("warning", "motion")]
    text, page = written([scan(1), other])
    assert cells(page, "sub-01") == {
        "Scan": "sub-01",
        "Subject": "01",
        "State": "done",
        "Flags": "none raised",
        "Core [ml]": "11.0",
        "Hypoperfused [ml]": "97.4",
        "Mismatch [ml]": "86.4",
        "Mismatch ratio": "8.85",
        "CBF median [ml/100g/min]": "21.0",
        "CBV median [ml/100g]": "2.43",
        **{f"{name} median [s]": "6.50" for name in ("MTT", "TTP", "Tmax")},
        "CBF Pearson r": "0.930",
        "CBF Lin's concordance": "0.900",
    }
    assert cells(page, "sub-02")["Flags"] == "1 failure, 1 warning, 1 note: late, motion"
    assert 'href="sub-01/report.html"' in text
    assert "late failure 1" in page.with_id("flags")


def test_failed_and_skipped_scans_are_counted_and_told_with_their_cause(written):
    failed = ScanRow(name="sub-03", state="failed", cause="It has 3 frames.")
    skipped = ScanRow(name="sub-04", state="skipped", cause="Its results are current.")
    text, page = written([scan(1), scan(2), failed, skipped])
    assert [text for attrs, text in page.all("ul") if attrs.get("class") == "counts"] == [
        "4 scans 2 done 1 failed 1 skipped"
    ]
    assert "sub-03: It has 3 frames." in text.replace("<strong>", "").replace("</strong>", "")
    row = cells(page, "sub-03")
    assert (row["State"], row["Cause"], row["Flags"], row["Core [ml]"]) == ("failed", "It has 3 frames.", "–", "–")
    states = {attrs["data-state"]: attrs["data-flags"] for attrs, _ in page.all("tr") if "data-state" in attrs}
    assert states == {"done": "none", "failed": "unknown", "skipped": "unknown"}


def test_warnings_of_the_group_stand_before_its_scans(written):
    text, page = written([scan(1)], warnings=["The scans were processed in different ways: <b>osvd</b>."])
    (told,) = [text for attrs, text in page.all("p") if attrs.get("class") == "flags warning"]
    assert told == "▲ Warning: The scans were processed in different ways: <b>osvd</b>."
    assert text.index("different ways") < text.index('id="scans"')
    assert "Warning:" not in written([scan(1)])[0]


def test_statistics_are_shown_without_machine_names_and_with_notes_below(written):
    names = {
        "map": "Map",
        "normalisation": "Values",
        "metric": "Name",
        "title": "Figure",
        "mean": "Mean",
        "note": "Note",
    }
    table = DataTable(
        name="t",
        title="All subjects",
        columns=tuple(Column(name=name, title=title) for name, title in names.items()),
        rows=(
            ("CBF", "relative", "ncc", "NCC", 0.9, "One scan has no value."),
            ("CBF", "relative", "bias", "Bias", -3.79e-8, "One scan has no value."),
            ("CBF", "absolute", "bias", "Bias", -3.79e-8, None),
        ),
    )
    _, page = written([], tables=[table])
    (shown,) = [text for attrs, text in page.all("table") if "All subjects" in text]
    assert shown == (
        "All subjects Map Values Figure Mean CBF relative NCC 0.900 CBF relative Bias 0 CBF absolute Bias −3.79e−08"
    )
    (below,) = [text for attrs, text in page.all("ul") if "remarks" in attrs.get("class", "")]
    assert below == "CBF, relative, NCC; CBF, relative, Bias: One scan has no value."


def test_plots_of_agreement_have_one_size(written):
    scans = [scan(1), scan(2)]
    for one in scans:
        (cbf,) = one.summary["comparison"]["references"]
        cbf["normalisation"] = "absolute"
        more = [{**cbf, "quantity": name, "unit": "s"} for name in ("mtt", "ttp", "tmax", "tmax")]
        one.summary["comparison"]["references"] = [cbf, *more]
    _, page = written(scans)
    text = {attrs["aria-label"]: attrs["viewbox"] for attrs, _ in page.all("svg") if "absolute" in attrs["aria-label"]}
    assert len(text) > 2
    assert len(set(text.values())) == 1


def test_uncalibrated_medians_are_marked_and_not_drawn(written):
    _, page = written([scan(1), scan(2, "dsc")])
    assert cells(page, "sub-02")["CBF median [ml/100g/min]"] == "22.0 uncalibrated"
    assert cells(page, "sub-01")["CBF median [ml/100g/min]"] == "21.0"
    told = [attrs["aria-label"] for attrs, _ in page.all("svg")]
    assert any("Median CBF in ml/100g/min. CT perfusion: 1 scans" in text and "DSC" not in text for text in told)
    assert any("Median MTT" in text and "DSC-MRI: 1 scans" in text for text in told)
    assert any("CBF of 1 scan, CBV of 1 scan" in text for _, text in page.all("p"))


def test_hostile_labels_stay_text_and_nothing_is_loaded(written):
    bad = scan(1, subject=HOSTILE, cause=HOSTILE)
    bad.summary["input"]["modality"] = HOSTILE
    bad.summary["flags"] = [flag("warning", code=HOSTILE)]
    table = DataTable(name="t", title=HOSTILE, columns=(Column(name=HOSTILE),), rows=((HOSTILE,),))
    scans = [bad, ScanRow(name=HOSTILE, state=HOSTILE), scan(2), scan(3)]
    text, page = written(scans, tables=[table], comparisons=[table])
    assert len(page.all("script")) == 1
    assert "<script>alert" not in text
    assert not re.findall(r"(?i)(?:https?|ftp|file):", text)
    assert not [name for _, attrs, _ in page.elements for name in attrs if name.startswith("on") or name == "style"]
    (policy,) = [a["content"] for a, _ in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert "script-src 'sha256-" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("link", ["javascript:alert(1)", "/etc/report.html", "//host/x", "http://host/x", "a\\b"])
def test_reports_are_linked_by_relative_path_only(link):
    with pytest.raises(InputError, match="relative"):
        ScanRow(name="a", report=link)


def test_odd_letters_in_paths_are_quoted():
    assert ScanRow(name="a", report="../sub 1/50%#/report.html").link == "../sub%201/50%25%23/report.html"


def test_equal_scans_give_equal_bytes_and_no_scans_a_page(written):
    scans = [scan(1), scan(2), scan(3)]
    assert written(scans)[0] == written(scans)[0]
    assert "0</strong> scans" in written([])[0]


def numbers(svg: str, kind: str, *names: str) -> list[tuple[float, ...]]:
    found = re.findall(rf"<{kind} ([^>]*)>", svg)
    return [tuple(float(re.search(rf'\b{name}="([^"]+)"', one)[1]) for name in names) for one in found]


def test_boxes_stand_at_the_quartiles():
    values = np.array([1.0, 2.0, 4.0, 7.0, 30.0])
    chart = box_plot("CBF", "s", {"CT": [(f"s{i}", float(value)) for i, value in enumerate(values)]})
    points = dict(zip(values, (y for (y,) in numbers(str(chart.svg), "circle", "cy")), strict=True))
    scale = (points[30.0] - points[1.0]) / 29
    ((top, height),) = numbers(str(chart.svg), "rect", "y", "height")
    low, middle, high = np.percentile(values, (25, 50, 75))
    assert top == pytest.approx(points[1.0] + scale * (high - 1), abs=0.1)
    assert height == pytest.approx(-scale * (high - low), abs=0.1)
    # the outlier is a point beyond the whisker
    whisker = min(y for _, y in numbers(str(chart.svg), 'line class="box"', "x1", "y2"))
    assert whisker == pytest.approx(points[7.0], abs=0.1)
    assert f"median {middle:.2f}, quartiles 2.00 and 7.00, range 1.00 to 30.0" in chart.text


def test_bland_altman_tells_bias_and_limits_from_three_scans_on():
    rng = np.random.default_rng(1)
    ours, theirs = rng.normal(50, 10, 8), rng.normal(48, 10, 8)
    pairs = {f"s{i}": (float(a), float(b)) for i, (a, b) in enumerate(zip(ours, theirs, strict=True))}
    chart = bland_altman_plot("Core", "ml", pairs)
    bias, spread = (ours - theirs).mean(), 1.96 * (ours - theirs).std(ddof=1)
    told = [float(text.replace("−", "-")) for text in re.findall(r"(?:bias|agreement|to) ([−\d.]+\d)", chart.text)]
    assert told == pytest.approx([bias, bias - spread, bias + spread], rel=0.01)
    assert len(numbers(str(chart.svg), "circle", "cx")) == 8
    two = bland_altman_plot("Core", "ml", dict(list(pairs.items())[:2]))
    assert "limits" not in two.text


def test_equal_values_and_single_ones_are_drawn():
    for values in ([0.0], [5.0, 5.0, 5.0], [-1e-7, 1e-7, 0.0], [1e6, 2e6]):
        chart = box_plot("x", "", {"a": [(f"{i}", value) for i, value in enumerate(values)]})
        heights = [y for (y,) in numbers(str(chart.svg), "circle", "cy")]
        assert all(0 <= y <= 260 for y in heights)

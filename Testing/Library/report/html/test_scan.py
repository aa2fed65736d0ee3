"""The report of a scan as text: what it holds, what it says where something is missing, and what it never does."""

from __future__ import annotations

import base64
import io
import json
import re
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from report_making import CURVES, SIZES, Page, comparison_of, flag, lesions_of

from PyPeTLib.errors import InputError
from PyPeTLib.io import LoadedSeries
from PyPeTLib.lesions import find_lesions
from PyPeTLib.report import write_figures
from PyPeTLib.report.html import write_scan_report
from PyPeTLib.report.summary import summarise
from PyPeTLib.tables import Column, DataTable

HOSTILE = """<script>alert("x")</script><img src=x onerror='y'>&"""
TABLE = DataTable(
    name="extra",
    title="More",
    columns=(Column(name="a", title=HOSTILE), Column(name="b", unit="ml")),
    rows=((HOSTILE, 1.23456), ("none", None), ("nan", float("nan"))),
    note=HOSTILE,
)


@pytest.fixture
def written(tmp_path):
    """Writes a report and returns it as text and as elements."""

    def write(summary, figures=None, **more) -> tuple[str, Page]:
        path = tmp_path / "report.html"
        write_scan_report(path, summary=summary, figures=figures, **more)
        assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
        text = path.read_text(encoding="utf-8")
        return text, Page(text)

    return write


def full(summary):
    return {**summary, "lesions": lesions_of(), "comparison": comparison_of()}


def test_every_figure_of_a_run_is_in_the_page_pixel_by_pixel(written, dsc_result, tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    drawn = write_figures(dsc_result, folder, lesions=find_lesions(dsc_result))
    summary = summarise(dsc_result, LoadedSeries(series=dsc_result.series, sources={"frame_times": "test"}))
    _, page = written(summary, folder)
    pictures = page.all("img")
    assert len(pictures) == len(drawn) == len(SIZES) + len(CURVES)
    shown = []
    for attrs, _ in pictures:
        assert len(attrs["alt"]) > 20
        data = base64.b64decode(attrs["src"].removeprefix("data:image/png;base64,"))
        with Image.open(io.BytesIO(data)) as image:
            assert (image.width, image.height) == (int(attrs["width"]), int(attrs["height"]))
            shown.append(np.asarray(image.convert("RGB")))
    for path in drawn:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        assert any(other.shape == pixels.shape and (other == pixels).all() for other in shown), path.name
    maps = [attrs["alt"] for attrs, _ in pictures if attrs["alt"].startswith("Slices")]
    assert len(maps) == 6
    assert all("the patient's right is on the viewer's left" in alt for alt in maps)


def test_a_figure_that_no_section_asks_for_is_shown_too(written, ct, tmp_path_factory):
    folder = tmp_path_factory.mktemp("other")
    Image.new("L", (3, 2)).save(folder / "new_thing.png")
    _, page = written(ct, folder, comparison=folder)
    assert [attrs["alt"] for attrs, _ in page.all("img")] == [
        "Comparison with a reference: new thing.",
        "Figure new thing.",
    ]


def test_nothing_is_loaded_from_elsewhere_and_no_script_runs(written, ct, figures):
    text, page = written(full(ct), figures, tables=(TABLE,))
    assert not re.findall(r"(?i)(?:https?|ftp|file):", text)
    assert not page.all("script", "link", "iframe", "object", "base")
    assert not [name for _, attrs, _ in page.elements for name in attrs if name.startswith("on") or name == "style"]
    (policy,) = [a["content"] for a, _ in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy
    assert {attrs["href"] for attrs, _ in page.all("a") if not attrs["href"].startswith("#")} == {
        "summary.json",
        "config.toml",
    }


def test_what_labels_smuggle_in_stays_text(written, ct):
    ct["input"]["file"] = ct["input"]["sources"]["frame_times"] = HOSTILE
    ct["flags"] = [flag("warning", code=HOSTILE, message=HOSTILE)]
    ct["brain"]["notes"] = ct["motion"]["frames_left_out"][HOSTILE] = [HOSTILE]
    summary = full(ct)
    summary["lesions"]["preset"] = HOSTILE
    summary["comparison"]["failed"] = [{"quantity": HOSTILE, "reason": HOSTILE}]
    summary["territories"] = [{"map": HOSTILE, HOSTILE: 1.0}]
    summary["scan"] = {"name": HOSTILE, "subject": HOSTILE}
    text, page = written(summary, tables=(TABLE,), options={HOSTILE: {HOSTILE: HOSTILE}})
    assert "<script" not in text
    assert "<img" not in text
    assert page.all("h1")[0][1] == " ".join(HOSTILE.split())


def test_headings_are_in_order_and_anchors_lead_somewhere(written, ct, figures):
    summary = full(ct) | {"territories": [{"map": "cbf", "label": 1, "mean": 2.0}]}
    _, page = written(summary, figures, tables=(TABLE,), options={"mask": {"method": "auto"}})
    levels = [int(tag[1]) for tag, _, _ in page.elements if tag in {"h1", "h2", "h3"}]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = [attrs["id"] for _, attrs, _ in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    needed = {attrs["href"][1:] for attrs, _ in page.all("a") if attrs["href"].startswith("#")}
    needed |= {a["aria-labelledby"] for _, a, _ in page.elements if "aria-labelledby" in a}
    assert needed <= set(ids)
    tables = [place for place, (tag, _, _) in enumerate(page.elements) if tag == "table"]
    assert tables
    assert all(page.elements[place + 1][0] == "caption" for place in tables)


def test_flags_stand_first_with_severity_sentence_and_numbers_the_worst_on_top(written, ct):
    ct["flags"] = [flag("note", "a"), flag("failure", "b"), flag("warning", "c")]
    text, page = written(ct)
    shown = page.with_id("flags")
    assert shown.startswith("Quality: 1 failure, 1 warning, 1 note")
    assert re.findall(r"(Failure|Warning|Note) It is warm\. \[(\w): 43\.2 K, at most 30 K\]", shown) == [
        ("Failure", "b"),
        ("Warning", "c"),
        ("Note", "a"),
    ]
    assert text.index('id="flags"') < text.index('id="values"')


def test_no_flags_is_said_without_praise_and_missing_flags_are_not_taken_for_none(written, ct):
    _, page = written(ct)
    assert page.with_id("flags").startswith("Quality: No flags raised")
    assert not re.search(r"(?i)\b(good|fine|ok|passed|excellent)\b", page.with_id("flags"))
    del ct["flags"]
    _, page = written(ct)
    assert "No flags" not in page.with_id("flags")
    assert "does not say" in page.with_id("flags")


def test_a_severity_that_is_not_known_is_a_warning(written, ct):
    ct["flags"] = [flag("catastrophe")]
    assert "1 warning" in written(ct)[1].with_id("flags")


def test_uncalibrated_maps_are_marked_wherever_they_are_shown(written, mr, figures):
    _, page = written(mr, figures)
    (scale,) = [text for attrs, text in page.all("p") if "scale" in attrs.get("class", "")]
    assert "CBF and CBV are uncalibrated" in scale
    rows = [text for attrs, text in page.all("tr") if "uncalibrated" in attrs.get("class", "")]
    assert [row.split()[0] for row in rows] == ["CBF", "CBV"]
    assert all("uncalibrated" in row for row in rows)
    assert sum("uncalibrated" in text for _, text in page.all("h3")) == 2
    assert sum("uncalibrated" in text for _, text in page.all("figcaption")) == 2


def test_a_calibrated_scan_has_no_such_mark_and_silence_counts_as_uncalibrated(written, ct):
    text, _ = written(ct)
    assert "uncalibrated" not in re.sub(r"(?s)<style>.*?</style>", "", text)
    del ct["maps"]["cbf"]["calibrated"]
    assert "CBF is uncalibrated" in written(ct)[0]


def test_lesions_are_told_with_rules_preset_and_source(written, ct):
    _, page = written(full(ct))
    shown = page.with_id("lesions")
    for part in (
        "Core (estimate) 24.6 ml CBF below 30 % of normal tissue, and hypoperfused",
        "Hypoperfused 97.4 ml Tmax above 6 s",
        "CBV index –",
        "Tmax > 10 s 30.1 ml",
        "core < 20 ml not met",
        "defuse-3: Albers et al. 2018, doi:10.1056/NEJMoa1713973",
        "smallest_cluster 1 ml",
    ):
        assert part in shown


def test_lesions_that_could_not_be_looked_for_say_why(written, ct):
    lesions = {"available": False, "reason": "The maps hold no values.", "core_ml": None}
    shown = written({**ct, "lesions": lesions})[1].with_id("lesions")
    assert "No lesions were looked for: The maps hold no values." in shown
    assert "Core" not in shown
    assert not [1 for _, attrs, _ in written(ct)[1].elements if attrs.get("id") == "lesions"]


def test_the_picture_of_the_lesions_stands_below_their_volumes_in_words_too(written, ct, figures):
    text, page = written(full(ct), figures)
    (alt,) = [attrs["alt"] for attrs, _ in page.all("img") if attrs["alt"].startswith("Where the lesions lie")]
    assert "core (magenta)" in alt
    assert "the patient's right is on the viewer's left" in alt
    assert text.index('id="lesions"') < text.index('id="where"') < text.index('id="artery"')
    assert 'href="#where"' in text
    assert "a sinus" in page.with_id("where")


def test_a_criterion_that_cannot_be_judged_is_neither_met_nor_missing(written, ct):
    summary = full(ct)
    target = summary["lesions"]["target_mismatch"]
    reason = "A quarter of the brain is not in view."
    target |= {"met": None, "reason": reason}
    target["criteria"][0] |= {"met": None, "reason": reason}
    shown = written(summary)[1].with_id("lesions")
    assert "core < 20 ml not known" in shown
    assert shown.count(reason) == 1
    assert not re.search(r"ml (not )?met\b", shown)
    del target["reason"], target["criteria"][0]["reason"]
    assert "The summary does not say why" in written(summary)[1].with_id("lesions")
    target["met"] = target["criteria"][0]["met"] = True
    assert "judged" not in written(summary)[1].with_id("lesions")


def test_notes_of_a_comparison_are_told_once_with_doubts_first(written, ct):
    summary = full(ct)
    (first,) = summary["comparison"]["references"]
    coverage = "1234 voxels (12.3 ml) hold a value in both maps and were compared."
    first |= {"normalisation": "relative", "notes": [coverage, "It was resampled.", "No unit."], "doubts": ["No unit."]}
    first["metrics"] |= {"bias": -3.79e-8}
    summary["comparison"]["references"] = [first, {**first, "normalisation": "absolute"}]
    _, page = written(summary)
    told = [text for _, text in page.all("li") if text.startswith(("CBF:", "MTT could"))]
    assert told[0].startswith("MTT could not be compared")
    assert told[1:] == ["CBF: No unit.", "CBF: It was resampled.", f"CBF: {coverage}"]
    # rounding is nothing where the mean is 0 by definition, and a value elsewhere
    assert "Bias 0 −3.79e−08" in page.with_id("comparison")


def test_options_of_lesions_that_are_not_known_are_not_explained(written, ct):
    lesions = lesions_of() | {"options": {"magic": 0.5}}
    assert "see the options below" in written({**ct, "lesions": lesions})[1].with_id("lesions")


def test_comparison_and_territories(written, ct):
    summary = full(ct) | {"territories": [{"map": "cbf", "label": 1, "name": "ACA", "mean": 22.25, "volume_ml": 8.0}]}
    _, page = written(summary)
    shown = page.with_id("comparison")
    for part in ("Pearson r 0.930", "SSIM in the brain –", "RMSE 3.40", "MTT could not be compared", "Core 24.6 22.1"):
        assert part in shown
    assert "cbf 1 ACA 22.2 8.00" in page.with_id("table-1")
    assert "Volume [ml]" in page.with_id("table-1")


@pytest.mark.parametrize("missing", ["input", "maps", "motion", "brain", "bolus", "aif", "vof", "version", "method"])
def test_a_summary_without_a_part_still_makes_a_report(written, ct, missing):
    del ct[missing]
    assert "Research use only" in written(ct)[0]


def test_values_that_are_none_or_no_number_are_dashes(written, ct):
    ct["maps"]["cbf"] |= {"median": float("nan"), "p05": None}
    ct["maps"]["mtt"] = {"unit": "s", "calibrated": True, "valid_voxels": 0}
    ct["motion"]["largest_displacement_mm"] = np.float32("nan")
    ct["aif"] = {"source": "none"}
    ct["bolus"]["found"] = False
    text, page = written(ct, tables=(TABLE,))
    assert "nan" not in page.with_id("values").lower()
    assert "MTT Mean transit time – – to – s" in page.with_id("values")
    assert "Largest displacement – mm" in page.with_id("motion")
    assert "Artery none" in page.with_id("artery")
    assert "NaN" not in text
    embedded = json.loads(next(text for _, text in page.all("pre")))
    assert embedded["maps"]["cbf"]["median"] is None


def test_origin_holds_sources_hash_and_version_but_no_folder(written, ct):
    options = {"input": {"series": "/home/someone/patient.nii.gz"}, "mask": {"method": "auto", "bridge": 5.0}}
    text, page = written(ct, options=options)
    shown = page.with_id("origin")
    for part in ("Frame times from RepetitionTime in sub-01.json", "f4" * 32, "PyPeT 0.1.0", "method auto", "bridge 5"):
        assert part in shown
    assert "someone" not in text


def test_equal_input_gives_equal_bytes(ct, figures, tmp_path):
    for name in ("a.html", "b.html"):
        write_scan_report(tmp_path / name, summary=full(ct), figures=figures, title="scan")
    content = (tmp_path / "a.html").read_bytes()
    assert content == (tmp_path / "b.html").read_bytes()
    assert b"\r" not in content


def test_without_figures_the_report_warns(written, ct, figures):
    assert "This run made no figures" in written(ct)[0]
    assert "This run made no figures" not in written(ct, figures)[0]


def test_a_figure_that_is_damaged_is_named(written, ct, tmp_path_factory):
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "cbf.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    with pytest.raises(InputError, match=r"cbf\.png is not a PNG file"):
        written(ct, folder)


def test_a_report_that_cannot_be_written_leaves_nothing(ct, tmp_path):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(InputError, match=r"report\.html: the file cannot be written"):
        write_scan_report(tmp_path / "report.html", summary=ct, figures=None)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]

"""Flags in everything that people read: sentence, code, value and threshold."""

from __future__ import annotations

import dataclasses
import json

import pytest

from PyPeTLib.io import LoadedSeries
from PyPeTLib.quality import Flag, Severity
from PyPeTLib.report import montages
from PyPeTLib.report.summary import rows, summarise, told

FLAGS = tuple(
    Flag(code=f"{severity}-heat", severity=severity, message="It is hot.", value=43.21, threshold=30.0, unit="K")
    for severity in Severity
)
SENTENCE = "It is hot. [{}-heat: 43.2 K, at most 30 K]"


@pytest.fixture(scope="module")
def flagged(ct_result):
    return dataclasses.replace(ct_result, flags=FLAGS)


@pytest.fixture(scope="module")
def summary(flagged):
    return summarise(flagged, LoadedSeries(series=flagged.series, sources={"frame_times": "test"}))


def test_the_summary_holds_each_flag_with_its_numbers(summary):
    flags = json.loads(json.dumps(summary))["flags"]
    assert [flag["code"] for flag in flags] == ["note-heat", "warning-heat", "failure-heat"]
    assert flags[1] == {
        "code": "warning-heat",
        "severity": "warning",
        "message": "It is hot.",
        "value": 43.21,
        "threshold": 30.0,
        "unit": "K",
        "number": "43.2 K, at most 30 K",
    }


@pytest.mark.parametrize("severity", list(Severity))
def test_text_and_table_tell_each_flag_with_its_numbers(summary, severity):
    sentence = SENTENCE.format(severity)
    assert f"  {severity}: {sentence}" in told(summary).splitlines()
    assert (severity.capitalize(), sentence, "") in rows(summary)


def test_the_page_tells_warnings_and_failures_with_their_numbers(flagged, monkeypatch):
    seen = []
    framed = montages.framed
    monkeypatch.setattr(
        montages, "framed", lambda heading, *args, **kw: seen.append(heading) or framed(heading, *args, **kw)
    )
    brain = montages.BrainSlices.on(flagged.series.grid, flagged.brain.mask)
    montages.summary_page(flagged, brain)
    montages.map_page(flagged, "cbf", brain)
    page, of_map = seen
    assert page.warnings == (SENTENCE.format("warning"),)
    assert page.failures == of_map.failures == (SENTENCE.format("failure"),)
    assert of_map.warnings == ("Warnings: warning-heat",)

"""The made dataset: what its scans are, that it reads back as it was planned, and that broken scans are broken."""

from __future__ import annotations

import csv

import nibabel
import numpy as np
import pytest

from PyPeTLib.cli import main as pypet
from PyPeTLib.compare import read_map
from PyPeTLib.errors import InputError
from PyPeTLib.io import load_series, read_mask
from PyPeTLib.io.dataset import find_scans
from PyPeTLib.lesions import find_lesions
from PyPeTLib.phantom.study import DAMAGES, REFERENCES, plan_study, write_study
from PyPeTLib.pipeline import run_pipeline


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Four scans in the layout of the original, each broken in another way."""
    folder = tmp_path_factory.mktemp("study") / "original"
    write_study(folder, scans=4, broken=4)
    return folder


@pytest.fixture(scope="module")
def bids(tmp_path_factory):
    """Three scans in the layout of BIDS: a patient with CT twice, and one with DSC."""
    folder = tmp_path_factory.mktemp("study") / "bids"
    write_study(folder, scans=3, layout="bids", seed=1)
    return folder


def truth(dataset) -> dict[str, dict[str, str]]:
    """Rows of the table by series."""
    with (dataset / "truth.tsv").open(encoding="utf-8", newline="") as file:
        return {row["series"]: row for row in csv.DictReader(file, delimiter="\t")}


def test_plan_of_24():
    plan = plan_study(24)
    assert len({scan.stem for scan in plan}) == len(plan) == 24
    assert {str(scan.modality) for scan in plan} == {"ctp", "dsc"}
    assert [scan.damage for scan in plan if scan.damage] == list(DAMAGES)[:3]
    assert sum(not scan.has_references for scan in plan) == 2
    assert not any(scan.damage and not scan.has_references for scan in plan)
    assert any(scan.has_mask for scan in plan)
    first = [scan for scan in plan if scan.session == "01"]
    again = [scan for scan in plan if scan.session == "02"]
    assert {scan.subject for scan in again} < {scan.subject for scan in first}
    # both sessions of a subject are of one kind, and the second one is perfused again
    kinds = {scan.subject: scan.modality for scan in first}
    assert all(scan.healthy and scan.modality is kinds[scan.subject] for scan in again)
    for modality in ("ctp", "dsc"):
        assert {scan.healthy for scan in first if scan.modality == modality} == {True, False}


@pytest.mark.parametrize("scans", [1, 3, 7, 40])
def test_plans_of_any_number(scans):
    plan = plan_study(scans)
    assert [scan.number for scan in plan] == list(range(scans))
    assert sum(bool(scan.damage) for scan in plan) == (scans + 4) // 8
    assert not any(scan.damage for scan in plan_study(scans, broken=0))
    assert all(scan.damage for scan in plan_study(scans, broken=scans))


@pytest.mark.parametrize(
    "options", [{"scans": 0}, {"scans": 3, "broken": 4}, {"broken": -1}, {"size": "huge"}, {"layout": "flat"}]
)
def test_what_makes_no_study_is_refused(options, tmp_path):
    with pytest.raises(InputError):
        write_study(tmp_path / "study", **options)
    assert not (tmp_path / "study").exists()


def test_it_reads_back_as_planned(original, bids):
    for dataset, kind in ((original, "original"), (bids, "bids")):
        layout = find_scans(dataset)
        assert (layout.kind, layout.problems, layout.description) == (kind, (), "Head phantoms of PyPeT")
        plan = plan_study(4, broken=4) if kind == "original" else plan_study(3)
        assert [scan.name for scan in layout.scans] == [f"{one.stem}_{one.modality}" for one in plan]
        for scan, one in zip(layout.scans, plan, strict=True):
            assert scan.modality == one.modality
            assert tuple(scan.references) == (REFERENCES if one.has_references else ())
            assert (scan.brain_mask is not None) == one.has_mask
            assert scan.series.relative_to(dataset).as_posix() in truth(dataset)


def test_broken_scans_are_refused_each_for_its_own_reason(original):
    damage = {dataset: row["damage"] for dataset, row in truth(original).items()}
    reasons = {"truncated": "truncated", "no-frame-times": "frame times are unknown", "few-frames": "are too few"}
    seen = set()
    for scan in find_scans(original).scans:
        what = damage[scan.series.relative_to(original).as_posix()]
        seen.add(what)
        if what in reasons:
            with pytest.raises(InputError, match=reasons[what]):
                load_series(scan.series, **scan.facts)
        elif what == "no-bolus":
            curve = load_series(scan.series, **scan.facts).series.array().mean(axis=(0, 1, 2))
            assert np.ptp(curve) < 1
    assert seen == set(DAMAGES)


def test_lesions_of_the_scans_are_found(bids):
    for scan in find_scans(bids).scans:
        row = truth(bids)[scan.series.relative_to(bids).as_posix()]
        loaded = load_series(scan.series, **scan.facts)
        if scan.suffix == "dsc":
            # from the sidecar of the whole dataset
            assert loaded.series.acquisition.echo_time == 0.03
        result = run_pipeline(loaded.series)
        lesions = find_lesions(result)
        expected = float(row["hypoperfused_ml"])
        assert (expected > 0) == (scan.session == "01")
        assert lesions.hypoperfused_volume == pytest.approx(expected, rel=0.25, abs=1)
        assert lesions.core_volume <= float(row["core_ml"]) + 1
        if expected:
            reference = read_map(scan.references["tmax"]).values
            both = result.maps.quality_mask & np.isfinite(reference)
            assert np.count_nonzero(both) > 4000
            assert np.corrcoef(result.maps.tmax.values[both], reference[both])[0, 1] > 0.8
        if scan.brain_mask is not None:
            mask = read_mask(scan.brain_mask, loaded.series)
            assert np.mean(mask == result.brain.mask) > 0.99


def test_sessions_share_the_head_and_not_the_noise(bids):
    first, second = (nibabel.load(scan.series) for scan in find_scans(bids).scans[:2])
    np.testing.assert_array_equal(first.affine, second.affine)
    one, other = (np.asarray(image.dataobj)[..., :4].astype(float) for image in (first, second))
    inside = (one.mean(axis=3) > -20) & (one.mean(axis=3) < 60)
    assert np.corrcoef(one.mean(axis=3).ravel(), other.mean(axis=3).ravel())[0, 1] > 0.99
    noise = [(image - image.mean(axis=3, keepdims=True))[inside].ravel() for image in (one, other)]
    assert abs(np.corrcoef(*noise)[0, 1]) < 0.02
    assert noise[0].std() == pytest.approx(2 * np.sqrt(3 / 4), rel=0.05)


def test_references_tell_their_units_and_hold_the_truth(bids):
    scan = next(scan for scan in find_scans(bids).scans if scan.suffix == "dsc")
    sidecar = scan.references["cbf"].with_name("sub-02_ses-01_cbf.json")
    assert '"ml/100g/min"' in sidecar.read_text(encoding="utf-8")
    flow = read_map(scan.references["cbf"]).values
    assert 20 < np.nanmean(flow) < 60
    assert np.nanmin(flow) > 0


def test_the_command_writes_the_same_bytes(bids, tmp_path, capsys):
    out = tmp_path / "study"
    options = ["phantom", "study", str(out), "--scans", "1", "--layout", "bids", "--seed", "1"]
    assert pypet(options) == 0
    assert "1 scans of 1 subjects, 0 of them broken" in capsys.readouterr().out
    files = [path.relative_to(out) for path in out.rglob("*sub-01_ses-01_*") if path.is_file()]
    assert len(files) == 2 + 2 * len(REFERENCES) + 1
    for path in files:
        assert (bids / path).read_bytes() == (out / path).read_bytes(), path
    assert pypet(options) == 2
    assert "--overwrite" in capsys.readouterr().err

"""All maps of a scan against their references: what is compared, what is refused, and the lesions of both."""

import csv
import dataclasses
import json
import math

import numpy as np
import pytest

from PyPeTLib.compare.metrics import METRICS
from PyPeTLib.compare.model import CompareOptions
from PyPeTLib.compare.same_head import Likeness
from PyPeTLib.compare.scan import LesionRules, compare_references
from PyPeTLib.geometry import Grid, nearest_ras
from PyPeTLib.io import write_volume
from PyPeTLib.maps import QUANTITIES, ParameterMap, PerfusionMaps


@dataclasses.dataclass
class Study:
    """Maps of a head with a lesion on one side, and how to write references of it."""

    maps: PerfusionMaps
    brain: np.ndarray
    lesion: np.ndarray
    grid: Grid

    @property
    def rules(self):
        return LesionRules(tissue=self.brain, normal=self.brain & ~self.lesion)

    def write(self, folder, name, values, *, unit=None):
        path = folder / f"{name}.nii.gz"
        write_volume(path, np.asarray(values, np.float32), nearest_ras(self.grid))
        if unit is not None:
            path.with_name(f"{name}.json").write_text(json.dumps({"Units": unit}), encoding="utf-8")
        return path

    def values(self, name):
        return self.maps[name].values

    def compare(self, references, **options):
        return compare_references(
            self.maps, references, grid=self.grid, brain=self.brain, **{"pictures": False, **options}
        )


@pytest.fixture(scope="module")
def study(head):
    affine, brain, _, noisy = head
    grid = Grid(brain.shape, affine)
    x, y = np.meshgrid(*(np.arange(n) for n in brain.shape[:2]), indexing="ij")
    lesion = brain & ((x - 22) ** 2 + (y - 36) ** 2 < 100)[..., None]
    ripple = np.random.default_rng(5).normal(0, 0.5, brain.shape)
    tmax = np.where(brain, np.where(lesion, 9.0, 2.5) + ripple, 0).astype(np.float32)
    flow = np.where(lesion, 0.2 * noisy, noisy).astype(np.float32)
    maps = {
        name: ParameterMap(quantity=QUANTITIES[name], values=values, valid=brain, affine=affine)
        for name, values in (("cbf", flow), ("tmax", tmax))
    }
    return Study(maps=PerfusionMaps(maps=maps, quality_mask=brain), brain=brain, lesion=lesion, grid=grid)


def kinds(found):
    return [(entry["quantity"], entry["normalisation"], entry["unit"]) for entry in found.facts()["references"]]


def test_relative_values_always_and_absolute_ones_where_a_unit_is_told(study, tmp_path) -> None:
    cbf, tmax = study.values("cbf"), study.values("tmax")
    told = study.write(tmp_path, "sub-01_cbf", 1.05 * cbf, unit="ml/100ml/min")
    untold = study.write(tmp_path, "sub-01_tmax", tmax)
    found = study.compare({"cbf": told, "tmax": untold})
    assert kinds(found) == [("cbf", "relative", "1"), ("cbf", "absolute", "ml/100g/min"), ("tmax", "relative", "1")]
    facts = found.facts()
    assert set(facts) == {"references", "failed", "lesions"}
    assert (facts["failed"], facts["lesions"]) == ([], None)
    absolute = facts["references"][1]
    assert set(absolute) == {"quantity", "unit", "normalisation", "metrics", "voxels", "volume_ml", "notes", "doubts"}
    assert set(absolute["metrics"]) == set(METRICS)
    assert absolute["metrics"]["mae"] == pytest.approx(0, abs=1e-4)
    assert absolute["voxels"] == study.brain.sum()
    assert absolute["volume_ml"] == pytest.approx(study.brain.sum() * study.grid.voxel_volume / 1000)
    assert "converted from ml/100ml/min" in " ".join(absolute["notes"])
    by_hand = study.compare({"tmax": untold}, units={"tmax": "s"})
    assert kinds(by_hand)[1] == ("tmax", "absolute", "s")
    assert json.loads(json.dumps(facts)) == facts


def test_an_arbitrary_scale_and_an_unknown_unit_are_not_compared_absolutely(study, tmp_path) -> None:
    cbf = study.maps["cbf"]
    arbitrary = PerfusionMaps(maps={"cbf": dataclasses.replace(cbf, calibrated=False)}, quality_mask=study.brain)
    told = study.write(tmp_path, "a_cbf", cbf.values, unit="ml/100g/min")
    assert kinds(dataclasses.replace(study, maps=arbitrary).compare({"cbf": told})) == [("cbf", "relative", "1")]
    odd = study.compare({"cbf": study.write(tmp_path, "b_cbf", cbf.values, unit="furlongs")})
    assert kinds(odd) == [("cbf", "relative", "1")]
    assert "'furlongs', is not known" in odd.agreements[0].notes[0]
    wrong = study.compare({"cbf": study.write(tmp_path, "c_cbf", cbf.values, unit="s")})
    # a map of another quantity
    assert kinds(wrong) == []
    assert ["cannot be converted" in failure["reason"] for failure in wrong.facts()["failed"]] == [True]


def test_what_cannot_be_compared_is_told_and_stops_nothing(study, tmp_path) -> None:
    (tmp_path / "broken_mtt.nii.gz").write_bytes(b"no image")
    references = {
        "mtt": tmp_path / "broken_mtt.nii.gz",
        "cbf": study.write(tmp_path, "cbf", study.values("cbf"), unit="s"),
        "cbv": tmp_path / "none_cbv.nii.gz",
        "tmax": study.write(tmp_path, "tmax", study.values("tmax")),
    }
    facts = study.compare(references, lesions=study.rules).facts()
    assert [entry["quantity"] for entry in facts["references"]] == ["tmax"]
    reasons = {entry["quantity"]: entry["reason"] for entry in facts["failed"]}
    assert set(reasons) == {"mtt", "cbf", "cbv", "lesions"}
    assert "made no such map" in reasons["mtt"]
    assert "cannot be converted" in reasons["cbf"]
    assert "no CBF to compare" in reasons["lesions"].replace("There is ", "")
    assert not any(str(tmp_path) in reason for reason in reasons.values())


def mirrored(study, folder, *names):
    return {name: study.write(folder, name, study.values(name)[::-1], unit=QUANTITIES[name].unit) for name in names}


def test_of_a_mirrored_folder_nothing_is_compared(study, tmp_path) -> None:
    found = study.compare(mirrored(study, tmp_path, "cbf", "tmax"), lesions=study.rules)
    assert found.agreements == ()
    assert found.lesions is None
    assert {failure.quantity for failure in found.failures} == {"cbf", "tmax", "lesions"}


def test_one_map_of_another_head_speaks_for_its_whole_folder(study, tmp_path) -> None:
    good = study.write(tmp_path, "good_tmax", study.values("tmax"), unit="s")
    assert kinds(study.compare({"tmax": good})) == [("tmax", "relative", "1"), ("tmax", "absolute", "s")]
    # whatever comes first
    for order in (("cbf", "tmax"), ("tmax", "cbf")):
        references = {**mirrored(study, tmp_path, "cbf"), "tmax": good}
        found = study.compare({name: references[name] for name in order}, lesions=study.rules)
        assert found.agreements == ()
        assert found.lesions is None
        reasons = {failure.quantity: failure.reason for failure in found.failures}
        assert set(reasons) == {"cbf", "tmax", "lesions"}
        assert "do not seem to show one head" in reasons["cbf"]
        assert reasons["tmax"].startswith("Left out: the reference CBF does not show this head")
        assert "do not show this head" in reasons["lesions"]
    allowed = study.compare(
        references, lesions=study.rules, options=CompareOptions(normalisation="relative", allow_mismatch=True)
    )
    assert ("cbf", "absolute", "ml/100g/min") in kinds(allowed)
    assert "do not seem to show one head" in allowed.agreements[0].doubts[0]


def test_where_the_head_is_in_doubt_only_relative_values_are_compared(study, tmp_path, monkeypatch) -> None:
    references = {
        name: study.write(tmp_path, name, study.values(name), unit=QUANTITIES[name].unit) for name in ("cbf", "tmax")
    }
    maybe = Likeness(dice=0.95, centres=1.0, sizes=1.0, detail=0.4, displaced=0.07, time=False)
    monkeypatch.setattr("PyPeTLib.compare.maps.likeness", lambda *_, **__: maybe)
    found = study.compare(references, lesions=study.rules)
    assert kinds(found) == [("cbf", "relative", "1"), ("tmax", "relative", "1")]
    for entry in found.facts()["references"]:
        assert entry["notes"][:2] == entry["doubts"]
        assert "is not certain" in entry["doubts"][0]
        assert "Absolute values were not compared" in entry["doubts"][1]
    assert found.lesions is None
    assert "not certain that any of the references shows this head" in found.failures[-1].reason
    absolute = study.compare(references, options=CompareOptions(normalisation="absolute"))
    assert absolute.agreements == ()
    assert "allow the mismatch (allow_mismatch)" in absolute.failures[0].reason


def test_how_much_was_compared_is_told_once_for_each_map(study, tmp_path) -> None:
    found = study.compare({"cbf": study.write(tmp_path, "cbf", 100 * study.values("cbf"), unit="ml/100g/min")})
    first, second = found.agreements
    assert [sum("were compared." in note for note in agreement.notes) for agreement in (first, second)] == [1, 0]
    # what matters comes first
    assert first.doubts == ()
    assert "times higher" in second.notes[0]
    assert second.notes[:1] == second.doubts
    assert first.metrics["bias"] == 0
    assert first.metrics["limit_upper"] == -first.metrics["limit_lower"]


def test_unreadable_files_are_told_by_their_name(study, tmp_path) -> None:
    (tmp_path / "broken_cbf.nii.gz").write_bytes(b"no image")
    many = study.write(tmp_path, "tmax", study.values("tmax"))
    write_volume(many, np.stack([study.values("tmax")] * 2, axis=-1), nearest_ras(study.grid))
    reasons = [f.reason for f in study.compare({"cbf": tmp_path / "broken_cbf.nii.gz", "tmax": many}).failures]
    assert reasons[0].startswith("broken_cbf.nii.gz")
    assert "one volume" in reasons[1]


def test_lesions_of_equal_maps_are_equal(study, tmp_path) -> None:
    references = {
        # the flow needs no unit, and any scale will do
        "cbf": study.write(tmp_path, "cbf", 12 * study.values("cbf")),
        "tmax": study.write(tmp_path, "tmax", study.values("tmax"), unit="s"),
    }
    lesions = study.compare(references, lesions=study.rules).facts()["lesions"]
    for values in lesions.values():
        assert values["dice"] == 1
        assert values["generated_ml"] == values["reference_ml"] > 10


def test_lesions_of_other_maps_overlap_as_far_as_they_do(study, tmp_path) -> None:
    smaller = study.lesion.copy()
    smaller[..., : smaller.shape[2] // 2] = False
    tmax = np.where(study.lesion & ~smaller, 2.5, study.values("tmax"))
    references = {
        "cbf": study.write(tmp_path, "cbf", study.values("cbf")),
        "tmax": study.write(tmp_path, "tmax", 1000 * tmax, unit="ms"),
    }
    found = study.compare(references, lesions=study.rules)
    voxel = study.grid.voxel_volume / 1000
    late = found.lesions["hypoperfused"]
    assert late.generated_ml == pytest.approx(study.lesion.sum() * voxel, rel=0.02)
    assert late.reference_ml == pytest.approx(smaller.sum() * voxel, rel=0.02)
    expected = 2 * smaller.sum() / (smaller.sum() + study.lesion.sum())
    assert late.dice == pytest.approx(expected, abs=0.02)


def test_without_lesions_there_is_no_dice(study, tmp_path) -> None:
    tmax = ParameterMap(
        quantity=QUANTITIES["tmax"],
        values=np.where(study.lesion, study.values("tmax") - 6.5, study.values("tmax")).astype(np.float32),
        valid=study.brain,
        affine=study.grid.affine,
    )
    healthy = PerfusionMaps(maps={"cbf": study.maps["cbf"], "tmax": tmax}, quality_mask=study.brain)
    references = {
        "cbf": study.write(tmp_path, "cbf", study.values("cbf")),
        "tmax": study.write(tmp_path, "tmax", tmax.values, unit="s"),
    }
    lesions = dataclasses.replace(study, maps=healthy).compare(references, lesions=study.rules).facts()["lesions"]
    assert lesions["core"] == {"generated_ml": 0.0, "reference_ml": 0.0, "dice": None}


def test_times_without_a_unit_are_seconds_only_if_they_look_like_it(study, tmp_path) -> None:
    cbf = study.write(tmp_path, "cbf", study.values("cbf"))
    likely = study.compare(
        {"cbf": cbf, "tmax": study.write(tmp_path, "tmax", 1.5 * study.values("tmax"))}, lesions=study.rules
    )
    assert likely.lesions is not None
    assert "taken for seconds" in likely.agreements[1].notes[-1]
    assert not any("taken for seconds" in note for note in likely.agreements[0].notes)
    for factor in (10, 1000):  # as of tenths of seconds, and of milliseconds
        tmax = study.write(tmp_path, "tmax", factor * study.values("tmax"))
        found = study.compare({"cbf": cbf, "tmax": tmax}, lesions=study.rules)
        assert found.lesions is None
        assert found.failures[-1].quantity == "lesions"
        assert kinds(found) == [("cbf", "relative", "1"), ("tmax", "relative", "1")]


def test_tables_and_pictures_are_written_and_are_the_same_each_time(study, tmp_path) -> None:
    references = {
        "cbf": study.write(tmp_path, "cbf", study.values("cbf"), unit="ml/100g/min"),
        "tmax": study.write(tmp_path, "tmax", study.values("tmax")),
        "mtt": tmp_path / "none.nii.gz",
    }
    written = []
    for folder in ("one", "two"):
        found = study.compare(references, lesions=study.rules, pictures=True)
        written.append(found.write(tmp_path / folder))
    names = [path.name for path in written[0]]
    assert names[:3] == ["comparison.csv", "lesion_overlap.csv", "failures.csv"]
    assert set(names[3:]) == {"cbf.png", "cbf_agreement.png", "tmax.png", "tmax_agreement.png"}
    for one, two in zip(*written, strict=True):
        assert one.read_bytes() == two.read_bytes()
    with written[0][0].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["map"], row["normalisation"]) for row in rows] == [
        ("CBF", "relative"),
        ("CBF", "absolute"),
        ("Tmax", "relative"),
    ]
    assert math.isclose(float(rows[1]["rmse"]), 0, abs_tol=1e-4)

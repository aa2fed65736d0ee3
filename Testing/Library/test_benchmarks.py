"""The programs of Testing/Benchmarks on small data, so that their tables cannot rot or lie."""

from __future__ import annotations

import argparse
import importlib
import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from PyPeTLib.deconvolution import METHODS, DeconvolutionOptions
from PyPeTLib.phantom import Bolus, frame_times, make_head, make_kudo, tissue_curve
from PyPeTLib.registry import Registry
from PyPeTLib.series import Modality

pytestmark = pytest.mark.accuracy

ROOT = Path(__file__).parents[2]
SMALL_HEAD = {"shape": (66, 66, 12)}
FEW = ("bsvd", "box-nlr")
"""The tables loop over all methods; two of them will do to see that they do."""


@pytest.fixture
def load(monkeypatch):
    """``load(name)``: a module of Testing/Benchmarks, which import each other by their bare names."""
    monkeypatch.syspath_prepend(str(ROOT / "Testing" / "Benchmarks"))
    return importlib.import_module


@pytest.fixture
def only(load, monkeypatch):
    """``only(names)``: the tables know no methods but these."""

    def restrict(names):
        chosen: Registry = Registry("methods of this test")
        for name in names:
            entry = METHODS.entry(name)
            chosen.register(name, summary=entry.summary, traits=tuple(entry.traits))(entry.item)
        monkeypatch.setattr(load("cases"), "METHODS", chosen)

    return restrict


@pytest.fixture
def bench(load, only):
    """Like `load`, with no methods but `FEW`."""
    only(FEW)
    return load


@pytest.fixture
def pool():
    with ThreadPoolExecutor(1) as pool:
        yield pool


def rows(text: str) -> list[list[str]]:
    """Cells of the body of the first table in a text."""
    table = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def methods_of(cases: ModuleType) -> list[str]:
    return list(cases.cases())


DOCUMENT = """\
by hand
<!-- one: made by `make it` -->
old
<!-- end of one -->
between
<!-- two: made by `make it` -->
stays
<!-- end of two -->
"""


def test_a_block_is_replaced_and_all_else_stays(load, tmp_path):
    file = tmp_path / "document.md"
    file.write_text(DOCUMENT, encoding="utf-8")
    for _ in range(2):
        load("document").replace_block(file, "one", "| new \\1 |")
        assert file.read_text(encoding="utf-8") == DOCUMENT.replace("old", "\n| new \\1 |\n")


@pytest.mark.parametrize(
    "document", ["", DOCUMENT + DOCUMENT, DOCUMENT.replace("end of one", "end"), DOCUMENT.replace("one: made", "made")]
)
def test_a_document_without_the_marks_is_refused_and_kept(load, tmp_path, document):
    file = tmp_path / "document.md"
    file.write_text(document, encoding="utf-8")
    with pytest.raises(SystemExit, match="must hold the block 'one' once"):
        load("document").replace_block(file, "one", "new")
    assert file.read_text(encoding="utf-8") == document


@pytest.mark.parametrize(("program", "command"), [("validate", "validate"), ("run", "benchmark")])
def test_the_document_has_a_block_for_every_part(load, program, command):
    names = [*load(program).PARTS, f"{command}-machine"]
    document = (ROOT / "Docs" / "validation.md").read_text(encoding="utf-8")
    for name in names:
        assert document.count(f"<!-- {name}: made by `make {command}` -->\n") == 1
        assert document.count(f"<!-- end of {name} -->\n") == 1


def test_a_program_runs_the_parts_asked_for(load, monkeypatch, tmp_path, capsys):
    program = load("program")
    monkeypatch.setattr(load("machine"), "report", lambda command: f"machine of {command}")
    marks = [f"<!-- {name}: made by x -->\nold\n<!-- end of {name} -->\n" for name in ("a", "b", "it-machine")]
    file = tmp_path / "document.md"
    file.write_text("".join(marks), encoding="utf-8")
    seen: list[argparse.Namespace] = []

    def part(arguments):
        seen.append(arguments)
        yield "first table"
        yield "second table"

    monkeypatch.setattr("sys.argv", ["program", "--only", "b", "--seeds", "4", "--out", str(file)])
    program.run("it", "what it does", {"a": part, "b": part}, runs=3)
    assert [(one.seeds, one.runs) for one in seen] == [([4], 3)]
    written = file.read_text(encoding="utf-8")
    assert marks[0] in written
    assert "\n\nfirst table\n\nsecond table\n\n<!-- end of b -->" in written
    assert "machine of make it" in written
    assert "`make it` took" in written
    assert "first table" in capsys.readouterr().out


def test_errors_on_clean_kudo_sections_are_those_of_the_method_alone(bench):
    sections = bench("sections")
    phantom = make_kudo(tile_size=4, noise=0.0)
    unsmoothed = sections.Smoothing(0.0)
    box, exponential = (
        sections.measured_errors(
            sections.smoothed_sections(phantom, bench("kudo").RESIDUES[residue], unsmoothed),
            DeconvolutionOptions(method="box-nlr"),
        )
        for residue in ("box", "exponential")
    )
    assert box["cbf"] < 1.5
    assert box["delay"] < 0.1
    assert exponential["cbf"] > 10


def test_a_known_baseline_is_that_of_the_smoothed_image(bench):
    sections = bench("sections")
    phantom = make_kudo(tile_size=4, noise=0.0)
    measured, known = (
        sections.smoothed_sections(phantom, [3], sections.Smoothing(2.0, baseline_known=known)).curves
        for known in (False, True)
    )
    np.testing.assert_allclose(measured, known, atol=0.01)


def test_kudo_tables_have_a_row_for_each_method_and_publication(bench, pool):
    kudo = bench("kudo")
    notes, *tables = kudo.report(pool, [5], tile_size=4)
    assert "seed 5" in notes
    assert len(tables) == 3
    methods = methods_of(bench("cases"))
    assert [row[0] for row in rows(tables[0])] == methods
    assert [row[0] for row in rows(tables[2])] == [*methods, *kudo.PUBLISHED]
    cell = rows(tables[2])[1][3]
    assert re.fullmatch(r"\d+\.\d / \d\.\d\d / \d+\.\d\d / \d\.\d\d", cell)


def test_gradient_tables_have_a_row_for_each_method(bench, pool):
    _, *tables = bench("gradients").report(pool, [0], cell=4)
    assert [[row[0] for row in rows(table)] for table in tables] == [methods_of(bench("cases"))] * 2


def test_tiles_show_what_is_known_of_bsvd(bench):
    recovery = bench("recovery")
    found = recovery.recovery(DeconvolutionOptions(method="bsvd"))
    assert found.slope["1 s"].endswith("; 1.00 to 1.00")
    assert float(found.spread["1 s"]) < 1
    assert found.steadiness["0.5 s"] == "-0.1 / +0.0 / +0.1"
    flow, transit, lag, _ = (float(part) for part in found.bias[4.0]["exponential"].split(" / "))
    assert flow == pytest.approx(-37, abs=2)
    assert (1 + flow / 100) * (1 + transit / 100) == pytest.approx(1, abs=0.03)
    assert lag == pytest.approx(2, abs=0.1)
    dispersed = [float(found.bias[4.0][f"dispersed {mean:g} s"].split(" / ")[0]) for mean in recovery.DISPERSIONS]
    assert flow > dispersed[0] > dispersed[1] > dispersed[2]


def test_tables_of_tiles_have_a_row_for_each_method(bench, pool):
    recovery = bench("recovery")
    for text in recovery.report(pool):
        if rows(text):
            assert [row[0] for row in rows(text)] == methods_of(bench("cases"))


def test_calibrated_deviations_cover_two_thirds_and_halved_ones_fewer(load):
    calibration = load("calibration")
    rng = np.random.default_rng(0)
    truth = {name: rng.uniform(1, 5, 20_000) for name in calibration.QUANTITIES}
    sd = rng.uniform(0.5, 2, 20_000)
    found = {name: values + sd * rng.standard_normal(sd.size) for name, values in truth.items()}
    residue = np.arange(sd.size) % len(calibration.RESIDUES)
    for factor, expected in ((1.0, 0.683), (0.5, 0.383)):
        given = {f"{name}_sd": factor * sd for name in truth}
        assessed = calibration.assessed({**found, **given}, truth, residue)
        assert assessed.all_covered("cbf") == pytest.approx(expected, abs=0.02)
        assert assessed.covered["delay"]["box"] == pytest.approx(expected, abs=0.03)
        assert assessed.sd["mtt"] == pytest.approx(factor * sd.mean())


def test_tiles_of_the_calibration_lie_in_their_ranges(load):
    calibration = load("calibration")
    truth = calibration.truth(4, 0)
    assert truth.curves.shape == (32, 32, 60)
    for name, (low, high) in calibration.RANGES.items():
        assert low <= truth.maps[name].min() < truth.maps[name].max() <= high
    # one voxel's curve is that of its own truth
    flow, transit, delay = (truth.maps[name][9, 17] for name in ("cbf", "mtt", "delay"))
    residue = list(calibration.RESIDUES.values())[truth.residue[9, 17]]
    expected = tissue_curve(Bolus(), flow, transit, delay, residue, times=calibration.TIMES)
    np.testing.assert_allclose(truth.curves[9, 17], expected, rtol=1e-5, atol=1e-4)


def test_calibration_has_a_row_for_each_posterior_and_noise(load, only, pool, monkeypatch):
    calibration = load("calibration")
    name = METHODS.with_trait("posterior")[0]
    only(["bsvd", name])
    monkeypatch.setattr(calibration, "NOISE_HU", (1.0, 8.0))
    by_noise, by_residue = map(rows, calibration.report(pool, [0], edge=4))
    assert [row[:2] for row in by_noise] == [row[:2] for row in by_residue] == [[name, "1"], [name, "8"]]
    # more noise, less certainty: SD of CBF, CBV, MTT and delay
    assert all(float(quiet) < float(loud) for quiet, loud in zip(by_noise[0][6:], by_noise[1][6:], strict=True))


def test_a_spatial_method_sees_each_curve_of_a_list_apart(load):
    cases = load("cases")
    (name, *_) = METHODS.with_trait("spatial")
    times = frame_times((45, 1.0))
    curves = tissue_curve(Bolus(), 50.0, [3.0, 12.0], [0.0, 4.0], times=times).astype(np.float32)
    options = DeconvolutionOptions(method=name)
    both = cases.quantities_of_curves(curves, Bolus().arterial_at(times), times, options)
    alone = cases.quantities_of_curves(curves[1:], Bolus().arterial_at(times), times, options)
    assert both["cbf"].shape == (2,)
    assert both["delay"] == pytest.approx([0, 4], abs=1)
    assert both["cbf"][1] == pytest.approx(alone["cbf"][0], rel=0.02)


def test_head_tables_have_a_row_for_each_method_with_tmax(bench, pool):
    _, *tables = bench("heads").report(pool, [0], noise=None, **SMALL_HEAD)
    for table in tables:
        assert [row[0] for row in rows(table)] == methods_of(bench("cases"))
        # the maps are those of the head: flow and Tmax of bsvd follow its truth
        assert float(rows(table)[0][2]) > 0.6
        assert float(rows(table)[0][6]) > 0.8


def test_the_healthy_table_has_a_row_for_each_method_offered_for_lesions(load, only, pool):
    only(["peak-height", METHODS.with_trait("lesions")[0]])
    healthy = load("healthy")
    (text,) = healthy.report(pool, [0], **SMALL_HEAD)
    assert [row[0] for row in rows(text)] == [METHODS.with_trait("lesions")[0]]
    assert "0.00 (0.00)" in text


def test_lesions_have_a_row_for_each_head_and_healthy_heads_none(load, pool, monkeypatch):
    lesions = load("lesions")
    monkeypatch.setattr(lesions, "KINDS", {"CTP": (Modality.CTP, {})})
    found, late, healthy = lesions.report(pool, [0], **SMALL_HEAD)
    ((name, core, error, dice, *_, mismatch),) = rows(found)
    assert name == "CTP, head 0"
    volume, truth = (float(part) for part in core.split(" / "))
    assert float(error) == pytest.approx(100 * (volume / truth - 1), abs=1)
    assert float(dice) > 0.7
    assert all(2 < float(part) < 20 for part in mismatch.split(" / "))
    ((_, *volumes, lag),) = rows(late)
    assert sorted(map(float, volumes), reverse=True) == list(map(float, volumes))
    assert 0 < float(lag) < 4
    assert rows(healthy) == [["CTP", "0.0 (0.0)", "0.0 (0.0)"]]


@cache
def still_head(seed):
    return make_head("ctp", seed=seed, shape=(80, 80, 12), noise=None, n_frames=8, dt=5.0)


@pytest.fixture
def true_heads(load):
    """Two heads of the comparison whose maps are the truth."""
    comparison = load("comparison")

    def made(seed):
        head = still_head(seed)
        truth = dict.fromkeys(comparison.GENERATED, comparison.true_maps(head))
        return comparison.Head(runs=truth | {"coarse CT": truth["CT"]}, truth=truth, to_head=head.to_head)

    return {seed: made(seed) for seed in (4, 5)}


def test_the_comparison_counts_who_is_refused(load, pool, monkeypatch, true_heads):
    comparison = load("comparison")
    monkeypatch.setattr(comparison, "analysed", true_heads.get)
    monkeypatch.setattr(comparison, "_cost_table", lambda: "cost")
    monkeypatch.setattr(comparison, "MAPS", ("cbf",))
    _, same, others, margin, cost = comparison.report(pool, [4, 5])
    assert rows(same)[0] == ["truth", "0 (0) of 4", "0 (0) of 4", "0 %"]
    assert rows(same)[-1] == ["**three slices**", *["**0 (0) of 24**"] * 2, "**0 %**"]
    assert rows(others)[0] == ["truth", "0.0 % (0.0 %)", "0.0 % (0.0 %)", "0 %"]
    assert [row[0] for row in rows(margin)] == [f"{width} mm" for width in comparison.MARGINS_MM]
    assert cost == "cost"


def test_an_empty_margin_raises_the_papers_figure_alone(load, true_heads):
    comparison = load("comparison")
    table = list(comparison.margins(true_heads[4], true_heads[5]))
    assert [float(row[1]) for row in table] == sorted((float(row[1]) for row in table), reverse=True)
    # equal maps, then those of another head
    assert {row[2] for row in table} == {"1.000 / 1.000"}
    ours, papers = zip(*(map(float, row[-1].split(" / ")) for row in table), strict=True)
    assert np.ptp(ours) < 0.01
    assert list(papers) == sorted(set(papers))
    assert papers[-1] > papers[0] + 0.2


def test_few_slices_lie_where_they_lay(load, true_heads):
    comparison = load("comparison")
    whole = true_heads[4].truth["CT"]["cbf"]
    few = comparison.few_slices(whole)
    assert few.values.shape[2] == comparison.FEW_SLICES
    first = np.linalg.solve(whole.affine, few.affine[:, 3])[2]
    assert first == pytest.approx(round(first))
    np.testing.assert_array_equal(few.values, whole.values[..., round(first) :][..., : comparison.FEW_SLICES])


def test_the_cost_of_a_comparison_is_that_of_its_maps(load):
    seconds, peak, one = load("comparison").cost("one grid", shape=(44, 44, 8))
    assert 0 < seconds < 5
    assert one == 4 * 44 * 44 * 8
    assert 2 * one < peak < 40 * one


def test_tissue_is_scored_on_whole_runs_and_the_plane_on_turned_heads(load, pool, monkeypatch):
    tissue = load("tissue")
    monkeypatch.setattr(tissue, "Modality", [Modality.CTP])
    monkeypatch.setattr(tissue, "CASES", {"with a lesion": {}})
    monkeypatch.setattr(tissue, "POSES", {"yaw": ((0.0, 0.0, 12.0), {})})
    classes, planes = tissue.report(pool, [0], **SMALL_HEAD)
    ((_, csf, pure, vessels, *_),) = rows(classes)
    # most CSF of so coarse a grid is mixed with tissue
    assert float(csf) > 0.5
    assert float(pure) > 0.9
    assert float(vessels) > 0.9
    # were the truth not turned with the head, it would be 12 degrees away
    ((_, by_outline, _, by_image, *_),) = rows(planes)
    assert max(float(by_outline), float(by_image)) < 4


def test_regions_of_moved_heads_tell_how_far_the_flow_is_off(load):
    moved = load("moved")
    options = {"shape": (44, 44, 8), "n_frames": 8, "dt": 4.0, "noise": None}
    still, fine = (moved.moving_head("ctp", 0, None, fine=fine, **options) for fine in (False, True))
    flow, valid = still.truth["cbf"], still.masks["tissue"]
    found = moved.differences(still, (1.1 * flow, valid), (flow, valid))
    assert found.size > 10
    np.testing.assert_allclose(found, 10, rtol=1e-4)
    # thinner slices, averaged, are the same head
    brain = still.masks["brain"]
    assert np.corrcoef(still.series.frame(0)[brain], fine.series.frame(0)[brain])[0, 1] > 0.8


def test_speed_is_measured_run_by_run(bench):
    found = bench("method_speed").measure("bsvd", 3, grid=(8, 8, 4))
    assert len(found["seconds"]) == 3
    assert min(found["seconds"]) > 0


def test_the_reference_object_is_scored_against_its_truth(load):
    module = load("reference_object")
    times = frame_times((90, 1.0))
    # ml/100ml and no haematocrit: undo the factor of the phantom
    tissue = tissue_curve(Bolus(), [20.0, 40.0], 6.0, 0.0, "box", times=times) * 0.55 / 0.75 / 1.05
    reference = module.ReferenceObject(
        tissue=tissue,
        aif=np.stack([Bolus().arterial_at(times)] * 2),
        times=times,
        truth={"cbf": np.array([20.0, 40.0]), "cbv": np.array([2.0, 4.0])},
    )
    found = module.found_by(reference, DeconvolutionOptions(method="box-nlr"))
    np.testing.assert_allclose(found["cbf"], [20, 40], rtol=0.02)
    np.testing.assert_allclose(found["cbv"], [2, 4], rtol=0.02)


def test_the_reference_object_is_left_out_where_it_is_absent(load, monkeypatch, tmp_path):
    module = load("reference_object")
    monkeypatch.setattr(module, "FILE", tmp_path / "absent.csv")
    assert "Left out: absent.csv" in module.report()


def test_every_filter_against_noise_has_a_row(load):
    denoising = load("denoising")
    assert denoising.uncovered() == set()
    named = {modality: [denoising._named(setting, modality) for setting in denoising.SETTINGS] for modality in Modality}
    # each modality's default is among them, and shown to be it
    assert all(sum(name.startswith("**") for name in names) == 1 for names in named.values())


def test_regional_means_of_a_constant_have_no_bias(load):
    denoising = load("denoising")
    head = denoising.make_head("ctp", shape=(66, 66, 12), noise=None, seed=0)
    region, lesion = denoising.regions(head)
    assert lesion.size > 20
    np.testing.assert_allclose(denoising.means_of(region, np.full(region.shape, 7.0)), 7.0)
    volumes = np.bincount(region[region >= 0]) * head.series.grid.voxel_volume / 1000
    assert np.median(volumes) == pytest.approx(denoising.REGION_ML, rel=0.5)

"""A probe of a run: what is read at a place is what the run used and what its maps show there."""

import dataclasses

import numpy as np
import pytest

from PyPeTLib import Given, InputError, PipelineConfig, run_pipeline
from PyPeTLib.contrast import ARTERIAL_RELAXIVITIES
from PyPeTLib.deconvolution import METHODS
from PyPeTLib.deconvolution.modelled import makes_response
from PyPeTLib.masking import TissueClass
from PyPeTLib.memory import StageMemory
from PyPeTLib.phantom import RigidMotion, make_head
from PyPeTLib.probing import Probe
from PyPeTLib.probing.curves import Rows, voxel_at
from PyPeTLib.series import Acquisition

SHAPES = {"ctp": (56, 56, 6), "dsc": (40, 40, 6)}
SOME = 8


@pytest.fixture(scope="module")
def heads():
    return {modality: make_head(modality, seed=2, shape=shape) for modality, shape in SHAPES.items()}


@pytest.fixture(scope="module")
def run(heads):
    """``run(modality, given=None, series=None, **tables)``: a run with a memory that all runs of a series share."""
    memories = {}

    def go(modality="ctp", given=None, series=None, **tables):
        series = series if series is not None else heads[modality].series
        config = PipelineConfig.for_modality(series.modality, tables)
        memory = memories.setdefault(id(series), (StageMemory(), series))[0]
        return run_pipeline(series, config, given=given, memory=memory)

    return go


def places(result, count=SOME, where=None):
    """Analysed voxels of the working grid and places within them, in RAS mm."""
    voxels = np.argwhere(result.analysed if where is None else where)
    voxels = voxels[np.random.default_rng(5).choice(len(voxels), min(count, len(voxels)), replace=False)]
    affine = result.working.grid.affine
    return [(tuple(int(i) for i in voxel), tuple((affine @ [*(voxel + 0.3), 1.0])[:3])) for voxel in voxels]


def expect_flow_of_maps(result, probe, count=SOME):
    """The peak of each response is the flow of the map there; returns how many were compared."""
    to_flow = result.config.quantification.tissue_factor * 6000
    compared = 0
    for _, place in places(result, count):
        reading = probe.at(place)
        flow = reading.values["cbf"]
        if reading.deconvolved is None:
            assert not (flow.valid and makes_response(result.config.deconvolution.method))
            assert reading.notes
            continue
        scale = float(result.maps["cbf"].provenance.get("white_matter_scale", 1.0))
        assert reading.deconvolved.response.peak * to_flow * scale == pytest.approx(flow.value, rel=1e-4)
        compared += 1
    return compared


@pytest.mark.parametrize(
    ("modality", "method"), [*(("ctp", method) for method in METHODS), ("dsc", "osvd"), ("dsc", "gamma-bayes")]
)
def test_what_is_read_is_what_the_run_made(run, modality, method):
    result = run(modality, deconvolution={"method": method})
    probe = Probe.of(result)
    kept = result.intermediate
    for voxel, place in places(result):
        reading = probe.at(place)
        assert reading.voxel == reading.working_voxel == voxel
        assert reading.in_brain
        assert reading.analysed
        assert set(reading.values) == set(result.maps)
        for name, value in reading.values.items():
            shown = result.maps[name]
            assert (value.value, value.valid) == (float(shown.values[voxel]), bool(shown.valid[voxel]))
            assert value.unit == shown.unit
        row = np.flatnonzero((np.argwhere(kept.curves.analysed) == voxel).all(axis=1))[0]
        np.testing.assert_array_equal(reading.curves.signals[0], kept.curves.signal[row])
        np.testing.assert_array_equal(reading.curves.measured, kept.unsmoothed.curves[row])
        row = np.flatnonzero((np.argwhere(result.analysed) == voxel).all(axis=1))[0]
        np.testing.assert_array_equal(reading.curves.smoothed, result.concentration.curves[row])
        if reading.deconvolved is not None:
            found = reading.deconvolved
            np.testing.assert_array_equal(found.response.lags, probe.lags)
            apart = found.response.fitted - reading.curves.smoothed
            assert found.misfit == pytest.approx(np.sqrt(np.mean(apart**2)))
            # what is explained is at least better than nothing
            assert found.misfit < np.sqrt(np.mean(reading.curves.smoothed**2))
    compared = expect_flow_of_maps(result, probe)
    assert compared > SOME // 2 if makes_response(method) else compared == 0
    if not makes_response(method):
        assert reading.notes == (f"{method} gives no impulse response.",)


SLICE_TIMES = (0.0, 0.4, 0.1, 0.5, 0.2, 0.6)


@pytest.fixture(scope="module")
def other_series(heads):
    """A series with slice times, and one of a head that moves."""
    moved = RigidMotion(drift_mm=1.0, drift_degrees=1.0, jump_mm=1.0, jump_degrees=1.0)
    timed = dataclasses.replace(heads["ctp"].series, acquisition=Acquisition(slice_times=SLICE_TIMES))
    return {"slices": timed, "all": timed, "motion": make_head("ctp", seed=2, shape=(48, 48, 6), motion=moved).series}


@pytest.mark.parametrize(
    ("options", "method"),
    [
        ("slices", "osvd"),
        ("sides", "tikhonov"),
        ("fitted", "gamma-bayes"),
        ("motion", "osvd"),
        ("motion", "gamma-bayes-spatial"),
        ("all", "volterra-tikhonov"),
        ("all", "box-nlr"),
        ("all", "gamma-bayes-spatial"),
    ],
)
def test_options_of_the_run_count(heads, run, other_series, method, options):
    series, tables = other_series.get(options, heads["ctp"].series), {}
    if options in ("sides", "all"):
        tables["aif"] = {"sides": "each"}
    if options in ("fitted", "all"):
        tables["aif"] = {**tables.get("aif", {}), "curve": "fitted"}
        tables["quantification"] = {"maps": "all"}
    result = run(series=series, deconvolution={"method": method}, **tables)
    probe = Probe.of(result)
    assert expect_flow_of_maps(result, probe) > SOME // 2
    voxel, place = places(result, 1)[0]
    reading = probe.at(place)
    if options in ("slices", "all"):
        assert reading.curves.lateness == pytest.approx(SLICE_TIMES[voxel[2]])
    if options in ("sides", "all"):
        both = result.hemispheres
        artery = both.right if both.is_right[voxel] else both.left
        assert reading.side == ("right" if both.is_right[voxel] else "left")
        expected = artery.curve(result.working.frame_times, result.config.aif.curve)
        np.testing.assert_array_equal(reading.curves.aif, expected)


@pytest.mark.parametrize("method", ["osvd", "box-nlr"])
def test_mr_options_count(run, heads, method):
    head = heads["dsc"]
    result = run(
        "dsc",
        given=Given(white_matter=head.masks["white"]),
        contrast={"arterial_relaxivity": "quadratic-3t", "leakage": "bsw"},
        deconvolution={"method": method},
        quantification={"white_matter_cbf": 22.0},
    )
    probe = Probe.of(result)
    assert expect_flow_of_maps(result, probe) > SOME // 2
    options = result.config.contrast
    expected = ARTERIAL_RELAXIVITIES["quadratic-3t"](
        result.aif.curve(result.working.frame_times, "measured"), options.tissue_relaxivity
    )
    reading = probe.at(places(result, 1)[0][1])
    np.testing.assert_array_equal(reading.curves.aif, expected)
    assert reading.curves.unit == "1/s"
    assert all(value.calibrated for value in reading.values.values())


def test_a_volume_by_another_rule_is_not_taken_for_that_of_the_response(run):
    result = run(deconvolution={"method": "box-nlr"}, quantification={"volume": "area"})
    assert expect_flow_of_maps(result, Probe.of(result)) > SOME // 2


def test_maps_of_a_coarser_analysis_interpolate(run):
    result = run(resample={"max_in_plane": 40})
    probe = Probe.of(result)
    _, place = places(result, 1)[0]
    reading = probe.at(place)
    assert reading.voxel == voxel_at(place, result.series.grid) != reading.working_voxel
    assert reading.values["cbf"].value == float(result.maps["cbf"].values[reading.voxel])
    assert any("coarser grid" in note for note in reading.notes)


def test_places_without_curves_say_so(run, heads):
    result = run()
    probe = Probe.of(result)
    outside = probe.at((1e4, 0.0, 0.0))
    assert outside.voxel is None
    assert outside.values == {}
    assert outside.notes == ("This place lies outside the series.",)
    assert probe.at((np.nan, 0.0, 0.0)).voxel is None
    air = probe.at(tuple((result.series.affine @ [0, 0, 0, 1.0])[:3]))
    assert not air.in_brain
    assert air.tissue is TissueClass.OUTSIDE
    assert (air.curves.measured, air.deconvolved) == (None, None)
    np.testing.assert_array_equal(air.curves.signals[0], heads["ctp"].series.array()[0, 0, 0])
    assert not any(value.valid for value in air.values.values())
    assert "Outside the brain mask" in air.notes[0]


def test_what_motion_spoilt_and_runs_without_an_artery_are_told(run):
    result = run()
    voxel, place = places(result, 1)[0]
    keep = np.ones(np.count_nonzero(result.analysed), bool)
    keep[Rows(result.analysed).of(voxel)] = False
    late = result.analysed.copy()
    late[voxel] = False
    without = dataclasses.replace(result, analysed=late, concentration=result.concentration.of(keep))
    reading = Probe.of(without).at(place)
    assert reading.curves.measured is not None
    assert reading.curves.smoothed is None
    assert "for arteries only" in reading.notes[0]
    curves = dataclasses.replace(
        result.intermediate.curves, analysed=late, echoes=(result.intermediate.curves.signal[keep],)
    )
    lost = dataclasses.replace(
        without,
        intermediate=dataclasses.replace(
            result.intermediate, curves=curves, unsmoothed=result.intermediate.unsmoothed.of(keep)
        ),
    )
    assert "motion moved this voxel" in Probe.of(lost).at(place).notes[0]
    no_artery = dataclasses.replace(result, aif=None)
    assert Probe.of(no_artery).at(place).notes == ("There is no arterial input function, so nothing was deconvolved.",)
    no_bolus = dataclasses.replace(result, bolus=dataclasses.replace(result.bolus, found=False))
    assert Probe.of(no_bolus).at(place).notes == ("No bolus was found, so nothing was deconvolved.",)
    assert Probe.of(no_bolus).lags is None


def test_a_run_that_kept_nothing_cannot_be_read(heads):
    with pytest.raises(InputError, match="not kept"):
        Probe.of(run_pipeline(heads["ctp"].series))


@pytest.mark.parametrize("method", ["osvd", "gamma-bayes-spatial"])
def test_a_region_is_the_mean_of_its_voxels(run, method):
    result = run(deconvolution={"method": method})
    probe = Probe.of(result)
    region = (
        result.tissue.parenchyma
        & (np.arange(region_size := result.series.grid.shape[0]) < region_size / 3)[:, None, None]
    )
    reading = probe.region(region)
    assert reading.n_voxels == reading.n_analysed == region.sum()
    assert reading.volume == pytest.approx(region.sum() * result.series.grid.voxel_volume / 1000)
    np.testing.assert_allclose(
        reading.curves.smoothed, result.concentration.curves[region[result.analysed]].mean(axis=0), rtol=1e-4, atol=1e-5
    )
    for name, shown in result.maps.items():
        values = shown.values[region & shown.valid].astype(float)
        found = reading.values[name]
        assert (found.mean, found.sd, found.median) == pytest.approx((values.mean(), values.std(), np.median(values)))
        assert found.n_voxels == values.size
    assert reading.deconvolved.misfit < 0.2 * reading.curves.smoothed.max()
    flow = reading.deconvolved.response.peak * result.config.quantification.tissue_factor * 6000
    assert flow == pytest.approx(reading.values["cbf"].mean, rel=0.4)
    assert bool(reading.notes) == (method == "gamma-bayes-spatial")


def test_a_region_of_one_voxel_is_that_voxel(run):
    result = run()
    probe = Probe.of(result)
    voxel, place = places(result, 1)[0]
    region = np.zeros(result.series.grid.shape, bool)
    region[voxel] = True
    one, other = probe.region(region), probe.at(place)
    np.testing.assert_allclose(one.curves.smoothed, other.curves.smoothed)
    assert one.deconvolved.response.peak == pytest.approx(other.deconvolved.response.peak, rel=1e-5)
    assert one.values["cbf"].mean == pytest.approx(other.values["cbf"].value)
    assert one.values["cbf"].sd == 0


def test_regions_on_both_sides_and_beside_the_brain(run):
    result = run(aif={"sides": "each"})
    probe = Probe.of(result)
    everywhere = probe.region(np.ones(result.series.grid.shape, bool))
    assert any("both sides" in note for note in everywhere.notes)
    assert any("Maps were made of" in note for note in everywhere.notes)
    corner = np.zeros(result.series.grid.shape, bool)
    corner[:3, :3, :2] = True
    beside = probe.region(corner)
    assert beside.deconvolved is None
    assert beside.values["cbf"].n_voxels == 0
    np.testing.assert_allclose(
        beside.curves.signals[0], result.series.array()[corner].mean(axis=0, dtype=float), rtol=1e-5
    )
    with pytest.raises(InputError, match="empty"):
        probe.region(np.zeros(result.series.grid.shape, bool))
    with pytest.raises(InputError, match="shape"):
        probe.region(np.ones((2, 2, 2), bool))


def test_rows_count_as_boolean_indexing_does():
    mask = np.asfortranarray(np.random.default_rng(0).random((5, 7, 3)) < 0.4)
    numbers = np.zeros(mask.shape, int)
    numbers[mask] = np.arange(mask.sum())
    rows = Rows(mask)
    for voxel in np.ndindex(mask.shape):
        assert rows.of(voxel) == (numbers[voxel] if mask[voxel] else None)

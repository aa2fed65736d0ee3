"""What is special about DSC, through the whole pipeline: leakage, two echoes, relaxivity of blood, signal recovery."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from PyPeTLib import Given, InputError, PipelineConfig, run_pipeline
from PyPeTLib.phantom import make_head
from PyPeTLib.quantification import Quantities
from PyPeTLib.series import Acquisition
from PyPeTLib.stages import with_curve_quantities

SHAPE = (64, 64, 8)
K2 = 0.01


def config(**contrast):
    return PipelineConfig.for_modality("dsc", {"contrast": contrast, "motion": {"correct": False}})


def bias_of_volume(result, head):
    """CBV against the truth in leaky tissue, once both are scaled alike in healthy tissue."""
    found, truth, valid = result.maps.cbv.values, head.truth["cbv"], result.maps.cbv.valid
    leaky = head.masks["leaky"] & valid
    healthy = head.masks["healthy_side"] & head.masks["tissue"] & valid & (truth > 0) & ~head.masks["leaky"]
    scale = np.median(found[healthy] / truth[healthy])
    return float(np.median(found[leaky] / truth[leaky])) / scale - 1


@pytest.fixture(scope="module")
def leaking():
    return make_head("dsc", seed=2, shape=SHAPE, leakage=K2)


@pytest.mark.parametrize("correction", ["bsw", "bidirectional"])
def test_leakage_is_found_and_taken_out_of_the_volume(leaking, correction):
    before = bias_of_volume(run_pipeline(leaking.series, config()), leaking)
    after = bias_of_volume(run_pipeline(leaking.series, config(leakage=correction)), leaking)
    assert before < -0.4
    assert abs(after) < abs(before) / 3


def test_late_tissue_is_told_from_leaking_tissue(leaking):
    # this head has a stroke, too: its late tissue does not leak, and the correction takes it for leaking
    code = "leakage-in-late-tissue"
    assert code in [flag.code for flag in run_pipeline(leaking.series, config(leakage="bsw")).flags]
    assert code not in [flag.code for flag in run_pipeline(leaking.series, config()).flags]
    healthy = make_head("dsc", seed=2, shape=SHAPE, healthy=True, leakage=K2)
    assert code not in [flag.code for flag in run_pipeline(healthy.series, config(leakage="bsw")).flags]


def two_echoes(head, times, brightening):
    """The head with two echoes, whose signal is ``S0·brightening·exp(−TE·ΔR2*)``; ``brightening`` is that of T1."""
    series = head.series
    base = np.maximum(series.array()[..., :5].mean(axis=3, keepdims=True), 1)
    rates = -np.log(np.maximum(series.array() / base, 1e-4)) / series.acquisition.echo_time
    first, second = (
        dataclasses.replace(
            series,
            data=(base * brightening * np.exp(-te * rates)).astype(np.float32),
            acquisition=Acquisition(echo_time=te),
            name=f"echo at {te:g} s",
        )
        for te in times
    )
    return dataclasses.replace(first, second_echo=second)


def test_two_echoes_see_through_what_leaked_contrast_does_to_t1():
    head = make_head("dsc", seed=2, shape=SHAPE, noise=None)
    region = make_head("dsc", seed=2, shape=SHAPE, noise=None, leakage=K2).masks["leaky"]
    head.masks["leaky"][:] = region
    times = head.series.frame_times
    leaks = region[..., None] * np.clip((times - times[20]) / (times[-1] - times[20]), 0, 1)
    series = two_echoes(head, (0.012, 0.04), 1 + 0.3 * leaks)
    both = run_pipeline(series, config())
    alone = run_pipeline(dataclasses.replace(series.second_echo, second_echo=None), config())
    still = run_pipeline(two_echoes(head, (0.012, 0.04), 1.0), config())
    assert bias_of_volume(alone, head) < -0.2
    assert bias_of_volume(both, head) == pytest.approx(bias_of_volume(still, head), abs=0.02)


def test_an_input_that_is_quadratic_in_contrast_gives_the_maps_of_the_linear_one():
    head = make_head("dsc", seed=2, shape=SHAPE)
    times, tissue = head.series.frame_times, 30.0
    contrast = head.aif / tissue
    rates = 0.493 * contrast + 2.62 * contrast**2
    true, read_as_quadratic, read_as_linear = (
        run_pipeline(head.series, settings, given=Given(aif_curve=(times, curve)))
        for settings, curve in (
            (config(), head.aif),
            (config(arterial_relaxivity="quadratic-3t", tissue_relaxivity=tissue), rates),
            (config(), rates),
        )
    )
    valid = true.maps.quality_mask
    for name in ("cbf", "cbv", "mtt", "tmax"):
        np.testing.assert_allclose(
            read_as_quadratic.maps[name].values[valid], true.maps[name].values[valid], rtol=1e-3, atol=1e-3
        )
    wrong = read_as_linear.maps.mtt.values[valid] / true.maps.mtt.values[valid]
    assert abs(np.median(wrong) - 1) > 0.05
    # the maps have no absolute scale for all that: the relaxivity of tissue is an assumption
    assert not read_as_quadratic.maps.cbv.calibrated


@pytest.mark.parametrize(
    ("option", "value"), [("leakage", "bsw"), ("leakage", "bidirectional"), ("arterial_relaxivity", "quadratic-1.5t")]
)
def test_ct_refuses_what_is_for_dsc(option, value):
    series = make_head("ctp", seed=1, shape=(40, 40, 4), n_frames=12).series
    with pytest.raises(InputError, match=rf"contrast\.{option}"):
        run_pipeline(series, PipelineConfig.for_modality("ctp", {"contrast": {option: value}}))


def test_quantities_of_the_curves_join_those_of_the_deconvolution():
    empty = Quantities(values={"cbf": np.ones(3, np.float32)}, valid={"cbf": np.ones(3, bool)}, lost_area=np.zeros(3))
    values, valid = np.array([5, 7, 9], np.float32), np.array([True, False, True])
    joined = with_curve_quantities(empty, {"psr": (values, valid)})
    assert set(joined.values) == set(joined.valid) == {"cbf", "psr"}
    np.testing.assert_array_equal(joined.values["psr"], [5, 0, 9])
    assert joined.values["psr"].dtype == np.float32

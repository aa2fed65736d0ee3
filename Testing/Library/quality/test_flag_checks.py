"""What the checks measure, on curves and values that are known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from PyPeTLib.aif import AIFOptions, ArterialInputFunction
from PyPeTLib.contrast import BolusArrival
from PyPeTLib.maps import QUANTITIES, ParameterMap, PerfusionMaps
from PyPeTLib.phantom import Bolus, frame_times, tissue_curve
from PyPeTLib.preprocess.frame_faults import Fault
from PyPeTLib.preprocess.poses import MotionEstimate
from PyPeTLib.quality import (
    aif_flags,
    bolus_flags,
    clipped_voxels,
    coverage_flags,
    frame_distances,
    gap_in_first_pass,
    lag_flags,
    motion_flags,
    odd_frames,
    value_flags,
)
from PyPeTLib.series import Modality

TIMES = np.arange(45.0)
TISSUE = tissue_curve(Bolus(), 50.0, 4.0, 1.0, times=TIMES)


def codes(flags) -> list[str]:
    return [flag.code for flag in flags]


def noisy(rng, sd=4.0, n=400):
    return (TISSUE + sd * rng.standard_normal((n, TIMES.size))).astype(np.float32)


def arrival(start: int, stop: int, *, found: bool = True) -> BolusArrival:
    return BolusArrival(
        found=found,
        frame=stop,
        time=float(stop),
        baseline=slice(start, stop),
        unsteady_frames=start,
        tracked=TISSUE,
        rule="test",
    )


def estimate(way, *, reliable=None) -> MotionEstimate:
    way = np.asarray(way, np.float64)
    reliable = [True] * way.size if reliable is None else reliable
    return MotionEstimate(
        matrices=np.tile(np.eye(4), (way.size, 1, 1)),
        centre=np.zeros(3),
        translations=np.zeros((way.size, 3)),
        rotations=np.zeros((way.size, 3)),
        framewise_displacement=np.zeros(way.size),
        displacement=way,
        residual=np.ones(way.size),
        faults=tuple(None if good else Fault.NOISY for good in reliable),
        reliable=np.asarray(reliable),
        reference=0,
        averaged=(0,),
        threshold=0.2,
    )


@pytest.mark.parametrize(
    ("way", "applied", "expected"),
    [
        ([0, 0.1, 0.1], False, []),
        ([0, 0.4, 0.1], True, []),
        ([0, 1.4, 0.1], False, ["uncorrected-motion"]),
        ([0, 1.4, 4.0], True, ["motion"]),
        ([0, 1.4, 12.0], True, ["large-motion"]),
    ],
)
def test_motion_counts_by_its_way_and_by_whether_it_was_undone(way, applied, expected):
    assert codes(motion_flags(estimate(way), applied=applied)) == expected


def test_frames_that_cannot_be_used_are_named_with_the_reason():
    (flag,) = motion_flags(estimate([0, 0, 0, 0], reliable=[True, False, True, False]), applied=False)
    assert flag.code == "unusable-frames"
    assert flag.value == 2
    assert flag.message.startswith("Frames 1, 3 (counted from 0) cannot be used (noise)")


def test_a_brain_left_out_in_part_is_told():
    brain = np.ones((10, 10, 1), bool)
    analysed = brain.copy()
    analysed[:1] = False
    (flag,) = coverage_flags(brain, analysed)
    assert flag.value == pytest.approx(10)
    assert coverage_flags(brain, brain) == []


def test_a_gap_is_a_distance_longer_than_both_beside_it():
    assert gap_in_first_pass(TIMES, TISSUE) == pytest.approx(1)
    slower = frame_times((20, 1.0), (10, 3.0))
    assert gap_in_first_pass(slower, np.interp(slower, TIMES, TISSUE)) == pytest.approx(1)
    missing = np.delete(TIMES, [13, 14])
    assert gap_in_first_pass(missing, np.delete(TISSUE, [13, 14])) == pytest.approx(3)
    # where no contrast passes, a gap does no harm
    early = np.delete(TIMES, [3, 4])
    assert gap_in_first_pass(early, np.delete(TISSUE, [3, 4])) == pytest.approx(1)


@pytest.mark.parametrize("seed", range(5))
def test_a_blank_frame_and_a_loud_one_are_odd_and_others_are_not(seed):
    rng = np.random.default_rng(seed)
    curves = noisy(rng)
    height = float(TISSUE.max())
    assert odd_frames(frame_distances(curves, TIMES), height)[0].size == 0
    curves[:, 17] = -30
    curves[:, 31] += 60 * rng.standard_normal(len(curves)).astype(np.float32)
    odd, worst = odd_frames(frame_distances(curves, TIMES), height)
    assert odd.tolist() == [17, 31]
    assert worst > 3


def test_without_noise_the_bolus_itself_is_not_odd():
    assert odd_frames(frame_distances(np.tile(TISSUE, (9, 1)).astype(np.float32), TIMES), float(TISSUE.max()))[1] == 0


def test_distance_of_frames_is_that_of_the_noise_whatever_their_times():
    rng = np.random.default_rng(0)
    times = frame_times((20, 1.0), (15, 3.0))
    curves = 5 * rng.standard_normal((4000, times.size)).astype(np.float32)
    # the median modulus of Gaussian noise is 0.6745 of its standard deviation
    np.testing.assert_allclose(frame_distances(curves, times), 5 * 0.6745, rtol=0.06)


def test_voxels_cut_off_at_the_top_are_counted():
    rng = np.random.default_rng(0)
    artery = 40 + Bolus().arterial_at(TIMES) + 5 * rng.standard_normal((30, TIMES.size))
    signal = np.concatenate([35 + noisy(rng), artery]).astype(np.float32)
    before = slice(0, 8)
    assert clipped_voxels(signal, before, Modality.CTP) == 0
    assert clipped_voxels(np.minimum(signal, 255), before, Modality.CTP) == 30
    # bone is at the top from the beginning
    bone = np.vstack([signal, np.full((50, TIMES.size), 3071, np.float32)])
    assert clipped_voxels(bone, before, Modality.CTP) == 0


def test_mr_is_cut_off_before_the_bolus():
    rng = np.random.default_rng(0)
    signal = (600 + 60 * rng.standard_normal((200, 1)) + 8 * rng.standard_normal((200, TIMES.size))).astype(np.float32)
    signal *= np.exp(-TISSUE / 20).astype(np.float32)
    before = slice(0, 8)
    assert clipped_voxels(signal, before, Modality.DSC) == 0
    at_top = int((signal[:, before].mean(axis=1) > 620).sum())
    assert clipped_voxels(np.minimum(signal, 600), before, Modality.DSC) >= at_top > 20


@pytest.mark.parametrize(
    ("start", "stop", "curve", "expected"),
    [
        (0, 8, TISSUE, []),
        (0, 2, TISSUE, ["short-baseline"]),
        (2, 8, TISSUE, ["unsteady-start"]),
        (0, 8, TISSUE[:16], ["truncated-bolus"]),
        (0, 8, TISSUE - 0.01 * TIMES * TISSUE.max(), ["drifting-signal"]),
    ],
)
def test_flags_of_the_bolus(start, stop, curve, expected):
    assert codes(bolus_flags(arrival(start, stop), curve)) == expected


def test_no_bolus_is_a_failure():
    assert codes(bolus_flags(arrival(0, 4, found=False), np.zeros(45))) == ["no-bolus"]


def artery(curve, *, ratio=1.2, noise=5.0) -> ArterialInputFunction:
    return ArterialInputFunction(
        measured=curve, fit=None, mask=np.ones((1, 1, 1), bool), source="mask", baseline_noise=noise, venous_ratio=ratio
    )


ARTERIAL = Bolus().arterial_at(TIMES)


@pytest.mark.parametrize(
    ("aif", "times", "expected"),
    [
        (artery(ARTERIAL), TIMES, []),
        (artery(ARTERIAL, noise=50.0), TIMES, ["weak-aif"]),
        (artery(ARTERIAL, ratio=0.5), TIMES, ["vein-below-aif"]),
        (artery(ARTERIAL, ratio=4.0), TIMES, ["vein-above-aif"]),
        (artery(ARTERIAL), 10 * TIMES, ["implausible-aif-width"]),
        (artery(ARTERIAL), 0.3 * TIMES, ["implausible-aif-width"]),
        (artery(Bolus(arrival=12.0, dispersion=3.0).arterial_at(TIMES)), TIMES, ["late-aif"]),
        (artery(ARTERIAL[::5]), TIMES[::5], ["sparse-frames"]),
    ],
)
def test_flags_of_the_artery(aif, times, expected):
    tissue = np.interp(np.arange(aif.measured.size) * (45 / aif.measured.size), TIMES, TISSUE)
    assert codes(aif_flags(aif, tissue, times, AIFOptions())) == expected


@pytest.mark.parametrize(("ratio", "expected"), [(1.2, []), (1.6, ["vein-above-aif"])])
def test_a_diluted_artery_that_is_not_to_be_scaled_is_told_of_sooner(ratio, expected):
    flags = aif_flags(artery(ARTERIAL, ratio=ratio), TISSUE, TIMES, AIFOptions(partial_volume=False))
    assert codes(flags) == expected
    assert codes(aif_flags(artery(ARTERIAL, ratio=ratio), TISSUE, TIMES, AIFOptions())) == []


def maps_of(**values) -> PerfusionMaps:
    filled = {"cbf": 30.0, "cbv": 3.0, "mtt": 6.0, "tmax": 3.0} | values
    shape = (6, 5, 1)
    maps = {
        name: ParameterMap(
            quantity=QUANTITIES[name],
            values=np.full(shape, value, np.float32),
            valid=np.ones(shape, bool),
            affine=np.eye(4),
        )
        for name, value in filled.items()
    }
    return PerfusionMaps(maps=maps, quality_mask=np.ones(shape, bool))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, []),
        ({"cbf": 4.0}, ["implausible-cbf"]),
        ({"cbf": 300.0, "cbv": 30.0}, ["implausible-cbf", "implausible-cbv"]),
        ({"mtt": 40.0}, ["implausible-mtt"]),
        ({"cbv": -3.0, "mtt": 0.0}, ["implausible-cbv", "implausible-mtt"]),
    ],
)
def test_values_that_no_living_brain_has(values, expected):
    assert codes(value_flags(maps_of(**values))) == expected


def test_without_a_scale_flow_and_volume_are_not_judged():
    maps = maps_of(cbf=300.0, cbv=30.0, mtt=40.0)
    free = {name: dataclasses.replace(one, calibrated=name not in ("cbf", "cbv")) for name, one in maps.maps.items()}
    assert codes(value_flags(PerfusionMaps(maps=free, quality_mask=maps.quality_mask))) == ["implausible-mtt"]


def test_a_lesion_does_not_count_as_implausible():
    maps = maps_of()
    maps["cbf"].values[:2] = 2.0
    maps["mtt"].values[:2] = 40.0
    maps["tmax"].values[:2] = 12.0
    assert value_flags(maps) == []


@pytest.mark.parametrize(
    ("lags", "expected"),
    [
        ([2.0, 3, 4, 3, 2, 3, 4, 5], []),
        ([-2.0] * 8, ["implausible-tmax"]),
        ([-5.0, -4, 3, 3, 3, 3, 3, 3], ["negative-tmax"]),
        ([30.0, 3, 3, 3, 3, 3, 3, 3], ["lag-at-edge"]),
        ([22.0] * 8, ["implausible-tmax"]),
    ],
)
def test_lags_that_no_living_brain_has(lags, expected):
    assert codes(lag_flags(np.array(lags, np.float32), (-10.0, 30.0))) == expected

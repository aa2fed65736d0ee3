"""Figures of curves over time."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from PyPeTLib.report.artery import curve_figure
from PyPeTLib.report.curves import ALARM, LINES, SHADE, bolus_figure, motion_figure


def columns_of(picture, colour: str, *, share: float) -> np.ndarray:
    """Columns in which a colour fills at least a share of the figure's height."""
    rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    same = (np.abs(picture.astype(int) - rgb) <= 3).all(axis=2)
    return np.flatnonzero(same.mean(axis=0) > share)


def column_at(time: float, times, left: float = 0.08, width: float = 0.89) -> float:
    span = times[-1] - times[0]
    return 1500 * (left + width * ((time - times[0]) / span + 0.01) / 1.02)


@pytest.mark.parametrize("modality", ["ctp", "dsc"])
def test_arrival_and_baseline_are_at_their_times(modality, ct_result, dsc_result):
    result = ct_result if modality == "ctp" else dsc_result
    times, bolus = result.working.frame_times, result.bolus
    picture = bolus_figure(result)
    assert columns_of(picture, LINES[1], share=0.4).mean() == pytest.approx(column_at(bolus.time, times), abs=2)
    shaded = columns_of(picture, SHADE, share=0.3)
    end = 0.5 * (times[bolus.baseline.stop - 1] + times[bolus.baseline.stop])
    assert shaded[-1] == pytest.approx(column_at(end, times), abs=2)
    assert shaded[0] == pytest.approx(column_at(times[0], times), abs=2)


def test_unsteady_frames_are_marked(dsc_result):
    bolus = dataclasses.replace(dsc_result.bolus, unsteady_frames=2, baseline=slice(2, 5))
    marked = columns_of(bolus_figure(dataclasses.replace(dsc_result, bolus=bolus)), ALARM, share=0.3)
    times = dsc_result.working.frame_times
    assert marked[-1] == pytest.approx(column_at(0.5 * (times[1] + times[2]), times), abs=2)
    assert columns_of(bolus_figure(dsc_result), ALARM, share=0.3).size == 0


def test_without_a_bolus_no_arrival_is_drawn(no_bolus_result):
    assert columns_of(bolus_figure(no_bolus_result), LINES[1], share=0.4).size == 0


def test_frames_that_fit_no_pose_are_marked(ct_result):
    times = ct_result.working.frame_times
    reliable = np.ones(times.size, bool)
    reliable[30] = False
    estimate = dataclasses.replace(ct_result.motion.all_frames, reliable=reliable)
    result = dataclasses.replace(ct_result, motion=dataclasses.replace(ct_result.motion, all_frames=estimate))
    marked = columns_of(motion_figure(result), ALARM, share=0.4)
    assert marked.mean() == pytest.approx(column_at(times[30], times), abs=3)
    assert columns_of(motion_figure(ct_result), ALARM, share=0.4).size == 0


def test_measured_aif_and_brain_share_their_zero(ct_result):
    """The brain's curve before the bolus runs where the artery's does."""
    picture = curve_figure(ct_result).astype(int)
    brain = [int(LINES[2][i : i + 2], 16) for i in (1, 3, 5)]
    artery = [int(LINES[0][i : i + 2], 16) for i in (1, 3, 5)]
    left = slice(int(column_at(0.5, ct_result.working.frame_times, 0.075, 0.85)), 300)
    rows = []
    for colour in (brain, artery):
        found, _ = np.nonzero((np.abs(picture[:, left] - colour) <= 40).all(axis=2))
        rows.append(np.median(found))
    assert rows[0] == pytest.approx(rows[1], abs=10)

"""The Gauss-Newton engine, and the starts of a search that went astray."""

from __future__ import annotations

import numpy as np

from PyPeTLib.preprocess.registration import make_template, register
from PyPeTLib.preprocess.rigid import rigid_matrix, rigid_parameters
from PyPeTLib.preprocess.starts import better_start

from .blobs import CENTRE, GRID, blobs


def test_a_known_pose_is_found_and_its_direction_is_from_template_to_volume():
    truth = rigid_matrix(np.array([2.0, -1.5, 1.0]), np.radians([2.0, -3.0, 4.0]), CENTRE)
    template = make_template(blobs(np.eye(4)), GRID, points=6000)

    fit = register(template, blobs(truth), np.eye(4), iterations=30, tolerance=1e-3)

    shift, turn = rigid_parameters((np.linalg.inv(truth) @ fit.matrix)[None], CENTRE)
    assert np.abs(shift).max() < 0.03
    assert np.degrees(np.abs(turn)).max() < 0.05
    assert fit.overlap > 0.95


def test_strict_judgement_resists_a_region_that_changed():
    template = make_template(blobs(np.eye(4)), GRID, points=6000)
    changed = blobs(np.eye(4))
    changed[:, :26, 12:] *= 0.6

    lenient = register(template, changed, np.eye(4), iterations=30, tolerance=1e-3)
    strict = register(template, changed, lenient.matrix, iterations=30, tolerance=1e-3, scale_limit=1.0)

    def way(fit):
        return np.linalg.norm(rigid_parameters(fit.matrix[None], CENTRE)[0])

    assert way(strict) < 0.05 < way(lenient)


def test_a_volume_without_content_does_not_raise():
    template = make_template(blobs(np.eye(4)), GRID, points=2000)

    fit = register(template, np.zeros((24, 44, 40), np.float32), np.eye(4), iterations=30, tolerance=1e-3)

    assert np.isfinite(fit.matrix).all()
    assert fit.residual > 0.4 * template.values.std()


def _apart(matrix: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Distance in mm and angle in degrees between two poses."""
    shift, turn = rigid_parameters((np.linalg.inv(truth) @ matrix)[None], CENTRE)
    return float(np.linalg.norm(shift)), float(np.degrees(np.linalg.norm(turn)))


def _turned(degrees: float) -> np.ndarray:
    return rigid_matrix(np.zeros(3), np.radians([0.0, 0.0, degrees]), CENTRE)


def test_a_search_that_goes_astray_is_led_to_the_pose_by_other_starts():
    template, volume = make_template(blobs(np.eye(4)), GRID, points=6000), blobs(_turned(75))

    astray = register(template, volume, np.eye(4), iterations=20, tolerance=0.01)
    start = better_start(template, volume, [], iterations=20)

    assert _apart(astray.matrix, _turned(75))[1] > 45
    assert astray.misfit > 0.3
    assert _apart(start, _turned(75)) < (0.1, 0.2)


def test_a_pose_known_from_another_frame_is_a_start():
    template, volume = make_template(blobs(np.eye(4)), GRID, points=6000), blobs(_turned(90))

    alone = better_start(template, volume, [], iterations=20)
    led = better_start(template, volume, [_turned(86)], iterations=20)

    assert _apart(alone, _turned(90))[1] > 45
    assert _apart(led, _turned(90)) < (0.1, 0.2)


def test_misfit_counts_the_slices_that_are_lost():
    template = make_template(blobs(np.eye(4)), GRID, points=6000)
    volume = blobs(np.eye(4))
    volume[:6] = 0

    fit = register(template, volume, np.eye(4), iterations=20, tolerance=1e-3)

    assert np.nanmax(fit.misfits[8:-2]) < 0.05
    assert np.nanmin(fit.misfits[2:5]) > 0.3
    assert 0.03 < fit.misfit < 0.3

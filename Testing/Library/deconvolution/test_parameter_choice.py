"""Rules for the strength of Tikhonov's regularisation, against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.deconvolution import DeconvolutionOptions
from PyPeTLib.deconvolution.parameter_choice import GRID, REGULARISATIONS, SingularSystem

RNG = np.random.default_rng(0)
LEFT, _ = np.linalg.qr(RNG.normal(size=(40, 40)))
RIGHT, _ = np.linalg.qr(RNG.normal(size=(40, 40)))
VALUES = 3.0 * np.geomspace(1, 1e-3, 40)
MATRIX = LEFT * VALUES @ RIGHT.T
POWER = np.geomspace(1, 1e-2, 40)
NOISE = 0.05
SYSTEM = SingularSystem(values=VALUES, power=POWER, noise=np.full(40, NOISE**2))


def curves(n, noise=NOISE):
    response = RNG.normal(size=(n, 40)) * np.sqrt(POWER) @ RIGHT.T
    return response, response @ MATRIX.T + RNG.normal(0, noise, (n, 40))


def solved(curve, level):
    return np.linalg.solve(MATRIX.T @ MATRIX + level**2 * np.eye(40), MATRIX.T @ curve)


def chosen(rule, measured):
    level = REGULARISATIONS[rule](SYSTEM)((measured @ LEFT).astype(np.float32))
    assert level.shape == (len(measured), 1)
    return level[:, 0].astype(np.float64)


def test_the_level_from_noise_has_the_least_mean_squared_error():
    response, measured = curves(4000)
    best = REGULARISATIONS["noise"](SYSTEM)

    def error(level):
        found = np.linalg.solve(MATRIX.T @ MATRIX + level**2 * np.eye(40), MATRIX.T @ measured.T).T
        return float(np.mean((found - response) ** 2))

    assert error(best) < min(error(1.3 * best), error(best / 1.3))
    assert error(best) < 0.9 * min(error(4 * best), error(best / 4))


def test_more_noise_asks_for_more_regularisation():
    levels = [
        REGULARISATIONS["noise"](SingularSystem(values=VALUES, power=POWER, noise=np.full(40, noise**2)))
        for noise in (0.01, 0.05, 0.3)
    ]
    assert levels[0] < levels[1] < levels[2]


def test_cross_validation_finds_the_minimum_of_its_definition():
    _, measured = curves(5, noise=0.3)
    for curve, level in zip(measured, chosen("gcv", measured), strict=True):

        def score(at, curve=curve):
            influence = MATRIX @ np.linalg.solve(MATRIX.T @ MATRIX + at**2 * np.eye(40), MATRIX.T)
            rest = curve - influence @ curve
            return np.log(rest @ rest / np.trace(np.eye(40) - influence) ** 2)

        scores = [score(at) for at in VALUES[0] * np.geomspace(GRID[0], GRID[-1], 200)]
        assert score(level) <= min(scores) + 1e-3


def test_the_corner_of_the_l_curve_is_where_it_bends_most():
    _, measured = curves(8, noise=0.2)
    levels = VALUES[0] * np.geomspace(GRID[0], GRID[-1], 600)
    for curve, level in zip(measured, chosen("lcurve", measured), strict=True):
        found = [solved(curve, at) for at in levels]
        across = np.array([np.log(np.linalg.norm(MATRIX @ k - curve)) for k in found])
        up = np.array([np.log(np.linalg.norm(k)) for k in found])
        across1, up1 = np.gradient(across), np.gradient(up)
        bend = (across1 * np.gradient(up1) - up1 * np.gradient(across1)) / (across1**2 + up1**2) ** 1.5
        at_level = np.interp(np.log(level), np.log(levels), bend)
        inner = bend[3:-3]
        assert at_level > inner.max() - 0.03 * np.ptp(inner)


@pytest.mark.parametrize("rule", ["gcv", "lcurve"])
def test_the_choice_for_a_curve_does_not_depend_on_its_unit(rule):
    _, measured = curves(20)
    plain = chosen(rule, measured)
    for factor in (1e-9, 1e7):
        np.testing.assert_allclose(chosen(rule, factor * measured), plain, rtol=1e-3)


@pytest.mark.parametrize("rule", ["gcv", "lcurve"])
def test_a_curve_of_zeros_gets_some_level(rule):
    level = chosen(rule, np.zeros((1, 40)))
    assert VALUES[0] * GRID[0] * 0.99 <= level[0] <= VALUES[0] * GRID[-1] * 1.01


@pytest.mark.parametrize("rule", REGULARISATIONS)
def test_the_option_offers_all_rules(rule):
    assert DeconvolutionOptions(regularisation=rule).regularisation == rule


@pytest.mark.parametrize("rule", REGULARISATIONS)
def test_every_rule_says_where_it_comes_from(rule):
    assert "doi:10." in REGULARISATIONS.entry(rule).source

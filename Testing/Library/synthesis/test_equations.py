"""Normal equations and their solution, against least squares written out."""

import numpy as np
import pytest

from PyPeTLib.synthesis.gauss_seidel import gauss_seidel
from PyPeTLib.synthesis.interpolation import modelled
from PyPeTLib.synthesis.lattice import lattice_of
from PyPeTLib.synthesis.normal_equations import NormalEquations

TINY = 1e-6


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(5)
    places = rng.uniform(0, 1, (3000, 3)).astype(np.float32)
    features = np.column_stack([np.ones(3000), rng.normal(size=(3000, 2))]).astype(np.float32)
    weights = rng.choice([1.0, 5.0], 3000).astype(np.float32)
    return places, features, weights


def gathered(lattice, data, targets, pieces=3):
    places, features, weights = data
    equations = NormalEquations(lattice, features.shape[1], targets.shape[1])
    for part in np.array_split(np.arange(len(places)), pieces):
        equations.add(places[part], features[part], targets[part], weights[part])
    return equations


def truth(lattice, rng_seed=6):
    return np.random.default_rng(rng_seed).normal(size=(lattice.nodes, 3, 2))


@pytest.mark.parametrize("patches", [1, 8, 64])
def test_coefficients_come_back_from_noise_free_data(data, patches):
    lattice = lattice_of(patches)
    coefficients = truth(lattice)
    targets = modelled(lattice, coefficients, data[0], data[1])
    system = gathered(lattice, data, targets).system(TINY, symmetric=False)
    np.testing.assert_allclose(system.exact(), coefficients, atol=5e-3)
    found = gauss_seidel(system, sweeps=3000, tolerance=1e-9)
    assert found.converged
    np.testing.assert_allclose(found.weights, system.exact(), atol=1e-5)
    assert gathered(lattice, data, targets).residual_variances(coefficients) == pytest.approx(0, abs=1e-6)


def test_noisy_data_give_the_weighted_least_squares_solution(data):
    lattice = lattice_of(8)
    places, features, weights = data
    targets = np.random.default_rng(7).normal(size=(len(places), 1)).astype(np.float32)
    design = np.zeros((len(places), lattice.nodes, 3))
    for cell, voxels, shares in lattice.hats(places):
        for corner, node in enumerate(lattice.corners[cell]):
            design[voxels, node] += shares[:, corner, None] * features[voxels]
    design = design.reshape(len(places), -1)
    roots = np.sqrt(weights)[:, None]
    expected = np.linalg.lstsq(roots * design, roots * targets, rcond=None)[0]
    system = gathered(lattice, data, targets).system(1e-9, symmetric=False)
    np.testing.assert_allclose(system.exact().reshape(-1, 1), expected, atol=1e-4)
    errors = weights @ np.square(targets - design @ expected) / weights.sum()
    found = gathered(lattice, data, targets).residual_variances(expected.reshape(8, 3, 1))
    np.testing.assert_allclose(found, errors, rtol=1e-6)


@pytest.mark.parametrize("patches", [8, 64])
def test_each_sweep_lowers_the_objective_and_the_residual_tells_the_distance(data, patches):
    lattice = lattice_of(patches)
    targets = modelled(lattice, truth(lattice), data[0], data[1])
    targets += np.random.default_rng(8).normal(size=targets.shape).astype(np.float32)
    found = gauss_seidel(gathered(lattice, data, targets).system(0.01, symmetric=True), sweeps=60, tolerance=0)
    assert found.sweeps == 60
    assert not found.converged
    assert (np.diff(found.objectives) <= 1e-12).all()
    assert found.residuals[-1] < 1e-3 * found.residuals[0]


def test_how_data_come_in_does_not_matter(data):
    lattice = lattice_of(8)
    targets = modelled(lattice, truth(lattice), data[0], data[1])
    one, many = (gathered(lattice, data, targets, pieces).system(0.01, symmetric=True).exact() for pieces in (1, 7))
    np.testing.assert_allclose(one, many, atol=1e-9)


def test_symmetric_equations_are_those_of_heads_and_their_mirror_images(data):
    lattice = lattice_of(64)
    places, features, weights = data
    targets = modelled(lattice, truth(lattice), places, features)
    both = gathered(lattice, data, targets)
    both.add(np.float32([1, 0, 0]) + np.float32([-1, 1, 1]) * places, features, targets, weights)
    expected = both.system(0.01, symmetric=False).exact()
    found = gathered(lattice, data, targets).system(0.01, symmetric=True).exact()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(found, found[lattice.mirrored], atol=1e-9)


def test_a_patch_without_data_gets_the_solution_of_the_whole_head(data):
    lattice = lattice_of(64)
    places, features, weights = data
    inside = (places < 0.6).all(axis=1)
    targets = (2 * features[:, 1:2] - 1).astype(np.float32)
    few = tuple(part[inside] for part in (places, features, weights))
    found = gathered(lattice, few, targets[inside]).system(0.01, symmetric=False).exact()
    np.testing.assert_allclose(found, np.broadcast_to(np.reshape([-1, 2, 0], (1, 3, 1)), found.shape), atol=1e-4)

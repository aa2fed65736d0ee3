"""What the model must reach on made heads: fidelity, lesions, seams, convergence, memory.

The figures of full-size heads are those of the benchmarks, by their own code and limits, on one seed.
"""

from __future__ import annotations

import importlib
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from PyPeTLib.synthesis import SynthesisOptions, fit, predict

BENCHMARKS = str(Path(__file__).parents[2] / "Benchmarks")
sys.path.append(BENCHMARKS)
accuracy = importlib.import_module("synthesis_accuracy")
measured = importlib.import_module("synthesis_measured")
sys.path.remove(BENCHMARKS)


@pytest.fixture(scope="module")
def population():
    """Seed 0, on which nothing was tuned."""
    return measured.measure(0, patches=(8, 64), variants=False)


@pytest.mark.accuracy
@pytest.mark.parametrize("bar", [*accuracy.FIDELITY_BARS, *accuracy.CONVERGENCE_BARS], ids=lambda bar: bar.name)
def test_a_population_keeps_to_what_was_asked_for(population, bar):
    assert bar.limit is not None
    assert bar.holds(population), f"{bar.value(population):.4g} against {bar.limit:g}"


@pytest.mark.accuracy
def test_every_lesion_that_mri_shows_is_low_on_its_side(population):
    visible = population.lesions(silent=False)
    assert len(visible) == 6
    assert accuracy.signs(visible) == 6
    # what MRI does not show is missed: nearly the healthy PET is predicted
    assert min(one.bias for one in population.lesions(silent=True)) > 0.1


@pytest.mark.accuracy
def test_tables_tell_what_was_measured(population):
    bars = accuracy.bars_table([population, replace(population, heads=population.heads[2:4])])
    (signs,) = (line for line in bars.splitlines() if "signs right" in line)
    # two heads cannot have six signs right
    assert signs.split("|")[-2].split() == ["yes", "**no**"]
    (told,) = (line for line in accuracy.fidelity_table([population]).splitlines() if "| **P = 64**" in line)
    assert f"{population.mean('P = 64', 'psnr'):.2f}" in told
    assert "6 of 6" in accuracy.lesion_table([population])
    assert accuracy.heads_table([population]).count("silent") == 2


@pytest.mark.accuracy
def test_seams_would_show(population):
    at = (64, measured.HALFWAY)
    assert population.seams[(*at, measured.UNBLENDED)] > 2 * population.seams[(*at, measured.PREDICTED)]


@pytest.fixture(scope="module")
def fits(training):
    """After 60 sweeps, whatever the residual."""
    choices = [SynthesisOptions(patches=patches, sweeps=60, tolerance=0) for patches in (8, 64)]
    return fit(training, *choices)


def test_sweeps_end_at_the_exact_solution(fits):
    eight, default = fits
    assert [len(one.residuals) - 1 for one in fits] == [60, 60]
    assert default.exact_difference < 2e-3
    assert eight.exact_difference < 0.04


def test_no_sweep_raises_the_objective(fits):
    for one in fits:
        assert one.objectives[-1] < one.objectives[0]
        assert max(np.diff(one.objectives)) <= 1e-12


@pytest.mark.accuracy
def test_the_benchmark_finds_the_difference_that_a_fit_tells(training, fits):
    for patches, one in zip((8, 64), fits, strict=True):
        found = measured.convergence(training, [patches])[patches]
        assert found.difference == pytest.approx(one.exact_difference, rel=0.05)
        assert found.sweeps <= 60 or one.exact_difference > measured.CLOSE


def test_patches_without_blending_have_seams(training, fits):
    model, subject = fits[1].model, training[0]
    places = np.full((*subject.mask.shape, 3), np.nan, np.float32)
    places[subject.mask] = measured.head_coordinates(subject)
    faces = measured.planes_of(64)[measured.HALFWAY]

    def ratio(image):
        (at, n_at), (near, n_near) = measured.steps_at_and_beside(image, places, faces)
        return (at / n_at) / (near / n_near)

    real, blended = ratio(subject.pet), ratio(predict(model, subject))
    assert blended < 1.15 * real
    assert ratio(measured.unblended(model, subject)) > 1.3 * real


def test_steps_at_planes_are_told_from_those_beside():
    ramp = np.linspace(0, 1, 41, dtype=np.float32)
    places = np.stack(np.meshgrid(ramp, ramp, ramp, indexing="ij"), axis=-1)
    planes = np.array([0.3125, 0.6625])
    image = np.broadcast_to(ramp[:, None, None], (41, 41, 41)).copy()
    (at, n_at), (near, n_near) = measured.steps_at_and_beside(image, places, planes)
    assert (at / n_at) / (near / n_near) == pytest.approx(1, abs=1e-3)
    image[places[..., 0] > planes[0]] += 0.1
    (at, n_at), (near, n_near) = measured.steps_at_and_beside(image, places, planes)
    # of six planes in three directions one has a step of four more
    assert (at / n_at) / (near / n_near) == pytest.approx(3, abs=0.1)


def peak_of_training(subject, count):
    """Most bytes in use while a model is fitted to so many subjects that come one by one."""

    def another(number):
        contrasts = {name: image.copy() for name, image in subject.contrasts.items()}
        made = replace(subject, name=str(number), contrasts=contrasts)
        # known beforehand: finding it takes long under tracemalloc
        vars(made)["mirror"] = subject.mirror
        return made

    tracemalloc.start()
    try:
        fit((another(number) for number in range(count)), SynthesisOptions(patches=8, sweeps=1))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_subjects(training):
    assert peak_of_training(training[0], 4) < 1.02 * peak_of_training(training[0], 2)

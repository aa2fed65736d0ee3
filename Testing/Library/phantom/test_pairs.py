import csv

import numpy as np
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.io import read_volume
from PyPeTLib.phantom import pairs as module
from PyPeTLib.phantom.pairs import make_pairs, write_pairs


@pytest.fixture(scope="module")
def pairs():
    return make_pairs(train=4, test=1, size=32, seed=7)


@pytest.fixture(scope="module")
def heads(pairs):
    return [*pairs.train(), *pairs.test()]


def test_the_same_seed_gives_the_same_heads_and_another_other_ones(pairs, heads):
    again = make_pairs(train=4, test=1, size=32, seed=7).subject(2).subject
    np.testing.assert_array_equal(again.pet, heads[2].subject.pet)
    other = make_pairs(train=4, test=1, size=32, seed=8).subject(2).subject
    assert not np.array_equal(other.pet, again.pet)


def test_heads_are_stripped_positive_and_of_the_size_of_a_brain(heads):
    for one in heads:
        subject = one.subject
        for image in (*subject.contrasts.values(), subject.pet):
            assert (image[~subject.mask] == 0).all()
            assert (image[subject.mask] > 0).all()
        litres = np.count_nonzero(subject.mask) * subject.grid.voxel_volume / 1e6
        assert 1.2 < litres < 2.2


def test_lesions_lie_on_one_side_and_lower_the_pet(heads):
    for one in heads:
        subject = one.subject
        side = subject.mirror.side()[one.lesion]
        assert (np.mean(side > 0) > 0.9) == (one.lesion_side == "right")
        share = subject.pet[one.lesion].mean() / one.healthy_pet[one.lesion].mean()
        assert 0.4 < share < 0.85


def test_one_lesion_in_four_is_silent_in_mri(heads):
    assert [one.silent for one in heads] == [False, False, False, True, False]
    for one in heads:
        flair = one.subject.contrasts["FLAIR"]
        rest = one.subject.mask & ~one.lesion
        brighter = flair[one.lesion].mean() - flair[rest].mean()
        assert (brighter > 0.15) != one.silent


def test_noise_and_gain_are_those_of_the_module(heads):
    for one in heads:
        away = one.subject.mask & (one.healthy_pet > 0.2)
        far = away & ~np.roll(one.lesion, (1, 1, 1), (0, 1, 2)) & ~one.lesion
        spread = np.std((one.subject.pet - one.healthy_pet)[far])
        # the lesion's soft edge adds a little
        assert module.PET_NOISE * 0.9 < spread < module.PET_NOISE * 2.5


def test_coefficients_change_by_what_is_said_and_alike_on_both_sides(pairs):
    population = pairs.population
    for field in population.coefficients[1:]:
        np.testing.assert_allclose(field, field[::-1], atol=1e-4 * np.abs(field).max())
    flair = population.coefficients[3][population.head]
    assert 0.04 < flair.std() / flair.mean() < 0.3


def test_an_oblique_head_is_the_same_head(pairs, heads):
    turn = np.array([[0.96, -0.28, 0], [0.28, 0.96, 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn * 6.0
    affine[:3, 3] = turn @ np.full(3, -6.0 * 31 / 2)
    turned = make_pairs(train=4, test=1, seed=7, grid=Grid((32, 32, 32), affine)).subject(1)
    np.testing.assert_array_equal(turned.subject.orientation.native.affine, affine)
    volumes = [np.count_nonzero(mask) for mask in (turned.subject.mask, heads[1].subject.mask)]
    assert volumes[0] == pytest.approx(volumes[1], rel=0.01)
    assert turned.lesion_side == heads[1].lesion_side


def test_files_hold_what_training_reads(tmp_path, pairs, heads):
    write_pairs(tmp_path, pairs)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["test", "train", "truth"]
    assert sorted(p.name for p in (tmp_path / "train").iterdir()) == ["FLAIR", "PET", "T1", "T2"]
    volume = read_volume(tmp_path / "train" / "PET" / "02.nii.gz")
    np.testing.assert_array_equal(volume.data, heads[2].subject.pet)
    with (tmp_path / "truth" / "lesions.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["silent"] for row in rows] == ["no", "no", "no", "yes", "no"]
    assert rows[-1]["split"] == "test"


def test_heads_too_small_are_refused():
    with pytest.raises(InputError, match="8 voxels"):
        make_pairs(size=4)

"""Pairs that belong together pass, misaligned ones are named, and subjects that are unlike are told."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid, identity_orientation
from PyPeTLib.phantom.pairs import make_pairs
from PyPeTLib.synthesis.alignment import alignment
from PyPeTLib.synthesis.census import Census
from PyPeTLib.synthesis.subject import Subject


def made(name, seed, size=32):
    """A head in a field of view of 192 mm: cortex along folds, dark in T1 and bright in PET."""
    rng = np.random.default_rng(seed)
    voxel = 192 / size
    grid = Grid((size,) * 3, np.diag([voxel, voxel, voxel, 1]))
    x, y, z = (np.indices(grid.shape) - (size - 1) / 2) * voxel
    brain = (x / 72) ** 2 + (y / 86) ** 2 + (z / 68) ** 2 < 1
    folds = ndimage.gaussian_filter(rng.standard_normal(grid.shape, dtype=np.float32), 6.6 / voxel)
    grey = np.exp(-((2 * folds / folds.std()) ** 2))

    def image(white, contrast, noise):
        values = white + contrast * grey + noise * rng.standard_normal(grid.shape, dtype=np.float32)
        return np.where(brain, np.maximum(values, 0.01), 0).astype(np.float32)

    return Subject(
        name=name,
        contrasts={"T1": image(0.85, -0.3, 0.02), "T2": image(0.4, 0.2, 0.02), "FLAIR": image(0.5, 0.1, 0.05)},
        mask=brain,
        orientation=identity_orientation(grid),
        pet=image(0.4, 0.6, 0.15),
    )


@pytest.fixture(scope="module")
def subjects():
    return [made(f"0{i}", i) for i in range(5)]


@pytest.fixture(scope="module")
def head():
    return made("head", 9, size=64)


def moved(subject, steps, *, masked=False):
    pet = np.roll(subject.pet, steps, axis=(0, 1, 2))
    return replace(subject, pet=np.where(subject.mask, pet, np.float32(0)) if masked else pet)


def with_lesion(subject, share=0.4):
    pet = subject.pet.copy()
    pet[: pet.shape[0] // 2] *= np.float32(share)
    return replace(subject, pet=pet)


def census_of(subjects, **options):
    census = Census(**options)
    for subject in subjects:
        census.add(subject)
    return census


def test_a_true_pair_fits_best_in_place_with_lesion_and_with_few_contrasts(head):
    for subject in (head, with_lesion(head), replace(head, contrasts={"T1": head.contrasts["T1"]})):
        found = alignment(subject)
        assert found.fault == ""
        assert found.displaced == found.in_place > 0.15
        assert found.dice > 0.99
        assert found.correction_mm == (0, 0, 0)


@pytest.mark.parametrize("steps", [(6, 0, 0), (0, -6, 0), (0, 0, 6), (4, -4, 4)])
@pytest.mark.parametrize("masked", [False, True])
def test_a_shift_is_found_whether_stripped_before_or_after(head, steps, masked):
    found = alignment(moved(head, steps, masked=masked))
    assert found.in_place < 0.03
    assert found.displaced > 0.3
    assert np.abs(np.array(found.correction_mm) + 3 * np.array(steps)).max() <= 3
    assert "it fits better moved by about" in found.fault


def test_a_pet_with_skull_is_judged_by_its_detail(head):
    around = np.random.default_rng(1).random(head.mask.shape, dtype=np.float32) * 0.3
    whole = replace(head, pet=np.where(head.mask, head.pet, around))
    assert alignment(whole).dice is None
    assert alignment(whole).fault == ""
    assert alignment(moved(whole, (0, 6, 0))).fault == "it fits better moved by about 18 mm back"


def test_an_outline_of_its_own_is_a_fault(head):
    part = head.pet.copy()
    part[:, :, :30] = 0
    found = alignment(replace(head, pet=part))
    assert found.fault.startswith("the outlines of PET and brain differ, Dice 0.")


def test_a_turned_grid_changes_nothing(subjects):
    one = subjects[0]
    turn = np.eye(4)
    turn[:2, :2] = [[0.96, -0.28], [0.28, 0.96]]
    turned = replace(one, orientation=identity_orientation(Grid(one.grid.shape, turn @ one.grid.affine)))
    assert alignment(turned).in_place == pytest.approx(alignment(one).in_place, abs=1e-6)


def test_subjects_that_are_alike_pass_one_at_a_time(subjects):
    census = Census()
    passing = census.watch(iter(subjects))
    assert next(passing) is subjects[0]
    assert len(list(passing)) == 4
    assert census.notes == ()
    assert Census().notes == ()


def test_all_misaligned_subjects_are_named_once_all_are_seen(subjects):
    mixed = [subjects[0], moved(subjects[1], (0, 3, 0)), subjects[2], moved(subjects[3], (-3, 0, 0))]
    census = Census()
    seen = []
    with pytest.raises(InputError) as error:
        seen.extend(census.watch(mixed))
    assert str(error.value) == (
        "2 of 4 PETs seem not to lie where their MRI lies: 01 (it fits better moved by about 18 mm back), 03 (it fits "
        "better moved by about 18 mm right). They may be misaligned or of other subjects. Register each PET to its "
        "MRI, look at both together, or leave these subjects out."
    )
    kept = census_of(mixed, refuse_misaligned=False)
    kept.check()
    assert kept.notes[0].startswith("2 of 4 PETs seem not to lie where their MRI lies: 01")


def test_pets_of_other_heads_are_told(subjects):
    swapped = replace(subjects[4], pet=made("other", 8).pet)
    (note,) = census_of([*subjects[:4], swapped], refuse_misaligned=False).notes
    assert "04 (0.0" in note
    assert "far less than is usual here" in note


def test_other_contrasts_are_refused(subjects):
    fewer = replace(subjects[1], contrasts={"T1": subjects[1].contrasts["T1"]})
    with pytest.raises(InputError) as error:
        census_of([subjects[0], fewer])
    assert str(error.value) == (
        "01 has other contrasts (T1) than 00 (FLAIR, T1, T2). Give the same contrasts for every subject."
    )


def test_a_pet_that_comes_twice_and_none(subjects):
    with pytest.raises(InputError, match=r"01 and 00 have the same PET. One of them is a copy"):
        census_of([subjects[0], replace(subjects[1], pet=subjects[0].pet, mask=subjects[0].mask)])
    with pytest.raises(InputError, match="00: there is no PET"):
        census_of([subjects[0].without_pet()])


def test_pets_on_other_scales_and_other_voxels_are_noted(subjects):
    high = replace(subjects[1], pet=subjects[1].pet * np.float32(5))
    grid = Grid(subjects[2].grid.shape, subjects[2].grid.affine @ np.diag([1.1, 1.1, 1.1, 1]))
    notes = census_of([subjects[0], high, replace(subjects[2], orientation=identity_orientation(grid))]).notes
    assert notes[0].startswith("The PETs differ in scale: their medians in the brain range from 0.")
    assert "(01). Bring all PETs to one scale (SUV or SUVR) before training." in notes[0]
    assert notes[1] == (
        "Voxels are of other sizes in 02 than in most subjects (6×6×6 mm). Resample all subjects to voxels of one size."
    )


@pytest.mark.accuracy
def test_figures_of_whole_heads():
    pairs = make_pairs(train=2, test=0, seed=1)
    one, other = (pairs.subject(number).subject for number in range(2))
    assert alignment(one).displaced == alignment(one).in_place > 0.35
    two_voxels, six_voxels = alignment(moved(one, (2, 0, 0))), alignment(moved(one, (6, 0, 0), masked=True))
    assert two_voxels.fault == "it fits better moved by about 6 mm left"
    assert six_voxels.fault == "it fits better moved by about 18 mm left"
    assert six_voxels.in_place < 0.03
    assert six_voxels.displaced > 0.4
    # a stranger's PET is no fault of the place, but explains little beside those of other subjects
    stranger = alignment(replace(one, pet=other.pet))
    assert not stranger.fault
    assert stranger.in_place < 0.6 * alignment(one).in_place

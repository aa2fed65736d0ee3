"""From files and arrays to a subject: one grid, the brain, and everything that does not serve said."""

import nibabel
import numpy as np
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid, nearest_ras
from PyPeTLib.io import write_volume
from PyPeTLib.synthesis.assembly import assemble, load_subject
from PyPeTLib.synthesis.brain import brain_of
from PyPeTLib.synthesis.dataset import find_subjects

SHAPE = (24, 28, 20)


def grid_of(shape=SHAPE, size=6.0, origin=None, turn=0.0):
    """A grid in RAS order around the world's origin, turned about the upright axis."""
    affine = np.eye(4)
    cos, sin = np.cos(turn), np.sin(turn)
    affine[:3, :3] = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) * size
    middle = affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    affine[:3, 3] = -middle if origin is None else origin
    return Grid(shape, affine)


GRID = grid_of()


def places(grid):
    indices = np.moveaxis(np.indices(grid.shape), 0, -1)
    return np.moveaxis(indices @ grid.affine[:3, :3].T + grid.affine[:3, 3], -1, 0)


def brain_on(grid):
    x, y, z = places(grid)
    return (x / 55) ** 2 + (y / 70) ** 2 + (z / 50) ** 2 < 1


def image_on(grid, slope=(0.004, 0.002, 0.003), level=1.0):
    """Linear in the world within the brain, which linear interpolation keeps."""
    return np.where(brain_on(grid), level + np.tensordot(slope, places(grid), 1), 0).astype(np.float32)


BRAIN = brain_on(GRID)
T1, T2 = image_on(GRID), image_on(GRID, (-0.002, 0.003, 0.001), 0.8)
PET = image_on(GRID, (0.001, -0.003, 0.002), 1.2)


def refused(images, name="7", **more):
    with pytest.raises(InputError) as error:
        assemble(name, images, **more)
    told = str(error.value)
    assert told.startswith(f"{name}: ")
    return told


def both(**more):
    return {"T1": (T1, GRID), "T2": (T2, GRID), **more}


def changed(image, value, count=3, where=BRAIN):
    image = image.copy()
    image[tuple(np.argwhere(where)[:count].T)] = value
    return image


# the brain


def test_the_brain_is_what_any_contrast_shows_in_one_piece_without_holes():
    hollow = np.where(image_on(GRID, (0.004, 0, 0), 0.5) > 0.6, 0, T1)
    hollow[0, 0, 0] = 1
    trace = T2 + np.where(BRAIN, 0, 1e-5)
    assert np.array_equal(brain_of({"T1": hollow, "T2": trace}), BRAIN)
    hole = T1.copy()
    hole[11:13, 13:15, 9:11] = 0
    assert np.array_equal(brain_of({"T1": hole}), BRAIN)


def test_images_that_are_not_stripped_are_refused():
    told = refused({"T1": (T1 + np.float32(0.1), GRID), "T2": (T2, GRID)})
    assert "T1, T2 differ from 0 in 100% of the volume, so they are not skull-stripped" in told
    assert "give masks of the brain" in told


def test_a_head_with_background_is_larger_than_a_brain():
    large = grid_of(size=8.5)
    assert "measures 2.3 l, which is much" in assemble("7", {"T1": (T1, large)}).notes[0]
    assert "more than any brain" in refused({"T1": (T1, grid_of(size=10))})


@pytest.mark.parametrize(
    ("image", "told"),
    [
        (np.zeros_like(T1), "T2 is 0 throughout."),
        (BRAIN.astype(np.float32), "T2 has the value 1 throughout, as a mask has"),
        (np.where(BRAIN, T1 - np.median(T1[BRAIN]), 0).astype(np.float32), "T2 is negative in 50% of the voxels"),
        (T1, "T1 and T2 hold the same image in the brain"),
        (changed(T2, np.nan), "T2 holds 3 voxels that are NaN or infinite. Replace them by 0 outside the brain"),
    ],
)
def test_contrasts_that_cannot_be(image, told):
    assert told in refused(both(T2=(image, GRID)))


def test_another_outline_is_noted():
    elsewhere = np.roll(T1, 3, axis=0)
    two = assemble("7", {"T1": (T1, GRID), "T2": (np.roll(T2, 3, axis=0), GRID)})
    assert two.notes[0].startswith("T1 and T2 have other outlines (Dice 0.7")
    three = assemble("7", both(FLAIR=(elsewhere, GRID)))
    assert [note[:40] for note in three.notes] == ["FLAIR has another outline than most cont"]


# masks


def test_a_mask_says_what_is_brain_and_what_lies_outside_may_be_anything():
    head = T1 + np.float32(0.2)
    mask = BRAIN.astype(np.float32)
    subject = assemble("7", {"T1": (changed(head, np.nan, where=~BRAIN), GRID)}, mask=(mask, GRID))
    assert np.array_equal(subject.mask, BRAIN)
    assert np.array_equal(subject.contrasts["T1"], np.where(BRAIN, head, 0))
    told = refused({"T1": (changed(T1, np.inf), GRID)}, mask=(mask, GRID))
    assert "T1 holds 3 voxels in the brain that are NaN or infinite" in told


@pytest.mark.parametrize(
    ("mask", "told"),
    [
        (T1, "that are no whole numbers, so it is no mask"),
        (np.zeros(SHAPE, bool), "the brain mask is empty"),
        (np.ones(SHAPE, bool), "the brain mask marks the whole volume"),
        (~BRAIN, "T1 is 0 throughout the brain"),
    ],
)
def test_masks_that_are_none(mask, told):
    assert told in refused(both(), mask=(mask, GRID))


# PET


def test_a_pet_keeps_what_it_holds_outside_the_brain():
    head = PET + np.float32(0.1)
    assert np.array_equal(assemble("7", both(), pet=(head, GRID)).pet, head)


def test_odd_values_of_a_pet_are_noted():
    notes = assemble("7", both(), pet=(changed(PET, -0.5), GRID)).notes
    assert notes == ("PET is negative in 3 voxels of the brain (0.1%), down to -0.5.",)
    notes = assemble("7", both(), pet=(changed(PET, 0, 500), GRID)).notes
    assert notes[0].startswith("PET is 0 in 13% of the brain")


@pytest.mark.parametrize(
    ("pet", "told"),
    [
        (np.where(BRAIN, 0, PET + 1).astype(np.float32), "PET is 0 throughout the brain. It may lie elsewhere"),
        (changed(PET, -1, 2500), "PET is 0 or less in 66% of the brain"),
        (BRAIN.astype(np.float32), "PET has the value 1 throughout the brain"),
        (T2, "T2 and PET hold the same image"),
    ],
)
def test_pets_that_show_no_brain(pet, told):
    assert told in refused(both(), pet=(pet, GRID))


# grids


def test_other_grids_are_refused_and_described():
    told = refused(both(), pet=(PET, grid_of(size=5.5)))
    assert told == (
        "7: PET lies on another grid than T1.\n"
        "  T1:  24×28×20 voxels of 6×6×6 mm, origin (-69.0, -81.0, -57.0) mm\n"
        "  PET: 24×28×20 voxels of 5.5×5.5×5.5 mm, origin (-63.2, -74.2, -52.2) mm\n"
        "Register the images of a subject to each other and resample them to one grid. If they are registered already, "
        "ask for resampling by position."
    )
    wrong = refused({"T1": (T1[1:], GRID)})
    assert wrong == "7: T1 has 23×28×20 voxels, its grid 24×28×20. Give one volume on its own grid."


def test_another_order_of_axes_is_the_same_grid():
    flipped = Grid(SHAPE, GRID.affine @ np.array([[-1.0, 0, 0, 23], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]))
    subject = assemble("7", {"T1": (T1[::-1], flipped), "T2": (T2, GRID)}, pet=(PET, GRID))
    assert np.array_equal(subject.contrasts["T1"], T1)
    assert np.array_equal(subject.pet, PET)
    # a prediction goes back to the first contrast's own order
    assert subject.orientation.native is flipped
    assert not subject.notes


def test_resampling_brings_images_to_their_place_and_says_so():
    fine = grid_of((50, 60, 44), 2.9, turn=0.2)
    mask = (brain_on(fine), fine)
    subject = assemble(
        "7", {"T1": (T1, GRID), "T2": (image_on(fine, level=0.8), fine)}, pet=(image_on(fine), fine), resample=True
    )
    assert subject.grid.matches(GRID)
    inside = subject.mask & BRAIN
    assert np.count_nonzero(subject.mask ^ BRAIN) < 0.02 * np.count_nonzero(BRAIN)
    # the rim is not dimmed by the zeros around it
    assert np.abs(subject.pet - T1)[inside & (subject.pet > 0)].max() < 0.02
    assert subject.notes == (
        "T2 was brought onto the grid of T1 by its position in space, with linear interpolation; nothing was "
        "registered.",
        "PET was brought onto the grid of T1 by its position in space, with linear interpolation; nothing was "
        "registered.",
    )
    masked = assemble("7", {"T1": (T1, GRID)}, mask=mask, resample=True)
    assert np.count_nonzero(masked.mask ^ BRAIN) < 0.04 * np.count_nonzero(BRAIN)
    assert "by the nearest voxel" in masked.notes[0]


def test_brain_that_an_image_does_not_show_is_left_out_or_refused():
    low = grid_of((24, 28, 16), origin=GRID.affine[:3, 3])
    subject = assemble("7", {"T1": (T1, GRID)}, pet=(PET[..., :16], low), resample=True)
    assert not subject.mask[..., 16:].any()
    part = BRAIN[..., 16:].sum() / BRAIN.sum()
    assert subject.notes[1] == f"{part:.1%} of the brain lies outside the field of view of PET and is left out."
    lower = grid_of((24, 28, 12), origin=GRID.affine[:3, 3])
    told = refused({"T1": (T1, GRID)}, pet=(PET[..., :12], lower), resample=True)
    assert "of the brain lies in the field of view of PET, and at least 90% are needed. It may show" in told


# files


@pytest.fixture
def written(tmp_path):
    def write(kind, image, grid=GRID, name="0.nii.gz"):
        (tmp_path / kind).mkdir(exist_ok=True)
        nibabel.save(nibabel.Nifti1Image(image, grid.affine), tmp_path / kind / name)
        return tmp_path

    return write


def test_files_become_a_subject(written):
    for kind, image in (("T1", T1), ("T2", T2), ("PET", PET), ("mask", BRAIN.astype(np.uint8))):
        top = written(kind, image)
    subject = load_subject(*find_subjects(top))
    assert subject.name == "0"
    assert list(subject.contrasts) == ["T1", "T2"]
    assert np.array_equal(subject.pet, PET)
    assert np.array_equal(subject.mask, BRAIN)


def test_an_oblique_file_in_another_order_goes_back_as_it_came(tmp_path, written):
    affine = grid_of(turn=0.3).affine @ np.array([[0, -1.0, 0, 23], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
    native = Grid((20, 24, 28), affine)
    top = written("MRI", image_on(native), native)
    subject = load_subject(*find_subjects(top, needs_pet=False))
    write_volume(tmp_path / "out.nii.gz", subject.contrasts["MRI"], subject.orientation)
    back = nibabel.load(tmp_path / "out.nii.gz")
    assert np.allclose(back.affine, affine, atol=1e-5)
    assert np.array_equal(np.asanyarray(back.dataobj), image_on(native))
    assert subject.grid.matches(nearest_ras(native).ras)


@pytest.mark.parametrize(
    ("pet", "grid", "told"),
    [
        (np.stack([PET, PET], -1), GRID, "PET/0.nii.gz: one volume (x, y, z) is needed, found 24×28×20×2"),
        (PET, grid_of(size=5), "0: PET/0.nii.gz lies on another grid than MRI/0.nii.gz.\n  MRI/0.nii.gz: 24×28×20"),
        (changed(PET, np.nan), GRID, "0: PET/0.nii.gz holds 3 voxels that are NaN or infinite"),
    ],
)
def test_errors_name_the_file(written, pet, grid, told):
    written("MRI", T1)
    with pytest.raises(InputError) as error:
        load_subject(*find_subjects(written("PET", pet, grid)))
    assert told in str(error.value)

"""The skull's inside on CT, against the truth of heads."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from PyPeTLib.errors import InputError
from PyPeTLib.masking import MaskOptions, brain_mask
from PyPeTLib.phantom import RigidMotion, make_head
from PyPeTLib.series import Modality

OPTIONS = MaskOptions()
FURTHER = pytest.mark.accuracy
"""One head of a kind is enough for the oldest versions: that the others come out as well, the newest ones tell."""


def find(head, options=OPTIONS):
    return brain_mask(head.signal, head.grid, Modality.CTP, options)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"seed": 0, "shape": (100, 100, 23)}, marks=FURTHER),
        pytest.param({"seed": 1, "shape": (100, 100, 23), "affine": "tilted"}, marks=FURTHER),
        {"seed": 2, "slab": 4},
        pytest.param({"seed": 3, "slab": 4, "affine": "oblique", "healthy": True}, marks=FURTHER),
        pytest.param({"seed": 4, "slab": 4, "affine": "las"}, marks=FURTHER),
        {"seed": 5, "slab": 4, "motion": RigidMotion()},
    ],
    ids=lambda c: "-".join(str(v) for v in c.values() if not isinstance(v, tuple | RigidMotion)),
)
def test_the_phantoms_intracranial_space_is_found(changes, score):
    head = make_head("ctp", n_frames=8, dt=5.0, **changes)
    mean = head.series.array().mean(axis=3, dtype=np.float32)
    found = brain_mask(mean, head.series.grid, Modality.CTP, OPTIONS)
    dice = score(found.mask, head.masks["intracranial"])
    print(f"Dice {dice:.4f}, against the pia {score(found.mask, head.masks['brain']):.4f}")
    assert dice >= 0.985
    assert found.notes == ()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"skull": 4.0},
        {"skull": 9.0},
        {"scale": 0.8},
        {"degrees": (15.0, 0.0, 0.0)},
        {"degrees": (0.0, 12.0, 20.0)},
        {"shape": (96, 108, 4)},
        {"shape": (96, 108, 4), "height": 40.0},
        {"shape": (96, 108, 4), "height": -40.0},
        {"shape": (96, 108, 12), "spacing": (2.0, 2.0, 10.0)},
        {"shape": (64, 72, 50), "spacing": (3.0, 3.0, 3.0)},
        {"shape": (192, 216, 5), "spacing": (1.0, 1.0, 5.0)},
        {"noise": 5.0},
    ],
    ids=str,
)
def test_heads_of_other_make(changes, draw, ct_levels, score):
    head = draw(ct_levels, **changes)
    found = find(head)
    assert score(found.mask, head.truth) >= 0.985
    # nothing outside but partial volume at the edge
    assert not found.mask[head.depth < -head.grid.voxel_sizes[2]].any()


@pytest.mark.parametrize(("bone", "threshold"), [(700.0, 367.0), (1000.0, 517.0)])
def test_the_threshold_lies_midway_between_tissue_and_bone(bone, threshold, draw, ct_levels):
    found = find(draw({**ct_levels, "bone": bone}))
    assert found.threshold == pytest.approx(threshold, abs=10)


def test_a_threshold_can_be_given(draw, ct_levels):
    head = draw(ct_levels)
    low, high = (find(head, MaskOptions(bone_threshold=hu)) for hu in (200.0, 800.0))
    assert low.threshold == 200.0
    assert high.volume(head.grid) > 1.01 * low.volume(head.grid)


def test_the_mask_is_one_piece_without_holes_and_misses_the_skull(draw, ct_levels):
    head = draw(ct_levels)
    head.put(head.depth > 40, 400.0)
    found = find(head)
    assert ndimage.label(found.mask)[1] == 1
    for z in range(found.mask.shape[2]):
        np.testing.assert_array_equal(ndimage.binary_fill_holes(found.mask[:, :, z]), found.mask[:, :, z])
    assert found.skull is not None
    assert not (found.skull & found.mask).any()
    assert found.skull[(head.depth < -2) & (head.depth > -4)].mean() > 0.9


def test_slices_without_brain_are_empty(draw, ct_levels):
    head = draw(ct_levels, shape=(96, 108, 30))
    found = find(head)
    assert not found.mask[:, :, ~head.truth.any(axis=(0, 1))].any()


def test_vessels_full_of_contrast_at_the_inner_table_are_inside_and_no_bone(draw, ct_levels, score):
    head = draw(ct_levels)
    x, y, _ = head.place
    sinus = (np.abs(x) < 5) & (y < 0) & (head.depth > 0.5) & (head.depth < 9)
    head.put(sinus, 150.0)
    found = find(head)
    assert found.mask[sinus & head.truth].mean() > 0.99
    assert score(found.mask, head.truth) >= 0.985


@pytest.mark.parametrize("value", [75.0, 400.0, 2500.0], ids=["bleeding", "calcification", "coil"])
def test_dense_things_inside_are_inside(value, draw, ct_levels, score):
    head = draw(ct_levels)
    x, y, z = head.place
    thing = (x - 25) ** 2 + (y - 15) ** 2 + (z - 5) ** 2 < 9**2
    head.put(thing, value)
    found = find(head)
    assert found.mask[thing].all()
    assert score(found.mask, head.truth) >= 0.985


@pytest.mark.parametrize("value", [1200.0, 3000.0])
def test_a_shunt_from_the_skull_inward_is_inside(value, draw, ct_levels, score):
    head = draw(ct_levels)
    x, y, z = head.place
    shunt = (x > 8) & (np.hypot(y - 10, z - 3) < 3.1)
    head.put(shunt, value)
    found = find(head)
    deep = shunt & (head.depth > 8)
    assert deep.sum() > 20
    assert found.mask[deep].mean() > 0.95
    assert score(found.mask, head.truth) >= 0.98


def test_a_bubble_of_air_inside_is_inside(draw, ct_levels):
    head = draw(ct_levels)
    x, y, z = head.place
    bubble = x**2 + (y - 55) ** 2 + (z - 8) ** 2 < 9**2
    head.put(bubble, -1000.0)
    assert find(head).mask[bubble].all()


@pytest.mark.parametrize("padding", [-1024.0, -3024.0])
def test_padding_and_a_headrest_do_not_matter(padding, draw, ct_levels):
    head = draw(ct_levels)
    plain = find(head)
    x, y, _ = head.place
    radius = np.hypot(x, y - 6)
    rest = (radius > 101) & (radius < 107) & (y < -30)
    head.put(rest, 200.0)
    head.put(rest & (x > 10), -200.0)
    head.put(np.hypot(x, y) > 108, padding)
    np.testing.assert_array_equal(find(head).mask, plain.mask)


@pytest.mark.parametrize(
    "hole",
    [
        lambda x, y, z: (np.hypot(x, y + 15) < 16) & (z < 0),
        lambda x, y, z: (np.hypot(np.abs(x) - 30, z + 30) < 9) & (y > 30),
        lambda x, y, z: (np.hypot(y, z) < 25) & (x > 0),
        lambda x, y, z: z < -50,
    ],
    ids=["foramen magnum", "orbits", "bone flap", "open base"],
)
def test_openings_of_the_skull_are_closed(hole, draw, ct_levels, score):
    head = draw(ct_levels, hole=hole)
    found = find(head)
    assert score(found.mask, head.truth) >= 0.97
    assert not found.mask[head.depth < -8].any()


def test_the_neck_is_left_out(draw, ct_levels, score):
    head = draw(ct_levels, shape=(80, 100, 30), height=-36.0, hole=lambda x, y, z: (np.hypot(x, y + 15) < 16) & (z < 0))
    x, y, z = head.place
    neck = (np.hypot(x / 1.1, y) < 55) & (z < -45) & (head.depth < -6)
    head.put(neck, 55.0)
    head.put(neck & (np.hypot(x, y + 15) < 24), 1000.0)
    canal = (np.hypot(x, y + 15) < 10) & (z < -50) & (head.depth < 0)
    head.put(canal, 30.0)
    found = find(head)
    assert score(found.mask, head.truth) >= 0.97
    per_slice = found.mask.sum(axis=(0, 1)) * 0.04
    assert per_slice[z[0, 0] < -75].max() == 0


def test_brain_beyond_the_field_of_view_is_noted(draw, ct_levels, score):
    head = draw(ct_levels, shape=(60, 108, 12))
    found = find(head)
    assert score(found.mask, head.truth) >= 0.97
    assert len(found.notes) == 1
    assert "edge of the field of view (left, right)" in found.notes[0]


def test_without_bone_the_error_says_what_was_found(draw, ct_levels):
    head = draw({**ct_levels, "bone": 60.0})
    with pytest.raises(InputError, match=r"no skull was found: only 0\.0 ml lie above 300 HU .*--mask"):
        find(head)


def test_bone_that_encloses_nothing_is_no_head(draw, ct_levels):
    head = draw(ct_levels)
    bar = np.full_like(head.signal, -1000.0)
    bar[30:60, 40:60, 5:15] = 1000.0
    head.put(np.ones_like(bar, dtype=bool), 0.0)
    head.signal += bar
    with pytest.raises(InputError, match=r"encloses no brain.*--mask"):
        find(head)


def test_the_result_is_the_same_every_time(draw, ct_levels):
    head = draw(ct_levels)
    np.testing.assert_array_equal(find(head).mask, find(head).mask)

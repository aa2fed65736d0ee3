"""The bright room inside the dark skull on MR, against the truth of heads."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from PyPeTLib.errors import InputError
from PyPeTLib.masking import MaskOptions, brain_mask
from PyPeTLib.phantom import RigidMotion
from PyPeTLib.series import Modality

OPTIONS = MaskOptions()
FURTHER = pytest.mark.accuracy
"""One head of a kind is enough for the oldest versions: that the others come out as well, the newest ones tell."""


def find(head, options=OPTIONS):
    return brain_mask(head.signal, head.grid, Modality.DSC, options)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"seed": 0}, marks=FURTHER),
        pytest.param({"seed": 1, "affine": "tilted"}, marks=FURTHER),
        {"seed": 2, "slab": 4},
        pytest.param({"seed": 3, "slab": 4, "affine": "oblique", "healthy": True}, marks=FURTHER),
        pytest.param({"seed": 4, "slab": 4, "affine": "las"}, marks=FURTHER),
        {"seed": 5, "slab": 4, "motion": RigidMotion()},
    ],
    ids=lambda c: "-".join(str(v) for v in c.values() if not isinstance(v, RigidMotion)),
)
@pytest.mark.parametrize("frames", [2, 12], ids=["baseline", "all frames"])
def test_the_phantoms_intracranial_space_is_found(changes, frames, heads, score):
    head = heads("dsc", n_frames=12, dt=4.0, **changes)
    mean = head.series.array()[..., :frames].mean(axis=3, dtype=np.float32)
    found = brain_mask(mean, head.series.grid, Modality.DSC, OPTIONS)
    dice = score(found.mask, head.masks["intracranial"])
    print(f"Dice {dice:.4f}, against the pia {score(found.mask, head.masks['brain']):.4f}")
    assert dice >= (0.985 if frames == 2 else 0.97)
    assert found.notes == ()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"skull": 5.0},
        {"skull": 9.0},
        {"scale": 0.8},
        {"degrees": (15.0, 0.0, 0.0)},
        {"degrees": (0.0, 12.0, 20.0)},
        {"shape": (96, 108, 4)},
        {"shape": (96, 108, 4), "height": 30.0},
        {"shape": (96, 108, 4), "height": -30.0},
        {"shape": (64, 72, 50), "spacing": (3.0, 3.0, 3.0)},
        {"shape": (192, 216, 5), "spacing": (1.0, 1.0, 5.0)},
        {"noise": 25.0},
    ],
    ids=str,
)
def test_heads_of_other_make(changes, draw, mr_levels, score):
    head = draw(mr_levels, **changes)
    assert score(find(head).mask, head.truth) >= 0.975


@pytest.mark.parametrize("factor", [0.1, 10.0])
def test_the_scale_of_the_signal_does_not_matter(factor, draw, mr_levels):
    head = draw(mr_levels)
    plain = find(head)
    head.signal *= np.float32(factor)
    scaled = find(head)
    assert scaled.threshold == pytest.approx(factor * plain.threshold, rel=1e-3)
    assert np.count_nonzero(scaled.mask ^ plain.mask) <= 10


def test_coil_shading_of_30_percent_does_not_matter(draw, mr_levels, score):
    head = draw(mr_levels)
    x, y, _ = head.place
    head.signal *= 1 + 0.3 * np.clip((x + y) / 110, -1, 1)
    assert score(find(head).mask, head.truth) >= 0.975


@pytest.mark.parametrize("scalp", [60.0, 2500.0], ids=["fat suppressed", "glaring fat"])
def test_the_brightness_of_the_scalp_does_not_matter(scalp, draw, mr_levels, score):
    head = draw({**mr_levels, "scalp": scalp})
    assert score(find(head).mask, head.truth) >= 0.975


def test_scalp_eyes_and_slices_without_brain_are_left_out(draw, mr_levels):
    head = draw(mr_levels, shape=(96, 108, 30))
    found = find(head)
    assert not found.mask[head.depth < -4].any()
    assert not found.mask[:, :, ~head.truth.any(axis=(0, 1))].any()


def test_the_mask_is_one_piece_without_holes_and_keeps_ventricles(draw, mr_levels):
    head = draw({**mr_levels, "csf": 1400.0})
    found = find(head)
    assert ndimage.label(found.mask)[1] == 1
    assert found.mask[head.depth > 6].all()


@pytest.mark.parametrize(
    ("centre", "radius"), [((25, 15, 5), 12.0), ((0, 74, -6), 6.0)], ids=["bleeding", "signal loss at the rim"]
)
def test_dark_spots_are_inside(centre, radius, draw, mr_levels, score):
    head = draw(mr_levels)
    spot = sum((p - c) ** 2 for p, c in zip(head.place, centre, strict=True)) < radius**2
    head.put(spot & (head.depth > 0), 40.0)
    found = find(head)
    assert score(found.mask, head.truth) >= 0.975
    if radius > 10:
        assert found.mask[spot].all()


def test_the_signal_fraction_moves_the_edge(draw, mr_levels):
    head = draw(mr_levels, shape=(96, 108, 8))
    wide, narrow = (find(head, MaskOptions(signal_fraction=f)) for f in (0.2, 0.8))
    assert wide.volume(head.grid) > narrow.volume(head.grid)


@pytest.mark.parametrize("value", [0.0, 100.0])
def test_an_image_without_head_is_refused(value, draw, mr_levels):
    head = draw(mr_levels)
    noise = np.random.default_rng(0).random(head.signal.shape, dtype=np.float32)
    speckle = np.where(noise > 0.8, value, 0).astype(np.float32)
    with pytest.raises(InputError, match=r"no brain was found.*--mask"):
        brain_mask(speckle, head.grid, Modality.DSC, OPTIONS)

"""Pictures of comparisons: sides, one scale for both maps, and the sign of the difference."""

import dataclasses

import numpy as np
import pytest

from PyPeTLib.compare.metrics import METRICS
from PyPeTLib.compare.model import Comparison, Coverage
from PyPeTLib.report.colours import palette
from PyPeTLib.report.comparison import agreement_figure, comparison_page, difference_scale, map_scale

SHAPE = (40, 48, 6)
COVERAGE = Coverage(voxels=1000, volume=8.0, of_generated=1.0, of_reference=1.0, outline=1.0, detail=0.9)


def made(generated, reference, *, affine=None, **changes):
    mask = np.zeros(SHAPE, bool)
    mask[6:34, 6:42] = True
    generated, reference = (
        np.where(mask, np.broadcast_to(values, SHAPE), 0).astype(np.float32) for values in (generated, reference)
    )
    found = Comparison(
        quantity="cbf",
        generated=generated,
        reference=reference,
        generated_valid=mask,
        reference_valid=mask,
        mask=mask,
        difference=np.where(mask, generated - reference, 0).astype(np.float32),
        affine=np.diag([4.0, 4.0, 8.0, 1.0]) if affine is None else affine,
        metrics=dict.fromkeys(METRICS, 0.5),
        unit="ml/100g/min",
        normalisation="absolute",
        data_range=1.0,
        coverage=COVERAGE,
        notes=("1000 voxels hold a value.",),
    )
    return dataclasses.replace(found, **changes)


def spot(value=60.0, *, rest=30.0):
    """One value in the patient's right front, another elsewhere; axes run to the right, the front and the top."""
    values = np.full(SHAPE, rest)
    values[26:34, 34:42] = value
    return values


def parts(page):
    """The three columns of a page."""
    thirds = np.array_split(np.arange(page.shape[1]), 3)
    return [page[:, third] for third in thirds]


def entry(value, comparison):
    scale = map_scale(comparison)
    return palette()[scale.entries(np.array([value], np.float32))[0]]


def places(picture, colour):
    return np.argwhere((picture == colour).all(axis=2))


def test_right_is_left_front_is_up_and_both_maps_share_their_colours() -> None:
    comparison = made(spot(), spot(rest=20.0))
    page = comparison_page(comparison)
    assert (page.ndim, page.shape[2], page.dtype) == (3, 3, np.uint8)
    generated, reference, _ = parts(page)
    bright = entry(60.0, comparison)
    for picture in (generated, reference):
        rows, columns = places(picture, bright).T
        # the colour bar holds the colour too, below all slices
        inside = rows < page.shape[0] - 160
        assert np.median(columns[inside]) < picture.shape[1] * 0.45
        assert inside.sum() > 500
    counts = [len(places(picture, bright)) for picture in (generated, reference)]
    assert counts[0] == pytest.approx(counts[1], rel=0.1)
    top = places(generated, bright)[:, 0].min()
    assert top < places(generated, entry(30.0, comparison))[:, 0].max()
    assert abs(int(top) - int(places(generated, entry(30.0, comparison))[:, 0].min())) < 30


def test_axes_in_another_order_give_the_same_picture() -> None:
    plain = made(spot(), spot(rest=20.0))
    turned = {
        name: np.ascontiguousarray(getattr(plain, name)[::-1, :, ::-1])
        for name in ("generated", "reference", "generated_valid", "reference_valid", "mask", "difference")
    }
    affine = plain.affine @ np.diag([-1.0, 1.0, -1.0, 1.0])
    affine[:3, 3] = plain.affine[:3, :3] @ [SHAPE[0] - 1, 0, SHAPE[2] - 1]
    assert np.array_equal(comparison_page(plain), comparison_page(dataclasses.replace(plain, affine=affine, **turned)))


def test_differences_are_red_above_and_blue_below() -> None:
    for generated, reference, channel in ((50.0, 30.0, 0), (30.0, 50.0, 2)):
        page = comparison_page(made(spot(generated, rest=30.0), spot(reference, rest=30.0)))
        difference = parts(page)[2].astype(int)[250:-200]
        strong = np.abs(difference[..., 0] - difference[..., 2]) > 100
        assert strong.sum() > 500
        assert difference[strong].mean(axis=0).argmax() == channel


def test_scales() -> None:
    own = made(spot(), spot(rest=20.0))
    assert (map_scale(own).low, map_scale(own).high) == (0, 80)
    assert not map_scale(own).fitted
    scale = difference_scale(own, map_scale(own))
    assert (scale.low, scale.high, scale.label(-10.0)) == (-10, 10, "≤−10")
    # large vessels leave colours for the tissue
    vessels = made(spot(900.0), spot(20.0))
    assert difference_scale(vessels, map_scale(vessels)).high == 40
    untold = map_scale(dataclasses.replace(own, unit="", generated=own.generated * 10))
    assert untold.fitted
    assert untold.high >= 600
    relative = made(spot(1.4, rest=-0.2), spot(1.2, rest=-0.1), unit="1", normalisation="relative")
    scale = map_scale(relative)
    assert (scale.low, scale.ticks[0]) == (-1, -1)
    assert scale.high >= 1.4
    assert 0.0 in scale.ticks
    negative = map_scale(made(spot(-3.0, rest=2.0), spot(-2.0, rest=2.0), unit="", quantity="delay"))
    assert negative.low == -negative.high


def test_doubts_stand_in_yellow_and_make_the_page_higher() -> None:
    plain = made(spot(), spot())
    doubt = "No unit was told for the reference: values were compared as they are."
    doubted = dataclasses.replace(plain, notes=(*plain.notes, doubt), doubts=(doubt,), unit="")
    page = comparison_page(doubted)
    assert page.shape[0] > comparison_page(plain).shape[0]
    head = page[:220].astype(int)
    assert ((head[..., 0] > 150) & (head[..., 1] > 120) & (head[..., 2] < 110)).sum() > 200


def test_the_same_comparison_gives_the_same_pixels() -> None:
    comparison = made(spot(), spot(rest=20.0))
    assert np.array_equal(comparison_page(comparison), comparison_page(comparison))
    figure = agreement_figure(comparison)
    assert figure.shape[2] == 3
    assert np.array_equal(figure, agreement_figure(comparison))


def test_maps_of_one_value_can_be_drawn() -> None:
    assert comparison_page(made(30.0, 30.0)).max() == 255
    assert agreement_figure(made(30.0, 30.0)).max() == 255

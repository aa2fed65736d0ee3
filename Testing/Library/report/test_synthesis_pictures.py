"""Pictures of synthetic PET: sides, shared scales, the sign of errors, outlines; the page of an evaluation."""

import dataclasses
import re

import numpy as np
import pytest

from PyPeTLib.geometry import Grid
from PyPeTLib.report.colours import palette
from PyPeTLib.report.html.synthesis import MOST_PICTURES, write_synthesis_report
from PyPeTLib.report.page import write_png
from PyPeTLib.report.synthesis import (
    MAGENTA,
    MOST_SLICES,
    SYNTHETIC,
    SynthesisPicture,
    fidelity_figure,
    synthesis_page,
)
from PyPeTLib.tables import Column, DataTable

GRID = Grid((32, 36, 12), np.diag([5.0, 5.0, 8.0, 1.0]))


def brain():
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n) for n in GRID.shape), indexing="ij")
    return x**2 + y**2 + z**2 < 0.9


def right_part(mask, wanted=True):
    """A part of the patient's right half in the middle of the volume, or of the left one; axes run to the right."""
    part = np.zeros_like(mask)
    part[22:27, 14:22, 4:8] = True
    return part if wanted else part[::-1]


def shown(**changes):
    mask = brain()
    pet = np.where(mask, np.float32(1), np.float32(0))
    low = right_part(mask)
    pet[low] = 0.5
    made = SynthesisPicture(
        name="sub-7",
        method="P = 64",
        grid=GRID,
        mask=mask,
        contrasts={"T1": pet * 100, "FLAIR": np.where(mask, 2 - pet, 0).astype(np.float32)},
        predicted=pet.copy(),
        pet=pet,
        unit="SUVR",
        low_predicted=low,
        low_real=low,
    )
    return dataclasses.replace(made, **changes)


def columns(page, count):
    """The columns of pictures; the page is a little wider than they are together."""
    return np.array_split(page, count, axis=1)


def places(picture, colour):
    return np.argwhere((picture == np.asarray(colour)).all(axis=2))


def test_the_patients_right_is_on_the_left_and_outlines_stand_on_both_pets() -> None:
    page = synthesis_page(shown())
    assert page.ndim == 3
    assert page.dtype == np.uint8
    parts = columns(page, 6)
    for part in parts[2:4]:
        magenta = places(part[250:], MAGENTA)
        assert len(magenta) > 100
        assert magenta[:, 1].max() < part.shape[1] / 2
    assert not any(len(places(part[250:], MAGENTA)) for part in (*parts[:2], *parts[4:]))
    flipped = right_part(brain(), wanted=False)
    other = columns(synthesis_page(shown(low_predicted=flipped)), 6)[3]
    assert places(other[250:], MAGENTA)[:, 1].min() > other.shape[1] / 2 - 10


def test_the_signed_error_is_red_where_the_prediction_is_too_high_and_blue_where_too_low() -> None:
    base = shown()
    high, low = base.predicted.copy(), base.predicted.copy()
    part = right_part(base.mask)
    high[part] += 0.4
    low[part] -= 0.4
    for predicted, channel in ((high, 0), (low, 2)):
        signed = columns(synthesis_page(dataclasses.replace(base, predicted=predicted)), 6)[5]
        # above the colour bar
        inside = signed[250:-150].astype(int)
        coloured = np.abs(inside[..., 0] - inside[..., 2]) > 100
        assert np.count_nonzero(coloured) > 100
        assert (inside[coloured].argmax(axis=1) == channel).all()
        assert np.argwhere(coloured)[:, 1].mean() < signed.shape[1] / 2


def test_both_pets_have_one_scale_and_equal_images_equal_colours() -> None:
    parts = columns(synthesis_page(shown(low_real=None, low_predicted=None)), 6)
    table = palette()
    counts = [
        {
            tuple(c): n
            for c, n in zip(*np.unique(part[250:-150].reshape(-1, 3), axis=0, return_counts=True), strict=True)
        }
        for part in parts[2:4]
    ]
    colours = {tuple(int(v) for v in colour) for colour in table[80:]}
    held = [{tuple(map(int, c)): n for c, n in count.items() if tuple(map(int, c)) in colours} for count in counts]
    assert held[0]
    assert held[0] == held[1]


def test_without_a_real_pet_there_is_no_error_and_the_page_says_that_nothing_was_found() -> None:
    with_pet = synthesis_page(shown())
    alone = synthesis_page(
        shown(pet=None, low_real=None, low_predicted=np.zeros(GRID.shape, bool), contrasts={"T1": shown().predicted})
    )
    assert alone.shape[1] < with_pet.shape[1]
    assert len(places(alone[250:], MAGENTA)) == 0
    assert "cannot appear" in SYNTHETIC
    assert "research use only" in SYNTHETIC


def test_the_slice_with_most_of_the_lesion_is_shown_and_equal_input_gives_equal_pixels() -> None:
    low = np.zeros(GRID.shape, bool)
    low[20:26, 14:22, 3] = True
    page = synthesis_page(shown(low_real=low, low_predicted=low))
    assert len(places(page[250:], MAGENTA)) > 50
    np.testing.assert_array_equal(page, synthesis_page(shown(low_real=low, low_predicted=low)))
    assert MOST_SLICES < 12


def test_a_head_that_fills_one_slice_is_drawn() -> None:
    flat = np.zeros(GRID.shape, bool)
    flat[8:24, 8:28, 6] = True
    assert synthesis_page(shown(mask=flat, low_real=None, low_predicted=None)).size


def test_methods_are_drawn_beside_each_other_with_missing_values() -> None:
    values = {"PSNR [dB] ↑": {"template": [20.0, 21, 22, float("inf")], "P = 64": [28.0, 29, float("nan"), 30]}}
    picture = fidelity_figure(values, subjects=4, notes="Made heads.")
    assert picture.shape[2] == 3
    assert picture.std() > 5


@pytest.fixture
def report(tmp_path):
    def write(**changes):
        pictures = {}
        for number in range(changes.pop("subjects", 2)):
            path = tmp_path / f"s{number}.png"
            write_png(path, np.full((20, 30, 3), number, np.uint8))
            pictures[f"s{number}"] = path
        table = DataTable(name="t", title="A table", columns=(Column(name="a"),), rows=(("<script>x</script>",),))
        given = {
            "title": "PET predicted from MRI",
            "facts": [("Subjects", "2")],
            "warnings": ["A lesion that the MRI does not show cannot appear."],
            "figures": {"PSNR [dB] ↑": {"P = 64": [("s0", 28.0), ("s1", 29.0)], "none": [("s0", float("inf"))]}},
            "tables": [table],
            "details": [dataclasses.replace(table, title="Details")],
            "pictures": pictures,
        }
        write_synthesis_report(tmp_path / "report.html", **{**given, **changes})
        return (tmp_path / "report.html").read_text(encoding="utf-8")

    return write


def test_the_page_of_an_evaluation_holds_everything_and_warns_first(report) -> None:
    text = report()
    assert text.index("cannot appear") < text.index("<svg") < text.index("A table") < text.index("data:image/png")
    assert text.index("data:image/png") < text.index("<summary>Details")
    assert "<script" not in text
    assert "Research use only" in text
    assert not re.search(r"(src|href)=\"(?!data:|#)", text)
    assert report() == text


def test_the_page_holds_so_many_pictures_and_tells_of_the_rest(report) -> None:
    text = report(subjects=MOST_PICTURES + 2)
    assert text.count("<figure") == MOST_PICTURES
    assert "2 more subjects: see the folder figures" in text

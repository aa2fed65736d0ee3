"""The user guide: its links lead somewhere, its pictures are those that `make screenshots` makes, none is missing."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "Docs" / "user-guide"
PICTURES = ROOT / "Resources" / "Screenshots"
PAGES = sorted(GUIDE.glob("*.md"))
MADE_ELSEWHERE = {"colour-tables.png"}
LARGEST = 250_000


def load(name):
    """A part of the program for the pictures that needs no Slicer."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "Testing" / "Pictures" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LISTED = load("screenshots_list")


def steps():
    """Names of the steps of a review, as their list says; read as text, for it needs Slicer."""
    text = (ROOT / "PyPeT" / "PyPeTSlicer" / "review" / "steps.py").read_text(encoding="utf-8")
    return re.findall(r"^    Step\(\n        name=\"(\w+)\"", text, flags=re.MULTILINE)


def links(page):
    """Targets of all links and pictures of a page that lead to files of the project."""
    found = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def anchors(page):
    """What links may name behind #: the headings, as GitHub writes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_of_the_guide_lead_to_files_and_headings(page):
    for target in links(page):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_there_are_both_tutorials():
    assert [page.name for page in PAGES] == ["README.md", "ct.md", "mr.md"]


def test_each_step_of_the_review_has_a_picture_for_ct_and_mr():
    names = steps()
    assert len(names) == 10
    assert list(LISTED.STEP_FRAMES) == names
    for kind in ("ct", "mr"):
        shown = {Path(target).name for target in links(GUIDE / f"{kind}.md")}
        for name in names:
            assert f"review-{kind}-{name.lower()}.png" in shown
            assert f"### {name}\n" in (GUIDE / f"{kind}.md").read_text(encoding="utf-8")


def test_every_picture_of_the_guide_can_be_made_again():
    shown = {Path(target).name for page in PAGES for target in links(page) if target.endswith(".png")}
    assert shown == set(LISTED.PICTURES)


def test_the_pictures_are_there_and_small_and_no_others():
    files = {path.name: path.stat().st_size for path in PICTURES.glob("*.png")}
    assert set(files) == set(LISTED.PICTURES) | MADE_ELSEWHERE
    assert {name for name in LISTED.PICTURES if files[name] > LARGEST} == set()


def test_few_colours_stay_as_they_are_and_many_become_the_nearest():
    reduced = load("screenshots_png").reduced
    rng = np.random.default_rng(1)
    few = rng.integers(0, 256, (20, 3), np.uint8)[rng.integers(0, 20, (30, 40))]
    colours, indices = reduced(few, 32)
    np.testing.assert_array_equal(colours[indices], few)
    ramp = np.repeat(np.arange(256, dtype=np.uint8).reshape(1, -1, 1), 3, axis=2)
    colours, indices = reduced(ramp, 64)
    assert len(colours) == 64
    assert np.abs(colours[indices].astype(int) - ramp).max() <= 4

"""Heads on grids small enough for tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from PyPeTLib.phantom import HeadPhantom, make_head

SHAPES = {"ctp": (66, 66, 12), "dsc": (56, 56, 10)}


@pytest.fixture(scope="session")
def small_head() -> Callable[..., HeadPhantom]:
    """`make_head` with a coarse grid, unless told otherwise."""

    def make(modality: str, **changes) -> HeadPhantom:
        return make_head(modality, **{"shape": SHAPES[modality], **changes})

    return make


@pytest.fixture(scope="session")
def clean_ct(small_head) -> HeadPhantom:
    """Without noise; made once."""
    return small_head("ctp", noise=None)


@pytest.fixture(scope="session")
def clean_dsc(small_head) -> HeadPhantom:
    """Without noise; made once."""
    return small_head("dsc", noise=None)

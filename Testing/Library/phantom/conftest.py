"""Small heads that several files look at; made once."""

from __future__ import annotations

import pytest

from PyPeTLib.phantom import HeadPhantom, make_head

SMALL = {"ctp": (66, 66, 12), "dsc": (56, 56, 10)}


def small_head(modality: str, **changes) -> HeadPhantom:
    return make_head(modality, **{"shape": SMALL[modality], **changes})


@pytest.fixture(scope="session")
def clean_ct() -> HeadPhantom:
    return small_head("ctp", noise=None)


@pytest.fixture(scope="session")
def clean_dsc() -> HeadPhantom:
    return small_head("dsc", noise=None)

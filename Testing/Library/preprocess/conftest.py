"""Small heads in known motion, made once."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.execution import Execution
from PyPeTLib.phantom import HeadPhantom, make_head, rigid_matrices

SHAPE = (72, 72, 14)
TIMES = 2.5 * np.arange(16)


def stepwise_motion() -> np.ndarray:
    """Two jumps: still for four frames, then two poses of up to 3 mm and 3 degrees about each axis."""
    way = np.zeros((TIMES.size, 6))
    way[4:] = [2, -1.5, 1, 1, -2, 2]
    way[9:] = [-1, 3, -1.5, 3, 1, -3]
    return rigid_matrices(way[:, :3], way[:, 3:], [0, 0, 0])


def small_head(modality: str, **changes) -> HeadPhantom:
    return make_head(modality, **{"seed": 3, "shape": SHAPE, "frame_times": TIMES, **changes})


@pytest.fixture(scope="session")
def moving_heads() -> dict[str, HeadPhantom]:
    return {modality: small_head(modality, motion=stepwise_motion()) for modality in ("ctp", "dsc")}


@pytest.fixture(scope="session")
def still_heads() -> dict[str, HeadPhantom]:
    return {modality: small_head(modality) for modality in ("ctp", "dsc")}


@pytest.fixture(scope="session")
def clean_pairs() -> dict[str, tuple[HeadPhantom, HeadPhantom]]:
    """A still and a moving head without noise, for each modality."""
    return {
        modality: (small_head(modality, noise=None), small_head(modality, noise=None, motion=stepwise_motion()))
        for modality in ("ctp", "dsc")
    }


@pytest.fixture
def two_threads() -> Execution:
    return Execution(threads=2)

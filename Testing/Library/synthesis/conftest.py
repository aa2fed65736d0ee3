import pytest

from PyPeTLib.phantom.pairs import make_pairs
from PyPeTLib.synthesis import SynthesisOptions, fit


@pytest.fixture(scope="session")
def small_pairs():
    """A population of small heads."""
    return make_pairs(train=4, test=2, size=24, seed=100)


@pytest.fixture(scope="session")
def training(small_pairs):
    return [one.subject for one in small_pairs.train()]


@pytest.fixture(scope="session")
def new_head(small_pairs):
    return next(small_pairs.test()).subject


@pytest.fixture(scope="session")
def fitted(training):
    """A fit of eight patches to the small heads."""
    (made,) = fit(training, SynthesisOptions(patches=8, refinement=3), unit="SUV")
    return made

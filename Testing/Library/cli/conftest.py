"""Small phantoms on disk."""

from pathlib import Path

import pytest

from PyPeTLib.phantom import make_head
from PyPeTLib.phantom.write import write_phantom


@pytest.fixture(scope="session")
def ctp_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ctp")
    return write_phantom(make_head("ctp", seed=1, shape=(100, 100, 10), affine="oblique"), folder, "small_ctp")


@pytest.fixture(scope="session")
def dsc_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dsc")
    return write_phantom(make_head("dsc", seed=1, shape=(64, 64, 10), affine="las"), folder, "small_dsc")

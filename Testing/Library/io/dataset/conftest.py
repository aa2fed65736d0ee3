"""Made-up trees of empty files: what is found depends on names alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from PyPeTLib.io.dataset import Layout, find_scans


@pytest.fixture
def tree(tmp_path) -> Callable[..., Path]:
    """``tree("sub-01/perf/sub-01_dsc.nii.gz", ..., **{"dsc.json": {...}})``: a dataset of these files.

    Paths that end in ``.dcm`` get the beginning of a DICOM file; keywords are JSON files with their content.
    """

    def plant(*files: str, **sidecars: object) -> Path:
        dataset = tmp_path / "data"
        dataset.mkdir(exist_ok=True)
        for name in files:
            path = dataset / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes(128) + b"DICM" if path.suffix == ".dcm" else b"")
        for name, content in sidecars.items():
            path = dataset / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return dataset

    return plant


@pytest.fixture
def found(tree) -> Callable[..., Layout]:
    """``found(...)``: what `find_scans` finds in the tree of these files."""

    def find(*files: str, **sidecars: object) -> Layout:
        return find_scans(tree(*files, **sidecars))

    return find

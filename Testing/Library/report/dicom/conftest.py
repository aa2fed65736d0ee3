"""Small DICOM series and what is exported of them."""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from PyPeTLib.geometry import Grid, Reorientation, nearest_ras
from PyPeTLib.io.nifti import LoadedSeries
from PyPeTLib.maps import QUANTITIES, ParameterMap
from PyPeTLib.report.dicom import codes
from PyPeTLib.report.dicom.content import Content, Segment

SHAPE = (9, 8, 5)
UPRIGHT = np.array([[2.0, 0, 0, -7], [0, 2.5, 0, -11], [0, 0, 5, 30], [0, 0, 0, 1]])


def turned(affine: np.ndarray) -> np.ndarray:
    """The same grid turned about two axes: every slice is oblique to the patient's axes."""
    a, b = np.radians((17.0, -11.0))
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    oblique = affine.copy()
    oblique[:3, :3] = about_z @ about_x @ affine[:3, :3]
    return oblique


def tilted(affine: np.ndarray) -> np.ndarray:
    """Slices that are shifted backwards from one to the next, as of a tilted gantry."""
    sheared = affine.copy()
    sheared[:3, 2] = 0, -1.5, 5
    return sheared


GRIDS = {"upright": UPRIGHT, "oblique": turned(UPRIGHT), "tilted": tilted(UPRIGHT)}


def a_map(name: str, values: np.ndarray, affine: np.ndarray, valid: np.ndarray | None = None, **more) -> ParameterMap:
    valid = np.ones(values.shape, bool) if valid is None else valid
    return ParameterMap(
        quantity=QUANTITIES[name],
        values=np.where(valid, values, 0).astype(np.float32),
        valid=valid,
        affine=affine,
        **more,
    )


def a_segment(label: str, mask: np.ndarray, **more) -> Segment:
    facts = {"category": codes.ANATOMY, "kind": codes.BRAIN, "colour": (200, 80, 60)}
    return Segment(label=label, mask=mask, **{**facts, **more})


def left_handed(shape: tuple[int, int, int], affine: np.ndarray) -> Reorientation:
    """The files hold columns to the left and rows to the back like a scanner's, but slices from top to bottom."""
    turn = np.diag([-1.0, -1.0, -1.0, 1.0])
    turn[:3, 3] = np.array(shape) - 1
    return nearest_ras(Grid(shape, affine @ turn))


@dataclasses.dataclass(frozen=True)
class Pieces:
    """A series of numbers, its files, and things on its grid."""

    loaded: LoadedSeries
    data: np.ndarray
    affine: np.ndarray

    def content(self, **more) -> Content:
        return Content(orientation=self.loaded.series.orientation, **more)

    def frame_map(self, name: str = "cbf", **more) -> ParameterMap:
        """A map that is the first frame of the series."""
        return a_map(name, self.data[..., 0], self.affine, **more)


@pytest.fixture(scope="session")
def making() -> ModuleType:
    """The maker of DICOM files."""
    path = Path(__file__).parents[2] / "io" / "dicom_making.py"
    spec = importlib.util.spec_from_file_location("dicom_making_for_export", path)
    module = importlib.util.module_from_spec(spec)
    # its dataclasses look it up there
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def make_pieces(making, tmp_path_factory):
    """A function that writes a series and loads it: every voxel of every frame has its own value."""
    from PyPeTLib.io.dicom import load_dicom  # noqa: PLC0415 - needs pydicom only here

    def make(affine: np.ndarray = UPRIGHT, **options) -> Pieces:
        i, j, k, t = np.indices((*SHAPE, 8))
        data = (i + 10 * j + 100 * k + 1000 * ((5 * t) % 8)).astype(float)
        folder = tmp_path_factory.mktemp("source")
        making.make_series(folder, data, affine, np.arange(8) * 1.5, **options)
        return Pieces(load_dicom(folder), data, affine)

    return make


@pytest.fixture(scope="session")
def upright(make_pieces) -> Pieces:
    return make_pieces()

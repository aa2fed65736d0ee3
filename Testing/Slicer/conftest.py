"""What all tests of the Slicer module share: one host a process, an empty scene a test, small heads as files."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in ("Testing", "Testing/Slicer", ".", "PyPeT")]

from host import Host  # noqa: E402 - after the path is set

HOST = Host.start()
"""Started before the module's helpers are imported, which need what Slicer brings."""

from vtk.util.numpy_support import vtk_to_numpy  # noqa: E402

from PyPeTLib.cli import main as pypet  # noqa: E402
from PyPeTLib.phantom import make_head  # noqa: E402
from PyPeTLib.phantom.write import write_phantom  # noqa: E402
from PyPeTSlicer.sample_data import add_series  # noqa: E402
from PyPeTSlicer.sequences import grid_of, voxels_of  # noqa: E402

SMALL = {"ctp": {"shape": (64, 64, 10), "dt": 2.0, "n_frames": 24}, "dsc": {"shape": (56, 56, 10), "n_frames": 40}}
"""Sizes of the heads: most tests run the pipeline once or more, and none looks at how good the maps are."""


@pytest.fixture(scope="session")
def running_host():
    HOST.load_module(ROOT / "PyPeT" / "PyPeT.py")
    yield HOST
    HOST.stop()


@pytest.fixture
def host(running_host):
    """The host with an empty scene; after the test no slot or observer may have raised."""
    running_host.reset()
    running_host.clear_scene()
    yield running_host
    running_host.clear_scene()
    running_host.assert_no_exceptions()


@pytest.fixture
def qt(host):
    return sys.modules["qt"]


@pytest.fixture
def module(host):
    return sys.modules["PyPeT"]


@pytest.fixture
def logic(module):
    return module.PyPeTLogic()


@pytest.fixture
def panel(host, module):
    widget = host.open_widget(module)
    yield widget
    host.close_widget(widget)


@pytest.fixture(scope="session")
def heads(running_host):
    """``heads(modality, affine="ras")``: a small head phantom; each is made once."""
    made = {}

    def head(modality, affine="ras"):
        if (modality, affine) not in made:
            made[modality, affine] = make_head(modality, seed=1, affine=affine, **SMALL[modality])
        return made[modality, affine]

    return head


@pytest.fixture(scope="session")
def head_files(heads, tmp_path_factory):
    """``head_files(modality, affine="ras")``: the head as a 4D NIfTI file with its sidecar."""
    folder = tmp_path_factory.mktemp("heads")

    def file(modality, affine="ras"):
        stem = f"{affine}_{modality}"
        path = folder / f"{stem}.nii.gz"
        return path if path.exists() else write_phantom(heads(modality, affine), folder, stem)

    return file


@pytest.fixture(scope="session")
def library_run(head_files, tmp_path_factory):
    """``library_run(modality, affine="ras")``: the folder that `pypet run` writes for the file of a head.

    Further arguments are those of the command line; ``file`` is another series.
    """
    folder = tmp_path_factory.mktemp("runs")
    made = {}

    def run(modality, affine="ras", *more, file=None):
        series = file or head_files(modality, affine)
        job = (series, *map(str, more or ["--relative"]))
        if job not in made:
            made[job] = folder / f"{len(made)}_{affine}_{modality}"
            assert pypet(["run", str(series), str(made[job]), "--no-figures", "--quiet", *job[1:]]) == 0
        return made[job]

    return run


@pytest.fixture
def sequence(host, heads):
    """``sequence(modality, affine="ras", name="Head")``: the head as a sequence node that knows all about itself."""

    def add(modality, affine="ras", name="Head"):
        return add_series(heads(modality, affine).series, name)

    return add


def value_at(volume, point):
    """Value of a volume node at the voxel nearest to a point in RAS mm (without its parent transform)."""
    index = np.linalg.inv(grid_of(volume).affine) @ [*point, 1.0]
    return voxels_of(volume)[tuple(np.rint(index[:3]).astype(int))]


@pytest.fixture(scope="session")
def at():
    return value_at


def described_scene(scene):
    """Each node of the scene with what a user would notice of it: class, name, image, attributes."""
    described = {}
    for index in range(scene.GetNumberOfNodes()):
        node = scene.GetNthNode(index)
        image = node.GetImageData() if node.IsA("vtkMRMLVolumeNode") else None
        names = () if node.IsA("vtkMRMLScriptedModuleNode") else sorted(node.GetAttributeNames())
        described[node.GetID()] = (
            node.GetClassName(),
            node.GetName(),
            None if image is None else _sum(image),
            tuple((name, node.GetAttribute(name)) for name in names),
        )
    return described


def _sum(image):
    return float(vtk_to_numpy(image.GetPointData().GetScalars()).astype(np.float64).sum())


@pytest.fixture(scope="session")
def describe():
    return described_scene

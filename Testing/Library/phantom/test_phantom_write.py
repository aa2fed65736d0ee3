"""Phantoms as files."""

from __future__ import annotations

import gzip
import json
import struct

import nibabel
import numpy as np
import pytest

from PyPeTLib.phantom import AFFINE_KINDS, RigidMotion, make_tiles, tile_volume, write_phantom

TINY = {"shape": (24, 20, 8), "n_frames": 14}


@pytest.fixture(scope="module")
def head(small_head):
    return small_head("dsc", **TINY, affine="permuted", motion=RigidMotion())


@pytest.fixture(scope="module")
def folder(head, tmp_path_factory):
    directory = tmp_path_factory.mktemp("head")
    write_phantom(head, directory / "made", "sub-01_dsc")
    return directory / "made"


def test_series_reads_back_on_its_native_grid(head, folder):
    image = nibabel.load(folder / "sub-01_dsc.nii.gz")
    native = head.series.orientation.native
    np.testing.assert_allclose(image.affine, native.affine, atol=1e-4)
    assert image.shape == (*native.shape, 14)
    assert image.get_data_dtype() == np.int16
    assert image.header.get_xyzt_units() == ("mm", "sec")
    np.testing.assert_allclose(image.header.get_zooms(), (*native.voxel_sizes, 1.5), rtol=1e-6)
    read = head.series.orientation.to_ras(np.asarray(image.dataobj))
    np.testing.assert_array_equal(read, head.series.array())


def test_file_has_no_scaling_and_both_affines(folder):
    raw = gzip.decompress((folder / "sub-01_dsc.nii.gz").read_bytes())
    slope, intercept = struct.unpack("<2f", raw[112:120])
    assert (slope, intercept) == (1.0, 0.0)
    assert struct.unpack("<2h", raw[252:256]) == (1, 1)
    assert raw[344:348] == b"n+1\0"


def test_sidecar_states_interval_and_echo_time(folder):
    sidecar = json.loads((folder / "sub-01_dsc.json").read_text(encoding="utf-8"))
    assert sidecar == {"Modality": "MR", "RepetitionTime": 1.5, "EchoTime": 0.03}


def test_truth_lies_beside_the_series_on_the_same_grid(head, folder):
    expected = {f"{name}.nii.gz" for name in head.truth}
    expected |= {f"{name}_mask.nii.gz" for name in head.masks} | {f"{name}_fraction.nii.gz" for name in head.fractions}
    assert {path.name for path in (folder / "truth").iterdir()} == expected | {"curves.csv", "motion.tsv"}
    to_ras = head.series.orientation.to_ras
    for name, volume in (("cbf", head.truth["cbf"]), ("core_mask", head.masks["core"])):
        image = nibabel.load(folder / "truth" / f"{name}.nii.gz")
        np.testing.assert_array_equal(to_ras(np.asarray(image.dataobj)), volume)
        np.testing.assert_allclose(image.affine, head.series.orientation.native.affine, atol=1e-4)


def test_curves_and_motion_are_tables(head, folder):
    curves = np.genfromtxt(folder / "truth" / "curves.csv", delimiter=",", names=True)
    np.testing.assert_allclose(curves["time"], head.series.frame_times)
    np.testing.assert_allclose(curves["aif"], head.aif, rtol=1e-8)
    np.testing.assert_allclose(curves["vof"], head.vof, rtol=1e-8)
    motion = np.genfromtxt(folder / "truth" / "motion.tsv", delimiter="\t", skip_header=1)
    np.testing.assert_allclose(motion[:, 2:].reshape(14, 3, 4), head.motion[:, :3], atol=1e-8)
    assert (folder / "truth" / "motion.tsv").read_text().startswith("frame\ttime\tm11\tm12")


def test_same_phantom_gives_the_same_bytes(head, folder, tmp_path):
    write_phantom(head, tmp_path, "sub-01_dsc")
    paths = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    assert len(paths) > 20
    for path in paths:
        assert (tmp_path / path).read_bytes() == (folder / path).read_bytes(), path


def test_uneven_frames_are_listed(tmp_path, small_head):
    times = np.array([0.0, 1, 2, 3, 5, 7.5, 10, 14, 20, 30])
    head = small_head("ctp", shape=(24, 20, 8), frame_times=times)
    write_phantom(head, tmp_path, "uneven")
    sidecar = json.loads((tmp_path / "uneven.json").read_text(encoding="utf-8"))
    assert sidecar == {"Modality": "CT", "VolumeTiming": times.tolist()}
    assert nibabel.load(tmp_path / "uneven.nii.gz").header.get_zooms()[3] == pytest.approx(30 / 9)


def test_values_that_are_not_whole_stay_float(tmp_path, small_head):
    head = small_head("ctp", **TINY, noise=None)
    path = write_phantom(head, tmp_path, "clean")
    image = nibabel.load(path)
    assert image.get_data_dtype() == np.float32
    np.testing.assert_array_equal(np.asarray(image.dataobj), head.series.array())


@pytest.mark.parametrize("kind", AFFINE_KINDS)
def test_every_affine_survives_the_file(kind, tmp_path, small_head):
    head = small_head("ctp", **TINY, affine=kind)
    image = nibabel.load(write_phantom(head, tmp_path, kind))
    native = head.series.orientation.native
    np.testing.assert_allclose(image.affine, native.affine, atol=1e-4)
    assert int(image.header["sform_code"]) == 1
    # a quaternion cannot hold a shear, so the file must not pretend to have one
    assert int(image.header["qform_code"]) == (0 if kind == "sheared" else 1)
    if kind != "sheared":
        np.testing.assert_allclose(image.header.get_qform(), native.affine, atol=1e-3)


def test_tiles_are_written_alike(tmp_path):
    phantom = tile_volume(make_tiles(delay=[0.0, 2.0]), tile_size=2, noise=3.0)
    image = nibabel.load(write_phantom(phantom, tmp_path, "tiles"))
    np.testing.assert_array_equal(np.asarray(image.dataobj), phantom.series.array())
    assert (tmp_path / "truth" / "artery_mask.nii.gz").exists()
    assert not (tmp_path / "truth" / "motion.tsv").exists()

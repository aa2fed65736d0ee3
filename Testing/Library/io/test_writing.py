"""Volumes on the input's own grid; the same content gives the same bytes."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid, identity_orientation, nearest_ras
from PyPeTLib.io import read_series, read_volume, write_json, write_tsv, write_volume


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, 1, 1), (1, -1, -1)])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_map_lies_on_the_voxels_of_its_series(files, order, signs, suffix):
    matrix = np.zeros((3, 3))
    matrix[order, range(3)] = np.array(signs) * (2.0, 3.0, 4.0)
    tilt = nib.eulerangles.euler2mat(0.1, -0.2, 0.05)
    path = files.image(affine=nib.affines.from_matvec(tilt @ matrix, (5, -6, 7)))
    series = read_series(path)
    out = files.folder / f"map{suffix}"
    write_volume(out, series.array()[..., 3], series.orientation, description="frame 3")
    source, written = nib.load(path), nib.load(out)
    np.testing.assert_array_equal(written.affine, source.affine)
    np.testing.assert_array_equal(np.asarray(written.dataobj), np.asarray(source.dataobj)[..., 3])
    assert written.get_data_dtype() == np.float32
    assert int(written.header["sform_code"]) == int(written.header["qform_code"]) == 1
    assert written.header.get_xyzt_units()[0] == "mm"
    np.testing.assert_array_equal(read_volume(out).data, series.array()[..., 3])


def test_a_mask_is_stored_as_bytes(files):
    series = read_series(files.image())
    mask = series.array()[..., 0] > 0
    write_volume(files.folder / "mask.nii.gz", mask, series.orientation, dtype=np.uint8)
    written = nib.load(files.folder / "mask.nii.gz")
    assert written.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(read_volume(files.folder / "mask.nii.gz").data, mask)


def test_equal_volumes_give_equal_bytes_without_name_or_time(tmp_path):
    orientation = identity_orientation(Grid((8, 7, 6), np.eye(4)))
    volume = np.random.default_rng(0).normal(size=(8, 7, 6)).astype(np.float32)
    for name, array in (("first.nii.gz", volume), ("second.nii.gz", np.asfortranarray(volume))):
        write_volume(tmp_path / name, array, orientation)
    content = (tmp_path / "first.nii.gz").read_bytes()
    assert content == (tmp_path / "second.nii.gz").read_bytes()
    # gzip header: no flags (so no name), time 0
    assert content[3:8] == bytes(5)


def test_an_array_off_the_grid_or_of_another_kind_is_a_fault_of_the_caller(tmp_path):
    orientation = nearest_ras(Grid((4, 5, 6), np.array([[0, 2, 0, 0], [2, 0, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1.0]])))
    with pytest.raises(ValueError, match="not on the grid"):
        write_volume(tmp_path / "a.nii", np.zeros((4, 5, 6), np.float32), orientation)
    with pytest.raises(TypeError):
        write_volume(tmp_path / "a.nii", np.full((5, 4, 6), 0.5), orientation, dtype=np.uint8)
    assert not (tmp_path / "a.nii").exists()


def test_a_place_that_cannot_be_written_is_reported(tmp_path):
    volume = np.zeros((2, 2, 2), np.float32)
    with pytest.raises(InputError, match=r"none.a.nii: the file cannot be written"):
        write_volume(tmp_path / "none" / "a.nii", volume, identity_orientation(Grid((2, 2, 2), np.eye(4))))
    with pytest.raises(InputError, match="cannot be written"):
        write_json(tmp_path, {})


def test_json_keeps_the_order_and_knows_numpy(tmp_path):
    content = {
        "b": np.float32(0.1),
        "a": [np.int64(3), np.float64(1 / 3), np.bool_(True)],
        "undefined": {"nan": math.nan, "ratio": np.inf},
        "curve": np.array([0.1, 2], dtype=np.float32),
        "path": Path("folder/µ.nii"),
        "none": None,
    }
    write_json(tmp_path / "a.json", content)
    raw = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(raw) == {
        "b": 0.1,
        "a": [3, 1 / 3, True],
        "undefined": {"nan": None, "ratio": None},
        "curve": [0.1, 2.0],
        "path": str(Path("folder/µ.nii")),
        "none": None,
    }
    assert list(json.loads(raw)) == list(content)
    assert "µ" in raw
    assert raw.endswith("}\n")


def test_tables_have_a_header_and_mark_what_is_missing(tmp_path):
    rows = [
        {"name": "core", "volume_ml": 18.600000001, "valid": True},
        {"name": "a\tb\nc", "volume_ml": np.float32(1 / 3), "voxels": 12},
        {"name": "none", "volume_ml": math.nan},
    ]
    write_tsv(tmp_path / "a.tsv", rows)
    assert (tmp_path / "a.tsv").read_text(encoding="utf-8") == (
        "name\tvolume_ml\tvalid\tvoxels\ncore\t18.6\ttrue\tn/a\na b c\t0.3333333\tn/a\t12\nnone\tn/a\tn/a\tn/a\n"
    )
    write_tsv(tmp_path / "b.tsv", rows, columns=["voxels", "name"])
    assert (tmp_path / "b.tsv").read_text(encoding="utf-8").splitlines()[:2] == ["voxels\tname", "n/a\tcore"]

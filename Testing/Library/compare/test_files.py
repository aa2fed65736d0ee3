"""Maps in folders, and what their sidecars say."""

import json

import numpy as np
import pytest

from PyPeTLib.compare.files import map_files, read_brain, read_map_file
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid, nearest_ras
from PyPeTLib.io import write_volume

GRID = Grid((6, 5, 4), np.diag([-2.0, 2.0, 4.0, 1.0]))


def write(path, values=None, **sidecar):
    path.parent.mkdir(exist_ok=True, parents=True)
    values = np.arange(120, dtype=np.float32).reshape(6, 5, 4) if values is None else np.asarray(values, np.float32)
    write_volume(path, values, nearest_ras(GRID))
    if sidecar:
        path.with_name(path.name.replace(".nii.gz", ".json")).write_text(json.dumps(sidecar), encoding="utf-8")
    return path


def names(found):
    return {quantity: path.name for quantity, path in found.maps.items()}


def test_maps_by_their_names_and_what_is_left_out(tmp_path) -> None:
    for name in ("RAPID_Tmax", "sub-01_rCBF", "MTT_one", "MTT_two", "brain_mask"):
        write(tmp_path / f"{name}.nii.gz")
    found = map_files(tmp_path)
    assert names(found) == {"cbf": "sub-01_rCBF.nii.gz", "tmax": "RAPID_Tmax.nii.gz"}
    assert any("Several files are of MTT" in note for note in found.notes)
    assert any("brain_mask" in note for note in found.notes)
    inner = write(tmp_path / "ses-01/perfusion-maps/cbv.nii.gz")
    assert map_files(tmp_path / "ses-01").maps == {"cbv": inner}


def test_a_result_tells_its_maps_itself(tmp_path) -> None:
    for name in ("cbf", "cbf_relative", "cbf_sd", "valid_mask", "mtt"):
        write(tmp_path / f"sub-01_{name}.nii.gz")
    summary = {"software": "PyPeT", "maps": {"cbf": {}, "cbf_sd": {}, "tmax": {}}}
    (tmp_path / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    found = map_files(tmp_path)
    assert names(found) == {"cbf": "sub-01_cbf.nii.gz", "cbf_sd": "sub-01_cbf_sd.nii.gz"}
    assert "Tmax" in found.notes[0]


def test_sidecars_tell_unit_and_valid_voxels(tmp_path) -> None:
    mask = np.zeros(GRID.shape)
    mask[1:3] = 1
    write(tmp_path / "sub-01_valid_mask.nii.gz", mask)
    path = write(tmp_path / "sub-01_tmax.nii.gz", Units="ms", ValidMask="valid_mask.nii.gz")
    image, notes = read_map_file(path)
    assert (image.unit, notes, image.name) == ("ms", (), "sub-01_tmax.nii.gz")
    assert image.valid.sum() == mask.sum()
    assert read_map_file(path, unit="s")[0].unit == "s"
    write(path, Units="ml/100g/min", Calibrated=False)
    image, notes = read_map_file(path)
    assert image.unit == ""
    assert "arbitrary" in notes[0]


def test_what_cannot_be_used_is_told(tmp_path) -> None:
    with pytest.raises(InputError, match="there is no such folder"):
        map_files(tmp_path / "none")
    with pytest.raises(InputError, match="no file in this folder is a map"):
        map_files(tmp_path)
    with pytest.raises(InputError, match="names the mask gone"):
        read_map_file(write(tmp_path / "cbf.nii.gz", ValidMask="gone.nii.gz"))
    (tmp_path / "summary.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"summary\.json: this is not usable JSON"):
        map_files(tmp_path)


def test_brain_masks_belong_to_the_map(tmp_path) -> None:
    image, _ = read_map_file(write(tmp_path / "cbf.nii.gz"))
    mask = np.zeros(GRID.shape)
    with pytest.raises(InputError, match="the mask is empty"):
        read_brain(write(tmp_path / "empty.nii.gz", mask), image)
    mask[2, 3, 1] = 1
    inside = read_brain(write(tmp_path / "one.nii.gz", mask), image)
    assert inside.sum() == 1
    assert inside.shape == image.values.shape
    elsewhere = Grid(GRID.shape, np.diag([-2.0, 2.0, 5.0, 1.0]))
    write_volume(tmp_path / "other.nii.gz", mask.astype(np.float32), nearest_ras(elsewhere))
    with pytest.raises(InputError, match="another grid"):
        read_brain(tmp_path / "other.nii.gz", image)

"""Compressed pixels are read through the decoders that are installed, through SimpleITK, or refused by name."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.io.dicom import decoding, load_dicom

pytestmark = pytest.mark.extras

SYNTAXES = {
    "JPEG lossless": "JPEGLosslessProcess14_1",
    "JPEG-LS": "JPEGLSLossless",
    "JPEG 2000": "JPEG2000Lossless",
    "RLE": "RLELossless",
}


def compressed(folder, syntax):
    """Change all files of a folder to another transfer syntax with GDCM."""
    import gdcm  # noqa: PLC0415 - absent from the lane without extras, which collects this file too

    for path in sorted(folder.iterdir()):
        reader = gdcm.ImageReader()
        reader.SetFileName(str(path))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, syntax)))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(path))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
    return folder


@pytest.mark.parametrize("dtype", ["int16", "uint16"])
@pytest.mark.parametrize("syntax", list(SYNTAXES.values()), ids=list(SYNTAXES))
def test_every_lossless_compression_gives_the_same_series(study, same, syntax, dtype):
    plain = load_dicom(study.make("plain", dtype=dtype))
    loaded = load_dicom(compressed(study.make("packed", dtype=dtype, shuffle=1), syntax))
    same(loaded, plain)
    assert loaded.sha256 == plain.sha256


def test_a_compressed_multi_frame_file_is_read(study, same):
    folder = study.make(enhanced=True)
    path = next(folder.iterdir())
    dataset = pydicom.dcmread(path)
    dataset.compress(pydicom.uid.JPEGLSLossless, generate_instance_uid=False)
    dataset.save_as(path)
    same(load_dicom(folder), study.truth())


@pytest.mark.parametrize("dtype", ["int16", "uint16"])
def test_simpleitk_serves_where_pydicom_has_no_decoder(study, same, monkeypatch, dtype):
    """As in 3D Slicer: pydicom without plugins, SimpleITK with GDCM."""
    folder = compressed(study.make(dtype=dtype, slope=2.0, data=study.data * 2), SYNTAXES["JPEG lossless"])
    monkeypatch.setattr(decoding, "_through_pydicom", _fails)
    monkeypatch.setattr(decoding, "_has_decoder", lambda _: False)
    same(load_dicom(folder), study.truth(data=study.data * 2))


def test_without_any_decoder_the_message_says_what_to_install(study, monkeypatch):
    folder = compressed(study.make(), SYNTAXES["JPEG 2000"])
    monkeypatch.setattr(decoding, "_through_pydicom", _fails)
    monkeypatch.setattr(decoding, "_has_decoder", lambda _: False)
    monkeypatch.setattr(decoding, "_through_simpleitk", lambda _: None)
    with pytest.raises(
        InputError, match=r"IM00000.dcm: .*JPEG 2000.*1\.2\.840\.10008\.1\.2\.4\.90.*pip install '.\[dicom\]'"
    ):
        load_dicom(folder)


def test_a_damaged_compressed_file_is_not_taken_for_a_missing_decoder(study):
    folder = compressed(study.make(), SYNTAXES["JPEG-LS"])
    path = folder / "IM00017.dcm"
    content = bytearray(path.read_bytes())
    start = content.rindex(b"\xff\xd8") + 4
    content[start : start + 60] = np.random.default_rng(0).bytes(60)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"IM00017.dcm: this DICOM file is damaged"):
        load_dicom(folder)


def _fails(_):
    raise RuntimeError("no decoder")

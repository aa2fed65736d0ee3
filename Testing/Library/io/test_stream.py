"""Bytes from files: bounded memory, checksums, and texts."""

from __future__ import annotations

import gzip
import hashlib
import tracemalloc

import numpy as np
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.io.stream import ImageFile, read_text


@pytest.mark.parametrize("compressed", [False, True])
def test_bytes_come_in_order_in_pieces_of_any_size(tmp_path, compressed):
    content = np.random.default_rng(3).integers(0, 4, size=9_000_001, dtype=np.uint8).tobytes()
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(content, compresslevel=1) if compressed else content)
    file = ImageFile(path)
    assert content.startswith(file.head)
    assert file.capacity >= len(content)
    payload = file.open()
    assert payload.skip(352) == 352
    got = bytearray()
    target = bytearray(1_234_567)
    while count := payload.fill(memoryview(target)):
        got += target[:count]
    assert got == content[352:]
    assert payload.skip(10) == 0
    assert payload.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_gzip_bomb_is_opened_piece_by_piece(tmp_path):
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(200_000_000), compresslevel=1))
    tracemalloc.start()
    payload = ImageFile(path).open()
    assert payload.skip(10**9) == 200_000_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6


def test_text_is_read_without_its_byte_order_mark(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbf0.5\n")
    assert read_text(tmp_path / "a.txt") == "0.5\n"


@pytest.mark.parametrize(
    ("name", "part"), [("none.txt", "no such file"), (".", "folder"), ("nul\0.txt", "cannot be read")]
)
def test_texts_that_cannot_be_opened_are_refused(tmp_path, name, part):
    with pytest.raises(InputError, match=part):
        read_text(tmp_path / name)


def test_what_is_no_text_is_refused(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"1\n\xff\xfe")
    with pytest.raises(InputError, match=r"a.txt: this is not a text file.*byte 2"):
        read_text(tmp_path / "a.txt")

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
    assert len(file.head) >= 540
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


@pytest.mark.parametrize("compressed", [False, True])
def test_the_hash_is_that_of_the_whole_file_whatever_has_been_read(tmp_path, compressed):
    content = np.random.default_rng(3).integers(0, 256, size=3_000_000, dtype=np.uint8).tobytes()
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(content, compresslevel=1) if compressed else content)
    payload = ImageFile(path).open()
    payload.skip(1000)
    assert payload.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("compressed", [False, True])
def test_a_large_file_is_handed_out_piece_by_piece(tmp_path, compressed):
    size = 60_000_000
    path = tmp_path / "large"
    if compressed:
        path.write_bytes(gzip.compress(bytes(size), compresslevel=1))
    else:
        with path.open("wb") as handle:
            handle.truncate(size)
    tracemalloc.start()
    payload = ImageFile(path).open()
    assert payload.skip(10**9) == size
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6


def test_what_is_added_to_a_file_while_it_is_read_is_left_out(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(bytes(5000))
    payload = ImageFile(path).open()
    with path.open("ab") as handle:
        handle.write(bytes(5000))
    assert payload.skip(10**6) == 5000
    assert payload.sha256 == hashlib.sha256(bytes(5000)).hexdigest()


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

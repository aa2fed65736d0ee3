"""Inflating: the same bytes and the same refusals with every decompressor that is installed."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.io import inflate

PATH = Path("a.nii.gz")
CONTENT = np.random.default_rng(1).integers(0, 60, 30_000).astype(np.int16).tobytes() + bytes(40_000)
ENGINES = pytest.mark.parametrize("engine", ["zlib", "isal"])


def inflated(content: bytes, engine: str, *, piece: int = 1000, most: int = 700) -> bytes:
    pieces = [content[at : at + piece] for at in range(0, len(content), piece)]
    made = list(inflate.inflated(pieces, PATH, most=most, engine=engine))
    assert all(0 < len(one) <= most for one in made)
    return b"".join(made)


def with_header(member: bytes, flags: int) -> bytes:
    """A member with the optional parts of its header that the flags stand for."""
    head = bytearray(member[:10])
    head[3] = flags
    head += (struct.pack("<H", 300) + bytes(range(150)) * 2) * bool(flags & 4)
    head += b"name.nii\0" * bool(flags & 8) + b"comment\0" * bool(flags & 16)
    head += struct.pack("<H", zlib.crc32(head) & 0xFFFF) * bool(flags & 2)
    return bytes(head) + member[10:]


def test_the_fast_one_is_taken_where_it_is_installed():
    pytest.importorskip("isal")
    assert list(inflate.DECOMPRESSORS) == ["zlib", "isal"]


@ENGINES
@pytest.mark.parametrize("level", [0, 1, 6, 9])
@pytest.mark.parametrize("piece", [1, 7, 1000, 10**6])
def test_bytes_come_back_whatever_the_pieces(engine, level, piece):
    assert inflated(gzip.compress(CONTENT[:60_500], level), engine, piece=piece) == CONTENT[:60_500]


@ENGINES
@pytest.mark.parametrize("flags", range(0, 32, 3))
@pytest.mark.parametrize("piece", [3, 64, 10**6])
def test_headers_may_have_optional_parts_and_come_in_pieces(engine, flags, piece):
    member = with_header(gzip.compress(CONTENT[:5000]), flags)
    assert inflated(member + member, engine, piece=piece) == CONTENT[:5000] * 2


@ENGINES
@pytest.mark.parametrize("zeros", [0, 1, 700])
def test_members_follow_each_other_and_zeros_them(engine, zeros):
    parts = [CONTENT[:1], b"", CONTENT[1:9000], b"", CONTENT[9000:]]
    members = [gzip.compress(part) for part in parts]
    assert inflated((bytes(zeros)).join(members) + bytes(zeros), engine) == CONTENT


@ENGINES
def test_thousands_of_members_are_read(engine):
    # a block-wise writer makes one of every 64 kB
    assert inflated(gzip.compress(b"ab") * 5000, engine, piece=10**6) == b"ab" * 5000


def damaged(kind: str) -> bytes:
    good = bytearray(gzip.compress(CONTENT, 6))
    if kind == "checksum":
        good[-5] ^= 1
    elif kind == "length":
        good[-1] ^= 1
    elif kind == "method":
        good[2] = 7
    elif kind == "reserved flag":
        good[3] |= 32
    elif kind == "header checksum":
        good = bytearray(with_header(bytes(good), 2))
        good[10] ^= 1
    elif kind == "block":
        good[12:600] = bytes(588)
    elif kind == "second member":
        good += gzip.compress(CONTENT)[:-8] + bytes(8)
    elif kind == "endless name":
        good = bytearray(good[:3] + b"\x08" + good[4:10] + b"n" * (3 << 20))
    return bytes(good)


@ENGINES
@pytest.mark.parametrize(
    "kind",
    ["checksum", "length", "method", "reserved flag", "header checksum", "block", "second member", "endless name"],
)
@pytest.mark.parametrize("piece", [7, 10**6])
def test_damage_is_refused(engine, kind, piece):
    with pytest.raises(InputError, match=r"a\.nii\.gz: the gzip data are corrupted\."):
        inflated(damaged(kind), engine, piece=max(piece, 4096) if kind == "endless name" else piece)


@ENGINES
@pytest.mark.parametrize("keep", [1, 2, 3, 9, 10, 11, 5000, -9, -8, -4, -1])
def test_an_early_end_is_refused(engine, keep):
    with pytest.raises(InputError, match="truncated: its gzip data stop before their end"):
        inflated(gzip.compress(CONTENT)[:keep], engine)


@ENGINES
@pytest.mark.parametrize("rest", [b"more", b"\0\0x", b"\x1f\x8c" + bytes(20)])
def test_other_bytes_behind_are_refused(engine, rest):
    with pytest.raises(InputError, match="not gzip data follow"):
        inflated(gzip.compress(CONTENT) + rest, engine)


def test_a_decompressor_that_stands_still_is_given_up(monkeypatch):
    class Still:
        eof, unconsumed_tail, unused_data = False, b"", b""

        def decompress(self, data: bytes, most: int, /) -> bytes:
            self.unconsumed_tail = data
            return b""

    monkeypatch.setitem(inflate.DECOMPRESSORS, "still", (Still, zlib.error))
    with pytest.raises(InputError, match="corrupted"):
        inflated(gzip.compress(CONTENT), "still")


def test_what_the_decompressors_make_of_random_damage_is_the_same():
    rng = np.random.default_rng(0)
    good = b"".join(with_header(gzip.compress(CONTENT[at : at + 900]), at % 32) for at in range(0, 3600, 900))
    ends = []
    for _ in range(400):
        content = bytearray(good)
        content[int(rng.integers(2, len(content)))] ^= 1 << int(rng.integers(8))
        del content[int(rng.integers(len(content) // 2, 3 * len(content))) :]
        both = []
        for engine in ("zlib", "isal"):
            try:
                both.append(inflated(bytes(content), engine, piece=int(rng.choice([20, 300, 5000]))))
            except InputError as error:
                both.append(str(error))
        assert both[0] == both[1]
        ends.append(both[0])
    assert len({end for end in ends if isinstance(end, str)}) == 3
    assert CONTENT[:3600] in ends

"""Reads damaged files as ``pypet run`` does, and judges what comes of it: refused, read rightly, or a fault.

What a file truly holds is decoded here once more, by Python's gzip, numpy and nibabel's header.
"""

from __future__ import annotations

import contextlib
import gzip
import signal
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nibabel as nib
import numpy as np
from damage import KINDS, Damaged, fields_of

from PyPeTLib.errors import InputError
from PyPeTLib.io import load_series
from PyPeTLib.series import PerfusionSeries

PATIENCE_S = 30.0
"""After which reading a file of some kilobytes counts as hanging."""

MM_PER_UNIT = {1: 1000.0, 3: 1e-3}


@dataclass(kw_only=True)
class Tally:
    """What became of the files of one kind; ``faults`` says what must not happen."""

    refused: int = 0
    read: int = 0
    slowest: float = 0.0
    faults: list[str] = field(default_factory=list)


class HangError(Exception):
    """Reading took longer than anybody would wait."""


def files(kind: str, count: int, seed: int) -> Iterator[Damaged]:
    """``count`` files of a kind, the same for the same seed."""
    rng = np.random.default_rng([seed, list(KINDS).index(kind)])
    for _ in range(count):
        yield KINDS[kind](rng)


def read_all(kind: str, count: int, seed: int, folder: Path) -> Tally:
    """Read files of a kind, one after the other, from a folder."""
    tally = Tally()
    for number, damaged in enumerate(files(kind, count, seed)):
        path = folder / ("damaged_ctp.nii.gz" if damaged.content[:2] == b"\x1f\x8b" else "damaged_ctp.nii")
        path.write_bytes(damaged.content)
        start = time.perf_counter()
        outcome = read(path, damaged)
        tally.slowest = max(tally.slowest, time.perf_counter() - start)
        if outcome == "refused":
            tally.refused += 1
        elif outcome == "read":
            tally.read += 1
        else:
            tally.faults.append(f"{kind}, seed {seed}, number {number}: {outcome}")
    return tally


def read(path: Path, damaged: Damaged) -> str:
    """``"refused"``, ``"read"``, or what was wrong."""
    try:
        with time_limit(PATIENCE_S):
            series = load_series(path, modality="ctp", frame_interval=1.5).series
    except InputError as error:
        if damaged.harmless:
            return f"a harmless change was refused: {error}"
        return "refused" if path.name in str(error) else f"the message names no file: {error}"
    except HangError:
        return f"it hung for {PATIENCE_S:g} s"
    except BaseException:  # noqa: BLE001 - whatever it is, it must not be
        return traceback.format_exc()
    try:
        return wrong(series, damaged.content) or "read"
    except Exception:  # noqa: BLE001 - the file was read though its truth cannot be told
        return f"read, but it holds nothing that could be: {traceback.format_exc()}"


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise a `HangError` after so much time, where the system has alarms."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def ring(*_: object) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def wrong(series: PerfusionSeries, content: bytes) -> str:
    """In what a series differs from what the file holds; nothing where it does not."""
    raw = bytearray(gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content)
    header = fields_of(raw)
    values, size = decoded(raw, header)
    affine = true_affine(header)
    # where the voxels of the series lie in the file: whole numbers, each axis along one of the file's
    steps = np.linalg.solve(affine, series.affine)
    whole = np.rint(steps)
    if np.abs(steps - whole).max() > 0.01 or sorted(np.abs(whole[:3, :3]).sum(axis=0)) != [1, 1, 1]:
        return f"its voxels lie elsewhere: {steps.tolist()}"
    x, y, z = series.grid.shape
    places = np.indices((x, y, z)).reshape(3, -1)
    at = (whole[:3, :3] @ places + whole[:3, 3:]).astype(int)
    same = sorted(values.shape[:3]) == sorted((x, y, z)) and values.shape[3] == series.n_frames
    if not same or at.min() < 0 or (at.max(axis=1) >= values.shape[:3]).any():
        return f"its {(x, y, z, series.n_frames)} voxels are not the {values.shape} of the file"
    found = np.stack([series.frame(k) for k in range(series.n_frames)], axis=-1)[tuple(places)]
    if not np.all(np.abs(found - values[tuple(at)]) <= 1e-6 * (np.abs(values[tuple(at)]) + size)):
        return "its values are others"
    return ""


def decoded(raw: bytearray, header: np.ndarray) -> tuple[np.ndarray, float]:
    """Values of a file as float64, shape (x, y, z, t), and the size of the numbers that they come from."""
    count = int(header["dim"][0])
    shape = tuple(int(n) for n in header["dim"][1 : count + 1])
    shape = (*shape[:3], *(n for n in shape[3:] if n > 1))
    names = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
    dtype = np.dtype(byte_order(header) + names[int(header["datatype"])])
    stored = np.frombuffer(raw, dtype, int(np.prod(shape)), int(header["vox_offset"])).reshape(shape, order="F")
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or np.isnan(slope):
        slope, intercept = 1.0, 0.0
    scaled = stored.astype(np.float64) * slope
    return scaled + intercept, float(np.abs(scaled).max() + abs(intercept))


def true_affine(header: np.ndarray) -> np.ndarray:
    """The transform of a header in mm, as nibabel finds it: the sform where its code is positive, else the qform."""
    unit = MM_PER_UNIT.get(int(header["xyzt_units"]) & 7, 1.0)
    found = nibabel_header(header)
    affine = found.get_sform() if header["sform_code"] > 0 else found.get_qform()
    return np.diag([unit, unit, unit, 1.0]) @ affine


def nibabel_header(header: np.ndarray) -> nib.Nifti1Header:
    """The same fields as nibabel's own type."""
    header_class = nib.Nifti1Header if header.nbytes == 348 else nib.Nifti2Header
    fields = header.copy()
    # the standard reads a handedness of 0 as 1, nibabel refuses it
    fields["pixdim"][0] = fields["pixdim"][0] or 1
    return header_class(fields.tobytes(), endianness=byte_order(header), check=False)


def byte_order(header: np.ndarray) -> str:
    """``"<"`` or ``">"``."""
    return header["sizeof_hdr"].dtype.str[0]

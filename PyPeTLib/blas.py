"""One BLAS thread for each of ours: threads of its own inside them would only fight for the same cores."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib.util
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

PACKAGES = ("numpy", "scipy")
"""Each brings an OpenBLAS of its own."""

PREFIXES, SUFFIXES = ("", "scipy_"), ("", "64_", "_64", "_64_")
"""What builds of OpenBLAS put around the names of their functions."""


@contextlib.contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Keep BLAS from starting threads, by threadpoolctl where it is installed, else by OpenBLAS's own functions.

    3D Slicer has no threadpoolctl. Another BLAS than OpenBLAS is left as it is then.
    """
    try:
        import threadpoolctl  # noqa: PLC0415 - optional: absent inside 3D Slicer
    except ModuleNotFoundError:
        limited = bundled_limit()
    else:
        limited = threadpoolctl.threadpool_limits(limits=1, user_api="blas")
    with limited:
        yield


@contextlib.contextmanager
def bundled_limit() -> Iterator[None]:
    """One thread in each OpenBLAS that numpy and scipy bring along, and as many as before afterwards."""
    controls = bundled_controls()
    before = [count() for count, _ in controls]
    try:
        for _, choose in controls:
            choose(1)
        yield
    finally:
        for (_, choose), count in zip(controls, before, strict=True):
            choose(count)


@functools.cache
def bundled_controls() -> tuple[tuple[Callable[[], int], Callable[[int], None]], ...]:
    """Functions that tell and choose the number of threads of each OpenBLAS that was found."""
    found = []
    for path in _libraries():
        try:
            # loaded already: this only finds it
            library = ctypes.CDLL(str(path))
        except OSError:
            continue
        for prefix, suffix in itertools.product(PREFIXES, SUFFIXES):
            names = [f"{prefix}openblas_{verb}_num_threads{suffix}" for verb in ("get", "set")]
            if all(hasattr(library, name) for name in names):
                count, choose = (getattr(library, name) for name in names)
                count.restype, choose.argtypes, choose.restype = ctypes.c_int, [ctypes.c_int], None
                found.append((count, choose))
                break
    return tuple(found)


def _libraries() -> Iterator[Path]:
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            continue
        folder = Path(spec.origin).parent
        # beside the package on Linux and Windows, inside it on macOS
        for place in (folder.parent / f"{package}.libs", folder / ".dylibs"):
            yield from sorted(place.glob("*openblas*"))

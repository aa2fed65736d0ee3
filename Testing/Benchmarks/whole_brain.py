"""Series of whole brains: time and memory, without a limit and with scratch files."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from large_series import LargeSeries, write_large
from layout import markdown_table
from processes import Usage, measured
from speed import MODULE

CASES = (
    LargeSeries(shape=(256, 256, 160), spacing=(1.0, 1.0, 1.0), n_frames=40, interval=1.25),
    LargeSeries(shape=(512, 512, 320), spacing=(0.5, 0.5, 0.5), n_frames=19, interval=2.5),
)
LIMIT_GB = 8.0
"""Memory in which every case has to run without any option."""

VARYING = ("summary.json", "config.toml")
"""Files that name the folder or tell the version; all others have to be the same."""


def report() -> Iterator[str]:
    """The table, and whether the results with scratch files are the same."""
    rows, told = [], []
    for large in CASES:
        with tempfile.TemporaryDirectory(prefix="pypet-benchmark-") as name:
            folder = Path(name)
            file = write_large(large, folder)
            digests = []
            for limit in (None, LIMIT_GB / 4):
                usage, digest = _run(file, folder, limit)
                digests.append(digest)
                rows.append(_row(large, limit, usage))
            same = "the same bytes" if digests[0] == digests[1] else "**OTHER BYTES**"
            told.append(f"{large.voxels}: {len(digests[0])} files, {same} with and without a limit")
    header = ("series", "file, GB", "limit, GB", "wall time, s", "own memory, GB", "resident, GB")
    yield (
        "## Speed: whole brains\n\n"
        "`python -m PyPeTLib run FILE OUT` with figures on 16-bit CT heads, one run each; with a limit, "
        "`--memory-limit` keeps large arrays in scratch files. Own memory is what the system cannot take back; "
        "resident memory also counts pages of scratch files for which there happened to be room. "
        f"{'; '.join(told)}.\n\n{markdown_table(header, rows)}"
    )


def _run(file: Path, folder: Path, limit: float | None) -> tuple[Usage, dict[str, str]]:
    """One run, and the SHA-256 of each of its files."""
    out = folder / "maps"
    options = () if limit is None else ("--memory-limit", f"{limit:g}", "--scratch", str(folder))
    usage = measured([*MODULE, str(file), str(out), "--quiet", *options])
    found = sorted(path for path in out.rglob("*") if path.is_file() and path.name not in VARYING)
    digest = {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}
    shutil.rmtree(out)
    return usage, digest


def _row(large: LargeSeries, limit: float | None, usage: Usage) -> tuple[str, ...]:
    return (
        large.voxels,
        f"{large.bytes / 1e9:.2f}",
        "none" if limit is None else f"{limit:g}",
        f"{usage.seconds:.0f}",
        f"{usage.own / 1e9:.2f}",
        f"{usage.peak / 1e9:.2f}",
    )

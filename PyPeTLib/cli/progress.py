"""A progress bar for each stage, on a terminal only."""

from __future__ import annotations

import importlib.util
import sys
from types import TracebackType
from typing import Any, Self


class StageBars:
    """Context manager whose `update` is a progress callback of `PyPeTLib.run_pipeline`."""

    def __init__(self, *, quiet: bool) -> None:
        # inside 3D Slicer there is neither a terminal nor tqdm
        self._quiet = quiet or not sys.stderr.isatty() or importlib.util.find_spec("tqdm") is None
        self._stage = ""
        self._bar: Any = None

    def update(self, stage: str, fraction: float) -> None:
        """Show how far a stage is (0…1); a new stage starts a new bar."""
        if self._quiet:
            return
        if stage != self._stage:
            from tqdm import tqdm  # noqa: PLC0415 - not needed without a terminal

            self._close()
            self._stage = stage
            self._bar = tqdm(total=100, desc=f"{stage:<14}", bar_format="{desc}|{bar:40}| {n:3.0f} %", leave=False)
        self._bar.update(100 * fraction - self._bar.n)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

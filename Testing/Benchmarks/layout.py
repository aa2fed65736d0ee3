"""Markdown tables and the figures in their cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose columns are padded, so that it reads well as plain text too."""
    cells = [list(header), *(list(row) for row in rows)]
    widths = [max(3, *(len(row[i]) for row in cells)) for i in range(len(header))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def median_and_range(values: Sequence[float], form: str = ".2f") -> str:
    """``median (lowest to highest)``; the median alone where there is but one value."""
    middle = format(float(np.median(values)), form)
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):{form}} to {max(values):{form}})"


def mean_and_worst(values: Sequence[float], form: str = ".2f") -> str:
    """``mean (worst)``, where high values are good."""
    mean = format(float(np.mean(values)), form)
    return mean if len(values) == 1 else f"{mean} ({min(values):{form}})"


def mean_and_farthest(values: Sequence[float], form: str = "+z.0f") -> str:
    """``mean (farthest from 0)``, for errors of either sign."""
    mean = format(float(np.mean(values)), form)
    return mean if len(values) == 1 else f"{mean} ({max(values, key=abs):{form}})"

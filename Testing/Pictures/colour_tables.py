"""Writes the colour tables of the Slicer module: those of the report's pictures, and one for relative maps."""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np

from PyPeTLib.report.colours import TMAX_BANDS

FOLDER = Path(__file__).parents[2] / "PyPeT" / "Resources" / "ColorTables"

TABLES = {
    "PyPeT-Perfusion": ("turbo", 256),
    "PyPeT-Tmax": ("turbo", TMAX_BANDS),
    "PyPeT-Relative": ("coolwarm", 256),
}
"""Name to colour map and number of colours; the ends of a map are left out, they resemble the background."""


def table(colour_map: str, count: int) -> str:
    """A colour table as text: index, name, red, green, blue, opacity."""
    colours = np.round(255 * mpl.colormaps[colour_map](np.linspace(0.04, 0.96, count))).astype(int)
    lines = [f"{i} {i} {r} {g} {b} 255" for i, (r, g, b, _) in enumerate(colours)]
    return "\n".join(["# made by Testing/Pictures/colour_tables.py", *lines]) + "\n"


def main() -> int:
    """Write all tables."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, (colour_map, count) in TABLES.items():
        (FOLDER / f"{name}.txt").write_text(table(colour_map, count), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

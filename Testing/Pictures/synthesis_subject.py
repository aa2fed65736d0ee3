"""Docs/pictures/synthesis-subject.png: a made head with its contrasts, real and predicted PET, and errors."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from PyPeTLib.phantom.pairs import make_pairs
from PyPeTLib.report.synthesis import synthesis_page
from PyPeTLib.synthesis import SynthesisOptions, fit
from PyPeTLib.synthesis.outputs import SYNTHETIC_DATA, picture, predicted

PICTURE = Path(__file__).parents[2] / "Docs" / "pictures" / "synthesis-subject.png"
WIDTH = 1200
COLOURS = 192
"""Few colours make small files."""


def draw() -> None:
    """Train on the demo's heads, and draw its first test head."""
    pairs = make_pairs(seed=0)
    (made,) = fit((one.subject for one in pairs.train()), SynthesisOptions())
    head = next(pairs.test()).subject
    page = Image.fromarray(synthesis_page(picture(predicted(made.model, head), notes=(SYNTHETIC_DATA,))))
    small = page.convert("RGB").resize((WIDTH, round(page.height * WIDTH / page.width)), Image.Resampling.LANCZOS)
    small.quantize(COLOURS, dither=Image.Dither.NONE).save(PICTURE, optimize=True)


if __name__ == "__main__":
    draw()

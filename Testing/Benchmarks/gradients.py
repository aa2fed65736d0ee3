"""Every deconvolution method on tiles whose flow and delay run smoothly and jump: too much smoothing shows here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor

from sections import SMOOTHINGS, smoothed_sections, submitted, table_by_smoothing

from PyPeTLib.phantom import frame_times, make_gradient_tiles

NOISE_HU = 8.0
TRANSITS = (3.0, 4.0, 6.0, 8.0, 12.0)
TIMES = frame_times((30, 2.0))
RESIDUES = ("exponential", "box")

NOTES = """\
`PyPeTLib.phantom.make_gradient_tiles`: in cells of {cell}² voxels CBF and delay run smoothly, between them they jump;
CBF 13…67 ml/100g/min, delay −1.25…5.25 s, sections of MTT 3, 4, 6, 8 and 12 s, 30 frames every 2 s, {noise:g} HU of
noise, seed {seed}. Smoothing, options and cells as for the Kudo-type phantom: the same prior has to serve both."""


def report(pool: Executor, seeds: Sequence[int], cell: int = 16) -> Iterator[str]:
    """What the tables mean, and one for each residue."""
    jobs = {}
    for residue in RESIDUES:
        phantom = make_gradient_tiles(residue, cell=cell, mtt=TRANSITS, times=TIMES, noise=NOISE_HU, rng=seeds[0])
        chosen = range(len(TRANSITS))
        jobs[residue] = {
            smoothing: submitted(pool, smoothed_sections(phantom, chosen, smoothing)) for smoothing in SMOOTHINGS
        }
    yield f"## Gradient tiles\n\n{NOTES.format(cell=cell, noise=NOISE_HU, seed=seeds[0])}"
    for residue, errors in jobs.items():
        yield f"### {residue.capitalize()} residue\n\n{table_by_smoothing(errors)}"

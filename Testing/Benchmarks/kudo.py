"""Every deconvolution method on a digital phantom in the layout of Kudo et al. 2013."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future

from sections import SMOOTHINGS, Errors, Smoothing, smoothed_sections, submitted, table_by_smoothing

from PyPeTLib.phantom import make_kudo

TILE_SIZE = 32
NOISE_HU = 8.0
RESIDUES = {"exponential": range(1, 6), "linear": range(6, 11), "box": range(11, 16)}
"""Sections by residue; the first of all is that of the vessels."""

PUBLISHED = {
    "published: NLR": "12.7 / 0.24 / 1.6 / 0.76",
    "published: syngo.via": "14 / 1.05 / 1.45 / 0.62",
    "published: PPINN": "3.0 / 0.19 / 1.0 / 0.45",
    "published: SPPINN": "1.7 / 0.15 / 0.4 / 0.15",
}
"""Read off a plot of the box sections of the original phantom, by the authors of SPPINN."""

Jobs = dict[str, dict[Smoothing, dict[str, Future[Errors]]]]

NOTES = """\
Phantom in the layout of Kudo et al. 2013 (doi:10.1148/radiol.12112618), made anew by `PyPeTLib.phantom.make_kudo`:
sections of {edge}² voxels, tiles of {tile}², MTT 24/k s (k = 1…7), delays 0…3 s, CBV 1…5 ml/100g, 30 frames every 2 s,
{noise:g} HU of noise a voxel, seed {seed}; then smoothed frame by frame in the plane with a Gaussian of σ voxels. True
(undiluted) arterial input, default options, each section alone. The baseline is the mean of the frames before the
bolus; the last column shows what a perfect one would bring. Cells: mean absolute errors of CBF [ml/100g/min] / CBV
[ml/100g] / MTT [s] / delay [s], over the five blood volumes."""

PUBLISHED_NOTE = """\
The published rows were read off a plot for σ = 2 voxels on the original phantom, whose noise and venous curve are not
known exactly; so they are neighbours of these figures, not competitors on equal data."""


def report(pool: Executor, seeds: Sequence[int], tile_size: int = TILE_SIZE) -> Iterator[str]:
    """What the tables mean, and one for each residue; of the seeds, the first one is used."""
    phantom = make_kudo(tile_size=tile_size, noise=NOISE_HU, rng=seeds[0])
    jobs: Jobs = {residue: {} for residue in RESIDUES}
    for smoothing in SMOOTHINGS:
        for residue, chosen in RESIDUES.items():
            jobs[residue][smoothing] = submitted(pool, smoothed_sections(phantom, chosen, smoothing))
    notes = NOTES.format(edge=16 * tile_size, tile=tile_size, noise=NOISE_HU, seed=seeds[0])
    yield f"## Kudo-type phantom\n\n{notes}"
    for residue, errors in jobs.items():
        if residue != "box":
            yield f"### {residue.capitalize()} residue\n\n{table_by_smoothing(errors)}"
            continue
        yield f"### Box residue\n\n{PUBLISHED_NOTE}\n\n{table_by_smoothing(errors, PUBLISHED)}"

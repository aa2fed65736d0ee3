"""How often the truth lies within one posterior standard deviation, for methods that estimate their uncertainty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from cases import QUANTITIES, cases, quantities
from layout import markdown_table

from PyPeTLib.arrays import Array, Curve, IntArray, Volume
from PyPeTLib.deconvolution import DeconvolutionOptions
from PyPeTLib.phantom import Bolus, Residue, frame_times, gamma_residue, tissue_curve

NOISE_HU = (1.0, 2.0, 4.0, 8.0)
RESIDUES: Mapping[str, str | Residue] = {
    "exponential": "exponential",
    "gamma, shape 2": "gamma",
    "gamma, shape 5": gamma_residue(5.0),
    "box": "box",
}
TIMES = frame_times((60, 1.0))
TILE = 8
"""Edge in voxels of a tile; its voxels share the truth and differ in their noise."""

Number = TypeVar("Number", bound=np.generic)

RANGES = {"mtt": (3.0, 12.0), "delay": (-2.0, 6.0), "cbv": (1.0, 5.0)}

NOTES = """\
Tiles of {tile}² voxels, {n} of each residue, in one section; MTT, delay and CBV drawn evenly from 3…12 s, −2…6 s and
1…5 ml/100g (seed {seed}). True arterial input of 300 HU, 60 frames every second, noise on every voxel and frame,
default options. For a calibrated Gaussian posterior 68 % of the truths lie within mean ± SD."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Truth:
    """A section of tiles without noise: ``curves`` (x, y, t), the maps, and the number of each voxel's residue."""

    curves: Volume
    maps: Mapping[str, Array]
    residue: IntArray
    aif: Curve


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """Whether each truth is covered, and the mean SD, by quantity; the first split by residue."""

    covered: Mapping[str, Mapping[str, float]]
    sd: Mapping[str, float]

    def all_covered(self, name: str) -> float:
        return float(np.mean(list(self.covered[name].values())))


@lru_cache(maxsize=1)
def truth(edge: int, seed: int) -> Truth:
    """A square of ``edge``² tiles, their residues in turn."""
    rng = np.random.default_rng(seed)
    drawn = {name: rng.uniform(*span, edge**2) for name, span in RANGES.items()}
    drawn["cbf"] = 60 * drawn["cbv"] / drawn["mtt"]
    which = np.arange(edge**2) % len(RESIDUES)
    curves = np.empty((edge**2, TIMES.size), np.float32)
    for k, residue in enumerate(RESIDUES.values()):
        flow, transit, delay = (drawn[name][which == k] for name in ("cbf", "mtt", "delay"))
        curves[which == k] = tissue_curve(Bolus(), flow, transit, delay, residue, times=TIMES)

    def spread(values: npt.NDArray[Number]) -> npt.NDArray[Number]:
        return values.reshape(edge, edge, *values.shape[1:]).repeat(TILE, axis=0).repeat(TILE, axis=1)

    return Truth(
        curves=spread(curves),
        maps={name: spread(drawn[name]) for name in QUANTITIES},
        residue=spread(which),
        aif=Bolus().arterial_at(TIMES),
    )


def calibration(options: DeconvolutionOptions, noise: float, edge: int, seed: int) -> Calibration:
    """One method at one level of noise."""
    section = truth(edge, seed)
    rng = np.random.default_rng((seed, int(1000 * noise)))
    noisy = section.curves + np.float32(noise) * rng.standard_normal(section.curves.shape, np.float32)
    mask = np.ones((*noisy.shape[:2], 1), bool)
    found = quantities(noisy.reshape(-1, TIMES.size), section.aif, TIMES, options, mask=mask).values
    return assessed(found, {name: values.ravel() for name, values in section.maps.items()}, section.residue.ravel())


def assessed(found: Mapping[str, Volume], truths: Mapping[str, Array], residue: IntArray) -> Calibration:
    """Share of truths within mean ± SD by quantity and residue, and mean SD."""
    inside = {name: np.abs(found[name] - truths[name]) <= found[f"{name}_sd"] for name in QUANTITIES}
    return Calibration(
        covered={
            name: {label: float(hit[residue == k].mean()) for k, label in enumerate(RESIDUES)}
            for name, hit in inside.items()
        },
        sd={name: float(found[f"{name}_sd"].mean()) for name in QUANTITIES},
    )


def report(pool: Executor, seeds: Sequence[int], edge: int = 24) -> Iterator[str]:
    """By level of noise, and by residue; a line where no method estimates its uncertainty."""
    title = "## Calibration of the posterior"
    methods = cases("posterior")
    if not methods:
        yield f"{title}\n\nNo method estimates its uncertainty."
        return
    jobs = {
        (name, noise): pool.submit(calibration, options, noise, edge, seeds[0])
        for name, options in methods.items()
        for noise in NOISE_HU
    }
    found = {key: job.result() for key, job in jobs.items()}
    yield f"{title}\n\n{NOTES.format(tile=TILE, n=edge**2 // len(RESIDUES), seed=seeds[0])}\n\n{_by_noise(found)}"
    note = "The same by residue: coverage in %, CBF / CBV / MTT / delay."
    yield f"{note}\n\n{_by_residue(found)}"


def _by_noise(found: Mapping[tuple[str, float], Calibration]) -> str:
    header = ("method", "noise, HU", *(f"{name.upper()} covered, %" for name in QUANTITIES[:3]), "delay covered, %")
    header += ("SD of CBF", "SD of CBV", "SD of MTT, s", "SD of delay, s")
    rows = [
        (
            name,
            f"{noise:g}",
            *(f"{100 * one.all_covered(quantity):.0f}" for quantity in QUANTITIES),
            *(f"{one.sd[quantity]:.2f}" for quantity in QUANTITIES),
        )
        for (name, noise), one in found.items()
    ]
    return markdown_table(header, rows)


def _by_residue(found: Mapping[tuple[str, float], Calibration]) -> str:
    rows = [
        (
            name,
            f"{noise:g}",
            *(
                " / ".join(f"{100 * one.covered[quantity][residue]:.0f}" for quantity in QUANTITIES)
                for residue in RESIDUES
            ),
        )
        for (name, noise), one in found.items()
    ]
    return markdown_table(("method", "noise, HU", *RESIDUES), rows)

"""Every filter against noise on head phantoms: what it does to maps, lesions and regional means, and what it costs."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import Any

import numpy as np
from accuracy import measured
from cases import CONSTANTS
from layout import markdown_table, mean_and_worst

from PyPeTLib.arrays import Curve, Volume
from PyPeTLib.assembly import unravelled
from PyPeTLib.config import PipelineConfig
from PyPeTLib.contrast import ContrastOptions, find_bolus
from PyPeTLib.deconvolution import deconvolve, noise_level
from PyPeTLib.execution import Execution
from PyPeTLib.phantom import HeadPhantom, make_head
from PyPeTLib.phantom.scoring import HeadScore
from PyPeTLib.preprocess.artefact import Disturbance
from PyPeTLib.preprocess.denoising import DENOISERS, vessel_like
from PyPeTLib.quantification import quantify
from PyPeTLib.series import Modality
from PyPeTLib.stages import BrainCurves, denoised, to_concentration

SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "none": {},
    "gaussian, 1 mm": {"method": "gaussian", "sigma": 1.0},
    "gaussian, 2 mm": {"method": "gaussian", "sigma": 2.0},
    "gaussian, 3 mm": {"method": "gaussian", "sigma": 3.0},
    "gaussian, 2 mm, vessels too": {"method": "gaussian", "sigma": 2.0, "vessel_ratio": 0.0},
    "tips, 1.5 mm": {"method": "tips", "sigma": 1.5},
    "tips, 2 mm": {"method": "tips", "sigma": 2.0},
    "curvature-flow, 5 steps": {"method": "curvature-flow", "iterations": 5},
    "curvature-flow, 20 steps": {"method": "curvature-flow", "iterations": 20},
    "low-rank, 2 mm": {"method": "low-rank", "sigma": 2.0},
    "similarity, 3 mm": {"method": "similarity", "sigma": 3.0},
}
CASES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "CTP, 6 HU": ("ctp", {}),
    "CTP, 10 HU": ("ctp", {"noise": 10.0}),
    "CTP, 6 HU, slab of 4 slices": ("ctp", {"slab": 4}),
    "DSC": ("dsc", {}),
}
REGION_ML = 2.0
NOISE_SEEDS = range(8)
HEADER = ("filter", "CBF r", "CBV r", "Tmax r", "Tmax > 6 s Dice", "core Dice", "CPU, s")

NOTES = """\
Head phantoms {seeds} with the true arterial input and mask and the modality's deconvolution; mean over the seeds and,
in brackets, the worst. CPU: seconds of the filter alone on one thread. In bold what is the modality's default. The
default of `rank` is {rank}, of `tolerance` {tolerance:g}."""
BIASES = (("bsvd", "cbf"), ("", "cbf"), ("bsvd", "cbv"))
"""Method and quantity; the truncation of bsvd does not look at the noise, that of the default does, voxel by voxel."""

BIAS_NOTES = """\
What a filter adds to means over regions of {ml:g} ml of tissue (cells of a lattice), in %: over {count} draws of the
noise of head 0, against the same method on noise-free, unfiltered curves that is told the same noise. Mean over all
regions / mean of the magnitudes / mean over regions that are at least half core or penumbra. The default method
truncates a voxel's response by how it oscillates, and so adds a bias of its own to noisy curves; bsvd does not.
Memory: what the filter and the conversion to concentration add to the peak of a process, in copies of the curves."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """A head with the curves of everything inside the skull."""

    head: HeadPhantom
    curves: BrainCurves

    @classmethod
    def of(cls, head: HeadPhantom) -> Prepared:
        """The curves as the pipeline has them where nothing moved."""
        series, mask = head.series, head.masks["intracranial"]
        signal = series.curves(mask)
        bolus = find_bolus(signal, series.frame_times, series.modality, ContrastOptions())
        calm = Disturbance.none(len(signal))
        return cls(head=head, curves=BrainCurves(echoes=(signal,), analysed=mask, disturbance=calm, bolus=bolus))

    def filtered(self, setting: str) -> tuple[Volume, float, float]:
        """Concentration after a filter, the noise that it tells of, and the CPU seconds that it took."""
        series = self.head.series
        config = PipelineConfig.for_modality(series.modality, {"denoising": _options(setting)})
        alone = Execution(threads=1)
        unsmoothed = to_concentration(self.curves.echoes, self.curves.bolus, series, alone)
        start = time.process_time()
        vessels = vessel_like(unsmoothed.curves, config.denoising.vessel_ratio)
        content = denoised(self.curves, vessels, noise_level(unsmoothed.curves), series, config, alone)
        return content.curves, content.noise, time.process_time() - start

    def maps(self, curves: Volume, noise: float, method: str = "") -> tuple[dict[str, Volume], Volume]:
        """Maps of a method, the modality's own if none is named, with the true arterial input; and where they hold."""
        series, mask = self.head.series, self.head.masks["intracranial"]
        changes = {"noise": float(noise), **({"method": method} if method else {})}
        options = PipelineConfig.for_modality(series.modality, {"deconvolution": changes}).deconvolution
        aif: Curve = self.head.aif
        estimate = deconvolve(curves, aif, series.frame_times, options, Execution(threads=1), mask=mask)
        found = quantify(curves, aif, series.frame_times, estimate, CONSTANTS)
        maps = {name: unravelled(values, mask) for name, values in found.values.items()}
        return maps, unravelled(found.valid["cbf"], mask)


def _options(setting: str) -> dict[str, Any]:
    return {"method": "none", **SETTINGS[setting]}


def scored(modality: str, seed: int, changes: dict[str, Any]) -> dict[str, tuple[HeadScore, float]]:
    """Scores of every filter on one head, and the CPU seconds it took."""
    prepared = Prepared.of(make_head(modality, seed=seed, execution=Execution(threads=1), **changes))
    found = {}
    for setting in SETTINGS:
        curves, noise, seconds = prepared.filtered(setting)
        maps, valid = prepared.maps(curves, noise)
        brain = prepared.head.masks["intracranial"]
        found[setting] = (measured(prepared.head, maps, valid, brain).score, seconds)
    return found


def regions(head: HeadPhantom) -> tuple[Volume, Volume]:
    """Which region each voxel of tissue belongs to, from 0 (others have -1), and how much of each is lesion."""
    tissue = head.masks["tissue"] & head.masks["brain"]
    edge = (1000 * REGION_ML) ** (1 / 3)
    cells = [np.arange(n) // max(1, round(edge / size)) for n, size in zip(tissue.shape, _sizes(head), strict=True)]
    number = np.ravel_multi_index(np.ix_(*cells), [cell[-1] + 1 for cell in cells])
    size = np.bincount(number[tissue], minlength=number.max() + 1)
    # cells that are mostly something else are no region of this size
    whole = size >= 0.5 * size.max()
    order = np.where(whole, np.cumsum(whole) - 1, -1)
    region = np.where(tissue, order[number], -1)
    lesion = head.masks["core"] | head.masks["penumbra"]
    return region, means_of(region, lesion.astype(np.float32))


def _sizes(head: HeadPhantom) -> tuple[float, float, float]:
    return head.series.grid.voxel_sizes


def means_of(region: Volume, values: Volume) -> Curve:
    """Mean of each region."""
    inside = region >= 0
    count = np.bincount(region[inside])
    return np.asarray(np.bincount(region[inside], values[inside]) / count, np.float64)


def regional_bias(setting: str, draws: Sequence[int], **changes: Any) -> list[tuple[float, float, float]]:
    """Relative bias in % of regional means on head 0 of CT, for each of `BIASES`: mean, magnitude, in the lesion."""
    clean = make_head("ctp", seed=0, noise=None, execution=Execution(threads=1), **changes)
    region, lesion = regions(clean)
    signal = clean.series.curves(clean.masks["intracranial"])
    unfiltered = Prepared.of(clean)
    total, level = np.zeros((len(BIASES), lesion.size)), 0.0

    def of_regions(curves: Volume) -> Curve:
        maps = {method: unfiltered.maps(curves, level, method)[0] for method in {method for method, _ in BIASES}}
        return np.array([means_of(region, maps[method][name]) for method, name in BIASES])

    for draw in draws:
        noise = np.random.default_rng((draw, 99)).normal(0, 6.0, signal.shape)
        noisy = replace(unfiltered.curves, echoes=(np.round(signal + noise).astype(np.float32),))
        filtered, level, _ = Prepared(head=clean, curves=noisy).filtered(setting)
        total += of_regions(filtered)
    content = to_concentration((signal,), unfiltered.curves.bolus, clean.series, Execution(threads=1))
    off = 100 * (total / len(draws) / of_regions(content.curves) - 1)
    return [(float(one.mean()), float(np.abs(one).mean()), float(one[lesion >= 0.5].mean())) for one in off]


def memory(setting: str) -> float:
    """Bytes that a filter adds to the peak memory of this fresh process, in copies of the brain's curves."""
    prepared = Prepared.of(make_head("ctp", seed=0, execution=Execution(threads=1)))
    series, curves = prepared.head.series, prepared.curves
    config = PipelineConfig.for_modality(series.modality, {"denoising": _options(setting)})
    unsmoothed = to_concentration(curves.echoes, curves.bolus, series, Execution(threads=1))
    # what made the phantom may have reached higher than the filter will: fill it up
    spare = np.ones(max(0, _peak() - _now()), np.uint8)
    before = _now()
    vessels = vessel_like(unsmoothed.curves, config.denoising.vessel_ratio)
    denoised(curves, vessels, noise_level(unsmoothed.curves), series, config, Execution(threads=1))
    del spare  # only now: it must stay while the filter runs
    return max(0, _peak() - before) / curves.signal.nbytes


def _peak() -> int:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most if sys.platform == "darwin" else most * 1024)


def _now() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - no path of the project's
        return int(file.read().split()[1]) * resource.getpagesize()


def report(pool: Executor, seeds: Sequence[int]) -> Iterator[str]:
    """The tables: one for each kind of head, then the bias of regional means and the memory."""
    jobs = {
        case: [pool.submit(scored, modality, seed, changes) for seed in seeds]
        for case, (modality, changes) in CASES.items()
    }
    draws = list(NOISE_SEEDS)
    biases = {setting: pool.submit(regional_bias, setting, draws) for setting in SETTINGS}
    defaults = PipelineConfig.for_modality(Modality.CTP).denoising
    notes = NOTES.format(seeds=", ".join(map(str, seeds)), rank=defaults.rank, tolerance=defaults.tolerance)
    yield f"## Filters against noise\n\n{notes}"
    for case, (modality, _) in CASES.items():
        heads = [job.result() for job in jobs[case]]
        rows = [_row(setting, modality, [head[setting] for head in heads]) for setting in SETTINGS]
        yield f"### {case}\n\n{markdown_table(HEADER, rows)}"
    yield _bias_table({setting: job.result() for setting, job in biases.items()}, len(draws))


def _row(setting: str, modality: str, found: Sequence[tuple[HeadScore, float]]) -> tuple[str, ...]:
    names = ("cbf_r", "cbv_r", "tmax_r", "hypoperfusion_dice", "core_dice")
    cells = [mean_and_worst([getattr(score, name) for score, _ in found]) for name in names]
    return (_named(setting, modality), *cells, f"{np.median([seconds for _, seconds in found]):.2f}")


def _named(setting: str, modality: str) -> str:
    default = PipelineConfig.for_modality(Modality(modality)).denoising
    asked = PipelineConfig.for_modality(Modality(modality), {"denoising": _options(setting)}).denoising
    return f"**{setting}**" if asked == default else setting


def _bias_table(biases: Mapping[str, Sequence[tuple[float, float, float]]], draws: int) -> str:
    with get_context("spawn").Pool(1, maxtasksperchild=1) as fresh:
        copies = {setting: fresh.apply(memory, (setting,)) for setting in SETTINGS}
    rows = [
        (
            _named(setting, "ctp"),
            *(" / ".join(f"{value:+z.1f}" for value in values) for values in bias),
            f"{copies[setting]:.1f}",
        )
        for setting, bias in biases.items()
    ]
    header = ("filter", *(f"{name.upper()}, {method or 'default method'}" for method, name in BIASES), "memory, copies")
    notes = BIAS_NOTES.format(ml=REGION_ML, count=draws)
    return f"### Bias of regional means, and memory (CTP, 6 HU)\n\n{notes}\n\n{markdown_table(header, rows)}"


def uncovered() -> set[str]:
    """Filters of the registry that no setting of the tables shows."""
    return set(DENOISERS) - {_options(setting)["method"] for setting in SETTINGS}

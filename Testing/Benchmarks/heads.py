"""Every deconvolution method on head phantoms: each sees the very curves that the pipeline would give it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from accuracy import Measured, measured
from cases import cases, error_cell, mean_errors, quantities
from layout import markdown_table, mean_and_farthest, mean_and_worst

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.assembly import unravelled
from PyPeTLib.config import Given, PipelineConfig
from PyPeTLib.execution import Execution
from PyPeTLib.phantom import HeadPhantom, make_head
from PyPeTLib.phantom.scoring import scaled_to_white_matter
from PyPeTLib.pipeline import PipelineResult, run_pipeline
from PyPeTLib.series import Modality

QUICK = "bsvd"
"""The method of the pipeline's own run, whose maps nobody looks at."""

HEADER = (
    *("method", "CBF / CBV / MTT / delay error", "CBF r", "CBF bias, %", "CBV r", "MTT r", "Tmax r"),
    *("Tmax > 6 s Dice", "core Dice"),
)

NOTES = """\
Head phantoms {seeds} with noise and a lesion; true arterial input, true mask (everything inside the inner table), the
pipeline's own smoothing and its options for the modality. Mean absolute errors over tissue in ml/100g/min, ml/100g, s
and s; the rest, and the scale of DSC, as in the tables of the whole pipeline. Mean over the seeds and, in brackets, the
worst."""


@dataclass(frozen=True, kw_only=True)
class HeadMeasured:
    """Scores of one method on one head, and its mean absolute errors over tissue."""

    lesions: Measured
    errors: Mapping[str, float]


def prepared(head: HeadPhantom, given: Given | None = None) -> PipelineResult:
    """The pipeline's products up to the smoothed curves."""
    config = PipelineConfig.for_modality(head.series.modality, {"deconvolution": {"method": QUICK}})
    return run_pipeline(head.series, config, given=given, threads=1)


def measured_methods(head: HeadPhantom, result: PipelineResult, methods: Iterable[str]) -> dict[str, HeadMeasured]:
    """Methods on the pipeline's curves; those without Tmax, which cannot be asked for lesions, are left out."""
    found = {method: _measured_method(head, result, method) for method in methods}
    return {method: one for method, one in found.items() if one is not None}


def _measured_method(head: HeadPhantom, result: PipelineResult, method: str) -> HeadMeasured | None:
    if result.aif is None:
        raise RuntimeError(f"no artery was found in {head.series.name}")
    times, mask = result.working.frame_times, result.analysed
    aif = result.aif.curve(times, result.config.aif.curve)
    options = replace(cases()[method], noise=result.concentration.noise)
    constants = result.config.quantification
    found = quantities(result.concentration.curves, aif, times, options, mask=mask, constants=constants)
    if "tmax" not in found.values:
        return None
    maps = {name: unravelled(values, mask) for name, values in found.values.items()}
    valid = unravelled(np.logical_and.reduce(list(found.valid.values())), mask)
    return HeadMeasured(
        lesions=measured(head, maps, valid, result.brain.mask, result.aif.mask), errors=_errors(head, maps, mask)
    )


def _errors(head: HeadPhantom, maps: Mapping[str, Volume], mask: Mask) -> Mapping[str, float]:
    tissue = mask & head.masks["tissue"] & head.masks["brain"] & (head.truth["cbf"] > 0)
    white = tissue & head.masks["white"] & head.masks["healthy_side"]
    scaled = {name: scaled_to_white_matter(maps[name], head.truth[name], white, head) for name in ("cbf", "cbv")}
    found = {name: values[tissue] for name, values in {**maps, **scaled}.items()}
    return mean_errors(found, {name: values[tissue] for name, values in head.truth.items()})


def methods_on(modality: str, seed: int, **head_options: Any) -> dict[str, HeadMeasured]:
    """All methods on one head, with the true arterial input and mask."""
    head = make_head(modality, seed=seed, execution=Execution(threads=1), **head_options)
    given = Given(brain_mask=head.masks["intracranial"], aif_curve=(head.series.frame_times, head.aif))
    return measured_methods(head, prepared(head, given), cases())


def report(pool: Executor, seeds: Sequence[int], **head_options: Any) -> Iterator[str]:
    """What the tables mean, and one for each modality."""
    jobs = {
        modality: [pool.submit(methods_on, modality, seed, **head_options) for seed in seeds] for modality in Modality
    }
    yield f"## Head phantoms with the true arterial input\n\n{NOTES.format(seeds=', '.join(map(str, seeds)))}"
    for modality in Modality:
        heads = [job.result() for job in jobs[modality]]
        rows = [_row(method, [head[method] for head in heads]) for method in heads[0]]
        yield f"### {modality.upper()}\n\n{markdown_table(HEADER, rows)}"


def _row(method: str, found: Sequence[HeadMeasured]) -> tuple[str, ...]:
    def quality(name: str) -> str:
        return mean_and_worst([getattr(one.lesions.score, name) for one in found])

    errors = {name: float(np.mean([one.errors[name] for one in found])) for name in found[0].errors}
    return (
        method,
        error_cell(errors),
        quality("cbf_r"),
        mean_and_farthest([100 * one.lesions.score.cbf_bias for one in found]),
        *(quality(name) for name in ("cbv_r", "mtt_r", "tmax_r", "hypoperfusion_dice", "core_dice")),
    )

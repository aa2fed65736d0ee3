"""Volumes of core and hypoperfused tissue on head phantoms, fully automatic, against their truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
from cases import NO_VALUE
from layout import markdown_table

from PyPeTLib import Modality
from PyPeTLib.arrays import Mask
from PyPeTLib.execution import Execution
from PyPeTLib.lesions import LesionOptions, find_lesions
from PyPeTLib.lesions.model import TMAX_STEPS
from PyPeTLib.lesions.thresholds import lesions_of
from PyPeTLib.maps import QUANTITIES, ParameterMap, PerfusionMaps
from PyPeTLib.phantom import Phantom, make_head
from PyPeTLib.phantom.scoring import dice
from PyPeTLib.pipeline import run_pipeline

KINDS: Mapping[str, tuple[Modality, Mapping[str, Any]]] = {
    "CTP": (Modality.CTP, {}),
    "DSC": (Modality.DSC, {}),
    "DSC, slices of 12 mm": (Modality.DSC, {"shape": (128, 128, 10), "spacing": (1.75, 1.75, 12.0)}),
}

NOTES = """\
Head phantoms {seeds} with a lesion, `run_pipeline` and `find_lesions` with their defaults. True are the labels of the
phantom within grey and white matter that is not vessel: hypoperfused is core and penumbra. Found is all that was marked
in the whole brain; volumes in ml, then the Dice coefficient with the label. Outside: core found outside the lesion, in
ml. Mismatch: hypoperfused volume over that of the core. From true maps: the same rules on the phantom's own CBF and
delay and its true tissue, hypoperfused above a delay of 3 s (the labels end where it passes 2.5 s): core, then
hypoperfused, in ml. Bold: means over the heads."""

LATE_NOTES = """\
The same heads: volume of tissue above each Tmax in ml, mean over the heads, and by how many s the Tmax map lies above
the delay that core and penumbra were drawn with (4 to 8.5 s), median over their voxels. Tmax of a regularised method is
no delay: it grows with the transit time too."""

HEALTHY_NOTES = """\
The same heads without lesion and occlusion: all that is found is false. Volume in ml, mean over the heads and, in
brackets, the largest."""


@dataclass(frozen=True, kw_only=True)
class Extent:
    """A lesion, found and true: volumes in ml, and the Dice coefficient of both."""

    found: float
    true: float
    dice: float


@dataclass(frozen=True, kw_only=True)
class Found:
    """Lesions of one head.

    Attributes
    ----------
    core, late : Extent
        ``late`` is hypoperfused tissue, core included.
    from_truth : tuple of two float
        Volumes in ml of core and hypoperfused tissue that the true maps give; zeros for a healthy head.
    outside : float
        Volume in ml of the core that was found outside the lesion.
    tmax : mapping of float to float
        Volume in ml above each Tmax.
    lag : float
        Median of Tmax − true delay in the lesion, in s; NaN without one.
    """

    core: Extent
    late: Extent
    from_truth: tuple[float, float]
    outside: float
    tmax: Mapping[float, float]
    lag: float


def found(kind: str, seed: int, *, healthy: bool, **head_options: Any) -> Found:
    """Find the lesions of one head."""
    modality, changes = KINDS[kind]
    options = {**changes, **head_options}
    head = make_head(modality, seed=seed, healthy=healthy, execution=Execution(threads=1), **options)
    result = run_pipeline(head.series, threads=1)
    lesions = find_lesions(result)
    tissue = head.masks["tissue"] & head.masks["brain"]
    lesion = head.masks["core"] | head.masks["penumbra"]

    def extent(mask: Mask, label: Mask) -> Extent:
        return Extent(found=lesions.volume_of(mask), true=lesions.volume_of(label), dice=dice(mask, label))

    # the phantom's Tmax is its delay
    lag = (result.maps["tmax"].values - head.truth["tmax"])[lesion & tissue & result.maps["tmax"].valid]
    return Found(
        core=extent(lesions.core, head.masks["core"] & tissue),
        late=extent(lesions.hypoperfused, lesion & tissue),
        from_truth=(0.0, 0.0) if healthy else _from_truth(head),
        outside=lesions.volume_of(lesions.core & ~lesion),
        tmax=lesions.tmax_volumes,
        lag=float(np.median(lag)) if lag.size else float("nan"),
    )


def _from_truth(head: Phantom) -> tuple[float, float]:
    """Volumes in ml of core and hypoperfused tissue, by the true maps and the true tissue."""
    grid, tissue = head.series.grid, head.masks["tissue"] & head.masks["brain"]
    everywhere = np.ones(grid.shape, bool)
    maps = {
        name: ParameterMap(quantity=QUANTITIES[name], values=head.truth[name], valid=everywhere, affine=grid.affine)
        for name in ("cbf", "cbv", "tmax", "delay")
    }
    true = PerfusionMaps(maps=maps, quality_mask=everywhere)
    normal = tissue & head.masks["healthy_side"]
    lesions = lesions_of(true, tissue, normal, grid, LesionOptions.of("mistar"))
    return lesions.core_volume, lesions.hypoperfused_volume


def report(pool: Executor, seeds: Sequence[int], **head_options: Any) -> Iterator[str]:
    """The tables: lesions, volumes above each Tmax, and what is found in healthy heads."""
    jobs = {
        (kind, healthy): [pool.submit(found, kind, seed, healthy=healthy, **head_options) for seed in seeds]
        for healthy in (False, True)
        for kind in KINDS
    }
    heads = {key: [job.result() for job in one] for key, one in jobs.items()}
    header: tuple[str, ...] = (
        *("head", "core found / true", "error, %", "its Dice", "outside"),
        *("Tmax > 6 s found / true", "error, %", "its Dice", "from true maps", "mismatch found / true"),
    )
    rows = [row for kind in KINDS for row in _lesion_rows(kind, seeds, heads[kind, False])]
    yield f"## Lesions\n\n{NOTES.format(seeds=', '.join(map(str, seeds)))}\n\n{markdown_table(header, rows)}"
    header = ("head", *(f"Tmax > {step:g} s" for step in TMAX_STEPS), "Tmax − delay, s")
    rows = [(kind, *_late_cells(heads[kind, False])) for kind in KINDS]
    yield f"### Volumes above each Tmax\n\n{LATE_NOTES}\n\n{markdown_table(header, rows)}"
    header = ("head", "core", "Tmax > 6 s")
    rows = [(kind, *_healthy_cells(heads[kind, True])) for kind in KINDS]
    yield f"### False lesions of healthy heads\n\n{HEALTHY_NOTES}\n\n{markdown_table(header, rows)}"


def _lesion_rows(kind: str, seeds: Sequence[int], heads: Sequence[Found]) -> Iterator[tuple[str, ...]]:
    for seed, head in zip(seeds, heads, strict=True):
        yield (f"{kind}, head {seed}", *_lesion_cells([head]))
    if len(heads) > 1:
        yield tuple(f"**{cell}**" for cell in (kind, *_lesion_cells(heads)))


def _lesion_cells(heads: Sequence[Found]) -> Iterator[str]:
    yield from _extent_cells([head.core for head in heads])
    yield f"{np.mean([head.outside for head in heads]):.1f}"
    yield from _extent_cells([head.late for head in heads])
    yield _pair([head.from_truth for head in heads])
    if all(head.core.found for head in heads):
        yield _pair([(head.late.found / head.core.found, head.late.true / head.core.true) for head in heads])
    else:
        yield NO_VALUE


def _extent_cells(extents: Sequence[Extent]) -> Iterator[str]:
    yield _pair([(one.found, one.true) for one in extents])
    yield f"{100 * (sum(one.found for one in extents) / sum(one.true for one in extents) - 1):+z.0f}"
    yield f"{np.mean([one.dice for one in extents]):.2f}"


def _late_cells(heads: Sequence[Found]) -> Iterator[str]:
    for step in TMAX_STEPS:
        yield f"{np.mean([head.tmax[step] for head in heads]):.1f}"
    yield f"{np.mean([head.lag for head in heads]):.1f}"


def _pair(pairs: Sequence[tuple[float, float]]) -> str:
    return " / ".join(f"{value:.1f}" for value in np.mean(pairs, axis=0))


def _healthy_cells(heads: Sequence[Found]) -> Iterator[str]:
    for volumes in ([head.core.found for head in heads], [head.late.found for head in heads]):
        yield f"{np.mean(volumes):.1f} ({max(volumes):.1f})"

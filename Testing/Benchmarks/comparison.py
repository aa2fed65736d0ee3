"""Which references the comparison of maps refuses, what an empty margin does to its figures, and what it costs."""

from __future__ import annotations

import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from layout import markdown_table
from scipy import ndimage

from PyPeTLib.arrays import Curve, Mask
from PyPeTLib.compare import METRICS, CompareOptions, Comparison, MapImage, compare_maps
from PyPeTLib.config import PipelineConfig
from PyPeTLib.execution import Execution
from PyPeTLib.maps import QUANTITIES
from PyPeTLib.phantom import HeadPhantom, make_head
from PyPeTLib.pipeline import PipelineResult, run_pipeline

MAPS = ("cbf", "cbv", "mtt", "ttp", "tmax")
FRESH_HEADS = tuple(range(100, 108))
"""The tests of `same_head` use 0 to 2; which heads its limits were set on is not recorded, but they were eight."""

SERIES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "CT": ("ctp", {"shape": (160, 160, 20)}),
    "DSC": ("dsc", {}),
    "coarse CT": ("ctp", {"shape": (120, 120, 15), "noise": 9.0}),
}
GENERATED = ("CT", "DSC")
OTHER_METHOD = {"deconvolution": {"method": "tikhonov"}}
"""Of the coarse series."""

SMOOTHED_MM = 3.0
ERODED_MM = 8.0
FEW_SLICES = 3

SAME, DOUBTFUL, OTHER = "same", "doubtful", "other"
BY_OUTLINE = "by outline"

ONE_GRID = "one grid"

MARGINS_MM = (0, 10, 20, 40, 80)
RUNS = 5

NOTES = """\
Head phantoms {seeds}, all of one size; the tests of the limits use others (0 to 2). Generated are the maps of a CT run
(160×160×20 voxels of 1.25×1.25×5.75 mm, noise 6 HU) and of a DSC run (128×128×20 voxels of 1.75×1.75×6 mm), both fully
automatic. References are the truth, 0 outside the brain; the truth smoothed within slices, of a mask eroded by
{eroded:g} mm, or rounded to whole numbers; a run of the other modality on its own grid; and a run of a coarse, noisy CT
series (120×120×15 voxels, 9 HU) by `tikhonov`. Three slices: the reference holds no more, from the middle of its
brain. By outline: share of a row's comparisons that had nothing else, because there was too little detail."""

SAME_NOTES = """\
References of the same head: how many of the comparisons were refused, which is wrong, and in brackets how many passed
with a note that it is not certain."""

OTHER_NOTES = """\
References of another head, all pairs of the heads: share of the comparisons that passed, which is wrong, and in
brackets the share that passed without a note that it is not certain; {count} comparisons a cell of each kind. In
this head's pose: the other head was laid as this one lies, as a registration would."""

MARGIN_NOTES = """\
CT maps of head {seed} against the truth, and its CBF against that of head {other} (mismatch allowed), cut out along the
brain, with an empty margin on all four sides of each slice. SSIM in the brain / SSIM with background (paper)."""

COST_NOTES = """\
All {count} figures of one pair of CBF maps of 200×200×23 voxels, with the check of heads and units: seconds, the median
of {runs} runs, and the peak of memory in arrays beside the two maps, in MB and in copies of one map."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Head:
    """Maps of one head: of each series those of a run, and for the first two the truth.

    Attributes
    ----------
    runs, truth : mapping of str to mapping of str to MapImage
        By the series and the map.
    to_head : ndarray, shape (4, 4)
        From RAS+ mm to mm of the head.
    """

    runs: Mapping[str, Mapping[str, MapImage]]
    truth: Mapping[str, Mapping[str, MapImage]]
    to_head: Curve


def analysed(seed: int, **head_options: Any) -> Head:
    """Run all series of one head."""
    runs, truth = {}, {}
    for name, (modality, changes) in SERIES.items():
        options = {**changes, **head_options}
        head = make_head(modality, seed=seed, execution=Execution(threads=1), **options)
        changed = {} if name in GENERATED else OTHER_METHOD
        runs[name] = maps_of(
            run_pipeline(head.series, PipelineConfig.for_modality(head.series.modality, changed), threads=1)
        )
        if name in GENERATED:
            truth[name] = true_maps(head)
    return Head(runs=runs, truth=truth, to_head=head.to_head)


def maps_of(result: PipelineResult) -> dict[str, MapImage]:
    """The maps of a run as images."""
    return {name: MapImage(values=m.values, affine=m.affine, valid=m.valid) for name, m in result.maps.items()}


def true_maps(head: HeadPhantom) -> dict[str, MapImage]:
    """A head's truth, 0 outside the brain, as other programs write maps."""
    brain = head.masks["brain"]
    return {
        name: MapImage(values=np.where(brain, head.truth[name], np.float32(0)), affine=head.series.affine)
        for name in MAPS
    }


def other_run(series: str) -> str:
    """The other modality."""
    return "DSC" if series == "CT" else "CT"


def same_references(head: Head, series: str, name: str) -> dict[str, MapImage]:
    """References of the head itself for a map of one of its series."""
    truth = head.truth[series][name]
    brain = truth.values != 0
    steps = np.array([*truth.grid.voxel_sizes[:2], np.inf])
    disc = np.linalg.norm(np.indices((21, 21, 1)).T - [10, 10, 0], axis=-1).T * steps[0] <= ERODED_MM
    smoothed = np.where(brain, ndimage.gaussian_filter(truth.values, SMOOTHED_MM / steps), 0)
    eroded = np.where(ndimage.binary_erosion(brain, disc), truth.values, 0)
    return {
        "truth": truth,
        f"truth, smoothed by {SMOOTHED_MM:g} mm": _with(truth, smoothed),
        f"truth, eroded by {ERODED_MM:g} mm": _with(truth, eroded),
        "truth, rounded": _with(truth, np.round(truth.values)),
        "run of the other modality": head.runs[other_run(series)][name],
        "run of coarse CT": head.runs["coarse CT"][name],
    }


def other_references(head: Head, other: Head, series: str, name: str) -> dict[str, MapImage]:
    """References of another head."""
    truth = other.truth[series][name]
    pose = np.linalg.inv(head.to_head) @ other.to_head
    return {
        "truth": truth,
        "truth, in this head's pose": replace(truth, affine=pose @ truth.affine),
        "run of the other modality": other.runs[other_run(series)][name],
    }


def few_slices(image: MapImage) -> MapImage:
    """The middle slices of a map, and no others."""
    held = np.flatnonzero((image.values if image.valid is None else image.valid).any(axis=(0, 1)))
    first = int(held[held.size // 2]) - FEW_SLICES // 2
    slices = slice(max(0, first), first + FEW_SLICES)
    affine = image.affine.copy()
    affine[:3, 3] += slices.start * affine[:3, 2]
    valid = None if image.valid is None else image.valid[..., slices]
    return MapImage(values=image.values[..., slices], affine=affine, valid=valid)


def _with(image: MapImage, values: np.ndarray) -> MapImage:
    return replace(image, values=values.astype(np.float32))


def judged(name: str, generated: MapImage, reference: MapImage) -> tuple[str, ...]:
    """What the comparison says of two maps' heads, and whether it had nothing but their outlines."""
    # relative: whether scales fit is another check
    options = CompareOptions(allow_mismatch=True, normalisation="relative")
    found = compare_maps(name, generated, reference, options=options)
    notes = " ".join(found.notes)
    verdict = DOUBTFUL if "is not certain" in notes else SAME
    if "do not seem to show one head" in notes:
        verdict = OTHER
    return (verdict, BY_OUTLINE) if np.isnan(found.coverage.detail) else (verdict,)


Verdicts = Counter[tuple[str, str, str]]
"""How often a kind of reference of a map got a verdict, and how often by its outline alone."""

Cell = Callable[[Mapping[str, int]], str]
"""What a cell says of the verdicts of its comparisons."""


def verdicts(head: Head, other: Head | None = None) -> Verdicts:
    """All verdicts on one head, with references of itself or of another one."""
    found: Verdicts = Counter()
    for series in GENERATED:
        for name in MAPS:
            if other is None:
                references = same_references(head, series, name)
            else:
                references = other_references(head, other, series, name)
            for kind, reference in references.items():
                generated = head.runs[series][name]
                found.update((kind, name, verdict) for verdict in judged(name, generated, reference))
                if "pose" not in kind:
                    # slices of a tilted head would leave the generated ones
                    few = f"{kind}; three slices"
                    found.update((few, name, verdict) for verdict in judged(name, generated, few_slices(reference)))
    return found


def margins(head: Head, other: Head) -> Iterator[tuple[str, ...]]:
    """A row for each margin: its width, the brain's share of the picture, and the figures."""
    generated = head.runs["CT"]
    pairs = [(name, generated[name], head.truth["CT"][name]) for name in ("cbf", "mtt", "tmax")]
    pairs.append(("cbf", generated["cbf"], other.truth["CT"]["cbf"]))
    brain = head.truth["CT"]["cbf"].values != 0
    for margin in MARGINS_MM:
        cells = []
        for name, *images in pairs:
            ours, theirs = (framed(image, brain, margin) for image in images)
            found = compare_maps(name, ours, theirs, options=CompareOptions(allow_mismatch=True))
            cells.append(f"{found.metrics['ssim_brain']:.3f} / {found.metrics['ssim_with_background']:.3f}")
        share = framed(_with(pairs[0][2], brain), brain, margin).values.mean()
        yield (f"{margin} mm", f"{100 * share:.0f}", *cells)


def framed(image: MapImage, brain: Mask, margin: float) -> MapImage:
    """A map cut out along the brain, with an empty margin in mm around each slice."""
    width = round(margin / image.grid.voxel_sizes[0])
    around = [np.flatnonzero(brain.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    within = tuple(slice(held[0], held[-1] + 1) for held in around)
    empty = ((width, width), (width, width), (0, 0))
    start = np.array([held[0] for held in around]) - (width, width, 0)
    affine = image.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ start
    inside = brain[within] if image.valid is None else image.valid[within] & brain[within]
    return MapImage(values=np.pad(image.values[within], empty), affine=affine, valid=np.pad(inside, empty))


def cost(grids: str, **head_options: Any) -> tuple[float, int, int]:
    """Seconds, peak bytes of arrays beyond the maps themselves, and bytes of one map."""
    options = {"noise": None, "n_frames": 8, "dt": 5.0, **head_options}
    truth = true_maps(make_head("ctp", seed=FRESH_HEADS[0], **options))["cbf"]
    reference = truth
    if grids != ONE_GRID:
        reference = true_maps(make_head("dsc", seed=FRESH_HEADS[0], **options))["cbf"]
    noise = np.random.default_rng(0).normal(0, 5, truth.values.shape)
    generated = _with(truth, np.where(truth.values != 0, truth.values + noise, 0))
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        _compared(generated, reference)
        seconds.append(time.perf_counter() - start)
    tracemalloc.start()
    _compared(generated, reference)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return float(np.median(seconds)), peak, generated.values.nbytes


def _compared(generated: MapImage, reference: MapImage) -> Comparison:
    return compare_maps("cbf", generated, reference)


def report(pool: Executor, seeds: Sequence[int] = FRESH_HEADS, **head_options: Any) -> Iterator[str]:
    """The tables: who is refused, what a margin does, and what a comparison costs."""
    waiting = [pool.submit(analysed, seed, **head_options) for seed in seeds]
    heads = [job.result() for job in waiting]
    same_jobs = [pool.submit(verdicts, head) for head in heads]
    other_jobs = [pool.submit(verdicts, *pair) for pair in combinations(heads, 2)]
    same = sum((job.result() for job in same_jobs), Counter())
    others = sum((job.result() for job in other_jobs), Counter())
    notes = NOTES.format(seeds=f"{seeds[0]} to {seeds[-1]}", eroded=ERODED_MM)
    yield f"## Comparison of maps\n\n{notes}"
    header = ("reference", *(QUANTITIES[name].symbol for name in MAPS), "all", "by outline")
    table = markdown_table(header, _rows(same, _refused))
    yield f"### The same head\n\n{SAME_NOTES}\n\n{table}"
    table = markdown_table(header, _rows(others, _passed))
    notes = OTHER_NOTES.format(count=len(GENERATED) * len(other_jobs))
    yield f"### Another head\n\n{notes}\n\n{table}"
    header = ("margin", "brain in the picture, %", "CBF", "MTT", "Tmax", "CBF of another head")
    notes = MARGIN_NOTES.format(seed=seeds[0], other=seeds[1])
    yield f"### Empty margin\n\n{notes}\n\n{markdown_table(header, margins(heads[0], heads[1]))}"
    yield _cost_table(**head_options)


def _rows(found: Verdicts, cell: Cell) -> Iterator[tuple[str, ...]]:
    kinds = list(dict.fromkeys(kind for kind, _, _ in found))
    for few in (False, True):
        chosen = [kind for kind in kinds if kind.endswith("three slices") == few]
        for kind in chosen:
            yield (kind, *_cells(found, [kind], cell))
        yield tuple(f"**{text}**" for text in ("three slices" if few else "all slices", *_cells(found, chosen, cell)))


def _cells(found: Verdicts, kinds: Sequence[str], cell: Cell) -> Iterator[str]:
    for names in (*((name,) for name in MAPS), MAPS):
        yield cell(
            {
                verdict: sum(found[kind, name, verdict] for kind in kinds for name in names)
                for verdict in (SAME, DOUBTFUL, OTHER)
            }
        )
    of_all = [count for (kind, _, verdict), count in found.items() if kind in kinds and verdict != BY_OUTLINE]
    outlines = sum(found[kind, name, BY_OUTLINE] for kind in kinds for name in MAPS)
    yield f"{100 * outlines / sum(of_all):.0f} %"


def _refused(counts: Mapping[str, int]) -> str:
    return f"{counts[OTHER]} ({counts[DOUBTFUL]}) of {sum(counts.values())}"


def _passed(counts: Mapping[str, int]) -> str:
    count = sum(counts.values())
    return f"{100 * (counts[SAME] + counts[DOUBTFUL]) / count:.1f} % ({100 * counts[SAME] / count:.1f} %)"


def _cost_table(**head_options: Any) -> str:
    rows = []
    for grids in (ONE_GRID, "reference of 128×128×20 voxels"):
        seconds, peak, one = cost(grids, **head_options)
        rows.append((grids, f"{seconds:.2f}", f"{peak / 1e6:.0f}", f"{peak / one:.1f}"))
    table = markdown_table(("maps", "seconds", "memory, MB", "memory, copies"), rows)
    return f"### Time and memory\n\n{COST_NOTES.format(count=len(METRICS), runs=RUNS)}\n\n{table}"

"""PET predicted from MRI against truth, on populations that nothing was tuned on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import synthesis_measured as measured
from layout import markdown_table
from synthesis_measured import DEFAULT, METHODS, SWEEPS, VARIANTS, LesionMeans, Population

from PyPeTLib.synthesis.baselines import BRAIN_TEMPLATE, TEMPLATE

SEEDS = (0, 1, 2, 3)
"""Choices of the model were made on seeds 100 to 104."""

VOLUME, BRAIN = "volume", "mask"
FIGURES = (
    ("PSNR, dB", "psnr", VOLUME, ".2f"),
    ("SSIM", "ssim", VOLUME, ".3f"),
    ("NMAE", "nmae", VOLUME, ".3f"),
    ("NMSE", "nmse", VOLUME, ".4f"),
    ("NCC in the brain", "ncc", BRAIN, ".3f"),
)
INSIDE = (
    ("PSNR in the brain", "psnr", BRAIN, ".2f"),
    ("SSIM in the brain", "ssim", BRAIN, ".3f"),
)
"""NMAE and NMSE are the same in the brain: outside it both images are 0."""

BLENDED = ("P = 1", "P = 8", "P = 64")

NOTES = """\
Made heads (`PyPeTLib.phantom.pairs`): T1, T2, FLAIR and PET of {size}³ voxels of 3 mm, {train} heads to train on and
{test} others to test, for each of the seeds {seeds}; options were chosen on other seeds (100 to 104). **The made PET is
locally a linear function of the made MRI by construction, which favours the model; these figures say nothing of real
patients.** Each head has one lesion on one side; one in four is silent in MRI and cannot appear in a prediction.
PSNR, SSIM, NMAE and NMSE are over the volume, background included, if not told otherwise; the background is 0 in both
images, so that NMAE and NMSE are the same in the brain (formulas: `PyPeTLib/compare/fidelity.py`). The template is the
mean PET of the training heads, 0 outside each one's brain; the brain template is the mean over those heads that have
brain in the voxel, a stronger baseline; the global linear model has one factor for each contrast and no patches. P is
the number of patches; {method} is the default."""

BARS_NOTE = """\
What was asked for beforehand, and whether each seed's mean over its {test} test heads keeps to it. Lesion bias:
predicted − real mean in the true lesion, in units of the PET (grey matter is 1 on average), silent lesions included;
signed means may cancel, so the mean without signs is held against the limit, too. Seams: mean step between neighbouring
voxels across the planes through the nodes of the lattice, over that 2 to 4 voxels beside them. Anatomy alone moves this
ratio by a few per cent, as the real PET shows; so it is given as it is and over that of the real PET. The last
rows read the same limits otherwise, more strictly or, for the lesions that MRI shows alone, less so."""

LESION_NOTE = """\
Means of the PET in the true lesion and in its mirror image, {method}. Sign: whether the predicted PET is lower on the
side where the real one is. In lesions that are silent in MRI a right sign is chance."""

SUMMARY_NOTE = """\
All {heads} test heads. Signs that are right, of lesions that MRI shows and of silent ones; predicted − real mean in the
lesion, mean (without signs), in units of the PET and as a share of the mean PET of the healthy brain."""

LOW_NOTE = """\
Regions that `PyPeTLib.lesions.hypometabolic` finds by the difference between both sides, in the real and in the
predicted PET ({method}) with the same options. Side: heads in which most of both regions lies on one side, of those
whose real PET has a region."""

VARIANTS_NOTE = """\
{method} with one choice changed, over all {heads} test heads. Weight: of training voxels whose real PET is low against
the other side (default 5)."""

SWEEPS_NOTE = """\
Block Gauss–Seidel against the exact solution of the same equations (Cholesky): largest difference of predictions in a
head as a share of the range of its PET after {sweeps} sweeps, the sweeps that bring it to {close:g}, and the largest
growth of the objective in any sweep as a share of its value at coefficients of 0. Worst of the seeds."""

SEAMS_NOTE = """\
Mean step between neighbouring voxels across planes of the lattice over that 2 to 4 voxels beside them; mean over the
seeds and, in brackets, their range. Without blending each voxel takes the coefficients of its nearest patch, whose
faces lie halfway between the nodes: what seams would look like. At the nodes, where hats have their edges, a prediction
could bend but not jump."""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A limit that was set beforehand.

    Attributes
    ----------
    name : str
    limit : float
        None for a figure that stands beside the others without one.
    least : bool
        Whether it is the least that will do, or the most.
    value : callable
    form : str
        Of its numbers.
    """

    name: str
    limit: float | None
    least: bool
    value: Callable[[Population], float]
    form: str

    def holds(self, population: Population) -> bool:
        """Whether a population keeps to it; always, where there is no limit."""
        if self.limit is None:
            return True
        value = self.value(population)
        return value >= self.limit if self.least else value <= self.limit


def _figure(metric: str, scope: str) -> Callable[[Population], float]:
    return lambda population: population.mean(DEFAULT, metric, scope)


def _above(baseline: str) -> Callable[[Population], float]:
    return lambda population: population.mean(DEFAULT, "psnr") - population.mean(baseline, "psnr")


def in_order(population: Population) -> float:
    """Of how many of the five figures P = 1, 8 and 64 are in this order, the last one best."""
    count = 0
    for _, metric, scope, _ in FIGURES:
        values = [population.mean(method, metric, scope) for method in BLENDED]
        steps = np.diff(values) * (-1 if metric in ("nmae", "nmse") else 1)
        count += bool((steps > 0).all())
    return float(count)


def signs(lesions: Iterable[LesionMeans]) -> int:
    """Of how many lesions the predicted asymmetry has the sign of the real one."""
    return sum(one.sign_right for one in lesions)


def biases(lesions: Iterable[LesionMeans], *, share: bool = False) -> tuple[float, float]:
    """Mean predicted − real PET in lesions, and its mean without signs; as a share of the healthy brain if asked."""
    found = np.array([one.bias / (one.healthy if share else 1) for one in lesions])
    return float(found.mean()), float(np.abs(found).mean())


def seam(population: Population, *, corrected: bool) -> float:
    """How far steps at the planes of nodes of the default model are from those beside them, as a share."""
    patches = METHODS[DEFAULT].patches
    real, made = (population.seams[patches, measured.AT_NODES, image] for image in (measured.REAL, measured.PREDICTED))
    return abs(made / (real if corrected else 1) - 1)


def _at_most(name: str, limit: float | None, value: Callable[[Population], float], form: str = ".3f") -> Bar:
    return Bar(name=name, limit=limit, least=False, value=value, form=form)


def _at_least(name: str, limit: float, value: Callable[[Population], float], form: str = ".3f") -> Bar:
    return Bar(name=name, limit=limit, least=True, value=value, form=form)


FIDELITY_BARS = (
    _at_least("PSNR, dB", 27.6, _figure("psnr", VOLUME), ".2f"),
    _at_least("SSIM", 0.940, _figure("ssim", VOLUME)),
    _at_most("NMAE", 0.155, _figure("nmae", VOLUME)),
    _at_most("NMSE", 0.031, _figure("nmse", VOLUME)),
    _at_least("NCC in the brain", 0.935, _figure("ncc", BRAIN)),
    _at_least("PSNR above the template, dB", 3.5, _above(TEMPLATE), ".2f"),
    _at_least("P = 1 < 8 < 64, of five figures", 5, in_order, ".0f"),
    _at_least("lesion signs right, of 8", 6, lambda one: signs(one.lesions()), ".0f"),
    _at_most("lesion bias, mean", 0.09, lambda one: abs(biases(one.lesions())[0])),
    _at_most("lesion bias, mean without signs", 0.09, lambda one: biases(one.lesions())[1]),
    _at_most("seams, over the real PET's, off by", 0.05, lambda one: seam(one, corrected=True)),
)
CONVERGENCE_BARS = (
    _at_most(f"P = 64 from exact after {SWEEPS} sweeps", 2e-3, lambda one: one.convergence[64].difference, ".1e"),
    _at_most(f"P = 8 from exact after {SWEEPS} sweeps", 0.04, lambda one: one.convergence[8].difference, ".1e"),
    _at_most("objective's largest rise", 1e-12, lambda one: max(c.rise for c in one.convergence.values()), ".0e"),
)
BESIDE_THEM = (
    _at_least("PSNR above the brain template, dB", 3.5, _above(BRAIN_TEMPLATE), ".2f"),
    _at_most("seams as they are, off by", 0.05, lambda one: seam(one, corrected=False)),
    _at_most("lesion bias without signs, visible ones", 0.09, lambda one: biases(one.lesions(silent=False))[1]),
    _at_most(
        "lesion bias without signs, a share of the healthy brain",
        None,
        lambda one: biases(one.lesions(), share=True)[1],
    ),
)
"""What nobody asked for, but a reader would."""


def report(pool: Executor, seeds: Sequence[int] = SEEDS, size: int = 64) -> Iterator[str]:
    """The tables."""
    jobs = [pool.submit(measured.measure, seed, size=size) for seed in seeds]
    found = [job.result() for job in jobs]
    heads = len(found) * measured.N_TEST
    notes = NOTES.format(
        size=size, train=measured.N_TRAIN, test=measured.N_TEST, seeds=", ".join(map(str, seeds)), method=DEFAULT
    )
    yield f"## Synthesis of PET from MRI\n\n{notes}"
    yield f"### What was asked for\n\n{BARS_NOTE.format(test=measured.N_TEST)}\n\n{bars_table(found)}"
    yield f"### Fidelity\n\nMeans over the test heads.\n\n{fidelity_table(found)}"
    yield f"### Lesions\n\n{SUMMARY_NOTE.format(heads=heads)}\n\n{lesion_table(found)}"
    yield f"### Lesions one by one\n\n{LESION_NOTE.format(method=DEFAULT)}\n\n{heads_table(found)}"
    yield f"### Hypometabolic regions\n\n{LOW_NOTE.format(method=DEFAULT)}\n\n{low_table(found)}"
    yield f"### Choices of the model\n\n{VARIANTS_NOTE.format(method=DEFAULT, heads=heads)}\n\n{variants_table(found)}"
    told = SWEEPS_NOTE.format(sweeps=SWEEPS, close=measured.CLOSE)
    yield f"### Gauss–Seidel\n\n{told}\n\n{sweeps_table(found)}"
    yield f"### Seams\n\n{SEAMS_NOTE}\n\n{seams_table(found)}"


def bars_table(found: Sequence[Population]) -> str:
    """Each limit, the figure of each seed, and whether all keep to it."""
    rows = []
    for bar in (*FIDELITY_BARS, *CONVERGENCE_BARS, *BESIDE_THEM):
        kept = ["–" if bar.limit is None else "yes" if bar.holds(one) else "**no**" for one in found]
        limit = "–" if bar.limit is None else f"{'≥' if bar.least else '≤'} {bar.limit:g}"
        cells = [f"{bar.value(one):{bar.form}}" for one in found]
        rows.append((bar.name, limit, *cells, "–" if bar.limit is None else " ".join(kept)))
    return markdown_table((DEFAULT, "asked", *(f"seed {one.seed}" for one in found), "kept, by seed"), rows)


def fidelity_table(found: Sequence[Population]) -> str:
    """All figures of each method, over all seeds and by seed."""
    rows = []
    for method in _methods(found):
        for label, chosen in (("all", found), *((str(one.seed), [one]) for one in found)):
            figures = [_mean(chosen, method, metric, scope, form) for _, metric, scope, form in (*FIGURES, *INSIDE)]
            rows.append((f"**{method}**" if label == "all" else method, label, *figures))
    return markdown_table(("method", "seed", *(title for title, *_ in (*FIGURES, *INSIDE))), rows)


def lesion_table(found: Sequence[Population]) -> str:
    """Signs and biases of each method."""
    rows = []
    for method in _methods(found):
        cells = []
        for silent in (False, True):
            lesions = _lesions(found, method, silent=silent)
            cells.append(f"{signs(lesions)} of {len(lesions)}")
            cells += ["{:+.3f} ({:.3f})".format(*biases(lesions, share=share)) for share in (False, True)]
        rows.append((method, *cells))
    kinds = ("signs", "bias", "bias, share")
    header = ("method", *(f"{kind}, {shown}" for shown in ("visible", "silent") for kind in kinds))
    return markdown_table(header, rows)


def heads_table(found: Sequence[Population]) -> str:
    """Each test head's lesion, real and predicted."""
    rows = []
    for population in found:
        for head in population.heads:
            lesion = head.lesions[DEFAULT]
            real, predicted = lesion.asymmetries
            rows.append(
                (
                    *(str(population.seed), head.name, head.side, "silent" if head.silent else "visible"),
                    f"{lesion.real:.2f} / {lesion.real_opposite:.2f}",
                    f"{lesion.predicted:.2f} / {lesion.predicted_opposite:.2f}",
                    *(f"{100 * real:+.0f} %", f"{100 * predicted:+.0f} %", "yes" if lesion.sign_right else "**no**"),
                    f"{lesion.bias:+.3f}",
                )
            )
    header = (
        *("seed", "head", "side", "in MRI", "real, lesion / opposite", "predicted, lesion / opposite"),
        *("real difference", "predicted difference", "sign right", "bias"),
    )
    return markdown_table(header, rows)


def low_table(found: Sequence[Population]) -> str:
    """Regions of the predicted against those of the real PET."""
    rows = []
    for shown, silent in (("visible", False), ("silent", True)):
        heads = [head.low for population in found for head in population.heads if head.silent == silent]
        real = [low for low in heads if low.real_ml > 0]
        dice = [low.dice for low in real]
        errors = [low.predicted_ml - low.real_ml for low in heads]
        rows.append(
            (
                *(shown, f"{len(real)} of {len(heads)}"),
                f"{sum(low.predicted_ml > 0 for low in real)} of {len(real)}",
                f"{sum(low.predicted_side == low.real_side for low in real)} of {len(real)}",
                f"{np.mean(dice):.2f} ({min(dice):.2f} to {max(dice):.2f})" if dice else "–",
                f"{np.mean([low.real_ml for low in heads]):.0f}",
                f"{np.mean([low.predicted_ml for low in heads]):.0f}",
                f"{np.mean(errors):+.0f} ({np.mean(np.abs(errors)):.0f})",
            )
        )
    header = (
        *("lesion in MRI", "region in the real PET", "in the predicted PET, too", "same side", "Dice (range)"),
        *("real, ml", "predicted, ml", "volume bias, ml (without sign)"),
    )
    return markdown_table(header, rows)


def variants_table(found: Sequence[Population]) -> str:
    """What other choices change."""
    rows = []
    for method in (DEFAULT, *VARIANTS):
        visible, silent = (_lesions(found, method, silent=silent) for silent in (False, True))
        figures = [_mean(found, method, metric, scope, form) for _, metric, scope, form in FIGURES]
        told = [f"{signs(lesions)} of {len(lesions)}" for lesions in (visible, silent)]
        rows.append(
            (f"{method}, default" if method == DEFAULT else method, *figures, *told, f"{biases(visible)[0]:+.3f}")
        )
    header = (*(title for title, *_ in FIGURES), "signs, visible", "signs, silent", "bias, visible")
    return markdown_table(("choice", *header), rows)


def sweeps_table(found: Sequence[Population]) -> str:
    """How fast the iteration ends where the exact solution lies."""
    rows = []
    for patches in found[0].convergence:
        all_of = [population.convergence[patches] for population in found]
        rows.append(
            (
                f"P = {patches}",
                f"{max(one.difference for one in all_of):.1e}",
                f"{max(one.sweeps for one in all_of)}",
                f"{max(one.rise for one in all_of):.0e}",
            )
        )
    header = ("model", f"difference after {SWEEPS} sweeps", f"sweeps to {measured.CLOSE:g}", "largest rise")
    return markdown_table(header, rows)


def seams_table(found: Sequence[Population]) -> str:
    """Steps at planes of the lattice over steps beside them."""
    images = (measured.REAL, measured.PREDICTED, measured.UNBLENDED)
    rows = []
    for patches, where in dict.fromkeys((patches, where) for patches, where, _ in found[0].seams):
        ratios = {image: [one.seams[patches, where, image] for one in found] for image in images}
        relative = np.divide(ratios[measured.PREDICTED], ratios[measured.REAL])
        cells = [
            f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})" for values in (*ratios.values(), relative)
        ]
        rows.append((f"P = {patches}", where, *cells))
    return markdown_table(("model", "planes", *images, "predicted over real"), rows)


def _methods(found: Sequence[Population]) -> list[str]:
    return [name for name in found[0].heads[0].figures if name not in VARIANTS]


def _lesions(found: Sequence[Population], method: str, *, silent: bool) -> list[LesionMeans]:
    return [lesion for population in found for lesion in population.lesions(method, silent=silent)]


def _mean(found: Sequence[Population], method: str, metric: str, scope: str, form: str) -> str:
    return f"{np.mean([population.mean(method, metric, scope) for population in found]):{form}}"

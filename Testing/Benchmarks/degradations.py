"""What flags make of faulty series: each fault by itself, random mixtures of faults, and heads without any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
from layout import markdown_table

from PyPeTLib import Modality
from PyPeTLib.errors import InputError
from PyPeTLib.execution import Execution
from PyPeTLib.phantom import HeadPhantom, make_head
from PyPeTLib.phantom.faults import FAULTS, described_faults, draw_faults, make_degraded
from PyPeTLib.pipeline import PipelineResult, run_pipeline
from PyPeTLib.quality import Severity, flag_table

SHAPE = (66, 66, 12)
MIXTURES = 200
CLEAN_SEEDS = range(10)
LARGEST_ERROR = 0.5
"""A map whose CBF in normal tissue is further off must not go without a flag."""

CLEAN_NOTES = """\
Heads {seeds} of full size as they come, fully automatic. Flags of severity warning or failure are false alarms."""

SINGLE_NOTES = """\
Heads of {shape} voxels with one fault each. A cell holds the warnings and failures, or what else became of the series,
and the error of CBF in normal tissue."""

MIXTURE_NOTES = """\
{count} series, half of them CT and half of them DSC, with one to three faults and their levels drawn at random (heads
of {shape} voxels). *Flagged*: with a warning or failure. *Right*: the median CBF of normal tissue lies within
{error:.0%} of the truth; where DSC has no scale, that of grey matter after scaling to normal white matter. Rows count
every mixture that holds the fault. Only errors that the pipeline raises on purpose count as refused, any other as
crashed."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one series.

    Attributes
    ----------
    refused, crashed : str
        The sentence of an `InputError`, or of any other exception; empty where there are maps.
    alarms, notes : tuple of str
        Codes of warnings and failures, and of notes.
    error : float or None
        Relative error of CBF in normal tissue; None where the maps hold no value there.
    """

    refused: str = ""
    crashed: str = ""
    alarms: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    error: float | None = None

    @property
    def right(self) -> bool:
        """Whether the maps can be used."""
        return self.error is not None and abs(self.error) <= LARGEST_ERROR

    @property
    def verdict(self) -> str:
        """The column of the table that counts it."""
        if self.refused or self.crashed:
            return "refused" if self.refused else "crashed"
        return f"{'flagged' if self.alarms else 'unflagged'}, {'right' if self.right else 'wrong'}"


VERDICTS = ("crashed", "refused", "flagged, wrong", "flagged, right", "unflagged, right", "unflagged, wrong")


def flow_error(head: HeadPhantom, result: PipelineResult) -> float | None:
    """Relative error of the median CBF in normal tissue; without a scale, of grey matter relative to white matter."""
    flow, truth, masks = result.maps["cbf"], head.truth["cbf"], head.masks
    normal = masks["tissue"] & masks["brain"] & ~masks["core"] & ~masks["penumbra"] & (truth > 0) & flow.valid
    where, scale = normal, 1.0
    if not flow.calibrated:
        where, white = normal & masks["grey"], normal & masks["white"]
        if not white.any():
            return None
        found = float(np.median(flow.values[white]))
        scale = float(np.median(truth[white])) / found if found else np.inf
    if not where.any():
        return None
    return float(scale * np.median(flow.values[where]) / np.median(truth[where]) - 1)


def outcome(modality: str, faults: Mapping[str, float], seed: int, **head_options: Any) -> Outcome:
    """Run the pipeline on one head with faults."""
    one = Execution(threads=1)
    try:
        faulty = make_degraded(modality, faults, seed=seed, execution=one, **head_options)
        result = run_pipeline(faulty.series, faulty.config, given=faulty.given, threads=1)
    except InputError as error:
        return Outcome(refused=str(error))
    except Exception as error:  # noqa: BLE001 - the table counts them: there should be none
        return Outcome(crashed=f"{type(error).__name__}: {error}")
    return judged(faulty.head, result)


def judged(head: HeadPhantom, result: PipelineResult) -> Outcome:
    """The outcome of a run."""
    notes = tuple(flag.code for flag in result.flags if flag.severity is Severity.NOTE)
    alarms = tuple(flag.code for flag in result.flags if flag.severity is not Severity.NOTE)
    return Outcome(alarms=alarms, notes=notes, error=flow_error(head, result))


def clean(modality: str, seed: int, **head_options: Any) -> Outcome:
    """Run the pipeline on one head without faults."""
    head = make_head(modality, seed=seed, execution=Execution(threads=1), **head_options)
    return judged(head, run_pipeline(head.series, threads=1))


def mixture(number: int) -> tuple[str, dict[str, float], int]:
    """Modality, faults and seed of one of the mixtures."""
    return list(Modality)[number % 2].value, draw_faults(np.random.default_rng(number)), number % 10


def report(
    pool: Executor, *, count: int = MIXTURES, seeds: Sequence[int] = CLEAN_SEEDS, **head_options: Any
) -> Iterator[str]:
    """The table of all flags, then those of clean heads, single faults and mixtures."""
    yield f"## Flags\n\n{markdown_table(('code', 'severity', 'measures', 'fine', 'because'), flag_table())}"
    yield _clean_table(pool, seeds, **head_options)
    head_options = {"shape": SHAPE, **head_options}
    yield _single_table(pool, **head_options)
    yield _mixture_table(pool, count, **head_options)


def _clean_table(pool: Executor, seeds: Sequence[int], **head_options: Any) -> str:
    jobs = {modality: [pool.submit(clean, modality, seed, **head_options) for seed in seeds] for modality in Modality}
    rows = []
    for modality, submitted in jobs.items():
        found = [job.result() for job in submitted]
        alarms = Counter(code for one in found for code in one.alarms)
        notes = Counter(code for one in found for code in one.notes)
        rows.append(
            (
                modality.upper(),
                f"{sum(bool(one.alarms) for one in found)} of {len(found)}",
                _counted(alarms),
                _counted(notes),
                f"{min(_error(one) for one in found):+.0%} to {max(_error(one) for one in found):+.0%}",
            )
        )
    header = ("modality", "heads with a false alarm", "which", "notes", "error of CBF in normal tissue")
    notes_text = CLEAN_NOTES.format(seeds=", ".join(map(str, seeds)))
    return f"### Heads without faults\n\n{notes_text}\n\n{markdown_table(header, rows)}"


def _single_table(pool: Executor, **head_options: Any) -> str:
    cases = [(name, level) for name, fault in FAULTS.items() for level in fault.levels]
    jobs = {
        (name, level, modality): pool.submit(outcome, modality.value, {name: level}, k % 4, **head_options)
        for k, (name, level) in enumerate(cases)
        for modality in Modality
    }
    rows = [
        (described_faults({name: level}), *(_told(jobs[name, level, modality].result()) for modality in Modality))
        for name, level in cases
    ]
    header = ("fault", *(modality.upper() for modality in Modality))
    return f"### Single faults\n\n{SINGLE_NOTES.format(shape=_by(head_options))}\n\n{markdown_table(header, rows)}"


def _mixture_table(pool: Executor, count: int, **head_options: Any) -> str:
    drawn = [mixture(number) for number in range(count)]
    jobs = [pool.submit(outcome, *one, **head_options) for one in drawn]
    found = [(faults, job.result()) for (_, faults, _), job in zip(drawn, jobs, strict=True)]
    rows = [
        _row(name, [one for faults, one in found if name in faults])
        for name in FAULTS
        if any(name in faults for faults, _ in found)
    ]
    rows.append(_row("**all**", [one for _, one in found]))
    notes = MIXTURE_NOTES.format(count=count, shape=_by(head_options), error=LARGEST_ERROR)
    table = markdown_table(("fault", *VERDICTS, "worst unflagged error"), rows)
    return f"### Random mixtures of faults\n\n{notes}\n\n{table}{_missed(drawn, [one for _, one in found])}"


def _row(name: str, found: Sequence[Outcome]) -> tuple[str, ...]:
    counts = Counter(one.verdict for one in found)
    unflagged = [_error(one) for one in found if one.verdict.startswith("unflagged")]
    worst = f"{max(unflagged, key=abs):+.0%}" if unflagged else "–"
    return name, *(str(counts[verdict]) for verdict in VERDICTS), worst


def _missed(drawn: Sequence[tuple[str, dict[str, float], int]], found: Sequence[Outcome]) -> str:
    """A list of the mixtures that crashed, or are wrong and have no flag."""
    lines = [
        f"- {modality.upper()}, head {seed}: {described_faults(faults)}: {_told(one)}"
        for (modality, faults, seed), one in zip(drawn, found, strict=True)
        if one.verdict in (VERDICTS[0], VERDICTS[-1])
    ]
    return "\n\nCrashed, or unflagged and wrong:\n\n" + "\n".join(lines) if lines else ""


def _told(one: Outcome) -> str:
    if one.refused or one.crashed:
        return "refused" if one.refused else one.crashed
    error = "no value" if one.error is None else f"{one.error:+.0%}"
    return f"{', '.join(dict.fromkeys(one.alarms)) or 'no flag'} ({error})"


def _counted(codes: Mapping[str, int]) -> str:
    return ", ".join(f"{code} {count}" for code, count in codes.items()) or "–"


def _error(one: Outcome) -> float:
    return np.inf if one.error is None else one.error


def _by(head_options: Mapping[str, Any]) -> str:
    return "×".join(map(str, head_options["shape"]))

"""Every deconvolution method on noise-free tiles with the true arterial input, sampled and shaped in many ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from cases import NO_VALUE, cases, has_trait, quantities_of_curves
from layout import markdown_table

from PyPeTLib.arrays import Curve
from PyPeTLib.deconvolution import DeconvolutionOptions
from PyPeTLib.phantom import RESIDUES, TilePhantom, frame_times, gamma_residue, make_tiles

TRANSITS = (3.0, 4.0, 6.0, 8.0, 12.0)
"""Mean transit times of the tiles in s."""

DELAYS = tuple(np.linspace(-2.0, 6.0, 12))
"""Delays of the tiles in s: parts of a frame too, which a shift by whole frames would not show."""

SHOWN = (4.0, 8.0)
"""Those of them for which biases are shown: healthy and slow tissue."""

SAMPLINGS: Mapping[str, Curve] = {
    **{f"{dt:g} s": frame_times((round(90 / dt), dt)) for dt in (0.5, 1.0, 2.0, 3.0)},
    "1 then 3 s": frame_times((30, 1.0), (15, 3.0)),
    "1 s to 74 s": frame_times((75, 1.0)),
}
"""Frame times in s by what the tables call them: even over 90 s, uneven over 74 s, and even over as long."""

SHAPES = {"gamma 5": 5.0, "gamma 100": 100.0}
"""Gamma residues beside the registered ones; shape 1 is the exponential one, and ``gamma`` that of shape 2."""

DISPERSIONS = (1.5, 3.0, 4.5)
BASE = "1 s"

NOTES = """\
Tiles: MTT {transits} s, {delays} delays from −2 to +6 s, no noise, true arterial input, default options of each
method. Frame interval over 90 s; "1 then 3 s" is 30 frames every second, then 15 every three (74 s)."""

BIAS_NOTES = """\
Means over the delays: bias of CBF in % / of MTT in % / Tmax − delay in s / delay found − delay in s. The residue is a
gamma of shape 1 (exponential) to 100 (nearly a box), at a frame interval of 1 s unless another one is named;
"dispersed": the bolus is convolved with an exponential of that mean on its way from the artery that is measured to
exponential tissue (its mean delay is counted as no delay)."""

STEADY_NOTES = """\
Change of CBF / CBV / MTT in % when the same tissue is sampled otherwise: 30 frames every second and then 15 every
three against 75 every second, by MTT; 0.5 and 2 s against 1 s, all MTT. Of all residues and delays, the change that is
farthest from 0."""


@dataclass(frozen=True)
class Condition:
    """How tiles are made: a registered residue or one of `SHAPES`, a sampling, and dispersion in s."""

    residue: str = "exponential"
    sampling: str = BASE
    dispersion: float = 0.0


@lru_cache(maxsize=64)
def tiles(condition: Condition) -> TilePhantom:
    """The tiles of a condition; one blood volume will do, the others are multiples of it."""
    shape = SHAPES.get(condition.residue)
    return make_tiles(
        condition.residue if shape is None else gamma_residue(shape),
        mtt=TRANSITS,
        cbv=[4.0],
        delay=DELAYS,
        times=SAMPLINGS[condition.sampling],
        dispersion=condition.dispersion,
    )


Maps = Mapping[str, Curve]
"""Quantities of tiles by name, float64 of shape (MTT, delays)."""


def recovered(condition: Condition, options: DeconvolutionOptions) -> Maps:
    """What a method finds on the tiles."""
    made = tiles(condition)
    found = quantities_of_curves(made.curves.astype(np.float32), made.aif, made.times, options)
    return {name: values.reshape(len(TRANSITS), -1).astype(np.float64) for name, values in found.items()}


def true_map(condition: Condition, name: str) -> Curve:
    """The truth in the shape of `Maps`."""
    values: Curve = getattr(tiles(condition), name).reshape(len(TRANSITS), -1)
    return values


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """One method's cells by table and column."""

    slope: Mapping[str, str]
    spread: Mapping[str, str]
    steadiness: Mapping[str, str]
    bias: Mapping[float, Mapping[str, str]]


SHAPED = {name: Condition(residue=name) for name in ("exponential", "gamma", *SHAPES, "linear", "box")}
DISTURBED = {
    "3 s": Condition(sampling="3 s"),
    "3 s, gamma 100": Condition(residue="gamma 100", sampling="3 s"),
    **{f"dispersed {mean:g} s": Condition(dispersion=mean) for mean in DISPERSIONS},
}


def recovery(options: DeconvolutionOptions) -> Recovery:
    """All that is asked of one method."""
    found = {
        (sampling, residue): recovered(Condition(residue=residue, sampling=sampling), options)
        for sampling in SAMPLINGS
        for residue in RESIDUES
    }
    others = {condition: recovered(condition, options) for condition in (*SHAPED.values(), *DISTURBED.values())}
    return Recovery(
        slope={name: _slopes([found[name, residue] for residue in RESIDUES]) for name in SAMPLINGS},
        spread={name: _spread([found[name, residue] for residue in RESIDUES]) for name in SAMPLINGS},
        steadiness=_steadiness(found),
        bias={
            transit: {
                name: _bias(others[condition], condition, TRANSITS.index(transit))
                for name, condition in (SHAPED | DISTURBED).items()
            }
            for transit in SHOWN
        },
    )


def slopes(values: Curve) -> Curve:
    """Slope of a lag against the delay, for each transit time."""
    delay = true_map(Condition(), "delay")[0]
    found: Curve = np.polyfit(delay, values.T, 1)[0]
    return found


def _slopes(residues: Sequence[Maps]) -> str:
    cells = []
    for name in ("tmax", "delay"):
        if name not in residues[0]:
            cells.append(NO_VALUE)
            continue
        each = np.concatenate([slopes(maps[name]) for maps in residues])
        cells.append(f"{each.min():.2f} to {each.max():.2f}")
    return "; ".join(cells)


def _spread(residues: Sequence[Maps]) -> str:
    flows = [maps["cbf"] for maps in residues]
    return f"{max((100 * np.ptp(flow, axis=1) / flow.mean(axis=1)).max() for flow in flows):.1f}"


def _steadiness(found: Mapping[tuple[str, str], Maps]) -> dict[str, str]:
    def cell(sampling: str, against: str, rows: slice) -> str:
        changes = []
        for name in ("cbf", "cbv", "mtt"):
            ratios = np.concatenate(
                [found[sampling, residue][name][rows] / found[against, residue][name][rows] for residue in RESIDUES]
            )
            changes.append(f"{_farthest(100 * (ratios - 1)):+z.1f}")
        return " / ".join(changes)

    uneven = {
        f"1 then 3 s, MTT {transit:g} s": cell("1 then 3 s", "1 s to 74 s", slice(k, k + 1))
        for k, transit in enumerate(TRANSITS)
    }
    return uneven | {name: cell(name, BASE, slice(None)) for name in ("0.5 s", "2 s")}


def _farthest(values: Curve) -> float:
    return float(values.flat[np.abs(values).argmax()])


def _bias(maps: Maps, condition: Condition, row: int) -> str:
    cells = [f"{100 * (maps[name][row] / true_map(condition, name)[row] - 1).mean():+z.0f}" for name in ("cbf", "mtt")]
    delay = true_map(condition, "delay")[row]
    cells += [f"{(maps[name][row] - delay).mean():+z.1f}" if name in maps else NO_VALUE for name in ("tmax", "delay")]
    return " / ".join(cells)


def report(pool: Executor) -> Iterator[str]:
    """The tables, one row a method."""
    jobs = {name: pool.submit(recovery, options) for name, options in cases().items()}
    found = {name: job.result() for name, job in jobs.items()}
    even = [name for name in SAMPLINGS if name != "1 s to 74 s"]
    insensitive = {name: has_trait(options, "delay-insensitive") for name, options in cases().items()}

    def table(columns: Sequence[str], cells: Callable[[Recovery], Mapping[str, str]]) -> str:
        return markdown_table(
            ("method", *columns), [(name, *(cells(one)[column] for column in columns)) for name, one in found.items()]
        )

    claims = ", ".join(name for name, claimed in insensitive.items() if claimed)
    notes = NOTES.format(transits=", ".join(f"{transit:g}" for transit in TRANSITS), delays=len(DELAYS))
    yield (
        f"## Tiles: delay\n\n{notes}\n\nSlope of Tmax, and of the method's own delay, against the true delay: lowest "
        f"to highest over residues and MTT (a wide box responds with a plateau, along which its maximum may wander). "
        f"Insensitive to delay, as they claim: {claims}.\n\n"
        f"{table(even, lambda one: one.slope)}"
    )
    yield (
        "Spread of CBF over the delays, (max − min)/mean in %: the largest over residues and MTT.\n\n"
        f"{table(even, lambda one: one.spread)}"
    )
    columns = list(next(iter(found.values())).steadiness)
    yield f"## Tiles: sampling\n\n{STEADY_NOTES}\n\n{table(columns, lambda one: one.steadiness)}"
    yield f"## Tiles: residue, dispersion, coarse frames\n\n{BIAS_NOTES}"
    for transit in SHOWN:
        for columns in (list(SHAPED), list(DISTURBED)):
            yield f"MTT {transit:g} s:\n\n{table(columns, partial(_bias_at, transit))}"


def _bias_at(transit: float, found: Recovery) -> Mapping[str, str]:
    return found.bias[transit]

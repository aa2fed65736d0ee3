"""Every deconvolution method on noise-free tiles with the true arterial input: its bias by residue and sampling."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from layout import markdown_table

from PyPeTLib.arrays import Curve
from PyPeTLib.deconvolution import METHODS, DeconvolutionOptions, deconvolve
from PyPeTLib.phantom import RESIDUES, TilePhantom, frame_times, make_tiles
from PyPeTLib.quantification import QuantificationOptions, quantify

SAMPLINGS = {
    **{f"{dt:g}": frame_times((round(90 / dt), dt)) for dt in (0.5, 1.0, 2.0, 3.0)},
    "1 then 3": frame_times((30, 1.0), (15, 3.0)),
}
"""Frame times in s by what the tables call them: even ones over 90 s, uneven ones over 74 s."""

SHOWN_TRANSITS = (4.0, 8.0)
"""Mean transit times in s whose bias is shown: healthy and slow tissue."""

NOTES = """\
Tiles: MTT 3 to 24 s and delays −2 to +6 s, no noise, true arterial input; of each curve the window must hold 99.5 %.
Frame interval in s; "1 then 3" is 30 frames every second, then 15 every three."""


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """What a method makes of the tiles of one residue and one sampling.

    ``cbf_bias`` and ``mtt_bias`` in % at `SHOWN_TRANSITS`, means over the delays; ``spread`` is the largest
    (max − min)/mean of CBF over the delays of one transit time in %; ``offset`` and ``slope`` are those of Tmax against
    the delay, medians over transit times: offset in s is the mean of Tmax − delay.
    """

    cbf_bias: tuple[float, ...]
    mtt_bias: tuple[float, ...]
    spread: float
    offset: float | None
    slope: float | None


def recovery(tiles: TilePhantom, method: str) -> Recovery:
    """Deconvolve the tiles with a method and compare with their truth."""
    curves = tiles.curves.astype(np.float32)
    estimate = deconvolve(curves, tiles.aif, tiles.times, DeconvolutionOptions(method=method))
    found = quantify(curves, tiles.aif, tiles.times, estimate, QuantificationOptions()).values
    shape = (tiles.shape[0], tiles.shape[2])
    whole = (tiles.covered.reshape(shape) >= 0.995).all(axis=1)
    transits, delay = tiles.mtt.reshape(shape)[:, 0], tiles.delay.reshape(shape)[0]
    flow = found["cbf"].reshape(shape).astype(np.float64)
    shown = [int(np.flatnonzero(transits == transit)[0]) for transit in SHOWN_TRANSITS]

    def bias(name: str, truth: Curve) -> tuple[float, ...]:
        ratio = (found[name] / truth).reshape(shape).mean(axis=1)
        return tuple(100 * (float(ratio[i]) - 1) if whole[i] else np.nan for i in shown)

    offset = slope = None
    if "tmax" in found:
        lags = found["tmax"].reshape(shape)[whole].astype(np.float64)
        slope = float(np.median(np.polyfit(delay, lags.T, 1)[0]))
        offset = float(np.median((lags - delay).mean(axis=1)))
    return Recovery(
        cbf_bias=bias("cbf", tiles.cbf),
        mtt_bias=bias("mtt", tiles.mtt),
        spread=100 * float((np.ptp(flow, axis=1) / flow.mean(axis=1))[whole].max()),
        offset=offset,
        slope=slope,
    )


def report() -> Iterator[str]:
    """Three tables: flow, Tmax and transit time."""
    found: dict[tuple[str, str, str], Recovery] = {}
    for residue in RESIDUES:
        for sampling, times in SAMPLINGS.items():
            # one blood volume will do: the others are multiples of it
            tiles = make_tiles(residue, cbv=[4.0], times=times)
            for method in METHODS:
                found[method, sampling, residue] = recovery(tiles, method)
    at = " / ".join(f"{transit:g}" for transit in SHOWN_TRANSITS)
    flow = _table(found, lambda one: f"{_pair(one.cbf_bias)} ({one.spread:.1f})")
    lag = _table(found, lambda one: "–" if one.offset is None else f"{one.offset:+.2f} ({one.slope:.2f})")
    transit = _table(found, lambda one: _pair(one.mtt_bias))
    yield f"## Tiles: bias of CBF in %, MTT {at} s (largest spread over the delays in %)\n\n{NOTES}\n\n{flow}"
    yield f"## Tiles: Tmax − delay in s (slope of Tmax against the delay)\n\n{lag}"
    yield f"## Tiles: bias of MTT in %, MTT {at} s\n\n{transit}"


def _table(found: Mapping[tuple[str, str, str], Recovery], cell: Callable[[Recovery], str]) -> str:
    rows = [
        (method, sampling, *(cell(found[method, sampling, residue]) for residue in RESIDUES))
        for method in METHODS
        for sampling in SAMPLINGS
    ]
    return markdown_table(("method", "interval", *RESIDUES), rows)


def _pair(values: tuple[float, ...]) -> str:
    return " / ".join(f"{value:+.0f}" for value in values)

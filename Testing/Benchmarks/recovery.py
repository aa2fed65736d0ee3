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

TRANSITS = (4.0, 8.0)
"""Mean transit times of the tiles in s: healthy and slow tissue."""

NOTES = """\
Tiles: delays −2 to +6 s, no noise, true arterial input, default options of each method; means over the delays. Frame
interval in s; "1 then 3" is 30 frames every second, then 15 every three."""


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """What a method makes of the tiles of one residue and one sampling; one value for each of `TRANSITS`.

    ``cbf_bias`` and ``mtt_bias`` in %, the latter NaN where the window cuts off more than 0.5 % of a curve; ``spread``
    is (max − min)/mean of CBF over the delays in %; ``offset`` in s is the mean of Tmax − delay, ``slope`` that of Tmax
    against the delay; None for methods without Tmax.
    """

    cbf_bias: Curve
    mtt_bias: Curve
    spread: Curve
    offset: Curve | None
    slope: Curve | None


def recovery(tiles: TilePhantom, method: str) -> Recovery:
    """Deconvolve the tiles with a method and compare with their truth."""
    curves = tiles.curves.astype(np.float32)
    estimate = deconvolve(curves, tiles.aif, tiles.times, DeconvolutionOptions(method=method))
    found = quantify(curves, tiles.aif, tiles.times, estimate, QuantificationOptions()).values
    shape = (tiles.shape[0], tiles.shape[2])
    maps = {name: values.reshape(shape).astype(np.float64) for name, values in found.items()}
    whole = (tiles.covered.reshape(shape) >= 0.995).all(axis=1)
    delay = tiles.delay.reshape(shape)[0]
    flow, transit = maps["cbf"] / tiles.cbf.reshape(shape), maps["mtt"] / tiles.mtt.reshape(shape)
    lags = maps.get("tmax")
    return Recovery(
        cbf_bias=100 * (flow.mean(axis=1) - 1),
        mtt_bias=np.where(whole, 100 * (transit.mean(axis=1) - 1), np.nan),
        spread=100 * np.ptp(flow, axis=1) / flow.mean(axis=1),
        offset=None if lags is None else (lags - delay).mean(axis=1),
        slope=None if lags is None else np.polyfit(delay, lags.T, 1)[0],
    )


def report() -> Iterator[str]:
    """Three tables: flow, Tmax and transit time."""
    found: dict[tuple[str, str, str], Recovery] = {}
    for residue in RESIDUES:
        for sampling, times in SAMPLINGS.items():
            # one blood volume will do: the others are multiples of it
            tiles = make_tiles(residue, mtt=TRANSITS, cbv=[4.0], times=times)
            for method in METHODS:
                found[method, sampling, residue] = recovery(tiles, method)
    at = " / ".join(f"{transit:g}" for transit in TRANSITS)
    flow = _table(found, lambda one: f"{_each(one.cbf_bias, '+z.0f')} ({one.spread.max():.1f})")
    timed = {key: one for key, one in found.items() if one.offset is not None}
    lag = _table(timed, lambda one: f"{_each(one.offset, '+z.2f')} ({_each(one.slope, '.2f')})")
    transit = _table(found, lambda one: _each(one.mtt_bias, "+z.0f"))
    yield f"## Tiles: bias of CBF in %, MTT {at} s (largest spread over the delays in %)\n\n{NOTES}\n\n{flow}"
    yield f"## Tiles: Tmax − delay in s, MTT {at} s (slope of Tmax against the delay)\n\n{lag}"
    cut = "A dash: the window cuts off more than 0.5 % of a curve."
    yield f"## Tiles: bias of MTT in %, MTT {at} s\n\n{cut}\n\n{transit}"


def _table(found: Mapping[tuple[str, str, str], Recovery], cell: Callable[[Recovery], str]) -> str:
    rows = [
        (method, sampling, *(cell(found[method, sampling, residue]) for residue in RESIDUES))
        for method in METHODS
        for sampling in SAMPLINGS
        if (method, sampling, next(iter(RESIDUES))) in found
    ]
    return markdown_table(("method", "interval", *RESIDUES), rows)


def _each(values: Curve, form: str) -> str:
    return " / ".join("–" if np.isnan(value) else format(value, form) for value in values)

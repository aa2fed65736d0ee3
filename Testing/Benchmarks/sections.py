"""Sections of a tile phantom, smoothed in their plane, and what a method makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass

import numpy as np
from cases import QUANTITIES, cases, error_cell, has_trait, mean_errors, quantities
from layout import markdown_table
from scipy import ndimage

from PyPeTLib.arrays import Curve, Volume
from PyPeTLib.deconvolution import DeconvolutionOptions
from PyPeTLib.phantom import TileVolume
from PyPeTLib.phantom.tile_volumes import AIR_HU, BASELINE_HU


@dataclass(frozen=True)
class Smoothing:
    """Standard deviation in voxels of a Gaussian in the plane; and whether the truth gives the baseline."""

    sigma: float
    baseline_known: bool = False

    def __str__(self) -> str:
        return f"σ = {self.sigma:g}" + (", baseline known" if self.baseline_known else "")


SMOOTHINGS = (*(Smoothing(sigma) for sigma in (0.0, 1.0, 2.0, 3.0)), Smoothing(2.0, baseline_known=True))
PUBLISHED_AT = Smoothing(2.0)
"""What published figures are for."""

LATTICE = 2
"""Methods without spatial prior see every so many voxels in each direction: smoothed neighbours are alike."""

REACH = 4.0
"""Standard deviations after which `scipy.ndimage` cuts a Gaussian off."""

Errors = Mapping[str, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class Sections:
    """Tissue curves of sections with their truth.

    ``curves`` is float32 of shape (sections, x, y, t); ``truth`` has volumes of shape (sections, x, y).
    """

    curves: Volume
    truth: Mapping[str, Volume]
    aif: Curve
    times: Curve


def smoothed_sections(phantom: TileVolume, chosen: Sequence[int], smoothing: Smoothing) -> Sections:
    """Concentration of a phantom's tissue: smoothed frame by frame, less the mean of the frames before any bolus."""
    series, truth = phantom.series, phantom.truth
    tissue = phantom.labels[:, :, chosen[0]] >= 0
    places = np.argwhere(tissue)
    first, last = places.min(axis=0), places.max(axis=0) + 1
    where = (slice(first[0], last[0]), slice(first[1], last[1]))
    # what the Gaussian can see, and no more of the air
    reach = int(np.ceil(REACH * smoothing.sigma))
    low, high = np.maximum(first - reach, 0), np.minimum(last + reach, series.grid.shape[:2])
    seen = (slice(low[0], high[0]), slice(low[1], high[1]))
    inner = tuple(slice(a - c, b - c) for a, b, c in zip(first, last, low, strict=True))

    def smoothed(frames: Volume) -> Volume:
        found: Volume = frames
        if smoothing.sigma:
            found = ndimage.gaussian_filter(
                frames, (smoothing.sigma, smoothing.sigma, 0), mode="nearest", truncate=REACH
            )
        return found[inner]

    before = series.frame_times <= phantom.bolus.arrival + min(0.0, float(truth["delay"].min()))
    flat = smoothed(np.where(tissue, BASELINE_HU, AIR_HU).astype(np.float32)[seen][..., np.newaxis])
    curves = np.empty((len(chosen), *(last - first), series.n_frames), np.float32)
    for k, z in enumerate(chosen):
        curves[k] = smoothed(series.array()[..., z, :][seen])
        curves[k] -= flat if smoothing.baseline_known else curves[k][..., before].mean(axis=-1, keepdims=True)
    return Sections(
        curves=curves,
        truth={name: np.moveaxis(truth[name][where][:, :, list(chosen)], 2, 0) for name in QUANTITIES},
        aif=phantom.aif,
        times=series.frame_times,
    )


def measured_errors(sections: Sections, options: DeconvolutionOptions) -> Errors:
    """Mean absolute errors of a method, which sees each section alone, as one slice; the mean over the sections."""
    step = 1 if has_trait(options, "spatial") else LATTICE
    thin = (slice(None, None, step), slice(None, None, step))
    errors: list[Errors] = []
    for k, section in enumerate(sections.curves):
        seen = np.ascontiguousarray(section[thin])
        mask = np.ones((*seen.shape[:2], 1), bool)
        flat = seen.reshape(-1, seen.shape[-1])
        found = quantities(flat, sections.aif, sections.times, options, mask=mask).values
        errors.append(mean_errors(found, {name: values[k][thin].ravel() for name, values in sections.truth.items()}))
    return {name: float(np.mean([one[name] for one in errors])) for name in errors[0]}


def submitted(pool: Executor, sections: Sections) -> dict[str, Future[Errors]]:
    """Jobs that measure all methods."""
    return {name: pool.submit(measured_errors, sections, options) for name, options in cases().items()}


def table_by_smoothing(
    errors: Mapping[Smoothing, Mapping[str, Future[Errors]]], published: Mapping[str, str] | None = None
) -> str:
    """A row for each method and a column for each smoothing; below them what others have published."""
    rows = [(name, *(error_cell(errors[one][name].result()) for one in errors)) for name in cases()]
    for name, cell in (published or {}).items():
        rows.append((name, *(cell if one == PUBLISHED_AT else "" for one in errors)))
    return markdown_table(("method", *map(str, errors)), rows)

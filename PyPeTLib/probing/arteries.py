"""The arteries of a run, each ready to deconvolve a curve as the run did."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from PyPeTLib.aif import ArterialInputFunction
from PyPeTLib.arrays import Curve, Mask
from PyPeTLib.deconvolution import Deconvolution, Estimate, ImpulseResponse, Solver, Supply, modelled_response
from PyPeTLib.deconvolution.methods import ResponseSolver
from PyPeTLib.deconvolution.modelled import modelled_lags, response_of
from PyPeTLib.maps import ParameterMap, PerfusionMaps
from PyPeTLib.pipeline import PipelineResult
from PyPeTLib.probing.reading import Voxel
from PyPeTLib.quantification import PER_100_GRAMS, SECONDS_PER_MINUTE


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Time in s by which a slice was sampled later than its frame (lateness), and than the artery (offset)."""

    lateness: float = 0.0
    offset: float = 0.0


class Artery:
    """An artery with the method that deconvolves by it; solvers are prepared when they are first needed and kept.

    Attributes
    ----------
    curve : ndarray of float64, shape (t,)
        As it is deconvolved with.
    """

    def __init__(self, method: Deconvolution, samplings: dict[int, Sampling]) -> None:
        self._method, self._samplings = method, samplings
        self._solvers: dict[float, Solver] = {}
        self.curve: Curve = method.aif

    @classmethod
    def of(cls, result: PipelineResult, artery: ArterialInputFunction, side: Mask | None = None) -> Artery:
        """An artery of a run that supplies all analysed voxels, or those of a side, shape (x, y, z)."""
        config, content, mask = result.config, result.concentration, result.analysed
        if side is not None:
            content = replace(content, curves=content.curves[side[mask]])
            mask = mask & side
        supply = Supply.of(
            artery,
            content,
            mask,
            result.working,
            aif=config.aif,
            contrast=config.contrast,
            deconvolution=config.deconvolution,
        )
        method = Deconvolution.of(content.curves, supply.aif, supply.times, supply.options)
        return cls(method, _samplings(supply, mask))

    def sampling(self, z: int) -> Sampling:
        """When a slice was sampled."""
        return self._samplings.get(z, Sampling())

    def nearest_sampling(self, slices: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> Sampling:
        """That of the slice that was sampled closest to the mean of many voxels, whose slices are given."""
        each = [self.sampling(int(z)) for z in np.unique(slices)]
        counts = np.array([np.count_nonzero(slices == z) for z in np.unique(slices)])
        late = np.array([one.lateness for one in each])
        return each[int(np.abs(late - np.average(late, weights=counts)).argmin())]

    def response(self, curve: Curve, sampling: Sampling) -> ImpulseResponse | None:
        """What the method finds in one curve; None where it finds none."""
        return response_of(self._solver(sampling), self._method.problem(sampling.offset), curve)

    @property
    def lags(self) -> Curve | None:
        """Lags of all its responses in s; None for a method that makes none."""
        if "impulse-response" in self._method.traits:
            some = next(iter(self._samplings.values()), Sampling())
            return cast("ResponseSolver", self._solver(some)).lags
        return modelled_lags(self._method.problem()) if "transit-times" in self._method.traits else None

    def _solver(self, sampling: Sampling) -> Solver:
        if sampling.offset not in self._solvers:
            self._solvers[sampling.offset] = self._method.solver(sampling.offset)
        return self._solvers[sampling.offset]

    def modelled(self, estimate: Estimate, sampling: Sampling) -> ImpulseResponse | None:
        """The response that an estimate of transit times describes; None where there is no flow."""
        return modelled_response(self._method.problem(sampling.offset), estimate)


def _samplings(supply: Supply, mask: Mask) -> dict[int, Sampling]:
    if supply.lateness is None or supply.offsets is None:
        return {}
    slices, first = np.unique(np.nonzero(mask)[2], return_index=True)
    return {
        int(z): Sampling(lateness=float(supply.lateness[i]), offset=float(supply.offsets[i]))
        for z, i in zip(slices, first, strict=True)
    }


def estimate_in_maps(result: PipelineResult, voxel: Voxel) -> Estimate | None:
    """What a method that models transit times found in one voxel, as the maps tell it.

    None where they do not tell all: they are interpolated, their volume is not that of the method, or they hold no
    value there.
    """
    maps = result.maps
    told = result.config.quantification.volume == "method" and result.working.grid.shape == result.series.grid.shape
    if not told or not all(maps[name].valid[voxel] for name in ("cbf", "cbv", "mtt", "tmax")):
        return None
    flow = _unscaled(maps["cbf"], voxel) / (
        result.config.quantification.tissue_factor * SECONDS_PER_MINUTE * PER_100_GRAMS
    )
    transit = float(maps["mtt"].values[voxel])
    delay, shape = _value(maps, "delay", voxel), _value(maps, "shape", voxel)
    if delay is None:
        if shape is not None:
            return None
        # a box is held to peak at its middle
        delay = float(maps["tmax"].values[voxel]) - 0.5 * transit
    return Estimate(
        peak=np.array([flow], np.float32),
        volume=np.array([flow * transit], np.float32),
        delay=np.array([delay], np.float32),
        shape=None if shape is None else np.array([shape], np.float32),
    )


def _unscaled(shown: ParameterMap, voxel: Voxel) -> float:
    """A map's value before it was scaled to white matter."""
    return float(shown.values[voxel]) / float(shown.provenance.get("white_matter_scale", 1.0))


def _value(maps: PerfusionMaps, name: str, voxel: Voxel) -> float | None:
    return float(maps[name].values[voxel]) if name in maps and maps[name].valid[voxel] else None

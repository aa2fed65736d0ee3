"""A run that can be asked what it knows of a place or a region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from PyPeTLib.arrays import Curve, Mask
from PyPeTLib.contrast import contrast_sign
from PyPeTLib.course import Intermediates
from PyPeTLib.deconvolution import METHODS, ImpulseResponse
from PyPeTLib.deconvolution.modelled import makes_response
from PyPeTLib.errors import InputError
from PyPeTLib.masking import TissueClass
from PyPeTLib.pipeline import PipelineResult
from PyPeTLib.probing.arteries import Artery, Sampling, estimate_in_maps
from PyPeTLib.probing.curves import Rows, mean_signals, signals_at, voxel_at
from PyPeTLib.probing.reading import Curves, Deconvolved, MapValue, Reading, RegionReading, RegionValue, Voxel
from PyPeTLib.stages import mask_between

OUTSIDE = "This place lies outside the series."
OUTSIDE_BRAIN = "Outside the brain mask: there is only the signal."
LOST = "Left out of the analysis: motion moved this voxel out of the field of view, or spoilt its curve."
FOR_VESSELS = "No maps here: motion disturbed this curve, so it was looked at for arteries only."
NO_BOLUS = "No bolus was found, so nothing was deconvolved."
NO_ARTERY = "There is no arterial input function, so nothing was deconvolved."
NO_FLOW = "No flow was found here: the impulse response does not rise above 0."
COARSER = "The series was analysed on a coarser grid: the curves are those of one of its voxels, the maps interpolate."
BORROWED = "The {side} side has no artery of its own: the other side's was taken."
BOTH_SIDES = "The region lies on both sides; its mean curve was deconvolved with the artery of the {side} one."
ALONE = "The curve was deconvolved by itself; {method} compares each voxel with its neighbours."
NOT_ALL = "Maps were made of {some} of the region's {all} voxels."
NO_RESPONSE = "{method} gives no impulse response."


@dataclass(frozen=True, eq=False)
class Probe:
    """Reads what a run knows of any place; see `of`.

    Attributes
    ----------
    result : PipelineResult
        Of a run with a memory.
    """

    result: PipelineResult
    _kept: Intermediates
    _arteries: dict[str, Artery]
    _early: Rows
    _late: Rows

    @classmethod
    def of(cls, result: PipelineResult) -> Self:
        """A probe of a run.

        Raises
        ------
        InputError
            If the run did not keep its curves.
        """
        if result.intermediate is None:
            raise InputError("the curves of this run were not kept. Run again, and keep the stages in memory.")
        arteries = {}
        if result.bolus.found and result.analysed.any():
            if result.hemispheres is not None:
                both = result.hemispheres
                for side, artery, where in (
                    ("left", both.left, ~both.is_right),
                    ("right", both.right, both.is_right),
                ):
                    if (where & result.analysed).any():
                        arteries[side] = Artery.of(result, artery, where)
            elif result.aif is not None:
                arteries[""] = Artery.of(result, result.aif)
        kept = result.intermediate
        return cls(result, kept, arteries, Rows(kept.curves.analysed), Rows(result.analysed))

    @property
    def unit(self) -> str:
        """Unit of the concentrations."""
        return "HU" if contrast_sign(self.result.series.modality) > 0 else "1/s"

    @property
    def lags(self) -> Curve | None:
        """Lags of all impulse responses of the run in s; None where there are none."""
        return next((artery.lags for artery in self._arteries.values()), None)

    def at(self, place: tuple[float, float, float]) -> Reading:
        """What is known of the voxel at a place in RAS+ mm; never raises: ``notes`` say what there is not."""
        result = self.result
        voxel, working = voxel_at(place, result.series.grid), voxel_at(place, result.working.grid)
        if voxel is None or working is None:
            curves = self._curves(result.series.frame_times, ())
            return Reading(place=place, curves=curves, notes=(OUTSIDE,))
        early, late = self._early.of(working), self._late.of(working)
        artery, notes = self._artery_at(working)
        sampling = artery.sampling(working[2]) if artery is not None else Sampling()
        if early is None:
            curves = self._curves(result.series.frame_times, signals_at(voxel, result.series))
        else:
            signals = tuple(_wide(echo[early]) for echo in self._kept.curves.echoes)
            curves = self._curves(
                result.working.frame_times,
                signals,
                measured=_wide(self._kept.unsmoothed.curves[early]),
                smoothed=None if late is None else _wide(result.concentration.curves[late]),
                artery=None if late is None else artery,
                lateness=sampling.lateness,
            )
        in_brain = bool(result.brain.mask[working])
        deconvolved = None
        if late is not None:
            deconvolved, more = self._deconvolved(curves, artery, sampling, voxel)
            notes = (*notes, *more)
        else:
            notes = (FOR_VESSELS if early is not None else LOST if in_brain else OUTSIDE_BRAIN,)
        if result.working.grid.shape != result.series.grid.shape:
            notes = (*notes, COARSER)
        return Reading(
            place=place,
            voxel=voxel,
            working_voxel=working,
            in_brain=in_brain,
            analysed=late is not None,
            tissue=TissueClass(int(result.tissue.labels[working])),
            side=self._side_of(working),
            curves=curves,
            deconvolved=deconvolved,
            values={name: MapValue.of(shown, voxel) for name, shown in result.maps.items()},
            notes=notes,
        )

    def region(self, mask: Mask) -> RegionReading:
        """What is known of the voxels of a mask on the grid of the input series, shape (x, y, z).

        The mean curve is deconvolved with what the run knew of the noise of single voxels, so it is smoothed as much as
        theirs.

        Raises
        ------
        InputError
            If the mask has another shape, or marks no voxel.
        """
        result = self.result
        if mask.shape != result.series.grid.shape:
            raise InputError(f"the region has shape {mask.shape}, the series {result.series.grid.shape}")
        n_voxels = int(np.count_nonzero(mask))
        if n_voxels == 0:
            raise InputError("the region is empty: it marks no voxel. Draw it, or choose another one.")
        working = mask_between(mask, result.series, result.working)
        early, late = self._early.within(working), self._late.within(working)
        of_maps = int(np.count_nonzero(working))
        side, notes = self._side_of_region(working & result.analysed)
        artery = self._arteries.get(side)
        sampling = Sampling()
        if artery is not None and late.size:
            sampling = artery.nearest_sampling(np.nonzero(working & result.analysed)[2])
        if early.size:
            curves = self._curves(
                result.working.frame_times,
                tuple(_mean(echo[early]) for echo in self._kept.curves.echoes),
                measured=_mean(self._kept.unsmoothed.curves[early]),
                smoothed=_mean(result.concentration.curves[late]) if late.size else None,
                artery=artery if late.size else None,
                lateness=sampling.lateness,
            )
        else:
            curves = self._curves(result.series.frame_times, mean_signals(mask, result.series))
        deconvolved = None
        if late.size:
            deconvolved, more = self._deconvolved(curves, artery, sampling, None)
            notes = (*notes, *more)
        if late.size < of_maps:
            notes = (*notes, NOT_ALL.format(some=late.size, all=of_maps))
        return RegionReading(
            n_voxels=n_voxels,
            volume=n_voxels * result.series.grid.voxel_volume / 1000,
            n_analysed=int(late.size),
            curves=curves,
            deconvolved=deconvolved,
            values={name: RegionValue.of(shown, mask) for name, shown in result.maps.items()},
            notes=notes,
        )

    def _curves(
        self,
        signal_times: Curve,
        signals: tuple[Curve, ...],
        *,
        measured: Curve | None = None,
        smoothed: Curve | None = None,
        artery: Artery | None = None,
        lateness: float = 0.0,
    ) -> Curves:
        return Curves(
            signal_times=signal_times,
            signals=signals,
            times=self.result.working.frame_times,
            measured=measured,
            smoothed=smoothed,
            aif=None if artery is None else artery.curve,
            unit=self.unit,
            lateness=lateness,
        )

    def _deconvolved(
        self, curves: Curves, artery: Artery | None, sampling: Sampling, voxel: Voxel | None
    ) -> tuple[Deconvolved | None, tuple[str, ...]]:
        """What the method makes of the curve of a voxel, or of a mean curve; and what is to be said of it."""
        method = self.result.config.deconvolution.method
        if artery is None or curves.smoothed is None:
            return None, (NO_ARTERY if self.result.bolus.found else NO_BOLUS,)
        if not makes_response(method):
            return None, (NO_RESPONSE.format(method=method),)
        notes: tuple[str, ...] = ()
        response: ImpulseResponse | None = None
        estimate = None
        if voxel is not None and "transit-times" in METHODS.entry(method).traits:
            estimate = estimate_in_maps(self.result, voxel)
        if estimate is not None:
            response = artery.modelled(estimate, sampling)
        elif voxel is None or self._shows_flow(voxel):
            response = artery.response(curves.smoothed, sampling)
            notes = (ALONE.format(method=method),) if "spatial" in METHODS.entry(method).traits else ()
        if response is None:
            return None, (NO_FLOW,)
        return Deconvolved.of(response, curves.smoothed), notes

    def _shows_flow(self, voxel: Voxel) -> bool:
        """Whether the maps have a flow at a voxel, which interpolation may carry a little further than the curves."""
        return bool(self.result.maps["cbf"].valid[voxel])

    def _side_of(self, working: Voxel) -> str:
        if self.result.hemispheres is not None:
            return "right" if self.result.hemispheres.is_right[working] else "left"
        plane, grid = self.result.mirror.plane, self.result.working.grid
        x, y, z, _ = grid.affine @ [*working, 1.0]
        return "right" if float(plane.normal @ [x, y, z]) > plane.offset else "left"

    def _artery_at(self, working: Voxel) -> tuple[Artery | None, tuple[str, ...]]:
        both = self.result.hemispheres
        if both is None:
            return self._arteries.get(""), ()
        side = self._side_of(working)
        return self._arteries.get(side), (BORROWED.format(side=side),) if both.borrowed == side else ()

    def _side_of_region(self, region: Mask) -> tuple[str, tuple[str, ...]]:
        """The name of the artery that supplies most of a region, shape (x, y, z), and what is to be said of it."""
        both = self.result.hemispheres
        if both is None:
            return "", ()
        right = int(np.count_nonzero(region & both.is_right))
        left = int(np.count_nonzero(region)) - right
        side = "right" if right > left else "left"
        notes = (BORROWED.format(side=side),) if both.borrowed == side else ()
        return side, (*notes, BOTH_SIDES.format(side=side)) if right and left else notes


def _wide(curve: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Curve:
    return np.asarray(curve, np.float64)


def _mean(curves: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Curve:
    return np.asarray(curves.mean(axis=0, dtype=np.float64), np.float64)

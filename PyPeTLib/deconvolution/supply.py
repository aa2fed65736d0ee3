"""What a run's options make of an artery and the tissue that it supplies, before any method sees them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from PyPeTLib.aif import AIFOptions, ArterialInputFunction
from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.contrast import ARTERIAL_RELAXIVITIES, Concentration, ContrastOptions
from PyPeTLib.deconvolution.methods import DeconvolutionOptions
from PyPeTLib.preprocess.slice_times import slice_offsets
from PyPeTLib.series import PerfusionSeries


@dataclass(frozen=True, kw_only=True, eq=False)
class Supply:
    """An artery's curve and the sampling of the tissue that it supplies.

    Attributes
    ----------
    aif : ndarray of float64, shape (t,)
        Measured or fitted, scaled, and as tissue would show its contrast.
    times : ndarray of float64, shape (t,)
        Frame times in s.
    options : DeconvolutionOptions
        With the noise before temporal components were dropped, where the user gave none.
    lateness : ndarray of float32, shape (voxels,), or None
        Time in s by which each voxel was sampled later than ``times``; None without slice times.
    offsets : ndarray of float32, shape (voxels,), or None
        The same from the time at which the artery was sampled.
    """

    aif: Curve
    times: Curve
    options: DeconvolutionOptions
    lateness: Volume | None
    offsets: Volume | None

    @classmethod
    def of(
        cls,
        artery: ArterialInputFunction,
        content: Concentration,
        mask: Mask,
        working: PerfusionSeries,
        *,
        aif: AIFOptions,
        contrast: ContrastOptions,
        deconvolution: DeconvolutionOptions,
    ) -> Supply:
        """That of the voxels of a mask, whose concentration is ``content``."""
        times = working.frame_times
        relaxivity = ARTERIAL_RELAXIVITIES[contrast.arterial_relaxivity]
        lateness = offsets = slice_offsets(working, mask)
        if lateness is not None and artery.mask is not None:
            # the artery's own slices were sampled later than the frame's time, too
            of_artery = slice_offsets(working, artery.mask)
            offsets = lateness - np.float32(0 if of_artery is None else of_artery.mean())
        return cls(
            aif=relaxivity(artery.curve(times, aif.curve), contrast.tissue_relaxivity),
            times=times,
            options=deconvolution if deconvolution.noise else replace(deconvolution, noise=content.noise),
            lateness=lateness,
            offsets=offsets,
        )

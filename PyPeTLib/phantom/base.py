"""What every phantom volume carries: a series as a scanner would deliver it, and the truth behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.phantom.bolus import Bolus
from PyPeTLib.series import PerfusionSeries


@dataclass(frozen=True, kw_only=True, eq=False)
class Phantom:
    """A perfusion series with its truth, all on the grid of ``series.data``.

    Attributes
    ----------
    series : PerfusionSeries
        With noise, motion and rounding as asked for.
    truth : mapping of float32 volumes
        ``cbf`` [ml/100g/min], ``cbv`` [ml/100g], ``mtt``, ``delay``, ``tmax`` and ``ttp`` [s] of the tissue in a voxel,
        without the vessels that cross it; 0 where nothing is perfused. Every residue is greatest at its start, so
        ``tmax`` is the delay; ``ttp`` is the time of the tissue curve's peak on the clock of ``frame_times``.
    masks : mapping of bool volumes
    fractions : mapping of float32 volumes
        Shares of a voxel between 0 and 1.
    bolus : Bolus
        The continuous arterial input and venous output.
    residue : str
        The tissue's residue function, for the record.
    aif, vof : ndarray of float64, shape (t,)
        Undiluted arterial input and venous output at the frame times: HU for CT, 1/s for MR.
    motion : ndarray of float64, shape (t, 4, 4) or None
        World (RAS+) transforms in mm from each frame to the truth's position: the head's point that a frame shows at
        ``x`` lies at ``motion[k] @ x`` in the truth. None without motion.
    """

    series: PerfusionSeries
    truth: Mapping[str, Volume]
    masks: Mapping[str, Mask]
    fractions: Mapping[str, Volume] = field(default_factory=dict)
    bolus: Bolus
    residue: str
    aif: Curve
    vof: Curve
    motion: Curve | None = None

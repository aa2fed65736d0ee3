"""What the voxels of the brain hold: tissue, CSF, large vessels, and what is neither.

CSF is told by its own signal, not by missing contrast, which an infarct lacks too. The signal is averaged over all
frames: that has the least noise, and contrast takes tissue farther away from CSF. It is compared with the tissue around
it, so that neither shading nor an oedema, which is dark as a whole, is taken for CSF, while a sulcus, dark against its
own banks, is. Vessels are told by the height of their curve, which dilution by half leaves far above that of tissue.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from PyPeTLib.arrays import LabelVolume, Mask, Volume
from PyPeTLib.execution import Execution, voxel_slices
from PyPeTLib.geometry import Grid
from PyPeTLib.masking.grey_white import is_grey
from PyPeTLib.masking.local import local_mean
from PyPeTLib.options import Options, option
from PyPeTLib.series import Modality


class TissueClass(IntEnum):
    """Labels of a `TissueClasses` volume."""

    OUTSIDE = 0
    """Not in the brain mask."""
    TISSUE = 1
    """Grey and white matter, where these are not told apart."""
    CSF = 2
    VESSEL = 3
    """Arteries and veins wide enough to dominate their voxels."""
    OTHER = 4
    """Neither: fresh blood, bone, metal, signal losses, and voxels that were not analysed."""
    GREY = 5
    WHITE = 6


TITLES: Mapping[TissueClass, str] = {
    TissueClass.OUTSIDE: "Outside",
    TissueClass.TISSUE: "Tissue",
    TissueClass.CSF: "CSF",
    TissueClass.VESSEL: "Large vessels",
    TissueClass.OTHER: "Other",
    TissueClass.GREY: "Grey matter",
    TissueClass.WHITE: "White matter",
}
"""Names of the classes for people."""

PARENCHYMA = (TissueClass.TISSUE, TissueClass.GREY, TissueClass.WHITE)


@dataclass(frozen=True, kw_only=True)
class TissueOptions(Options):
    """How the voxels of the brain are told apart."""

    csf_share: float = option(
        0.38,
        "a voxel is CSF where its signal lies more than this share of the way from the tissue around it to CSF",
        minimum=0.2,
        maximum=0.9,
    )
    vessel_ratio: float = option(
        4.5,
        "a voxel is a large vessel where its curve rises more than this many times as high as the median voxel's",
        minimum=1.5,
        maximum=100.0,
    )
    grey_white: bool = option(False, "tell grey and white matter apart, too")


@dataclass(frozen=True, kw_only=True, eq=False)
class TissueClasses:
    """The class of every voxel.

    Attributes
    ----------
    labels : ndarray of uint8, shape (x, y, z)
        Values of `TissueClass`.
    grid : Grid
    csf_level : float or None
        Signal of CSF: HU, or relative to tissue for MR; None where the brain shows none.
    """

    labels: LabelVolume
    grid: Grid
    csf_level: float | None = None

    def mask(self, *classes: TissueClass) -> Mask:
        """Voxels of these classes, shape (x, y, z)."""
        wanted = np.zeros(len(TissueClass), bool)
        wanted[list(classes)] = True
        return wanted[self.labels]

    @property
    def parenchyma(self) -> Mask:
        """Grey and white matter, shape (x, y, z)."""
        return self.mask(*PARENCHYMA)

    def volumes(self) -> dict[TissueClass, float]:
        """Volume in ml of each class that the brain holds."""
        counts = np.bincount(self.labels.ravel(), minlength=len(TissueClass))
        return {
            kind: float(counts[kind]) * self.grid.voxel_volume / 1000
            for kind in TissueClass
            if counts[kind] and kind is not TissueClass.OUTSIDE
        }


@dataclass(frozen=True, kw_only=True)
class _Contrast:
    """How CSF and tissue look in a modality.

    ``tissue`` and ``csf`` are ranges of the signal; for MR they count in units of the tissue's level, which is taken
    over ``reach`` mm: there it follows the coil, in CT the tissue itself. ``pure`` is the percentile of the signals in
    the range of CSF that pure CSF has: thick slices of MR mix most of it with tissue.
    """

    relative: bool
    reach: float
    tissue: tuple[float, float]
    csf: tuple[float, float]
    usual_csf: float
    pure: float


_CONTRASTS: Mapping[Modality, _Contrast] = {
    Modality.CTP: _Contrast(relative=False, reach=8.0, tissue=(18.0, 60.0), csf=(-5.0, 16.0), usual_csf=8.0, pure=25),
    Modality.DSC: _Contrast(relative=True, reach=20.0, tissue=(0.6, 1.25), csf=(1.4, 4.0), usual_csf=1.75, pure=90),
}

SHADING_SLACK = (1.35, 1.15, 1.0, 1.0)
"""How much wider than tissue's own the range of signals is that counts as tissue while the shading is being found."""

FEWEST_CSF_ML = 1.0
"""With less of it, the level of CSF is taken for granted."""


def classify_tissue(
    signal: Volume,
    curves: Volume | None,
    analysed: Mask,
    brain: Mask,
    grid: Grid,
    modality: Modality,
    options: TissueOptions,
    execution: Execution | None = None,
) -> TissueClasses:
    """Tell CSF, large vessels and tissue apart.

    Parameters
    ----------
    signal : ndarray of float32, shape (voxels, t)
        Steady signal (HU for CT) of the analysed voxels, in the order of boolean indexing; not smoothed.
    curves : ndarray of float32, shape (voxels, t), or None
        Concentration, not smoothed; None where no bolus was found, so that no vessel shows.
    analysed, brain : ndarray of bool, shape (x, y, z)
        The first is a part of the second.
    grid : Grid
    modality : Modality
    options : TissueOptions
    execution : Execution, optional

    Returns
    -------
    TissueClasses
    """
    execution = execution or Execution()
    contrast = _CONTRASTS[modality]
    labels = np.where(brain, np.uint8(TissueClass.OTHER), np.uint8(TissueClass.OUTSIDE))
    if not analysed.any():
        return TissueClasses(labels=labels, grid=grid)
    level, height = _means_and_heights(signal, curves, execution)
    typical = float(np.median(height)) if height.size else 0.0
    vessel = (height > options.vessel_ratio * typical) & (typical > 0)
    volume = np.zeros(analysed.shape, np.float32)
    volume[analysed] = level
    around = _tissue_level(volume, level, vessel, analysed, grid, contrast)
    shown = level / around if contrast.relative else level
    tissue_level = np.ones_like(level) if contrast.relative else around
    csf_level = _csf_level(shown, vessel, grid, contrast)
    share = (shown - tissue_level) / (np.float32(csf_level or contrast.usual_csf) - tissue_level)
    low, high = contrast.tissue
    other = shown < low if contrast.relative else shown > high
    kinds = np.full(level.shape, TissueClass.TISSUE, np.uint8)
    kinds[other] = TissueClass.OTHER
    kinds[share > options.csf_share] = TissueClass.CSF
    kinds[vessel] = TissueClass.VESSEL
    if options.grey_white:
        tissue = kinds == TissueClass.TISSUE
        relative_height = height / np.float32(typical) if typical > 0 else np.zeros_like(height)
        grey = is_grey(shown, relative_height, tissue, kinds == TissueClass.CSF, analysed, grid)
        kinds[tissue] = np.where(grey[tissue], TissueClass.GREY, TissueClass.WHITE)
    labels[analysed] = kinds
    return TissueClasses(labels=labels, grid=grid, csf_level=csf_level)


def _means_and_heights(signal: Volume, curves: Volume | None, execution: Execution) -> tuple[Volume, Volume]:
    """Mean of each voxel's signal, and the height of its curve over three frames, which noise hardly lifts."""

    def measured(piece: slice) -> tuple[Volume, Volume]:
        mean = signal[piece].mean(axis=1, dtype=np.float32)
        if curves is None or curves.shape[1] < 3:
            return mean, np.zeros_like(mean)
        part = curves[piece]
        run = part[:, :-2] + part[:, 1:-1]
        run += part[:, 2:]
        return mean, run.max(axis=1) / np.float32(3)

    pieces: Iterator[tuple[Volume, Volume]] = iter(execution.map(measured, voxel_slices(len(signal))))
    means, heights = zip(*pieces, strict=True)
    return np.concatenate(means), np.concatenate(heights)


def _tissue_level(
    volume: Volume, level: Volume, vessel: Mask, analysed: Mask, grid: Grid, contrast: _Contrast
) -> Volume:
    """Signal of the tissue around each analysed voxel, shape (voxels,)."""
    low, high = contrast.tissue
    if not contrast.relative:
        tissue = _placed((level > low) & (level < high) & ~vessel, analysed)
        return local_mean(volume, tissue, contrast.reach, grid)[analysed]
    around = np.full_like(level, max(float(np.median(level)), 1e-6))
    # judged by the brain's median at first, and widely; then by what the coil shows there, more and more strictly
    for slack in SHADING_SLACK:
        inside = (level > low * around / slack) & (level < high * around * slack)
        tissue = _placed(inside & ~vessel, analysed)
        around = np.maximum(local_mean(volume, tissue, contrast.reach, grid)[analysed], np.float32(1e-6))
    return around


def _csf_level(shown: Volume, vessel: Mask, grid: Grid, contrast: _Contrast) -> float | None:
    """Signal of pure CSF, undiluted by tissue; None where there is little that may be CSF."""
    low, high = contrast.csf
    found = shown[(shown > low) & (shown < high) & ~vessel]
    if found.size * grid.voxel_volume / 1000 < FEWEST_CSF_ML:
        return None
    return float(np.percentile(found, contrast.pure))


def _placed(values: Mask, analysed: Mask) -> Mask:
    volume = np.zeros(analysed.shape, bool)
    volume[analysed] = values
    return volume

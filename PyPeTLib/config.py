"""The configuration of the pipeline, and what a user gives it beside the series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any, Self

import numpy as np

from PyPeTLib.aif import AIFOptions
from PyPeTLib.arrays import Curve, Mask
from PyPeTLib.contrast import ContrastOptions
from PyPeTLib.deconvolution import DeconvolutionOptions
from PyPeTLib.errors import InputError
from PyPeTLib.io.toml import read_toml, write_toml
from PyPeTLib.lesion_options import LesionOptions
from PyPeTLib.masking import MaskOptions, TissueOptions
from PyPeTLib.options import Options
from PyPeTLib.preprocess.denoising import DenoisingOptions
from PyPeTLib.preprocess.poses import MotionOptions
from PyPeTLib.preprocess.resample import ResampleOptions
from PyPeTLib.quantification import QuantificationOptions
from PyPeTLib.series import Modality, PerfusionSeries


@dataclass(frozen=True, kw_only=True)
class PipelineConfig(Options):
    """All options of all stages."""

    resample: ResampleOptions = field(default_factory=ResampleOptions)
    motion: MotionOptions = field(default_factory=MotionOptions)
    mask: MaskOptions = field(default_factory=MaskOptions)
    contrast: ContrastOptions = field(default_factory=ContrastOptions)
    aif: AIFOptions = field(default_factory=AIFOptions)
    tissue: TissueOptions = field(default_factory=TissueOptions)
    denoising: DenoisingOptions = field(default_factory=DenoisingOptions)
    deconvolution: DeconvolutionOptions = field(default_factory=DeconvolutionOptions)
    quantification: QuantificationOptions = field(default_factory=QuantificationOptions)
    lesions: LesionOptions = field(default_factory=LesionOptions)

    @classmethod
    def for_modality(cls, modality: Modality, changes: Mapping[str, Mapping[str, Any]] | None = None) -> Self:
        """The defaults for a modality, with changes as nested tables: ``{"aif": {"erosion": 2.0}}``."""
        tables = {name: dict(table) for name, table in _BY_MODALITY[modality].items()}
        for name, table in (changes or {}).items():
            tables[name] = {**tables.get(name, {}), **table} if isinstance(table, Mapping) else table
        return cls.from_mapping(tables)

    @classmethod
    def read(cls, path: str | PathLike[str], modality: Modality) -> Self:
        """Options from a TOML file; what it leaves out keeps its default for the modality."""
        return cls.for_modality(modality, read_toml(path))

    def write(self, path: str | PathLike[str]) -> None:
        """Write all options as TOML."""
        write_toml(path, self.to_mapping())


_BY_MODALITY: dict[Modality, dict[str, dict[str, Any]]] = {
    # CT is noisier a voxel, and its curves are few shapes; MR has less noise and larger voxels to blur.
    Modality.CTP: {"denoising": {"method": "similarity", "sigma": 3.0}},
    # T2*-weighted tissue is more uneven than CT, and arteries show less of their contrast.
    Modality.DSC: {
        "tissue": {"csf_share": 0.5, "vessel_ratio": 3.5},
        "denoising": {"method": "tips", "sigma": 1.5},
    },
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Given:
    """What the user supplies in place of a stage's own finding; masks on the grid of the series.

    Attributes
    ----------
    brain_mask, aif_mask, white_matter : ndarray of bool, shape (x, y, z)
        ``white_matter`` marks normal white matter, to which DSC maps may be scaled.
    aif_curve : tuple of two ndarrays
        Times in s and concentration (HU or 1/s).
    aif_population : bool
        Use a standard bolus, placed and scaled by what the series shows, instead of a measured artery.
    vof_mask : ndarray of bool, shape (x, y, z)
        A large vein, with whose area that of the AIF is compared.
    """

    brain_mask: Mask | None = None
    aif_mask: Mask | None = None
    aif_curve: tuple[Curve, Curve] | None = None
    white_matter: Mask | None = None
    aif_population: bool = False
    vof_mask: Mask | None = None

    def copied(self) -> Given:
        """The same with masks of its own, which nobody changes."""
        masks: dict[str, Any] = {name: mask.copy() for name, mask in vars(self).items() if isinstance(mask, np.ndarray)}
        return replace(self, **masks)

    def checked(self, series: PerfusionSeries) -> Given:
        """Self, if all masks fit the series and hold voxels."""
        for name, mask in (
            ("brain mask", self.brain_mask),
            ("AIF mask", self.aif_mask),
            ("VOF mask", self.vof_mask),
            ("white matter mask", self.white_matter),
        ):
            if mask is None:
                continue
            if mask.shape != series.grid.shape:
                raise InputError(f"the {name} has shape {mask.shape}, the series {series.grid.shape}")
            if not mask.any():
                raise InputError(f"the {name} is empty: it marks no voxel")
        if [self.aif_mask is not None, self.aif_curve is not None, self.aif_population].count(True) > 1:
            raise InputError("an AIF was given in more than one way; give a mask, a curve or the population AIF")
        return self

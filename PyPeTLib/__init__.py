"""PyPeT: quantitative maps from a raw 4D brain perfusion series (research use only).

The way of the data, and where each part lives::

    io                 load a series (NIfTI, DICOM); find the scans of a dataset; write maps
    preprocess         resample, motion, smoothing
    masking            the brain
    contrast           bolus arrival, baseline, concentration
    aif                arterial input function
    deconvolution      impulse response of each voxel
    quantification     CBF, CBV, MTT, Tmax, TTP: constants and units
    quality            flags to read before trusting a map
    pipeline           the order of the above: run_pipeline
    lesions            core, hypoperfused tissue, asymmetry
    probing            curves and values of a place
    compare            maps beside references, cohorts, territories
    report             figures, pages, DICOM objects
    synthesis          MRI -> PET: a model learned from heads that have both
    job                one scan from file to folder
    batch              a dataset, on this machine or on many

Start with `run_pipeline` for a series, or `compute_perfusion_maps` for curves that you already have.
"""

from __future__ import annotations

import importlib
from typing import Any

from PyPeTLib.version import __version__

_PUBLIC = {
    "Acquisition": "series",
    "CancelledError": "errors",
    "Given": "config",
    "InputError": "errors",
    "Modality": "series",
    "ParameterMap": "maps",
    "PerfusionMaps": "maps",
    "PerfusionSeries": "series",
    "PipelineConfig": "config",
    "PipelineResult": "pipeline",
    "PyPeTError": "errors",
    "compute_cbv": "compute",
    "compute_mtt": "compute",
    "compute_perfusion_maps": "compute",
    "load_series": "io",
    "read_mask": "io",
    "read_preset": "presets",
    "read_series": "io",
    "run_pipeline": "pipeline",
    "write_preset": "presets",
    "write_volume": "io",
}

__all__ = ["__version__"]
__all__ += list(_PUBLIC)


def __getattr__(name: str) -> Any:
    # Imported when first used, so that `pypet --help` does not wait for scipy.
    if name in _PUBLIC:
        return getattr(importlib.import_module(f"PyPeTLib.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module 'PyPeTLib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

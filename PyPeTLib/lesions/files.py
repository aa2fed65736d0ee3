"""Lesions as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from PyPeTLib.geometry import Reorientation
from PyPeTLib.io import write_json, write_volume
from PyPeTLib.lesion_options import LESION_PRESETS
from PyPeTLib.lesions.model import CORE_LABEL, PENUMBRA_LABEL, Lesions
from PyPeTLib.lesions.tables import NOTICE, lesions_facts

STEM = "lesions"


def write_lesions(lesions: Lesions, orientation: Reorientation, folder: Path, *, prefix: str = "") -> None:
    """Write ``lesions.nii.gz``, a labelmap, and ``lesions.json``, what its labels mean and how they were found.

    Parameters
    ----------
    lesions : Lesions
    orientation : Reorientation
        ``series.orientation`` of the run; the file lies on the grid of its input.
    folder : Path
        Exists.
    prefix : str
        Before both names.

    Raises
    ------
    InputError
        If a file cannot be written.
    """
    description = "PyPeT lesions: 1 penumbra, 2 core. Research use only"
    path = folder / f"{prefix}{STEM}.nii.gz"
    write_volume(path, lesions.labels, orientation, dtype=np.uint8, description=description)
    facts = lesions_facts(lesions)
    options = lesions.options
    write_json(
        folder / f"{prefix}{STEM}.json",
        {
            "Labels": {
                str(PENUMBRA_LABEL): {
                    "Name": "Hypoperfused outside the core",
                    "Rule": options.hypoperfusion_rule,
                    "Volume_ml": round(lesions.mismatch_volume, 3),
                },
                str(CORE_LABEL): {
                    "Name": "Core",
                    "Rule": options.core_rule,
                    "Volume_ml": round(lesions.core_volume, 3),
                },
            },
            "Thresholds": facts["options"],
            "Preset": facts["preset"],
            "ChangedOptions": list(options.changed),
            "Sources": list(LESION_PRESETS[options.preset].sources),
            "Figures": {
                key: value for key, value in facts.items() if key not in ("available", "reason", "preset", "options")
            },
            "Notice": NOTICE,
        },
    )

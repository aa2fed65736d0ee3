"""The library's messages in the words of the panel: its options are fields there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from slicer.i18n import tr as _

from PyPeTLib.report.summary import told

FIELDS = {
    "frame-interval": "“Frame times”",
    "frame-times": "“Frame times”",
    "echo-time": "“Echo time”",
    "second-echo": "“Second echo”",
    "second-echo-time": "“Second echo time”",
    "series": "“Load DICOM folder…”",
    "slice-times": "“Slice times”",
    "modality": "“Modality”",
    "mask": "“Brain mask”",
    "aif": "“Artery (AIF)”",
    "vof": "“Vein (VOF)”",
    "white-matter-mask": "“Normal white matter”",
    "white-matter-cbf": "“Flow there”",
    "method": "“Method”",
    "smoothing-mm": "“Smoothing”",
    "no-motion": "“Correct motion”",
    "preset": "“Preset”",
    "lesions": "“preset” under “lesions” in “Advanced”",
    "memory-limit": "the memory limit of “pypet run”",
    "scratch": "the scratch folder of “pypet run”",
}
"""Options of the command line that messages of the library name, and the panel's field for each, if it has one."""

_OPTION = re.compile(r"--([a-z]+(?:-[a-z]+)*)((?: (?:[A-Z]+\b|ctp\b|dsc\b|population\b))?)")

_CHOICES = {" ctp": " = CT perfusion", " dsc": " = DSC-MRI", " population": " = population curve"}


def for_panel(message: str) -> str:
    """A message with the panel's fields in place of the command line's options."""
    words = _OPTION.sub(_field, message)
    return words.replace("with “Frame times”, or the time of each frame with “Frame times”", "in “Frame times”, or all")


def _field(match: re.Match[str]) -> str:
    field = FIELDS.get(match[1])
    return match[0] if field is None else field + _CHOICES.get(match[2], "")


def verdict(findings: Mapping[str, Any]) -> tuple[str, bool]:
    """One line on how a run went, and whether it is a bad one."""
    worst = {flag["severity"] for flag in findings["flags"]}
    if "failure" in worst:
        return str(_("Done, but the maps hold no usable values: read the summary.")), True
    if "warning" in worst:
        return str(_("Done, with warnings: read the summary before you use the maps.")), True
    return str(_("Done.")), False


def summary(findings: Mapping[str, Any]) -> str:
    """The findings of a run as text for the panel."""
    return for_panel(told(findings))

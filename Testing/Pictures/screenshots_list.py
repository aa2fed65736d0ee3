"""Which pictures `screenshots` makes, without the host: a test compares them with the review and the user guide."""

from __future__ import annotations

KINDS = {"ctp": "ct", "dsc": "mr"}
"""Modality to the part of a file's name."""

STEP_FRAMES = {
    "Input": "arterial_peak",
    "Motion": "farthest",
    "Mask": "peak",
    "Bolus": "peak",
    "Concentration": "peak",
    "AIF": "",
    "Residue": "",
    "Maps": "",
    "Lesions": "",
    "Quality": "",
}
"""Each step of the review, and the frame that is shown where its views show frames (see `screenshots_scene.Scene`)."""

OWN_PLACE = ("AIF", "Residue", "Lesions")
"""Steps that choose the place that they show."""

COMPARED = {"ct": "cbf", "mr": "tmax"}
"""The map that is compared."""


def review_picture(kind: str, step: str) -> str:
    """File name of the picture of a step."""
    return f"review-{kind}-{step.lower()}.png"


PICTURES = (
    *(review_picture(kind, step) for kind in KINDS.values() for step in STEP_FRAMES),
    *(f"probe-{kind}.png" for kind in KINDS.values()),
    *(f"compare-{kind}-{name}.png" for kind, name in COMPARED.items()),
    "compare-flicker.png",
    "compare-checkerboard.png",
    "steer-after.png",
    "warnings.png",
    "panel-light.png",
    "panel-dark.png",
    "panel-mr.png",
    "panel-correct.png",
    "panel-curves.png",
    "panel-compare.png",
)
"""Names of all files."""

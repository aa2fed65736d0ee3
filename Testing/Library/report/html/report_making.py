"""Summaries as runs write them, the sizes of their figures, and a reader of pages."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from PyPeTLib.lesions import LesionOptions

SIZES = {
    **dict.fromkeys(("cbf", "cbv", "mtt", "ttp", "tmax"), (1720, 1714)),
    "summary": (1492, 1544),
    "mask": (1896, 1764),
    "lesions": (1810, 1694),
}
CURVES = {"aif": (1160, 1500), "bolus": (600, 1500), "motion": (900, 1500)}
"""Height and width in pixels of the figures of a run."""


class Page(HTMLParser):
    """All elements of a page in their order, each with its attributes and the text within it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self._open: list[tuple[str, list[str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        texts: list[str] = []
        self.elements.append((tag, {name: value or "" for name, value in attrs}, texts))
        self._open.append((tag, texts))

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th", "dt", "dd", "li", "p", "caption"}:
            self.handle_data(" ")
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for _, texts in self._open:
            texts.append(data)

    def all(self, *tags: str) -> list[tuple[dict[str, str], str]]:
        return [(attrs, " ".join("".join(texts).split())) for tag, attrs, texts in self.elements if tag in tags]

    def with_id(self, name: str) -> str:
        return next(" ".join("".join(texts).split()) for _, attrs, texts in self.elements if attrs.get("id") == name)


def of_map(unit: str, median: float, *, calibrated: bool = True) -> dict[str, Any]:
    return {
        "unit": unit,
        "calibrated": calibrated,
        "valid_voxels": 251684,
        "mean": 1.1 * median,
        "median": median,
        "p05": 0.3 * median,
        "p95": 4.0 * median,
    }


def summary_of(modality: str) -> dict[str, Any]:
    calibrated = modality == "ctp"
    return {
        "software": "PyPeT",
        "version": "0.1.0",
        "notice": "Research use only; not validated for clinical use.",
        "input": {
            "file": f"sub-01_{modality}.nii.gz",
            "sha256": "f4" * 32,
            "modality": modality,
            "shape": [200, 200, 23],
            "voxel_size_mm": [1.0, 1.0, 5.0],
            "frames": 45,
            "frame_interval_s": [1.0, 1.0],
            "echo_time_s": None if calibrated else 0.03,
            "sources": {"frame_times": "RepetitionTime in sub-01.json = 1 s", "orientation": "sform (code 1)"},
        },
        "flags": [],
        "motion": {
            "corrected": True,
            "largest_displacement_mm": 1.234,
            "mean_framewise_displacement_mm": 0.2,
            "reference_frame": 1,
            "averaged_frames": [0, 1, 2],
            "frames_left_out": {"7": "blank"},
        },
        "brain": {"method": "ct-skull", "volume_ml": 1291.2, "notes": []},
        "bolus": {"found": True, "rule": "sliding-window", "arrival_s": 10.3, "baseline_frames": [0, 9]},
        "aif": {
            "source": "automatic",
            "unit": "HU",
            "peak": 302.4,
            "time_of_peak_s": 13.0,
            "voxels": 8,
            "quality": {"width_s": 6.4, "contrast_to_noise": 105.1, "fit_r_squared": 0.9996},
            "vein_to_artery_area": 0.997,
            "partial_volume_factor": 1.0,
        },
        "vof": {"source": "none"},
        "method": "osvd",
        "maps": {
            "cbf": of_map("ml/100g/min", 21.9, calibrated=calibrated),
            "cbv": of_map("ml/100g", 2.43, calibrated=calibrated),
            **{name: of_map("s", 6.5) for name in ("mtt", "ttp", "tmax")},
        },
    }


def lesions_of(core: float = 24.6) -> dict[str, Any]:
    options = LesionOptions.of("defuse-3").to_mapping()
    return {
        "available": True,
        "reason": "",
        "preset": options.pop("preset"),
        "options": options,
        "normal": {"reference": "whole", "cbf": 24.3, "unit": "ml/100g/min", "volume_ml": 512.3, "calibrated": True},
        "core_ml": core,
        "hypoperfused_ml": 97.4,
        "penumbra_ml": 97.4 - core,
        "mismatch_ml": 97.4 - core,
        "mismatch_ratio": 97.4 / core if core else None,
        "hypoperfusion_intensity_ratio": 0.31,
        "cbv_index": None,
        "tmax_ml": {"4": 141.2, "6": 97.4, "8": 61.3, "10": 30.1},
        "cbf_ml": {"20": 12.1, "30": core},
        "target_mismatch": {
            "met": False,
            "criteria": [{"figure": "core_ml", "value": core, "bound": "<", "limit": 20.0, "met": False}],
        },
    }


def comparison_of(core: float = 24.6, reference: float = 22.1) -> dict[str, Any]:
    metrics = {"pearson": 0.93, "concordance": 0.9, "rmse": 3.4, "ssim_brain": None}
    return {
        "references": [
            {
                "quantity": "cbf",
                "unit": "ml/100g/min",
                "normalisation": "none",
                "metrics": metrics,
                "voxels": 1234,
                "volume_ml": 12.3,
                "notes": ["the reference was resampled"],
            }
        ],
        "failed": [{"quantity": "mtt", "reason": "It shows another head."}],
        "lesions": {"core": {"generated_ml": core, "reference_ml": reference, "dice": 0.81}},
    }


def flag(severity: str, code: str = "warm", message: str = "It is warm.") -> dict[str, Any]:
    numbers = {"value": 43.2, "threshold": 30.0, "unit": "K", "number": "43.2 K, at most 30 K"}
    return {"code": code, "severity": severity, "message": message, **numbers}

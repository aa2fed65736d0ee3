"""What a run found: a nested table for people and programs, the same in a few lines, and the facts of each map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from PyPeTLib.aif import SIDES, ArterialInputFunction, VesselCurve, curve_quality
from PyPeTLib.contrast import contrast_sign
from PyPeTLib.io import LoadedSeries
from PyPeTLib.maps import QUANTITIES, ParameterMap
from PyPeTLib.pipeline import PipelineResult
from PyPeTLib.version import __version__

RESEARCH_ONLY = "Research use only; not validated for clinical use."


def summarise(result: PipelineResult, loaded: LoadedSeries) -> dict[str, Any]:
    """What was found, as a nested table for people and programs; holds no clock times and no paths."""
    series, motion = result.series, result.motion.all_frames
    steps = np.diff(series.frame_times)
    return {
        "software": "PyPeT",
        "version": __version__,
        "notice": RESEARCH_ONLY,
        "input": {
            "file": series.name,
            "sha256": loaded.sha256,
            "modality": series.modality.value,
            "shape": list(series.orientation.native.shape),
            "voxel_size_mm": [round(size, 4) for size in series.orientation.native.voxel_sizes],
            "frames": series.n_frames,
            "frame_interval_s": [float(steps.min()), float(steps.max())],
            "echo_time_s": series.acquisition.echo_time,
            "sources": dict(loaded.sources),
        },
        "flags": [
            {
                "code": flag.code,
                "severity": flag.severity.value,
                "message": flag.message,
                "value": flag.value,
                "threshold": flag.threshold,
                "unit": flag.unit,
                "number": flag.number,
            }
            for flag in result.flags
        ],
        "motion": {
            "corrected": result.motion.applied,
            "largest_displacement_mm": float(motion.displacement.max()),
            "mean_framewise_displacement_mm": float(motion.framewise_displacement.mean()),
            "reference_frame": motion.reference,
            "averaged_frames": list(motion.averaged),
            "frames_left_out": {
                str(frame): str(motion.faults[frame])
                for frame in range(series.n_frames)
                if frame not in result.motion.kept
            },
        },
        "brain": {
            "method": result.brain.method,
            "volume_ml": result.brain.volume(result.working.grid),
            "notes": list(result.brain.notes),
        },
        "bolus": {
            "found": result.bolus.found,
            "rule": result.bolus.rule,
            "arrival_s": result.bolus.time,
            "baseline_frames": [result.bolus.baseline.start, result.bolus.baseline.stop - 1],
            "unsteady_frames": result.bolus.unsteady_frames,
        },
        "aif": _aif_summary(result),
        "vof": _vof_summary(result),
        "method": result.config.deconvolution.method,
        "maps": {quantity.name: _map_summary(quantity) for quantity in result.maps.values()},
    }


def told(summary: Mapping[str, Any]) -> str:
    """The summary in a few lines of text."""
    source, aif = summary["input"], summary["aif"]
    low, high = source["frame_interval_s"]
    spacing = f"{low:g} s apart" if high - low < 0.02 * high else f"{low:g} to {high:g} s apart"
    motion = summary["motion"]
    moved = (
        f"up to {motion['largest_displacement_mm']:.2f} mm, {'corrected' if motion['corrected'] else 'left as it is'}"
    )
    lines = [
        f"{source['file']}: {source['modality']}, {'×'.join(map(str, source['shape']))} voxels, "
        f"{source['frames']} frames {spacing} ({source['sources']['frame_times']})",
        f"  motion      {moved}",
        f"  brain       {summary['brain']['volume_ml']:.0f} ml",
        f"  bolus       arrives at {summary['bolus']['arrival_s']:.1f} s"
        if summary["bolus"]["found"]
        else "  bolus       none",
    ]
    if aif["source"] == "none":
        lines.append("  AIF         none")
    else:
        lines.append(
            f"  AIF         {aif['source']}, peak {aif['peak']:.3g} {aif['unit']} at {aif['time_of_peak_s']:.1f} s, "
            f"{aif['voxels']} voxels"
        )
        if aif["vein_to_artery_area"] is not None:
            scaled = f"AIF scaled by {aif['partial_volume_factor']:.2f}"
            lines.append(
                f"  VOF         area {aif['vein_to_artery_area']:.2f} times the AIF's, "
                f"{scaled if aif['partial_volume_factor'] != 1 else 'AIF not scaled'}"
            )
    for name, content in summary["maps"].items():
        if "median" in content:
            note = "" if content["calibrated"] else " (uncalibrated)"
            lines.append(
                f"  {_symbol(name):<11} median {content['median']:.3g}{_spaced(content['unit'])}{note}, "
                f"5…95 %: {content['p05']:.3g} … {content['p95']:.3g}"
            )
    lines += _lesions_told(summary.get("lesions") or {})
    lines += [f"  {flag['severity']}: {_flag_text(flag)}" for flag in summary["flags"]]
    lines += [f"  note: {note}" for note in summary["brain"]["notes"]]
    return "\n".join(lines)


def _lesions_told(lesions: Mapping[str, Any]) -> list[str]:
    """A line about the lesions of a run, where they were looked for."""
    if not lesions:
        return []
    if not lesions["available"]:
        return [f"  lesions     not looked for: {lesions['reason']}"]
    ratio = lesions["mismatch_ratio"]
    against = "" if ratio is None else f" (ratio {ratio:.2f})"
    return [
        f"  lesions     core {lesions['core_ml']:.1f} ml, hypoperfused {lesions['hypoperfused_ml']:.1f} ml, mismatch "
        f"{lesions['mismatch_ml']:.1f} ml{against}; thresholds: {lesions['preset']}"
    ]


def _flag_text(flag: Mapping[str, Any]) -> str:
    """A flag's sentence, with its code, its value and its threshold."""
    return f"{flag['message']} [{flag['code']}: {flag['number']}]"


def _spaced(unit: str) -> str:
    """A unit behind a space; nothing for numbers without one."""
    return "" if unit in ("", "1") else f" {unit}"


def rows(summary: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The summary as a table of three columns: what, value, unit."""
    source, aif, bolus, motion = (summary[key] for key in ("input", "aif", "bolus", "motion"))
    low, high = source["frame_interval_s"]
    table = [
        ("Series", source["file"], ""),
        ("Modality", source["modality"], ""),
        ("Frames", str(source["frames"]), ""),
        ("Frame interval", f"{low:g}" if high - low < 0.02 * high else f"{low:g} to {high:g}", "s"),
        ("Frame times from", source["sources"]["frame_times"], ""),
    ]
    if source["echo_time_s"] is not None:
        table.append(("Echo time", f"{1000 * source['echo_time_s']:g}", "ms"))
    table += [
        ("Largest motion", f"{motion['largest_displacement_mm']:.2f}", "mm"),
        ("Motion corrected", "yes" if motion["corrected"] else "no", ""),
        ("Brain", f"{summary['brain']['volume_ml']:.0f}", "ml"),
        ("Bolus arrives at", f"{bolus['arrival_s']:.1f}" if bolus["found"] else "none found", "s"),
        ("AIF", aif["source"], ""),
    ]
    if aif["source"] != "none":
        table += [
            ("AIF peak", f"{aif['peak']:.4g}", aif["unit"]),
            ("AIF time of peak", f"{aif['time_of_peak_s']:.1f}", "s"),
            ("AIF voxels", str(aif["voxels"]), ""),
            ("AIF width", f"{aif['quality']['width_s']:.1f}", "s"),
        ]
        if aif["vein_to_artery_area"] is not None:
            table.append(("Area of vein over AIF", f"{aif['vein_to_artery_area']:.2f}", ""))
            table.append(("AIF scaled by", f"{aif['partial_volume_factor']:.2f}", ""))
    table.append(("Method", summary["method"], ""))
    for name, content in summary["maps"].items():
        if "median" in content:
            unit = _spaced(content["unit"]).strip()
            unit = unit if content["calibrated"] else f"{unit} (uncalibrated)"
            table.append((f"{_symbol(name)} median", f"{content['median']:.4g}", unit))
            table.append((f"{_symbol(name)} 5 to 95 %", f"{content['p05']:.4g} to {content['p95']:.4g}", unit))
    table += [(flag["severity"].capitalize(), _flag_text(flag), "") for flag in summary["flags"]]
    table += [("Note", note, "") for note in summary["brain"]["notes"]]
    return [*table, ("Notice", summary["notice"], ""), ("Software", f"{summary['software']} {summary['version']}", "")]


def map_facts(quantity: ParameterMap, result: PipelineResult, loaded: LoadedSeries) -> dict[str, Any]:
    """What a map shows, how it was made and from what: its sidecar, and the attributes of its node in 3D Slicer."""
    kind = quantity.quantity
    is_caplex_ttp = quantity.provenance.get("reference") != "scan-start"
    return {
        "Quantity": kind.title,
        "Symbol": kind.symbol,
        "Units": quantity.unit,
        "Calibrated": quantity.calibrated,
        # CAPLEX counts the time to peak from the arrival of the bolus
        "CAPLEX": kind.caplex if kind.name != "ttp" or is_caplex_ttp else "",
        "Modality": result.series.modality.value,
        "AIFSource": result.aif.source if result.aif is not None else "none",
        "InputFile": result.series.name,
        "InputSHA256": loaded.sha256,
        "Notice": RESEARCH_ONLY,
        **{_camel(name): value for name, value in quantity.provenance.items()},
    }


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _aif_summary(result: PipelineResult) -> dict[str, Any]:
    if result.aif is None:
        return {"source": "none"}
    summary = {
        **_artery_summary(result.aif, result),
        "rule": result.config.aif.rule if result.aif.source == "automatic" else None,
        "curve": result.config.aif.curve,
        "sides": result.config.aif.sides,
    }
    if result.hemispheres is not None:
        sides = result.hemispheres
        summary |= {side: _artery_summary(getattr(sides, side), result) for side in SIDES}
        summary["borrowed"] = sides.borrowed or None
    return summary


def _artery_summary(aif: ArterialInputFunction, result: PipelineResult) -> dict[str, Any]:
    return {
        **_vessel_summary(aif, result),
        "vein_to_artery_area": aif.venous_ratio,
        "partial_volume_factor": aif.scale,
        "candidates": [
            {
                "centre_ras_mm": [round(value, 2) for value in candidate.centre],
                "volume_mm3": candidate.volume,
                **candidate.quality.as_mapping(),
                "roughness": candidate.roughness,
                "score": candidate.score,
                "verdict": candidate.verdict,
            }
            for candidate in aif.candidates
        ],
    }


def _vof_summary(result: PipelineResult) -> dict[str, Any]:
    return {"source": "none"} if result.vof is None else _vessel_summary(result.vof, result)


def _vessel_summary(vessel: VesselCurve, result: PipelineResult) -> dict[str, Any]:
    times, fit = result.working.frame_times, vessel.fit
    quality = curve_quality(
        vessel.measured,
        times,
        noise=vessel.baseline_noise,
        tissue=result.concentration.curves.mean(axis=0, dtype=np.float64),
        fit_r_squared=0.0 if fit is None else fit.r_squared,
    )
    top = int(vessel.measured.argmax())
    return {
        "source": vessel.source,
        "unit": "HU" if contrast_sign(result.series.modality) > 0 else "1/s",
        "peak": float(vessel.measured[top]),
        "time_of_peak_s": float(times[top]),
        "voxels": 0 if vessel.mask is None else int(np.count_nonzero(vessel.mask)),
        "fit": None
        if fit is None
        else {
            "t0_s": fit.t0,
            "alpha": fit.alpha,
            "beta_s": fit.beta,
            "amplitude": fit.amplitude,
            "r_squared": fit.r_squared,
        },
        "quality": quality.as_mapping(),
    }


def _map_summary(quantity: ParameterMap) -> dict[str, Any]:
    values = quantity.values[quantity.valid]
    summary: dict[str, Any] = {
        "unit": quantity.unit,
        "calibrated": quantity.calibrated,
        "valid_voxels": int(values.size),
    }
    if values.size:
        low, middle, high = (float(value) for value in np.percentile(values, (5, 50, 95)))
        summary |= {"mean": float(values.mean(dtype=np.float64)), "median": middle, "p05": low, "p95": high}
    return summary


def _symbol(name: str) -> str:
    """How a map is named for readers."""
    return QUANTITIES[name].symbol

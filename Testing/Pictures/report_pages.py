"""Pictures of the reports for the user guide: Docs/pictures/report-scan.png and report-group.png.

A study of head phantoms is analysed with lesions, one scan is spoilt so that it fails, and headless Chromium shows the
pages that came out. Needs the extras for tests, chromium and chromedriver.
"""

from __future__ import annotations

import base64
import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from PyPeTLib.io import LoadedSeries
from PyPeTLib.lesions import find_lesions, lesions_facts
from PyPeTLib.phantom import make_head
from PyPeTLib.pipeline import run_pipeline
from PyPeTLib.report import write_figures
from PyPeTLib.report.html import ScanRow, write_group_report, write_scan_report
from PyPeTLib.report.summary import summarise

FOLDER = Path(__file__).parents[2] / "Docs" / "pictures"

SMALL = {"ctp": (80, 80, 12), "dsc": (64, 64, 10)}
"""Voxels of the heads in the table of the group; the scan that is shown has the full size."""

SEEDS = range(1, 6)

SIZES = {"scan": (1240, 1500), "group": (1240, 1330)}
"""Width and height in pixels of what is shown of each page."""

COLOURS = 96
"""Few colours make small files."""

OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"),
)


def analysed(name: str, modality: str, figures: Path | None = None, **head: Any) -> dict[str, Any]:
    """The summary of a head; its figures are written where a folder is given."""
    result = run_pipeline(make_head(modality, **head).series)
    sources = {"frame_times": f"RepetitionTime in {name}.json"}
    summary = summarise(result, LoadedSeries(series=result.series, sources=sources))
    summary["input"]["file"] = f"{name}.nii.gz"
    summary["scan"] = {"name": name, "subject": name[4:6]}
    lesions = find_lesions(result)
    summary["lesions"] = lesions_facts(lesions)
    if figures is not None:
        write_figures(result, figures, lesions=lesions)
    return summary


def pages(folder: Path) -> dict[str, Path]:
    """Write both reports."""
    shown = analysed("sub-01_dsc", "dsc", folder / "figures", seed=1)
    write_scan_report(folder / "scan.html", summary=shown, figures=folder / "figures")
    rows = [ScanRow(name="sub-01_dsc", subject="01", report="scan.html", summary=shown)]
    for seed in SEEDS:
        name = f"sub-{seed + 1:02d}_ctp"
        summary = analysed(name, "ctp", shape=SMALL["ctp"], seed=seed)
        rows.append(ScanRow(name=name, subject=name[4:6], report=f"{name}/report.html", summary=summary))
    cause = "sub-07_ctp.nii.gz: the series has 3 frames; at least 10 are needed. Give the whole series."
    rows.append(ScanRow(name="sub-07_ctp", subject="07", state="failed", cause=cause))
    write_group_report(folder / "group.html", title="A study of head phantoms", scans=rows)
    return {name: folder / f"{name}.html" for name in SIZES}


def main() -> int:
    """Make both pictures."""
    with tempfile.TemporaryDirectory() as name:
        written = pages(Path(name))
        options = webdriver.ChromeOptions()
        for option in (*OPTIONS, f"--user-data-dir={name}/chromium"):
            options.add_argument(option)
        options.binary_location = shutil.which("chromium") or ""
        browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        try:
            for kind, (width, height) in SIZES.items():
                metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
                browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
                browser.get(written[kind].as_uri())
                shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
                with Image.open(io.BytesIO(base64.b64decode(shot))) as image:
                    small = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
                small.save(FOLDER / f"report-{kind}.png", optimize=True)
        finally:
            browser.quit()
    return 0


if __name__ == "__main__":
    sys.exit(main())

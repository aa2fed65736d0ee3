"""Two heads with a stroke and known truth as sample data; they are computed on the spot, nothing is downloaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer


def add_phantom(modality: str, name: str, **options: Any) -> Any:
    """A head phantom as a sequence node; further options are those of `PyPeTLib.phantom.make_head`."""
    # imported when needed: the names below are registered when the application starts
    from PyPeTLib.phantom import make_head  # noqa: PLC0415

    return add_series(make_head(modality, **options).series, name)


def add_series(series: Any, name: str) -> Any:
    """A `PerfusionSeries` as a sequence node that knows its times, modality and echo time."""
    from PyPeTSlicer import loading  # noqa: PLC0415 - as above

    return loading.add_series(series, name)


def _maker(modality: str, name: str) -> Callable[..., Any]:
    def make(_source: Any = None) -> Any:
        """Add the phantom and show it; the module Sample Data hands over the source that was clicked."""
        sequence = add_phantom(modality, name)
        if slicer.app.layoutManager() is not None:
            from PyPeTSlicer import sequences  # noqa: PLC0415 - as above

            slicer.modules.sequences.showSequenceBrowser(sequences.browser_of(sequence))
            slicer.util.setSliceViewerLayers(background=sequences.proxy_of(sequence), fit=True)
        return sequence

    return make


PHANTOMS = {name: _maker(kind, name) for kind, name in (("ctp", "PyPeT CTP phantom"), ("dsc", "PyPeT DSC phantom"))}
"""Name to a function that adds the phantom to the scene."""


def register() -> None:
    """Offer the phantoms in the module Sample Data."""
    import SampleData  # noqa: PLC0415 - a module of Slicer's, loaded after this one

    icons = Path(__file__).parents[1] / "Resources" / "Icons"
    for name, make in PHANTOMS.items():
        SampleData.SampleDataLogic.registerCustomSampleDataSource(
            category="PyPeT",
            sampleName=name,
            uris="",
            fileNames="",
            nodeNames=name,
            thumbnailFileName=str(icons / f"{name.replace(' ', '')}.png"),
            customDownloader=make,
        )

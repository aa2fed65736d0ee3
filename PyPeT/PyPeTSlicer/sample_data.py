"""Two heads with a stroke and known truth as sample data; they are computed on the spot, nothing is downloaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PyPeTLib.io import LoadedFrames
from PyPeTLib.phantom import make_head
from PyPeTSlicer.loading import add_sequence


def add_phantom(modality: str, name: str, **options: Any) -> Any:
    """A head phantom as a sequence node; further options are those of `PyPeTLib.phantom.make_head`."""
    series = make_head(modality, **options).series
    frames = LoadedFrames(
        data=series.data,
        orientation=series.orientation,
        frame_times=series.frame_times,
        frame_times_source="made by the phantom",
        echo_time=series.acquisition.echo_time,
        modality=series.modality,
        sha256="",
    )
    return add_sequence(frames, name, "")


def _maker(modality: str, name: str) -> Callable[..., Any]:
    def make(_source: Any = None) -> Any:
        """Add the phantom; the module Sample Data hands over the source that was clicked."""
        return add_phantom(modality, name)

    return make


PHANTOMS = {name: _maker(kind, name) for kind, name in (("ctp", "PyPeT CTP phantom"), ("dsc", "PyPeT DSC phantom"))}
"""Name to a function that adds the phantom to the scene."""

"""A series of DICOM files becomes a sequence node with its times; nothing that names the patient comes along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, Any

from slicer.i18n import tr as _

from PyPeTLib.errors import InputError
from PyPeTLib.io import LoadedSeries
from PyPeTSlicer import timing
from PyPeTSlicer.loading import add_series
from PyPeTSlicer.nodes import Transaction

if TYPE_CHECKING:
    from PyPeTLib.io.dicom import DicomSeries


@dataclass(frozen=True, kw_only=True)
class LoadedNodes:
    """What came into the scene.

    Attributes
    ----------
    sequence : vtkMRMLSequenceNode
    second_echo : vtkMRMLSequenceNode or None
    message : str
        What the user should know of it.
    """

    sequence: Any
    second_echo: Any
    message: str


def offered(folder: str | PathLike[str]) -> list[DicomSeries]:
    """The perfusion series in a folder, of which the user has to choose one if there are several.

    Where none is taken for one by itself, such as derived images alone, those are offered that have frames enough.

    Raises
    ------
    InputError
        If there is none, or the files cannot be read.
    """
    try:
        from PyPeTLib.io.dicom import find_series  # noqa: PLC0415 - with pydicom, which NIfTI needs not

        found = find_series(folder)
    except ModuleNotFoundError as error:
        raise without_pydicom(error) from error
    likely = [series for series in found if not series.reason]
    possible = likely or [series for series in found if series.is_dynamic]
    if not possible:
        listed = "; ".join(series.describe() for series in found)
        raise InputError(_("There is no perfusion series in this folder. Found: {listed}.").format(listed=listed))
    return possible


def label(series: DicomSeries) -> str:
    """A series as the user chooses it, without anything that names the patient."""
    kinds = {"ctp": _("CT perfusion"), "dsc": _("DSC-MRI")}
    size = _("{slices} slices × {frames} frames").format(slices=series.n_slices, frames=series.n_frames)
    facts = [str(kinds.get(series.kind, series.modality)), str(size)]
    if series.intervals:
        low, high = series.intervals[0], series.intervals[-1]
        facts.append(f"{low:g} s" if low == high else f"{low:g}–{high:g} s")
    text = str(_("{number}: {facts}")).format(number=series.number, facts=", ".join(facts))
    doubts = [series.reason] if series.reason else []
    return text + "".join(f"; {doubt}" for doubt in (*doubts, *series.remarks))


def load(series: DicomSeries) -> LoadedNodes:
    """Load one of the series that `offered` gave, with its second echo as a sequence of its own.

    Frames without times are numbered, without a unit: PyPeT asks for the times then.

    Raises
    ------
    InputError
        If it is not complete or contradicts itself; the scene is as it was then.
    """
    has_times = not series.echoes or series.echoes[0].order.timing is not None
    loaded = _read(series, has_times=has_times)
    first, name = loaded.series, series.name
    told = [loaded.sources[key] for key in ("duplicates", "values") if key in loaded.sources]
    notes = {timing.REMARKS: "; ".join(told)} if told else {}
    if has_times:
        notes[timing.TIMES_FROM] = loaded.sources["frame_times"]
    second = None
    with Transaction():
        sequence = add_series(replace(first, second_echo=None), name, name, has_times=has_times, notes=notes)
        if first.second_echo is not None:
            title = str(_("{name} second echo")).format(name=sequence.GetName())
            second = add_series(first.second_echo, title, name, has_times=has_times, notes=notes)
    message = str(_("Loaded {series}.")).format(series=label(series))
    return LoadedNodes(sequence=sequence, second_echo=second, message=" ".join((message, *_sentences(told))))


def _read(series: DicomSeries, *, has_times: bool) -> LoadedSeries:
    from PyPeTLib.io.dicom import load_dicom  # noqa: PLC0415 - as above

    # the other series of the folder are not read again
    files = [header.path for header in series.headers]
    # any interval will do where there is none: it is not kept
    return load_dicom(files, series=series.uid, frame_interval=None if has_times else 1.0)


def _sentences(told: Sequence[str]) -> list[str]:
    return [f"{text[:1].upper()}{text[1:]}." for text in told]


def without_pydicom(error: ModuleNotFoundError) -> Exception:
    """What to say where pydicom is missing; any other module that is missing is a fault."""
    if (error.name or "").split(".")[0] != "pydicom":
        return RuntimeError(str(error))
    return InputError(
        _(
            "Reading DICOM needs the Python package pydicom, which comes with Slicer and is missing in this one. "
            "Install it in Slicer's Python console: slicer.util.pip_install('pydicom')."
        )
    )

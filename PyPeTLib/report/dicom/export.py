"""The export of a run to DICOM files."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from PyPeTLib.errors import InputError
from PyPeTLib.io import LoadedSeries
from PyPeTLib.lesions import Lesions
from PyPeTLib.maps import QUANTITIES
from PyPeTLib.pipeline import PipelineResult
from PyPeTLib.report.dicom.content import Content, content_of
from PyPeTLib.report.dicom.planes import Planes

MASKS_OFFSET, LESIONS_OFFSET, PICTURE_OFFSET = 50, 51, 60
"""Behind the maps, which count from 1 in the order of `QUANTITIES`."""


def export_dicom(
    result: PipelineResult,
    loaded: LoadedSeries,
    lesions: Lesions | None,
    folder: Path,
    *,
    picture: npt.NDArray[np.uint8] | None = None,
) -> list[Path]:
    """Write the maps, masks, lesions and a picture of a run as DICOM objects in the patient's study.

    The files carry the name and all identifiers of the patient that the source files carry: only call this when it
    was asked for, and treat the folder like the source. Nothing of this goes into file names or anywhere else.

    Each map becomes a Parametric Map, the masks one Segmentation, the lesions another, the picture a Secondary
    Capture, each in a series of its own, in the source's frame of reference. The same input gives the same bytes and
    the same unique identifiers.

    Parameters
    ----------
    result : PipelineResult
    loaded : LoadedSeries
        The series that the run analysed, read from DICOM files.
    lesions : Lesions or None
        Left out where there are none to tell of.
    folder : Path
        Made if it is not there. Files of the same names are replaced, once all are written.
    picture : ndarray of uint8, shape (rows, columns, 3), optional
        The summary page in RGB.

    Returns
    -------
    list of Path
        ``<map>.dcm``, ``masks.dcm``, ``lesions.dcm`` and ``summary.dcm``.

    Raises
    ------
    InputError
        If the series came from no DICOM files, they do not serve, highdicom is missing or files cannot be written.
    """
    return write_content(content_of(result, lesions), loaded.files, folder, name=result.series.name, picture=picture)


def check_exportable(loaded: LoadedSeries) -> None:
    """Refuse what `export_dicom` could not export, before a run makes anything of it.

    Raises
    ------
    InputError
        If the series came from no DICOM files, or highdicom is missing.
    """
    _check(loaded.files, loaded.series.name)


def write_content(
    content: Content,
    files: Sequence[Path],
    folder: Path,
    *,
    name: str = "series",
    picture: npt.NDArray[np.uint8] | None = None,
) -> list[Path]:
    """Write what is to be exported; see `export_dicom`. ``name`` is what messages call the series."""
    _check(files, name)
    planes = Planes.of(content.orientation.native)
    try:
        existed = folder.is_dir()
        folder.mkdir(parents=True, exist_ok=True)
        try:
            return _written_whole(content, [Path(file) for file in files], planes, folder, picture)
        except BaseException:
            if not existed:
                folder.rmdir()
            raise
    except OSError as error:
        raise InputError(f"{folder}: DICOM files cannot be written here: {error.strerror or error}.") from error


def _check(files: Sequence[Path], name: str) -> None:
    if not files:
        raise InputError(
            f"{name}: the series came from no DICOM files, so there is no patient and no study for DICOM results to "
            "belong to. Leave out the export to DICOM, or give the folder of the DICOM files."
        )
    if find_spec("highdicom") is None:
        raise InputError(
            "Export to DICOM needs the package highdicom, which is not installed. Install it with pip install "
            "'.[dicom]'."
        )


def _written_whole(
    content: Content, files: list[Path], planes: Planes, folder: Path, picture: npt.NDArray[np.uint8] | None
) -> list[Path]:
    """Write all files aside first, then put them in place."""
    from PyPeTLib.report.dicom.identity import write_identified  # noqa: PLC0415 - needs highdicom
    from PyPeTLib.report.dicom.source import read_source  # noqa: PLC0415 - pydicom is slow to import

    source = read_source(files, planes)
    with tempfile.TemporaryDirectory(prefix=".pypet-", dir=folder) as aside, warnings.catch_warnings():
        # they would quote what the source says, and that may be the patient's name
        warnings.simplefilter("ignore", UserWarning)
        names = []
        for name, make in _objects(content, planes, source, picture):
            # one object at a time: they are as large as the maps
            write_identified(make(), Path(aside) / name)
            names.append(name)
        return [(Path(aside) / name).replace(folder / name) for name in names]


def _objects(
    content: Content, planes: Planes, source: Any, picture: npt.NDArray[np.uint8] | None
) -> list[tuple[str, Callable[[], Any]]]:
    """Names of files, and how to make what goes into them."""
    from PyPeTLib.report.dicom.capture import capture  # noqa: PLC0415 - these need highdicom
    from PyPeTLib.report.dicom.parametric_map import parametric_map  # noqa: PLC0415
    from PyPeTLib.report.dicom.segmentation import segmentation  # noqa: PLC0415

    orientation = content.orientation
    numbers = {name: number for number, name in enumerate(QUANTITIES, 1)}
    made: list[tuple[str, Callable[[], Any]]] = [
        (f"{shown.name}.dcm", partial(parametric_map, shown, orientation, planes, source, numbers[shown.name]))
        for shown in content.maps
    ]
    masks = [segment for segment in content.segments if segment.mask.any()]
    for what, segments, offset in (("masks", masks, MASKS_OFFSET), ("lesions", content.lesions, LESIONS_OFFSET)):
        if segments:
            made.append((f"{what}.dcm", partial(segmentation, segments, orientation, planes, source, offset, what)))
    if picture is not None:
        made.append(("summary.dcm", partial(capture, picture, source, PICTURE_OFFSET)))
    return made

"""Folders of DICOM files with known content: single-frame and enhanced, as scanners of several makes write them.

`make_series` turns a RAS array into files. The patient in them is invented, and everything that a test compares with
is in the arguments.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

PATIENT = {"PatientName": "Doe^Jane", "PatientID": "MRN-4711", "PatientBirthDate": "19560317", "PatientSex": "F"}
DATE = "20210923"
STUDY_UID = "1.2.826.0.1.3680043.8.498.1"
WORDS_OF_THE_PATIENT = ("Doe", "Jane", "MRN-4711", "19560317", "20210923", "1956-03-17", "2021-09-23", "Secret Clinic")
"""What must not occur in any message, table or derived file."""

CT, ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1"
MR, ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


@dataclass(frozen=True, kw_only=True)
class Making:
    """How the files of a series are made; `times` may be one time a frame, or one a slice and frame, shape (z, t)."""

    modality: str = "ctp"
    vendor: str = "siemens"
    """Where the time of an image stands: siemens (AcquisitionTime of the volume, AcquisitionNumber), ge
    (TriggerTime in ms beside TemporalPositionIdentifier; CT: AcquisitionTime of the image), philips
    (TemporalPositionIdentifier, TriggerTime, one AcquisitionTime for all), canon (AcquisitionDateTime), content
    (ContentTime alone), number (AcquisitionNumber and RepetitionTime alone), none."""
    enhanced: bool = False
    """One multi-frame file instead of one file a slice."""
    per_volume: bool = False
    """With `enhanced`: one file a volume."""
    echo_times: Sequence[float] = (0.03,)
    """In seconds (MR); with two of them, `second` holds the data of the second echo."""
    second: np.ndarray | None = None
    dtype: str = "int16"
    bits_stored: int = 0
    slope: float | Sequence[float] = 1.0
    """A value, or one for each slice; what is stored is (value - intercept) / slope."""
    intercept: float | Sequence[float] | None = None
    """-1024 for CT with unsigned pixels, else 0."""
    start: float = 9 * 3600 + 41 * 60 + 7.25
    """Seconds after midnight of the first frame; times beyond midnight roll over."""
    series_number: int = 3
    description: str = "Perfusion Doe"
    image_type: Sequence[str] = ("ORIGINAL", "PRIMARY", "AXIAL")
    shuffle: int | None = None
    """Seed for file names and instance numbers in no order."""
    syntax: str = "explicit"
    """explicit, implicit, rle."""
    scanner_axes: bool = True
    """Turn the array so that columns run to the left and rows to the back, as scanners store a supine head."""
    edit: Callable[[Dataset, int, int], None] | None = None
    """Changes each dataset before it is written: ``edit(dataset, slice, frame)``."""
    skip: Sequence[tuple[int, int]] = ()
    """(slice, frame) pairs of which no file is written."""
    twice: Sequence[tuple[int, int]] = ()
    """(slice, frame) pairs that are written a second time under another name."""
    more: dict[str, object] = field(default_factory=dict)
    """Further elements by keyword."""


def make_series(
    folder: Path, data: np.ndarray, affine: np.ndarray, times: Sequence[float] | np.ndarray, **options: object
) -> list[Path]:
    """Write a series as DICOM files and give their paths, in the order in which they were acquired.

    Parameters
    ----------
    folder : path
        Made if it is not there.
    data : ndarray, shape (x, y, z, t)
        Values (Hounsfield units, signal) on the RAS grid.
    affine : ndarray, shape (4, 4)
        To RAS mm. The third axis becomes the slices; it need not be at right angles to the others (gantry tilt).
    times : array_like, shape (t,) or (z, t)
        Seconds.
    **options
        Fields of `Making`, or ``making=Making(...)`` changed by them.
    """
    base = options.pop("making", Making())
    making = replace(base, **options)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    data, affine, times = _scanner_order(np.asarray(data), np.asarray(affine, float), np.asarray(times, float), making)
    if times.ndim == 1:
        times = np.broadcast_to(times, (data.shape[2], times.size))
    if making.second is not None:
        second, _, _ = _scanner_order(np.asarray(making.second), np.asarray(affine, float), times, making, turned=True)
        making = replace(making, second=second)
    if making.enhanced:
        return _write_enhanced(folder, data, affine, times, making)
    return _write_single(folder, data, affine, times, making)


def _scanner_order(data, affine, times, making, *, turned=False):
    """The arrays with x and y turned if that is how scanners store them."""
    if not making.scanner_axes:
        return data, affine, times
    if turned:
        return data[::-1, ::-1], affine, times
    turn = np.diag([-1.0, -1.0, 1.0, 1.0])
    turn[:2, 3] = data.shape[0] - 1, data.shape[1] - 1
    return data[::-1, ::-1], affine @ turn, times


def _write_single(folder, data, affine, times, making):
    places = [(e, t, z) for t in range(data.shape[3]) for e in range(_echoes(making)) for z in range(data.shape[2])]
    names = np.arange(len(places))
    if making.shuffle is not None:
        names = np.random.default_rng(making.shuffle).permutation(names)
    paths = []
    common = _common(data, affine, making, MR if making.modality == "dsc" else CT)
    for number, (echo, frame, position) in enumerate(places):
        if (position, frame) in making.skip:
            continue
        dataset = _image(common, data, affine, times, making, (echo, frame, position), int(names[number]))
        path = folder / f"IM{int(names[number]):05d}.dcm"
        _write(path, dataset, making)
        paths.append(path)
        if (position, frame) in making.twice:
            _write(folder / f"copy_{path.name}", dataset, making)
            paths.append(folder / f"copy_{path.name}")
    return paths


def _echoes(making):
    return 2 if making.second is not None else 1


def _image(common, data, affine, times, making, place, number):
    """One slice as a classic CT or MR image."""
    echo, frame, position = place
    dataset = Dataset()
    for element in common:
        # elements of their own, because setting a value changes the element
        dataset[element.tag] = copy.copy(element)
    dataset.SOPInstanceUID = f"{dataset.SeriesInstanceUID}.{echo + 1}.{frame + 1}.{position + 1}"
    dataset.InstanceNumber = number + 1
    dataset.ImagePositionPatient = _position(affine, position)
    slope, intercept = _scale(making, position)
    if making.modality == "ctp" or (slope, intercept) != (1.0, 0.0):
        dataset.RescaleSlope, dataset.RescaleIntercept = _ds(slope), _ds(intercept)
    if making.modality == "dsc":
        dataset.EchoTime = _ds(1000 * making.echo_times[echo])
        dataset.EchoNumbers = echo + 1
        dataset.RepetitionTime = "1500"
        dataset.ScanningSequence, dataset.SequenceVariant = "EP", "SK"
        dataset.ScanOptions, dataset.MRAcquisitionType = "", "2D"
    _put_times(dataset, times, making, frame, position)
    values = (data if echo == 0 else making.second)[:, :, position, frame]
    _put_pixels(dataset, _stored(values, slope, intercept, making).T, making)
    for keyword, value in making.more.items():
        setattr(dataset, keyword, value)
    if making.edit is not None:
        making.edit(dataset, position, frame)
    return dataset


def _common(data, affine, making, sop_class):
    """What all images of the series share, the patient included."""
    dataset = Dataset()
    for keyword, value in PATIENT.items():
        setattr(dataset, keyword, value)
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.SOPClassUID = sop_class
    dataset.Modality = "MR" if making.modality == "dsc" else "CT"
    dataset.StudyInstanceUID = STUDY_UID
    dataset.SeriesInstanceUID = f"{STUDY_UID}.{making.series_number}"
    dataset.FrameOfReferenceUID = f"{STUDY_UID}.9"
    dataset.StudyID, dataset.AccessionNumber, dataset.ReferringPhysicianName = "S1", "A1", "Roe^Rick"
    dataset.InstitutionName = "Secret Clinic"
    dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = DATE
    dataset.StudyTime = "080000"
    dataset.SeriesNumber = making.series_number
    dataset.SeriesDescription = making.description
    dataset.ImageType = list(making.image_type)
    maker = {"siemens": "SIEMENS", "ge": "GE MEDICAL SYSTEMS", "philips": "Philips", "canon": "TOSHIBA"}
    dataset.Manufacturer = maker.get(making.vendor, "Example")
    dataset.Rows, dataset.Columns = data.shape[1], data.shape[0]
    if sop_class in (CT, MR):
        dataset.ImageOrientationPatient = _orientation(affine)
        dataset.PixelSpacing = _spacing(affine)
        dataset.SliceThickness = _ds(np.linalg.norm(affine[:3, 2]))
    return dataset


def _orientation(affine):
    lps = np.diag([-1.0, -1.0, 1.0]) @ affine[:3, :3]
    return [_ds(value) for axis in (0, 1) for value in lps[:, axis] / np.linalg.norm(lps[:, axis])]


def _position(affine, position):
    return [_ds(value) for value in np.diag([-1.0, -1.0, 1.0]) @ (affine @ [0, 0, position, 1])[:3]]


def _spacing(affine):
    """Between rows (along y) first, then between columns (along x)."""
    return [_ds(np.linalg.norm(affine[:3, 1])), _ds(np.linalg.norm(affine[:3, 0]))]


def _ds(value):
    """A decimal string of at most 16 letters."""
    for digits in range(15, 0, -1):
        text = f"{float(value):.{digits}g}"
        if len(text) <= 16:
            return text
    raise ValueError(value)


def _scale(making, position):
    slope = making.slope if np.isscalar(making.slope) else making.slope[position]
    intercept = making.intercept
    if intercept is None:
        intercept = -1024.0 if making.modality == "ctp" and making.dtype.startswith("u") else 0.0
    return float(slope), float(intercept if np.isscalar(intercept) else intercept[position])


def _stored(values, slope, intercept, making):
    stored = (np.asarray(values, float) - intercept) / slope
    if making.dtype.startswith("float"):
        return stored.astype("<f4")
    return np.rint(stored).astype(np.dtype(making.dtype).newbyteorder("<"))


def _put_pixels(dataset, stored, making):
    """Pixels of one image or of all frames; rows before columns."""
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    bits = stored.dtype.itemsize * 8
    dataset.BitsAllocated = bits
    content = np.ascontiguousarray(stored).tobytes()
    if stored.dtype.kind == "f":
        dataset.FloatPixelData = content
        return
    dataset.BitsStored = making.bits_stored or bits
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(stored.dtype.kind == "i")
    dataset.PixelData = content + b"\0" * (len(content) % 2)
    dataset["PixelData"].VR = "OW" if bits > 8 else "OB"


def clock(seconds: float) -> str:
    """Seconds after midnight as a DICOM time with microseconds; beyond midnight it rolls over."""
    micro = round((seconds % 86400) * 1e6)
    return f"{micro // 3600000000:02d}{micro // 60000000 % 60:02d}{micro // 1000000 % 60:02d}.{micro % 1000000:06d}"


def stamp(seconds: float) -> str:
    """The same as a date and time; beyond midnight it is the next day."""
    return f"{int(DATE) + int(seconds // 86400)}{clock(seconds)}"


def _put_times(dataset, times, making, frame, position):
    at, volume = times[position, frame], times[:, frame].min()
    first, vendor = making.start, making.vendor
    if vendor == "none":
        return
    dataset.AcquisitionDate = DATE
    if vendor == "siemens":
        dataset.AcquisitionNumber = frame + 1
        dataset.AcquisitionTime = clock(first + at)
        dataset.ContentTime = clock(first + at + 0.5)
        dataset.AcquisitionDate = stamp(first + at)[:8]
    elif vendor == "canon":
        dataset.AcquisitionNumber = frame + 1
        dataset.AcquisitionDateTime = stamp(first + at)
        dataset.AcquisitionTime = clock(first + at)
        dataset.AcquisitionDate = stamp(first + at)[:8]
    elif vendor == "content":
        dataset.ContentTime = clock(first + at)
    elif vendor == "number":
        dataset.AcquisitionNumber = frame + 1
        dataset.AcquisitionTime = clock(first)
    elif vendor == "ge" and making.modality == "ctp":
        dataset.AcquisitionNumber = 1
        dataset.AcquisitionTime = clock(first + at)
        dataset.ContentTime = clock(first + 60)
        dataset.TemporalPositionIndex = frame + 1
    elif vendor in ("ge", "philips"):
        dataset.AcquisitionNumber = 1
        dataset.AcquisitionTime = clock(first)
        dataset.ContentTime = clock(first + 60)
        dataset.TemporalPositionIdentifier = frame + 1
        dataset.NumberOfTemporalPositions = times.shape[1]
        dataset.TriggerTime = _ds(round(1000 * (volume if vendor == "philips" else at), 6))
    else:
        raise ValueError(vendor)


def _write_enhanced(folder, data, affine, times, making):
    frames = [list(range(data.shape[3]))] if not making.per_volume else [[t] for t in range(data.shape[3])]
    paths = []
    for number, chosen in enumerate(frames):
        dataset = _enhanced(data, affine, times, making, chosen)
        dataset.InstanceNumber = number + 1
        dataset.SOPInstanceUID = f"{dataset.SeriesInstanceUID}.{number + 1}"
        path = folder / f"MF{number:04d}.dcm"
        _write(path, dataset, making)
        paths.append(path)
    return paths


def _enhanced(data, affine, times, making, chosen):
    """Some frames as one multi-frame image, its frames shuffled if the files of a classic series were to be."""
    is_mr = making.modality == "dsc"
    dataset = _common(data, affine, making, ENHANCED_MR if is_mr else ENHANCED_CT)
    dataset.ContentTime = clock(making.start)
    shared = Dataset()
    measures = Dataset()
    measures.PixelSpacing, measures.SliceThickness = _spacing(affine), _ds(np.linalg.norm(affine[:3, 2]))
    shared.PixelMeasuresSequence = Items([measures])
    plane = Dataset()
    plane.ImageOrientationPatient = _orientation(affine)
    shared.PlaneOrientationSequence = Items([plane])
    places = [(e, t, z) for t in chosen for e in range(_echoes(making)) for z in range(data.shape[2])]
    places = [place for place in places if (place[2], place[1]) not in making.skip]
    if making.shuffle is not None:
        order = np.random.default_rng(making.shuffle).permutation(len(places))
        places = [places[i] for i in order]
    groups, pixels = [], []
    for echo, frame, position in places:
        slope, intercept = _scale(making, position)
        group = _group(affine, times, making, (echo, frame, position), data.shape[3])
        if making.edit is not None:
            making.edit(group, position, frame)
        groups.append(group)
        values = (data if echo == 0 else making.second)[:, :, position, frame]
        pixels.append(_stored(values, slope, intercept, making).T)
    dataset.NumberOfFrames = len(places)
    dataset.SharedFunctionalGroupsSequence = Items([shared])
    dataset.PerFrameFunctionalGroupsSequence = Items(groups)
    _put_pixels(dataset, np.stack(pixels), making)
    for keyword, value in making.more.items():
        setattr(dataset, keyword, value)
    return dataset


def _group(affine, times, making, place, n_frames):
    """The functional groups of one frame."""
    echo, frame, position = place
    group, content, plane, value = Dataset(), Dataset(), Dataset(), Dataset()
    content.StackID, content.InStackPositionNumber = "1", position + 1
    content.TemporalPositionIndex = frame + 1
    content.DimensionIndexValues = [1, position + 1, frame + 1]
    if making.vendor == "philips":
        # one acquisition for all, the time of a volume beside it
        content.FrameAcquisitionDateTime = stamp(making.start)
        offset = Dataset()
        offset.TemporalPositionTimeOffset = float(times[:, frame].min())
        group.TemporalPositionSequence = Items([offset])
    elif making.vendor != "none":
        content.FrameAcquisitionDateTime = stamp(making.start + times[position, frame])
    group.FrameContentSequence = Items([content])
    plane.ImagePositionPatient = _position(affine, position)
    group.PlanePositionSequence = Items([plane])
    value.RescaleSlope, value.RescaleIntercept = map(_ds, _scale(making, position))
    value.RescaleType = "HU" if making.modality == "ctp" else "US"
    group.PixelValueTransformationSequence = Items([value])
    if making.modality == "dsc":
        item = Dataset()
        item.EffectiveEchoTime = 1000.0 * making.echo_times[echo]
        group.MREchoSequence = Items([item])
    return group


def _write(path, dataset, making):
    syntax = ImplicitVRLittleEndian if making.syntax == "implicit" else ExplicitVRLittleEndian
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    dataset.file_meta = meta
    old = int(pydicom.__version__.split(".")[0]) < 3
    if old:
        dataset.is_little_endian, dataset.is_implicit_VR = True, syntax == ImplicitVRLittleEndian
    if making.syntax == "rle":
        dataset.compress(RLELossless, generate_instance_uid=False) if not old else dataset.compress(RLELossless)
        dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    pydicom.dcmwrite(path, dataset, **({"write_like_original": False} if old else {"enforce_file_format": True}))

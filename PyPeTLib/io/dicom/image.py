"""What the headers say about one file and about one image in it; nothing about the patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

IMPLICIT_LITTLE, EXPLICIT_LITTLE = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"


@dataclass(frozen=True, kw_only=True, slots=True)
class PixelFormat:
    """How pixels are stored (DICOM PS3.3, C.7.6.3)."""

    rows: int
    columns: int
    allocated: int
    stored: int
    high_bit: int
    signed: bool
    floating: bool
    samples: int
    lossy: bool


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Header:
    """The facts of a file that hold for all images in it.

    Attributes
    ----------
    path : Path
    name : str
        Relative to the folder that was given, for messages.
    syntax : str
        UID of the transfer syntax.
    offset : int
        Where the element with the pixels begins in the file; -1 where there is none.
    format : PixelFormat or None
        None for objects without pixels.
    repetition_time, acquisition_duration : float or None
        In seconds.
    """

    path: Path
    name: str
    uid: str
    series: str
    number: int | None
    description: str
    modality: str
    sop_class: str
    image_type: tuple[str, ...]
    syntax: str
    offset: int
    format: PixelFormat | None
    n_frames: int
    is_enhanced: bool
    is_epi: bool
    is_3d: bool
    is_diffusion: bool
    repetition_time: float | None
    acquisition_duration: float | None
    n_temporal: int | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Image:
    """One image (a slice at one time) of a file.

    Attributes
    ----------
    header : Header
    index : int
        In its file, counted from 0.
    position, orientation, spacing : tuple of float or None
        ImagePositionPatient and ImageOrientationPatient (LPS mm), PixelSpacing (between rows, between columns).
    thickness : float or None
        SpacingBetweenSlices or SliceThickness in mm, which matters only where there is a single slice.
    slope, intercept : float
    is_scaled : bool
        Whether the file gives slope and intercept.
    echo_time : float or None
        In seconds.
    clocks : mapping of str to float
        Seconds by the name of the clock.
    labels : mapping of str to int
        Numbers of the frame by the name of the attribute.
    instance : int or None
    """

    header: Header
    index: int
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    spacing: tuple[float, ...] | None
    thickness: float | None
    slope: float
    intercept: float
    is_scaled: bool
    echo_time: float | None
    clocks: Mapping[str, float]
    labels: Mapping[str, int]
    instance: int | None

    @property
    def name(self) -> str:
        """The file, and which image in it where it has several."""
        return self.header.name if self.header.n_frames == 1 else f"{self.header.name} (image {self.index + 1})"

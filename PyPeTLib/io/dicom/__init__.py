"""DICOM in: CT perfusion and DSC-MRI from a folder or files, single-frame and enhanced multi-frame.

What is where: `marks` (which files), `headers`, `enhanced`, `values` (what they say), `stacking` (slices by geometry),
`clocks`, `ordering`, `timing`, `missing` (frames and their times), `series` (what is a perfusion series), `decoding`,
`pixels`, `voxels` (one array), `loading` (a series with the origin of every fact). No patient data leaves it.
"""

from PyPeTLib.io.dicom.loading import load_dicom
from PyPeTLib.io.dicom.marks import is_dicom
from PyPeTLib.io.dicom.series import DicomSeries, find_series

__all__ = ["DicomSeries", "find_series", "is_dicom", "load_dicom"]

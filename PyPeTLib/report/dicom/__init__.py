"""A run as DICOM objects in the patient's study: Parametric Maps, Segmentations and a Secondary Capture.

================  =========================================================================
`export`          all files of a run: `export_dicom`, `check_exportable`
`content`         what of a run is exported
`codes`           quantities, units and segments in the terms of DICOM, UCUM and SNOMED CT
`planes`          where the planes lie
`source`          what the source files tell
`referring`       references to them
`identity`        patient and study, unique identifiers, dates
`frames`          planes as highdicom takes them
`parametric_map`  maps
`segmentation`    masks and lesions
`capture`         the summary page
================  =========================================================================

Needs highdicom and pydicom, both only once something is exported.
"""

from PyPeTLib.report.dicom.export import check_exportable, export_dicom

__all__ = ["check_exportable", "export_dicom"]

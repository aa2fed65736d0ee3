"""Secondary Capture (PS3.3, A.8.1): the summary page as a colour picture."""

from __future__ import annotations

import highdicom as hd
import numpy as np
import numpy.typing as npt

from PyPeTLib.report.dicom.identity import RESEARCH, equipment, signed, stand_in
from PyPeTLib.report.dicom.source import Source


def capture(picture: npt.NDArray[np.uint8], source: Source, offset: int) -> hd.sc.SCImage:
    """A picture as a Secondary Capture.

    It is said to hold burnt-in annotation: the page has the name of the series on it, which is that of a file or
    folder, and the patient may be found by that. It is no plane of the patient, so it has no orientation; the sides
    are written above the tiles.
    """
    made = hd.sc.SCImage.from_ref_dataset(
        stand_in(source),
        np.ascontiguousarray(picture),
        hd.PhotometricInterpretationValues.RGB,
        bits_allocated=8,
        coordinate_system=hd.CoordinateSystemNames.PATIENT,
        patient_orientation=("L", "P"),
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        **equipment(source, offset, "summary"),
    )
    made.PatientOrientation = []
    made.BodyPartExamined = "BRAIN"
    made.ConversionType = hd.sc.ConversionTypeValues.WSD.value
    made.BurnedInAnnotation = "YES"
    made.RecognizableVisualFeatures = "NO"
    made.DerivationDescription = f"Page of perfusion maps with text and colour bars, not for measuring; {RESEARCH}"
    signed(made, source)
    return made

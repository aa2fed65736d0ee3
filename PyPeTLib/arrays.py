"""Array types used in annotations.

Volumes are float32, curves and small matrices float64, masks bool; time is the last axis.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]
Volume = npt.NDArray[np.float32]
Curve = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.intp]
LabelVolume = npt.NDArray[np.uint8]

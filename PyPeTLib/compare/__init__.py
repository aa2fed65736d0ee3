"""Maps side by side: a generated map against a reference of the same quantity, on any grid.

* `maps`: the whole comparison, from two images to a `Comparison`; `model`: what goes in and comes out
* `validity`: where a map holds values; `resampling`: the reference on the generated map's grid
* `units`: what units maps may have; `normalisation`: absolute or relative values
* `same_head`: whether both show the same head
* `metrics`: figures of agreement; `similarity`: the structural similarity index, in the brain and as in the paper
* `agreement`: Bland-Altman plot and joint histogram; `rows`: several comparisons as one table
* `pairing`: which names of maps belong together; `reading`, `files`: maps from NIfTI files, with their sidecars
* `scan`: all maps of a scan against their references; `outcome`: what comes of it; `overlap`: two masks
* `records`, `cohort`: figures of many scans as tables; `runs`: two runs over the same scans; `statistics`
* `territories`, `labelmaps`: regions of a labelmap; `geometric_territories`: nine of them where there is no atlas
* `fidelity`, `fidelity_tables`: how well an estimated image reproduces the real one
* `correlations`, `scores`: figures against clinical scores
* `text`: figures as lines, for terminals
"""

from PyPeTLib.compare.agreement import BlandAltman, JointHistogram, bland_altman, joint_histogram
from PyPeTLib.compare.cohort import cohort_tables
from PyPeTLib.compare.maps import compare_maps
from PyPeTLib.compare.metrics import METRICS, Metric
from PyPeTLib.compare.model import CompareOptions, Comparison, Coverage, MapImage
from PyPeTLib.compare.normalisation import NORMALISATIONS
from PyPeTLib.compare.outcome import ReferenceComparison
from PyPeTLib.compare.pairing import NameReading, Pair, Pairing, pair_by_name, quantity_of_name, read_name
from PyPeTLib.compare.reading import read_map
from PyPeTLib.compare.resampling import INTERPOLATIONS
from PyPeTLib.compare.rows import Row, Table, table
from PyPeTLib.compare.runs import paired_tables
from PyPeTLib.compare.same_head import OtherHeadError
from PyPeTLib.compare.scan import LesionRules, compare_references
from PyPeTLib.compare.units import UNITS, convert
from PyPeTLib.compare.validity import BACKGROUNDS

__all__ = [
    "BACKGROUNDS",
    "INTERPOLATIONS",
    "METRICS",
    "NORMALISATIONS",
    "UNITS",
    "BlandAltman",
    "CompareOptions",
    "Comparison",
    "Coverage",
    "JointHistogram",
    "LesionRules",
    "MapImage",
    "Metric",
    "NameReading",
    "OtherHeadError",
    "Pair",
    "Pairing",
    "ReferenceComparison",
    "Row",
    "Table",
    "bland_altman",
    "cohort_tables",
    "compare_maps",
    "compare_references",
    "convert",
    "joint_histogram",
    "pair_by_name",
    "paired_tables",
    "quantity_of_name",
    "read_map",
    "read_name",
    "table",
]

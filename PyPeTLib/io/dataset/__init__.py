"""Datasets: which perfusion scans lie in a folder, and which masks, reference maps and facts belong to each.

* `model`: what is found; `find`: the way through a dataset; `names`: what the names of folders and files say
* `listing`: folders with their oddities told; `series`: the scans of a session; `dicom_folders`: those in DICOM files
* `belongings`: masks and reference maps; `facts`: what sidecars in the folders above say
"""

from PyPeTLib.io.dataset.find import find_scans
from PyPeTLib.io.dataset.model import Layout, Scan

__all__ = ["Layout", "Scan", "find_scans"]

"""One scan from file to folder: what ``pypet run`` does for a series, and ``pypet batch`` for each of a dataset.

==========  =========================================================================
`model`     `Job`: the scan, the options, and what is to be written
`inputs`    what a job reads: the series, masks, curves; what of it is kept on record
`perform`   the job itself: load, analyse, write whole or not at all
`products`  what is made of the maps: lesions, comparison, territories, reports
==========  =========================================================================
"""

from PyPeTLib.job.model import INPUT_KEYS, POPULATION, Job, Outputs
from PyPeTLib.job.perform import perform

__all__ = ["INPUT_KEYS", "POPULATION", "Job", "Outputs", "perform"]

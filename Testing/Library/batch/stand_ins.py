"""Work that takes no time in place of the analysis of a scan; imported by the processes of the tests as well.

What it does stands in the series itself: ``fine``, ``slow SECONDS``, ``input``, ``fault``, ``kill``, or
``kill-once FILE``, where the file is made first.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import time
from pathlib import Path

from PyPeTLib.errors import InputError
from PyPeTLib.io import OutputFolder

SUMMARY = {
    "software": "PyPeT",
    "input": {
        "file": "series",
        "modality": "ctp",
        "shape": [2, 2, 2, 3],
        "frames": 3,
        "frame_interval_s": [1.0, 1.0],
        "sources": {"frame_times": "the header"},
    },
    "motion": {"largest_displacement_mm": 0.25, "corrected": True},
    "brain": {"volume_ml": 1200.0, "notes": []},
    "bolus": {"found": False},
    "aif": {"source": "none"},
    "flags": [],
    "maps": {},
}


def perform(job):
    """Write a folder as an analysis does, and leave the job's digest in it."""
    what, *arguments = job.series.read_text().split()
    if what == "input":
        raise InputError(f"{job.series}: this is no image. Export it again.")
    if what == "kill-once" and not Path(arguments[0]).exists():
        Path(arguments[0]).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    with OutputFolder(job.out, overwrite=job.overwrite) as folder:
        (folder / f"{job.prefix}cbf.txt").write_text(f"{job.series.read_text()} {dict(job.tables)}")
        if what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "fault":
            return {}["no such key"]
        if what == "slow":
            time.sleep(float(arguments[0]))
        (folder / "summary.json").write_text(json.dumps({**SUMMARY, "scan": dict(job.scan), "digest": job.digest}))
    return SUMMARY


def noted(job):
    """The same, with a line in a file beside the dataset for each time that a scan is worked on."""
    with (job.series.parents[2] / "worked.txt").open("a") as file:
        file.write(f"{job.name}\n")
    return perform(job)


if __name__ == "__main__":
    from PyPeTLib.batch.study import Machine, run_study

    given = argparse.ArgumentParser()
    given.add_argument("dataset", type=Path)
    given.add_argument("out", type=Path)
    given.add_argument("--jobs", type=int)
    options = given.parse_args()
    run_study(options.dataset, options.out, resume=True, machine=Machine(jobs=options.jobs), work=perform)

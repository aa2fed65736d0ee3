"""What the Slicer side of a run costs, as a program for `slicer_side`, run in an environment with slicer-core.

Makes the CTP head as a sequence node, then measures what is not the library's work: sequence to array before the
pipeline, nodes to scene after it. Prints, as JSON, the seconds and peak memory in bytes of each, and the bytes of the
series as float32.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in ("Testing", "PyPeT", ".", "Testing/Benchmarks")]

from host import Host  # noqa: E402 - after the path is set

HOST = Host.start()

from stages import Stages  # noqa: E402 - after the host has started

from PyPeTLib.pipeline import run_pipeline  # noqa: E402
from PyPeTLib.series import Modality  # noqa: E402
from PyPeTSlicer import sequences, timing  # noqa: E402
from PyPeTSlicer.outputs import OutputNodes, write_outputs  # noqa: E402
from PyPeTSlicer.sample_data import add_phantom  # noqa: E402


def main() -> None:
    sequence = add_phantom("ctp", "Head", seed=0)
    times, _ = timing.frame_times(timing.SequenceFacts.of(sequence))
    gc.collect()
    stages = Stages()
    stages.begin("before")
    stages.begin("sequence to array")
    loaded = sequences.read_sequence(
        sequence, modality=Modality.CTP, frame_times=times, echo_time=None, sources={"frame_times": "index"}
    )
    stages.begin("pipeline")
    result = run_pipeline(loaded.series)
    stages.begin("nodes to scene")
    proxy = sequences.proxy_of(sequence)
    write_outputs(result, loaded, sequence=sequence, proxy=proxy, wanted=OutputNodes(), given=set())
    stages.end()
    print(json.dumps({"seconds": stages.seconds, "peaks": stages.peaks, "series": loaded.series.array().nbytes}))


if __name__ == "__main__":
    main()

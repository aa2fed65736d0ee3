"""What stands between 3D Slicer's nodes and PyPeTLib, one room each; a room is imported when it is first used.

The way of the data::

    loading            a 4D file becomes a sequence node
    timing             frame times, echo time and modality, from the attributes of a sequence
    parameters         what the panel's choices mean: proposals, what is missing, the run they ask for
    sequences          a sequence node becomes a PerfusionSeries
    sequence_files     the same from a file, for scripts
    segments           segments become masks, masks become segments
    running            one run: nodes in, pipeline, nodes out or nothing
    outputs            all nodes of a run, together or not at all: volumes, colours, curves
    nodes              what they share
    batch              the same from a script
    sample_data        phantoms
    self_test          the module's own tests

The panel: `binding`, `option_form` and `segment_combos` are for widgets, `following` for what one choice means for
others, `reporting` and `words` for messages. Only these know Qt.
"""

import importlib
from typing import Any

_ROOMS = (
    "batch",
    "binding",
    "colours",
    "curves",
    "following",
    "loading",
    "nodes",
    "option_form",
    "outputs",
    "parameters",
    "reporting",
    "running",
    "sample_data",
    "segment_combos",
    "segments",
    "self_test",
    "sequence_files",
    "sequences",
    "timing",
    "volumes",
    "words",
)


def __getattr__(name: str) -> Any:
    # Slicer imports all modules when it starts; numpy and scipy wait until the panel is opened
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

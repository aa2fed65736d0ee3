"""What stands between 3D Slicer's nodes and PyPeTLib, one room each; a room is imported when it is first used.

The way of the data::

    loading            a 4D file becomes a sequence node
    dicom_loading      a series of DICOM files does
    timing             frame times, echo time and modality, from the attributes of a sequence
    parameters         what the panel's choices mean: proposals, what is missing, the run they ask for
    presets            choices that go together, as files
    sequences          a sequence node becomes a PerfusionSeries
    sequence_files     the same from a file, for scripts
    segments           segments become masks, masks become segments
    running            one run: nodes in, pipeline, nodes out or nothing
    session            what stays in memory of it, so that the next run begins where its inputs differ
    outputs            all nodes of a run, together or not at all: volumes, colours, curves, lesion_nodes
    nodes, plots       what they share (with mark_segments)
    batch              the same from a script
    sample_data        phantoms
    self_test          the module's own tests

What follows a run::

    views              layouts of slice views, plots and tables, and the user's own layout given back
                       (with drawn_segments)
    review             the steps of a run, each as an arrangement of views
    steering           what the user corrects: artery, vein, brain
    probe              curves and values at the mouse, at points and in segments (with probe_nodes, probe_output)
    references         which volumes are references: paired by name, or loaded
    comparison         maps of a run against them: nodes in, the library's comparison, nodes out or nothing
                       (with comparison_nodes, comparison_looks, comparison_charts, comparison_views)

Beside it, without a run::

    synthesis          MRI volumes and a trained model become a predicted PET, compared with a real one where there is
                       one (with synthesis_parameters, synthesis_nodes, synthesis_looks, synthesis_table,
                       synthesis_views)

The panel is made of `sections`: `preset_section`, `review_section`, `steer_section`, `probe_section`,
`compare_section` and, in a tab of its own, `synthesis_section`, each with a .ui file; `load_section` is for the buttons
that load. `binding`, `choices`, `option_form` and `segment_combos` are for widgets, `following` for what one choice
means for others, `reporting` and `words` for messages. Only these know Qt.
"""

import importlib
from typing import Any

_ROOMS = (
    "batch",
    "binding",
    "choices",
    "colours",
    "compare_section",
    "comparison",
    "comparison_charts",
    "comparison_looks",
    "comparison_nodes",
    "comparison_views",
    "curves",
    "dicom_loading",
    "drawn_segments",
    "following",
    "lesion_nodes",
    "load_section",
    "loading",
    "mark_segments",
    "nodes",
    "option_form",
    "outputs",
    "parameters",
    "plots",
    "preset_section",
    "presets",
    "probe",
    "probe_nodes",
    "probe_output",
    "probe_section",
    "references",
    "reporting",
    "review",
    "review_section",
    "running",
    "sample_data",
    "sections",
    "segment_combos",
    "segments",
    "self_test",
    "sequence_files",
    "sequences",
    "session",
    "steer_section",
    "steering",
    "synthesis",
    "synthesis_looks",
    "synthesis_nodes",
    "synthesis_parameters",
    "synthesis_section",
    "synthesis_table",
    "synthesis_views",
    "timing",
    "views",
    "volumes",
    "words",
)


def __getattr__(name: str) -> Any:
    # Slicer imports all modules when it starts; numpy and scipy wait until the panel is opened
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""What stands between 3D Slicer's nodes and PyPeTLib, one room each; only `option_form` knows Qt.

The way of the data::

    loading            a 4D file becomes a sequence node
    timing             frame times, echo time and modality, from the attributes of a sequence
    sequences          a sequence node becomes a PerfusionSeries
    segments           segments become masks, masks become segments
    running            one run: nodes in, pipeline, nodes out or nothing
    outputs            volumes, curves, tables and their folder, all of them or none
    words              the library's messages in the words of the panel
    binding            widgets and parameters follow each other
    option_form        the advanced options as widgets
    batch              the same from a script
"""

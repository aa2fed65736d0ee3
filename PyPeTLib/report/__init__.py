"""Files and figures of a run.

==========  ==========================================================================================
`results`   maps, masks, tables and summary as files
`figures`   all figures of a run as PNG files: `write_figures`
`montages`  pages of slices: maps, summary, brain mask
`lesions`   where the lesions lie: their outlines on the maps that show them
`artery`    the arterial input function: its place, its curves, its rivals
`curves`    curves over time: bolus and motion
`page`      text and pictures on a page, PNG files
`colours`   the palette, windows and colour scales
`mosaic`    slices on pixels: radiological sides, real proportions
==========  ==========================================================================================
"""

from PyPeTLib.report.figures import write_figures

__all__ = ["write_figures"]

"""What a run knows of one place or region: its curves, what the deconvolution makes of them, the values of all maps.

=========  ===========================================================
`reading`  what is read
`curves`   the curves that a run kept, by voxel
`arteries` the arteries of a run, each ready to deconvolve a curve
`probe`    `Probe`: a run that can be asked
=========  ===========================================================
"""

from PyPeTLib.probing.probe import Probe
from PyPeTLib.probing.reading import Deconvolved, MapValue, Reading, RegionReading, RegionValue

__all__ = ["Deconvolved", "MapValue", "Probe", "Reading", "RegionReading", "RegionValue"]

"""Truth: curves, tiles and heads whose perfusion is known.

* `bolus`: arterial input and venous output; `kinetics`: residue functions, exact tissue curves
* `tiles`: every combination of MTT, CBV and delay as one curve; `tile_volumes`: tiles as CT series
* `head`: CT and DSC heads; `head_options`: what can be asked for. They are put together from `placement` (grid and
  pose), `anatomy` (bone, CSF, grey and white matter), `waves` (smooth random fields), `vessels` and `raster` (tubes
  and their partial volume), `perfusion` (flow, volume, delay, lesion), `render` (concentration and signal) and
  `motion`
* `conditions`: disease, implants and artefacts that heads may have, painted with `canvas`; `face`: what hangs below the
  brain; `kinds`: heads that masks must cope with
* `faults`: heads with the faults of real series, from noise to a vein taken for the artery; `fault_steps`: what they do
* `pairs`: MRI and PET of heads with one lesion each, for synthesis
* `base`: what every phantom volume carries; `write`: phantoms as NIfTI files with their truth
"""

from PyPeTLib.phantom.base import Phantom
from PyPeTLib.phantom.bolus import Bolus, FineCurve, frame_times
from PyPeTLib.phantom.conditions import CONDITIONS
from PyPeTLib.phantom.head import HeadPhantom, make_head
from PyPeTLib.phantom.head_options import HeadOptions
from PyPeTLib.phantom.kinds import HEAD_KINDS, kind_options
from PyPeTLib.phantom.kinetics import RESIDUES, Residue, gamma_residue, peak_times, response, tissue_curve
from PyPeTLib.phantom.motion import RigidMotion, rigid_matrices
from PyPeTLib.phantom.placement import AFFINE_KINDS
from PyPeTLib.phantom.tile_volumes import TileVolume, make_gradient_tiles, make_kudo, tile_volume
from PyPeTLib.phantom.tiles import TilePhantom, make_tiles
from PyPeTLib.phantom.write import write_phantom

__all__ = [
    "AFFINE_KINDS",
    "CONDITIONS",
    "HEAD_KINDS",
    "RESIDUES",
    "Bolus",
    "FineCurve",
    "HeadOptions",
    "HeadPhantom",
    "Phantom",
    "Residue",
    "RigidMotion",
    "TilePhantom",
    "TileVolume",
    "frame_times",
    "gamma_residue",
    "kind_options",
    "make_gradient_tiles",
    "make_head",
    "make_kudo",
    "make_tiles",
    "peak_times",
    "response",
    "rigid_matrices",
    "tile_volume",
    "tissue_curve",
    "write_phantom",
]

"""Deconvolution: tissue curves and an arterial input function in, impulse responses' peak and time out.

=================  ==========================================================================================
`methods`          the registry, the options and what a method receives and returns
`sampling`         uniform time grid for the operators, interpolation from uneven frame times as a matrix
`svd`              truncated singular values: ``ssvd``, ``bsvd``, ``bsvd-simpson``, ``osvd``
`box`              ``box-nlr``: a box-shaped residue fitted by variable projection
`peak_height`      ``peak-height``: flow from the peak of the tissue curve, without deconvolution
`driver`           `deconvolve`: a method applied to all voxels in pieces
=================  ==========================================================================================

To add a method, write one function ``(Problem) -> Solver`` and register it in `methods.METHODS`
(``Docs/adding-a-method.md``).
"""

from PyPeTLib.deconvolution import box, peak_height, svd  # noqa: F401 - importing them registers their methods
from PyPeTLib.deconvolution.driver import deconvolve
from PyPeTLib.deconvolution.methods import METHODS, DeconvolutionOptions, Estimate, Problem, Solver

__all__ = ["METHODS", "DeconvolutionOptions", "Estimate", "Problem", "Solver", "deconvolve"]

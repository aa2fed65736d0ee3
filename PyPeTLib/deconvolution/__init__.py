"""Deconvolution: tissue curves and an arterial input function in, impulse responses' peak and time out.

=================  ==========================================================================================
`methods`          the registry, the options and what a method receives and returns
`sampling`         the uniform time grid on which AIFs are transformed
`response`         impulse responses: their lags, peak and rise, and methods that are one fixed matrix
`expected`         what is expected of responses and noise before a curve is seen
`circulant`        convolution on a circle, for any frame times
`svd`              truncated singular values: ``ssvd``, ``bsvd``, ``bsvd-simpson``
`osvd`             ``osvd``: a truncation for each voxel
`parameter_choice` rules for the strength of Tikhonov's regularisation: ``noise``, ``gcv``, ``lcurve``
`tikhonov`         ``tikhonov`` and ``wiener``: regularised inverses of the circulant convolution
`volterra`         ``volterra-tikhonov``: straight pieces between the frames, integrated exactly
`arterial_curve`   the input between its samples, for methods that shift and integrate it
`box`              ``box-nlr``: a box-shaped residue fitted by variable projection
`transit`          tissue curves of gamma-distributed and of equal transit times, and their prior
`dictionary`       these curves for one input: every delay, transit time and shape
`bayes`            ``gamma-bayes``: posterior means and standard deviations
`neighbourhoods`   what like neighbours in a slice say together
`spatial`          ``gamma-bayes-spatial``: neighbours that share delay and residue
`peak_height`      ``peak-height``: flow from the peak of the tissue curve, without deconvolution
`driver`           `deconvolve`: a method applied to all voxels in pieces
`supply`           what a run's options make of an artery and the tissue that it supplies
`modelled`         the impulse response behind an estimate, and the curve that it explains
=================  ==========================================================================================

To add a method, write one function ``(Problem) -> Solver`` and register it in `methods.METHODS`
(``Docs/adding-a-method.md``).
"""

# Importing a file registers its methods, in the order in which users see them.
from PyPeTLib.deconvolution import osvd  # noqa: F401 - with those of svd before it

# isort: split
from PyPeTLib.deconvolution import tikhonov, volterra  # noqa: F401

# isort: split
from PyPeTLib.deconvolution import box  # noqa: F401

# isort: split
from PyPeTLib.deconvolution import bayes, spatial  # noqa: F401

# isort: split
from PyPeTLib.deconvolution import peak_height  # noqa: F401

# isort: split
from PyPeTLib.deconvolution.driver import Deconvolution, deconvolve, noise_level
from PyPeTLib.deconvolution.methods import METHODS, DeconvolutionOptions, Estimate, Problem, Solver
from PyPeTLib.deconvolution.modelled import ImpulseResponse, modelled_response
from PyPeTLib.deconvolution.supply import Supply

__all__ = [
    "METHODS",
    "Deconvolution",
    "DeconvolutionOptions",
    "Estimate",
    "ImpulseResponse",
    "Problem",
    "Solver",
    "Supply",
    "deconvolve",
    "modelled_response",
    "noise_level",
]

"""How contrast in arterial blood relaxes the signal, which is not how contrast in tissue does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Curve
from PyPeTLib.registry import Registry

BloodConversion = Callable[[Curve, float], Curve]

ARTERIAL_RELAXIVITIES: Registry[BloodConversion] = Registry("arterial relaxivities")
"""Each takes ΔR2* of blood in 1/s and the tissue's relaxivity in 1/(s·mM), and returns the ΔR2* that tissue would show
at the concentration of the blood."""


@dataclass(frozen=True)
class QuadraticBlood:
    """``ΔR2* = a·C + b·C²`` of whole blood, with C in mM; ``a`` in 1/(s·mM) and ``b`` in 1/(s·mM²)."""

    a: float
    b: float

    def concentration(self, rates: Curve) -> Curve:
        """Concentration in mM at ΔR2* in 1/s.

        Noise below 0 is converted as above 0, with its sign, so that a baseline without contrast keeps the mean 0.
        """
        size = np.abs(rates)
        # the positive root, written so that small values lose no digits
        root = 2 * size / (self.a + np.sqrt(self.a**2 + 4 * self.b * size))
        return np.asarray(np.copysign(root, rates), np.float64)

    def __call__(self, rates: Curve, tissue_relaxivity: float) -> Curve:
        """ΔR2* in 1/s of tissue at the concentration of the blood."""
        return tissue_relaxivity * self.concentration(rates)


@ARTERIAL_RELAXIVITIES.register("linear", summary="arteries and tissue have the same relaxivity")
def linear(rates: Curve, tissue_relaxivity: float) -> Curve:  # noqa: ARG001 - it cancels
    """The curve as it is."""
    return rates


ARTERIAL_RELAXIVITIES.register(
    "quadratic-1.5t",
    summary="whole blood at 1.5 T: 7.62 C + 0.574 C² (C in mM)",
    source="van Osch et al. 2003, Magn Reson Med 49:1067; Calamante et al. 2009, doi:10.1002/mrm.21839",
)(QuadraticBlood(a=7.62, b=0.574))

ARTERIAL_RELAXIVITIES.register(
    "quadratic-3t",
    summary="whole blood at 3 T: 0.493 C + 2.62 C² (C in mM)",
    source="Calamante et al. 2009, doi:10.1002/mrm.21839",
)(QuadraticBlood(a=0.493, b=2.62))

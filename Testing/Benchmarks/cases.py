"""What is compared: every registered method with its default options, and one way from curves to quantities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

import numpy as np

from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.deconvolution import METHODS, DeconvolutionOptions, deconvolve
from PyPeTLib.execution import Execution, usable_cores
from PyPeTLib.quantification import QuantificationOptions, Quantities, quantify

CONSTANTS = QuantificationOptions()
QUANTITIES = ("cbf", "cbv", "mtt", "delay")
NO_VALUE = "–"

BLOCK = 6
"""Edge in voxels of the slice of equal curves, between empty ones, that a spatial method gets in place of a curve."""


VARIANTS = {"tikhonov": ({"regularisation": "gcv"}, {"regularisation": "lcurve"})}
"""Choices within a method that deserve rows of their own."""


def cases(trait: str | None = None) -> dict[str, DeconvolutionOptions]:
    """Methods, or those with a trait, and their options: the same in all tables, tuned to none of them."""
    found = {}
    for name in METHODS if trait is None else METHODS.with_trait(trait):
        found[name] = DeconvolutionOptions(method=name)
        for variant in VARIANTS.get(name, ()):
            found[f"{name}, {', '.join(variant.values())}"] = DeconvolutionOptions.from_mapping(
                {"method": name, **variant}
            )
    return found


def has_trait(options: DeconvolutionOptions, trait: str) -> bool:
    """Whether the method of these options has a trait."""
    return trait in METHODS.entry(options.method).traits


def quantities(
    curves: Volume,
    aif: Curve,
    times: Curve,
    options: DeconvolutionOptions,
    *,
    mask: Mask | None = None,
    constants: QuantificationOptions = CONSTANTS,
) -> Quantities:
    """Quantities of tissue curves of shape (voxels, t), on one thread; ``mask`` says where they lie in a volume."""
    estimate = deconvolve(curves, aif, times, options, Execution(threads=1), mask=mask)
    return quantify(curves, aif, times, estimate, constants)


def quantities_of_curves(
    curves: Volume,
    aif: Curve,
    times: Curve,
    options: DeconvolutionOptions,
    constants: QuantificationOptions = CONSTANTS,
) -> Mapping[str, Volume]:
    """Values of curves that lie in no volume; a spatial method gets each of them as a slice of equal ones."""
    if not has_trait(options, "spatial"):
        return quantities(curves, aif, times, options, constants=constants).values
    mask = np.zeros((BLOCK, BLOCK, 2 * len(curves)), bool)
    mask[:, :, ::2] = True
    blocks = np.tile(curves, (BLOCK**2, 1))
    found = quantities(blocks, aif, times, options, mask=mask, constants=constants).values
    return {name: values.reshape(-1, len(curves)).mean(axis=0) for name, values in found.items()}


def mean_errors(found: Mapping[str, Volume], truth: Mapping[str, Volume]) -> dict[str, float]:
    """Mean absolute errors of the quantities that were found."""
    return {name: float(np.abs(found[name] - truth[name]).mean()) for name in QUANTITIES if name in found}


def error_cell(errors: Mapping[str, float]) -> str:
    """Mean errors of CBF, CBV, MTT and delay as one cell of a table."""
    forms = {"cbf": ".1f", "cbv": ".2f", "mtt": ".2f", "delay": ".2f"}
    return " / ".join(format(errors[name], form) if name in errors else NO_VALUE for name, form in forms.items())


@contextmanager
def workers() -> Iterator[Executor]:
    """Processes, one for each core, that share the jobs of a table."""
    with ProcessPoolExecutor(usable_cores(), mp_context=get_context("spawn")) as pool:
        yield pool

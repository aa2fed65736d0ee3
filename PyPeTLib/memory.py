"""What the stages of a run made, kept so that the next run begins where its inputs differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

Product = TypeVar("Product")


class StageMemory:
    """The products of the last run's stages, each with all that it was made from.

    A stage whose inputs are the same is not run again. Options are the same if they are equal, masks and curves if they
    hold the same values; series and the products of earlier stages only if they are the very same objects, so that a
    stage that ran anew makes all behind it run anew. Each stage keeps one product, that of the last run.

    Attributes
    ----------
    ran : list of str
        The stages that the last run went through, in their order; those that were recalled are not among them.
    """

    def __init__(self) -> None:
        self.ran: list[str] = []
        self._kept: dict[str, tuple[tuple[Any, ...], Any]] = {}

    def begin(self) -> None:
        """A run begins."""
        self.ran = []

    def recall(self, stage: str, inputs: tuple[Any, ...], make: Callable[[], Product]) -> Product:
        """The product of a stage: that of the last run if its inputs are the same, else a new one, which is kept."""
        kept = self._kept.get(stage)
        if kept is not None and _same(kept[0], inputs):
            found: Product = kept[1]
            return found
        # what is replaced makes room before the new product is made
        del kept
        self._kept.pop(stage, None)
        self.ran.append(stage)
        product = make()
        self._kept[stage] = (inputs, product)
        return product

    def forget(self) -> None:
        """Let go of all products."""
        self._kept.clear()


class NoMemory(StageMemory):
    """Keeps nothing, so that what a run has done with is given back at once."""

    def recall(self, stage: str, inputs: tuple[Any, ...], make: Callable[[], Product]) -> Product:  # noqa: ARG002
        """A new product."""
        self.ran.append(stage)
        return make()


def _same(one: Any, other: Any) -> bool:
    """Whether two inputs of a stage are the same; see `StageMemory`."""
    if one is other:
        return True
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return isinstance(one, np.ndarray) and isinstance(other, np.ndarray) and np.array_equal(one, other)
    return bool(type(one) is type(other) and one == other)

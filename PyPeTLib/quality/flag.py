"""What a flag is, and the one table of all kinds of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum

from PyPeTLib.registry import Registry


class Severity(StrEnum):
    """How much a flag matters."""

    NOTE = "note"
    """Good to know."""
    WARNING = "warning"
    """The maps may be off; look before using them."""
    FAILURE = "failure"
    """The maps hold no usable values."""


@dataclass(frozen=True, kw_only=True)
class Flag:
    """One finding: what was measured, against which threshold, and what it means.

    ``value`` and ``threshold`` are in ``unit``. The ``message`` says what was found and what to do.
    """

    code: str
    severity: Severity
    message: str
    value: float
    threshold: float
    unit: str

    @property
    def number(self) -> str:
        """Value and threshold in words: ``43 %, at most 30 %``."""
        bound = "at most" if self.value > self.threshold else "at least"
        return f"{_with_unit(self.value, self.unit)}, {bound} {_with_unit(self.threshold, self.unit)}"

    @property
    def text(self) -> str:
        """The message with its numbers."""
        return f"{self.message} [{self.code}: {self.number}]"


@dataclass(frozen=True, kw_only=True)
class FlagKind:
    """A kind of flag: what is measured and how far it may go.

    Attributes
    ----------
    code : str
    severity : Severity
    meaning : str
        What is measured.
    unit : str
        Of the value; empty for plain numbers.
    least, most : float
        A value below the one or above the other raises the flag. Infinite where there is no such limit.
    basis : str
        Why the threshold is where it is: a source or an experiment.
    """

    code: str
    severity: Severity
    meaning: str
    unit: str = ""
    least: float = -math.inf
    most: float = math.inf
    basis: str = field(default="")

    @property
    def limits(self) -> str:
        """The range of values that raise no flag, in words."""
        if math.isinf(self.least):
            return f"at most {_with_unit(self.most, self.unit)}"
        if math.isinf(self.most):
            return f"at least {_with_unit(self.least, self.unit)}"
        return f"{self.least:g} to {_with_unit(self.most, self.unit)}"

    def check(self, value: float, message: str, *, least: float | None = None, most: float | None = None) -> list[Flag]:
        """The flag if the value lies outside its limits, as a list that can be added to others.

        Parameters
        ----------
        value : float
            In the kind's unit. One that is not a number is outside.
        message : str
            What was found and what to do.
        least, most : float, optional
            Limits in place of the kind's, where an option sets them.
        """
        lowest, highest = self.least if least is None else least, self.most if most is None else most
        if lowest <= value <= highest:
            return []
        broken = lowest if value < lowest or math.isinf(highest) else highest
        number = float(value) if math.isfinite(value) else math.copysign(_BEYOND, value)
        return [
            Flag(
                code=self.code,
                severity=self.severity,
                message=message,
                value=number,
                threshold=float(broken),
                unit=self.unit,
            )
        ]


FLAGS: Registry[FlagKind] = Registry("flags")
"""Every kind of flag there is."""

_BEYOND = 1e9
"""Stands for what is infinite or no number, which JSON does not know."""


def flag_kind(
    code: str,
    severity: Severity,
    meaning: str,
    *,
    unit: str = "",
    least: float = -math.inf,
    most: float = math.inf,
    basis: str,
) -> FlagKind:
    """A kind of flag, entered into the table; see `FlagKind`."""
    kind = FlagKind(code=code, severity=severity, meaning=meaning, unit=unit, least=least, most=most, basis=basis)
    return FLAGS.register(code, summary=meaning, source=basis)(kind)


def flag_table() -> list[tuple[str, str, str, str, str]]:
    """Code, severity, meaning, limits and their basis of every flag, for documentation."""
    kinds = sorted(FLAGS.values(), key=lambda kind: kind.code)
    return [(kind.code, kind.severity.value, kind.meaning, kind.limits, kind.basis) for kind in kinds]


def _with_unit(value: float, unit: str) -> str:
    return f"{value:.3g} {unit}".rstrip()

"""Options that know their unit, range and help text, and are checked when they are made.

Each stage of the pipeline keeps its options in a frozen dataclass derived from `Options`, written with
`option`. The configuration file, the command line, the documentation and the Slicer panel read the same
fields, so an option is described once.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self, cast, get_type_hints

from PyPeTLib.errors import InputError
from PyPeTLib.registry import Registry

Choices = Sequence[str] | Registry[Any] | Callable[[], Registry[Any]] | None


def option(
    default: Any,
    help: str,  # noqa: A002 - as argparse and click name it
    *,
    unit: str = "",
    minimum: float = -math.inf,
    maximum: float = math.inf,
    choices: Choices = None,
) -> Any:
    """A dataclass field with its meaning, unit and permitted values.

    ``choices`` may be a registry (or a function that returns one which is defined further down): then aliases
    are accepted and stored under the canonical name.
    """
    return dataclasses.field(
        default=default,
        metadata={"help": help, "unit": unit, "minimum": minimum, "maximum": maximum, "choices": choices},
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Base of all option groups: values are checked, and turned into their type, on construction."""

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for field in dataclasses.fields(self):
            if field.metadata:
                value = _checked(field, hints[field.name], getattr(self, field.name))
                object.__setattr__(self, field.name, value)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], *, where: str = "") -> Self:
        """Options from a (TOML) table; names that do not exist are refused, not dropped."""
        fields = {field.name: field for field in dataclasses.fields(cls)}
        hints = get_type_hints(cls)
        arguments: dict[str, Any] = {}
        for name, value in values.items():
            if name not in fields:
                known = ", ".join(fields)
                raise InputError(f"unknown option {where + name!r}; known here: {known}")
            group = hints[name]
            if isinstance(group, type) and issubclass(group, Options):
                if not isinstance(value, Mapping):
                    raise InputError(f"{where + name!r} must be a table of options, found {value!r}")
                arguments[name] = group.from_mapping(value, where=f"{where}{name}.")
            else:
                arguments[name] = value
        return cls(**arguments)

    def to_mapping(self) -> dict[str, Any]:
        """All options as a nested table, in the order of their definition."""
        return {
            field.name: value.to_mapping() if isinstance(value, Options) else value
            for field in dataclasses.fields(self)
            for value in (getattr(self, field.name),)
        }


def _checked(field: dataclasses.Field[Any], kind: Any, value: Any) -> Any:
    name, meta = field.name, field.metadata
    unit = f" {meta['unit']}" if meta["unit"] else ""
    if kind is bool:
        if not isinstance(value, bool):
            raise InputError(f"option {name!r} must be true or false, found {value!r}")
        return value
    if kind in (int, float):
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or (kind is int and not (math.isfinite(value) and value == int(value)))
        ):
            raise InputError(f"option {name!r} must be {_NUMBERS[kind]}{unit and ' in'}{unit}, found {value!r}")
        if not meta["minimum"] <= value <= meta["maximum"]:
            raise InputError(
                f"option {name!r} must lie between {meta['minimum']:g} and {meta['maximum']:g}{unit}, found {value!r}"
            )
        return kind(value)
    if not isinstance(value, str):
        raise InputError(f"option {name!r} must be a text, found {value!r}")
    choices = meta["choices"]() if callable(meta["choices"]) else meta["choices"]
    if isinstance(choices, Registry):
        return choices.entry(value).name
    if choices is not None and value not in choices:
        raise InputError(f"option {name!r} must be one of {', '.join(choices)}; found {value!r}")
    return value


_NUMBERS = {int: "a whole number", float: "a number"}


def described(options: type[Options]) -> list[tuple[str, str, str, Any]]:
    """``(name, unit, help, default)`` of every option of a group, for help texts and documentation."""
    return [
        (field.name, cast("str", field.metadata["unit"]), cast("str", field.metadata["help"]), field.default)
        for field in dataclasses.fields(options)
        if field.metadata
    ]

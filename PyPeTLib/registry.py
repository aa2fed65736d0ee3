"""One kind of registry for every family of interchangeable functions.

The command line's choices, the combo boxes of the Slicer panel, ``pypet methods`` and the parametrised
tests all read the same registries, so adding a method is one function with one decorator.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from PyPeTLib.errors import UnknownNameError

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Entry(Generic[T]):
    """A registered function with what a user needs to know to choose it."""

    name: str
    item: T
    summary: str
    source: str
    aliases: tuple[str, ...]
    traits: frozenset[str]


class Registry(Mapping[str, T], Generic[T]):
    """Named functions of one family; looking up an unknown name lists the known ones.

    Parameters
    ----------
    family : str
        What the entries are, in the plural, as error messages name them: ``"deconvolution methods"``.
    """

    def __init__(self, family: str) -> None:
        self.family = family
        self._entries: dict[str, Entry[T]] = {}
        self._aliases: dict[str, str] = {}

    def register(
        self,
        name: str,
        *,
        summary: str,
        source: str = "",
        aliases: tuple[str, ...] = (),
        traits: tuple[str, ...] = (),
    ) -> Callable[[T], T]:
        """Decorator that adds a function under a name.

        Parameters
        ----------
        name : str
            The canonical name: lower case, words joined by hyphens.
        summary : str
            One line for users.
        source : str
            Where the method comes from (authors, year, DOI).
        aliases : tuple of str
            Other names that find the same entry.
        traits : tuple of str
            Properties that callers and tests may ask for, such as ``"delay-insensitive"``.
        """

        def add(item: T) -> T:
            for key in (name, *aliases):
                if key.casefold() in self._aliases:
                    raise ValueError(f"{self.family}: the name {key!r} is taken")
                self._aliases[key.casefold()] = name
            self._entries[name] = Entry(
                name=name, item=item, summary=summary, source=source, aliases=aliases, traits=frozenset(traits)
            )
            return item

        return add

    def entry(self, name: str) -> Entry[T]:
        """The entry with this name or alias (letter case does not matter)."""
        canonical = self._aliases.get(name.casefold())
        if canonical is None:
            known = ", ".join(self._entries)
            close = difflib.get_close_matches(name.casefold(), self._aliases, n=1)
            hint = f" Did you mean {self._aliases[close[0]]!r}?" if close else ""
            raise UnknownNameError(f"{name!r} is not among the {self.family}: {known}.{hint}")
        return self._entries[canonical]

    def entries(self) -> tuple[Entry[T], ...]:
        """All entries in the order of their registration."""
        return tuple(self._entries.values())

    def with_trait(self, trait: str) -> tuple[str, ...]:
        """Names of the entries that have a trait."""
        return tuple(entry.name for entry in self.entries() if trait in entry.traits)

    def __getitem__(self, name: str) -> T:
        return self.entry(name).item

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

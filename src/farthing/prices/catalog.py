"""The built-in price data (``catalog.json``, see ``bake``) and which of its entries a model's name means."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Literal

import msgspec

from farthing.types import Api

Steps = tuple[tuple[int, str], ...]
"""Prices by size of the prompt: (more than so many tokens, dollars), ascending; the first holds from 0 on."""

VENDORS = ("openai", "anthropic")
"""Ids that are APIs as much as sellers: whatever speaks the API may stand behind an endpoint of that name."""

LONGEST_NAME = 256


class Clause(msgspec.Struct, frozen=True, array_like=True):
    """A condition on a name in lower case."""

    op: Literal["=", "^", "$", "*", "~", "|", "&"]
    text: str = ""
    parts: tuple[Clause, ...] = ()

    def holds(self, name: str) -> bool:
        return _TESTS[self.op](self, name)


_TESTS: Mapping[str, Callable[[Clause, str], bool]] = {
    "=": lambda clause, name: name == clause.text,
    "^": lambda clause, name: name.startswith(clause.text),
    "$": lambda clause, name: name.endswith(clause.text),
    "*": lambda clause, name: clause.text in name,
    "~": lambda clause, name: re.search(clause.text, name) is not None,
    "|": lambda clause, name: any(part.holds(name) for part in clause.parts),
    "&": lambda clause, name: all(part.holds(name) for part in clause.parts),
}


class Period(msgspec.Struct, frozen=True):
    """Prices in dollars per million tokens (web searches, requests: per thousand), and when they hold.

    ``tier`` is ``None`` for the standard price; a tier's prices replace the standard ones class by class.
    """

    prices: dict[str, str | Steps]
    since: date | None = None
    window: tuple[int, int] | None = None
    """Daily hours, in seconds of the UTC day; may run over midnight."""
    tier: str | None = None


class Model(msgspec.Struct, frozen=True):
    """One entry. Of the periods that hold at a time the last one counts; if none does, the first."""

    id: str
    match: Clause
    periods: tuple[Period, ...]
    context: int | None = None
    """Tokens."""


class Shelf(msgspec.Struct, frozen=True, dict=True):
    """What one provider sells. The models are decoded when they are first asked for."""

    id: str
    models: msgspec.Raw
    match: Clause | None = None
    """Names of endpoints that are this provider."""
    serves: Clause | None = None
    """Names of models that are this provider's own."""
    borrows: tuple[str, ...] = ()
    """Providers whose models it sells at their prices."""

    @cached_property
    def entries(self) -> tuple[Model, ...]:
        return msgspec.json.decode(self.models, type=tuple[Model, ...])

    def find(self, name: str) -> Model | None:
        return next((model for model in self.entries if model.match.holds(name)), None)


class Found(msgspec.Struct, frozen=True):
    """An entry, whose it is, and the provider that the endpoint itself is known to be."""

    shelf: str
    model: Model
    host: str | None
    borrowed: bool = False
    """A reseller's list has no entry; the maker's price is taken. Its tiers need not be the reseller's."""


class Catalog(msgspec.Struct, frozen=True):
    source: str
    """For example ``genai-prices 0.2.3``."""
    shelves: tuple[Shelf, ...]
    taken: date | None = None
    """The day on which the data was taken over."""

    def shelf(self, name: str) -> Shelf | None:
        return next((shelf for shelf in self.shelves if shelf.id == name), None)

    def host(self, provider: str) -> Shelf | None:
        """The provider that an endpoint's name in the configuration stands for, if it says so."""
        name = provider.lower()
        if (exact := self.shelf(name)) is not None:
            return exact
        return next((shelf for shelf in self.shelves if shelf.match is not None and shelf.match.holds(name)), None)

    def find(self, provider: str, api: Api, model: str) -> Found | None:
        """The entry that prices a model at an endpoint: the endpoint's own list, else the API's vendor, else the
        model's maker. A known reseller's missing entry is not guessed from somebody else's list.
        """
        if not model or len(model) > LONGEST_NAME:
            return None
        host = self.host(provider)
        for name in spellings(model):
            for shelf in self._candidates(host, api, name):
                if (found := self._on(shelf, name, host)) is not None:
                    return found
        return self._by_prefix(provider, api, model, host)

    def _candidates(self, host: Shelf | None, api: Api, name: str) -> Iterator[Shelf]:
        if host is not None:
            yield host
            if host.id not in VENDORS:
                return
        if (vendor := self.shelf(api)) is not None and vendor is not host:
            yield vendor
        makers = [shelf for shelf in self.shelves if shelf.serves is not None and shelf.serves.holds(name)]
        if len(makers) == 1:
            yield makers[0]

    def _on(self, shelf: Shelf, name: str, host: Shelf | None) -> Found | None:
        known = None if host is None else host.id
        if (model := shelf.find(name)) is not None:
            return Found(shelf.id, model, known)
        for other in filter(None, map(self.shelf, shelf.borrows)):
            if (model := other.find(name)) is not None:
                return Found(other.id, model, known, borrowed=True)
        return None

    def _by_prefix(self, provider: str, api: Api, model: str, host: Shelf | None) -> Found | None:
        """``openai/gpt-4o``: the part before the slash names the seller, unless the endpoint is known to be another."""
        prefix, slash, rest = model.partition("/")
        if not slash or not rest:
            return None
        if prefix == "models":  # Gemini's way of naming a model
            return self.find(provider, api, rest)
        named = self.host(prefix) if host is None or host.id in VENDORS else host
        return None if named is None else self.find(named.id, api, rest)


_COMPACT_DATE = re.compile(r"-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)")


def spellings(model: str) -> tuple[str, ...]:
    """The name in lower case, and with its date as OpenAI writes it (``-20251211`` → ``-2025-12-11``)."""
    name = model.lower()
    dashed = _COMPACT_DATE.sub(r"-\1-\2-\3", name)
    return (name,) if dashed == name else (name, dashed)


def load() -> Catalog:
    """The catalogue of the package: about half a megabyte, of which only what is asked for is decoded."""
    return msgspec.json.decode(Path(__file__).with_name("catalog.json").read_bytes(), type=Catalog)

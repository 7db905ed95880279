"""What a model can do: which entry of ``capabilities.json`` (see ``bake_models``) a model's name means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal

import msgspec

from farthing.prices.catalog import LONGEST_NAME, Catalog, spellings
from farthing.types import Api

FILE = Path(__file__).with_name("capabilities.json")

Schema = Literal["native", "tool", "none"]
"""How a model keeps to a JSON schema: by a field of its API, by a tool that it is made to call, or not at all."""
Thinks = Literal["adaptive", "budget", "effort", "none"]
"""How a model is told to think: as it sees fit, by a budget of tokens, by an effort, or not at all."""
Endpoint = Literal["chat", "responses", "messages", "embeddings"]


class Capabilities(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a model can do. ``None`` is unknown, and never means no. Sizes are in tokens."""

    context: int | None = None
    max_output: int | None = None
    tools: bool | None = None
    parallel_tools: bool | None = None
    images: bool | None = None
    documents: bool | None = None
    """PDF."""
    audio: bool | None = None
    """In the prompt."""
    json_schema: Schema | None = None
    json_object: bool | None = None
    thinking: Thinks | None = None
    sampling: bool | None = None
    """Whether it takes ``temperature``, ``top_p`` and ``top_k``."""
    cache_minimum: int | None = None
    """The shortest prefix that the provider caches."""
    batch: bool | None = None
    flex: bool | None = None
    priority: bool | None = None
    streaming: bool | None = None
    apis: tuple[Endpoint, ...] | None = None
    source: str | None = None
    """Where this is from; ``None`` if nothing is known but the window."""


SELLERS = ("cache_minimum", "batch", "flex", "priority", "apis")
"""What depends on who serves the model, not only on the model."""


class Data(msgspec.Struct, frozen=True):
    """The file: what there is, once each, and which models it holds for."""

    source: str
    kinds: tuple[Capabilities, ...]
    shelves: dict[str, dict[str, int]]
    """Provider (as in the price list) → model in lower case → its place in ``kinds``."""
    house: dict[str, list[str]] = {}
    """Models that were corrected by hand (``capabilities.toml``)."""


class CapabilityBook:
    """Immutable. The file is read when it is first asked."""

    def __init__(self, catalog: Catalog, data: Data | None = None, sellers: Mapping[str, str] | None = None) -> None:
        """``sellers``: provider → whose list holds for it, where its own name does not say so."""
        self._catalog, self._given, self._sellers = catalog, data, sellers or {}

    @cached_property
    def data(self) -> Data:
        """The data in force."""
        return self._given or load()

    def find(self, provider: str, api: Api, model: str) -> Capabilities:
        """What is known of a model at a provider: by the provider's own list, else by the maker's."""
        if not model or len(model) > LONGEST_NAME:
            return Capabilities()
        seller = self._sellers.get(provider, provider)
        found = self._catalog.find(seller, api, model)
        context = found.model.context if found else None
        names = [model, *([found.model.id] if found else [])]
        host = self._catalog.host(seller)
        for shelf in self._shelves(seller, api, names):
            for name in _variants(names):
                place = self.data.shelves.get(shelf, {}).get(name)
                if place is not None:
                    known = self._entry(shelf, name, place, context)
                    return known if host is None or shelf == host.id else _elsewhere(known)
        return Capabilities(context=context)

    def _entry(self, shelf: str, name: str, place: int, context: int | None) -> Capabilities:
        known = self.data.kinds[place]
        by_hand = " and capabilities.toml" if name in self.data.house.get(shelf, ()) else ""
        source = f"{self.data.source}{by_hand} {shelf}/{name}"
        return msgspec.structs.replace(known, context=context or known.context, source=source)

    def _shelves(self, seller: str, api: Api, names: Iterable[str]) -> Iterator[str]:
        """Whose lists may know it, the nearest first."""
        host = self._catalog.host(seller)
        if host is not None:
            yield host.id
        else:
            yield api
        for name in _variants(names):
            for shelf in self._catalog.shelves:
                if shelf.serves is not None and shelf.serves.holds(name):
                    yield shelf.id


def _elsewhere(known: Capabilities) -> Capabilities:
    """Of a model at somebody else than the one whose list it is on."""
    return msgspec.structs.replace(known, **dict.fromkeys(SELLERS))


_PLACE = re.compile(r"^(?:us|eu|apac|jp|au|ca|global|us-gov)\.")
_TAIL = re.compile(r"(?:-v\d+(?::\d+)?|-latest|:free|:exacto|@.*)$")
_DATE = re.compile(r"-(?:20\d{2}-\d{2}-\d{2}|20\d{6}|\d{4})$")


def _variants(names: Iterable[str]) -> list[str]:
    """A model's spellings: as it is, less its vendor, its region, its version and its date."""
    found: dict[str, None] = {}
    for name in (spelling for one in names for spelling in spellings(one)):
        short = _PLACE.sub("", name.rpartition("/")[2])
        bare = short.removeprefix("anthropic.") if short.startswith("anthropic.") else short
        plain = _TAIL.sub("", bare)
        undated = _DATE.sub("", plain)
        found |= dict.fromkeys((name, short, bare, plain, undated))
        if undated.startswith("claude"):
            found[undated.replace(".", "-")] = None  # resellers write claude-sonnet-4.5
    return list(found)


def load() -> Data:
    """The data of the package."""
    return msgspec.json.decode(FILE.read_bytes(), type=Data)

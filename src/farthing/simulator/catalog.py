"""Which models there are, and what they cost. The data stands in ``catalog.toml``."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from importlib.resources import files
from typing import Literal

import msgspec

from farthing.types import Api


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """US dollars per million tokens. A class without a price of its own costs what plain input costs."""

    input: Decimal
    cache_read: Decimal | None = None
    cache_write_5m: Decimal | None = None
    cache_write_1h: Decimal | None = None
    output: Decimal = Decimal(0)


class CacheRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a model caches prompts.

    ``automatic``: every prefix of ``minimum`` tokens and more in steps of ``step``, warm for ``ttl_s`` seconds after
    its last use. ``breakpoints``: prefixes that end at a ``cache_control`` marker and have ``minimum`` tokens.
    """

    kind: Literal["none", "automatic", "breakpoints"] = "none"
    minimum: int = 1024
    step: int = 128
    ttl_s: float = 450.0


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model. ``embedding`` is the length of its vectors, 0 for models that write."""

    name: str
    api: Api
    context: int
    max_output: int
    price: Price
    aliases: tuple[str, ...] = ()
    cache: CacheRule = CacheRule()
    reasoning: bool = False
    thinking: Literal["none", "budget", "adaptive"] = "none"
    """Anthropic: whether it can be told to think, by a budget of tokens or as it sees fit."""
    structured: bool = False
    """Anthropic: whether it keeps to a JSON schema."""
    embedding: int = 0


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    model: tuple[Model, ...]


class Catalog:
    """The models on offer, found by name or alias."""

    def __init__(self, models: Iterable[Model]) -> None:
        self.models = tuple(models)
        self._named = {name: model for model in self.models for name in (model.name, *model.aliases)}

    def find(self, name: str, api: Api) -> Model | None:
        """The model that answers to this name on this API, if there is one."""
        model = self._named.get(name)
        return model if model is not None and model.api == api else None

    def of(self, api: Api) -> list[Model]:
        """The models on one API, in order."""
        return [model for model in self.models if model.api == api]


def standard_models() -> tuple[Model, ...]:
    """The models that come with the package, at list price."""
    text = files("farthing.simulator").joinpath("catalog.toml").read_bytes()
    return msgspec.toml.decode(text, type=_File).model

"""Which provider a request goes to, and under which name it knows the model."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

from farthing.errors import NoSuchRoute
from farthing.policy import Provider
from farthing.types import Api


class Targets:
    """The configured providers, ready to be chosen from."""

    def __init__(self, providers: Mapping[str, Provider], aliases: Mapping[str, str]) -> None:
        self._aliases = aliases
        self._speaking = {
            api: {name: one for name, one in providers.items() if one.kind == api} for api in ("openai", "anthropic")
        }
        self._patterns = {
            api: [(pattern, name) for name, one in speaking.items() for pattern in one.models]
            for api, speaking in self._speaking.items()
        }
        self._bases = {name: base_of(one.base_url, one.kind) for name, one in providers.items()}

    def choose(self, api: Api, model: str | None) -> Choice:
        """The provider and the model's name there.

        An alias stands for its model. ``name/model`` names the provider; else the first whose ``models`` fit; else the
        first that speaks the API. Raises ``NoSuchRoute``.
        """
        found = self.find(api, model)
        if found is None:
            raise NoSuchRoute(f'no provider speaks the {api} API; add one with kind = "{api}" to farthing.toml')
        return found

    def find(self, api: Api, model: str | None) -> Choice | None:
        """The same; ``None`` if no provider speaks the API."""
        speaking = self._speaking[api]
        if model is not None:
            model = self._aliases.get(model, model)
            name, slash, rest = model.partition("/")
            if slash and name in speaking:
                return Choice(name, rest)
            for pattern, name in self._patterns[api]:
                if fnmatchcase(model, pattern):
                    return Choice(name, model)
        first = next(iter(speaking), None)
        return None if first is None else Choice(first, model)

    def url(self, provider: str, path: str) -> str:
        """The address of a path (``/v1/…`` with its query) at a provider."""
        base, cut = self._bases[provider]
        return base + path[cut:]


class Choice(NamedTuple):
    """A provider, and the model's name there."""

    provider: str
    model: str | None


def base_of(url: str, kind: Api) -> tuple[str, int]:
    """What goes before a path, and how many characters of the path it takes the place of.

    An OpenAI-compatible base stands for ``/v1``, an Anthropic-compatible one for what comes before it.
    """
    base = url.rstrip("/")
    return (base.removesuffix("/v1"), 0) if kind == "anthropic" else (base, len("/v1"))

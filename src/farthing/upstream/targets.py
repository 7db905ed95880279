"""Which provider a request goes to, under which name it knows the model, and on which wire it is spoken to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

from farthing.errors import NoSuchRoute
from farthing.policy import Provider
from farthing.policy.model import BUILT_IN
from farthing.types import Api
from farthing.wire.translate.bridge import PATHS, spoken

Maker = Callable[[str, Api, str], str | None]
"""(provider, api, model) → the name of the one who makes the model, if that is known."""
REMEMBERED = 4_096
"""Choices kept: names of models come from clients."""


class Choice(NamedTuple):
    """A provider, and the model's name there."""

    provider: str
    model: str | None
    wire: str | None = None
    """The wire that is spoken there, if it is another one than the client's."""
    named: bool = False
    """The client named the provider itself."""


class Targets:
    """The configured providers, ready to be chosen from."""

    def __init__(
        self, providers: Mapping[str, Provider], aliases: Mapping[str, str], maker: Maker | None = None
    ) -> None:
        self._providers, self._aliases, self._maker = providers, aliases, maker
        self._bases = {name: base_of(one.base_url, one.kind) for name, one in providers.items()}
        self._known: dict[tuple[str, str | None], Choice | None] = {}

    def choose(self, wire: str, model: str | None) -> Choice:
        """The provider, the model's name there and the wire, for a request on ``wire`` (such as ``openai.chat``).

        An alias stands for its model. ``name/model`` names the provider; else the first whose ``models`` fit; else the
        first that speaks the API, unless it is known to be another provider's model. Those who speak the client's wire
        come before those that the request would have to be translated for. Raises ``NoSuchRoute``.
        """
        asked = (wire, model)
        if asked not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[asked] = self.find(wire, model)
        found = self._known[asked]
        if found is None:
            api = wire.partition(".")[0]
            raise NoSuchRoute(f'no provider speaks the {api} API; add one with kind = "{api}" to farthing.toml')
        return found

    def find(self, wire: str, model: str | None, *, made_there: bool = False) -> Choice | None:
        """The same; ``None`` if there is no provider for this wire. ``made_there``: a model whose maker is known goes
        to its maker.
        """
        able = self._able(wire)
        if model is not None:
            asked, model = model, self._aliases.get(model, model)
            name, slash, rest = model.partition("/")
            if slash and name in able:
                return Choice(name, rest, able[name], named=asked == model)
            for name, other in able.items():
                if any(fnmatchcase(model, pattern) for pattern in self._providers[name].models):
                    return Choice(name, model, other)
        first = next(iter(able), None)
        if first is None:
            return None
        owner = self._owner(first, wire, model)
        if owner is not None and not made_there and not self._is_itself(first) and self._is_itself(owner):
            owner = None  # an ``openai`` that stands for a proxy of all makers' models is taken at its word
        return Choice(first, model, able[first]) if owner is None else Choice(owner, model, able[owner])

    def url(self, choice: Choice, path: str) -> str:
        """The address of a path (``/v1/…`` with its query) at a provider, or of the other wire's."""
        base, cut = self._bases[choice.provider]
        return base + path_on(choice.wire, path)[cut:]

    def _able(self, wire: str) -> dict[str, str | None]:
        """The providers that this wire's requests can go to, and the wire if it is another one; native ones first."""
        found = {name: spoken(wire, one.kind, responses=one.quirks.responses) for name, one in self._providers.items()}
        same: dict[str, str | None] = {name: None for name, other in found.items() if other == wire}
        return same | {name: other for name, other in found.items() if other not in (None, wire)}

    def _owner(self, first: str, wire: str, model: str | None) -> str | None:
        """The provider that makes the model, if that is another one than the first and can be asked: OpenAI has no
        Claude.
        """
        if model is None or self._maker is None or first not in BUILT_IN:
            return None
        kind = self._providers[first].kind
        owner = self._maker(first, kind, model)
        return owner if owner in BUILT_IN and owner != first and owner in self._able(wire) else None

    def _is_itself(self, name: str) -> bool:
        return self._providers[name].base_url == BUILT_IN[name].base_url


def path_on(wire: str | None, path: str) -> str:
    """The path of a request on another wire; ``None``: its own."""
    return path if wire is None else PATHS.get(wire, path)


def base_of(url: str, kind: Api) -> tuple[str, int]:
    """What goes before a path, and how many characters of the path it takes the place of.

    An OpenAI-compatible base stands for ``/v1``, an Anthropic-compatible one for what comes before it.
    """
    base = url.rstrip("/")
    return (base.removesuffix("/v1"), 0) if kind == "anthropic" else (base, len("/v1"))

"""The ways to an answer: through which endpoint, with which key, and by which other model if need be. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from itertools import chain, product
from zlib import crc32

import msgspec

from farthing.policy import Policy, Provider
from farthing.policy.model import BUILT_IN
from farthing.types import Api
from farthing.upstream.credentials import NO_KEY
from farthing.upstream.targets import Choice, Targets, base_of


class Way(msgspec.Struct, frozen=True):
    """A model of a provider, at one endpoint and with one key."""

    provider: str
    model: str | None
    base: str
    """What goes before a path, in the place of its first ``cut`` characters."""
    cut: int
    key: str | None
    """``None``: the client's own goes through."""
    number: int
    """Of the key, among the provider's."""
    endpoint: str
    """Who does not answer here answers none of its models."""
    name: str
    """Endpoint, number of the key, and model: what has limits of its own."""


Maker = Callable[[str, Api, str], str | None]
"""(provider, api, model) → the name of the one who makes the model, if that is known."""
Group = tuple[Way, ...]
"""The ways to one model."""


class Plan(msgspec.Struct, frozen=True):
    """Which models may answer, in the order of preference."""

    groups: tuple[Group, ...]
    """The one that was asked for, its first fallback, and so on."""
    better: tuple[Group, ...]
    """Those of better tiers, for prompts that are too long for all of these."""


class Ways:
    """All ways that the settings and the environment allow."""

    def __init__(self, policy: Policy, environ: Mapping[str, str], maker: Maker) -> None:
        self._policy, self._environ, self._maker = policy, environ, maker
        self._targets = Targets(policy.providers, policy.aliases)
        self._known: dict[tuple[Api, str, str | None, bytes | None], Plan] = {}

    def plan(self, api: Api, provider: str, model: str | None, own_key: bytes | None = None) -> Plan:
        """For a request that was meant for this model of this provider.

        ``own_key``: the digest of a client's own key. It has limits of its own, and the client gets no further than
        that key: at another provider farthing's would pay.
        """
        asked = (api, provider, model, own_key)
        plan = self._known.get(asked)
        if plan is None:
            plan = self._known[asked] = self._made(api, provider, model, own_key)
            if len(self._known) > 4_096:  # names of models come from clients
                self._known.clear()
        return plan

    def _made(self, api: Api, provider: str, model: str | None, own_key: bytes | None) -> Plan:
        names = (f"{provider}/{model}", model) if model is not None else ()
        asked = self._through(provider, model, own_key)
        seen = {Choice(provider, model)}
        others = [
            self._groups(api, provider, some, own_key, seen) for some in (self._chain(names), self._better(names))
        ]
        return Plan((asked, *others[0]), tuple(others[1]))

    def _groups(
        self, api: Api, provider: str, names: Iterable[str], own_key: bytes | None, seen: set[Choice]
    ) -> list[Group]:
        """The ways to models by their names, less those seen already."""
        found: list[Group] = []
        for name in names:
            choice = self._targets.find(api, name)
            if choice is None or choice in seen or self._is_foreign(api, name, choice):
                continue
            if own_key is not None and choice.provider != provider:
                continue
            seen.add(choice)
            if ways := self._through(choice.provider, choice.model, own_key):
                found.append(ways)
        return found

    def _is_foreign(self, api: Api, name: str, choice: Choice) -> bool:
        """Whether the model is another provider's, which speaks another API: a Claude has no place at OpenAI."""
        maker = self._maker(choice.provider, api, choice.model or "") if choice.provider in BUILT_IN else None
        owners = (self._policy.providers.get(one) for one in (name.partition("/")[0], maker or ""))
        return any(one is not None and one.kind != api for one in owners)

    def _chain(self, names: tuple[str, ...]) -> Iterable[str]:
        """The models that may take over from one, by its names."""
        for pattern, others in self._policy.fallback.items():
            if any(fnmatchcase(name, pattern) for name in names):
                return others
        for tier in self._tiers():
            for place, one in enumerate(tier):
                if one in names:
                    return tier[place + 1 :] + tier[:place]
        return ()

    def _better(self, names: tuple[str, ...]) -> Iterable[str]:
        """The models of the tiers above its own."""
        tiers = self._tiers()
        place = next((place for place, tier in enumerate(tiers) if set(names) & set(tier)), len(tiers))
        return chain.from_iterable(tiers[place + 1 :])

    def _tiers(self) -> tuple[tuple[str, ...], ...]:
        tiers = self._policy.tiers
        return tiers.simple, tiers.moderate, tiers.complex

    def _through(self, provider: str, model: str | None, own_key: bytes | None) -> Group:
        """Every endpoint with every key that there is."""
        one = self._policy.providers[provider]
        keys = [(0, None)] if own_key is not None else list(enumerate(keys_of(one, self._environ)))
        whose = "" if own_key is None else f" {own_key.hex()}"
        bases = [base_of(url, one.kind) for url in (one.base_url, *one.base_urls)]
        return tuple(
            Way(
                provider,
                model,
                base,
                cut,
                key,
                number,
                f"{provider} {base}",
                f"{provider} {base} {number} {model}{whose}",
            )
            for (base, cut), (number, key) in product(bases, keys)
        )


def keys_of(provider: Provider, environ: Mapping[str, str]) -> list[str]:
    """The keys that the environment has for a provider."""
    if provider.scheme == "none":
        return [NO_KEY]
    variables = (provider.api_key_env, *provider.api_key_envs)
    return [key for name in variables if name and (key := environ.get(name))]


def by_affinity(ways: tuple[Way, ...], affinity: bytes) -> list[Way]:
    """The ways as this conversation prefers them: the same order every time, in every process, and others keep theirs
    when a way comes or goes (rendezvous hashing, Thaler and Ravishankar 1998).

    So a conversation stays where its prefix is warm, and conversations spread over all ways.
    """
    if len(ways) == 1:
        return list(ways)
    return sorted(ways, key=lambda way: crc32(way.name.encode() + b"\0" + affinity), reverse=True)

"""The ways to an answer: through which endpoint, with which key, and by which other model if need be. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from itertools import chain, product
from zlib import crc32

import msgspec

from farthing.policy import Policy, Provider
from farthing.policy.model import BUILT_IN
from farthing.types import Api
from farthing.upstream.credentials import NO_KEY
from farthing.upstream.targets import Choice, Maker, Targets, base_of
from farthing.wire.translate.bridge import PATHS


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
    api: Api = "openai"
    """Whose API is spoken there."""
    wire: str | None = None
    """The wire that is spoken there, if it is another one than the client's."""


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
        self._targets = Targets(policy.providers, policy.aliases, maker)
        self._known: dict[tuple[str, Choice, bytes | None], Plan] = {}

    def plan(self, wire: str, asked: Choice, own_key: bytes | None = None) -> Plan:
        """For a request on ``wire`` that was meant for this model of this provider.

        ``own_key``: the digest of a client's own key. It has limits of its own, and the client gets no further than
        that key: at another provider farthing's would pay.
        """
        known = (wire, asked, own_key)
        plan = self._known.get(known)
        if plan is None:
            plan = self._known[known] = self._made(wire, asked, own_key)
            if len(self._known) > 4_096:  # names of models come from clients
                self._known.clear()
        return plan

    def _made(self, wire: str, asked: Choice, own_key: bytes | None) -> Plan:
        provider, model = asked.provider, asked.model
        names = (f"{provider}/{model}", model) if model is not None else ()
        first = self._through(asked, own_key)
        seen = {(provider, model)}
        others = [
            self._groups(wire, provider, some, own_key, seen) for some in (self._chain(names), self._better(names))
        ]
        return Plan((first, *others[0]), tuple(others[1]))

    def _groups(
        self, wire: str, provider: str, names: Iterable[str], own_key: bytes | None, seen: set[tuple[str, str | None]]
    ) -> list[Group]:
        """The ways to models by their names, less those seen already."""
        found: list[Group] = []
        for name in names:
            choice = self._targets.find(wire, name, made_there=True)
            if choice is None or choice[:2] in seen or self._is_foreign(name, choice):
                continue
            if own_key is not None and choice.provider != provider:
                continue
            seen.add(choice[:2])
            if choice.wire is None and wire in PATHS and self._differs(provider, choice.provider):
                choice = choice._replace(wire=wire)
            if ways := self._through(choice, own_key):
                found.append(ways)
        return found

    def _differs(self, one: str, other: str) -> bool:
        """Whether a request that was written for one provider has to be written again for the other."""
        providers = self._policy.providers
        return providers[one].quirks != providers[other].quirks

    def _is_foreign(self, name: str, choice: Choice) -> bool:
        """Whether the model is made by one whom another API is spoken with: a Claude has no place at OpenAI."""
        kind = self._policy.providers[choice.provider].kind
        maker = self._maker(choice.provider, kind, choice.model or "") if choice.provider in BUILT_IN else None
        owners = (self._policy.providers.get(one) for one in (name.partition("/")[0], maker or ""))
        return any(one is not None and one.kind != kind for one in owners)

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

    def _through(self, choice: Choice, own_key: bytes | None) -> Group:
        """Every endpoint with every key that there is."""
        provider, model = choice.provider, choice.model
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
                one.kind,
                choice.wire,
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

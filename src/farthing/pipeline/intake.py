"""From what a door has received to an ``Exchange``: who asks, what for, and where it goes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from farthing.errors import RequestError, StoreError, Unauthenticated
from farthing.exchange import CacheWish, Exchange, Mode, Tally, Target
from farthing.limits.keys import Key
from farthing.pipeline.identify import caller_of
from farthing.pipeline.runtime import Runtime
from farthing.types import Facts, Headers
from farthing.upstream.credentials import NO_KEY, VIRTUAL, presented
from farthing.upstream.targets import Choice, Targets
from farthing.upstream.ways import keys_of
from farthing.wire.base import Wire


class Refused(Exception):
    """The request cannot be served; ``exchange`` has what is known of it, for the ledger."""

    def __init__(self, exchange: Exchange, problem: RequestError) -> None:
        super().__init__(problem.message)
        self.exchange, self.problem = exchange, problem


class Credential(NamedTuple):
    """What a client authenticated with."""

    digest: bytes
    is_own: bool = False
    """It is for the provider, and goes through."""
    tenant: str | None = None
    """The tenant that it belongs to."""


class Arrival(msgspec.Struct, frozen=True):
    """A request whose head has come."""

    method: str
    path: str
    """With the query, as it came."""
    headers: Headers
    named: Mapping[str, str]
    """Who asks and what for, under the names of our headers."""
    begun: float
    """When its head had arrived, on the monotonic clock."""
    wire: Wire


class Home(NamedTuple):
    """The provider that a client was made for: its own key is for nobody else."""

    provider: str
    fixed: bool
    """All its requests go there; else the settings may name another one for a model."""


STRANGER = Credential(b"", tenant="unauthenticated")
"""Nobody can put a request into another tenant's books without its key."""
NEEDS_BODY = frozenset({"chat", "embeddings", "count_tokens"})
NOWHERE = Target("", "", None, None)
NO_FACTS = Facts()
JSON_TYPE = b"application/json"


class Intake:
    """Makes exchanges; the same for every door."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._may_repeat = runtime.policy.mode == "save"
        self._targets = Targets(runtime.policy.providers, runtime.policy.aliases, runtime.prices.maker)
        self._ours = frozenset(
            key for one in runtime.policy.providers.values() for key in keys_of(one, runtime.environ)
        )

    def authenticated(self, arrival: Arrival, *, keyless: bool) -> Credential:
        """Who asks; ``keyless``: it need not say so, and who sends the very key that farthing has is as good as one
        who sends none. Raises ``Refused``.
        """
        token = presented(arrival.headers)
        try:
            if token is None:
                if not keyless:
                    raise Unauthenticated("no key was sent: send a virtual key (fk-…) or the provider's own key")
                return Credential(_digest(""))
            if not token.startswith(VIRTUAL):
                return Credential(_digest(token), is_own=not (keyless and token in self._ours))
            return Credential(_digest(token), tenant=self._known(token).tenant)
        except RequestError as problem:
            raise self.refused(arrival, STRANGER, problem) from problem

    def exchange(
        self,
        arrival: Arrival,
        credential: Credential,
        body: bytes,
        upload: AsyncIterator[bytes] | None = None,
        home: Home | None = None,
    ) -> Exchange:
        """The exchange of a request that is complete, or whose body is passed on. Raises ``Refused``."""
        wire, facts, tally = arrival.wire, NO_FACTS, Tally()
        try:
            if self._may_repeat and (read := self._runtime.readings.get(wire, body)) is not None:
                facts, tally = read.facts, Tally(prompt=read.prompt, shape=read.shape, canonical=read.canonical)
            elif body or wire.operation in NEEDS_BODY:
                facts = wire.facts(body)
            if home is not None and home.fixed:
                choice = Choice(home.provider, facts.model)
            else:
                choice = self._targets.choose(wire.name, facts.model)
            is_own = credential.is_own and (home is None or home.provider == choice.provider)
            target = self._target(arrival, choice, is_own=is_own)
        except RequestError as problem:
            raise self.refused(arrival, credential, problem, facts) from problem
        if choice.model != facts.model and choice.model is not None:
            body = self._runtime.rename_model(body, choice.model)
            tally = Tally()
        return self._exchange(arrival, facts, credential, target, body, upload, tally)

    def refused(
        self, arrival: Arrival, credential: Credential, problem: RequestError, facts: Facts = NO_FACTS
    ) -> Refused:
        """The refusal of a request."""
        return Refused(self._exchange(arrival, facts, credential), problem)

    def hung_up(self, arrival: Arrival, credential: Credential) -> None:
        """The client left before its request was complete."""
        self._runtime.hung_up(self._exchange(arrival, NO_FACTS, credential))

    def _exchange(
        self,
        arrival: Arrival,
        facts: Facts,
        credential: Credential,
        target: Target = NOWHERE,
        body: bytes = b"",
        upload: AsyncIterator[bytes] | None = None,
        tally: Tally | None = None,
    ) -> Exchange:
        runtime, named = self._runtime, arrival.named
        return Exchange(
            id=runtime.new_id(),
            ts=runtime.timestamp(arrival.headers),
            begun=arrival.begun,
            method=arrival.method,
            path=arrival.path,
            headers=arrival.headers,
            body=body,
            upload=upload,
            wire=arrival.wire,
            facts=facts,
            caller=caller_of(named, facts, credential.tenant),
            target=target,
            credential=credential.digest,
            mode=_mode(named.get("x-farthing-mode"), runtime.policy.mode),
            cache_wish=_wish(named.get("x-farthing-cache")),
            tally=tally or Tally(),
        )

    def _target(self, arrival: Arrival, choice: Choice, *, is_own: bool) -> Target:
        provider = choice.provider
        kind = self._runtime.policy.providers[provider].kind
        if is_own and kind != arrival.wire.api and not choice.named:
            raise Unauthenticated(
                f"the key that was sent is for the {arrival.wire.api} API, and {provider} answers {choice.model}: ask "
                f"for {provider}/{choice.model} with a key of {provider}, or send a virtual key (fk-…)",
                code="farthing_no_credential",
            )
        key = None if is_own else self._environment_key(provider)
        return Target(provider, self._targets.url(choice, arrival.path), choice.model, key, kind, choice.wire)

    def _known(self, token: str) -> Key:
        try:
            known = self._runtime.keys.find(token)
        except StoreError as problem:  # whoever cannot be checked is not let in
            raise RequestError(str(problem), code="farthing_keys_unavailable", status=503) from problem
        if known is None:
            raise Unauthenticated(
                "this virtual key is not known or was revoked; see `farthing keys list`", code="farthing_unknown_key"
            )
        return known

    def _environment_key(self, provider: str) -> str:
        known = self._runtime.policy.providers[provider]
        if known.scheme == "none":
            return NO_KEY
        variable = known.api_key_env
        if key := self._runtime.environ.get(variable or ""):
            return key
        way_out = f"set {variable}" if variable else f"set api_key_env for [providers.{provider}]"
        raise Unauthenticated(
            f"there is no key for provider {provider}: send your own as you would to the provider, or {way_out}",
            code="farthing_no_credential",
        )


def passes_on(wire: Wire, headers: Headers) -> bool:
    """Uploads (files, audio …) go through while they arrive; nothing in them has to be known."""
    if not wire.name.endswith(".other"):
        return False
    kind = next((value for name, value in headers if name == b"content-type"), b"")
    return bool(kind) and not kind.startswith(JSON_TYPE)


@lru_cache(4096)
def _digest(credential: str) -> bytes:
    return blake2b(credential.encode(), digest_size=16, person=b"farthing").digest()


def _mode(wish: str | None, mode: Mode) -> Mode:
    return "observe" if wish == "observe" else mode


def _wish(text: str | None) -> CacheWish | None:
    if text == "no-store":
        return "no-store"
    return "no-cache" if text == "no-cache" else None

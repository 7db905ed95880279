"""From an ASGI request to an ``Exchange``: read, limited, understood, authenticated."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import AsyncIterator
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple, cast

from farthing.errors import RequestError, StoreError, TooLarge, Unauthenticated
from farthing.exchange import CacheWish, ClientGone, Exchange, Mode, Tally, Target
from farthing.gateway.asgi import ARRIVED, Receive, Scope
from farthing.limits.keys import Key
from farthing.pipeline.identify import caller_of, named_headers
from farthing.pipeline.runtime import Runtime
from farthing.types import Facts, Headers
from farthing.upstream.credentials import VIRTUAL, presented
from farthing.upstream.targets import Targets
from farthing.wire.base import Wire
from farthing.wire.routes import wire_for

JSON_TYPE = b"application/json"


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


STRANGER = Credential(b"", tenant="unauthenticated")
"""Nobody can put a request into another tenant's books without its key."""
NEEDS_BODY = frozenset({"chat", "embeddings", "count_tokens"})
NOWHERE = Target("", "", None, None)


class Intake:
    """Makes exchanges."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._max_body = runtime.max_body
        self._may_repeat = runtime.policy.mode == "save"
        self._targets = Targets(runtime.policy.providers)

    async def exchange(self, scope: Scope, receive: Receive) -> Exchange:
        """The exchange of a request under ``/v1/``. Raises ``Refused`` or ``ClientGone``."""
        headers = cast("Headers", scope["headers"])
        wire = wire_for(scope["method"], scope["path"], anthropic=_is_anthropic(headers))
        credential, facts, tally = STRANGER, Facts(), Tally()
        try:
            credential = self._authenticated(headers)  # before a byte of the body is read
            upload = _body_stream(receive) if self._passes_on(wire, headers) else None
            body = b"" if upload else await self._body(headers, receive)
            if self._may_repeat and (read := self._runtime.readings.get(wire, body)) is not None:
                facts, tally = read.facts, Tally(prompt=read.prompt, shape=read.shape, canonical=read.canonical)
            elif body or wire.operation in NEEDS_BODY:
                facts = wire.facts(body)
            provider, model = self._targets.choose(wire.api, facts.model)
            url = self._targets.url(provider, _path(scope))
            target = Target(provider, url, model, None if credential.is_own else self._environment_key(provider))
        except RequestError as problem:
            raise Refused(self._exchange(scope, wire, facts, credential), problem) from problem
        except (ClientGone, CancelledError):
            self._runtime.hung_up(self._exchange(scope, wire, facts, credential))
            raise
        if model != facts.model and model is not None:
            body = self._runtime.rename_model(body, model)
            tally = Tally()
        return self._exchange(scope, wire, facts, credential, target, body, upload, tally)

    def _exchange(
        self,
        scope: Scope,
        wire: Wire,
        facts: Facts,
        credential: Credential,
        target: Target = NOWHERE,
        body: bytes = b"",
        upload: AsyncIterator[bytes] | None = None,
        tally: Tally | None = None,
    ) -> Exchange:
        runtime = self._runtime
        headers = cast("Headers", scope["headers"])
        named = named_headers(headers)
        return Exchange(
            id=runtime.new_id(),
            ts=runtime.timestamp(headers),
            begun=cast("float", scope["state"].get(ARRIVED) or runtime.monotonic()),
            method=scope["method"],
            path=_path(scope),
            headers=headers,
            body=body,
            upload=upload,
            wire=wire,
            facts=facts,
            caller=caller_of(named, facts, credential.tenant),
            target=target,
            credential=credential.digest,
            mode=_mode(named.get("x-farthing-mode"), runtime.policy.mode),
            cache_wish=_wish(named.get("x-farthing-cache")),
            tally=tally or Tally(),
        )

    def _authenticated(self, headers: Headers) -> Credential:
        token = presented(headers)
        if token is None:
            if not self._runtime.policy.server.is_loopback:
                raise Unauthenticated("no key was sent: send a virtual key (fk-…) or the provider's own key")
            return Credential(_digest(""))
        if not token.startswith(VIRTUAL):
            return Credential(_digest(token), is_own=True)
        known = self._known(token)
        if known is None:
            raise Unauthenticated(
                "this virtual key is not known or was revoked; see `farthing keys list`", code="farthing_unknown_key"
            )
        return Credential(_digest(token), tenant=known.tenant)

    def _known(self, token: str) -> Key | None:
        try:
            return self._runtime.keys.find(token)
        except StoreError as problem:  # whoever cannot be checked is not let in
            raise RequestError(str(problem), code="farthing_keys_unavailable", status=503) from problem

    def _environment_key(self, provider: str) -> str:
        variable = self._runtime.policy.providers[provider].api_key_env
        if key := self._runtime.environ.get(variable or ""):
            return key
        way_out = f"set {variable}" if variable else f"set api_key_env for [providers.{provider}]"
        raise Unauthenticated(
            f"there is no key for provider {provider}: send your own as you would to the provider, or {way_out}",
            code="farthing_no_credential",
        )

    def _passes_on(self, wire: Wire, headers: Headers) -> bool:
        """Uploads (files, audio …) go through while they arrive; nothing in them has to be known."""
        if not wire.name.endswith(".other"):
            return False
        kind = next((value for name, value in headers if name == b"content-type"), b"")
        return bool(kind) and not kind.startswith(JSON_TYPE)

    async def _body(self, headers: Headers, receive: Receive) -> bytes:
        for name, value in headers:
            if name == b"content-length" and value.isdigit() and int(value) > self._max_body:
                raise self._too_large(int(value))
        message = await receive()
        body = cast("bytes", message.get("body", b""))
        if message["type"] == "http.disconnect":
            raise ClientGone
        size = len(body)
        if size > self._max_body:
            raise self._too_large(size)
        if not message.get("more_body", False):
            return body
        parts = [body]
        async for part in _body_stream(receive):
            parts.append(part)
            size += len(part)
            if size > self._max_body:
                raise self._too_large(size)
        return b"".join(parts)

    def _too_large(self, size: int) -> TooLarge:
        limit = self._runtime.policy.server.max_body
        return TooLarge(f"the body has {size:,} bytes or more, over the limit of {limit}; see [server] max_body")


async def _body_stream(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        if part := message.get("body", b""):
            yield part
        more = message.get("more_body", False)


def _is_anthropic(headers: Headers) -> bool:
    return any(name == b"anthropic-version" for name, _ in headers)


def _path(scope: Scope) -> str:
    path = cast("bytes", scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    query = cast("bytes", scope.get("query_string", b"")).decode("latin-1")
    return f"{path}?{query}" if query else path


@lru_cache(4096)
def _digest(credential: str) -> bytes:
    return blake2b(credential.encode(), digest_size=16, person=b"farthing").digest()


def _mode(wish: str | None, mode: Mode) -> Mode:
    return "observe" if wish == "observe" else mode


def _wish(text: str | None) -> CacheWish | None:
    if text == "no-store":
        return "no-store"
    return "no-cache" if text == "no-cache" else None

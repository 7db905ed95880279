"""From an ASGI request to an ``Exchange``: read, limited, understood, authenticated."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import AsyncIterator
from functools import lru_cache
from typing import cast

from farthing.errors import RequestError, TooLarge
from farthing.exchange import ClientGone, Exchange
from farthing.gateway.asgi import ARRIVED, Receive, Scope
from farthing.pipeline import intake
from farthing.pipeline.identify import named_headers
from farthing.pipeline.intake import Arrival, passes_on
from farthing.pipeline.runtime import Runtime
from farthing.types import Headers
from farthing.wire.routes import wire_for


class Intake:
    """Makes exchanges."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime, self._intake = runtime, intake.Intake(runtime)
        self._max_body = runtime.max_body
        self._keyless = runtime.policy.server.is_loopback

    async def exchange(self, scope: Scope, receive: Receive) -> Exchange:
        """The exchange of a request under ``/v1/``. Raises ``Refused`` or ``ClientGone``."""
        arrival = self._arrival(scope)
        credential = self._intake.authenticated(arrival, keyless=self._keyless)  # before a byte of the body is read
        upload = _body_stream(receive) if passes_on(arrival.wire, arrival.headers) else None
        try:
            body = b"" if upload else await self._body(arrival.headers, receive)
        except RequestError as problem:
            raise self._intake.refused(arrival, credential, problem) from problem
        except (ClientGone, CancelledError):
            self._intake.hung_up(arrival, credential)
            raise
        return self._intake.exchange(arrival, credential, body, upload)

    def _arrival(self, scope: Scope) -> Arrival:
        headers = cast("Headers", scope["headers"])
        return Arrival(
            scope["method"],
            _path(scope.get("raw_path") or scope["path"].encode(), scope.get("query_string", b"")),
            headers,
            named_headers(headers),
            cast("float", scope["state"].get(ARRIVED) or self._runtime.monotonic()),
            wire_for(scope["method"], scope["path"], anthropic=b"anthropic-version" in dict(headers)),
        )

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


@lru_cache(64)
def _path(path: bytes, query: bytes) -> str:
    """Clients ask for the same few."""
    return (path + b"?" + query if query else path).decode("latin-1")

"""The pool of HTTP/1.1 connections.

A request's bytes are in the socket when ``send`` returns, so what can wait is computed while the provider works; and a
request that is closed closes its connection at once, so that a provider does not go on generating for nobody.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import cast

from farthing.errors import UpstreamError
from farthing.types import Headers
from farthing.upstream.http1 import Connection, Http1Response, Origin, split_url
from farthing.upstream.pool import Body

IDLE_S = 15.0
"""Idle connections are dropped before a provider's own limit (often 60 s or less) makes a reuse race."""
MAX_IDLE = 1024


class _Pending:
    """A request on its way. Implements ``upstream.pool.Pending``."""

    __slots__ = ("_body", "_head", "_method", "_origin", "_pool", "_response")

    def __init__(self, pool: Http1Pool, origin: Origin, method: str, head: bytes, body: Body) -> None:
        self._pool, self._origin, self._method = pool, origin, method
        self._head, self._body = head, body
        connection = pool.idle(origin)
        self._response = self._begin(connection) if connection else None

    @property
    def sent(self) -> bool:
        return self._response is not None

    def _begin(self, connection: Connection) -> Http1Response:
        whole = isinstance(self._body, bytes)
        return connection.begin(self._method, self._head + cast("bytes", self._body) if whole else self._head)

    async def response(self) -> Http1Response:
        response = self._response
        if response is None:
            response = self._response = self._begin(await self._pool.connect(self._origin))
        if not isinstance(self._body, bytes):
            await _upload(response, self._body)
        return await response.head()

    def close(self) -> None:
        if self._response is not None:
            self._response.close()


async def _upload(response: Http1Response, body: AsyncIterator[bytes]) -> None:
    """Pass a body on while it arrives; stop early if the provider has already answered."""
    async for part in body:
        if response.answered:
            break
        await response.upload(b"%x\r\n%b\r\n" % (len(part), part))
    await response.upload(b"0\r\n\r\n")


class Http1Pool:
    """Keep-alive connections, the most recently used first. Implements ``upstream.pool.Pool``."""

    def __init__(self, *, connect_timeout: float, read_timeout: float, monotonic: Callable[[], float]) -> None:
        self.connect_timeout, self.read_timeout, self._monotonic = connect_timeout, read_timeout, monotonic
        self._idle: dict[Origin, deque[Connection]] = {}
        self._tls: ssl.SSLContext | None = None
        self._loop = asyncio.get_running_loop()

    def send(self, method: str, url: str, headers: Headers, body: Body) -> _Pending:
        at = url.find("/", url.find("://") + 3)
        origin = split_url(url[:at] if at > 0 else url)
        path = url[at:] if at > 0 else "/"
        lines = [f"{method} {path} HTTP/1.1\r\nhost: ".encode("ascii"), origin.host_header]
        for name, value in headers:
            lines += (b"\r\n", name, b": ", value)
        if not isinstance(body, bytes):
            lines.append(b"\r\ntransfer-encoding: chunked")
        elif body or method in ("POST", "PUT", "PATCH"):
            lines.append(b"\r\ncontent-length: %d" % len(body))
        lines.append(b"\r\n\r\n")
        return _Pending(self, origin, method, b"".join(lines), body)

    async def close(self) -> None:
        for connections in self._idle.values():
            for connection in connections:
                connection.abort()
        self._idle.clear()

    def idle(self, origin: Origin) -> Connection | None:
        """A connection that waits, if one does."""
        waiting = self._idle.get(origin)
        oldest = self._monotonic() - IDLE_S
        while waiting:
            connection = waiting.pop()
            if connection.idle_since >= oldest and connection.usable:
                return connection
            connection.abort()
        return None

    def release(self, connection: Connection) -> None:
        """Keep a connection for the next request."""
        waiting = self._idle.setdefault(connection.origin, deque())
        now = self._monotonic()
        connection.idle_since = now
        waiting.append(connection)
        while waiting and (waiting[0].idle_since < now - IDLE_S or len(waiting) > MAX_IDLE):
            waiting.popleft().abort()

    async def connect(self, origin: Origin) -> Connection:
        """A new connection. Raises ``UpstreamError``."""
        connection = Connection(origin, self.read_timeout, self.release, self._monotonic)
        try:
            async with asyncio.timeout(self.connect_timeout):
                await self._loop.create_connection(
                    lambda: connection,
                    origin.host,
                    origin.port,
                    ssl=self._context() if origin.tls else None,
                    server_hostname=origin.host if origin.tls else None,
                )
        except TimeoutError as problem:
            raise UpstreamError(
                f"{origin.host}:{origin.port} cannot be reached: no connection within {self.connect_timeout:g} s; "
                "see [server] connect_timeout",
                status=504,
            ) from problem
        except OSError as problem:
            raise UpstreamError(
                f"{origin.host}:{origin.port} cannot be reached: {problem.strerror or problem}; "
                "check base_url of the provider and the network"
            ) from problem
        return connection

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

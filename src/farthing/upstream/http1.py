"""HTTP/1.1 to the providers: bytes out, bytes in, nothing rewritten.

An own client of the few things that a pass-through needs (httptools does the parsing), because on the hot path the
client decides the speed of a gateway: ``docs/decisions.md`` has the measurements. This file has the connection and what
arrives on it, ``http1_pool.py`` the pool.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from functools import lru_cache
from typing import cast
from urllib.parse import urlsplit

import httptools

from farthing.errors import UpstreamError
from farthing.types import Headers
from farthing.upstream.pool import Cut

HIGH_WATER = 1 << 20
"""Bytes that may wait for a slow client before reading from the provider pauses."""
MAX_HEAD = 256 * 1024


class Origin:
    """Where a connection goes."""

    __slots__ = ("host", "host_header", "port", "tls")

    def __init__(self, scheme: str, host: str, port: int | None, netloc: str) -> None:
        self.tls = scheme == "https"
        self.host = host
        self.port = port or (443 if self.tls else 80)
        self.host_header = netloc.rpartition("@")[2].encode("ascii")


@lru_cache(maxsize=1024)
def split_url(base: str) -> Origin:
    """The origin of ``scheme://host[:port]``."""
    parts = urlsplit(base)
    if not parts.hostname:
        raise UpstreamError(f"{base!r} is not an address; check base_url of the provider")
    return Origin(parts.scheme, parts.hostname, parts.port, parts.netloc)


class Http1Response:
    """A reply that is arriving. Implements ``upstream.pool.Response``."""

    __slots__ = (
        "_chunks",
        "_connection",
        "_error",
        "_refused",
        "_waiter",
        "_waiting",
        "_whole",
        "complete",
        "headers",
        "heard",
        "status",
    )

    def __init__(self, connection: Connection) -> None:
        self.status = 0
        self.headers: Headers = []
        self.heard: float | None = None
        self.complete = False
        self._connection: Connection | None = connection
        self._chunks: deque[bytes] = deque()
        self._waiting = 0
        self._waiter: asyncio.Future[None] | None = None
        self._whole = False
        self._error: str | None = None
        self._refused: UpstreamError | None = None

    async def head(self) -> Http1Response:
        """Wait for status and headers; may be called again. Raises ``UpstreamError``."""
        while self.status == 0 and self._refused is None:
            await self._wait()
        if self._refused is not None:
            raise self._refused
        return self

    async def read(self) -> bytes:
        self._whole = True
        while not self.complete and self._error is None:
            await self._wait()
        if self._error is not None:
            raise Cut(self._error)
        return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)

    async def chunks(self) -> AsyncIterator[bytes]:
        while True:
            while self._chunks:
                yield self._take()
            if self._error is not None:
                raise Cut(self._error)
            if self.complete:
                return
            await self._wait()

    async def upload(self, data: bytes) -> None:
        """More bytes of the request, as fast as the provider takes them."""
        if self._connection is not None:
            self._connection.write(data)
            await self._connection.writable()

    def close(self) -> None:
        if not self.complete and self._connection is not None:
            self._connection.abort()

    @property
    def answered(self) -> bool:
        """Whether the headers are here, or will never be."""
        return self.status != 0 or self._refused is not None

    def begin(self, status: int) -> None:
        """The headers have arrived."""
        self.status = status
        self._wake()

    def refuse(self, problem: UpstreamError) -> None:
        """There will be no reply."""
        self._refused = problem
        self._connection = None
        self._wake()

    def feed(self, data: bytes) -> None:
        """Bytes of the body have arrived."""
        self._chunks.append(data)
        self._waiting += len(data)
        if not self._whole:
            if self._waiting > HIGH_WATER and self._connection is not None:
                self._connection.pause()
            self._wake()

    def end(self, error: str | None = None) -> None:
        """The body has arrived, or broke off."""
        if not self.complete and self._error is None:
            self._error = error
            self.complete = error is None
            self._connection = None
            self._wake()

    def _take(self) -> bytes:
        """All that waits, as one chunk."""
        data = self._chunks.popleft() if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        if self._waiting > HIGH_WATER and self._connection is not None:
            self._connection.resume()
        self._waiting = 0
        return data

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Connection(asyncio.Protocol):
    """One keep-alive connection; one request at a time."""

    def __init__(
        self,
        origin: Origin,
        read_timeout: float,
        release: Callable[[Connection], None],
        monotonic: Callable[[], float],
    ) -> None:
        self.origin = origin
        self._read_timeout, self._release, self._monotonic = read_timeout, release, monotonic
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._response: Http1Response | None = None
        self._head_only = False
        self._until_end = False
        self._head_size = 0
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._timer: asyncio.TimerHandle | None = None
        self._heard = 0.0
        self.idle_since = 0.0

    # ------------------------------------------------------------ for the pool

    @property
    def usable(self) -> bool:
        """Whether another request may go out on it."""
        return self._transport is not None and not self._transport.is_closing()

    def begin(self, method: str, data: bytes) -> Http1Response:
        """Write a request; its reply is still to come."""
        response = self._response = Http1Response(self)
        self._head_only = method == "HEAD"
        self._head_size = 0
        self._heard = self._monotonic()
        if self._timer is None:
            self._timer = self._loop.call_later(self._read_timeout, self._look)
        self.write(data)
        return response

    def write(self, data: bytes) -> None:
        """More bytes of the request."""
        if self._transport is not None:
            self._transport.write(data)

    async def writable(self) -> None:
        """Wait until the provider takes more."""
        await self._may_write.wait()

    def abort(self) -> None:
        """Drop the connection now."""
        if self._transport is not None:
            self._transport.abort()

    def pause(self) -> None:
        """Read no further for the moment."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._transport is not None and not self._transport.is_closing():
            self._heard = self._monotonic()
            self._transport.resume_reading()

    # ------------------------------------------------------------ asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._heard = self._monotonic()
        if self._response is not None:
            self._response.heard = self._heard
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as problem:
            self._fail(f"the reply is not HTTP: {problem}")
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._may_write.set()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._until_end and exc is None and self._response is not None:
            self._response.end()
        self._fail(str(exc) if exc else "the connection was closed")

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    # ------------------------------------------------------------ httptools

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._response is not None:
            self._response.headers.append((name.lower(), value))
            self._head_size += len(name) + len(value)
            if self._head_size > MAX_HEAD:
                self._fail(f"the reply has more than {MAX_HEAD:,} bytes of headers")
                self.abort()

    def on_headers_complete(self) -> None:
        response, status = self._response, self._parser.get_status_code()
        if response is None:
            return
        if 100 <= status < 200:
            response.headers.clear()
            return
        framed = any(name in (b"content-length", b"transfer-encoding") for name, _ in response.headers)
        self._until_end = not framed and status not in (204, 304) and not self._head_only
        response.begin(status)
        if self._head_only:
            response.end()
            self.abort()

    def on_body(self, data: bytes) -> None:
        if self._response is not None:
            self._response.feed(data)

    def on_message_complete(self) -> None:
        response = self._response
        if response is None or response.status == 0 or self._until_end:
            return
        self._response = None
        response.end()
        if self._parser.should_keep_alive():
            self._release(self)
        else:
            self.abort()

    # ------------------------------------------------------------ endings

    def _look(self) -> None:
        """One lazy timer a connection, not one a chunk."""
        self._timer = None
        if self._response is None:
            return
        left = self._heard + self._read_timeout - self._monotonic()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
            return
        self._fail(f"silent for {self._read_timeout:g} s", timeout=True)
        self.abort()

    def _fail(self, text: str, *, timeout: bool = False) -> None:
        response, self._response = self._response, None
        if response is None:
            return
        if response.status:
            response.end(text)
        else:
            response.refuse(timed_out(self.origin, text) if timeout else closed(self.origin, text))


def timed_out(origin: Origin, text: str) -> UpstreamError:
    return UpstreamError(
        f"{origin.host} did not answer in time: {text}; see [server] read_timeout",
        code="farthing_upstream_timeout",
        status=504,
    )


def closed(origin: Origin, text: str) -> UpstreamError:
    return UpstreamError(
        f"{origin.host} broke off before it answered: {text}", code="farthing_upstream_closed", status=502
    )

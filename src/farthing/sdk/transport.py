"""What takes the place of a client's network: each request is handed to the engine, whose reply comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Self, cast

from farthing.pipeline.identify import named_headers
from farthing.pipeline.intake import Arrival, passes_on
from farthing.sdk.call import Order
from farthing.sdk.client_library import Library, with_base
from farthing.sdk.engine import Seat
from farthing.sdk.engines import ENGINES
from farthing.sdk.naming import current
from farthing.sdk.places import Places
from farthing.sdk.reading import AsyncBody, AsyncReader, Body, Reader, Unusable
from farthing.sdk.tracing import traced
from farthing.wire.routes import wire_for

if TYPE_CHECKING:
    import httpx2


class Transport:
    """For clients that block. Any number of threads may use it."""

    def __init__(self, library: Library, places: Places) -> None:
        self._library, self._places = library, places
        self._plain: httpx2.HTTPTransport | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """The engine goes on: it is not this client's alone."""
        if self._plain is not None:
            self._plain.close()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The reply. Raises what a transport of the client's library raises."""
        arrived = arrival(self._places, request)
        if arrived is None:
            return self._directly(request)
        seat, order = arrived
        if passes_on(order.arrival.wire, order.arrival.headers):
            parts = iter(cast("httpx2.SyncByteStream", request.stream))
            order = order._replace(upload=_from_thread(parts))
        else:
            order = order._replace(body=request.read())
        reader = Reader(self._library, request, seat, order)
        try:
            head = reader.head()
        except Unusable:
            return self._directly(request)
        if head.body is not None:
            return self._library.Response(head.status, headers=head.headers, content=head.body)
        stream = with_base(Body, self._library.SyncByteStream)(reader)
        return self._library.Response(head.status, headers=head.headers, stream=stream)

    def _directly(self, request: httpx2.Request) -> httpx2.Response:
        if self._plain is None:
            self._plain = self._library.HTTPTransport()
        return self._plain.handle_request(request)


class AsyncTransport:
    """For clients of asyncio, in any loop."""

    def __init__(self, library: Library, places: Places) -> None:
        self._library, self._places = library, places
        self._plain: httpx2.AsyncHTTPTransport | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """The engine goes on: it is not this client's alone."""
        if self._plain is not None:
            await self._plain.aclose()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The reply. Raises what a transport of the client's library raises."""
        arrived = arrival(self._places, request)
        if arrived is None:
            return await self._directly(request)
        seat, order = arrived
        if passes_on(order.arrival.wire, order.arrival.headers):
            parts = aiter(cast("httpx2.AsyncByteStream", request.stream))
            order = order._replace(upload=_from_loop(asyncio.get_running_loop(), parts))
        else:
            order = order._replace(body=await request.aread())
        reader = AsyncReader(self._library, request, seat, order)
        try:
            head = await reader.head()
        except Unusable:
            return await self._directly(request)
        if head.body is not None:
            return self._library.Response(head.status, headers=head.headers, content=head.body)
        stream = with_base(AsyncBody, self._library.AsyncByteStream)(reader)
        return self._library.Response(head.status, headers=head.headers, stream=stream)

    async def _directly(self, request: httpx2.Request) -> httpx2.Response:
        if self._plain is None:
            self._plain = self._library.AsyncHTTPTransport()
        return await self._plain.handle_async_request(request)


def arrival(places: Places, request: httpx2.Request) -> tuple[Seat, Order] | None:
    """A request as the pipeline takes it, its body still missing; ``None`` if there is no engine any more."""
    place, path = places.find(str(request.url))
    seat = ENGINES.working_seat(place.setup)
    if seat is None:
        return None
    headers = traced([(name.lower(), value) for name, value in request.headers.raw])
    wire = wire_for(request.method, path.partition("?")[0], anthropic=places.api == "anthropic")
    named = {**current(), **named_headers(headers)}
    begun = seat.runtime.monotonic()
    return seat, Order(Arrival(request.method, path, headers, named, begun, wire), place.home, b"", None)


# ------------------------------------------------------------ bodies that are passed on


async def _from_thread(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    """An upload of a caller that waits meanwhile."""
    loop = asyncio.get_running_loop()
    while (part := await loop.run_in_executor(None, next, parts, None)) is not None:
        yield part


async def _from_loop(loop: asyncio.AbstractEventLoop, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """An upload that its caller's own loop makes."""

    async def more() -> bytes | None:
        return await anext(parts, None)

    while (part := await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(more(), loop))) is not None:
        yield part

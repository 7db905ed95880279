"""The reader's side of a call: one that blocks, and one for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, cast

from farthing.sdk.call import CLOSED, Call, Head, Item, Order, Post
from farthing.sdk.client_library import Library, failure
from farthing.sdk.engine import Seat

if TYPE_CHECKING:
    import httpx2

SILENT = "there was no answer within {} s"


class Unusable(Exception):
    """farthing cannot serve this request, and has sent nothing."""


class _Reading:
    """What both readers have."""

    def __init__(self, library: Library, request: httpx2.Request, seat: Seat, order: Order, post: Post) -> None:
        self._library, self._request = library, request
        timeout = cast("Mapping[str, float | None]", request.extensions.get("timeout", {}))
        self._patience_s = timeout.get("read")
        self._call = Call(seat, order, post)
        self._ended = False

    def _start(self) -> Item | None:
        try:
            self._call.start()
        except RuntimeError:  # it was closed meanwhile
            return CLOSED
        return None

    def leave(self) -> None:
        """Nobody reads on."""
        if not self._ended:
            self._ended = True
            self._call.hang_up()

    def _took(self, item: Item) -> Head | bytes | None:
        """What has come; ``None`` at the end. Raises the library's exceptions, and ``Unusable``."""
        if isinstance(item, bytes):
            self._call.took(len(item))
            return item
        if isinstance(item, Head):
            self._ended = item.body is not None
            return item
        self._ended = True
        if item.kind == "unusable":
            raise Unusable
        if item.kind is not None:
            raise failure(self._library, item.kind, item.message, self._request)
        return None

    def _silent(self) -> Exception:
        self.leave()
        return failure(self._library, "timeout", SILENT.format(self._patience_s), self._request)


class Reader(_Reading):
    """One that blocks."""

    def __init__(self, library: Library, request: httpx2.Request, seat: Seat, order: Order) -> None:
        self._come: SimpleQueue[Item] = SimpleQueue()
        super().__init__(library, request, seat, order, self._come.put)

    def head(self) -> Head:
        """The beginning of the reply."""
        return cast("Head", self._took(self._start() or self._next()))

    def parts(self) -> Iterator[bytes]:
        """The rest of it."""
        while not self._ended and (part := self._took(self._next())) is not None:
            yield cast("bytes", part)

    def _next(self) -> Item:
        try:
            return self._come.get(timeout=self._patience_s)
        except Empty:
            raise self._silent() from None
        except BaseException:  # Ctrl-C
            self.leave()
            raise


class AsyncReader(_Reading):
    """One of asyncio."""

    def __init__(self, library: Library, request: httpx2.Request, seat: Seat, order: Order) -> None:
        self._come: asyncio.Queue[Item] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        super().__init__(library, request, seat, order, partial(loop.call_soon_threadsafe, self._come.put_nowait))

    async def head(self) -> Head:
        """The beginning of the reply."""
        return cast("Head", self._took(self._start() or await self._next()))

    async def parts(self) -> AsyncIterator[bytes]:
        """The rest of it."""
        while not self._ended and (part := self._took(await self._next())) is not None:
            yield cast("bytes", part)

    async def _next(self) -> Item:
        try:
            async with asyncio.timeout(self._patience_s):
                return await self._come.get()
        except TimeoutError:
            raise self._silent() from None
        except BaseException:  # cancelled: so is what is done for it
            self.leave()
            raise


class Body:
    """A reply that is read as it comes. Who closes or drops it hangs up."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def __iter__(self) -> Iterator[bytes]:
        return self._reader.parts()

    def close(self) -> None:
        """Nobody reads on."""
        self._reader.leave()

    def __del__(self) -> None:
        self._reader.leave()


class AsyncBody:
    """The same for asyncio."""

    def __init__(self, reader: AsyncReader) -> None:
        self._reader = reader

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._reader.parts()

    async def aclose(self) -> None:
        """Nobody reads on."""
        self._reader.leave()

    def __del__(self) -> None:
        self._reader.leave()

"""A request under way: its task runs in the engine's loop, its reader is in another thread or another loop.

What it says goes to the reader's ``post`` as it comes, and no further than ``MOST`` bytes ahead of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from farthing.exchange import HUNG_UP, ClientGone, Exchange, Pump, Reply
from farthing.pipeline.intake import Arrival, Home, Refused
from farthing.pipeline.stream import BrokenOff
from farthing.types import Headers
from farthing.wire.errors import error_event

if TYPE_CHECKING:
    from farthing.sdk.engine import Seat

log = logging.getLogger("farthing")

MOST = 256 * 1024
"""Bytes that may wait for the reader."""
TAIL_S = 1.0
"""Who has all of an answer may leave; what comes after it is read for so long, so that the connection can be kept."""


class Order(NamedTuple):
    """What is asked."""

    arrival: Arrival
    home: Home
    body: bytes
    upload: AsyncIterator[bytes] | None


class Head(NamedTuple):
    """The reply has begun; ``body`` is all of it, or ``None``: it follows in parts."""

    status: int
    headers: Headers
    body: bytes | None


Kind = Literal["unreachable", "timeout", "broken", "unusable"]
"""Nobody there; no answer in time; an answer that broke off; farthing itself cannot do it, and has sent nothing."""


class End(NamedTuple):
    """Nothing more comes: in order (``None``), or for this reason."""

    kind: Kind | None = None
    message: str = ""


Item = Head | bytes | End
Post = Callable[[Item], object]
"""Gives something to the reader; raises ``RuntimeError`` if it is gone."""

NO_ANSWER: dict[str, Kind] = {
    "farthing_upstream_unreachable": "unreachable",
    "farthing_upstream_timeout": "timeout",
    "farthing_upstream_closed": "broken",
    "farthing_upstream_cut": "broken",
}
"""Where a gateway has to answer with an error, a client in the same process sees what it would see without us."""
CLOSED = End("broken", "farthing was closed while this call was under way")


class Call:
    """One request. ``start``, ``took`` and ``hang_up`` are the reader's, in any thread; all else is the loop's."""

    def __init__(self, seat: Seat, order: Order, post: Post) -> None:
        self._seat, self._order, self._reader = seat, order, post
        self._loop = seat.engine.loop
        self._task: asyncio.Task[End | None] | None = None
        self._exchange: Exchange | None = None
        self._sent = self._taken = 0
        self._full: asyncio.Future[None] | None = None
        self.left = False
        """The reader is gone."""

    def start(self) -> None:
        """Begin. Raises ``RuntimeError`` if the engine is no more."""
        self._loop.call_soon_threadsafe(self._begin)

    def took(self, size: int) -> None:
        """The reader has so many bytes more."""
        self._taken += size
        if self._full is not None:
            self._soon(self._go_on)

    def hang_up(self) -> None:
        """The reader wants no more."""
        self._soon(self._leave)

    def _soon(self, what: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the engine is closed: the call has ended
            self._loop.call_soon_threadsafe(what)

    # ------------------------------------------------------------ in the engine's loop

    def _begin(self) -> None:
        engine = self._seat.engine
        if engine.closing:
            self._post(CLOSED)
            return
        self._task = self._loop.create_task(self._run())
        engine.calls[self._task] = self
        self._task.add_done_callback(engine.ended)

    def over(self, task: asyncio.Task[End | None]) -> None:
        """The task has ended."""
        end = CLOSED if task.cancelled() else task.result()
        if end is not None:
            self._post(end)

    async def _run(self) -> End | None:
        """How it ended; ``None`` if the reader knows."""
        try:
            return await self._answer()
        except ClientGone:
            return None
        except Exception as problem:
            log.exception("farthing failed on a call")
            return End("broken", str(problem))

    async def _answer(self) -> End | None:
        seat, order = self._seat, self._order
        try:
            credential = seat.intake.authenticated(order.arrival, keyless=True)
            exchange = seat.intake.exchange(order.arrival, credential, order.body, order.upload, order.home)
        except Refused as refused:
            return self._whole(seat.runtime.refuse(refused.exchange, refused.problem))
        except Exception as problem:
            log.exception("farthing failed on a request before it was sent")
            return End("unusable", str(problem))
        self._exchange = exchange
        reply = await seat.runtime.handle(exchange)
        if reply.pump is not None:
            self._post(Head(reply.status, reply.headers, None))
            return await self._streamed(exchange, reply.pump)
        if (kind := NO_ANSWER.get(exchange.tally.error or "")) and reply.status == exchange.tally.status:
            return End(kind, _message(reply.body))
        return self._whole(reply)

    def _whole(self, reply: Reply) -> None:
        self._post(Head(reply.status, reply.headers, reply.body))

    async def _streamed(self, exchange: Exchange, pump: Pump) -> End:
        try:
            await pump(self._write)
        except BrokenOff:
            return End("broken", "the provider broke off inside its reply")
        except ClientGone:
            raise
        except Exception:
            log.exception("stream %s failed inside farthing", exchange.id)
            event = error_event(exchange.wire.api, "farthing_internal_error", "farthing failed inside this stream")
            await self._write(event)
        return End()

    async def _write(self, data: bytes) -> None:
        if self.left:
            return
        self._post(data)
        self._sent += len(data)
        if self._sent - self._taken > MOST:
            self._full = self._loop.create_future()
            if self._sent - self._taken > MOST:  # it may have read between the two
                await self._full
            self._full = None

    def _post(self, item: Item) -> None:
        if self.left:
            return
        try:
            self._reader(item)
        except RuntimeError:  # its loop is closed
            self._leave()

    def _go_on(self) -> None:
        if self._full is not None and not self._full.done():
            self._full.set_result(None)

    def _leave(self) -> None:
        self.left = True
        self._go_on()
        if self._task is None or self._task.done():
            return
        if self._exchange is not None and self._exchange.tally.settled:
            self._loop.call_later(TAIL_S, self._task.cancel, HUNG_UP)
        else:
            self._task.cancel(HUNG_UP)


class _Said(msgspec.Struct):
    message: str = ""


class _Refusal(msgspec.Struct):
    error: _Said


def _message(body: bytes) -> str:
    """What one of our own errors says."""
    return msgspec.json.decode(body, type=_Refusal).error.message

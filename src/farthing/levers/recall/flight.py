"""Identical questions at the same time: one flies, the others wait for what it brings. Within one event loop.

>>> seat = await flights.board(key, wait_s=30)        # doctest: +SKIP
>>> if isinstance(seat, Lead):                        # doctest: +SKIP
...     with seat:                                    # whatever happens, the followers are let go
...         answer = await ask_the_provider()
...         seat.land(answer)
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Generic, TypeVar, cast

T = TypeVar("T")

_ABANDONED = object()
_EMPTY = object()


class Lead(Generic[T]):
    """The one who goes. Ends exactly once; later endings are ignored."""

    def __init__(self, flights: Flights[T], key: bytes, landing: asyncio.Future[object]) -> None:
        self._flights = flights
        self._key = key
        self._landing = landing

    def land(self, answer: T) -> None:
        """The answer, for everyone who waits."""
        self._end(answer)

    def fail(self) -> None:
        """Nothing to share (an error, an answer that may not be stored): the followers go themselves, all of them."""
        self._end(_EMPTY)

    def abandon(self) -> None:
        """The leader is gone for its own reasons (its client hung up): one of the followers takes over."""
        self._end(_ABANDONED)

    def _end(self, result: object) -> None:
        if not self._landing.done():
            self._flights.close(self._key)
            self._landing.set_result(result)

    def __enter__(self) -> Lead[T]:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        if kind is not None and issubclass(kind, (asyncio.CancelledError, GeneratorExit)):
            self.abandon()
        else:
            self.fail()


class Flights(Generic[T]):
    """Who is on the way with which question."""

    def __init__(self) -> None:
        self._landings: dict[bytes, asyncio.Future[object]] = {}

    def __len__(self) -> int:
        return len(self._landings)

    async def board(self, key: bytes, wait_s: float) -> Lead[T] | T | None:
        """``Lead``: you go, and must end it. An answer: it is yours. ``None``: go, but nobody waits for you (the leader
        failed, or did not land within ``wait_s`` seconds). Does not yield to the loop if nobody is under way.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_s
        while (landing := self._landings.get(key)) is not None:
            await asyncio.wait((landing,), timeout=max(deadline - loop.time(), 0))
            if not landing.done() or (result := landing.result()) is _EMPTY:
                return None
            if result is not _ABANDONED:
                return cast("T", result)
        landing = self._landings[key] = loop.create_future()
        return Lead(self, key, landing)

    def close(self, key: bytes) -> None:
        """For ``Lead`` alone: the flight takes no more followers."""
        self._landings.pop(key, None)

"""A streamed reply on its way to the client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial

from farthing.errors import UpstreamError
from farthing.exchange import Exchange, Write
from farthing.pipeline.attempt import Attempt
from farthing.pipeline.drain import Drains, Nowhere
from farthing.pipeline.settlement import CUT, cause
from farthing.upstream.pool import EVENT_STREAM, Cut, Response
from farthing.wire.base import Tap
from farthing.wire.errors import error_event


class BrokenOff(Exception):
    """The provider's stream broke off; the client has been told, its connection is to be closed."""


class Stream:
    """Passes a reply on chunk by chunk, and settles its call however it ends."""

    def __init__(
        self,
        exchange: Exchange,
        attempt: Attempt,
        response: Response,
        drains: Drains,
        settle: Callable[[Exchange], None],
    ) -> None:
        self._exchange, self._attempt, self._response = exchange, attempt, response
        self._drains, self._settle = drains, settle
        self._tap = exchange.wire.tap(exchange.facts)
        self._first: bytes | None = None
        self._begun: AsyncIterator[bytes] | None = None

    async def peek(self) -> tuple[str, bytes] | None:
        """Wait for the first chunk, which ``pump`` then begins with.

        If there is an error in place of an answer: its code and what came, and that is all of it: the call is over.
        Raises ``UpstreamError`` if it broke off before anything came.
        """
        self._begun = self._response.chunks()
        try:
            self._first = await anext(self._begun, None)
        except Cut as problem:
            self._end(CUT)
            text = f"the provider broke off before its stream had begun: {problem}"
            raise UpstreamError(text, code="farthing_upstream_cut") from problem
        except BaseException as problem:
            self._begun = None  # who reads on begins anew
            await self._give_up(problem)
            raise
        probe = self._exchange.wire.tap(self._exchange.facts)
        probe.feed(self._first or b"")
        error = None if probe.first_token else probe.outcome(ended=False).error
        if error is None or self._first is None:
            return None
        self._tap.feed(self._first)
        self._end()
        return error, self._first

    async def pump(self, write: Write) -> None:
        """Give the client what comes. Raises ``BrokenOff``."""
        try:
            await self._pass_on(write)
        except Cut as problem:
            self._attempt.end(self._tap.outcome(ended=False), CUT, text=self._tap.text)
            self._exchange.tally.error = self._exchange.tally.error or CUT
            if self._attempt.kind == EVENT_STREAM:
                text = f"the provider broke off: {problem}"
                await write(b"\n\n" + error_event(self._exchange.wire.api, "farthing_upstream_cut", text))
            raise BrokenOff from problem
        except BaseException as problem:
            await self._give_up(problem)
            raise
        finally:
            self._response.close()
        if rest := self._tap.rest():
            await write(rest)

    async def _pass_on(self, write: Write) -> None:
        """The ledger is written before the chunk goes out by which the client knows that it has all."""
        attempt, tap, tally = self._attempt, self._tap, self._exchange.tally
        async for chunk in self._response.chunks() if self._begun is None else self._rest(self._begun):
            out = tap.feed(chunk)
            if tally.first_byte_at is None:
                attempt.first_byte()
            if tap.done and not tally.settled:
                attempt.end(tap.outcome(ended=False), text=tap.text, learn=tap.recorded)
                self._settle(self._exchange)
            if out:
                await write(out)
        attempt.end(tap.outcome(ended=True), ended=True, text=tap.text, learn=tap.recorded)

    async def _rest(self, begun: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """All of it, as if nobody had looked."""
        self._begun = None
        if self._first is not None:
            yield self._first
        async for chunk in begun:
            yield chunk

    async def _give_up(self, problem: BaseException) -> None:
        """The client left, or something failed: perhaps its bill may still be had."""
        try:
            free = self._attempt.kind != EVENT_STREAM or _lacks_only_usage(self._tap)
            if not self._tap.done and self._drains.wanted(problem, self._exchange, free=free):
                await self._drains.run(self._exchange, partial(self._pass_on, Nowhere()))
        finally:
            self._end(cause(problem))

    def _end(self, error: str | None = None) -> None:
        self._attempt.end(self._tap.outcome(ended=False), error, text=self._tap.text)
        self._response.close()


def _lacks_only_usage(tap: Tap) -> bool:
    """The answer is whole: nothing more is generated."""
    return tap.outcome(ended=False).finish_reason is not None
